"""Agreement of two measurements in their own units: Bland and Altman's limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Floats, Interval, check_level, check_same_patients, plain
from glottis.evaluation.limits import z_of


@dataclass(frozen=True)
class BlandAltman:
    """Differences of two measurements, first less second.

    Attributes:
        bias: mean difference.
        lower: lower limit of agreement, below which few differences lie.
        upper: upper limit of agreement.
        sd: standard deviation of the differences.
        proportional: slope of the difference on the mean of both; away from 0 the bias grows with the size.
        proportional_p_value: of that slope; None where it is undefined.
        means: (n,) mean of both, for the plot.
        differences: (n,) for the plot.
        n: patients.
        n_left_out: patients with a measurement that is not finite.
    """

    bias: Interval
    lower: Interval
    upper: Interval
    sd: float
    proportional: Interval
    proportional_p_value: float | None
    means: Floats
    differences: Floats
    n: int
    n_left_out: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def bland_altman(first: ArrayLike, second: ArrayLike, *, share: float = 0.95, level: float = 0.95) -> BlandAltman:
    """Bias and limits of agreement (Bland and Altman 1986), with intervals (1999) by Student's t.

    Args:
        first: (n,) first measurement.
        second: (n,) second measurement of the same patients, in the same units.
        share: share of differences that the limits are to hold.
        level: confidence level of bias and limits.

    Raises:
        ValueError: different patients, or fewer than 3 with both measurements.

    >>> bland_altman([1, 2, 3, 5], [1, 1, 3, 4]).bias.value
    0.5
    """
    check_level(level)
    check_level(share)
    check_same_patients({"the first measurement": first, "the second measurement": second})
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    known = np.isfinite(one) & np.isfinite(two)
    if one.ndim != 1 or known.sum() < 3:
        message = (
            f"Limits of agreement need at least 3 patients with both measurements; got {int(known.sum())} in the shape "
            f"{one.shape}: give two lists of one measurement."
        )
        raise StatisticsError(message)
    difference, mean = (one - two)[known], ((one + two) / 2)[known]
    n, bias, sd = difference.size, float(difference.mean()), float(difference.std(ddof=1))
    width = z_of(share)
    error_of_limit = sd * math.sqrt(1 / n + width**2 / (2 * (n - 1)))
    slope, p = _slope(mean, difference, level)
    return BlandAltman(
        bias=_t(bias, sd / math.sqrt(n), n - 1, level),
        lower=_t(bias - width * sd, error_of_limit, n - 1, level),
        upper=_t(bias + width * sd, error_of_limit, n - 1, level),
        sd=sd,
        proportional=slope,
        proportional_p_value=p,
        means=mean,
        differences=difference,
        n=n,
        n_left_out=int((~known).sum()),
    )


def _t(value: float, se: float, df: int, level: float) -> Interval:
    half = float(stats.t.ppf((1 + level) / 2, df)) * se
    return Interval(value, value - half, value + half, f"t with {df} degrees of freedom", level)


def _slope(mean: Floats, difference: Floats, level: float) -> tuple[Interval, float | None]:
    if np.ptp(mean) == 0 or np.ptp(difference) == 0:
        why = "not estimable: the means or the differences are all equal"
        return Interval(None, None, None, "least squares", level, why), None
    fit = stats.linregress(mean, difference)
    return _t(float(fit.slope), float(fit.stderr), mean.size - 2, level), float(fit.pvalue)
