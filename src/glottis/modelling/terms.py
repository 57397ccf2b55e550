"""A linear predictor in plain values: what each column adds to it, level by level or per unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from glottis.evaluation.interval import Floats, plain


@dataclass(frozen=True, kw_only=True)
class Term:
    """What one column adds.

    Attributes:
        column: its name in the table.
        coefficients: of a number one, per unit; of levels one for each level after the first, against the first.
        levels: words that the column may hold, the reference first; ``None`` for a number.
        ordered: the levels have an order, and their coefficients are multiples of one step.
        low: least value of a number among the training patients; 0 for levels.
        high: greatest value of a number among the training patients; 0 for levels.
        fill: what a missing value becomes when a patient is scored: the training median, or the most frequent level.
    """

    column: str
    coefficients: tuple[float, ...]
    levels: tuple[str, ...] | None = None
    ordered: bool = False
    low: float = 0.0
    high: float = 0.0
    fill: float | str

    def __post_init__(self) -> None:
        """Refuse coefficients that do not fit the levels."""
        wanted = 1 if self.levels is None else len(self.levels) - 1
        if len(self.coefficients) != wanted or wanted < 1:
            message = f"Term {self.column!r} needs {wanted} coefficients, at least one; got {len(self.coefficients)}."
            raise ValueError(message)

    def added(self, values: pd.Series) -> Floats:
        """(n,) what each value adds to the linear predictor; a missing one counts as ``fill``.

        Raises:
            ValueError: a word that is no level, or a number that is none.
        """
        filled = values.astype(object).where(values.notna(), self.fill)
        if self.levels is None:
            numbers = pd.to_numeric(filled, errors="coerce").to_numpy(dtype=np.float64)
            if not np.isfinite(numbers).all():
                wrong = filled.iloc[int(np.argmin(np.isfinite(numbers)))]
                message = f"Column {self.column!r} needs a number; got {wrong!r}: correct the table."
                raise ValueError(message)
            return np.asarray(numbers * self.coefficients[0])
        by_level = dict(zip(self.levels, (0.0, *self.coefficients), strict=True))
        unknown = [value for value in filled if value not in by_level]
        if unknown:
            message = (
                f"Column {self.column!r} holds {unknown[0]!r}, which no training patient had: it has "
                f"{', '.join(self.levels)}."
            )
            raise ValueError(message)
        return np.array([by_level[value] for value in filled], dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The term that ``to_dict`` wrote."""
        levels = content["levels"]
        return cls(
            column=content["column"],
            coefficients=tuple(content["coefficients"]),
            levels=None if levels is None else tuple(levels),
            ordered=content["ordered"],
            low=content["low"],
            high=content["high"],
            fill=content["fill"],
        )


@dataclass(frozen=True, kw_only=True)
class LinearPredictor:
    """Intercept and terms; higher for the positive class, or for an earlier event.

    A row's value depends on no other row, to the last bit.

    Attributes:
        terms: one a column.
        intercept: value where every number is 0 and every level its reference.

    >>> site = Term(column="site", levels=("glottis", "supraglottis"), coefficients=(0.7,), fill="glottis")
    >>> age = Term(column="age", coefficients=(0.02,), low=40, high=80, fill=60.0)
    >>> model = LinearPredictor(terms=(site, age), intercept=-2.0)
    >>> model(pd.DataFrame({"site": ["supraglottis", "glottis"], "age": [50, None]})).round(2)
    array([-0.3, -0.8])
    """

    terms: tuple[Term, ...]
    intercept: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that are read."""
        return tuple(term.column for term in self.terms)

    def __call__(self, table: pd.DataFrame) -> Floats:
        """(n,) linear predictor of every row.

        Raises:
            ValueError: a column is absent, or holds what no training patient had.
        """
        absent = [name for name in self.columns if name not in table.columns]
        if absent:
            message = f"The table has no column {absent[0]!r}, which the model reads: add it (empty where not known)."
            raise ValueError(message)
        total = np.full(len(table), self.intercept)
        for term in self.terms:
            total = total + term.added(table[term.column])
        return total

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"intercept": float(self.intercept), "terms": [term.to_dict() for term in self.terms]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """What ``to_dict`` wrote."""
        return cls(terms=tuple(map(Term.from_dict, content["terms"])), intercept=content["intercept"])
