"""Cut-offs of a score, chosen on training scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Bools, Floats, check_scores, plain

Ints = NDArray[np.int64]


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
        return dict(plain(self))


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
    levels, positives, negatives = at_or_above(truth, score)
    n_positive, n_negative = int(positives[0]), int(negatives[0])
    # times n_positive * n_negative everything is a whole number, so equal cut-offs compare equal
    sensitivity, specificity = positives * n_negative, (n_negative - negatives) * n_positive
    best = np.lexsort((sensitivity, -abs(sensitivity - specificity), sensitivity + specificity))[-1]
    return _threshold(levels, positives, negatives, int(best))


def sensitivity_threshold(y_true: ArrayLike, y_score: ArrayLike, sensitivity: float) -> Threshold:
    """The highest cut-off that reaches a wanted sensitivity, and so the best specificity there.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) training score, higher for class 1.
        sensitivity: the least sensitivity, above 0 and up to 1.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths, a sensitivity outside (0, 1].

    >>> sensitivity_threshold([0, 1, 0, 1], [0.0, 0.25, 0.5, 0.75], 0.9).value
    0.125
    """
    truth, score = check_scores(y_true, y_score)
    if not 0 < sensitivity <= 1:
        message = f"A sensitivity lies above 0 and up to 1; got {sensitivity}: give 0.9 for 90%."
        raise StatisticsError(message)
    levels, positives, negatives = at_or_above(truth, score)
    reached = positives >= sensitivity * positives[0] * (1 - 1e-12)  # 0.9 * 10 is 9, whatever floats say
    return _threshold(levels, positives, negatives, int(np.flatnonzero(reached)[-1]))


def at_or_above(truth: Bools, score: Floats) -> tuple[Floats, Ints, Ints]:
    """Different scores, rising, and how many positives and negatives lie at or above each."""
    levels, level_of = np.unique(score, return_inverse=True)
    positives = np.bincount(level_of, weights=truth)[::-1].cumsum()[::-1].astype(np.int64)
    negatives = np.bincount(level_of, weights=~truth)[::-1].cumsum()[::-1].astype(np.int64)
    return levels, positives, negatives


def _threshold(levels: Floats, positives: Ints, negatives: Ints, index: int) -> Threshold:
    return Threshold(
        value=half_way(levels, index),
        sensitivity=float(positives[index] / positives[0]),
        specificity=float(1 - negatives[index] / negatives[0]),
    )


def half_way(levels: Floats, index: int) -> float:
    """Half-way to the next lower score, or the score itself where there is none (or no number between)."""
    if index == 0:
        return float(levels[0])
    middle = float(levels[index - 1] / 2 + levels[index] / 2)
    return middle if middle > levels[index - 1] else float(levels[index])
