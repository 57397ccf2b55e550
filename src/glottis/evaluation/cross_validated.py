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


@dataclass(frozen=True)
class CrossValidatedDifference:
    """Difference of two models' AUCs by cross-validation on the same folds, first less second.

    Attributes:
        value: mean over folds of the difference.
        interval: with the limits of Nadeau and Bengio; approximate.
        fold_values: difference of each usable fold, ordered by repeat and fold.
        n_skipped: folds of one class only.
    """

    value: float
    interval: Interval
    fold_values: tuple[float, ...]
    n_skipped: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def cross_validated_auc(
    y_true: ArrayLike,
    y_score: ArrayLike,
    repeat: ArrayLike,
    fold: ArrayLike,
    *,
    level: float = 0.95,
    test_share: float | None = None,
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
        test_share: test over training size; None takes it from the folds, which need all rows of a repeat. Repeated
            splits, which hold one part out each, must give it.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths, or no fold that holds both classes.
    """
    truth, score = check_scores(y_true, y_score)
    check_level(level)
    folds = _folds(truth, repeat, fold)
    values = np.array([area(truth[rows], score[rows]) for _, rows in folds.usable])
    by_repeat = [values[[own == number for own, _ in folds.usable]] for number in folds.repeats]
    means = [float(np.mean(areas)) for areas in by_repeat if areas.size]
    return CrossValidatedAUC(
        value=float(np.mean(values)),
        interval=_corrected_t(values, folds.shares(test_share), level, at_least=0.0),
        sd_over_repeats=float(np.std(means, ddof=1)) if len(means) > 1 else None,
        fold_values=tuple(values.tolist()),
        n_repeats=len(folds.repeats),
        n_skipped=folds.n_skipped,
        note=f"{folds.n_skipped} folds hold one class only and have no AUC" if folds.n_skipped else "",
    )


def cross_validated_difference(
    y_true: ArrayLike,
    y_score: ArrayLike,
    y_score_second: ArrayLike,
    repeat: ArrayLike,
    fold: ArrayLike,
    *,
    level: float = 0.95,
    test_share: float | None = None,
) -> CrossValidatedDifference:
    """Difference of two models' AUCs on the folds that both were tested on; see `cross_validated_auc`.

    Args:
        y_true: (n,) outcome, 0 or 1; one row a patient and repeat.
        y_score: (n,) score of the first model.
        y_score_second: (n,) score of the second.
        repeat: (n,) number of the repeat.
        fold: (n,) number of the fold within its repeat.
        level: confidence level.
        test_share: as for `cross_validated_auc`.

    Raises:
        ValueError: one class, a score that is not finite, unequal lengths, or no fold that holds both classes.
    """
    truth, first = check_scores(y_true, y_score)
    _, second = check_scores(y_true, y_score_second)
    check_level(level)
    folds = _folds(truth, repeat, fold)
    values = np.array([area(truth[rows], first[rows]) - area(truth[rows], second[rows]) for _, rows in folds.usable])
    interval = _corrected_t(values, folds.shares(test_share), level, at_least=-1.0)
    return CrossValidatedDifference(float(values.mean()), interval, tuple(values.tolist()), folds.n_skipped)


@dataclass(frozen=True)
class _Folds:
    """Rows of every fold that holds both classes, with its repeat; and how large folds are beside their training."""

    usable: tuple[tuple[Any, Bools], ...]
    repeats: tuple[Any, ...]
    sizes: dict[Any, int]
    n_skipped: int

    def shares(self, given: float | None) -> Floats:
        """Test over training size of every usable fold; shorter where a repeat is one fold and nothing is given."""
        if given is not None:
            return np.full(len(self.usable), given)
        pairs = [(int(rows.sum()), self.sizes[number]) for number, rows in self.usable]
        return np.array([test / (whole - test) for test, whole in pairs if test < whole])


def _folds(truth: Bools, repeat: ArrayLike, fold: ArrayLike) -> _Folds:
    repeats, folds = np.asarray(repeat), np.asarray(fold)
    if repeats.shape != truth.shape or folds.shape != truth.shape:
        message = f"Repeat and fold need one entry a row ({truth.size}); got {repeats.shape} and {folds.shape}."
        raise StatisticsError(message)
    every = [(number, rows) for number in np.unique(repeats) for rows in _rows_of(folds, repeats == number)]
    usable = tuple((number, rows) for number, rows in every if 0 < truth[rows].sum() < rows.sum())
    if not usable:
        message = f"None of the {len(every)} folds holds both classes: use fewer folds, or stratify them by outcome."
        raise StatisticsError(message)
    sizes = {number: int((repeats == number).sum()) for number in np.unique(repeats)}
    return _Folds(usable, tuple(sizes), sizes, len(every) - len(usable))


def _rows_of(folds: Any, in_repeat: Bools) -> list[Bools]:
    return [in_repeat & (folds == number) for number in np.unique(folds[in_repeat])]


def _corrected_t(values: Floats, test_share: Floats, level: float, *, at_least: float) -> Interval:
    mean = float(values.mean())
    if values.size < 2 or test_share.size < values.size:
        return Interval(mean, None, None, NADEAU_BENGIO, level, "not estimable: fewer than two folds")
    spread = math.sqrt(values.var(ddof=1) * (1 / values.size + test_share.mean()))
    if spread == 0:
        return Interval(mean, None, None, NADEAU_BENGIO, level, "not estimable: every fold has the same value")
    half = float(stats.t.ppf((1 + level) / 2, values.size - 1)) * spread
    return Interval(mean, max(at_least, mean - half), min(1.0, mean + half), NADEAU_BENGIO, level)
