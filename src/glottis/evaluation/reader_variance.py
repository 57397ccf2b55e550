"""Through what the AUCs of several readers vary: readers, modalities, and the cases that they share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from glottis.evaluation.interval import Bools, Floats
from glottis.evaluation.placements import covariance_of_means, placements


@dataclass(frozen=True)
class Components:
    """Variances and covariances of the readers' AUCs.

    Attributes:
        error: variance of one reader's AUC in one modality, through the cases.
        cov1: same reader, different modalities.
        cov2: different readers, same modality.
        cov3: different readers, different modalities.
        ms_modality: mean square of the modalities.
        ms_reader: mean square of the readers.
        ms_interaction: mean square of modality by reader.
        reader: variance between readers; an estimate that may be negative.
        interaction: variance of modality by reader; may be negative.
    """

    error: float
    cov1: float
    cov2: float
    cov3: float
    ms_modality: float
    ms_reader: float
    ms_interaction: float
    reader: float
    interaction: float


@dataclass(frozen=True)
class ErrorTerm:
    """Variance that a mean or difference has, and the degrees of freedom of its t; infinite for z."""

    variance: float
    df: float


def aucs_and_covariance(truth: Bools, scores: Floats, method: str) -> tuple[Floats, Floats]:
    """AUCs (t, r) and their covariances through the cases, (t, r, t, r)."""
    shape = scores.shape[:2]
    flat = scores.reshape(-1, truth.size)
    n1, n0 = int(truth.sum()), int((~truth).sum())
    of_positives, of_negatives = placements(truth, flat)
    auc = of_positives.mean(axis=1)
    if method == "delong":
        matrix = covariance_of_means(of_positives) + covariance_of_means(of_negatives)
    else:
        total = auc[:, None]
        without = np.hstack([(n1 * total - of_positives) / (n1 - 1), (n0 * total - of_negatives) / (n0 - 1)])
        matrix = np.cov(without) * (truth.size - 1) ** 2 / truth.size
    return auc.reshape(shape), np.asarray(matrix).reshape(*shape, *shape)


def components(auc: Floats, matrix: Floats) -> Components:
    """Mean squares of the AUCs (t, r), and means of their covariances (t, r, t, r) by kind of pair."""
    t, r = auc.shape
    same_modality = np.einsum("iaib->iab", matrix).sum(axis=0)
    all_modalities = np.einsum("iajb->ab", matrix)
    within, across = same_modality.trace(), all_modalities.trace()
    n_pairs = r * (r - 1)
    grand, of_modality, of_reader = auc.mean(), auc.mean(axis=1), auc.mean(axis=0)
    left = auc - of_modality[:, None] - of_reader[None, :] + grand
    error, cov1 = within / (t * r), (across - within) / (t * (t - 1) * r)
    cov2 = (same_modality.sum() - within) / (t * n_pairs) if n_pairs else 0.0
    others = all_modalities.sum() - same_modality.sum() - (across - within)
    cov3 = others / (t * (t - 1) * n_pairs) if n_pairs else 0.0
    ms_reader = t * float(((of_reader - grand) ** 2).sum()) / (r - 1) if n_pairs else 0.0
    ms_interaction = float((left**2).sum()) / ((t - 1) * (r - 1)) if n_pairs else 0.0
    return Components(
        error=float(error),
        cov1=float(cov1),
        cov2=float(cov2),
        cov3=float(cov3),
        ms_modality=r * float(((of_modality - grand) ** 2).sum()) / (t - 1),
        ms_reader=ms_reader,
        ms_interaction=ms_interaction,
        reader=float((ms_reader - ms_interaction) / t - cov1 + cov3),
        interaction=float(ms_interaction - error + cov1 + cov2 - cov3),
    )


def error_of_difference(parts: Components, r: int, df: int, reader_factor: str) -> ErrorTerm:
    """Error term: the variance of a difference of two means is 2 / r times this."""
    shared = max(parts.cov2 - parts.cov3, 0.0)
    if reader_factor == "fixed":
        return ErrorTerm(parts.error - parts.cov1 + (r - 1) * shared, math.inf)
    term = parts.ms_interaction + r * shared
    return ErrorTerm(term, term**2 / (parts.ms_interaction**2 / df) if parts.ms_interaction > 0 else math.inf)
