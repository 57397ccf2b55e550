from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from glottis.evaluation import bootstrap_ci, partial_auc, roc_auc
from glottis.evaluation.bootstrap import _drawn_counts
from stored import reference

PROC = reference("discrimination")["single"]
MARKERS = ["s100b", "ndka", "wfns"]
RNG = np.random.default_rng(9)
Y = np.arange(40) % 2
S = np.round(Y + RNG.standard_normal(40), 1)


@pytest.mark.parametrize("marker", MARKERS)
def test_the_bootstrap_of_an_auc_is_that_of_proc(asah: pd.DataFrame, marker: str) -> None:
    # both are 20,000 draws: the standard error of a 2.5% percentile is about .0009 here, 4 of them for a difference
    result = bootstrap_ci(asah["poor"], asah[marker], n_resamples=20000)
    expected = (PROC[marker]["bootstrap_low"], PROC[marker]["bootstrap_high"])
    assert (result.low, result.high) == pytest.approx(expected, abs=0.005)


def _by_rank_sum(truth: np.ndarray, score: np.ndarray) -> float:
    wins = mannwhitneyu(score[truth], score[~truth], method="asymptotic").statistic
    return float(wins / (truth.sum() * (~truth).sum()))


def test_counting_draws_agrees_with_sorting_each_resample() -> None:
    counted = bootstrap_ci(Y, S, n_resamples=4000, random_state=1)
    sorted_ = bootstrap_ci(Y, S, statistic=_by_rank_sum, n_resamples=4000, random_state=2)
    assert counted.value == pytest.approx(sorted_.value)
    assert (counted.low, counted.high) == pytest.approx((sorted_.low, sorted_.high), abs=0.02)


def test_every_patient_is_drawn_alike() -> None:
    # 20,000 resamples of 5: each is drawn once a resample on average, standard error .0063
    counts = _drawn_counts(np.arange(5), 20_000, 5, np.random.default_rng(1))
    assert (counts.sum(axis=1) == 5).all()
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.026)


def test_the_same_seed_gives_the_same_interval() -> None:
    assert bootstrap_ci(Y, S, random_state=3) == bootstrap_ci(Y, S, random_state=3)
    assert bootstrap_ci(Y, S, random_state=3) != bootstrap_ci(Y, S, random_state=4)


def test_a_hundred_thousand_patients_are_resampled() -> None:
    rng = np.random.default_rng(1)
    y = np.arange(100_000) % 2
    score = y + rng.standard_normal(y.size)
    result, delong = bootstrap_ci(y, score, n_resamples=200), roc_auc(y, score)
    assert result.value == pytest.approx(delong.value, rel=1e-12)
    assert result.high - result.low == pytest.approx(delong.delong.high - delong.delong.low, rel=0.25)


def test_resamples_that_all_agree_give_no_interval() -> None:
    result = bootstrap_ci([0, 0, 1, 1], [1, 2, 3, 4])
    assert (result.value, result.low, result.high) == (1, None, None)
    assert "every resample gives the same value" in result.note


def test_a_statistic_that_fails_in_a_resample_gives_no_interval() -> None:
    result = bootstrap_ci(Y, S, statistic=lambda truth, score: math.nan, n_resamples=100)
    assert "undefined in 100 resamples" in result.note
    assert result.low is None


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize(
    ("name", "axis", "low", "high"),
    [
        ("specificity_90_100", "specificity", 0.9, 1.0),
        ("specificity_55_73", "specificity", 0.55, 0.73),
        ("sensitivity_80_100", "sensitivity", 0.8, 1.0),
    ],
)
def test_a_partial_area_is_that_of_proc(asah: pd.DataFrame, marker: str, name: str, axis: str, low, high) -> None:
    result = partial_auc(asah["poor"], asah[marker], axis=axis, within=(low, high), n_resamples=100)
    assert result.interval.value == pytest.approx(PROC[marker][name], rel=1e-10)
    if high == 1:
        assert result.standardised.value == pytest.approx(PROC[marker][f"{name}_mcclish"], rel=1e-10)


@pytest.mark.parametrize("axis", ["specificity", "sensitivity"])
def test_the_whole_range_is_the_whole_area(axis: str) -> None:
    result = partial_auc(Y, S, axis=axis, within=(0, 1))
    whole = bootstrap_ci(Y, S)
    assert result.interval.value == pytest.approx(whole.value)
    assert (result.standardised.low, result.standardised.high) == pytest.approx((whole.low, whole.high))
    json.dumps(result.to_dict())


@pytest.mark.parametrize(("axis", "low", "high"), [("recall", 0.9, 1), ("specificity", 1, 0.9), ("specificity", 0, 2)])
def test_a_range_that_is_none_is_refused(axis: str, low: float, high: float) -> None:
    with pytest.raises(ValueError, match=f"got '{axis}' from {low} to {high}"):
        partial_auc(Y, S, axis=axis, within=(low, high))


def test_few_resamples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 100 resamples; got 10"):
        bootstrap_ci(Y, S, n_resamples=10)
