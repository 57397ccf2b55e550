"""Cut-offs of a score, chosen on training scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from glottis.evaluation.interval import Floats, check_scores


@dataclass(frozen=True)
class Threshold:
    """A cut-off: positive when ``y_score >= value``.

    Attributes:
        value: the cut-off.
        sensitivity: on the scores that it was chosen on.
        specificity: on the scores that it was chosen on.
    """

    value: float
    sensitivity: float
    specificity: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(vars(self))


def youden_threshold(y_true: ArrayLike, y_score: ArrayLike) -> Threshold:
    """The cut-off with the highest sensitivity + specificity (Youden 1950); choose it on training scores.

    Candidates lie half-way between neighbouring scores. Where several are equally good, the one with the smallest
    difference between sensitivity and specificity is taken, and then the one with the higher sensitivity.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) score, higher for class 1.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths.

    >>> youden_threshold([0, 0, 1, 1], [0.0, 0.25, 0.75, 1.0]).value
    0.5
    """
    truth, score = check_scores(y_true, y_score)
    n_positive, n_negative = int(truth.sum()), int((~truth).sum())
    levels, level_of = np.unique(score, return_inverse=True)
    positives = np.bincount(level_of, weights=truth)[::-1].cumsum()[::-1].astype(int)
    negatives = np.bincount(level_of, weights=~truth)[::-1].cumsum()[::-1].astype(int)
    # times n_positive * n_negative everything is a whole number, so equal cut-offs compare equal
    sensitivity, specificity = positives * n_negative, (n_negative - negatives) * n_positive
    best = np.lexsort((sensitivity, -abs(sensitivity - specificity), sensitivity + specificity))[-1]
    return Threshold(
        value=_between(levels, int(best)),
        sensitivity=float(positives[best] / n_positive),
        specificity=float(1 - negatives[best] / n_negative),
    )


def _between(levels: Floats, index: int) -> float:
    """Half-way to the next lower score, or the score itself where there is none (or no number between)."""
    if index == 0:
        return float(levels[0])
    middle = float(levels[index - 1] / 2 + levels[index] / 2)
    return middle if middle > levels[index - 1] else float(levels[index])
