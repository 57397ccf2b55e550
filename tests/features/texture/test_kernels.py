"""Compiled loops against slow and obvious ones."""

from collections import Counter

import numpy as np
import pytest
from scipy import ndimage

import slow_textures
from glottis.data.volume import Mask
from glottis.features.discretise import Discretised, gather_levels
from glottis.features.region import Region, directions
from glottis.features.texture._kernels import (
    add_around,
    compare_neighbours,
    count_neighbours,
    joint_entropies,
    label_zones,
    scan_apart,
    scan_lines,
    scan_neighbours,
    split_lines,
    sum_cooccurrences,
)
from glottis.features.texture.settings import TextureSettings

FLAT_AXES = (None, 0, 1, 2)
LEVELS = np.array([2, 3, 7])


def random_ranks(seed, n_levels=3, shape=(4, 5, 6)):
    """Ranks 1 to ``n_levels`` inside a random mask, 0 outside."""
    rng = np.random.default_rng(seed)
    ranks = rng.integers(1, n_levels + 1, shape)
    ranks[rng.random(shape) < 0.3] = 0
    ranks.ravel()[:n_levels] = np.arange(1, n_levels + 1)
    return ranks


def with_levels(ranks, levels=LEVELS):
    return np.array([0, *levels])[ranks]


def placed(ranks, levels=LEVELS, **options):
    """The region of a mask, and the grid of its grey levels as the kernels read it."""
    region = Region.of(Mask(voxels=ranks > 0, spacing_mm=(1.0, 1.0, 1.0)), TextureSettings(**options))
    inside = ranks[region.box][region.inside]
    present = np.unique(inside)
    grey = Discretised(
        voxel_levels=levels[inside - 1].astype(np.int32),
        levels=levels[present - 1].astype(np.int64),
        counts=np.bincount(inside)[present],
    )
    return region, region.place(grey), grey


def filled(region):
    """The part of the padded box that the kernels fill."""
    return int(region.where[0]), int(region.where[-1]) + 1


def compared(region, grid):
    return compare_neighbours(grid.ranks, region.touching.steps, *filled(region))


def scanned(ranks, flat_axis=None):
    """Co-occurrences, runs, dependences and differences of touching voxels."""
    region, grid, grey = placed(ranks, flat_axis=flat_axis)
    steps, n, longest = region.touching.steps, len(grey.levels), max(region.inside.shape)
    cells = scan_lines(grid.ranks, region.where, steps, n, longest)
    pairs_and_runs = split_lines(cells.reshape(len(steps), n + 1, n + longest + 2), grey.counts)
    sums = add_around(grid.levels, region.strides, *filled(region))
    return *pairs_and_runs, *scan_neighbours(
        grid.ranks, region.where, grey.levels, region.touching.neighbours, *compared(region, grid), sums, len(steps)
    )


def slow_pairs(ranks, steps):
    return np.array([slow_textures.pairs(ranks, step) for step in steps])


def slow_dependences(grid, steps, alpha=0):
    """``(G, 2 K + 1)`` by level and number of dependent neighbours."""
    table = np.zeros((len(LEVELS), 2 * len(steps) + 1), dtype=int)
    for (level, dependence), count in slow_textures.dependences(grid, steps, alpha).items():
        table[LEVELS.tolist().index(level), dependence - 1] = count
    return table


@pytest.mark.parametrize("flat_axis", FLAT_AXES)
@pytest.mark.parametrize("seed", range(2))
def test_pairs_agree_with_a_slow_count(seed, flat_axis):
    ranks = random_ranks(seed)
    pairs, *_ = scanned(ranks, flat_axis)
    np.testing.assert_array_equal(pairs, slow_pairs(ranks, slow_textures.directions((1,), flat_axis)))


@pytest.mark.parametrize("flat_axis", FLAT_AXES)
@pytest.mark.parametrize("shape", [(4, 5, 6), (3, 3, 12), (1, 1, 9)])
def test_runs_agree_with_a_slow_walk(shape, flat_axis):
    ranks = random_ranks(5, n_levels=2, shape=shape)
    _, runs, *_ = scanned(ranks, flat_axis)
    for k, step in enumerate(slow_textures.directions((1,), flat_axis)):
        found = {(rank + 1, length + 1): runs[k, rank, length] for rank, length in np.argwhere(runs[k])}
        assert found == slow_textures.runs(ranks, step)


