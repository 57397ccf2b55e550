"""How well a score tells two classes apart: AUC with its intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Bools, Floats, Interval, check_level, check_scores, plain
from glottis.evaluation.limits import logit_limits, wald_limits
from glottis.evaluation.placements import placements, variance_of_mean

MINIMUM_PER_CLASS = 5
LOGIT_DELONG = "DeLong on the logit scale"
DELONG = "DeLong"
HANLEY_MCNEIL = "Hanley and McNeil 1982"


@dataclass(frozen=True)
class AUC:
    """Area under the ROC curve of a held-out set.

    Attributes:
        value: the area; 0.5 is chance, 1 is perfect.
        se: DeLong's standard error; None where it is not estimable.
        interval: logit-DeLong, the default.
        delong: plain DeLong, for comparison with papers.
        n_positive: patients of class 1.
        n_negative: patients of class 0.
        note: why no interval is honest, the limits are None then; empty otherwise.
    """

    value: float
    se: float | None
    interval: Interval
    delong: Interval
    n_positive: int
    n_negative: int
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def roc_auc(y_true: ArrayLike, y_score: ArrayLike, *, level: float = 0.95) -> AUC:
    """AUC of held-out scores with its intervals.

    The variance is DeLong's (1988) in O(n log n) by midranks (Sun and Xu 2014). It holds for held-out patients only:
    for scores pooled over cross-validation folds use `cross_validated_auc`.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) score, higher for class 1.
        level: confidence level.

    Returns:
        The area; without limits at 0 or 1, with fewer than 5 patients in a class, or when the variance is 0.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths.

    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value
    0.75
    """
    truth, score = check_scores(y_true, y_score)
    check_level(level)
    of_positives, of_negatives = placements(truth, score)
    value = float(of_positives.mean())
    variance = variance_of_mean(of_positives) + variance_of_mean(of_negatives)
    note = why_not_estimable(value, variance, min(of_positives.size, of_negatives.size))
    se = None if note else math.sqrt(variance)
    return AUC(
        value=value,
        se=se,
        interval=logit_limits(value, se, level, LOGIT_DELONG, note),
        delong=wald_limits(value, se, level, DELONG, note),
        n_positive=of_positives.size,
        n_negative=of_negatives.size,
        note=note,
    )


def area(truth: Bools, score: Floats) -> float:
    """AUC alone, ties counted half; the caller has checked that both classes are there."""
    n_positive = int(truth.sum())
    ranks = stats.rankdata(score)[truth].sum()
    return float((ranks - n_positive * (n_positive + 1) / 2) / (n_positive * (truth.size - n_positive)))


def why_not_estimable(value: float, variance: float, smaller_class: int) -> str:
    """Why no interval of an AUC is honest; empty where one is."""
    if value in (0.0, 1.0):
        return f"not estimable: the classes are separated completely (AUC {value:g})"
    if smaller_class < MINIMUM_PER_CLASS:
        return f"not estimable: {smaller_class} patients in the smaller class, {MINIMUM_PER_CLASS} are needed"
    return "" if variance > 0 else "not estimable: the scores do not vary within the classes"


def hanley_mcneil_se(value: float, n_positive: float, n_negative: float) -> float:
    """Standard error of an AUC from its value and the class sizes alone (Hanley and McNeil 1982, equations 1 and 2).

    Args:
        value: the AUC, 0 to 1.
        n_positive: patients of class 1.
        n_negative: patients of class 0.

    Raises:
        ValueError: an AUC outside 0 to 1, or an empty class.

    >>> round(hanley_mcneil_se(0.821, 52, 45), 4)
    0.0424
    """
    if not 0 <= value <= 1 or min(n_positive, n_negative) < 1:
        message = (
            f"An AUC lies between 0 and 1 and each class holds a patient; got {value:g} with {n_positive:g} and "
            f"{n_negative:g} patients: check the three numbers."
        )
        raise StatisticsError(message)
    two_positives, two_negatives = value / (2 - value), 2 * value**2 / (1 + value)
    spread = value * (1 - value)
    spread += (n_positive - 1) * (two_positives - value**2) + (n_negative - 1) * (two_negatives - value**2)
    return math.sqrt(max(spread, 0.0) / (n_positive * n_negative))


def hanley_mcneil_ci(y_true: ArrayLike, y_score: ArrayLike, *, level: float = 0.95) -> Interval:
    """AUC with the interval of Hanley and McNeil (1982), for comparison with papers that print it.

    Its standard error assumes exponential scores; `roc_auc` makes no such assumption.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) score, higher for class 1.
        level: confidence level.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths.
    """
    truth, score = check_scores(y_true, y_score)
    check_level(level)
    value, n_positive = area(truth, score), int(truth.sum())
    smaller = min(n_positive, truth.size - n_positive)
    note = why_not_estimable(value, 1.0, smaller)
    se = None if note else hanley_mcneil_se(value, n_positive, truth.size - n_positive)
    return wald_limits(value, se, level, HANLEY_MCNEIL, note)
