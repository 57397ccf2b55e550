"""From a table of covariates to the columns of a regression: numbers as they are, categories against a reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Bools, Floats


@dataclass(frozen=True)
class Column:
    """One column of the regression.

    Attributes:
        variable: name of the covariate.
        level: the category that the column stands for; None for a number.
        reference: the category that it is compared with; None for a number.
    """

    variable: str
    level: str | None
    reference: str | None

    @property
    def name(self) -> str:
        """For a message: ``age``, or ``site (glottis against supraglottis)``."""
        return self.variable if self.level is None else f"{self.variable} ({self.level} against {self.reference})"


@dataclass(frozen=True)
class Design:
    """The regression's columns, without an intercept.

    Attributes:
        matrix: (n, n_columns).
        columns: what each column is.
    """

    matrix: Floats
    columns: tuple[Column, ...]

    def columns_of(self, variable: str) -> list[int]:
        """Positions of a covariate's columns."""
        return [index for index, column in enumerate(self.columns) if column.variable == variable]

    @property
    def variables(self) -> tuple[str, ...]:
        """Covariates in their order."""
        return tuple(dict.fromkeys(column.variable for column in self.columns))


def as_table(covariates: Any) -> pd.DataFrame:
    """Covariates as a table: from a table, a mapping from name to values, or an array, with columns x1, x2, ...

    Raises:
        ValueError: a column's name occurs twice, columns of unequal length, or neither one nor two axes.
    """
    if isinstance(covariates, pd.Series):
        table = covariates.to_frame()
    elif isinstance(covariates, pd.DataFrame):
        table = covariates
    elif isinstance(covariates, Mapping):
        table = pd.DataFrame(_of_equal_length(covariates))
    else:
        values = np.asarray(covariates)
        if values.ndim not in (1, 2):
            message = f"Covariates need a row a patient and a column each; got the shape {values.shape}: give a table."
            raise StatisticsError(message)
        values = values[:, None] if values.ndim == 1 else values
        table = pd.DataFrame(values, columns=[f"x{i + 1}" for i in range(values.shape[1])])
    table = table.set_axis([str(name) for name in table.columns], axis=1)
    if not table.columns.is_unique:
        twice = sorted(set(table.columns[table.columns.duplicated()]))
        message = f"Columns must have different names; {', '.join(twice)} occurs more than once: rename one."
        raise StatisticsError(message)
    return table.reset_index(drop=True)


def _of_equal_length(columns: Mapping[Any, Any]) -> Mapping[Any, Any]:
    sizes = {str(name): len(values) for name, values in columns.items()}
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{name} {size}" for name, size in sizes.items())
        message = f"Columns must be of equal length; got {shown}: give one value a patient."
        raise StatisticsError(message)
    return columns


def complete_rows(table: pd.DataFrame) -> Bools:
    """Rows without a missing or infinite value."""
    numbers = table.select_dtypes("number")
    finite = np.isfinite(numbers.to_numpy(dtype=np.float64, na_value=np.nan)).all(axis=1)
    return np.asarray(table.notna().all(axis=1).to_numpy(dtype=bool) & finite)


def is_categorical(values: pd.Series[Any]) -> bool:
    """Whether a column is compared level by level: text, booleans or a pandas Categorical."""
    return not types.is_numeric_dtype(values) or types.is_bool_dtype(values)


def levels_of(values: pd.Series[Any]) -> list[Any]:
    """Levels that occur, in the order of an ordered Categorical or else sorted."""
    present = values.dropna()
    if isinstance(values.dtype, pd.CategoricalDtype):
        seen = set(present)
        return [level for level in values.cat.categories if level in seen]
    try:
        return sorted(set(present))
    except TypeError:
        return sorted(set(present), key=str)


def design_matrix(table: pd.DataFrame, reference: Mapping[str, Any] | None = None) -> Design:
    """Columns of a regression from a table without missing values.

    Args:
        table: one row a patient; text, booleans and pandas Categoricals are compared level by level.
        reference: level that a categorical column is compared with; its first level (sorted, or the Categorical's
            order) where not given.

    Raises:
        ValueError: no column, a column that does not vary, an unknown column or level in ``reference``, columns that
            follow from the others.
    """
    wanted = dict(reference or {})
    unknown = sorted(set(wanted) - {str(name) for name in table.columns if is_categorical(table[name])})
    if unknown:
        message = f"A reference level is given for {', '.join(unknown)}, which is no categorical column of the table."
        raise StatisticsError(message)
    parts: list[Floats] = []
    columns: list[Column] = []
    for name in table.columns:
        values = table[name]
        if is_categorical(values):
            levels = _reference_first(str(name), levels_of(values), wanted)
            parts += [(values == level).to_numpy(dtype=np.float64) for level in levels[1:]]
            columns += [Column(str(name), str(level), str(levels[0])) for level in levels[1:]]
        else:
            parts.append(values.to_numpy(dtype=np.float64))
            columns.append(Column(str(name), None, None))
    if not parts:
        message = "There is no covariate that varies: give at least one."
        raise StatisticsError(message)
    matrix = np.column_stack(parts)
    _refuse_dependence(matrix, columns)
    return Design(matrix, tuple(columns))


def _reference_first(name: str, levels: list[Any], wanted: Mapping[str, Any]) -> list[Any]:
    if len(levels) < 2:
        only = f"only {levels[0]!r}" if levels else "no value"
        message = f"Column {name!r} does not vary (it holds {only}): leave it out."
        raise StatisticsError(message)
    first = wanted.get(name, levels[0])
    if first not in levels:
        message = f"Column {name!r} has no level {first!r} to serve as reference: use one of {levels}."
        raise StatisticsError(message)
    return [first, *(level for level in levels if level != first)]


def _refuse_dependence(matrix: Floats, columns: list[Column]) -> None:
    spread = np.ptp(matrix, axis=0) if matrix.shape[0] else np.zeros(matrix.shape[1])
    for column, width in zip(columns, spread, strict=True):
        if width == 0:
            message = f"Column {column.variable!r} does not vary: leave it out."
            raise StatisticsError(message)
    scaled = (matrix - matrix.mean(axis=0)) / spread
    if np.linalg.matrix_rank(scaled) == scaled.shape[1]:
        return
    for index in range(1, scaled.shape[1]):
        if np.linalg.matrix_rank(scaled[:, : index + 1]) <= index:
            message = (
                f"{columns[index].name} follows from the columns before it, or there are too few patients "
                f"({matrix.shape[0]} for {matrix.shape[1]} columns): leave it out."
            )
            raise StatisticsError(message)
