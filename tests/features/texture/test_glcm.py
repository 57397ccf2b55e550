"""MCC by Lanczos iteration against a dense solver of every eigenvalue."""

import numpy as np
import pytest

from glottis.features.texture._eigenvalues import second_eigenvalues
from glottis.features.texture.glcm import dense_second_eigenvalues, features

CLOSE = 1e-9


def both(pairs):
    """Lanczos iteration and dense solver for counts of pairs ``(A, G, G)``."""
    pairs = np.ascontiguousarray(pairs, dtype=np.int32)
    rows = (pairs + pairs.transpose(0, 2, 1)).sum(axis=2, dtype=np.int64)
    return second_eigenvalues(pairs, rows, rows.sum(axis=1)), dense_second_eigenvalues(pairs, rows)


def assert_both_agree(pairs):
    found, expected = both(pairs)
    np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE)


def scattered(rng, n, n_pairs, width):
    """Pairs whose levels differ by about ``width``: counts ``(n, n)``, as in a noisy image."""
    first = rng.integers(0, n, n_pairs)
    second = np.clip(np.rint(first + rng.normal(0, width, n_pairs)), 0, n - 1).astype(int)
    pairs = np.zeros((n, n), dtype=np.int32)
    np.add.at(pairs, (first, second), 1)
    return pairs


def blocks(*parts):
    """Square parts along the diagonal of one matrix."""
    whole = np.zeros((sum(map(len, parts)),) * 2, dtype=np.int32)
    at = 0
    for part in parts:
        whole[at : at + len(part), at : at + len(part)] = part
        at += len(part)
    return whole


@pytest.mark.parametrize("n", [2, 3, 5, 8, 13, 30, 60, 110, 150])
@pytest.mark.parametrize("share", [0.3, 1, 4, 20])
def test_random_images_agree(n, share):
    rng = np.random.default_rng(n)
    n_pairs = max(int(share * n), 1)
    pairs = [scattered(rng, n, n_pairs, width) for width in n * np.geomspace(0.02, 3, 16)]
    found, expected = both(pairs)
    known = ~np.isnan(found)
    np.testing.assert_allclose(found[known], expected[known], rtol=0, atol=CLOSE)


@pytest.mark.parametrize("n", [6, 40, 110])
def test_noisy_images_with_several_pairs_a_level_never_need_the_dense_solver(n):
    rng = np.random.default_rng(1)
    assert_both_agree([scattered(rng, n, 20 * n, width) for width in n * np.geomspace(0.1, 3, 16)])


