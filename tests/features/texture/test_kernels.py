"""Compiled loops against slow and obvious ones."""

from collections import Counter

import numpy as np
import pytest
from scipy import ndimage

from glottis.data.volume import Mask
from glottis.features.region import DIRECTIONS, Region
from glottis.features.texture._kernels import (
    gather_levels,
    joint_entropies,
    label_zones,
    scan_neighbourhoods,
    sum_cooccurrences,
)


def random_ranks(seed, n_levels=3, shape=(4, 5, 6)):
    """Ranks 1 to ``n_levels`` inside a random mask, 0 outside."""
    rng = np.random.default_rng(seed)
    ranks = rng.integers(1, n_levels + 1, shape)
    ranks[rng.random(shape) < 0.3] = 0
    return ranks


def scanned(ranks, levels):
    region = Region.of(Mask(voxels=ranks > 0, spacing_mm=(1.0, 1.0, 1.0)))
    field = region.fill(ranks[region.box][region.inside].astype(np.int32))
    by_rank = np.array([0, *levels], dtype=np.int64)
    found = scan_neighbourhoods(field, region.where, region.steps, by_rank, region.neighbours, max(region.inside.shape))
    return region, field, found


def value_at(ranks, place):
    inside = all(0 <= at < size for at, size in zip(place, ranks.shape, strict=True))
    return int(ranks[tuple(place)]) if inside else 0


def slow_pairs(ranks, n_levels):
    pairs = np.zeros((13, n_levels, n_levels), dtype=int)
    for k, step in enumerate(DIRECTIONS):
        for place in np.argwhere(ranks):
            other = value_at(ranks, place + step)
            if other:
                pairs[k, ranks[tuple(place)] - 1, other - 1] += 1
    return pairs


def slow_runs(ranks, step):
    """Counter of (rank, length), every run walked from its first voxel."""
    runs = Counter()
    for place in np.argwhere(ranks):
        rank = ranks[tuple(place)]
        if value_at(ranks, place - step) != rank:
            length = 1
            while value_at(ranks, place + length * step) == rank:
                length += 1
            runs[int(rank), length] += 1
    return runs


@pytest.mark.parametrize("seed", range(3))
def test_pairs_agree_with_a_slow_count(seed):
    ranks = random_ranks(seed)
    _, _, (pairs, *_) = scanned(ranks, (1, 2, 3))
    np.testing.assert_array_equal(pairs, slow_pairs(ranks, 3))


@pytest.mark.parametrize("seed", range(3))
def test_runs_agree_with_a_slow_walk(seed):
    ranks = random_ranks(seed, n_levels=2)
    _, _, (_, runs, *_) = scanned(ranks, (1, 2))
    for k, step in enumerate(DIRECTIONS):
        found = {(level + 1, length + 1): runs[k, level, length] for level, length in np.argwhere(runs[k])}
        assert found == slow_runs(ranks, step)


@pytest.mark.parametrize("seed", range(3))
def test_dependences_and_differences_agree_with_a_slow_look_round(seed):
    ranks, levels = random_ranks(seed), np.array([2, 3, 7])
    _, _, (_, _, dependences, differences) = scanned(ranks, levels)
    slow_dependences, slow_differences = np.zeros((3, 27), dtype=int), np.zeros(3)
    for place in np.argwhere(ranks):
        rank = ranks[tuple(place)]
        round_it = [value_at(ranks, place + sign * step) for step in DIRECTIONS for sign in (1, -1)]
        known = [levels[other - 1] for other in round_it if other]
        slow_dependences[rank - 1, round_it.count(rank)] += 1
        slow_differences[rank - 1] += abs(levels[rank - 1] - np.mean(known)) if known else 0
    np.testing.assert_array_equal(dependences, slow_dependences)
    np.testing.assert_allclose(differences, slow_differences, rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_zones_agree_with_scipy_labels(seed):
    ranks = random_ranks(seed, n_levels=2, shape=(6, 7, 8))
    region, field, _ = scanned(ranks, (1, 2))
    found = Counter(zip(*(part.tolist() for part in label_zones(field, region.where, region.steps)), strict=True))
    expected = Counter()
    for rank in (1, 2):
        labels, _ = ndimage.label(ranks == rank, structure=np.ones((3, 3, 3)))
        expected.update((rank, size) for size in np.bincount(labels.ravel())[1:].tolist())
    assert found == expected


def test_neighbours_are_those_inside_the_mask():
    ranks = random_ranks(7)
    region, _, _ = scanned(ranks, (1, 2, 3))
    around = ndimage.convolve((ranks > 0).astype(int), np.ones((3, 3, 3), dtype=int), mode="constant") - 1
    np.testing.assert_array_equal(region.neighbours, around[ranks > 0])


def test_levels_agree_with_numpy_digitize():
    rng = np.random.default_rng(0)
    edges = np.arange(-30, 40, 0.1)
    values = np.concatenate([rng.uniform(-30, 39, 500), edges[:-1]])
    np.testing.assert_array_equal(gather_levels(values, edges), np.digitize(values, edges))


def test_sums_of_cooccurrences_agree_with_the_dense_matrix():
    levels = np.array([1, 2, 5], dtype=np.int64)
    pairs = slow_pairs(random_ranks(1), 3).astype(np.int32)
    rows, differences, sums = sum_cooccurrences(pairs, levels, 5)
    symmetric = pairs + pairs.transpose(0, 2, 1)
    np.testing.assert_array_equal(rows, symmetric.sum(axis=2))
    np.testing.assert_array_equal(differences[:, 3], symmetric[:, 1, 2] + symmetric[:, 2, 1])
    np.testing.assert_array_equal(sums[:, 6], symmetric[:, 0, 2] + symmetric[:, 2, 0])
    assert differences.sum() == sums.sum() == symmetric.sum()


def test_entropies_agree_with_the_dense_matrix():
    pairs = slow_pairs(random_ranks(2), 3).astype(np.int32)
    rows = (pairs + pairs.transpose(0, 2, 1)).sum(axis=2)
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
