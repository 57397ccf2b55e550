"""Limits of an estimate that lies between 0 and 1, from its standard error."""

from __future__ import annotations

import math

from scipy import stats

from glottis.evaluation.interval import Interval


def wald_limits(value: float, se: float | None, level: float, method: str, note: str = "") -> Interval:
    """Estimate plus and minus a multiple of its standard error, cut at 0 and 1; no limits without one."""
    if se is None:
        return Interval(value, None, None, method, level, note)
    half = float(stats.norm.ppf((1 + level) / 2)) * se
    return Interval(value, max(0.0, value - half), min(1.0, value + half), method, level, note)


def logit_limits(value: float, se: float | None, level: float, method: str, note: str = "") -> Interval:
    """The same on the logit scale, where limits stay inside 0 and 1; ``value`` must lie inside them."""
    if se is None:
        return Interval(value, None, None, method, level, note)
    half = float(stats.norm.ppf((1 + level) / 2)) * se / (value * (1 - value))
    middle = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-(middle + side * half))) for side in (-1, 1))
    return Interval(value, low, high, method, level, note)
