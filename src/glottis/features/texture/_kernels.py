"""Compiled loops behind the texture matrices.

Callers hand in contiguous arrays of fixed types (``int32`` ranks, indices and steps, ``int64`` grey levels), so that
every loop is compiled once. ``ranks`` is the flattened mask box padded by one voxel a side: 0 outside the mask, else
the position of the voxel's grey level among those present, counted from 1. ``where`` lists the mask's voxels in that
box in scan order, ``steps`` the thirteen index steps to the neighbours that come later in scan order.
"""

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
def count_neighbours(inside: Array, where: Array, steps: Array) -> tuple[Array, Array]:
    """Neighbours inside the mask of every voxel (of 26), and voxel pairs along every direction."""
    neighbours = np.zeros(where.size, np.int32)
    pairs = np.zeros(steps.size, np.int64)
    for v in range(where.size):
        i = where[v]
        for k in range(steps.size):
            neighbours[v] += inside[i + steps[k]] + inside[i - steps[k]]
            pairs[k] += inside[i + steps[k]]
    return neighbours, pairs


@njit(cache=True, nogil=True)
def gather_levels(values: Array, edges: Array) -> Array:
    """Number of ``edges`` (ascending, nearly equidistant) at or below every value."""
    levels = np.empty(values.size, np.int64)
    last = edges.size - 1
    low = edges[0]
    width = edges[1] - edges[0]
    for v in range(values.size):
        k = min(max(int((values[v] - low) / width), 0), last)
        while k >= 0 and edges[k] > values[v]:
            k -= 1
        while k < last and edges[k + 1] <= values[v]:
            k += 1
        levels[v] = k + 1
    return levels


@njit(cache=True, nogil=True)
def scan_neighbourhoods(
    ranks: Array, where: Array, steps: Array, levels: Array, neighbours: Array, longest: int
) -> tuple[Array, Array, Array, Array]:
    """One pass over the mask that fills four matrices.

    ``levels[r]`` is the grey level of rank ``r`` (``levels[0]`` is 0), ``longest`` the largest side of the box.

    Returns:
        co-occurrences ``(13, G, G)``, run lengths ``(13, G, longest)``, dependences ``(G, 27)`` (equal neighbours
        0 to 26) and, by rank, the summed difference between a voxel and the mean of its neighbours ``(G,)``.
    """
    n = levels.size - 1
    pairs = np.zeros((steps.size, n + 1, n + 1), np.int32)  # row and column 0 collect what lies outside
    runs = np.zeros((steps.size, n + 1, longest + 1), np.int32)
    dependences = np.zeros((n, 2 * steps.size + 1), np.int32)
    differences = np.zeros(n)
    for v in range(where.size):
        i = np.uint64(where[v])  # unsigned indices spare the check for negative ones
        rank = np.uint32(ranks[i])
        equal = 0
        total = 0
        for k in range(steps.size):
            step = np.uint64(steps[k])
            after = np.uint32(ranks[i + step])
            before = np.uint32(ranks[i - step])
            total += levels[after] + levels[before]
            equal += (after == rank) + (before == rank)
            pairs[k, rank, after] += 1
            if before != rank:
                j = i + step
                length = np.uint64(1)
                while np.uint32(ranks[j]) == rank:
                    j += step
                    length += np.uint64(1)
                runs[k, rank, length] += 1
        dependences[rank - 1, equal] += 1
        if neighbours[v] > 0:
            differences[rank - 1] += abs(levels[rank] - total / neighbours[v])
    return pairs[:, 1:, 1:], runs[:, 1:, 1:], dependences, differences


@njit(cache=True, nogil=True)
def join_zones(ranks: Array, where: Array, steps: Array) -> Array:
    """Union-find over equal neighbours: every voxel's parent in the padded box; a zone's first voxel is its own."""
    parents = np.empty(ranks.size, np.uint32)
    for v in range(where.size):
        i = np.uint32(where[v])
        root = i
        parents[i] = i
        for k in range(steps.size):
            j = np.uint32(i - np.uint32(steps[k]))
            if ranks[j] != ranks[i]:
                continue
            other = parents[j]
            while parents[other] != other:
                parents[other] = parents[parents[other]]
                other = parents[other]
            if other < root:
                parents[root] = other
                root = other
            elif other > root:
                parents[other] = root
        parents[i] = root
    return parents


