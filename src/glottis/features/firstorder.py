"""First-order features: the distribution of intensities inside the mask (IBSI UHIW)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
EPSILON = float(np.spacing(1.0))
SLOTS = 1024
"""Equal slots between the smallest and largest intensity, to find order statistics without sorting all."""


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
    values = np.asarray(values, dtype=np.float64)
    n = len(values)
    minimum, maximum, median, p10, p25, p75, p90 = _quantiles(values)
    mean = float(values.mean())
    deviation, m2, m3, m4, energy = sum_powers(values, mean, float(shift))
    deviation, m2, m3, m4 = deviation / n, m2 / n, m3 / n, m4 / n
    p = counts / n
    return {
        "10Percentile": p10,
        "90Percentile": p90,
        "Energy": energy,
        "Entropy": -float((p * np.log2(p + EPSILON)).sum()),
        "InterquartileRange": p75 - p25,
        "Kurtosis": m4 / m2**2 if m2 != 0 else 0.0,
        "Maximum": maximum,
        "MeanAbsoluteDeviation": deviation,
        "Mean": mean,
        "Median": median,
        "Minimum": minimum,
        "Range": maximum - minimum,
        "RobustMeanAbsoluteDeviation": float(deviation_between(values, p10, p90)),
        "RootMeanSquared": float(np.sqrt(energy / n)),
        "Skewness": m3 / m2**1.5 if m2 != 0 else 0.0,
        "StandardDeviation": float(np.sqrt(m2)),
        "TotalEnergy": energy * voxel_volume_mm3,
        "Uniformity": float((p * p).sum()),
        "Variance": m2,
    }


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def sum_powers(values: Array, mean: float, shift: float) -> tuple[float, float, float, float, float]:
    """Sums of abs(d), d^2, d^3, d^4 with d = value - mean, and of (value + shift)^2."""
    deviation, square, cube, fourth, energy = 0.0, 0.0, 0.0, 0.0, 0.0
    for v in range(values.size):
        d = values[v] - mean
        d2 = d * d
        deviation += abs(d)
        square += d2
        cube += d2 * d
        fourth += d2 * d2
        energy += (values[v] + shift) ** 2
    return deviation, square, cube, fourth, energy


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def deviation_between(values: Array, low: float, high: float) -> float:
    """Mean absolute deviation of the intensities from ``low`` to ``high``, about their own mean; NaN where none is."""
    n, total = 0, 0.0
    for v in range(values.size):
        inside = (values[v] >= low) & (values[v] <= high)
        n += inside
        total += values[v] if inside else 0.0
    if n == 0:
        return np.nan
    mean, deviation = total / n, 0.0
    for v in range(values.size):
        inside = (values[v] >= low) & (values[v] <= high)
        deviation += abs(values[v] - mean) if inside else 0.0
    return deviation / n


def _quantiles(values: Array) -> tuple[float, ...]:
    """Minimum, maximum, median and the percentiles 10, 25, 75 and 90, by linear interpolation (numpy's default)."""
    last = len(values) - 1
    low, high = float(values.min()), float(values.max())
    places = np.array([q * last for q in (0.10, 0.25, 0.75, 0.90)])
    below = places.astype(np.int64)
    wanted = np.unique(np.concatenate([below, np.minimum(below + 1, last), [last // 2, len(values) // 2]]))
    bracketed, skipped = bracket(values, low, high, wanted)
    found = dict(zip(wanted.tolist(), np.sort(bracketed)[wanted - skipped].tolist(), strict=True))
    median = (found[last // 2] + found[len(values) // 2]) / 2
    between = (
        _between(found[at], found[min(at + 1, last)], place - at)
        for at, place in zip(below.tolist(), places.tolist(), strict=True)
    )
    return low, high, median, *between


def _between(low: float, high: float, part: float) -> float:
    """``part`` of the way from ``low`` to ``high``, measured from whichever is nearer."""
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


@njit(cache=True, nogil=True)
def bracket(values: Array, low: float, high: float, places: Array) -> tuple[Array, Array]:
    """The few values among which the order statistics at ``places`` lie.

    Values are counted in equal slots between ``low`` and ``high``; only slots that hold a place are kept.

    Args:
        values: any order.
        low: the smallest value.
        high: the largest value.
        places: ``(P,)`` wanted positions in the sorted values, ascending.

    Returns:
        the kept values in any order, and by place how many smaller values were left out, ``(P,)``.
    """
    scale = (SLOTS - 1) / (high - low) if high > low else 0.0
    counts = np.zeros(SLOTS, np.int64)
    slots = np.empty(values.size, np.uint16)
    for v in range(values.size):
        slot = int((values[v] - low) * scale) if scale > 0 else 0
        slots[v] = slot
        counts[slot] += 1
    kept = np.zeros(SLOTS, np.bool_)
    skipped = np.empty(places.size, np.int64)
    slot, before, left_out, n_kept = 0, 0, 0, 0
    for p in range(places.size):
        while before + counts[slot] <= places[p]:
            before += counts[slot]
            left_out += 0 if kept[slot] else counts[slot]
            slot += 1
        if not kept[slot]:
            kept[slot] = True
            n_kept += counts[slot]
        skipped[p] = left_out
    found = np.empty(n_kept)
    n = 0
    for v in range(values.size):
        if kept[slots[v]]:
            found[n] = values[v]
            n += 1
    return found, skipped
