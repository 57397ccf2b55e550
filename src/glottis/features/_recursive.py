"""Recursive Gaussian filtering with the coefficients and rounding of ITK's ``LaplacianRecursiveGaussianImageFilter``.

Farnebäck and Westin, "Improving Deriche-style recursive Gaussian filters", J Math Imaging Vis 26 (2006): 293-299.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from glottis.data.volume import Box, Triple

SMALLEST_LINE = 4
"""Fewer samples along an axis leave the fourth-order recursion undefined."""
_WIDTH = 48
_LOOK_BACK = 4


class _Fit(NamedTuple):
    """Amplitudes of the two damped oscillations that stand for a Gaussian derivative."""

    a1: float
    b1: float
    a2: float
    b2: float


_W1, _L1, _W2, _L2 = 0.6681, -1.3932, 2.0787, -1.3732
_GAUSSIAN = _Fit(1.3530, 1.8151, -0.3531, 0.0902)
_SECOND_DERIVATIVE = _Fit(-1.3563, 5.2318, 0.3446, -2.2355)


def _denominator(width: float) -> tuple[NDArray[np.float64], float, float, float]:
    """Recursion weights D1..D4 for a Gaussian of ``width`` samples, and their sums with weights 1, i and i^2."""
    cos1, exp1 = math.cos(_W1 / width), math.exp(_L1 / width)
    cos2, exp2 = math.cos(_W2 / width), math.exp(_L2 / width)
    d4 = exp1 * exp1 * exp2 * exp2
    d3 = -2 * cos1 * exp1 * exp2 * exp2 + -2 * cos2 * exp2 * exp1 * exp1
    d2 = 4 * cos2 * cos1 * exp1 * exp2 + exp1 * exp1 + exp2 * exp2
    d1 = -2 * (exp2 * cos2 + exp1 * cos1)
    sums = (1.0 + d1 + d2 + d3 + d4, d1 + 2 * d2 + 3 * d3 + 4 * d4, d1 + 4 * d2 + 9 * d3 + 16 * d4)
    return np.array([d1, d2, d3, d4]), *sums


def _numerator(width: float, fit: _Fit) -> tuple[NDArray[np.float64], float, float, float]:
    """Forward weights N0..N3 of one fit, and their sums with weights 1, i and i^2."""
    sin1, cos1, exp1 = math.sin(_W1 / width), math.cos(_W1 / width), math.exp(_L1 / width)
    sin2, cos2, exp2 = math.sin(_W2 / width), math.cos(_W2 / width), math.exp(_L2 / width)
    a1, b1, a2, b2 = fit
    n0 = a1 + a2
    n1 = exp2 * (b2 * sin2 - (a2 + 2 * a1) * cos2) + exp1 * (b1 * sin1 - (a1 + 2 * a2) * cos1)
    n2 = ((a1 + a2) * cos2 * cos1 - b1 * cos2 * sin1 - b2 * cos1 * sin2) * (2 * exp1 * exp2)
    n2 += a2 * exp1 * exp1 + a1 * exp2 * exp2
    n3 = exp2 * exp1 * exp1 * (b2 * sin2 - a2 * cos2) + exp1 * exp2 * exp2 * (b1 * sin1 - a1 * cos1)
    return np.array([n0, n1, n2, n3]), n0 + n1 + n2 + n3, n1 + 2 * n2 + 3 * n3, n1 + 4 * n2 + 9 * n3


def _smoothing(width: float) -> NDArray[np.float64]:
    """Coefficients of the Gaussian itself, of unit sum."""
    d, sd, _, _ = _denominator(width)
    n, sn, _, _ = _numerator(width, _GAUSSIAN)
    return _coefficients(n * (1.0 / (2 * sn / sd - n[0])), d)


def _second_derivative(width: float, sigma: float) -> NDArray[np.float64]:
    """Coefficients of the second derivative times ``sigma`` squared, blind to constants."""
    d, sd, dd, ed = _denominator(width)
    n, sn, dn, en = _numerator(width, _SECOND_DERIVATIVE)
    n0, sn0, dn0, en0 = _numerator(width, _GAUSSIAN)
    beta = -(2 * sn - sd * n[0]) / (2 * sn0 - sd * n0[0])
    n, sn, dn, en = n + beta * n0, sn + beta * sn0, dn + beta * dn0, en + beta * en0
    alpha = (en * sd * sd - ed * sn * sd - 2 * dn * dd * sd + 2 * dd * dd * sn) / (sd * sd * sd)
    return _coefficients(n * (sigma**2 / alpha), d)


def _coefficients(n: NDArray[np.float64], d: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows: forward weights N0..N3, backward weights M1..M4, recursion D1..D4, steady state BN1..4 and BM1..4."""
    m = np.array([n[1] - d[0] * n[0], n[2] - d[1] * n[0], n[3] - d[2] * n[0], -d[3] * n[0]])
    steady = 1.0 + d[0] + d[1] + d[2] + d[3]
    return np.stack([n, m, d, d * (n[0] + n[1] + n[2] + n[3]) / steady, d * (m[0] + m[1] + m[2] + m[3]) / steady])


