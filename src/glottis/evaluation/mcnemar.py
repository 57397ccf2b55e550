"""Whether one reader or model is right more often than another on the same patients: McNemar's test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Interval, check_level, check_same_patients, check_scores, plain
from glottis.evaluation.limits import z_of

McNemarMethod = Literal["exact", "corrected"]
Among = Literal["all", "positives", "negatives"]
BONETT_PRICE = "adjusted Wald for paired proportions (Bonett and Price 2012)"


@dataclass(frozen=True)
class McNemar:
    """Two raters' calls against the truth, paired.

    Attributes:
        both_right: patients whom both call right.
        first_only: patients whom the first alone calls right.
        second_only: patients whom the second alone calls right.
        both_wrong: patients whom both call wrong.
        difference: share right of the first less that of the second: accuracy, sensitivity or specificity.
        statistic: chi-square with correction; None for the exact test.
        p_value: two-sided.
        method: which of the two tests.
        among: patients who count.
    """

    both_right: int
    first_only: int
    second_only: int
    both_wrong: int
    difference: Interval
    statistic: float | None
    p_value: float
    method: str
    among: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def mcnemar_test(
    y_true: ArrayLike,
    called_first: ArrayLike,
    called_second: ArrayLike,
    *,
    method: McNemarMethod = "exact",
    among: Among = "all",
    level: float = 0.95,
) -> McNemar:
    """McNemar's test of two sets of calls on the same patients.

    Exact: binomial over the patients on whom they disagree. Corrected: chi-square with Edwards' correction, 0 where
    the disagreements balance, as R has it.

    Args:
        y_true: (n,) outcome, 0 or 1.
        called_first: (n,) calls of the first, 0 or 1.
        called_second: (n,) calls of the second, 0 or 1.
        method: "exact" or "corrected".
        among: "all" compares accuracies, "positives" sensitivities, "negatives" specificities.
        level: confidence level of the difference.

    Raises:
        ValueError: one class, a call other than 0 or 1, different patients, an unknown method.

    >>> mcnemar_test([1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0]).p_value
    0.0625
    """
    check_level(level)
    if method not in get_args(McNemarMethod) or among not in get_args(Among):
        message = (
            f"Unknown McNemar test {method!r} among {among!r}: use 'exact' or 'corrected', among 'all', 'positives' "
            "or 'negatives'."
        )
        raise StatisticsError(message)
    check_same_patients({"the outcome": y_true, "the first calls": called_first, "the second calls": called_second})
    truth, first = check_scores(y_true, called_first)
    second = check_scores(y_true, called_second)[1]
    for name, calls in (("first", first), ("second", second)):
        if not np.isin(calls, (0, 1)).all():
            message = f"The {name} calls must be 0 or 1; got {calls.min():g} to {calls.max():g}: apply the cut-off."
            raise StatisticsError(message)
    counted = {"all": np.ones_like(truth), "positives": truth, "negatives": ~truth}[among]
    right, other_right = ((calls == truth)[counted] for calls in (first, second))
    b, c = int((right & ~other_right).sum()), int((~right & other_right).sum())
    statistic, p = mcnemar_chi_square(b, c) if method == "corrected" else (None, exact_mcnemar_p(b, c))
    return McNemar(
        both_right=int((right & other_right).sum()),
        first_only=b,
        second_only=c,
        both_wrong=int((~right & ~other_right).sum()),
        difference=paired_difference(b, c, int(counted.sum()), level),
        statistic=statistic,
        p_value=p,
        method=f"McNemar, {'exact binomial' if method == 'exact' else 'chi-square with continuity correction'}",
        among=among,
    )


def exact_mcnemar_p(b: int, c: int) -> float:
    """Two-sided binomial p of the two counts of disagreement."""
    return min(1.0, 2 * float(stats.binom.cdf(min(b, c), b + c, 0.5)))


def mcnemar_chi_square(b: int, c: int, *, correction: float = 1.0) -> tuple[float, float]:
    """Chi-square of the two counts of disagreement and its p; Edwards' correction is 1, 0 is none."""
    statistic = max(abs(b - c) - correction, 0) ** 2 / (b + c) if b + c else 0.0
    return statistic, float(stats.chi2.sf(statistic, 1))


def paired_difference(first_only: int, second_only: int, n: int, level: float) -> Interval:
    """Difference of two paired proportions; the limits add one patient to each kind of disagreement."""
    value = (first_only - second_only) / n
    p, q = (first_only + 1) / (n + 2), (second_only + 1) / (n + 2)
    half = z_of(level) * math.sqrt((p + q - (p - q) ** 2) / (n + 2))
    return Interval(value, max(-1.0, p - q - half), min(1.0, p - q + half), BONETT_PRICE, level)
