"""First-order features: the distribution of intensities inside the mask (IBSI UHIW)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
EPSILON = float(np.spacing(1.0))


def features(values: Array, counts: Array, *, voxel_volume_mm3: float, shift: float = 0.0) -> dict[str, float]:
    """All first-order features, the deprecated StandardDeviation among them.

    Args:
        values: ``(N,)`` intensities inside the mask, any order, at least one.
        counts: ``(G,)`` voxels of each grey level present (for Entropy and Uniformity).
        voxel_volume_mm3: volume of one voxel.
        shift: added to the intensities for Energy, TotalEnergy and RootMeanSquared.

    Returns:
        by PyRadiomics name. Kurtosis is not excess kurtosis; RobustMeanAbsoluteDeviation is NaN where no voxel lies
        between the 10th and 90th percentile.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    p10, p25, p75, p90 = (_percentile(ordered, q) for q in (0.10, 0.25, 0.75, 0.90))
    n = len(ordered)
    mean = float(ordered.mean())
    deviation, m2, m3, m4, energy = (float(total) for total in sum_powers(ordered, mean, float(shift)))
    deviation, m2, m3, m4 = deviation / n, m2 / n, m3 / n, m4 / n
    p = counts / n
    return {
        "10Percentile": p10,
        "90Percentile": p90,
        "Energy": energy,
        "Entropy": -float((p * np.log2(p + EPSILON)).sum()),
        "InterquartileRange": p75 - p25,
        "Kurtosis": m4 / m2**2 if m2 != 0 else 0.0,
        "Maximum": float(ordered[-1]),
        "MeanAbsoluteDeviation": deviation,
        "Mean": mean,
        "Median": float((ordered[(n - 1) // 2] + ordered[n // 2]) / 2),
        "Minimum": float(ordered[0]),
        "Range": float(ordered[-1] - ordered[0]),
        "RobustMeanAbsoluteDeviation": _robust_deviation(ordered, p10, p90),
        "RootMeanSquared": float(np.sqrt(energy / n)),
        "Skewness": m3 / m2**1.5 if m2 != 0 else 0.0,
        "StandardDeviation": float(np.sqrt(m2)),
        "TotalEnergy": energy * voxel_volume_mm3,
        "Uniformity": float((p * p).sum()),
        "Variance": m2,
    }


@njit(cache=True, nogil=True)
def sum_powers(values: Array, mean: float, shift: float) -> Array:
    """Sums of abs(d), d^2, d^3, d^4 with d = value - mean, and of (value + shift)^2; ``(5,)``."""
    deviation, square, cube, fourth, energy = 0.0, 0.0, 0.0, 0.0, 0.0
    for v in range(values.size):
        d = values[v] - mean
        d2 = d * d
        deviation += abs(d)
        square += d2
        cube += d2 * d
        fourth += d2 * d2
        energy += (values[v] + shift) ** 2
    return np.array([deviation, square, cube, fourth, energy])


def _percentile(ordered: Array, q: float) -> float:
    """Linear interpolation between order statistics (numpy's default), from whichever end is nearer."""
    position = q * (len(ordered) - 1)
    below = int(position)
    part = position - below
    low = float(ordered[below])
    high = float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


def _robust_deviation(ordered: Array, low: float, high: float) -> float:
    """Mean absolute deviation of the intensities from ``low`` to ``high``, about their own mean."""
    kept = ordered[np.searchsorted(ordered, low) : np.searchsorted(ordered, high, side="right")]
    return float(np.abs(kept - kept.mean()).mean()) if kept.size else float("nan")
