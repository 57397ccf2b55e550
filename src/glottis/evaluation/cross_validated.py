"""AUC by cross-validation: never pooled over folds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.discrimination import area
from glottis.evaluation.interval import Bools, Floats, Interval, check_level, check_scores, plain

NADEAU_BENGIO = "approximate: corrected resampled t, which allows for shared training rows (Nadeau and Bengio 2003)"


@dataclass(frozen=True)
class CrossValidatedAUC:
    """AUC by (repeated) cross-validation: the mean over folds of each fold's own AUC.

    Attributes:
        value: mean over folds.
        interval: with the limits of Nadeau and Bengio; None with fewer than two folds.
        sd_over_repeats: standard deviation of the repeats' means; None with one repeat.
        fold_values: AUC of each usable fold, ordered by repeat and fold.
        n_repeats: number of repeats.
        n_skipped: folds of one class only, which have no AUC.
        note: says what was skipped; empty otherwise.
    """

    value: float
    interval: Interval
    sd_over_repeats: float | None
    fold_values: tuple[float, ...]
    n_repeats: int
    n_skipped: int
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def cross_validated_auc(
    y_true: ArrayLike, y_score: ArrayLike, repeat: ArrayLike, fold: ArrayLike, *, level: float = 0.95
) -> CrossValidatedAUC:
    """AUC by cross-validation: every fold's own AUC, their mean and its interval.

    Scores are never pooled over folds, and DeLong is not used: training sets overlap, so that its interval is too
    narrow. The interval is t with the variance times (1 / folds + test / training size) (Nadeau and Bengio 2003;
    Bouckaert and Frank 2004 for repeats), cut at 0 and 1. It is approximate: in 150 simulated cohorts of 60 patients
    without signal, 4 x 5 folds, the 95% interval covered the true value in 91% (standard error 2%).

    Args:
        y_true: (n,) outcome, 0 or 1; one row a patient and repeat.
        y_score: (n,) score of the row's held-out fold.
        repeat: (n,) number of the repeat.
        fold: (n,) number of the fold within its repeat.
        level: confidence level.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths, or no fold that holds both classes.
    """
    truth, score = check_scores(y_true, y_score)
    check_level(level)
    repeats, folds = np.asarray(repeat), np.asarray(fold)
    if repeats.shape != truth.shape or folds.shape != truth.shape:
        message = f"Repeat and fold need one entry a row ({truth.size}); got {repeats.shape} and {folds.shape}."
        raise StatisticsError(message)
    values, test_share, by_repeat, n_skipped = [], [], [], 0
    for number in np.unique(repeats):
        in_repeat = repeats == number
        usable = [rows for rows in _rows_of(folds, in_repeat) if 0 < truth[rows].sum() < rows.sum()]
        n_skipped += np.unique(folds[in_repeat]).size - len(usable)
        areas = [area(truth[rows], score[rows]) for rows in usable]
        values += areas
        test_share += [rows.sum() / (in_repeat.sum() - rows.sum()) for rows in usable if rows.sum() < in_repeat.sum()]
        by_repeat += [float(np.mean(areas))] if areas else []
    if not values:
        message = f"None of the {n_skipped} folds holds both classes: use fewer folds, or stratify them by outcome."
        raise StatisticsError(message)
    interval = _corrected_t(np.array(values), np.array(test_share), level)
    return CrossValidatedAUC(
        value=float(np.mean(values)),
        interval=interval,
        sd_over_repeats=float(np.std(by_repeat, ddof=1)) if len(by_repeat) > 1 else None,
        fold_values=tuple(values),
        n_repeats=np.unique(repeats).size,
        n_skipped=n_skipped,
        note=f"{n_skipped} folds hold one class only and have no AUC" if n_skipped else "",
    )


def _rows_of(folds: Any, in_repeat: Bools) -> list[Bools]:
    return [in_repeat & (folds == number) for number in np.unique(folds[in_repeat])]


def _corrected_t(values: Floats, test_share: Floats, level: float) -> Interval:
    mean = float(values.mean())
    if values.size < 2 or test_share.size < values.size:
        return Interval(mean, None, None, NADEAU_BENGIO, level, "not estimable: fewer than two folds")
    spread = math.sqrt(values.var(ddof=1) * (1 / values.size + test_share.mean()))
    if spread == 0:
        return Interval(mean, None, None, NADEAU_BENGIO, level, "not estimable: every fold has the same AUC")
    half = float(stats.t.ppf((1 + level) / 2, values.size - 1)) * spread
    return Interval(mean, max(0.0, mean - half), min(1.0, mean + half), NADEAU_BENGIO, level)
