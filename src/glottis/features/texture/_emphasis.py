"""Measures that run-length, size-zone and dependence matrices share: counts by grey level and by size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
EPSILON = float(np.spacing(1.0))
MEASURES = (
    "small", "large", "low", "high", "small_low", "small_high", "large_low", "large_high", "level_nonuniformity",
    "level_nonuniformity_normalised", "size_nonuniformity", "size_nonuniformity_normalised", "level_variance",
    "size_variance", "percentage", "entropy",
)  # fmt: skip
"""Neutral names, in the order of ``measure_counts``."""


def measure(counts: Array, levels: Array, sizes: Array) -> dict[str, Array]:
    """Emphases, non-uniformities, variances and the entropy of one or several matrices.

    Args:
        counts: ``(A, G, S)``, elements of each grey level and size; no matrix is empty.
        levels: ``(G,)`` grey levels, from 1.
        sizes: ``(S,)`` lengths, areas or dependences, from 1.

    Returns:
        by neutral name, arrays ``(A,)``: one value a matrix.
    """
    found = measure_counts(np.ascontiguousarray(counts), levels, sizes)
    return dict(zip(MEASURES, found.T, strict=True))


@njit(cache=True, nogil=True)
def measure_counts(counts: Array, levels: Array, sizes: Array) -> Array:
    """``MEASURES`` of every matrix ``(A, G, S)``, ``(A, 16)``."""
    n_matrices, n_levels, n_sizes = counts.shape
    found = np.zeros((n_matrices, 16))
    by_size = np.empty(n_sizes)
    by_level = np.empty(n_levels)
    for a in range(n_matrices):
        m = found[a]
        for s in range(n_sizes):
            by_size[s] = 0
        n = 0.0
        for g in range(n_levels):
            by_level[g] = 0
            square = float(levels[g]) ** 2
            for s in range(n_sizes):
                count = counts[a, g, s]
                if count == 0:
                    continue
                size = float(sizes[s]) ** 2
                by_level[g] += count
                by_size[s] += count
                m[4] += count / (square * size)
                m[5] += count * square / size
                m[6] += count * size / square
                m[7] += count * square * size
            n += by_level[g]
        voxels, mean_level, mean_size = 0.0, 0.0, 0.0
        for s in range(n_sizes):
            if by_size[s] > 0:
                size = float(sizes[s])
                voxels += by_size[s] * size
                m[0] += by_size[s] / size**2
                m[1] += by_size[s] * size**2
                m[10] += by_size[s] ** 2
        for g in range(n_levels):
            square = float(levels[g]) ** 2
            mean_level += by_level[g] * levels[g]
            m[2] += by_level[g] / square
            m[3] += by_level[g] * square
            m[8] += by_level[g] ** 2
        mean_level /= n
        mean_size = voxels / n
        for s in range(n_sizes):
            m[13] += by_size[s] * (sizes[s] - mean_size) ** 2
        for g in range(n_levels):
            m[12] += by_level[g] * (levels[g] - mean_level) ** 2
            for s in range(n_sizes):
                if counts[a, g, s] != 0:
                    p = counts[a, g, s] / n
                    m[15] -= p * np.log2(p + EPSILON)
        m[9], m[11] = m[8] / n**2, m[10] / n**2
        m[14] = n / voxels
        for k in (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13):
            m[k] /= n
    return found
