"""Compiled loops behind the texture matrices.

Callers hand in contiguous arrays of fixed types, so that every loop is compiled once. All run over the flattened mask
box, padded so that no step leaves it:

- ``ranks`` ``uint16``: 0 outside the mask, else the position of the voxel's grey level among those present, from 1;
- ``levels`` ``int32``: 0 outside the mask, else the grey level;
- ``where`` ``int32``: the mask's voxels in scan order;
- ``steps`` ``int32``: index steps to the neighbours that come later in scan order, at most thirteen that touch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
EPSILON = float(np.spacing(1.0))
CHUNK = 2048
"""Voxels compared at a time, so that what is compared stays in the fastest cache."""
N_BITS = np.array([bits.bit_count() for bits in range(1 << 13)], dtype=np.uint8)
"""Number of directions in a set of directions (bit ``k`` is direction ``k``)."""
FIRST_BIT = np.array([max((bits & -bits).bit_length() - 1, 0) for bits in range(1 << 13)], dtype=np.uint8)
"""The first direction of a set."""


@njit(cache=True, nogil=True)
def count_neighbours(ranks: Array, where: Array, steps: Array) -> tuple[Array, Array]:
    """Neighbours inside the mask of every voxel (both ways along each step), and voxel pairs along every step.

    Here ``ranks`` is 1 inside the mask.
    """
    around = np.zeros(ranks.size, np.uint16)
    pairs = np.zeros(steps.size, np.int64)
    first, last = where[0], where[-1] + 1
    for start in range(first, last, CHUNK):
        stop = min(start + CHUNK, last)
        own, sums = ranks[start:stop], around[start:stop]
        for k in range(steps.size):
            before, after = ranks[start - steps[k] : stop - steps[k]], ranks[start + steps[k] : stop + steps[k]]
            found = np.int64(0)
            for i in range(stop - start):
                sums[i] += before[i] + after[i]
                found += own[i] & after[i]
            pairs[k] += found
    neighbours = np.empty(where.size, np.int32)
    for v in range(where.size):
        neighbours[v] = around[where[v]]
    return neighbours, pairs


@njit(cache=True, nogil=True)
def place_levels(voxel_levels: Array, rank_of_level: Array, where: Array, ranks: Array, levels: Array) -> None:
    """Write the ranks and grey levels of the mask's voxels into the padded box."""
    for v in range(where.size):
        level = voxel_levels[v]
        ranks[where[v]] = rank_of_level[level]
        levels[where[v]] = level


@njit(cache=True, nogil=True)
def compare_neighbours(ranks: Array, steps: Array, first: int, last: int) -> tuple[Array, Array]:
    """Which earlier and which later neighbours are equal, for every voxel of the padded box.

    Plain comparisons of neighbouring memory, which the compiler makes into vector instructions; only the values
    between ``first`` and ``last`` are filled, and those outside the mask mean nothing.

    Returns:
        two arrays of ``uint16`` sets, with bit ``k`` where the neighbour at ``-steps[k]`` or at ``steps[k]`` has the
        same rank.
    """
    earlier = np.zeros(ranks.size, np.uint16)
    later = np.zeros(ranks.size, np.uint16)
    for start in range(first, last, CHUNK):
        stop = min(start + CHUNK, last)
        own, sets = ranks[start:stop], earlier[start:stop]
        for k in range(steps.size):
            other = ranks[start - steps[k] : stop - steps[k]]
            bit = np.uint16(1 << k)
            for i in range(stop - start):
                sets[i] |= bit if own[i] == other[i] else np.uint16(0)
    for start in range(first, last, CHUNK):
        stop = min(start + CHUNK, last)
        sets = later[start:stop]
        for k in range(steps.size):
            other = earlier[start + steps[k] : stop + steps[k]]
            bit = np.uint16(1 << k)
            for i in range(stop - start):
                sets[i] |= other[i] & bit
    return earlier, later


@njit(cache=True, nogil=True)
def add_around(values: Array, strides: Array, first: int, last: int) -> Array:
    """Sum over the cube (or, of two strides, the square) round every voxel of the padded box, itself included.

    ``values`` and the sums are ``int32``; sums between ``first`` and ``last`` are filled.
    """
    reach = 0
    for k in range(strides.size):
        reach += strides[k]
    sums = values
    for k in range(strides.size):
        step = strides[k]
        reach -= step
        start, stop = first - reach, last + reach
        wider = np.empty(values.size, np.int32)
        total, own, before, after = wider[start:stop], sums[start:stop], sums[start - step :], sums[start + step :]
        for i in range(stop - start):  # slices spare the check for negative indices
            total[i] = before[i] + own[i] + after[i]
        sums = wider
    return sums


@njit(cache=True, nogil=True)
def scan_lines(ranks: Array, where: Array, steps: Array, n_levels: int, longest: int) -> Array:
    """Co-occurrences and runs along every direction, in one table of codes.

    A voxel whose earlier neighbour has another rank counts as a pair with that rank; one whose earlier neighbour has
    its own rank counts by its place in the run so far, the second voxel of a run at ``n_levels + 2``.

    Returns:
        counts ``(K, G + 1, G + longest + 2)`` by rank and code, flat, ``int32``.
    """
    width = np.uint64(n_levels + longest + 2)
    cells = np.zeros(steps.size * (n_levels + 1) * (n_levels + longest + 2), np.int32)
    codes = np.zeros(ranks.size, np.uint16)
    first_place, one = np.uint16(n_levels + 1), np.uint16(1)
    for k in range(steps.size):
        step = np.uint64(steps[k])
        table = np.uint64(k) * width * np.uint64(n_levels + 1)
        for v in range(where.size):
            i = np.uint64(where[v])  # unsigned indices spare the check for negative ones
            own, before = ranks[i], ranks[i - step]
            place = codes[i - step]
            place = np.uint16((place if place > first_place else first_place) + one)
            code = place if before == own else before
            codes[i] = code
            cells[table + np.uint64(own) * width + np.uint64(code)] += 1
    return cells


