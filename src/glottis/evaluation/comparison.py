"""Whether one score ranks patients better than another: DeLong's test, paired or not, and over many models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis.evaluation.discrimination import DELONG, why_not_estimable
from glottis.evaluation.interval import (
    Bools,
    Floats,
    Interval,
    check_level,
    check_same_patients,
    check_score_table,
    check_scores,
    plain,
)
from glottis.evaluation.limits import z_of
from glottis.evaluation.multiplicity import holm
from glottis.evaluation.placements import covariance_of_means, placements, variance_of_mean

_NO_SPREAD = 1e-12


@dataclass(frozen=True)
class DelongTest:
    """Two AUCs compared.

    Attributes:
        first: AUC of the first score.
        second: AUC of the second score.
        difference: first - second, with DeLong's limits.
        statistic: z (paired) or t (unpaired); None where not estimable.
        df: Welch's degrees of freedom; None when paired.
        p_value: two-sided.
        correlation: of the two AUCs; 0 when unpaired.
        paired: whether both scores are of the same patients.
        n: patients of the first and of the second score.
        note: why something is None; empty otherwise.
    """

    first: float
    second: float
    difference: Interval
    statistic: float | None
    df: float | None
    p_value: float | None
    correlation: float | None
    paired: bool
    n: tuple[int, int]
    note: str

    @property
    def conclusion(self) -> str:
        """In words that claim no more than was shown."""
        if self.p_value is None:
            return "not estimable"
        if self.p_value >= 1 - self.difference.level:
            return "not shown to differ"
        return "the first is better" if self.first > self.second else "the second is better"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self)) | {"conclusion": self.conclusion}


@dataclass(frozen=True)
class DelongMatrix:
    """Every pair of models compared on the same patients; row less column.

    Attributes:
        models: (m,) names.
        auc: (m,) AUC of each.
        covariance: (m, m) DeLong's covariance of the AUCs.
        difference: (m, m) AUC of the row less that of the column.
        low: (m, m) lower limit of the difference, not adjusted.
        high: (m, m) upper limit.
        p_value: (m, m) two-sided; nan on the diagonal and where not estimable.
        p_holm: (m, m) adjusted after Holm over all pairs.
        n_positive: patients of class 1.
        n_negative: patients of class 0.
        level: confidence level.
        note: why something is nan; empty otherwise.
    """

    models: tuple[str, ...]
    auc: Floats
    covariance: Floats
    difference: Floats
    low: Floats
    high: Floats
    p_value: Floats
    p_holm: Floats
    n_positive: int
    n_negative: int
    level: float
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; nan is None."""
        return dict(plain(self))


def delong_test(
    y_true: ArrayLike,
    y_score: ArrayLike,
    y_score_second: ArrayLike,
    *,
    y_true_second: ArrayLike | None = None,
    level: float = 0.95,
) -> DelongTest:
    """DeLong's test of two AUCs (1988), of the same patients or of two sets of them, as pROC does it.

    Paired: z from the difference of the structural components. Unpaired: t with Welch's degrees of freedom. For
    held-out patients only: on training rows, and for nested models there, it is wrong.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) first score, higher for class 1.
        y_score_second: second score, of the same patients in the same order, or of the others when unpaired.
        y_true_second: outcome of the second score's patients; giving it makes the test unpaired.
        level: confidence level of the difference.

    Returns:
        The test; p is None with fewer than 5 patients in a class, or where an AUC is 0 or 1.

    Raises:
        ValueError: one class, a score that is not finite, different patients in a paired test.

    >>> delong_test([0, 1] * 5, range(10), range(10)).p_value
    1.0
    """
    check_level(level)
    if y_true_second is not None:
        return _unpaired(check_scores(y_true, y_score), check_scores(y_true_second, y_score_second), level)
    check_same_patients({"the outcome": y_true, "the first score": y_score, "the second score": y_score_second})
    truth, first = check_scores(y_true, y_score)
    matrix = delong_matrix(y_true, {"first": first, "second": check_scores(y_true, y_score_second)[1]}, level=level)
    (value, other), covariance = matrix.auc.tolist(), matrix.covariance
    spread = math.sqrt(covariance[0, 0] * covariance[1, 1])
    difference = float(matrix.difference[0, 1])
    p, low, high = (_none(item[0, 1]) for item in (matrix.p_value, matrix.low, matrix.high))
    se = math.sqrt(_variance(covariance)[0, 1])
    return DelongTest(
        first=value,
        second=other,
        difference=Interval(difference, low, high, DELONG, level, matrix.note),
        statistic=None if p is None else (difference / se if se else 0.0),
        df=None,
        p_value=p,
        correlation=float(covariance[0, 1] / spread) if spread else None,
        paired=True,
        n=(truth.size, truth.size),
        note=matrix.note,
    )


