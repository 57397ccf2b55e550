"""A nomogram: a linear model as points that one can add up by hand, and what their total means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from glottis._errors import StatisticsError, nearest
from glottis.evaluation.interval import Floats
from glottis.modelling.nomogram_axes import Axis, Outcome, Tick, extent
from glottis.modelling.terms import LinearPredictor, Term

LARGEST_EFFECT = 100.0
TOTAL = "total"
FORMAT = "glottis nomogram 1"
FIELDS = {
    "format": "this layout",
    "predictors": "one entry a column; the points of a patient in all of them, added up, are the total points",
    "column": "its name in a table",
    "label": "printed name",
    "unit": "of a number",
    "kind": "number: points = points_per_unit * (value - points_are_0_at); levels: points, by level; "
    "logistic: probability of the event = 1 / (1 + exp(-linear predictor)); "
    "survival: probability of no event up to the time at = baseline_survival ^ exp(linear predictor)",
    "points": "of each level, or of a tick",
    "points_per_unit": "points that one unit adds",
    "points_are_0_at": "value with 0 points",
    "low": "least value of the training patients; below it the line goes on, without evidence",
    "high": "greatest value of the training patients; above it the line goes on, without evidence",
    "if_missing": "stands for a missing value: the training patients' median, or their most frequent level",
    "ticks": "marks of the axis in the figure; nothing is computed from them",
    "value": "of a tick",
    "text": "printed at a tick",
    "linear_predictor": "linear predictor = at_0_points + per_point * total points",
    "at_0_points": "linear predictor of a patient without points",
    "per_point": "linear predictor of one point; the largest effect spans 100 points",
    "outcomes": "what the total points tell, one entry each",
    "at": "time of a survival probability, in the unit of the training table; null for logistic",
    "baseline_survival": "survival at that time with linear predictor 0; null for logistic",
    "probability": "at a tick of an outcome",
    "total_points": "that give this probability",
    "names": "printed names, by column: pairs of a value and its name",
    "model": "the same in coefficients: linear predictor = intercept + coefficient * value of every number + "
    "coefficient of the patient's level (the first level has 0)",
}


@dataclass(frozen=True, kw_only=True)
class Nomogram:
    """Points of every predictor, and probabilities of their total, as ``rms::nomogram`` makes them.

    The predictor whose range changes the linear predictor most spans 0 to 100 points; every axis starts at 0 points,
    with the value that makes the event least likely (or latest). Total points give the linear predictor by a straight
    line, so that points lose nothing. Values beyond the training patients' range get points along the same line, below
    0 or above the axis.

    Attributes:
        predictor: the model.
        outcomes: one axis each: the probability of an event by logistic regression, or survival at some times.
        labels: column to printed name.
        units: column to unit, of numbers.
        names: column to printed names of its levels, or of the only numbers to be marked (``{"sex": {0: "female"}}``).

    >>> site = Term(column="site", levels=("glottis", "supraglottis"), coefficients=(0.7,), fill="glottis")
    >>> age = Term(column="age", coefficients=(0.02,), low=40, high=80, fill=60.0)
    >>> made = Nomogram(predictor=LinearPredictor(terms=(site, age), intercept=-2.0))
    >>> made.points(pd.DataFrame({"site": ["glottis", "supraglottis"], "age": [40, 75]})).round(1).to_dict("list")
    {'site': [0.0, 87.5], 'age': [0.0, 87.5], 'total': [0.0, 175.0]}
    >>> made.probability_of(175).round(3)
    array([0.55])
    """

    predictor: LinearPredictor
    outcomes: tuple[Outcome, ...] = (Outcome(),)
    labels: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn or read."""
        _refuse_outcomes(self.outcomes)
        for term in self.predictor.terms:
            _refuse_range(term)
        for what, given in (("labels", self.labels), ("units", self.units), ("names", self.names)):
            for column in given:
                if column not in self.predictor.columns:
                    message = f"No predictor {column!r}, which {what} name: {nearest(column, self.predictor.columns)}."
                    raise StatisticsError(message)
        for term in self.predictor.terms:
            _refuse_names(term, self.names.get(term.column, {}))
        if not any(any(term.coefficients) for term in self.predictor.terms):
            message = "All coefficients are 0: every patient has the same probability, and there is no nomogram."
            raise StatisticsError(message)

    @cached_property
    def per_point(self) -> float:
        """Linear predictor of one point."""
        return max(high - low for low, high in map(extent, self.predictor.terms)) / LARGEST_EFFECT

    @cached_property
    def at_0_points(self) -> float:
        """Linear predictor of a patient without points."""
        return self.predictor.intercept + sum(extent(term)[0] for term in self.predictor.terms)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """One a predictor, in the model's order."""
        return tuple(
            Axis(
                term=term,
                label=self.labels.get(term.column, term.column),
                unit=self.units.get(term.column, ""),
                per_point=self.per_point,
                names=self.names.get(term.column, {}),
            )
            for term in self.predictor.terms
        )

    @property
    def most_points(self) -> float:
        """Total points of a patient with the worst value of everything."""
        return sum(axis.most_points for axis in self.axes)

    def points(self, table: pd.DataFrame) -> pd.DataFrame:
        """Points of every row: a column a predictor, and ``total``.

        Raises:
            ValueError: a column is absent, or holds what no training patient had.
        """
        self.predictor(table)  # names the column that is absent
        parts = {axis.term.column: axis.points(axis.term.added(table[axis.term.column])) for axis in self.axes}
        total = np.zeros(len(table))
        for part in parts.values():  # one after the other: a row alone has the bits that it has in a table
            total = total + part
        return pd.DataFrame({**parts, TOTAL: total}, index=table.index)

    def linear_predictor_of(self, total: ArrayLike) -> Floats:
        """Linear predictor of total points."""
        return np.asarray(self.at_0_points + self.per_point * np.asarray(total, dtype=np.float64))

    def probability(self, table: pd.DataFrame) -> pd.DataFrame:
        """The model's own probability of every row, a column an outcome.

        Raises:
            ValueError: a column is absent, or holds what no training patient had.
        """
        x = self.predictor(table)
        return pd.DataFrame({outcome.label: outcome.probability(x) for outcome in self.outcomes}, index=table.index)

    def probability_of(self, total: ArrayLike) -> Floats:
        """(..., n_outcomes) probabilities of total points."""
        x = self.linear_predictor_of(total)
        return np.stack([outcome.probability(x) for outcome in self.outcomes], axis=-1)

    def total_for(self, probability: float, outcome: Outcome) -> float:
        """Total points at which the outcome has that probability."""
        return (outcome.linear_predictor(probability) - self.at_0_points) / self.per_point

    def marks(self, outcome: Outcome) -> tuple[Tick, ...]:
        """Ticks of an outcome's axis, where its probability can be reached, by total points."""
        ends = self.linear_predictor_of([0.0, self.most_points])
        marks = outcome.marks(float(ends[0]), float(ends[1]))
        ticks = [Tick(value=p, text=f"{p:g}", points=self.total_for(p, outcome)) for p in marks]
        return tuple(sorted(ticks, key=lambda tick: tick.points))

    def to_table(self) -> pd.DataFrame:
        """Every tick: axis, value and points; those of an outcome are total points."""
        rows = [(axis.label, axis.unit, tick.text, tick.points) for axis in self.axes for tick in axis.ticks]
        rows += [
            (outcome.label, "", tick.text, tick.points) for outcome in self.outcomes for tick in self.marks(outcome)
        ]
        made = pd.DataFrame(rows, columns=["axis", "unit", "value", "points"])
        kinds = ["predictor"] * sum(len(axis.ticks) for axis in self.axes)
        return made.assign(kind=kinds + ["outcome"] * (len(made) - len(kinds)))

    def formula(self, outcome: int = 0, *, digits: int = 17) -> str:
        """One line for a spreadsheet, with the columns' names in place of cells.

        Args:
            outcome: which of the outcomes.
            digits: of the coefficients; 17 lose nothing.

        >>> age = Term(column="age", coefficients=(0.02,), low=40, high=80, fill=60.0)
        >>> Nomogram(predictor=LinearPredictor(terms=(age,), intercept=-2.0)).formula()
        '=1/(1+EXP(-(-2 + 0.02*age)))'
        """
        line = _line(self.predictor, digits)
        chosen = self.outcomes[outcome]
        if chosen.baseline is None:
            return f"=1/(1+EXP(-({line})))"
        return f"={_number(chosen.baseline, digits)}^EXP({line})"

    def to_dict(self) -> dict[str, Any]:
        """Content of ``nomogram.json``: plain values from which anyone can compute."""
        return {
            "format": FORMAT,
            "fields": dict(FIELDS),
            "linear_predictor": {"at_0_points": self.at_0_points, "per_point": self.per_point},
            "predictors": [axis.to_dict() for axis in self.axes],
            "outcomes": [
                {
                    "kind": outcome.kind,
                    "label": outcome.label,
                    "at": outcome.at,
                    "baseline_survival": outcome.baseline,
                    "ticks": [{"probability": tick.value, "total_points": tick.points} for tick in self.marks(outcome)],
                }
                for outcome in self.outcomes
            ],
            "names": {column: [[key, text] for key, text in names.items()] for column, names in self.names.items()},
            "model": self.predictor.to_dict(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The nomogram that ``to_dict`` wrote; ``model``, ``outcomes``, labels, units and names count, points follow.

        Raises:
            ValueError: another format.
        """
        if content.get("format") != FORMAT:
            message = f"A nomogram has the format {FORMAT!r}; got {content.get('format')!r}: write it anew."
            raise StatisticsError(message)
        outcomes = [
            Outcome(label=item["label"], at=item["at"], baseline=item["baseline_survival"])
            for item in content["outcomes"]
        ]
        axes = content["predictors"]
        return cls(
            predictor=LinearPredictor.from_dict(content["model"]),
            outcomes=tuple(outcomes),
            labels={axis["column"]: axis["label"] for axis in axes if axis["label"] != axis["column"]},
            units={axis["column"]: axis["unit"] for axis in axes if axis["unit"]},
            names={column: dict(pairs) for column, pairs in content["names"].items()},
        )


def _refuse_outcomes(outcomes: tuple[Outcome, ...]) -> None:
    labels = [outcome.label for outcome in outcomes]
    if not labels or len(set(labels)) < len(labels):
        message = f"A nomogram needs outcomes with different labels; got {labels}: name each."
        raise StatisticsError(message)


def _refuse_range(term: Term) -> None:
    if term.column == TOTAL:
        message = f"A predictor may not be called {TOTAL!r}, as the sum of points is: rename the column."
        raise StatisticsError(message)
    if term.levels is None and not term.low < term.high:
        message = (
            f"Predictor {term.column!r} goes from {term.low:g} to {term.high:g}: its axis needs a range; "
            "set low and high to those of the training patients, or leave it out."
        )
        raise StatisticsError(message)


def _refuse_names(term: Term, names: Mapping[Any, str]) -> None:
    for value in names:
        known = value in term.levels if term.levels is not None else term.low <= value <= term.high
        if not known:
            has = ", ".join(term.levels) if term.levels is not None else f"{term.low:g} to {term.high:g}"
            message = f"Predictor {term.column!r} has no value {value!r} to be named: it has {has}."
            raise StatisticsError(message)


def _line(predictor: LinearPredictor, digits: int) -> str:
    line = _number(predictor.intercept, digits)
    for term in predictor.terms:
        name = term.column if term.column.isidentifier() else f"[{term.column}]"
        if term.levels is None:
            parts = [(term.coefficients[0], name)]
        else:
            quoted = [level.replace('"', '""') for level in term.levels[1:]]
            tests = [f'({name}="{level}")' for level in quoted]
            parts = list(zip(term.coefficients, tests, strict=True))
        for coefficient, what in parts:
            line += f" {'-' if coefficient < 0 else '+'} {_number(abs(coefficient), digits)}*{what}"
    return line


def _number(value: float, digits: int) -> str:
    shortest = repr(float(value)).removesuffix(".0")
    shown = f"{value:.{digits}g}"
    return shortest if float(shown) == value and len(shortest) <= len(shown) else shown
