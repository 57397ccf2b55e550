"""Interpolation one axis at a time, for a new grid whose axes are parallel to the image's; the values of ITK.

Third-order B-spline: Unser, "Splines: a perfect fit for signal and image processing", IEEE Signal Process Mag 16
(1999): 22-38; mirrored ends, the recursion starts from 18 terms as in ITK.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from glottis.data.volume import Volume

_POLE = math.sqrt(3.0) - 2.0
_HORIZON = 18
_WIDTH = 8
_TIE = 1e-9
"""A position or value this near to a tie is decided by rounding errors, so by the implementation that is followed."""


def positions(image: Volume, grid: Volume) -> list[NDArray[np.float64]] | None:
    """Continuous image index of every grid voxel along z, y and x; None where the axes are not parallel."""
    if image.direction != grid.direction:
        return None
    shift = np.asarray(grid.origin_mm) - np.asarray(image.origin_mm)
    start = (shift @ np.asarray(image.direction).reshape(3, 3))[::-1] / image.spacing_mm
    return [
        first + np.arange(size) * (new / old)
        for first, size, new, old in zip(start, grid.shape, grid.spacing_mm, image.spacing_mm, strict=True)
    ]


def inside(where: list[NDArray[np.float64]], shape: tuple[int, ...]) -> bool:
    """Whether every position lies within the outer faces of the outer voxels, beyond doubt."""
    return all(axis[0] > -0.5 + _TIE and axis[-1] < size - 0.5 - _TIE for axis, size in zip(where, shape, strict=True))


def nearest(voxels: NDArray[Any], where: list[NDArray[np.float64]]) -> NDArray[Any] | None:
    """Voxel nearest to each position; None where two are equally near."""
    half = [axis + 0.5 for axis in where]
    if any(np.abs(axis - np.rint(axis)).min() < _TIE for axis in half):
        return None
    z, y, x = (np.floor(axis).astype(np.intp) for axis in half)
    picked: NDArray[Any] = voxels[z[:, None, None], y[:, None], x]
    return picked


def bspline(voxels: NDArray[Any], where: list[NDArray[np.float64]]) -> NDArray[Any] | None:
    """Third-order B-spline at each position, in the pixel type of ``voxels``, integers truncated toward zero.

    None where a value of an integer image is whole up to rounding errors, which then decide its truncation.
    """
    values = np.require(voxels, dtype=np.float64, requirements=["C", "W"])  # a kernel for frozen arrays is not kept
    for axis in (2, 1, 0):
        shape = values.shape
        if shape[axis] == 1:
            values = np.repeat(values, where[axis].size, axis=axis)
            continue
        index, weights = _support(where[axis], shape[axis])
        before, after = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
        target = np.empty((before, where[axis].size, after))
        _along(values.reshape(before, shape[axis], after), target, index, weights)
        values = target.reshape(*shape[:axis], where[axis].size, *shape[axis + 1 :])
    return _in_pixel_type(values, voxels.dtype)


def _in_pixel_type(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    if not np.issubdtype(dtype, np.integer):
        return values.astype(dtype)
    rounded = np.rint(values)
    doubtful = np.abs(values - rounded) < _TIE
    if np.any(doubtful & (rounded != 0)):
        return None
    info = np.iinfo(dtype)
    return np.clip(np.trunc(values), info.min, info.max).astype(dtype)


def _support(where: NDArray[np.float64], size: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The four coefficients behind each position, mirrored at the ends, and their weights."""
    base = np.floor(where)
    w = where - base
    last = w * w * w / 6.0
    first = 1.0 / 6.0 + 0.5 * w * (w - 1.0) - last
    third = w + first - 2.0 * last
    weights = np.stack([first, 1.0 - first - third - last, third, last], axis=1)
    period = 2 * size - 2
    index = np.abs(base.astype(np.intp)[:, None] + np.arange(-1, 3)) % period
    return np.where(index >= size, period - index, index), weights


@numba.njit(cache=True, nogil=True)
def _causal_start(block: Any, start: Any) -> None:
    """First value of the causal recursion: the mirrored signal before the first sample, summed up."""
    n = block.shape[0]
    back = 0.0 if n > _HORIZON else _POLE ** (n - 1)
    for w in range(_WIDTH):
        start[w] = block[0, w] + back * block[n - 1, w]
    power = _POLE
    back *= back / _POLE
    for i in range(1, n - 1 if n <= _HORIZON else _HORIZON):
        for w in range(_WIDTH):
            start[w] += (power + back) * block[i, w]
        power *= _POLE
        back /= _POLE
    if n <= _HORIZON:
        for w in range(_WIDTH):
            start[w] /= 1.0 - _POLE ** (2 * n - 2)


@numba.njit(cache=True, nogil=True)
def _to_coefficients(block: Any, start: Any) -> None:
    """Replace ``(n, _WIDTH)`` samples by B-spline coefficients along the first axis, in place."""
    n = block.shape[0]
    for i in range(n):
        for w in range(_WIDTH):
            block[i, w] *= 6.0
    _causal_start(block, start)
    for w in range(_WIDTH):
        block[0, w] = start[w]
    for i in range(1, n):
        for w in range(_WIDTH):
            block[i, w] += _POLE * block[i - 1, w]
    for w in range(_WIDTH):
        block[n - 1, w] = (_POLE / (_POLE * _POLE - 1.0)) * (_POLE * block[n - 2, w] + block[n - 1, w])
    for j in range(1, n):
        i = n - 1 - j
        for w in range(_WIDTH):
            block[i, w] = _POLE * (block[i + 1, w] - block[i, w])


@numba.njit(cache=True, nogil=True)
def _along(source: Any, target: Any, index: Any, weights: Any) -> None:
    """Interpolate ``source`` ``(outer, n, inner)`` along its middle axis into ``target`` ``(outer, m, inner)``."""
    n_outer, n, n_inner = source.shape
    m = target.shape[1]
    block = np.zeros((n, _WIDTH))
    start = np.zeros(_WIDTH)
    n_lines = n_outer * n_inner
    for first in range(0, n_lines, _WIDTH):
        used = min(_WIDTH, n_lines - first)
        for w in range(used):
            o, q = (first + w) // n_inner, (first + w) % n_inner
            for i in range(n):
                block[i, w] = source[o, i, q]
        _to_coefficients(block, start)
        for w in range(used):
            o, q = (first + w) // n_inner, (first + w) % n_inner
            for j in range(m):
                value = weights[j, 0] * block[index[j, 0], w] + weights[j, 1] * block[index[j, 1], w]
                value += weights[j, 2] * block[index[j, 2], w] + weights[j, 3] * block[index[j, 3], w]
                target[o, j, q] = value
