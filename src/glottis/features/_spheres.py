"""Intensities on a sphere round every voxel, and what their pattern sums up to, in the rounding of SciPy and numpy.

A point of the sphere lies at a voxel's index plus a constant, so that the weights of the cubic spline are tabulated
for every axis, point and index. A few rows of voxels are worked on at once, so that memory stays flat.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.features._sphere_kernels import TAPS, AxisTable, interpolate, sum_moments, sum_patterns, to_whole

_PAIRWISE_BLOCK = 128
_BLOCK = 40_000
"""Intensities that are held at once, so that they stay in the cache."""


def tabulate(offsets: NDArray[np.float64], size: int, part: slice) -> AxisTable:
    """Cubic spline weights of the points ``index + offset`` along an axis of ``size`` voxels, as SciPy rounds them.

    Args:
        offsets: of the points along this axis, in voxels.
        size: of the axis.
        part: the indices that are wanted.
    """
    where = np.arange(part.start, part.stop) + offsets[:, None]
    inside = (where >= 0) & (where <= size - 1)
    below = np.floor(where)
    first = below.astype(np.int64) - 1
    lowest = int(first.min(where=inside, initial=part.start))
    highest = int(first.max(where=inside, initial=lowest))
    period = max(2 * size - 2, 1)
    taken = np.abs(np.arange(lowest, highest + TAPS)) % period
    taken = np.where(taken >= size, period - taken, taken)
    return AxisTable(np.where(inside, first - lowest, -1), _weights(where - below), taken)


def _weights(after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cubic B-spline ``(points, 4, n)`` at this distance after the second of four knots; they sum to 1."""
    before = 1.0 - after
    first = before * before * before / 6.0
    second = (after * after * (after - 2.0) * 3.0 + 4.0) / 6.0
    third = (before * before * (before - 2.0) * 3.0 + 4.0) / 6.0
    return np.stack([first, second, third, 1.0 - first - second - third], axis=1)


def runs_of(first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stretches ``(points, runs, 3)`` of indices whose first coefficients follow each other: begin, end, first.

    A point has one, or a few where its place is rounded to a voxel; unused ones are empty.
    """
    found = []
    for row in first:
        breaks = np.flatnonzero((np.diff(row) != 1) | (row[1:] < 1)) + 1
        begins, ends = [0, *breaks], [*breaks, row.size]
        found.append([(b, e, row[b]) for b, e in zip(begins, ends, strict=True) if row[b] >= 0])
    runs = np.zeros((len(found), max(1, *map(len, found)), 3), dtype=np.int64)
    for k, some in enumerate(found):
        for r, run in enumerate(some):
            runs[k, r] = run
    return runs


def additions(n: int) -> NDArray[np.int64]:
    """Pairwise sum of ``n >= 8`` rows in numpy's order: steps ``target = a + b``; rows from ``n`` on are scratch.

    Up to 128 rows are added as eight sums side by side, which are then joined; more are halved first. The last target
    holds the sum.
    """
    steps: list[tuple[int, int, int]] = []
    unused = count(n)

    def add(a: int, b: int) -> int:
        steps.append((a if a >= n else next(unused), a, b))
        return steps[-1][0]

    def add_all(begin: int, size: int) -> int:
        if size > _PAIRWISE_BLOCK:
            half = size // 2 - size // 2 % 8
            return add(add_all(begin, half), add_all(begin + half, size - half))
        sums = list(range(begin, begin + 8))
        for row in range(begin + 8, begin + size - size % 8):
            sums[(row - begin) % 8] = add(sums[(row - begin) % 8], row)
        while len(sums) > 1:
            sums = [add(a, b) for a, b in zip(sums[::2], sums[1::2], strict=True)]
        for row in range(begin + size - size % 8, begin + size):
            sums[0] = add(sums[0], row)
        return sums[0]

    add_all(0, n)
    return np.array(steps, dtype=np.int64)


def measure(
    image: NDArray[Any], part: tuple[slice, slice, slice], points: NDArray[np.float64], harmonics: NDArray[Any]
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Squared norm of the pattern's part of every degree, and the kurtosis on the sphere, of the voxels in a part.

    Points outside the image are 0; intensities have its pixel type (whole numbers beyond 2^53 are not told apart).

    Args:
        image: voxels ``(z, y, x)``; all are looked at.
        part: the voxels that are wanted.
        points: ``(points, 3)`` of the sphere, in voxels, at least 8.
        harmonics: ``(points, L^2)`` complex, the degrees from 0 to L - 1 one after the other.

    Returns:
        squares ``(L, z, y, x)`` and kurtosis ``(z, y, x)``, not a number where all intensities are equal.
    """
    from scipy.ndimage import spline_filter

    n_points = len(points)
    z, y, x = (tabulate(points[:, axis], image.shape[axis], part[axis]) for axis in range(3))
    coefficients = spline_filter(image, order=3, output=np.float64)[np.ix_(z.taken, y.taken, x.taken)]
    x = x._replace(first=runs_of(x.first))
    centres = image[part].astype(np.float64, order="C")
    terms = np.ascontiguousarray(np.stack([harmonics.real, harmonics.imag], axis=2).reshape(n_points, -1).T)
    squares = np.zeros((math.isqrt(harmonics.shape[1]), 2, centres.size))
    moments = np.empty((3, centres.size))
    steps, lines, width = additions(n_points), np.empty((TAPS, coefficients.shape[2])), centres.shape[2]
    whole, single = image.dtype.kind in "iu", image.dtype == np.float32
    for begin, n in _blocks(centres.size // width, width * n_points):
        rows = np.empty((steps.max() + 1, n * width))
        interpolate(coefficients, z, y, x, begin, n, lines, rows)
        if whole:
            limits = np.iinfo(image.dtype)
            to_whole(rows, n_points, float(limits.min), float(limits.max))
        elif single:
            rows[:n_points] = rows[:n_points].astype(np.float32)
        sums = np.zeros((len(terms) + 2, n * width))
        sum_patterns(rows, centres.reshape(-1), begin * width, terms, sums, squares)
        sum_moments(rows, steps, n_points, single, begin * width, moments)
    kurtosis = _kurtosis(*moments.astype(np.float32 if single else np.float64))
    return (squares[:, 0] + 1j * squares[:, 1]).reshape(-1, *centres.shape), kurtosis.reshape(centres.shape)


def _blocks(n_rows: int, samples_a_row: int) -> Iterator[tuple[int, int]]:
    """First row and number of rows of the blocks that are worked on at once."""
    step = max(1, _BLOCK // samples_a_row)
    for begin in range(0, n_rows, step):
        yield begin, min(step, n_rows - begin)


def _kurtosis(mean: NDArray[Any], second: NDArray[Any], fourth: NDArray[Any]) -> NDArray[Any]:
    """Excess kurtosis, not a number where all values are equal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        flat = second <= (np.finfo(second.dtype).resolution * mean) ** 2
        values: NDArray[Any] = np.where(flat, np.nan, fourth / second**2) - 3
    return values