@pytest.mark.parametrize("flat_axis", FLAT_AXES)
@pytest.mark.parametrize("seed", range(2))
def test_dependences_and_differences_agree_with_a_slow_look_round(seed, flat_axis):
    ranks, steps = random_ranks(seed), slow_textures.directions((1,), flat_axis)
    *_, dependences, differences = scanned(ranks, flat_axis)
    expected = slow_textures.differences(with_levels(ranks), steps)
    np.testing.assert_array_equal(dependences, slow_dependences(with_levels(ranks), steps))
    np.testing.assert_allclose(differences, [expected[level] for level in LEVELS.tolist()], rtol=1e-12)


@pytest.mark.parametrize("alpha", [0, 1, 4])
@pytest.mark.parametrize("distances", [(1,), (2,), (1, 3)])
@pytest.mark.parametrize("flat_axis", [None, 1])
def test_neighbours_apart_agree_with_a_slow_look_round(distances, alpha, flat_axis):
    ranks, steps = random_ranks(3), slow_textures.directions(distances, flat_axis)
    region, grid, _ = placed(ranks, distances=distances, flat_axis=flat_axis)
    found = scan_apart(grid.ranks, grid.levels, region.where, region.apart.steps, 3, alpha)
    expected = slow_textures.differences(with_levels(ranks), steps)
    np.testing.assert_array_equal(found[0], slow_pairs(ranks, steps))
    np.testing.assert_array_equal(found[1], slow_dependences(with_levels(ranks), steps, alpha))
    np.testing.assert_allclose(found[2], [expected[level] for level in LEVELS.tolist()], rtol=1e-12)


def test_the_two_scans_agree_at_distance_one():
    ranks = random_ranks(9, shape=(7, 8, 9))
    region, grid, _ = placed(ranks)
    pairs, _, dependences, differences = scanned(ranks)
    found = scan_apart(grid.ranks, grid.levels, region.where, region.touching.steps, 3, 0)
    np.testing.assert_array_equal(found[0], pairs)
    np.testing.assert_array_equal(found[1], dependences)
    np.testing.assert_allclose(found[2], differences, rtol=1e-12)


@pytest.mark.parametrize("flat_axis", FLAT_AXES)
@pytest.mark.parametrize("seed", range(4))
def test_zones_agree_with_scipy_labels(seed, flat_axis):
    ranks = random_ranks(seed, n_levels=2, shape=(6, 7, 8))
    region, grid, _ = placed(ranks, flat_axis=flat_axis)
    equal, _ = compared(region, grid)
    found = label_zones(grid.ranks, region.where, region.touching.steps, equal, region.joins)
    structure = np.ones((3, 3, 3))
    if flat_axis is not None:
        structure[tuple([0, 2] if axis == flat_axis else slice(None) for axis in range(3))] = 0
    expected = Counter()
    for rank in (1, 2):
        labels, _ = ndimage.label(ranks == rank, structure=structure)
        expected.update((rank, size) for size in np.bincount(labels.ravel())[1:].tolist())
    assert Counter(zip(*(part.tolist() for part in found), strict=True)) == expected


def test_zones_come_in_scan_order_of_their_first_voxel():
    ranks = np.zeros((1, 3, 5), dtype=int)
    ranks[0, 0, 4], ranks[0, 1, 0], ranks[0, 2, 3:] = 2, 1, 3
    region, grid, _ = placed(ranks)
    zone_ranks, sizes = label_zones(
        grid.ranks, region.where, region.touching.steps, compared(region, grid)[0], region.joins
    )
    assert (zone_ranks.tolist(), sizes.tolist()) == ([2, 1, 3], [1, 1, 2])


@pytest.mark.parametrize("flat_axis", FLAT_AXES)
def test_neighbours_are_those_inside_the_mask(flat_axis):
    ranks = random_ranks(7)
    region, _, _ = placed(ranks, flat_axis=flat_axis)
    kernel = np.ones((3, 3, 3), dtype=int)
    if flat_axis is not None:
        kernel[tuple([0, 2] if axis == flat_axis else slice(None) for axis in range(3))] = 0
    around = ndimage.convolve((ranks > 0).astype(int), kernel, mode="constant") - 1
    np.testing.assert_array_equal(region.touching.neighbours, around[ranks > 0])


def test_pairs_of_a_direction_are_counted_once():
    ranks = random_ranks(8)
    region, _, _ = placed(ranks, distances=(1, 2))
    steps = slow_textures.directions((1, 2))
    np.testing.assert_array_equal(region.apart.pairs, slow_pairs(ranks, steps).sum(axis=(1, 2)))
    padded = np.pad(region.inside, 2).view(np.uint8)
    again = count_neighbours(padded.ravel(), region.where, region.apart.steps)
    np.testing.assert_array_equal(again[0].sum(), 2 * again[1].sum())


