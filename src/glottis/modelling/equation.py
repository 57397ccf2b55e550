"""Logistic regression as an equation that anyone can compute."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression

from glottis._errors import StatisticsError
from glottis.evaluation.interval import plain
from glottis.modelling.scaling import SQUEEZE, LogisticCurve


@dataclass(frozen=True, kw_only=True)
class Equation:
    """The log-odds of class 1 as a sum over the features.

    Attributes:
        columns: names of the features.
        means: what the z-score takes off, in each feature's own units.
        scales: what it divides by.
        intercept: of the z-scored equation.
        coefficients: of the z-scored features: per standard deviation.
        unit_intercept: of the equation in the features' own units.
        unit_coefficients: per unit of each feature.
        recalibration: curve that turns the result into the model's probability; None where there is none.
    """

    columns: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    intercept: float
    coefficients: tuple[float, ...]
    unit_intercept: float
    unit_coefficients: tuple[float, ...]
    recalibration: LogisticCurve | None = None

    def text(self, *, units: bool = True, digits: int | None = None) -> str:
        """The equation in lines, first the log-odds, last the probability.

        Args:
            units: with the features in their own units, otherwise z-scored.
            digits: significant digits to read; None for all that it takes to compute the model's own probability.
        """
        intercept, coefficients = self.unit_intercept, self.unit_coefficients
        if not units:
            intercept, coefficients = self.intercept, self.coefficients
        names = self.columns if units else [f"z({name})" for name in self.columns]
        lines = [f"log-odds = {_number(intercept, digits)}"]
        lines += [_term(value, name, digits) for value, name in zip(coefficients, names, strict=True)]
        if not units:
            lines += [
                f"z({name}) = ({name} - {_number(mean, digits)}) / {_number(scale, digits)}"
                for name, mean, scale in zip(self.columns, self.means, self.scales, strict=True)
            ]
        return "\n".join([*lines, *self._ending(digits)])

    def _ending(self, digits: int | None) -> list[str]:
        curve = self.recalibration
        if curve is None:
            return ["probability = 1 / (1 + exp(-log-odds))"]
        return [
            "score = 1 / (1 + exp(-log-odds))",
            f"drawn in = {SQUEEZE:g} + {1 - 2 * SQUEEZE:g} * score",
            f"recalibrated = {_number(curve.intercept, digits)} + {_number(curve.slope, digits)} * "
            "ln(drawn in / (1 - drawn in))",
            "probability = 1 / (1 + exp(-recalibrated))",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def equation(
    classifier: Any,
    columns: Sequence[str],
    means: ArrayLike,
    scales: ArrayLike,
    *,
    recalibration: LogisticCurve | None = None,
) -> Equation:
    """The equation of a fitted logistic regression on z-scored features.

    Args:
        classifier: fitted `LogisticRegression` of two classes.
        columns: (p,) names of its features, in its order.
        means: (p,) ``mean_`` of the z-score; zeros where there was none.
        scales: (p,) ``scale_`` of the z-score; ones where there was none.
        recalibration: the chain's ``recalibration_``.

    Raises:
        ValueError: another classifier, other than two classes, lengths that differ, a scale that is not above 0.
    """
    if not isinstance(classifier, LogisticRegression) or len(classifier.coef_) != 1:
        message = (
            f"{type(classifier).__name__} has no equation: only a logistic regression of two classes has; use explain."
        )
        raise StatisticsError(message)
    coefficients = np.asarray(classifier.coef_[0], dtype=np.float64)
    mean, scale = np.asarray(means, dtype=np.float64), np.asarray(scales, dtype=np.float64)
    if not (len(columns),) == coefficients.shape == mean.shape == scale.shape:
        message = (
            f"The classifier has {coefficients.size} coefficients; got {len(columns)} names, {mean.size} means and "
            f"{scale.size} scales: give one of each a feature."
        )
        raise StatisticsError(message)
    if not np.isfinite(mean).all() or not (np.isfinite(scale) & (scale > 0)).all():
        message = (
            f"Means must be finite and scales above 0; got a least scale of {scale.min():g}: give the z-score's own."
        )
        raise StatisticsError(message)
    intercept, per_unit = float(classifier.intercept_[0]), coefficients / scale
    return Equation(
        columns=tuple(map(str, columns)),
        means=tuple(mean.tolist()),
        scales=tuple(scale.tolist()),
        intercept=intercept,
        coefficients=tuple(coefficients.tolist()),
        unit_intercept=math.fsum([intercept, *(-per_unit * mean)]),
        unit_coefficients=tuple(per_unit.tolist()),
        recalibration=recalibration,
    )


def _number(value: float, digits: int | None) -> str:
    return repr(value) if digits is None else f"{value:.{digits}g}"


def _term(value: float, name: str, digits: int | None) -> str:
    return f"  {'-' if value < 0 else '+'} {_number(abs(value), digits)} * {name}"
