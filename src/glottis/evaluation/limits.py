"""Limits of an estimate from its standard error: as it is, on the logit scale, or on the log scale."""

from __future__ import annotations

import math

from scipy import stats

from glottis.evaluation.interval import Interval

LARGEST_EXPONENT = 709.0  # JSON has no infinity


def z_of(level: float) -> float:
    """Standard errors from an estimate to each of its limits; 1.96 for 0.95."""
    return float(stats.norm.ppf((1 + level) / 2))


def wald_limits(
    value: float,
    se: float | None,
    level: float,
    method: str,
    note: str = "",
    *,
    within: tuple[float, float] = (0.0, 1.0),
) -> Interval:
    """Estimate plus and minus a multiple of its standard error, cut where the scale ends; no limits without one."""
    if se is None:
        return Interval(value, None, None, method, level, note)
    half = z_of(level) * se
    return Interval(value, max(within[0], value - half), min(within[1], value + half), method, level, note)


def logit_limits(value: float, se: float | None, level: float, method: str, note: str = "") -> Interval:
    """The same on the logit scale, where limits stay inside 0 and 1; ``value`` must lie inside them."""
    if se is None:
        return Interval(value, None, None, method, level, note)
    half = z_of(level) * se / (value * (1 - value))
    middle = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-(middle + side * half))) for side in (-1, 1))
    return Interval(value, low, high, method, level, note)


def ratio_limits(log_ratio: float, se: float, level: float, method: str) -> Interval:
    """A ratio from its logarithm and the standard error of that, each at most the largest number."""
    half = z_of(level) * se
    value, low, high = (math.exp(min(log_ratio + shift, LARGEST_EXPONENT)) for shift in (0.0, -half, half))
    return Interval(value, low, high, method, level)
