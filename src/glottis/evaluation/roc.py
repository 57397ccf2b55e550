"""The ROC curve, and a confidence band around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import metrics

from glottis.evaluation.bootstrap import BOOTSTRAP, check_resamples, resampled
from glottis.evaluation.discrimination import roc_auc
from glottis.evaluation.interval import Bools, Floats, Interval, check_scores, plain

BAND_AT = np.arange(101) / 100
NO_BAND = "no band was asked for"


@dataclass(frozen=True)
class RocCurve:
    """Corners of the ROC curve, from nobody positive to everybody positive.

    Attributes:
        false_positive_rate: 1 - specificity at each cut-off.
        sensitivity: true positive rate at each cut-off.
        thresholds: positive when the score is at least this; the first is infinite (nobody is positive).
        auc: area under it, as `roc_auc` gives it.
        band_at: (101,) false positive rates of the band, 0 to 1; empty without one.
        band_low: (101,) lower limit of the sensitivity there, at each rate alone.
        band_high: (101,) upper limit.
        band_method: how the band was made; empty without one.
        band_note: why there is no band; empty otherwise.
    """

    false_positive_rate: Floats
    sensitivity: Floats
    thresholds: Floats
    auc: Interval
    band_at: Floats
    band_low: Floats
    band_high: Floats
    band_method: str
    band_note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the infinite first threshold is None."""
        return dict(plain(self))


def roc_curve(
    y_true: ArrayLike, y_score: ArrayLike, *, level: float = 0.95, n_resamples: int = 0, random_state: int = 0
) -> RocCurve:
    """Corners of the ROC curve (collinear points left out), with a band if wanted.

    The band holds the percentiles of the sensitivity at each false positive rate, resampled within each class, as
    pROC's ``ci.se``: between corners the curve is straight, and on a vertical stretch its upper end counts.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) score, higher for class 1.
        level: confidence level.
        n_resamples: resamples of the band, 0 for none; 2000 is usual.
        random_state: seed.

    Returns:
        The curve; without a band where `roc_auc` gives no interval.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths, 1 to 99 resamples.
    """
    truth, score = check_scores(y_true, y_score)
    auc = roc_auc(truth, score, level=level)
    low = high = np.empty(0)
    note = auc.note if n_resamples else NO_BAND
    if n_resamples:
        check_resamples(n_resamples)
    if not note:
        low, high = _band(truth, score, level, n_resamples, random_state)
    false_positive_rate, sensitivity, thresholds = metrics.roc_curve(truth, score)
    return RocCurve(
        false_positive_rate=false_positive_rate,
        sensitivity=sensitivity,
        thresholds=thresholds,
        auc=auc.interval,
        band_at=np.empty(0) if note else BAND_AT.copy(),
        band_low=low,
        band_high=high,
        band_method="" if note else f"{BOOTSTRAP} ({n_resamples} resamples)",
        band_note=note,
    )


def _band(truth: Bools, score: Floats, level: float, n_resamples: int, random_state: int) -> tuple[Floats, Floats]:
    level_of = np.unique(-score, return_inverse=True)[1]
    parts = resampled(level_of, truth, int(level_of.max()) + 1, n_resamples, random_state)
    drawn = np.concatenate([sensitivities(*counts) for counts in parts])
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def sensitivities(positives: Floats, negatives: Floats) -> Floats:
    """(resamples, 101) sensitivity at each rate of the band, from the counts at each score, highest first."""
    up, along = (np.pad(np.cumsum(counts, axis=1), ((0, 0), (1, 0))) for counts in (positives, negatives))
    up, along = up / up[:, -1:], along / along[:, -1:]
    return np.array([np.interp(BAND_AT, x, y) for x, y in zip(along, up, strict=True)])