@numba.njit(cache=True, nogil=True)
def _forward(line: Any, out: Any, stop: int, c: Any) -> None:
    """Causal half of the samples before ``stop``, ``_WIDTH`` lines side by side.

    ``line`` and ``out`` hold four spare rows before the first sample.
    Before the first sample the line is its first value for ever, and the recursion is in its steady state.
    """
    n0, n1, n2, n3 = c[0, 0], c[0, 1], c[0, 2], c[0, 3]
    d1, d2, d3, d4 = c[2, 0], c[2, 1], c[2, 2], c[2, 3]
    for i in range(stop):
        k = i + _LOOK_BACK
        b1 = c[3, 0] if i < 1 else d1
        b2 = c[3, 1] if i < 2 else d2
        b3 = c[3, 2] if i < 3 else d3
        b4 = c[3, 3] if i < 4 else d4
        for w in range(_WIDTH):
            value = line[k, w] * n0 + line[k - 1, w] * n1 + line[k - 2, w] * n2 + line[k - 3, w] * n3
            out[k, w] = value - (out[k - 1, w] * b1 + out[k - 2, w] * b2 + out[k - 3, w] * b3 + out[k - 4, w] * b4)


@numba.njit(cache=True, nogil=True)
def _backward(line: Any, out: Any, n: int, start: int, c: Any) -> None:
    """Anticausal half of the samples from ``start``; four spare rows follow the last sample."""
    m1, m2, m3, m4 = c[1, 0], c[1, 1], c[1, 2], c[1, 3]
    d1, d2, d3, d4 = c[2, 0], c[2, 1], c[2, 2], c[2, 3]
    for j in range(n - start):
        k = n - 1 - j + _LOOK_BACK
        b1 = c[4, 0] if j < 1 else d1
        b2 = c[4, 1] if j < 2 else d2
        b3 = c[4, 2] if j < 3 else d3
        b4 = c[4, 3] if j < 4 else d4
        for w in range(_WIDTH):
            value = line[k + 1, w] * m1 + line[k + 2, w] * m2 + line[k + 3, w] * m3 + line[k + 4, w] * m4
            out[k, w] = value - (out[k + 1, w] * b1 + out[k + 2, w] * b2 + out[k + 3, w] * b3 + out[k + 4, w] * b4)


