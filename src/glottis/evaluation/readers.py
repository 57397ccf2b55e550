"""Several readers, several modalities, the same cases: do readers do better with the model's help?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.interval import (
    Bools,
    Floats,
    Interval,
    check_level,
    check_scores,
    plain,
    refuse_non_finite,
)
from glottis.evaluation.reader_variance import (
    Components,
    ErrorTerm,
    aucs_and_covariance,
    components,
    error_of_difference,
)

Factor = Literal["random", "fixed"]
Covariance = Literal["delong", "jackknife"]
METHOD = "Obuchowski-Rockette, degrees of freedom after Hillis"


@dataclass(frozen=True)
class ReaderDifference:
    """One modality less another.

    Attributes:
        first: name of a modality.
        second: name of the modality that is subtracted.
        reader: name of a reader; None for the mean of all.
        difference: of the AUCs, with its limits.
        se: standard error; None where it is 0.
        df: degrees of freedom of t; None for z.
        p_value: two-sided; None without a standard error.
    """

    first: str
    second: str
    reader: str | None
    difference: Interval
    se: float | None
    df: float | None
    p_value: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class ReaderStudy:
    """Obuchowski-Rockette analysis.

    Attributes:
        modalities: their names.
        readers: their names.
        auc: (n_modalities, n_readers).
        means: mean over readers of each modality, its limits from that modality's readings alone.
        differences: mean over readers, each pair of modalities; p is not adjusted for their number.
        by_reader: the same for each reader; empty unless readers are fixed.
        statistic: F, or chi-square with fixed readers; None where all variances are 0.
        df: of the statistic: one number for chi-square, two for F.
        p_value: of no difference between modalities.
        test: "F", "chi-square" or "none".
        components: what the statistic is made of.
        reader_factor: "random": holds for readers like these; "fixed": for these readers alone.
        case_factor: "random": holds for patients like these; "fixed": for these patients alone.
        covariance: "delong" or "jackknife".
        n_positive: cases of class 1.
        n_negative: cases of class 0.
    """

    modalities: tuple[str, ...]
    readers: tuple[str, ...]
    auc: Floats
    means: tuple[Interval, ...]
    differences: tuple[ReaderDifference, ...]
    by_reader: tuple[ReaderDifference, ...]
    statistic: float | None
    df: tuple[float, ...]
    p_value: float | None
    test: str
    components: Components
    reader_factor: str
    case_factor: str
    covariance: str
    n_positive: int
    n_negative: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def obuchowski_rockette(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    modalities: Sequence[str] | None = None,
    readers: Sequence[str] | None = None,
    reader_factor: Factor = "random",
    case_factor: Factor = "random",
    covariance: Covariance = "delong",
    level: float = 0.95,
) -> ReaderStudy:
    """Whether the AUC differs between modalities when every reader reads every case in each.

    The analysis of variance is that of Obuchowski and Rockette (1995); degrees of freedom are Hillis's (2007), as in
    MRMCaov, RJafroc and OR-DBM MRMC. A binary reading is a score of 0 and 1, whose AUC is (sensitivity + specificity)
    / 2.

    Args:
        y_true: (n_cases,) outcome, 0 or 1.
        y_score: (n_modalities, n_readers, n_cases) score, higher for class 1; such as readers alone and with help.
        modalities: their names; "1", "2", ... where not given.
        readers: their names; "1", "2", ... where not given.
        reader_factor: "random" speaks of readers like these, "fixed" of these alone (z and chi-square).
        case_factor: "random" speaks of patients like these, "fixed" of these alone.
        covariance: "delong" or "jackknife", of the AUCs through the cases.
        level: confidence level.

    Raises:
        ValueError: one class, a score that is missing, a wrong shape, one modality, one reader that is to be random,
            both factors fixed, an unknown option.
    """
    truth, scores = _check(y_true, y_score, reader_factor, case_factor, covariance)
    check_level(level)
    t, r = scores.shape[:2]
    names = _names("modalities", modalities, t), _names("readers", readers, r)
    auc, matrix = aucs_and_covariance(truth, scores, covariance)
    if case_factor == "fixed":
        matrix = np.zeros_like(matrix)
    parts = components(auc, matrix)
    error = error_of_difference(parts, r, (t - 1) * (r - 1), reader_factor)
    statistic, df, p = _global_test(parts, error, t)
    by_reader = _by_reader(auc, matrix, names, level) if reader_factor == "fixed" else ()
    return ReaderStudy(
        modalities=names[0],
        readers=names[1],
        auc=auc,
        means=tuple(_mean(auc[i], matrix[i, :, i], reader_factor, level) for i in range(t)),
        differences=tuple(
            _difference((names[0][i], names[0][j], None), float(auc[i].mean() - auc[j].mean()), error, r, level)
            for i, j in combinations(range(t), 2)
        ),
        by_reader=by_reader,
        statistic=statistic,
        df=df,
        p_value=p,
        test={0: "none", 1: "chi-square", 2: "F"}[len(df)],
        components=parts,
        reader_factor=reader_factor,
        case_factor=case_factor,
        covariance=covariance,
        n_positive=int(truth.sum()),
        n_negative=int((~truth).sum()),
    )


def _check(
    y_true: ArrayLike, y_score: ArrayLike, reader_factor: str, case_factor: str, covariance: str
) -> tuple[Bools, Floats]:
    scores = np.asarray(y_score, dtype=np.float64)
    if scores.ndim != 3 or scores.shape[0] < 2 or not scores.shape[1]:
        message = (
            f"Scores need the shape (modalities, readers, cases) with two modalities or more; got {scores.shape}: "
            "for one modality use roc_auc for each reader."
        )
        raise StatisticsError(message)
    refuse_non_finite("readings", scores)
    truth, _ = check_scores(y_true, scores[0, 0])
    for name, value, known in (
        ("reader_factor", reader_factor, get_args(Factor)),
        ("case_factor", case_factor, get_args(Factor)),
        ("covariance", covariance, get_args(Covariance)),
    ):
        if value not in known:
            message = f"Unknown {name} {value!r}: use {' or '.join(map(repr, known))}."
            raise StatisticsError(message)
    if reader_factor == "random" and scores.shape[1] < 2:
        message = "One reader cannot stand for others: use reader_factor='fixed', which speaks of this reader alone."
        raise StatisticsError(message)
    if reader_factor == case_factor == "fixed":
        message = "With readers and cases both fixed nothing is left to chance: let at least one be random."
        raise StatisticsError(message)
    if min(truth.sum(), (~truth).sum()) < 2:
        message = "The variance of an AUC needs two cases of each class."
        raise StatisticsError(message)
    return truth, scores


def _names(what: str, given: Sequence[str] | None, n: int) -> tuple[str, ...]:
    names = tuple(str(name) for name in (range(1, n + 1) if given is None else given))
    if len(names) != n or len(set(names)) != n:
        message = f"The {n} {what} need as many different names; got {', '.join(names)}."
        raise StatisticsError(message)
    return names


def _global_test(parts: Components, error: ErrorTerm, t: int) -> tuple[float | None, tuple[float, ...], float | None]:
    if error.variance <= np.finfo(float).eps:
        return None, (), None
    ratio = parts.ms_modality / error.variance
    if math.isinf(error.df):
        return (t - 1) * ratio, (t - 1.0,), float(stats.chi2.sf((t - 1) * ratio, t - 1))
    return ratio, (t - 1.0, error.df), float(stats.f.sf(ratio, t - 1, error.df))


def _difference(
    names: tuple[str, str, str | None], value: float, error: ErrorTerm, r: int, level: float
) -> ReaderDifference:
    se = math.sqrt(2 / r * error.variance) if error.variance > np.finfo(float).eps else None
    interval, p = _limits(value, se, error.df, level)
    return ReaderDifference(*names, interval, se, None if math.isinf(error.df) else error.df, p)


def _limits(value: float, se: float | None, df: float, level: float) -> tuple[Interval, float | None]:
    if se is None:
        return Interval(value, None, None, METHOD, level, "not estimable: the AUCs do not vary"), None
    spread: Any = stats.norm if math.isinf(df) else stats.t(df)
    half = float(spread.ppf((1 + level) / 2)) * se
    return Interval(value, value - half, value + half, METHOD, level), float(2 * spread.sf(abs(value) / se))


def _mean(auc: Floats, matrix: Floats, reader_factor: str, level: float) -> Interval:
    """Mean of one modality's readers; ``matrix`` (r, r) holds their covariances."""
    r = auc.size
    cov2 = max(float(matrix.sum() - matrix.trace()) / (r * (r - 1)), 0.0) if r > 1 else 0.0
    if reader_factor == "fixed":
        variance, df = float(matrix.trace()) / r + (r - 1) * cov2, math.inf
    else:
        spread = float(auc.var(ddof=1))
        variance = spread + r * cov2
        df = variance**2 / (spread**2 / (r - 1)) if spread > 0 else math.inf
    se = math.sqrt(variance / r) if variance > np.finfo(float).eps else None
    interval, _ = _limits(float(auc.mean()), se, df, level)
    if interval.low is None or interval.high is None:
        return interval
    return Interval(interval.value, max(0.0, interval.low), min(1.0, interval.high), METHOD, level)


def _by_reader(
    auc: Floats, matrix: Floats, names: tuple[tuple[str, ...], tuple[str, ...]], level: float
) -> tuple[ReaderDifference, ...]:
    rows = []
    t, r = auc.shape
    for j in range(r):
        own = matrix[:, j, :, j]
        term = own.trace() / t - (own.sum() - own.trace()) / (t * (t - 1))
        for a, b in combinations(range(t), 2):
            pair = (names[0][a], names[0][b], names[1][j])
            rows.append(_difference(pair, float(auc[a, j] - auc[b, j]), ErrorTerm(float(term), math.inf), 1, level))
    return tuple(rows)