@njit(cache=True, nogil=True)
def label_zones(ranks: Array, where: Array, steps: Array) -> tuple[Array, Array]:
    """Rank and size of every zone of 26-connected voxels of one grey level, in scan order of their first voxel."""
    parents = join_zones(ranks, where, steps)
    zone_of_root = np.empty(ranks.size, np.int32)
    zone_ranks = np.empty(where.size, np.int64)
    zone_sizes = np.zeros(where.size, np.int64)
    zones = 0
    for v in range(where.size):
        root = parents[where[v]]
        while parents[root] != root:
            root = parents[root]
        if root == where[v]:
            zone_of_root[root] = zones
            zone_ranks[zones] = ranks[root]
            zones += 1
        zone_sizes[zone_of_root[root]] += 1
    return zone_ranks[:zones], zone_sizes[:zones]


@njit(cache=True, nogil=True)
def sum_cooccurrences(pairs: Array, levels: Array, top: int) -> tuple[Array, Array, Array]:
    """Counts of the symmetric co-occurrence matrices by level, by difference and by sum of levels.

    ``levels`` are the grey levels present ``(G,)``, ``top`` the largest one. Returns ``(A, G)``, ``(A, top)`` with
    index = difference, and ``(A, 2 top + 1)`` with index = sum.
    """
    n = levels.size
    rows = np.zeros((pairs.shape[0], n), np.int64)
    differences = np.zeros((pairs.shape[0], top), np.int64)
    sums = np.zeros((pairs.shape[0], 2 * top + 1), np.int64)
    for a in range(pairs.shape[0]):
        for i in range(n):
            for j in range(n):
                count = pairs[a, i, j]
                if count > 0:
                    rows[a, i] += count
                    rows[a, j] += count
                    differences[a, abs(levels[i] - levels[j])] += 2 * count
                    sums[a, levels[i] + levels[j]] += 2 * count
    return rows, differences, sums


@njit(cache=True, nogil=True)
def joint_entropies(pairs: Array, rows: Array, totals: Array) -> Array:
    """Per direction: energy, largest probability, H(XY) and the cross entropies HXY1 and HXY2, ``(A, 5)``, in bits.

    Both triangles hold the same probabilities, so one is read and counted twice.
    """
    found = np.zeros((pairs.shape[0], 5))
    n = pairs.shape[1]
    for a in range(pairs.shape[0]):
        for i in range(n):
            if rows[a, i] == 0:
                continue
            p_i = rows[a, i] / totals[a]
            for j in range(i, n):
                if rows[a, j] == 0:
                    continue
                product = p_i * (rows[a, j] / totals[a])
                log_product = np.log2(product + EPSILON)
                twice = 1.0 if i == j else 2.0
                found[a, 4] -= twice * product * log_product
                count = pairs[a, i, j] + pairs[a, j, i]
                if count > 0:
                    p = count / totals[a]
                    found[a, 0] += twice * p * p
                    found[a, 1] = max(found[a, 1], p)
                    found[a, 2] -= twice * p * np.log2(p + EPSILON)
                    found[a, 3] -= twice * p * log_product
    return found


@njit(cache=True, nogil=True)
def second_eigenvalues(pairs: Array, rows: Array, totals: Array) -> Array:
    """Second largest eigenvalue size of every direction's D^-1/2 P D^-1/2, ``(A,)``; NaN where it needs a dense solver.

    The matrix has one row for every grey level but at most two entries for every voxel, so it is held by its
    non-zero entries.
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
                    values[entries] = count * scale[i] * scale[j]
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
    size = orthogonalise(w, basis, 1)
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
