"""Periodic convolution along one axis, in the order of summation of PyWavelets' stationary transform."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_CHUNK = 256


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _tap(turn: int, wrapped: int) -> int:
    """Which tap is summed at this turn: those that reach past the end come first, from the last one back."""
    return wrapped - turn if turn <= wrapped else turn


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _along_rows(source: Any, low: Any, high: Any, low_taps: Any, high_taps: Any) -> None:
    """Convolve ``(outer, n, inner)`` along its middle axis, many neighbouring lines at once."""
    n_outer, n, n_inner = source.shape
    n_taps = low_taps.size
    for o in range(n_outer):
        for first in range(0, n_inner, _CHUNK):
            last = min(first + _CHUNK, n_inner)
            for i in range(n):
                low[o, i, first:last] = 0
                high[o, i, first:last] = 0
                for turn in range(n_taps):
                    j = _tap(turn, i + n_taps // 2 - n)
                    at = (i + n_taps // 2 - j) % n
                    a, b = low_taps[j], high_taps[j]
                    for q in range(first, last):
                        value = source[o, at, q]
                        low[o, i, q] += a * value
                        high[o, i, q] += b * value


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _along_lines(source: Any, low: Any, high: Any, low_taps: Any, high_taps: Any) -> None:
    """Convolve ``(outer, n)`` along its last axis."""
    n_outer, n = source.shape
    n_taps = low_taps.size
    plain = max(n - n_taps // 2, 0)
    line = np.empty(n + n_taps - 1, dtype=source.dtype)
    low[:] = 0
    high[:] = 0
    for o in range(n_outer):
        for p in range(line.size):
            line[p] = source[o, (p + n_taps // 2 + 1 - n_taps) % n]
        for j in range(n_taps):
            a, b = low_taps[j], high_taps[j]
            for i in range(plain):
                low[o, i] += a * line[i + n_taps - 1 - j]
                high[o, i] += b * line[i + n_taps - 1 - j]
        for i in range(plain, n):
            for turn in range(n_taps):
                j = _tap(turn, i + n_taps // 2 - n)
                low[o, i] += low_taps[j] * line[i + n_taps - 1 - j]
                high[o, i] += high_taps[j] * line[i + n_taps - 1 - j]


def split(
    data: NDArray[Any], low_taps: NDArray[Any], high_taps: NDArray[Any], axis: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Low and high pass of one undecimated wavelet level along ``axis``, periodic at both ends.

    Args:
        data: contiguous ``float32`` or ``float64`` array ``(z, y, x)``.
        low_taps: decomposition filter, same type as ``data``.
        high_taps: its counterpart, as long.
        axis: 0, 1 or 2.
    """
    shape = data.shape
    low, high = np.empty_like(data), np.empty_like(data)
    if axis == 2:
        folded: tuple[int, ...] = (shape[0] * shape[1], shape[2])
        _along_lines(data.reshape(folded), low.reshape(folded), high.reshape(folded), low_taps, high_taps)
    else:
        folded = (math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :]))
        _along_rows(data.reshape(folded), low.reshape(folded), high.reshape(folded), low_taps, high_taps)
    return low, high
