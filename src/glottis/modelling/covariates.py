"""Columns that lie beside the features, looked up by row label: a batch a row, and covariates coded as in training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glottis.evaluation.design_matrix import Column, design_matrix
from glottis.evaluation.interval import Floats
from glottis.modelling.location_scale import separable


@dataclass(frozen=True)
class Coding:
    """How covariates become columns of a regression, as learnt on the training rows.

    Attributes:
        columns: numbers as they are, a category against its reference; none where there are no covariates.
    """

    columns: tuple[Column, ...] = ()

    def matrix(self, covariates: pd.DataFrame | None, index: pd.Index[Any]) -> Floats:
        """(n, n_columns) for these rows.

        Raises:
            ValueError: a row without covariates, or a category that no training row has.
        """
        if not self.columns:
            return np.empty((len(index), 0))
        table = covariates_of(covariates, index)
        for column in self.columns:
            if column.level is not None:
                self._refuse_new(table[column.variable].astype(str), column.variable)
        return np.column_stack([_coded(column, table) for column in self.columns])

    def _refuse_new(self, values: pd.Series[str], name: str) -> None:
        own = [column for column in self.columns if column.variable == name]
        known = {str(label) for column in own for label in (column.level, column.reference)}
        new = values[~values.isin(known)]
        if len(new):
            message = (
                f"Covariate {name!r} of {new.index[0]!r} is {new.iloc[0]!r}, which no training row has: join it with "
                f"one of {shown(sorted(known))}, or leave the covariate out."
            )
            raise ValueError(message)


def learn_coding(covariates: pd.DataFrame | None, index: pd.Index[Any], codes: NDArray[np.intp]) -> Coding:
    """The coding of the training rows.

    Args:
        covariates: indexed by row label; may hold other rows, which are not looked at.
        index: labels of the training rows.
        codes: (n,) number of each row's batch.

    Raises:
        ValueError: a row without covariates, a covariate that does not vary or follows from the others or the batch.
    """
    if covariates is None:
        return Coding()
    design = design_matrix(covariates_of(covariates, index))
    fine = separable(codes, design.matrix)
    if not fine.all():
        name = design.columns[int(np.argmin(fine))].name
        message = (
            f"Covariate {name} follows from the batch in the {len(index)} training rows, so preserving it would "
            "preserve the batch: leave it out, or harmonise by another column."
        )
        raise ValueError(message)
    return Coding(design.columns)


def covariates_of(covariates: pd.DataFrame | None, index: pd.Index[Any]) -> pd.DataFrame:
    """The covariates of these rows.

    Raises:
        ValueError: a row is absent, or a value is missing.
    """
    table: pd.DataFrame = _looked_up(covariates, index, "covariates")
    holes = table.replace([np.inf, -np.inf], np.nan).isna().to_numpy()
    if holes.any():
        row, column = np.argwhere(holes)[0]
        message = (
            f"Covariate {table.columns[column]!r} of {table.index[row]!r} is missing ({holes.any(axis=1).sum()} rows "
            "concerned): fill it in, or leave the covariate or these rows out."
        )
        raise ValueError(message)
    named: pd.DataFrame = table.set_axis([str(name) for name in table.columns], axis=1)
    return named


def batch_of(batch: pd.Series[Any], index: pd.Index[Any]) -> pd.Series[Any]:
    """The batch of each of these rows.

    Raises:
        ValueError: a row is absent, or has no batch.
    """
    labels: pd.Series[Any] = _looked_up(batch, index, "batch")
    if labels.isna().any():
        first, n = labels.index[labels.isna()][0], int(labels.isna().sum())
        message = f"{first!r} has no batch ({n} rows concerned): fill in the column, or leave these rows out."
        raise ValueError(message)
    return labels


def _looked_up(values: Any, index: pd.Index[Any], what: str) -> Any:
    if not isinstance(values, pd.Series | pd.DataFrame):
        message = f"The {what} must be a Series or table indexed as the features; got {type(values).__name__}."
        raise TypeError(message)
    absent = index.difference(values.index)
    if len(absent):
        message = (
            f"{len(absent)} of {len(index)} rows are not in the {what}, for example {absent[0]!r}: index it as the "
            "features."
        )
        raise ValueError(message)
    if not values.index.is_unique or not index.is_unique:
        both = [labels for labels in (values.index, index) if not labels.is_unique]
        message = f"The row label {both[0][both[0].duplicated()][0]!r} occurs twice: give each row one label."
        raise ValueError(message)
    return values.loc[index]


def _coded(column: Column, table: pd.DataFrame) -> Floats:
    values = table[column.variable]
    if column.level is None:
        return values.to_numpy(dtype=np.float64)
    return np.asarray(values.astype(str) == column.level, dtype=np.float64)


def shown(names: Iterable[Any]) -> str:
    """The first names, for a message."""
    listed = [repr(name) for name in names]
    return ", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "")
