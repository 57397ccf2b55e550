"""Bootstrap intervals of what a score's ranking gives: AUC, partial AUC, average precision, or any function of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Bools, Floats, Interval, check_level, check_scores, plain

BOOTSTRAP = "percentile bootstrap, resampled within each class"
Axis = Literal["specificity", "sensitivity"]
Statistic = Callable[[Bools, Floats], float]
_ENTRIES_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class PartialAUC:
    """Area under a part of the ROC curve.

    Attributes:
        value: the area; at most the width of the range.
        interval: the same with bootstrap limits.
        standardised: the same, so that 0.5 is chance and 1 is perfect (McClish 1989).
        axis: whose range was cut out.
        within: lower and upper end of the range.
    """

    value: float | None
    interval: Interval
    standardised: Interval
    axis: Axis
    within: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def bootstrap_ci(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    statistic: Statistic | None = None,
    level: float = 0.95,
    n_resamples: int = 2000,
    random_state: int = 0,
) -> Interval:
    """Percentile bootstrap of the AUC, or of any statistic, resampled within each class as pROC does.

    A resample of the AUC is counted, not sorted: how often each score was drawn in each class, summed from the
    highest score down, which is the weights times the matrix of comparisons without the matrix. 2,000 resamples of
    300 patients need some 30 ms.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) score, higher for class 1.
        statistic: function of outcome and score; None is the AUC. It is called once a resample.
        level: confidence level.
        n_resamples: number of resamples.
        random_state: seed.

    Returns:
        The statistic with its limits; None where every resample gives the same value or one is not finite.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths, fewer than 100 resamples.
    """
    truth, score = check_scores(y_true, y_score)
    if statistic is not None:
        check_level(level)
        check_resamples(n_resamples)
        drawn = _each_resample(truth, score, statistic, n_resamples, random_state)
        return percentiles(float(statistic(truth, score)), drawn, level)
    return of_counts(truth, score, areas, level=level, n_resamples=n_resamples, random_state=random_state)


def partial_auc(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    axis: Axis = "specificity",
    within: tuple[float, float] = (0.9, 1.0),
    level: float = 0.95,
    n_resamples: int = 2000,
    random_state: int = 0,
) -> PartialAUC:
    """Area under the ROC curve where specificity (or sensitivity) lies in a range, as pROC counts it.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) score, higher for class 1.
        axis: "specificity" or "sensitivity".
        within: lower and upper end of the range of specificity (or sensitivity).
        level: confidence level.
        n_resamples: number of resamples.
        random_state: seed.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths, a range that is none.
    """
    truth, score = check_scores(y_true, y_score)
    low, high = within
    if axis not in get_args(Axis) or not 0 <= low < high <= 1:
        message = (
            f"A partial AUC needs a range of specificity or sensitivity within 0 to 1; got {axis!r} from {low} to "
            f"{high}: give axis='specificity', within=(0.9, 1.0)."
        )
        raise StatisticsError(message)

    def partial(positives: Floats, negatives: Floats) -> Floats:
        return _partial_areas(positives, negatives, axis, low, high)

    interval = of_counts(truth, score, partial, level=level, n_resamples=n_resamples, random_state=random_state)
    smallest, largest = (high - low) * (1 - (low + high) / 2), high - low
    value, lower, upper = (
        None if item is None else (1 + (item - smallest) / (largest - smallest)) / 2
        for item in (interval.value, interval.low, interval.high)
    )
    standard = Interval(value, lower, upper, f"{BOOTSTRAP}, standardised after McClish", level, interval.note)
    return PartialAUC(interval.value, interval, standard, axis, (low, high))


def of_counts(
    truth: Bools,
    score: Floats,
    statistic: Callable[[Floats, Floats], Floats],
    *,
    level: float,
    n_resamples: int,
    random_state: int,
) -> Interval:
    """Percentile bootstrap of a function of the two classes' counts at each score, highest score first.

    Args:
        truth: (n,) outcome.
        score: (n,) score.
        statistic: from two arrays (resamples, different scores), positives and negatives, to one value a resample.
        level: confidence level.
        n_resamples: number of resamples.
        random_state: seed.
    """
    check_level(level)
    check_resamples(n_resamples)
    level_of = np.unique(-score, return_inverse=True)[1]
    n_levels = int(level_of.max()) + 1
    observed = [np.bincount(level_of[rows], minlength=n_levels)[None].astype(float) for rows in (truth, ~truth)]
    drawn = [statistic(*counts) for counts in resampled(level_of, truth, n_levels, n_resamples, random_state)]
    return percentiles(float(statistic(*observed)[0]), np.concatenate(drawn), level)


def resampled(
    level_of: Any, truth: Bools, n_levels: int, n_resamples: int, random_state: int
) -> Iterator[tuple[Floats, Floats]]:
    """How often each score was drawn in each class, some resamples at a time, highest score first."""
    rng = np.random.default_rng(random_state)
    chunk = max(1, _ENTRIES_AT_ONCE // truth.size)
    for start in range(0, n_resamples, chunk):
        size = min(chunk, n_resamples - start)
        yield (
            _drawn_counts(level_of[truth], size, n_levels, rng),
            _drawn_counts(level_of[~truth], size, n_levels, rng),
        )


def _drawn_counts(level_of: Any, size: int, n_levels: int, rng: np.random.Generator) -> Floats:
    """(size, n_levels) how often each score was drawn, with replacement."""
    drawn = level_of[rng.integers(level_of.size, size=(size, level_of.size), dtype=np.int32)]
    drawn += np.arange(size)[:, None] * n_levels
    return np.bincount(drawn.ravel(), minlength=size * n_levels).reshape(size, n_levels).astype(np.float64)


def areas(positives: Floats, negatives: Floats) -> Floats:
    """(resamples,) AUC from the counts at each score, highest first; ties count half."""
    above = np.cumsum(positives, axis=1)
    above -= positives / 2
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    return np.asarray(np.einsum("ij,ij->i", above, negatives) / pairs)


def _partial_areas(positives: Floats, negatives: Floats, axis: Axis, low: float, high: float) -> Floats:
    """Trapezoids of the ROC polygon, cut at the ends of the range."""
    if axis == "sensitivity":  # specificity over sensitivity is the same polygon with the classes' roles exchanged
        positives, negatives = negatives[:, ::-1], positives[:, ::-1]
    along, up = (np.pad(np.cumsum(counts, axis=1), ((0, 0), (1, 0))) for counts in (negatives, positives))
    along, up = along / along[:, -1:], up / up[:, -1:]
    left, right = np.clip(along[:, :-1], 1 - high, 1 - low), np.clip(along[:, 1:], 1 - high, 1 - low)
    run = np.diff(along, axis=1)
    slope = np.divide(np.diff(up, axis=1), run, out=np.zeros_like(run), where=run > 0)
    middle = up[:, :-1] + slope * ((left + right) / 2 - along[:, :-1])
    return np.asarray(((right - left) * middle).sum(axis=1))


def _each_resample(truth: Bools, score: Floats, statistic: Statistic, n_resamples: int, random_state: int) -> Floats:
    rng = np.random.default_rng(random_state)
    classes = [np.flatnonzero(truth), np.flatnonzero(~truth)]
    values = np.empty(n_resamples)
    for number in range(n_resamples):
        rows = np.concatenate([rng.choice(rows, rows.size) for rows in classes])
        values[number] = statistic(truth[rows], score[rows])
    return values


def percentiles(value: float, drawn: Floats, level: float, method: str = BOOTSTRAP) -> Interval:
    """The value with the percentiles of its resamples; limits None, and why, where they say nothing."""
    method = f"{method} ({drawn.size} resamples)"
    bad = int((~np.isfinite(drawn)).sum())
    if bad:
        return Interval(value, None, None, method, level, f"not estimable: undefined in {bad} resamples")
    if np.ptp(drawn) == 0:
        return Interval(value, None, None, method, level, "not estimable: every resample gives the same value")
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), method, level)


def check_resamples(n_resamples: int) -> None:
    """Refuse fewer resamples than percentiles need."""
    if n_resamples < 100:
        message = f"A bootstrap interval needs at least 100 resamples; got {n_resamples}: 2000 is usual."
        raise StatisticsError(message)
