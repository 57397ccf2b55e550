"""Compiled loops of local binary patterns on spheres: a row of the arrays is one value of many voxels side by side."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

TAPS = 4
"""Coefficients of a cubic spline that reach one place along an axis."""


@intrinsic
def _fused(context: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c`` rounded once, as numpy multiplies complex numbers."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.fma(*values)

    return types.float64(types.float64, types.float64, types.float64), generate


class AxisTable(NamedTuple):
    """Where the points of the sphere fall along one axis, for the wanted indices of that axis.

    Attributes:
        first: ``(points, n)`` first of four coefficients, counted from ``taken[0]``; -1 where the point is outside.
        weights: ``(points, 4, n)`` of the coefficients.
        taken: indices of the coefficients along the whole axis, mirrored at its ends.
    """

    first: NDArray[np.int64]
    weights: NDArray[np.float64]
    taken: NDArray[np.int64]


@njit(cache=True, nogil=True)
def _add_taps(lines: Any, first: int, weights: Any, start: int, row: Any) -> None:
    """Add 4 x 4 neighbours along y and x, one after the other, each times its weight along x."""
    line0, line1, line2, line3 = lines[0, first:], lines[1, first:], lines[2, first:], lines[3, first:]
    weight0, weight1, weight2, weight3 = weights[0, start:], weights[1, start:], weights[2, start:], weights[3, start:]
    for x in range(row.size):
        a, b, c, d = weight0[x], weight1[x], weight2[x], weight3[x]
        total = row[x] + line0[x] * a + line0[x + 1] * b + line0[x + 2] * c + line0[x + 3] * d
        total = total + line1[x] * a + line1[x + 1] * b + line1[x + 2] * c + line1[x + 3] * d
        total = total + line2[x] * a + line2[x + 1] * b + line2[x + 2] * c + line2[x + 3] * d
        row[x] = total + line3[x] * a + line3[x + 1] * b + line3[x + 2] * c + line3[x + 3] * d


@njit(cache=True, nogil=True)
def interpolate(
    coefficients: Any, z: AxisTable, y: AxisTable, x: AxisTable, begin: int, n: int, lines: Any, samples: Any
) -> None:
    """Intensities on the spheres round ``n`` rows of voxels from row ``begin`` on: ``samples`` ``(points, n * x)``.

    4 x 4 x 4 coefficients, x fastest, are added one after the other; each is multiplied along z, y and x in turn.
    ``lines`` ``(4, x)`` is scratch.
    """
    n_y, n_x = y.first.shape[1], x.weights.shape[2]
    for p in range(x.first.shape[0]):
        for r in range(n):
            k = (begin + r) // n_y
            j = begin + r - k * n_y
            row = samples[p, r * n_x : (r + 1) * n_x]
            for w in range(n_x):
                row[w] = 0.0
            if z.first[p, k] < 0 or y.first[p, j] < 0:
                continue
            for i in range(TAPS):
                for t in range(TAPS):
                    line, product = coefficients[z.first[p, k] + i, y.first[p, j] + t], lines[t]
                    a, b = z.weights[p, i, k], y.weights[p, t, j]
                    for w in range(product.size):
                        product[w] = line[w] * a * b
                for run in range(x.first.shape[1]):
                    start, stop, first = x.first[p, run, 0], x.first[p, run, 1], x.first[p, run, 2]
                    if stop > start:
                        _add_taps(lines, first, x.weights[p], start, row[start:stop])


@njit(cache=True, nogil=True)
def to_whole(rows: Any, n_points: int, low: float, high: float) -> None:
    """Round to whole numbers, half away from 0, and keep them in the range of the pixel type."""
    for p in range(n_points):
        row = rows[p]
        for w in range(row.size):
            value = row[w] + 0.5 if row[w] > 0 else row[w] - 0.5
            value = high if value > high else value
            row[w] = np.trunc(low if value < low else value)


@njit(cache=True, nogil=True)
def sum_patterns(samples: Any, centres: Any, at: int, harmonics: Any, sums: Any, squares: Any) -> None:
    """Square every point's part of the pattern of each degree, and add them up.

    A point belongs to the pattern where it is at least as bright as the voxel.

    Args:
        samples: intensities ``(points and scratch, n)``.
        centres: intensities of the voxels.
        at: the first of the ``n`` voxels among ``centres``.
        harmonics: ``(terms, points)``, real and imaginary parts in turn.
        sums: zeros ``(terms, n)``, and two scratch rows.
        squares: takes the result ``(degrees, real and imaginary, voxels)``.
    """
    n_terms, n_points = harmonics.shape
    centre = centres[at : at + samples.shape[1]]
    for p in range(n_points):
        sample = samples[p]
        for term in range(n_terms):
            total, value = sums[term], harmonics[term, p]
            for w in range(centre.size):
                total[w] += value if sample[w] >= centre[w] else 0.0
    re, im = sums[n_terms], sums[n_terms + 1]
    for degree in range(squares.shape[0]):
        for p in range(n_points):
            for term in range(2 * degree * degree, 2 * (degree + 1) * (degree + 1), 2):
                a, b = harmonics[term, p], harmonics[term + 1, p]
                c, d = sums[term], sums[term + 1]
                begun = term > 2 * degree * degree
                for w in range(centre.size):
                    re[w] = (re[w] if begun else 0.0) + _fused(c[w], a, -(d[w] * b))
                    im[w] = (im[w] if begun else 0.0) + _fused(c[w], b, d[w] * a)
            real, imaginary = squares[degree, 0, at:], squares[degree, 1, at:]
            for w in range(centre.size):
                real[w] += _fused(re[w], re[w], -(im[w] * im[w]))
                imaginary[w] += 2 * (re[w] * im[w])


@njit(cache=True, nogil=True, error_model="numpy")
def sum_moments(rows: Any, steps: Any, n_points: int, single: bool, at: int, moments: Any) -> None:
    """Mean, second and fourth central moment over the first ``n_points`` rows, which are used up.

    Every step is rounded to single precision if ``single``, as numpy does with such an array.
    """
    total = rows[steps[-1, 0]]
    mean = moments[0, at:]
    for moment in range(3):
        for step in range(steps.shape[0]):
            target, a, b = rows[steps[step, 0]], rows[steps[step, 1]], rows[steps[step, 2]]
            for w in range(total.size):
                value = a[w] + b[w]
                target[w] = np.float32(value) if single else value
        result = moments[moment, at:]
        for w in range(total.size):
            value = total[w] / n_points
            result[w] = np.float32(value) if single else value
        for p in range(n_points if moment < 2 else 0):
            row = rows[p]
            for w in range(total.size):
                value = row[w] - (mean[w] if moment == 0 else 0.0)
                value = np.float32(value) if single else value
                row[w] = np.float32(value * value) if single else value * value