def _unpaired(one: tuple[Bools, Floats], two: tuple[Bools, Floats], level: float) -> DelongTest:
    (value, variance), (other, other_variance) = (_area_and_variance(*scores) for scores in (one, two))
    sizes, total = (one[0].size, two[0].size), variance + other_variance
    note = _why_no_test(value, one[0]) or _why_no_test(other, two[0]) or ("" if total else "the scores do not vary")
    statistic = df = p = low = high = None
    if not note:
        statistic = (value - other) / math.sqrt(total)
        df = total**2 / (variance**2 / (sizes[0] - 1) + other_variance**2 / (sizes[1] - 1))
        p = float(2 * stats.t.sf(abs(statistic), df))
        half = float(stats.t.ppf((1 + level) / 2, df)) * math.sqrt(total)
        low, high = value - other - half, value - other + half
    difference = Interval(value - other, low, high, f"{DELONG}, Welch's t", level, note)
    return DelongTest(value, other, difference, statistic, df, p, 0.0, False, sizes, note)


def _area_and_variance(truth: Bools, score: Floats) -> tuple[float, float]:
    parts = placements(truth, score)
    return float(parts[0].mean()), sum(map(variance_of_mean, parts))


def _why_no_test(value: float, truth: Bools) -> str:
    n_positive = int(truth.sum())
    return why_not_estimable(value, 1.0, min(n_positive, truth.size - n_positive))


def delong_matrix(y_true: ArrayLike, scores: Mapping[str, ArrayLike], *, level: float = 0.95) -> DelongMatrix:
    """Paired DeLong tests between all models of the same held-out patients, with Holm's adjustment.

    Args:
        y_true: (n,) outcome, 0 or 1.
        scores: model name to its (n,) scores, or a table with a column a model.
        level: confidence level of the differences.

    Raises:
        ValueError: no model, one class, a score that is not finite, models on different patients.
    """
    truth, names, table = check_score_table(y_true, scores)
    check_level(level)
    of_positives, of_negatives = placements(truth, table)
    auc = of_positives.mean(axis=1)
    covariance = covariance_of_means(of_positives) + covariance_of_means(of_negatives)
    variance, difference = _variance(covariance), auc[:, None] - auc
    reasons = [_why_no_test(value, truth) for value in auc.tolist()]
    usable = np.array([not reason for reason in reasons])
    testable = usable[:, None] & usable & ~np.eye(len(names), dtype=bool)
    se = np.where(testable, np.sqrt(variance), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where((se == 0) & (np.abs(difference) <= _NO_SPREAD), 0.0, difference / se)
    p = np.where(np.isinf(z), np.nan, 2 * stats.norm.sf(np.abs(z)))
    half = z_of(level) * np.where(se > 0, se, np.nan)
    return DelongMatrix(
        models=names,
        auc=auc,
        covariance=covariance,
        difference=difference,
        low=difference - half,
        high=difference + half,
        p_value=p,
        p_holm=_holm_of_pairs(p),
        n_positive=int(truth.sum()),
        n_negative=int((~truth).sum()),
        level=level,
        note="; ".join(f"{name} {reason}" for name, reason in zip(names, reasons, strict=True) if reason),
    )


def _variance(covariance: Floats) -> Floats:
    """(m, m) variance of each difference; rounding of equal scores is 0."""
    own = np.diag(covariance)
    total = own[:, None] + own
    variance = total - 2 * covariance
    return np.where(variance > _NO_SPREAD * total, variance, 0.0)


def _holm_of_pairs(p: Floats) -> Floats:
    rows, columns = np.triu_indices(p.shape[0], 1)
    adjusted = np.full_like(p, np.nan)
    adjusted[rows, columns] = adjusted[columns, rows] = holm(p[rows, columns])
    return adjusted


def _none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
