"""What fitted steps do to a row, in plain values: gaps filled, batches corrected, values scaled."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd

from glottis.evaluation.design_matrix import Column
from glottis.evaluation.interval import Floats, plain
from glottis.modelling.covariates import Coding, batch_of, shown
from glottis.modelling.location_scale import CommonScale

Numbers = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class PlainStep(ABC):
    """Base of the steps: what is done to some columns of a row, whatever the other rows are.

    Attributes:
        columns: names of the columns that are changed.
    """

    columns: tuple[str, ...]
    kind: ClassVar[str]

    @abstractmethod
    def __call__(self, values: Floats, index: pd.Index[Any], batches: pd.DataFrame | None) -> Floats:
        """(n, n_columns) after the step.

        Args:
            values: (n, n_columns) of ``columns``.
            index: (n,) labels of the rows.
            batches: indexed likewise: ``batch``, and the covariates that the step preserves.
        """

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"kind": self.kind, **plain(self)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """What ``to_dict`` wrote; a list becomes a tuple."""
        given = {name: value for name, value in content.items() if name != "kind"}
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})

    def _check(self, name: str, values: Numbers, *, above_zero: bool = False) -> None:
        numbers = [value for value in values if type(value) in (int, float) and math.isfinite(value)]
        fits = len(numbers) == len(values) == len(self.columns)
        if not fits or (above_zero and not all(value > 0 for value in numbers)):
            kind = "number above 0" if above_zero else "finite number"
            message = f"Step {self.kind!r} needs one {kind} a column for {name!r} ({len(self.columns)} columns)."
            raise ValueError(message)


@dataclass(frozen=True, kw_only=True)
class Fill(PlainStep):
    """A missing value becomes that of its column.

    Attributes:
        values: (n_columns,) for example medians of the training rows.

    >>> Fill(columns=("a", "b"), values=(1.0, 2.0))(np.array([[np.nan, 5.0]]), pd.Index(["p"]), None)
    array([[1., 5.]])
    """

    values: Numbers
    kind: ClassVar[str] = "fill"

    def __post_init__(self) -> None:
        """Refuse what is not one finite number a column."""
        self._check("values", self.values)

    def __call__(self, values: Floats, index: pd.Index[Any], batches: pd.DataFrame | None) -> Floats:
        """(n, n_columns) without gaps."""
        return np.where(np.isnan(values), np.array(self.values), values)


@dataclass(frozen=True, kw_only=True)
class Scale(PlainStep):
    """(value - mean) / sd.

    Attributes:
        mean: (n_columns,) what is taken off.
        sd: (n_columns,) what is divided by; above 0.
    """

    mean: Numbers
    sd: Numbers
    kind: ClassVar[str] = "scale"

    def __post_init__(self) -> None:
        """Refuse what is not one number a column."""
        self._check("mean", self.mean)
        self._check("sd", self.sd, above_zero=True)

    def __call__(self, values: Floats, index: pd.Index[Any], batches: pd.DataFrame | None) -> Floats:
        """(n, n_columns) in units of ``sd`` around ``mean``."""
        return np.asarray((values - np.array(self.mean)) / np.array(self.sd))


@dataclass(frozen=True, kw_only=True)
class Correction(PlainStep):
    """The effect of a known batch is taken off, as by `glottis.modelling.harmonise.ComBat`.

    Attributes:
        mean: (n_columns,) expected value of a row, before its covariates.
        sd: (n_columns,) residual standard deviation.
        coding: how covariates become numbers.
        slopes: one (n_columns,) a number of ``coding``.
        shift: batch to (n_columns,) in residual standard deviations.
        spread: batch to (n_columns,), above 0; a batch of neither is left as it is.
        trained: batches of the training rows.
        unseen: of another batch, ``"refuse"`` a row, or leave it as it is as if it were the ``"reference"``.
    """

    mean: Numbers
    sd: Numbers
    coding: Coding = field(default_factory=Coding)
    slopes: tuple[Numbers, ...] = ()
    shift: Mapping[str, Numbers]
    spread: Mapping[str, Numbers]
    trained: tuple[str, ...]
    unseen: Literal["refuse", "reference"] = "refuse"
    kind: ClassVar[str] = "batch"

    def __post_init__(self) -> None:
        """Refuse numbers that do not fit the columns, and batches that do not fit one another."""
        self._check("mean", self.mean)
        self._check("sd", self.sd, above_zero=True)
        for name, rows in (("slopes", self.slopes), ("shift", self.shift.values())):
            for row in rows:
                self._check(name, row)
        for row in self.spread.values():
            self._check("spread", row, above_zero=True)
        known = set(self.shift) == set(self.spread) <= set(self.trained)
        if not known or len(self.slopes) != len(self.coding.columns) or self.unseen not in ("refuse", "reference"):
            message = "Step 'batch' needs shift and spread of the same training batches, and slopes of every covariate."
            raise ValueError(message)

    @property
    def covariates(self) -> tuple[str, ...]:
        """Columns that are read beside the batch."""
        return tuple(dict.fromkeys(column.variable for column in self.coding.columns))

    def __call__(self, values: Floats, index: pd.Index[Any], batches: pd.DataFrame | None) -> Floats:
        """(n, n_columns) as they would be without their batch; a missing value stays missing.

        Raises:
            ValueError: no batch of a row, an unseen one that is refused, or a covariate that is missing or new.
        """
        labels = self._labels(index, batches)
        table = None if batches is None or not self.covariates else batches[list(self.covariates)]
        corrected = values.copy()
        for label in dict.fromkeys(labels):
            rows = (labels == label).to_numpy()
            if label in self.shift:
                covariates = self.coding.matrix(table, index[rows])
                standard = self._scale.standardise(values[rows], covariates)
                standard = (standard - np.array(self.shift[label])) / np.array(self.spread[label])
                corrected[rows] = self._scale.restore(standard, covariates)
        return corrected

    @property
    def _scale(self) -> CommonScale:
        slopes = np.array(self.slopes, dtype=np.float64).reshape(-1, len(self.columns))
        return CommonScale(mean=np.array(self.mean), slopes=slopes, sd=np.array(self.sd))

    def _labels(self, index: pd.Index[Any], batches: pd.DataFrame | None) -> pd.Series[Any]:
        wanted = ("batch", *self.covariates)
        absent = [name for name in wanted if batches is None or name not in batches.columns]
        if batches is None or absent:
            message = (
                f"The model corrects batches and needs {', '.join(wanted)} of every patient; {absent[0]!r} is absent: "
                "give it in the table of batches."
            )
            raise ValueError(message)
        labels = batch_of(batches["batch"], index).astype(str)
        new = labels[~labels.isin(self.trained)]
        if self.unseen == "refuse" and len(new):
            message = (
                f"Batch {new.iloc[0]!r} ({(new == new.iloc[0]).sum()} rows) is not among the training batches "
                f"{shown(self.trained)}, and the model cannot correct it: train with rows of it."
            )
            raise ValueError(message)
        return labels

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """What ``to_dict`` wrote."""
        own = {name: value for name, value in content.items() if name != "kind"}
        own["coding"] = Coding(tuple(Column(**column) for column in content["coding"]["columns"]))
        own["slopes"] = tuple(map(tuple, content["slopes"]))
        for name in ("shift", "spread"):
            own[name] = {label: tuple(row) for label, row in content[name].items()}
        for name in ("columns", "mean", "sd", "trained"):
            own[name] = tuple(content[name])
        return cls(**own)


STEPS: Mapping[str, type[PlainStep]] = {step.kind: step for step in (Fill, Scale, Correction)}


def step_of(content: Mapping[str, Any]) -> PlainStep:
    """The step that ``to_dict`` wrote.

    Raises:
        ValueError: of an unknown kind, or malformed.
    """
    if content["kind"] not in STEPS:
        message = f"Step {content['kind']!r} is not known: there are {', '.join(STEPS)}."
        raise ValueError(message)
    return STEPS[content["kind"]].from_dict(content)