@pytest.mark.parametrize("flat_axis", FLAT_AXES)
@pytest.mark.parametrize("share", [0.03, 0.1, 0.6])
def test_a_direction_counts_where_a_line_holds_two_voxels(share, flat_axis):
    inside = np.random.default_rng(11).random((6, 7, 5)) < share
    region, _, _ = placed(inside.astype(int), flat_axis=flat_axis)
    expected = [slow_textures.has_line(inside.astype(int), step) for step in directions((1,), flat_axis).tolist()]
    assert region.lines.tolist() == expected


@pytest.mark.parametrize("flat_axis", FLAT_AXES)
def test_joins_reach_every_group_of_touching_neighbours(flat_axis):
    along = directions((1,), flat_axis)
    region, _, _ = placed(random_ranks(1), flat_axis=flat_axis)
    for wanted in np.random.default_rng(0).integers(0, 1 << len(along), 300).tolist():
        inside = np.zeros((3, 3, 3), dtype=int)
        for k in np.flatnonzero([wanted >> bit & 1 for bit in range(len(along))]):
            inside[tuple(1 - along[k])] = 1
        labels, n_groups = ndimage.label(inside, structure=np.ones((3, 3, 3)))
        chosen = [k for k in range(len(along)) if int(region.joins[wanted]) >> k & 1]
        assert sorted(labels[tuple(1 - along[k])] for k in chosen) == list(range(1, n_groups + 1))


def test_levels_agree_with_numpy_digitize_and_their_count():
    rng = np.random.default_rng(0)
    edges = np.arange(-30, 40, 0.1)
    values = np.concatenate([rng.uniform(-30, 39, 500), edges[:-1]])
    levels, counts = gather_levels(values, edges)
    np.testing.assert_array_equal(levels, np.digitize(values, edges))
    np.testing.assert_array_equal(counts, np.bincount(levels, minlength=len(edges) + 1))


@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1.0, 1e15, 1e300])
def test_levels_agree_with_numpy_digitize_at_every_size(scale):
    values = np.random.default_rng(1).normal(0, scale, 400)
    edges = np.linspace(values.min(), values.max() * 1.001, 33)
    np.testing.assert_array_equal(gather_levels(values, edges)[0], np.digitize(values, edges))


def test_sums_of_cooccurrences_agree_with_the_dense_matrix():
    levels = np.array([1, 2, 5], dtype=np.int64)
    pairs = slow_pairs(random_ranks(1), slow_textures.directions()).astype(np.int32)
    rows, differences, sums = sum_cooccurrences(pairs, levels, 5)
    symmetric = pairs + pairs.transpose(0, 2, 1)
    np.testing.assert_array_equal(rows, symmetric.sum(axis=2))
    np.testing.assert_array_equal(differences[:, 3], symmetric[:, 1, 2] + symmetric[:, 2, 1])
    np.testing.assert_array_equal(sums[:, 6], symmetric[:, 0, 2] + symmetric[:, 2, 0])
    assert differences.sum() == sums.sum() == symmetric.sum()


def test_entropies_agree_with_the_dense_matrix():
    pairs = slow_pairs(random_ranks(2), slow_textures.directions()).astype(np.int32)
    rows = (pairs + pairs.transpose(0, 2, 1)).sum(axis=2).astype(np.int64)
    found = joint_entropies(pairs, rows, rows.sum(axis=1))
    for k in range(13):
        p = (pairs[k] + pairs[k].T) / rows[k].sum()
        product = np.outer(p.sum(axis=1), p.sum(axis=1))
        expected = [
            (p**2).sum(),
            p.max(),
            -(p[p > 0] * np.log2(p[p > 0])).sum(),
            -(p * np.log2(product)).sum(),
            -(product * np.log2(product)).sum(),
        ]
        np.testing.assert_allclose(found[k], expected, rtol=1e-9)


@pytest.mark.parametrize("size", [1, 2047, 2048, 2049, 5000])
def test_comparisons_do_not_depend_on_where_a_chunk_ends(size):
    ranks = np.random.default_rng(2).integers(1, 4, (1, 3, size))
    region, grid, _ = placed(ranks)
    earlier, later = compared(region, grid)
    sums = add_around(grid.levels, region.strides, *filled(region))
    step = region.touching.steps
    for i in region.where[:: max(size // 50, 1)].tolist():
        assert earlier[i] == sum(1 << k for k in range(13) if grid.ranks[i - step[k]] == grid.ranks[i])
        assert later[i] == sum(1 << k for k in range(13) if grid.ranks[i + step[k]] == grid.ranks[i])
        assert sums[i] == grid.levels[i] + grid.levels[i - step].sum() + grid.levels[i + step].sum()
