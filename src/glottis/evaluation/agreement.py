"""How well repeated measurements agree: intraclass correlation of many features at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Floats, check_level, plain

IccForm = Literal["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"]
ICC_FORMS: tuple[str, ...] = get_args(IccForm)


@dataclass(frozen=True)
class ICC:
    """Intraclass correlation of each feature.

    Attributes:
        form: which of the six forms.
        value: (n_features,) 1 is perfect agreement; nan where undefined (no variation, fewer than 2 subjects).
        low: (n_features,) lower limit.
        high: (n_features,) upper limit.
        n: (n_features,) subjects with every measurement.
        n_raters: measurements a subject.
        level: confidence level.
    """

    form: str
    value: Floats
    low: Floats
    high: Floats
    n: Floats
    n_raters: int
    level: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; nan is None."""
        return dict(plain(self))


@dataclass(frozen=True)
class _MeanSquares:
    """Two-way analysis of variance without replication, one entry a feature."""

    n: Floats
    k: int
    subjects: Floats
    raters: Floats
    residual: Floats
    within: Floats


def icc(measurements: ArrayLike, *, form: IccForm = "ICC(2,1)", level: float = 0.95) -> ICC:
    """Intraclass correlation with its interval, for all features at once.

    Forms after Shrout and Fleiss (1979), intervals after McGraw and Wong (1996): (1,.) every subject has its own
    raters, (2,.) raters are a sample and must agree absolutely, (3,.) raters are fixed and must only be consistent;
    (.,1) one measurement, (.,k) the mean of all.

    Args:
        measurements: (n_features, n_subjects, n_raters). A subject with a value that is not finite is left out for that
            feature alone.
        form: one of the six forms; the default is absolute agreement of single measurements.
        level: confidence level.

    Raises:
        ValueError: not three axes, fewer than two raters, an unknown form.

    >>> round(float(icc([[[9, 8], [6, 5], [8, 7], [2, 2]]]).value[0]), 3)
    0.956
    """
    values = np.asarray(measurements, dtype=np.float64)
    check_level(level)
    if values.ndim != 3 or values.shape[2] < 2:
        message = (
            f"Measurements need the shape (features, subjects, raters) with at least 2 raters; got {values.shape}: "
            "stack one table a reader along the last axis."
        )
        raise StatisticsError(message)
    if form not in ICC_FORMS:
        message = f"Unknown form {form!r}: use one of {', '.join(ICC_FORMS)}."
        raise StatisticsError(message)
    squares = _mean_squares(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        single = _single(squares, form)
        low, high = _single_limits(squares, form, single, level)
        if form.endswith("k)"):
            single, low, high = (_of_the_mean(item, squares.k) for item in (single, low, high))
    return ICC(form, single, low, high, squares.n, squares.k, level)


def _mean_squares(values: Floats) -> _MeanSquares:
    complete = np.asarray(np.isfinite(values).all(axis=2, keepdims=True))
    n, k = complete.sum(axis=(1, 2)).astype(np.float64), values.shape[2]
    kept = np.where(complete, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = kept.sum(axis=(1, 2)) / (n * k)
        kept = np.where(complete, kept - centre[:, None, None], 0.0)
        scale = np.abs(kept).max(axis=(1, 2), initial=0.0)
        kept = kept / np.where(scale > 0, scale, 1.0)[:, None, None]
        subject_means = kept.mean(axis=2)
        rater_means = kept.sum(axis=1) / n[:, None]
        between = k * (subject_means**2).sum(axis=1)
        raters = n * (rater_means**2).sum(axis=1)
        within = ((kept - np.where(complete[:, :, 0], subject_means, 0.0)[:, :, None]) ** 2).sum(axis=(1, 2))
        residual = (np.where(complete, kept - subject_means[:, :, None] - rater_means[:, None, :], 0) ** 2).sum((1, 2))
        return _MeanSquares(
            n=n,
            k=k,
            subjects=between / (n - 1),
            raters=raters / (k - 1),
            residual=residual / ((n - 1) * (k - 1)),
            within=within / (n * (k - 1)),
        )


def _single(squares: _MeanSquares, form: str) -> Floats:
    n, k, subjects = squares.n, squares.k, squares.subjects
    if form.startswith("ICC(1"):
        return np.asarray((subjects - squares.within) / (subjects + (k - 1) * squares.within))
    error = squares.residual
    shift = k * (squares.raters - error) / n if form.startswith("ICC(2") else 0.0
    return np.asarray((subjects - error) / (subjects + (k - 1) * error + shift))


def _single_limits(squares: _MeanSquares, form: str, value: Floats, level: float) -> tuple[Floats, Floats]:
    if form.startswith("ICC(2"):
        low, high = _absolute_limits(squares, value, level)
    else:
        one_way = form.startswith("ICC(1")
        error = squares.within if one_way else squares.residual
        df_error = squares.n * (squares.k - 1) if one_way else (squares.n - 1) * (squares.k - 1)
        low, high = _ratio_limits(squares.subjects / error, squares.n - 1, df_error, squares.k, level)
    perfect = value == 1
    low, high = np.where(perfect, 1.0, low), np.where(perfect, 1.0, high)
    return np.where(np.isnan(value), np.nan, low), np.where(np.isnan(value), np.nan, high)


def _ratio_limits(ratio: Floats, df: Floats, df_error: Floats, k: int, level: float) -> tuple[Floats, Floats]:
    """McGraw and Wong (1996), table 7, one-way and consistency."""
    tail = (1 + level) / 2
    lower, upper = ratio / stats.f.ppf(tail, df, df_error), ratio * stats.f.ppf(tail, df_error, df)
    return (lower - 1) / (lower + k - 1), (upper - 1) / (upper + k - 1)


def _absolute_limits(squares: _MeanSquares, value: Floats, level: float) -> tuple[Floats, Floats]:
    """McGraw and Wong (1996), table 7, absolute agreement, with Satterthwaite's degrees of freedom."""
    n, k = squares.n, squares.k
    subjects, raters, error = squares.subjects, squares.raters, squares.residual
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    df = (a * raters + b * error) ** 2 / (
        (a * raters) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    )  # fmt: skip
    tail = (1 + level) / 2
    upper_f, lower_f = stats.f.ppf(tail, n - 1, df), stats.f.ppf(tail, df, n - 1)
    rest = k * raters + (k * n - k - n) * error
    low = n * (subjects - upper_f * error) / (upper_f * rest + n * subjects)
    high = n * (lower_f * subjects - error) / (rest + n * lower_f * subjects)
    return low, high


def _of_the_mean(single: Floats, k: int) -> Floats:
    """Spearman-Brown: from one measurement to the mean of ``k``."""
    return np.asarray(k * single / (1 + (k - 1) * single))
