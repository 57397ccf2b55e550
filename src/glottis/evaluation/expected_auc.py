"""What an AUC that is expected implies: the width of its interval, and the R-squared that goes with it."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.discrimination import hanley_mcneil_se
from glottis.evaluation.interval import Interval, check_level
from glottis.evaluation.limits import logit_limits
from glottis.evaluation.planned_outcome import inside

EXPECTED = "expected: Hanley-McNeil standard error, logit scale"


def expected_auc_interval(auc: float, n_positive: int, n_negative: int, *, level: float = 0.95) -> Interval:
    """Interval to expect around an AUC in a test set of given size (Hanley and McNeil 1982, on the logit scale).

    Args:
        auc: the AUC to expect, between 0.5 and 1.
        n_positive: patients of class 1.
        n_negative: patients of class 0.
        level: confidence level.

    Raises:
        ValueError: an AUC outside 0.5 to 1, or a class without patients.

    >>> interval = expected_auc_interval(0.85, 52, 45)
    >>> round(interval.high - interval.low, 3)
    0.155
    """
    check_level(level)
    check_auc(auc)
    if min(n_positive, n_negative) < 1:
        message = f"Both classes need patients; got {n_positive} and {n_negative}: give the sizes of the test set."
        raise StatisticsError(message)
    return logit_limits(auc, hanley_mcneil_se(auc, n_positive, n_negative), level, EXPECTED)


def r_squared_from_auc(auc: float, prevalence: float) -> float:
    """Cox-Snell R-squared of a score that is normal with equal variance in both classes (Riley et al. 2021).

    The paper simulates a million patients; this integrates.

    >>> round(r_squared_from_auc(0.89, 0.174), 3)
    0.291
    """
    check_auc(auc)
    share = inside("prevalence", prevalence)
    apart = math.sqrt(2) * float(stats.norm.ppf(auc))
    x = np.linspace(-12, 12 + apart, 20_001)
    odds = math.log(share / (1 - share)) + apart * x - apart**2 / 2
    gain = share * stats.norm.pdf(x - apart) * -np.logaddexp(0, -odds)
    gain += (1 - share) * stats.norm.pdf(x) * -np.logaddexp(0, odds)
    null = share * math.log(share) + (1 - share) * math.log(1 - share)
    return float(1 - math.exp(-2 * (float(np.trapezoid(gain, x)) - null)))


def check_auc(auc: float) -> None:
    """Refuse an AUC that is chance, worse, or perfect.

    Raises:
        ValueError: it is not between 0.5 and 1.
    """
    if not 0.5 < auc < 1:
        message = f"The expected AUC lies between 0.5 and 1; got {auc}."
        raise StatisticsError(message)
