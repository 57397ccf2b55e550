"""Measures that run-length, size-zone and dependence matrices share: counts by grey level and by size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
EPSILON = float(np.spacing(1.0))


def measure(counts: Array, levels: Array, sizes: Array) -> dict[str, Array]:
    """Emphases, non-uniformities, variances and the entropy of one or several matrices.

    Args:
        counts: ``(A, G, S)``, elements of each grey level and size; no matrix is empty.
        levels: ``(G,)`` grey levels, from 1.
        sizes: ``(S,)`` lengths, areas or dependences, from 1.

    Returns:
        by neutral name, arrays ``(A,)``: one value a matrix.
    """
    i2 = levels.astype(np.float64) ** 2
    j2 = sizes.astype(np.float64) ** 2
    by_level = counts.sum(axis=2, dtype=np.float64)
    by_size = counts.sum(axis=1, dtype=np.float64)
    n = by_size.sum(axis=1)
    small_large = counts @ np.stack([1 / j2, j2], axis=1) / n[:, None, None]
    low_high = np.stack([1 / i2, i2])
    joint = low_high @ small_large
    emphases = low_high @ by_level.T / n
    level_square = (by_level**2).sum(axis=1)
    size_square = (by_size**2).sum(axis=1)
    return {
        "small": small_large[:, :, 0].sum(axis=1),
        "large": small_large[:, :, 1].sum(axis=1),
        "low": emphases[0],
        "high": emphases[1],
        "small_low": joint[:, 0, 0],
        "small_high": joint[:, 1, 0],
        "large_low": joint[:, 0, 1],
        "large_high": joint[:, 1, 1],
        "level_nonuniformity": level_square / n,
        "level_nonuniformity_normalised": level_square / n**2,
        "size_nonuniformity": size_square / n,
        "size_nonuniformity_normalised": size_square / n**2,
        "level_variance": _variance(by_level / n[:, None], levels),
        "size_variance": _variance(by_size / n[:, None], sizes),
        "percentage": n / (by_size @ sizes),
        "entropy": _entropy(counts, n),
    }


def _variance(p: Array, values: Array) -> Array:
    mean = p @ values
    return np.asarray((p * (values - mean[:, None]) ** 2).sum(axis=1))


def _entropy(counts: Array, n: Array) -> Array:
    matrix, level, size = np.nonzero(counts)
    p = counts[matrix, level, size] / n[matrix]
    return -np.bincount(matrix, weights=p * np.log2(p + EPSILON), minlength=len(n))
