"""DeLong's structural components of AUCs, and the variances that follow from them."""

from __future__ import annotations

import numpy as np
from scipy import stats

from glottis.evaluation.interval import Bools, Floats


def placements(truth: Bools, score: Floats) -> tuple[Floats, Floats]:
    """DeLong's components: share of negatives below each positive, of positives above each negative; ties half.

    Args:
        truth: (n,) outcome, both classes.
        score: (n,) score, or (m, n) scores of m models.

    Returns:
        (n_positive,) and (n_negative,) shares, or a row of them a model; their means are the AUC.
    """
    ranks = stats.rankdata(score, axis=-1)
    n_positive, n_negative = int(truth.sum()), int((~truth).sum())
    of_positives = (ranks[..., truth] - stats.rankdata(score[..., truth], axis=-1)) / n_negative
    of_negatives = 1 - (ranks[..., ~truth] - stats.rankdata(score[..., ~truth], axis=-1)) / n_positive
    return of_positives, of_negatives


def variance_of_mean(parts: Floats) -> float:
    """Variance of the mean of components (n,); 0 of a single one."""
    return float(parts.var(ddof=1) / parts.size) if parts.size > 1 else 0.0


def covariance_of_means(parts: Floats) -> Floats:
    """(m, m) covariance of the means of the rows of components (m, n); 0 of single ones."""
    if parts.shape[1] < 2:
        return np.zeros((parts.shape[0],) * 2)
    centred = parts - parts.mean(axis=1, keepdims=True)
    return np.asarray(centred @ centred.T / (parts.shape[1] - 1) / parts.shape[1])
