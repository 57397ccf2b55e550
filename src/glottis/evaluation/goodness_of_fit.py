"""Tests of calibration: Hosmer and Lemeshow's groups, Spiegelhalter's z."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Floats, check_probabilities, check_scores, plain


@dataclass(frozen=True)
class HosmerLemeshow:
    """Observed against expected events over groups of score.

    Attributes:
        statistic: chi-square; None where a group was certain (all scores 0, or all 1) and wrong.
        df: degrees of freedom: groups for held-out patients, groups - 2 for those of the fit.
        p_value: small speaks against calibration; a large one shows nothing in a small set.
        group_n: (groups,) patients.
        group_observed: (groups,) events.
        group_expected: (groups,) sum of the scores.
        note: why something is None; empty otherwise.
    """

    statistic: float | None
    df: int
    p_value: float | None
    group_n: Floats
    group_observed: Floats
    group_expected: Floats
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class Spiegelhalter:
    """Spiegelhalter's test of the Brier score.

    Attributes:
        statistic: standard normal under perfect calibration; above 0 the errors are larger than the scores admit.
        p_value: two-sided.
        note: why something is None; empty otherwise.
    """

    statistic: float | None
    p_value: float | None
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def hosmer_lemeshow(
    y_true: ArrayLike, y_score: ArrayLike, *, n_groups: int = 10, held_out: bool = True
) -> HosmerLemeshow:
    """Hosmer and Lemeshow's test (1980), grouped at quantiles of the score as R's hoslem.test does.

    Patients with the same score stay together, so that ties can leave fewer groups.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) probability of class 1.
        n_groups: groups wanted.
        held_out: True where the model did not see these patients; degrees of freedom are then the groups.

    Raises:
        ValueError: one class, a score outside 0 to 1, fewer than 3 groups wanted.
    """
    truth, score = check_scores(y_true, y_score)
    check_probabilities(score, "The Hosmer-Lemeshow test")
    if n_groups < 3:
        message = f"The Hosmer-Lemeshow test needs at least 3 groups; got {n_groups}: 10 is usual."
        raise StatisticsError(message)
    edges = np.unique(_quantiles(score, n_groups))
    group = np.searchsorted(edges[1:-1], score, side="left")
    present, group = np.unique(group, return_inverse=True)
    n, observed, expected = (
        np.bincount(group, weights=weight).astype(np.float64) for weight in (np.ones_like(score), truth, score)
    )
    df = present.size if held_out else present.size - 2
    if df < 1 or present.size < 2:
        return HosmerLemeshow(None, df, None, n, observed, expected, "not estimable: ties leave too few groups")
    statistic = float(_squares(observed, expected) + _squares(n - observed, n - expected))
    if math.isinf(statistic):
        note = "not estimable: a group was certain and wrong"
        return HosmerLemeshow(None, df, None, n, observed, expected, note)
    return HosmerLemeshow(statistic, df, float(stats.chi2.sf(statistic, df)), n, observed, expected, "")


def _quantiles(score: Floats, n_groups: int) -> Floats:
    """Edges of groups of equal size (R's type 7); one that falls on a score is that score, free of rounding."""
    ordered, steps = np.sort(score), np.arange(n_groups + 1) * (score.size - 1)
    below, rest = steps // n_groups, steps % n_groups
    above = np.minimum(below + 1, score.size - 1)
    return np.where(rest == 0, ordered[below], ordered[below] + (ordered[above] - ordered[below]) * rest / n_groups)


def _squares(observed: Floats, expected: Floats) -> float:
    apart = (observed - expected) ** 2
    impossible = np.where(apart > 1e-18, np.inf, 0.0)
    return float(np.divide(apart, expected, out=impossible, where=expected > 1e-12).sum())


def spiegelhalter(y_true: ArrayLike, y_score: ArrayLike) -> Spiegelhalter:
    """Spiegelhalter's z (1986): whether the Brier score is what the probabilities promise.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) probability of class 1.

    Raises:
        ValueError: one class, a score outside 0 to 1, unequal lengths.
    """
    truth, score = check_scores(y_true, y_score)
    check_probabilities(score, "Spiegelhalter's test")
    variance = float((((1 - 2 * score) ** 2) * score * (1 - score)).sum())
    if variance <= 0:
        return Spiegelhalter(None, None, "not estimable: every score is 0, 0.5 or 1")
    z = float(((truth - score) * (1 - 2 * score)).sum()) / math.sqrt(variance)
    return Spiegelhalter(z, float(2 * stats.norm.sf(abs(z))), "")