@pytest.mark.parametrize("n", [4, 20, 70])
def test_disconnected_levels_have_correlation_one(n):
    rng = np.random.default_rng(2)
    pairs = [blocks(scattered(rng, n, 6 * n, n), scattered(rng, n // 2, 6 * n, n)) for _ in range(8)]
    found, _ = both(pairs)
    np.testing.assert_allclose(found, 1, rtol=0, atol=CLOSE)


@pytest.mark.parametrize("n", [4, 20, 70])
def test_bipartite_levels_have_correlation_one(n):
    rng = np.random.default_rng(3)
    pairs = np.zeros((8, n, n), dtype=np.int32)
    pairs[:, : n // 2, n // 2 :] = rng.integers(0, 3, (8, n // 2, n - n // 2)) + 1
    found, _ = both(pairs)
    np.testing.assert_allclose(found, 1, rtol=0, atol=CLOSE)


@pytest.mark.parametrize("n", [2, 3, 50])
def test_levels_that_only_meet_themselves_have_correlation_one(n):
    found, _ = both([np.diag(np.arange(1, n + 1))])
    np.testing.assert_allclose(found, 1, rtol=0, atol=CLOSE)


def test_two_levels_have_the_correlation_of_a_two_by_two_table():
    rng = np.random.default_rng(4)
    pairs = rng.integers(1, 50, (100, 2, 2))
    symmetric = pairs + pairs.transpose(0, 2, 1)
    a, b, d = symmetric[:, 0, 0], symmetric[:, 0, 1], symmetric[:, 1, 1]
    phi = np.abs(a * d - b * b) / ((a + b) * (b + d))
    found, _ = both(pairs)
    np.testing.assert_allclose(found, phi, rtol=0, atol=1e-12)


@pytest.mark.parametrize("bridge", [1, 10, 1000])
@pytest.mark.parametrize("n", [5, 40])
def test_nearly_disconnected_levels_agree(n, bridge):
    rng = np.random.default_rng(5)
    parts = [rng.integers(0, 2_000_000 // n**2, (n, n)) for _ in range(2)]
    pairs = blocks(*parts)
    pairs[0, -1] = bridge
    found, expected = both([pairs])
    assert 1 - 1e-2 < expected[0] < 1
    np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE)


@pytest.mark.parametrize("n", [6, 40])
def test_nearly_opposite_eigenvalues_agree(n):
    """One part meets itself and one the next, so that positive and negative eigenvalues nearly tie."""
    rng = np.random.default_rng(6)
    pairs = []
    for _ in range(20):
        part = rng.integers(0, 4, (n, n)) + np.diag(rng.integers(20, 60, n))
        swapped = blocks(part, part)[:, np.r_[n : 2 * n, :n]]
        swapped[0, 0] += rng.integers(1, 5)
        whole = blocks(part, swapped)
        whole[0, n] += rng.integers(1, 200)
        pairs.append(whole)
    found, expected = both(pairs)
    known = ~np.isnan(found)
    assert known.any()
    np.testing.assert_allclose(found[known], expected[known], rtol=0, atol=CLOSE)


def test_equal_columns_leave_no_correlation():
    found, _ = both(np.ones((1, 9, 9)))
    np.testing.assert_allclose(found[~np.isnan(found)], 0, atol=1e-12)


def test_a_long_chain_of_levels_is_left_to_the_dense_solver():
    """Eigenvalues of a path crowd at 1, which takes the iteration nearly as many steps as there are levels."""
    n = 600
    pairs = np.zeros((1, n, n), dtype=np.int32)
    pairs[0, np.arange(n - 1), np.arange(1, n)] = 1
    pairs[0, 0, 0] = 1
    found, expected = both(pairs)
    assert np.isnan(found).all()
    assert features(pairs, np.arange(1, n + 1))["MCC"] == expected[0]


def test_directions_do_not_depend_on_each_other():
    rng = np.random.default_rng(7)
    pairs = np.array([scattered(rng, 40, 300, 9) for _ in range(5)])
    alone = np.concatenate([both(pairs[[a]])[0] for a in range(5)])
    np.testing.assert_array_equal(both(pairs)[0], alone)


def test_rare_levels_of_a_large_mask_follow_the_definition_of_pyradiomics():
    """Q(i, j) = sum over k of p(i, k) p(j, k) / (p(i) p(k) + 2.2e-16), whose term beside the product shows here."""
    rng = np.random.default_rng(8)
    pairs = scattered(rng, 30, 400_000, 4)
    pairs[:, 25:] = pairs[25:] = 0
    pairs[26, 27] = pairs[25, 3] = pairs[28, 28] = pairs[29, 2] = 1
    p = (pairs + pairs.T) / (2 * pairs.sum())
    level = p.sum(axis=1)
    q = sum(np.outer(p[:, k], p[:, k]) / (level[:, None] * level[k] + np.spacing(1)) for k in range(30))
    expected = np.sqrt(np.sort(np.linalg.eigvals(q).real)[-2])
    found, dense = both([pairs])
    assert abs(expected - 1) > 1e-7  # two levels that only meet each other would give 1 without the term
    np.testing.assert_allclose(dense, expected, rtol=1e-8)
    np.testing.assert_allclose(found[~np.isnan(found)], expected, rtol=1e-8)