@numba.njit(cache=True, nogil=True)
def _gather(source: Any, line: Any, first: int, used: int) -> None:
    """Copy ``used`` lines into the block and repeat their ends over the spare rows."""
    _, n, n_inner = source.shape
    outer, inner = first // n_inner, first % n_inner
    if used == _WIDTH and inner + _WIDTH <= n_inner:
        for i in range(n):
            row = source[outer, i, inner : inner + _WIDTH]
            for w in range(_WIDTH):
                line[i + _LOOK_BACK, w] = row[w]
    else:
        for w in range(used):
            for i in range(n):
                line[i + _LOOK_BACK, w] = source[(first + w) // n_inner, i, (first + w) % n_inner]
    for k in range(_LOOK_BACK):
        for w in range(_WIDTH):
            line[k, w] = line[_LOOK_BACK, w]
            line[n + _LOOK_BACK + k, w] = line[n - 1 + _LOOK_BACK, w]


@numba.njit(cache=True, nogil=True)
def _scatter(forward: Any, backward: Any, target: Any, first: int, used: int) -> None:
    """Write the sum of both halves of ``used`` lines, rounded to the pixel type of ``target``."""
    _, m, n_inner = target.shape
    outer, inner = first // n_inner, first % n_inner
    if used == _WIDTH and inner + _WIDTH <= n_inner:
        for i in range(m):
            row = target[outer, i, inner : inner + _WIDTH]
            for w in range(_WIDTH):
                row[w] = forward[i, w] + backward[i, w]
    else:
        for w in range(used):
            o, q = (first + w) // n_inner, (first + w) % n_inner
            for i in range(m):
                target[o, i, q] = forward[i, w] + backward[i, w]


@numba.njit(cache=True, nogil=True)
def _along(source: Any, target: Any, c: Any, start: int) -> None:
    """Filter ``source`` ``(outer, line, inner)`` along its middle axis, in blocks of lines.

    ``target`` ``(outer, m, inner)`` takes the samples from ``start`` on; none is affected by what is left out.
    """
    n_outer, n, n_inner = source.shape
    stop = start + target.shape[1]
    line = np.zeros((n + 2 * _LOOK_BACK, _WIDTH))
    forward = np.zeros((n + 2 * _LOOK_BACK, _WIDTH))
    backward = np.zeros((n + 2 * _LOOK_BACK, _WIDTH))
    n_lines = n_outer * n_inner
    for first in range(0, n_lines, _WIDTH):
        used = min(_WIDTH, n_lines - first)
        _gather(source, line, first, used)
        for k in range(_LOOK_BACK):
            for w in range(_WIDTH):
                forward[k, w] = line[k, w]
                backward[n + _LOOK_BACK + k, w] = line[n + _LOOK_BACK + k, w]
        _forward(line, forward, stop, c)
        _backward(line, backward, n, start, c)
        _scatter(forward[start + _LOOK_BACK :], backward[start + _LOOK_BACK :], target, first, used)


@numba.njit(cache=True, nogil=True)
def _add_scaled(total: Any, part: Any, factor: float) -> None:
    """``total += factor * part``, rounded to float32 once."""
    for i in range(total.size):
        total[i] = total[i] + part[i] * factor


def _filtered(source: NDArray[Any], axis: int, coefficients: NDArray[np.float64], part: slice) -> NDArray[np.float32]:
    """``source`` filtered along ``axis``, cut to ``part`` of that axis."""
    shape = source.shape
    before, after = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    size = part.stop - part.start
    target = np.empty((before, size, after), dtype=np.float32)
    _along(source.reshape(before, shape[axis], after), target, coefficients, part.start)
    return target.reshape(*shape[:axis], size, *shape[axis + 1 :])


def laplacian_of_gaussian(
    voxels: NDArray[Any], spacing_mm: Triple, sigma_mm: float, box: Box | None = None
) -> NDArray[np.float32]:
    """Sum over the axes of the second derivative of a Gaussian-smoothed image, times ``sigma`` squared.

    Three chains: derivative along one axis, then Gaussians along the two others (x before y before z). Arithmetic is
    float64 along a line; each pass is stored as float32, like the sum.

    Args:
        voxels: ``(z, y, x)``, at least four voxels along each axis.
        spacing_mm: voxel size ``(z, y, x)``.
        sigma_mm: width of the Gaussian in mm.
        box: the part that is wanted; all of ``voxels`` is looked at. None wants all.

    Returns:
        the values inside ``box``.
    """
    parts = [slice(0, size) for size in voxels.shape] if box is None else list(box)
    kind = np.float32 if voxels.dtype == np.float32 else np.float64  # two compiled loops serve every pixel type
    source = np.require(voxels, dtype=kind, requirements=["C", "W"])
    smooth = [_smoothing(sigma_mm / step) for step in spacing_mm]
    total = np.zeros([part.stop - part.start for part in parts], dtype=np.float32)
    for axis in (2, 1, 0):
        step = spacing_mm[axis]
        term = _filtered(source, axis, _second_derivative(sigma_mm / step, sigma_mm), parts[axis])
        for other in (2, 1, 0):
            if other != axis:
                term = _filtered(term, other, smooth[other], parts[other])
        _add_scaled(total.reshape(-1), term.reshape(-1), 1.0 / (step * step))
    return total
