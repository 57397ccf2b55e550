"""Precision and recall: the view of a score for rare outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from glottis.evaluation.bootstrap import of_counts
from glottis.evaluation.interval import Floats, Interval, check_scores, plain
from glottis.evaluation.thresholds import at_or_above


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision (PPV) over recall (sensitivity).

    Attributes:
        average_precision: steps of recall times precision, summed without interpolation; 1 is perfect.
        prevalence: share of class 1, which a score without information reaches.
        recall: (n_scores,) rising.
        precision: (n_scores,) share of true positives among those called positive.
        thresholds: (n_scores,) falling; positive when the score is at least this.
    """

    average_precision: Interval
    prevalence: float
    recall: Floats
    precision: Floats
    thresholds: Floats

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def precision_recall(
    y_true: ArrayLike, y_score: ArrayLike, *, level: float = 0.95, n_resamples: int = 2000, random_state: int = 0
) -> PrecisionRecall:
    """Precision-recall curve with the average precision and its bootstrap interval.

    The classes are resampled apart, so that the interval is that at the prevalence of this set.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) score, higher for class 1.
        level: confidence level.
        n_resamples: number of bootstrap resamples.
        random_state: seed.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths.
    """
    truth, score = check_scores(y_true, y_score)
    levels, positives, negatives = at_or_above(truth, score)
    return PrecisionRecall(
        average_precision=of_counts(
            truth, score, _average_precision, level=level, n_resamples=n_resamples, random_state=random_state
        ),
        prevalence=float(truth.mean()),
        recall=(positives / positives[0])[::-1],
        precision=(positives / (positives + negatives))[::-1],
        thresholds=levels[::-1],
    )


def _average_precision(positives: Floats, negatives: Floats) -> Floats:
    true = np.cumsum(positives, axis=1)
    called = true + np.cumsum(negatives, axis=1)
    precision = np.divide(true, called, out=np.zeros_like(true), where=called > 0)
    return np.asarray((positives * precision).sum(axis=1) / true[:, -1])
