"""The 2x2 table at a cut-off, and every metric that follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import ArrayLike
from statsmodels.stats.proportion import proportion_confint

from glottis.evaluation.interval import Interval, check_level, check_scores

ProportionMethod = Literal["wilson", "clopper-pearson"]
_STATSMODELS_NAMES = {"wilson": "wilson", "clopper-pearson": "beta"}
_REPORT_NAMES = {"wilson": "Wilson", "clopper-pearson": "Clopper-Pearson"}


@dataclass(frozen=True)
class ConfusionMetrics:
    """The 2x2 table at a threshold and what follows from it, each with its interval.

    Attributes:
        threshold: positive when the score is at least this.
        tp: true positives.
        fp: false positives.
        fn: false negatives.
        tn: true negatives.
        accuracy: (tp + tn) / n.
        sensitivity: tp / (tp + fn).
        specificity: tn / (tn + fp).
        ppv: tp / (tp + fp).
        npv: tn / (tn + fn).
        f1: 2 tp / (2 tp + fp + fn).
    """

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    accuracy: Interval
    sensitivity: Interval
    specificity: Interval
    ppv: Interval
    npv: Interval
    f1: Interval

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {key: item.to_dict() if isinstance(item, Interval) else item for key, item in vars(self).items()}


def confusion_metrics(
    y_true: ArrayLike,
    y_score: ArrayLike,
    threshold: float,
    *,
    level: float = 0.95,
    method: ProportionMethod = "wilson",
) -> ConfusionMetrics:
    """The 2x2 table at a threshold and its metrics; positive when ``y_score >= threshold``.

    F1 is 2 J / (1 + J) with J = tp / (tp + fp + fn), a plain proportion of the patients that are not true negatives:
    its limits are those of J, transformed.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) score, higher for class 1.
        threshold: chosen elsewhere, on training scores.
        level: confidence level.
        method: "wilson" or "clopper-pearson".

    Returns:
        Counts and intervals; an undefined metric (0/0) has the value None and says why.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths, an unknown method, a threshold of nan.
    """
    truth, score = check_scores(y_true, y_score)
    check_level(level)
    if method not in _STATSMODELS_NAMES:
        message = f"Unknown interval method {method!r}: use {' or '.join(map(repr, _STATSMODELS_NAMES))}."
        raise ValueError(message)
    if math.isnan(threshold):
        message = "The threshold is nan: give the cut-off that was chosen on the training scores."
        raise ValueError(message)
    called = score >= threshold
    tp, fp = int((called & truth).sum()), int((called & ~truth).sum())
    fn, tn = int((~called & truth).sum()), int((~called & ~truth).sum())
    return ConfusionMetrics(
        threshold=float(threshold),
        tp=tp,
        fp=fp,
        fn=fn,
        tn=tn,
        accuracy=proportion(tp + tn, truth.size, level=level, method=method),
        sensitivity=proportion(tp, tp + fn, level=level, method=method),
        specificity=proportion(tn, tn + fp, level=level, method=method),
        ppv=proportion(tp, tp + fp, level=level, method=method, empty="nobody was called positive"),
        npv=proportion(tn, tn + fn, level=level, method=method, empty="nobody was called negative"),
        f1=_f1(proportion(tp, tp + fp + fn, level=level, method=method)),
    )


def proportion(
    count: int, total: int, *, level: float = 0.95, method: ProportionMethod = "wilson", empty: str = "no patient"
) -> Interval:
    """A proportion with its interval; value None and ``undefined (0/0): ...`` where ``total`` is 0."""
    name = _REPORT_NAMES[method]
    if total == 0:
        return Interval(None, None, None, name, level, f"undefined (0/0): {empty}")
    low, high = proportion_confint(count, total, alpha=1 - level, method=_STATSMODELS_NAMES[method])
    return Interval(count / total, max(0.0, float(low)), min(1.0, float(high)), name, level)


def _f1(jaccard: Interval) -> Interval:
    value, low, high = (
        None if item is None else 2 * item / (1 + item) for item in (jaccard.value, jaccard.low, jaccard.high)
    )
    return Interval(value, low, high, f"{jaccard.method} of tp/(tp+fp+fn), transformed", jaccard.level, jaccard.note)
