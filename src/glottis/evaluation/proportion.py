"""Confidence intervals of a proportion, by every method that papers print."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from statsmodels.stats.proportion import proportion_confint

from glottis.evaluation.interval import Interval
from glottis.evaluation.limits import z_of

ProportionMethod = Literal["wilson", "clopper-pearson"]
NAMES = {"wilson": "Wilson", "clopper-pearson": "Clopper-Pearson"}
STATSMODELS = {
    "Wilson": "wilson",
    "Clopper-Pearson": "beta",
    "Wald": "normal",
    "Agresti-Coull": "agresti_coull",
    "Jeffreys": "jeffreys",
}
WILSON_CORRECTED = "Wilson with continuity correction"
METHODS = (*STATSMODELS, WILSON_CORRECTED)


def limits_of_proportion(count: int, total: int, method: str, level: float = 0.95) -> tuple[float, float]:
    """Limits of a proportion, cut at 0 and 1, by one of `METHODS`.

    >>> [round(limit, 3) for limit in limits_of_proportion(40, 52, "Wilson")]
    [0.639, 0.863]
    """
    if method == WILSON_CORRECTED:
        low, high = _corrected(count, total, level)
    else:
        low, high = proportion_confint(count, total, alpha=1 - level, method=STATSMODELS[method])
    return max(0.0, float(low)), min(1.0, float(high))


def _corrected(count: int, total: int, level: float) -> tuple[float, float]:
    """Newcombe 1998, method 4; R's prop.test."""
    z, p = z_of(level), count / total
    middle, below = 2 * total * p + z * z, 2 * (total + z * z)
    inner = [z * z + side * 2 - 1 / total + 4 * p * (total * (1 - p) - side) for side in (-1, 1)]
    low = 0.0 if count == 0 else (middle - 1 - z * math.sqrt(max(0.0, inner[0]))) / below
    high = 1.0 if count == total else (middle + 1 + z * math.sqrt(max(0.0, inner[1]))) / below
    return low, high


def proportion(
    count: int, total: int, *, level: float = 0.95, method: ProportionMethod = "wilson", empty: str = "no patient"
) -> Interval:
    """A proportion with its interval; value None and ``undefined (0/0): ...`` where ``total`` is 0."""
    name = NAMES[method]
    if total == 0:
        return Interval(None, None, None, name, level, f"undefined (0/0): {empty}")
    return Interval(count / total, *limits_of_proportion(count, total, name, level), name, level)


def transformed(interval: Interval, function: Callable[[float], float], how: str) -> Interval:
    """The interval of a rising function of an estimate: value and limits, each transformed."""
    value, low, high = (
        None if item is None else function(item) for item in (interval.value, interval.low, interval.high)
    )
    return Interval(value, low, high, f"{interval.method} {how}", interval.level, interval.note)