@njit(cache=True, nogil=True)
def split_lines(cells: Array, voxels: Array) -> tuple[Array, Array]:
    """Pairs (earlier voxel, voxel) and runs from the counts of ``scan_lines``.

    Args:
        cells: ``(K, G + 1, G + longest + 2)``.
        voxels: ``(G,)`` voxels of every rank.

    Returns:
        ``(K, G, G)`` and ``(K, G, longest)``, ``int32``.
    """
    n_steps, n, width = cells.shape[0], cells.shape[1] - 1, cells.shape[2]
    longest = width - n - 2
    pairs = np.zeros((n_steps, n, n), np.int32)
    runs = np.zeros((n_steps, n, longest), np.int32)
    for k in range(n_steps):
        for rank in range(n):
            for other in range(n):
                pairs[k, other, rank] = cells[k, rank + 1, other + 1]
            longer = 0  # runs that go on: at every place as many as have a voxel there
            joined = 0
            for length in range(longest, 1, -1):
                reached = cells[k, rank + 1, n + length]
                runs[k, rank, length - 1] = reached - longer
                longer = reached
                joined += reached
            pairs[k, rank, rank] = joined
            runs[k, rank, 0] = voxels[rank] - joined - longer
    return pairs, runs


@njit(cache=True, nogil=True)
def scan_neighbours(
    ranks: Array,
    where: Array,
    levels: Array,
    neighbours: Array,
    earlier: Array,
    later: Array,
    sums: Array,
    n_steps: int,
) -> tuple[Array, Array]:
    """Dependences and differences between a voxel and its neighbours.

    Args:
        ranks: the padded box, like ``earlier``, ``later`` (``compare_neighbours``) and ``sums`` (``add_around``).
        where: the mask's voxels.
        levels: the grey levels present ``(G,)``.
        neighbours: of every voxel of the mask.
        earlier: equal earlier neighbours.
        later: equal later neighbours.
        sums: of the voxel's level and those of its neighbours.
        n_steps: number of directions.

    Returns:
        dependences ``(G, 2 K + 1)`` (equal neighbours from 0) and, by rank, the summed difference between a voxel and
        the mean of its neighbours ``(G,)``.
    """
    dependences = np.zeros((levels.size, 2 * n_steps + 1), np.int32)
    differences = np.zeros(levels.size)
    for v in range(where.size):
        i = np.uint64(where[v])
        row = np.uint64(ranks[i]) - np.uint64(1)
        dependences[row, N_BITS[later[i]] + N_BITS[earlier[i]]] += 1
        if neighbours[v] > 0:
            differences[row] += abs(levels[row] - (sums[i] - levels[row]) / neighbours[v])
    return dependences, differences


@njit(cache=True, nogil=True)
def scan_apart(
    ranks: Array, levels: Array, where: Array, steps: Array, n_levels: int, alpha: float
) -> tuple[Array, Array, Array]:
    """Co-occurrences, dependences and differences for neighbours at any distance.

    The tables are those of ``split_lines`` and ``scan_neighbours``. A neighbour is dependent where its grey level is
    at most ``alpha`` away. Here ``levels`` is the padded box.
    """
    pairs = np.zeros((steps.size, n_levels, n_levels), np.int32)
    dependences = np.zeros((n_levels, 2 * steps.size + 1), np.int32)
    differences = np.zeros(n_levels)
    for v in range(where.size):
        i = where[v]
        row = np.int64(ranks[i]) - 1
        level = levels[i]
        dependent, known, total = 0, 0, 0
        for k in range(2 * steps.size):
            j = i + steps[k // 2] if k % 2 else i - steps[k // 2]
            if ranks[j] == 0:
                continue
            known += 1
            total += levels[j]
            dependent += abs(levels[j] - level) <= alpha
            if k % 2:
                pairs[k // 2, row, np.int64(ranks[j]) - 1] += 1
        dependences[row, dependent] += 1
        if known > 0:
            differences[row] += abs(level - total / known)
    return pairs, dependences, differences


@njit(cache=True, nogil=True)
def join_zones(where: Array, steps: Array, equal: Array, joins: Array) -> Array:
    """Union-find over equal neighbours: every voxel's parent in the padded box; a zone's first voxel is its own.

    ``joins`` gives, for a set of equal earlier neighbours, those that are to be joined: of neighbours that touch each
    other, and so share a zone already, one is enough.
    """
    parents = np.empty(equal.size, np.uint32)
    for v in range(where.size):
        i = np.uint32(where[v])
        root = i
        parents[i] = i
        wanted = np.uint64(joins[equal[i]])
        while wanted:
            k = FIRST_BIT[wanted]
            wanted &= wanted - np.uint64(1)
            other = parents[np.uint32(i - np.uint32(steps[k]))]
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
def label_zones(ranks: Array, where: Array, steps: Array, equal: Array, joins: Array) -> tuple[Array, Array]:
    """Rank and size of every zone of touching voxels of one grey level, in scan order of their first voxel.

    ``equal`` comes from ``compare_neighbours``, ``joins`` from ``Region``.
    """
    parents = join_zones(where, steps, equal, joins)
    zone_of_root = np.empty(equal.size, np.int32)
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
