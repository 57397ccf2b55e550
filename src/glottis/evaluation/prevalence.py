"""What a cut-off means for the patients of another prevalence: predictive values, missed and over-treated patients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike
from scipy.special import expit, logit

from glottis._errors import StatisticsError
from glottis.evaluation.confusion import confusion_metrics
from glottis.evaluation.interval import Interval, plain
from glottis.evaluation.limits import z_of
from glottis.evaluation.proportion import transformed

MERCALDO = "logit, Mercaldo 2007"


@dataclass(frozen=True)
class PredictiveValues:
    """Predictive values at a stated prevalence, and what they mean for 100 patients.

    Attributes:
        threshold: positive when the score is at least this.
        prevalence: as stated, not that of the set.
        ppv: chance of disease after a positive call.
        npv: chance of no disease after a negative call.
        missed_per_100: patients with the disease whom the cut-off calls negative, of 100 patients.
        over_treated_per_100: patients without it whom the cut-off calls positive, of 100 patients.
    """

    threshold: float
    prevalence: float
    ppv: Interval
    npv: Interval
    missed_per_100: Interval
    over_treated_per_100: Interval

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def predictive_values(
    y_true: ArrayLike, y_score: ArrayLike, threshold: float, *, prevalence: float, level: float = 0.95
) -> PredictiveValues:
    """Predictive values at a prevalence that the study did not have, as after case-control sampling.

    Sensitivity and specificity are those of the patients given and are taken to hold at the stated prevalence, which
    is taken as known. Limits of the predictive values lie on the logit scale (Mercaldo, Lau and Zhou 2007); the
    numbers per 100 are Wilson's limits of sensitivity and specificity, transformed.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) score, higher for class 1.
        threshold: chosen elsewhere, on training scores.
        prevalence: share of patients with the disease where the cut-off is to be used, between 0 and 1.
        level: confidence level.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths, a prevalence outside (0, 1).

    >>> predictive_values([1, 1, 0, 0], [3, 1, 2, 0], 2, prevalence=0.5).ppv.value
    0.5
    """
    if not 0 < prevalence < 1:
        message = f"A prevalence lies between 0 and 1; got {prevalence}: give 0.15 for 15 of 100 patients."
        raise StatisticsError(message)
    table = confusion_metrics(y_true, y_score, threshold, level=level)
    sick, well = table.tp + table.fn, table.fp + table.tn
    return PredictiveValues(
        threshold=table.threshold,
        prevalence=prevalence,
        ppv=_predictive(table.tp, sick, table.fp, well, prevalence, level),
        npv=_predictive(table.tn, well, table.fn, sick, 1 - prevalence, level),
        missed_per_100=_per_100(table.sensitivity, prevalence),
        over_treated_per_100=_per_100(table.specificity, 1 - prevalence),
    )


def _predictive(right: int, n_right: int, wrong: int, n_wrong: int, prevalence: float, level: float) -> Interval:
    """Chance that a call is right: odds = odds of the prevalence times (right / n_right) / (wrong / n_wrong)."""
    if right + wrong == 0:
        return Interval(None, None, None, MERCALDO, level, "undefined (0/0): nobody was called so")
    if right == 0 or wrong == 0:
        return Interval(float(wrong == 0), None, None, MERCALDO, level, "no limits: a cell is empty")
    middle = float(logit(prevalence)) + math.log(right * n_wrong / (wrong * n_right))
    variance = 1 / right - 1 / n_right + 1 / wrong - 1 / n_wrong
    half = z_of(level) * math.sqrt(variance)
    value, low, high = (float(expit(middle + shift)) for shift in (0, -half, half))
    return Interval(value, low, high, MERCALDO, level)


def _per_100(hit: Interval, share: float) -> Interval:
    """Patients of 100 who are got wrong; the limits change places."""
    wrong = transformed(hit, lambda value: 100 * share * (1 - value), "of the complement, per 100 patients")
    return Interval(wrong.value, wrong.high, wrong.low, wrong.method, wrong.level, wrong.note)
