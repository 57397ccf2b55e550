"""Periodic convolution along one axis, in the order of summation of PyWavelets' stationary transform."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_CHUNK = 256


@numba.njit(cache=True, nogil=True)
def _tap(turn: int, wrapped: int) -> int:
    """Which tap is summed at this turn: those that reach past the end come first, from the last one back."""
    return wrapped - turn if turn <= wrapped else turn


@numba.njit(cache=True, nogil=True)
def _along_rows(source: Any, low: Any, high: Any, low_taps: Any, high_taps: Any, start: int) -> None:
    """Convolve ``(outer, n, inner)`` along its middle axis, many neighbouring lines at once.

    ``low`` and ``high`` ``(outer, m, inner)`` take the samples from ``start`` on.
    """
    n_outer, n, n_inner = source.shape
    m = low.shape[1]
    n_taps = low_taps.size
    for o in range(n_outer):
        for first in range(0, n_inner, _CHUNK):
            last = min(first + _CHUNK, n_inner)
            for i in range(m):
                ahead = start + i + n_taps // 2
                # slices spare the check for negative indices, without which the compiler can use vector instructions
                to_low, to_high = low[o, i, first:last], high[o, i, first:last]
                for turn in range(0, n_taps, 2):  # two at a time: the sums are read and written half as often
                    j = _tap(turn, ahead - n)
                    row, a, b = source[o, (ahead - j) % n, first:last], low_taps[j], high_taps[j]
                    if turn + 1 == n_taps:
                        for q in range(last - first):
                            to_low[q] += a * row[q]
                            to_high[q] += b * row[q]
                        continue
                    j = _tap(turn + 1, ahead - n)
                    next_row, next_a, next_b = source[o, (ahead - j) % n, first:last], low_taps[j], high_taps[j]
                    if turn == 0:
                        for q in range(last - first):
                            to_low[q] = a * row[q] + next_a * next_row[q]
                            to_high[q] = b * row[q] + next_b * next_row[q]
                    else:
                        for q in range(last - first):
                            to_low[q] = (to_low[q] + a * row[q]) + next_a * next_row[q]
                            to_high[q] = (to_high[q] + b * row[q]) + next_b * next_row[q]


@numba.njit(cache=True, nogil=True)
def _along_lines(source: Any, low: Any, high: Any, low_taps: Any, high_taps: Any, start: int) -> None:
    """Convolve ``(outer, n)`` along its last axis; ``low`` and ``high`` ``(outer, m)`` as in ``_along_rows``."""
    n_outer, n = source.shape
    m = low.shape[1]
    n_taps = low_taps.size
    plain = min(max(n - n_taps // 2 - start, 0), m)
    line = np.empty(m + n_taps - 1, dtype=source.dtype)
    for o in range(n_outer):
        for i in range(m):
            low[o, i] = 0
            high[o, i] = 0
        for p in range(line.size):
            line[p] = source[o, (start + p + n_taps // 2 + 1 - n_taps) % n]
        for j in range(n_taps):
            a, b = low_taps[j], high_taps[j]
            part, to_low, to_high = line[n_taps - 1 - j :], low[o], high[o]
            for i in range(plain):
                to_low[i] += a * part[i]
                to_high[i] += b * part[i]
        for i in range(plain, m):
            for turn in range(n_taps):
                j = _tap(turn, start + i + n_taps // 2 - n)
                low[o, i] += low_taps[j] * line[i + n_taps - 1 - j]
                high[o, i] += high_taps[j] * line[i + n_taps - 1 - j]


def split(
    data: NDArray[Any], low_taps: NDArray[Any], high_taps: NDArray[Any], axis: int, part: slice
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Low and high pass of one undecimated wavelet level along ``axis``, periodic at both ends.

    Args:
        data: contiguous ``float32`` or ``float64`` array ``(z, y, x)``.
        low_taps: decomposition filter, same type as ``data``.
        high_taps: its counterpart, as long.
        axis: 0, 1 or 2.
        part: the samples of that axis that are wanted.
    """
    shape = data.shape
    size = part.stop - part.start
    cut = (*shape[:axis], size, *shape[axis + 1 :])
    low, high = np.empty(cut, dtype=data.dtype), np.empty(cut, dtype=data.dtype)
    if axis == 2:
        n_lines = shape[0] * shape[1]
        folded = (low.reshape(n_lines, size), high.reshape(n_lines, size))
        _along_lines(data.reshape(n_lines, shape[2]), *folded, low_taps, high_taps, part.start)
    else:
        before, after = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
        blocks = (low.reshape(before, size, after), high.reshape(before, size, after))
        _along_rows(data.reshape(before, shape[axis], after), *blocks, low_taps, high_taps, part.start)
    return low, high
