from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from glottis.evaluation import selection_stability

RNG = np.random.default_rng(8)
RAGGED = RNG.random((9, 14)) < np.linspace(0.05, 0.95, 14)


def _published(Z: list[list[int]]) -> tuple[float, float]:
    """Nogueira et al. 2018, their formulas written out."""
    M, d = len(Z), len(Z[0])
    p = [sum(row[f] for row in Z) / M for f in range(d)]
    k = [sum(row) for row in Z]
    mean = sum(k) / M
    bottom = mean / d * (1 - mean / d)
    index = 1 - sum(M / (M - 1) * pf * (1 - pf) for pf in p) / d / bottom
    each = []
    for i in range(M):
        inner = sum(Z[i][f] * p[f] for f in range(d)) / d - k[i] * mean / d**2
        inner += index / 2 * (2 * mean * k[i] / d**2 - k[i] / d - mean / d + 1)
        each.append(inner / bottom)
    return index, 4 / M**2 * sum((one - sum(each) / M) ** 2 for one in each)


def _kuncheva(Z: np.ndarray) -> float:
    """Mean over pairs of sets of one size k: (overlap - k^2/d) / (k - k^2/d) (Kuncheva 2007)."""
    d, k = Z.shape[1], Z[0].sum()
    pairs = [(int((a & b).sum()) - k**2 / d) / (k - k**2 / d) for a, b in itertools.combinations(Z, 2)]
    return float(np.mean(pairs))


def test_index_and_variance_are_the_published_formulas() -> None:
    index, variance = _published(RAGGED.astype(int).tolist())
    found = selection_stability(RAGGED)
    assert found.index.value == pytest.approx(index, rel=1e-12)
    assert found.variance == pytest.approx(variance, rel=1e-12)
    assert found.index.high - index == pytest.approx(1.959964 * variance**0.5, rel=1e-6)


def test_sets_of_one_size_have_kunchevas_index() -> None:
    Z = np.array([RNG.permutation(20) < 6 for _ in range(7)])
    assert selection_stability(Z).index.value == pytest.approx(_kuncheva(Z), abs=1e-12)


def test_the_same_set_every_time_is_1_without_spread() -> None:
    found = selection_stability(np.tile([True, False, True, False, False], (6, 1)))
    assert (found.index.value, found.index.low, found.index.high, found.variance) == (1.0, 1.0, 1.0, 0.0)
    assert found.frequency.tolist() == [1, 0, 1, 0, 0]


def test_random_sets_are_about_0() -> None:
    found = selection_stability(RNG.random((200, 300)) < 0.1)
    assert abs(found.index.value) < 0.01


def test_the_interval_covers_the_index_of_many_resamples() -> None:
    p = np.linspace(0.05, 0.95, 14)
    truth = 1 - (p * (1 - p)).mean() / (p.mean() * (1 - p.mean()))
    found = [selection_stability(RNG.random((60, 14)) < p).index for _ in range(400)]
    assert 0.91 < np.mean([one.low <= truth <= one.high for one in found]) < 0.98


@pytest.mark.parametrize(("value", "what"), [(True, "all features"), (False, "no feature")])
def test_no_choice_at_all_has_no_index(value: bool, what: str) -> None:
    found = selection_stability(np.full((4, 3), value))
    assert found.index.value is None
    assert found.index.note == f"undefined: every resample chose {what}"


def test_plain_values_go_into_json() -> None:
    stored = json.loads(json.dumps(selection_stability(RAGGED).to_dict()))
    assert stored["n_resamples"] == 9
    assert len(stored["frequency"]) == stored["n_features"] == 14


@pytest.mark.parametrize(
    ("chosen", "match"), [([[1, 0]], r"shape \(1, 2\)"), ([1, 0], r"shape \(2,\)"), ([[1, 2], [0, 1]], "other values")]
)
def test_what_is_no_selection_is_refused(chosen: list[object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        selection_stability(chosen)
