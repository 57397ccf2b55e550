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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
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
