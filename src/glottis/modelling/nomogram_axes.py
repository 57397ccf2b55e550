"""The axes of a nomogram: what a value, or a probability, is worth in points."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Floats
from glottis.modelling.terms import Term

MOST_STEPS = 10
FEWEST_PROBABILITIES = 3
PROBABILITIES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
_WHOLE_POWERS = range(-12, 16)


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A mark of an axis.

    Attributes:
        value: number, level, or probability.
        text: what is printed there.
        points: where it stands: points of a predictor, total points of a probability.
    """

    value: float | str
    text: str
    points: float


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A predictor's axis.

    Attributes:
        term: what it adds to the linear predictor.
        label: printed name.
        unit: of a number; empty for levels.
        per_point: linear predictor of one point.
        names: printed names of levels, or of the only numbers that are marked.
    """

    term: Term
    label: str
    unit: str
    per_point: float
    names: Mapping[Any, str]

    @property
    def least(self) -> float:
        """What the value with 0 points adds to the linear predictor."""
        return extent(self.term)[0]

    @property
    def most_points(self) -> float:
        """Points of the worst value within the range, at most 100."""
        low, high = extent(self.term)
        return (high - low) / self.per_point

    def points(self, added: ArrayLike) -> Floats:
        """Points of what a value adds to the linear predictor; below 0 or above `most_points` outside the range."""
        return np.asarray((np.asarray(added, dtype=np.float64) - self.least) / self.per_point)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Every level, or round numbers within the range of a number."""
        if self.term.levels is not None:
            added = (0.0, *self.term.coefficients)
            pairs = zip(self.term.levels, self.points(added).tolist(), strict=True)
            return tuple(Tick(value=level, text=self.names.get(level, level), points=points) for level, points in pairs)
        values = sorted(self.names) if self.names else round_numbers(self.term.low, self.term.high)
        texts = [self.names[value] for value in values] if self.names else number_texts(values)
        at = self.points(np.array(values) * self.term.coefficients[0]).tolist()
        return tuple(
            Tick(value=float(value), text=text, points=points)
            for value, text, points in zip(values, texts, at, strict=True)
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, from which the points of any value follow."""
        term, ticks = self.term, self.ticks
        shared = {"column": term.column, "label": self.label, "unit": self.unit, "if_missing": term.fill}
        if term.levels is not None:
            return {"kind": "levels", **shared, "points": {str(tick.value): tick.points for tick in ticks}}
        slope = term.coefficients[0]
        return {
            "kind": "number",
            **shared,
            "low": term.low,
            "high": term.high,
            "points_per_unit": slope / self.per_point,
            "points_are_0_at": term.low if slope >= 0 else term.high,
            "ticks": [{"value": tick.value, "text": tick.text, "points": tick.points} for tick in ticks],
        }


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the total points tell.

    Attributes:
        label: printed name.
        at: time of a survival probability; ``None`` for the probability of an event by logistic regression.
        baseline: survival at that time of a patient with linear predictor 0.

    >>> Outcome(label="3-year survival", at=3, baseline=0.8).probability([0.0, 1.0]).round(3).tolist()
    [0.8, 0.545]
    """

    label: str = "Probability of the event"
    at: float | None = None
    baseline: float | None = None

    def __post_init__(self) -> None:
        """Refuse a survival that says nothing."""
        if (self.at is None) != (self.baseline is None):
            message = f"Outcome {self.label!r} needs both a time and its baseline survival, or neither: give the other."
            raise StatisticsError(message)
        if self.baseline is not None and not 0 < self.baseline < 1:
            message = (
                f"Baseline survival of {self.label!r} must lie between 0 and 1; got {self.baseline:g}: "
                "name a time between the first event and the last."
            )
            raise StatisticsError(message)

    @property
    def kind(self) -> Literal["logistic", "survival"]:
        """Which formula leads from the linear predictor to the probability."""
        return "logistic" if self.baseline is None else "survival"

    def probability(self, linear_predictor: ArrayLike) -> Floats:
        """Probability of the event, or of survival, at a linear predictor."""
        x = np.asarray(linear_predictor, dtype=np.float64)
        if self.baseline is None:
            return np.asarray(expit(x))
        with np.errstate(over="ignore"):  # beyond e^709 nobody survives
            return np.asarray(np.exp(math.log(self.baseline) * np.exp(x)))

    def linear_predictor(self, probability: float) -> float:
        """Where the probability is so high; the inverse of `probability`."""
        if self.baseline is None:
            return math.log(probability) - math.log1p(-probability)
        return math.log(math.log(probability) / math.log(self.baseline))

    def marks(self, low: float, high: float) -> list[float]:
        """Probabilities to mark between two linear predictors: the usual ones, or round numbers where few are usual."""
        least, most = sorted(self.probability([low, high]).tolist())
        usual = [p for p in PROBABILITIES if least <= p <= most]
        if len(usual) >= FEWEST_PROBABILITIES:
            return usual
        return [p for p in round_numbers(least, most) if 0 < p < 1]


def extent(term: Term) -> tuple[float, float]:
    """Least and most that a term adds within its range."""
    if term.levels is not None:
        added = (0.0, *term.coefficients)
    else:
        added = (term.low * term.coefficients[0], term.high * term.coefficients[0])
    return min(added), max(added)


def round_numbers(low: float, high: float, most: int = MOST_STEPS) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within ``low`` to ``high``, with as many steps as ``most`` allows."""
    for power in _WHOLE_POWERS:
        for factor in (1, 2, 5):
            step = factor * 10.0**power
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first <= most:
                return [round(number * step, max(0, -power)) for number in range(first, last + 1)]
    return [low, high]


def number_texts(values: list[float]) -> list[str]:
    """Numbers with as many decimals as the finest of them needs."""
    if any(value and not 1e-4 <= abs(value) < 1e6 for value in values):
        return [f"{value:g}" for value in values]
    decimals = max((len(f"{value:.10g}".partition(".")[2]) for value in values), default=0)
    return [f"{value:.{decimals}f}" for value in values]
