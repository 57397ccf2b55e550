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
    found = np.zeros((counts.shape[0], 16))
    by_level = np.empty(levels.size)
    by_size = np.empty(sizes.size)
    for a in range(counts.shape[0]):
        m = found[a]
        n = sum_cells(counts[a], levels, sizes, by_level, by_size, m)
        sum_entropy(counts[a], n, m)
        mean_level = sum_margin(by_level, levels, m[2:4], m[8:9]) / n
        voxels = sum_margin(by_size, sizes, m[0:2], m[10:11])
        m[12] = sum_squares(by_level, levels, mean_level)
        m[13] = sum_squares(by_size, sizes, voxels / n)
        m[9], m[11], m[14] = m[8] / n**2, m[10] / n**2, n / voxels
        for k in (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13):
            m[k] /= n
    return found


@njit(cache=True, nogil=True)
def sum_cells(counts: Array, levels: Array, sizes: Array, by_level: Array, by_size: Array, m: Array) -> float:
    """Fill both margins and the four joint emphases of one matrix; returns the number of elements."""
    n = 0.0
    for s in range(sizes.size):
        by_size[s] = 0
    for g in range(levels.size):
        by_level[g] = 0
        square = float(levels[g]) ** 2
        for s in range(sizes.size):
            count = counts[g, s]
            if count != 0:
                size = float(sizes[s]) ** 2
                by_level[g] += count
                by_size[s] += count
                m[4] += count / (square * size)
                m[5] += count * square / size
                m[6] += count * size / square
                m[7] += count * square * size
        n += by_level[g]
    return n


@njit(cache=True, nogil=True)
def sum_entropy(counts: Array, n: float, m: Array) -> None:
    """Entropy over level and size, in bits."""
    for g in range(counts.shape[0]):
        for s in range(counts.shape[1]):
            if counts[g, s] != 0:
                p = counts[g, s] / n
                m[15] -= p * np.log2(p + EPSILON)


@njit(cache=True, nogil=True)
def sum_margin(margin: Array, values: Array, emphases: Array, nonuniformity: Array) -> float:
    """Emphases of small and of large values and the non-uniformity of one margin; returns the sum of values."""
    total = 0.0
    for k in range(values.size):
        square = float(values[k]) ** 2
        total += margin[k] * values[k]
        emphases[0] += margin[k] / square
        emphases[1] += margin[k] * square
        nonuniformity[0] += margin[k] ** 2
    return total


@njit(cache=True, nogil=True)
def sum_squares(margin: Array, values: Array, mean: float) -> float:
    """Squared distances from the mean."""
    total = 0.0
    for k in range(values.size):
        total += margin[k] * (values[k] - mean) ** 2
    return total
