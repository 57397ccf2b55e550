"""Second largest eigenvalues of normalised co-occurrence matrices by a sparse Lanczos iteration, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
EPSILON = float(np.spacing(1.0))
LANCZOS_STEPS = 120
LANCZOS_RESIDUAL = 1e-11


@njit(cache=True, nogil=True)
def second_eigenvalues(pairs: Array, rows: Array, totals: Array) -> Array:
    """Second largest eigenvalue size of every direction's D^-1/2 P D^-1/2, ``(A,)``; NaN where it needs a dense solver.

    The matrix has one row for every grey level but at most two entries for every voxel, so it is held by its
    non-zero entries. PyRadiomics adds 2.2e-16 to every product of two probabilities that it divides by, which shows
    (up to some 1e-5) where a level is rare in a large mask: the entries carry that, to first order.
    """
    n = rows.shape[1]
    found = np.empty(pairs.shape[0])
    basis = np.empty((min(n, LANCZOS_STEPS) + 1, n))
    starts = np.empty(n + 1, np.int64)
    scale = np.empty(n)
    for a in range(pairs.shape[0]):
        columns = np.empty(min(totals[a], n * n), np.int32)
        values = np.empty(columns.size)
        for i in range(n):
            scale[i] = 1 / np.sqrt(rows[a, i]) if rows[a, i] > 0 else 0.0
            basis[0, i] = np.sqrt(rows[a, i] / totals[a])
        entries = 0
        for i in range(n):
            starts[i] = entries
            for j in range(n):
                count = pairs[a, i, j] + pairs[a, j, i]
                if count > 0:
                    columns[entries] = j
                    inverse = scale[i] * scale[j]
                    values[entries] = count * inverse / np.sqrt(1 + EPSILON * (totals[a] * inverse) ** 2)
                    entries += 1
        starts[n] = entries
        found[a] = largest_beside_first(starts, columns, values, basis)
    return found


@njit(cache=True, nogil=True)
def largest_beside_first(starts: Array, columns: Array, values: Array, basis: Array) -> float:
    """Largest eigenvalue size of a symmetric matrix of norm 1 (compressed rows), a known eigenvector set aside.

    Lanczos iteration with full reorthogonalisation. It stops when no eigenvalue outside the interval found can be
    told from its ends by more than ``LANCZOS_RESIDUAL``. The fixed start vector has a part in every eigenspace.

    Args:
        starts: ``(n + 1,)`` first entry of every row.
        columns: column of every entry.
        values: value of every entry.
        basis: ``(steps + 1, n)`` work space; row 0 is the unit eigenvector of eigenvalue 1, non-negative and zero
            where a row of the matrix is.

    Returns:
        The value, or NaN where the steps did not suffice, or the start vector reached only a part of the space.
    """
    most = basis.shape[0] - 1
    diagonal = np.zeros(most)
    beside = np.zeros(most)
    w = np.zeros(basis.shape[1])
    rest = fill_irregularly(w, basis[0])
    known = min(1, most)  # 1, but no literal, for which the function would be compiled a second time
    size = orthogonalise(w, basis, known)
    if size < 1e-3:
        return np.nan
    for k in range(1, most + 1):
        v = basis[k]
        for i in range(w.size):
            v[i] = w[i] / size
        multiply(starts, columns, values, v, w)
        diagonal[k - 1] = dot(v, w)
        size = orthogonalise(w, basis, k + 1)
        beside[k - 1] = size
        ended = size < LANCZOS_RESIDUAL
        if not (ended or k == most or (k >= 8 and k % 4 == 0)):
            continue
        up, up_part = largest_ritz_value(diagonal, beside, k, 1.0)
        down, down_part = largest_ritz_value(diagonal, beside, k, -1.0)
        best = max(up, down)
        known = size * up_part <= LANCZOS_RESIDUAL or up + 2 * size * up_part < best
        if known and (size * down_part <= LANCZOS_RESIDUAL or down + 2 * size * down_part < best):
            complete = not ended or k >= rest or best > 1 - LANCZOS_RESIDUAL
            return best if complete else np.nan
        if ended:
            break
    return np.nan


@njit(cache=True, nogil=True)
def fill_irregularly(w: Array, first: Array) -> int:
    """Write a fixed irregular vector where ``first`` is positive; returns the dimensions left beside ``first``."""
    rest = -1
    state = np.uint64(88172645463325252)
    for i in range(w.size):
        state ^= state << np.uint64(13)  # xorshift (Marsaglia 2003)
        state ^= state >> np.uint64(7)
        state ^= state << np.uint64(17)
        if first[i] > 0:
            w[i] = float(state >> np.uint64(11)) / 2.0**52 - 1.0
            rest += 1
    return rest


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def dot(x: Array, y: Array) -> float:
    """Sum of products, summed in the order that suits the processor."""
    total = 0.0
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def multiply(starts: Array, columns: Array, values: Array, x: Array, product: Array) -> None:
    """Matrix in compressed rows times ``x``, into ``product``."""
    for i in range(starts.size - 1):
        total = 0.0
        for entry in range(np.uint64(starts[i]), np.uint64(starts[i + 1])):
            total += values[entry] * x[np.uint32(columns[entry])]
        product[i] = total


@njit(cache=True, nogil=True)
def orthogonalise(w: Array, basis: Array, n_vectors: int) -> float:
    """Take the first ``n_vectors`` of ``basis`` out of ``w``, again where little is left; returns the size left."""
    size = 0.0
    for _ in range(2):
        for p in range(n_vectors - 1, -1, -1):
            part = dot(basis[p], w)
            for i in range(w.size):
                w[i] -= part * basis[p, i]
        size = np.sqrt(dot(w, w))
        if size > 0.01:
            break
    return size


@njit(cache=True, nogil=True, error_model="numpy")
def largest_ritz_value(diagonal: Array, beside: Array, k: int, sign: float) -> tuple[float, float]:
    """Largest eigenvalue (at most 1) and last part of its unit eigenvector, of a symmetric tridiagonal matrix.

    ``diagonal`` and ``beside`` hold the leading ``k`` rows, ``sign`` -1 turns the diagonal's sign.
    Laguerre's iteration on the characteristic polynomial falls from 1 to its largest root; the eigenvector follows
    from its last part backwards, the direction in which it grows.
    """
    x = 1.0 + 1e-12
    step = 1.0
    while step > 1e-14:
        pivot, first, second, ahead = 1.0, 0.0, 0.0, 0.0  # ratio of leading minors of x - T and its derivatives
        slope = 0.0
        bend = 0.0
        for j in range(k):
            ratio = ahead / pivot
            ratio_first = ratio / pivot
            second = ratio_first * (second - 2 * first * first / pivot)
            first = 1 + ratio_first * first
            pivot = x - sign * diagonal[j] - ratio
            if pivot <= 0:  # x has met the root to within rounding
                break
            slope += first / pivot
            bend += (first / pivot) ** 2 - second / pivot
            ahead = beside[j] ** 2
        if pivot <= 0:
            break
        step = k / (slope + np.sqrt(max((k - 1) * (k * bend - slope**2), 0.0)))
        x -= step
    part, square, pivot = 1.0, 1.0, x - sign * diagonal[k - 1]
    for j in range(k - 2, -1, -1):
        part *= pivot / beside[j]
        square += part * part
        pivot = x - sign * diagonal[j] - beside[j] ** 2 / pivot
    return x, 1 / np.sqrt(square)
