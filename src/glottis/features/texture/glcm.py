"""Grey level co-occurrence matrix: pairs of neighbouring voxels along thirteen directions (Haralick; IBSI LFYI)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from glottis.features.texture._eigenvalues import second_eigenvalues
from glottis.features.texture._kernels import EPSILON, joint_entropies, sum_cooccurrences

Array = NDArray[Any]


NAMES = (
    "Contrast", "DifferenceAverage", "DifferenceEntropy", "DifferenceVariance", "Id", "Idm", "Idmn", "Idn",
    "InverseVariance", "ClusterTendency", "ClusterShade", "ClusterProminence", "SumAverage", "SumEntropy",
    "JointAverage", "SumSquares", "Autocorrelation", "Correlation", "JointEnergy", "MaximumProbability",
    "JointEntropy", "Imc1", "Imc2",
)  # fmt: skip
"""In the order of ``measure_cooccurrences``."""


def features(pairs: Array, levels: Array) -> dict[str, float]:
    """Co-occurrence features of the symmetric matrices, each averaged over the directions that hold a pair.

    Args:
        pairs: ``(13, G, G)``, pairs (voxel, next voxel) by direction and grey levels, each pair once.
        levels: ``(G,)`` grey levels present, from 1.

    Returns:
        24 features; all NaN but MCC where no voxel has a neighbour.
    """
    pairs = pairs[pairs.any(axis=(1, 2))]
    rows, differences, sums = sum_cooccurrences(pairs, levels, int(levels[-1]))
    totals = rows.sum(axis=1)
    found = measure_cooccurrences(rows, differences, sums, totals, levels, joint_entropies(pairs, rows, totals))
    values = dict(zip(NAMES, _mean(found.T), strict=True))
    values["MCC"] = _mean(_largest_correlation(pairs, rows, totals)[None])[0]
    return {name: values[name] for name in sorted(values)}


def _mean(values: Array) -> list[float]:
    """Mean over directions (the last axis), those without a value left out; NaN where none has one."""
    known = ~np.isnan(values)
    n = known.sum(axis=1)
    means = np.full(len(values), np.nan)
    np.divide(np.where(known, values, 0.0).sum(axis=1), n, out=means, where=n > 0)
    return [float(mean) for mean in means]


@njit(cache=True, nogil=True)
def measure_cooccurrences(
    rows: Array, differences: Array, sums: Array, totals: Array, levels: Array, joint: Array
) -> Array:
    """``NAMES`` of every direction ``(A, 23)``.

    Args:
        rows: ``(A, G)`` counts by level; ``differences`` and ``sums`` likewise by difference and sum of levels.
        differences: ``(A, top)``.
        sums: ``(A, 2 top + 1)``.
        totals: ``(A,)``.
        levels: ``(G,)``.
        joint: ``(A, 5)`` of ``joint_entropies``.
    """
    top = float(differences.shape[1])
    found = np.zeros((rows.shape[0], 23))
    for a in range(rows.shape[0]):
        m, total = found[a], totals[a]
        for k in range(differences.shape[1]):
            if differences[a, k] == 0:
                continue
            p = differences[a, k] / total
            m[0] += p * k**2
            m[1] += p * k
            m[2] -= p * np.log2(p + EPSILON)
            m[4] += p / (1 + k)
            m[5] += p / (1 + k**2)
            m[6] += p / (1 + k**2 / top**2)
            m[7] += p / (1 + k / top)
            if k > 0:
                m[8] += p / k**2
        for k in range(differences.shape[1]):
            m[3] += differences[a, k] / total * (k - m[1]) ** 2
        marginal = 0.0
        for g in range(levels.size):
            p = rows[a, g] / total
            m[14] += p * levels[g]
            marginal -= p * np.log2(p + EPSILON)
        for g in range(levels.size):
            m[15] += rows[a, g] / total * (levels[g] - m[14]) ** 2
        square = 0.0
        for k in range(sums.shape[1]):
            if sums[a, k] == 0:
                continue
            p = sums[a, k] / total
            centred = k - 2 * m[14]
            m[9] += p * centred**2
            m[10] += p * centred**3
            m[11] += p * centred**4
            m[12] += p * k
            m[13] -= p * np.log2(p + EPSILON)
            square += p * k**2
        m[16] = (square - m[0]) / 4
        m[17] = 1.0 if m[15] == 0 else (m[9] - m[0]) / 4 / (m[15] + EPSILON)
        entropy, cross_1, cross_2 = joint[a, 2], joint[a, 3], joint[a, 4]
        m[18], m[19], m[20] = joint[a, 0], joint[a, 1], entropy
        m[21] = 0.0 if marginal == 0 else (entropy - cross_1) / marginal
        m[22] = 0.0 if cross_2 == entropy else np.sqrt(1 - np.exp(-2 * (cross_2 - entropy)))
    return found


def _largest_correlation(pairs: Array, rows: Array, totals: Array) -> Array:
    """Maximal correlation coefficient of every direction: second largest eigenvalue size of D^-1/2 P D^-1/2.

    Its squares are the eigenvalues of the matrix Q that defines the feature. One where a single grey level exists.
    """
    if pairs.shape[1] < 2:
        return np.ones(1)
    found = second_eigenvalues(pairs, rows, totals)
    hard = np.isnan(found)
    if hard.any():
        found[hard] = dense_second_eigenvalues(pairs[hard], rows[hard])
    return np.asarray(found)


def dense_second_eigenvalues(pairs: Array, rows: Array) -> Array:
    """Second largest eigenvalue size of D^-1/2 P D^-1/2 for every direction, by a dense solver, ``(A,)``.

    The entries are those of ``second_eigenvalues``.
    """
    scale = np.zeros(rows.shape)
    np.divide(1.0, np.sqrt(rows), out=scale, where=rows > 0)
    inverse = scale[:, :, None] * scale[:, None, :]
    totals = rows.sum(axis=1)[:, None, None]
    symmetric = (pairs + pairs.transpose(0, 2, 1)) * inverse / np.sqrt(1 + EPSILON * (totals * inverse) ** 2)
    return np.asarray(np.sort(np.abs(np.linalg.eigvalsh(symmetric)), axis=1)[:, -2])
