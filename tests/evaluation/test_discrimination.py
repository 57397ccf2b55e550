from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glottis.evaluation import hanley_mcneil_ci, hanley_mcneil_se, roc_auc, roc_curve
from stored import reference

PROC = reference("proc_asah")
RNG = np.random.default_rng(9)
Y = np.arange(40) % 2
S = np.round(Y + RNG.standard_normal(40), 1)


@pytest.mark.parametrize("marker", ["s100b", "ndka", "wfns"])
def test_delong_is_that_of_proc(asah: pd.DataFrame, marker: str) -> None:
    result, expected = roc_auc(asah["poor"], asah[marker]), PROC[marker]
    ours = (result.value, result.delong.low, result.delong.high, result.se)
    assert ours == pytest.approx([expected[key] for key in ("auc", "low", "high", "se")], rel=1e-12)


def _slow_delong(y: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """DeLong 1988 from the full matrix of comparisons."""
    positive, negative = score[y == 1], score[y == 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    of_positives, of_negatives = wins.mean(axis=1), wins.mean(axis=0)
    variance = of_positives.var(ddof=1) / len(positive) + of_negatives.var(ddof=1) / len(negative)
    return float(wins.mean()), math.sqrt(variance)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=20, max_size=20))
def test_midranks_agree_with_the_matrix_of_comparisons(scores: list[int]) -> None:
    y, score = np.arange(20) % 2, np.array(scores, dtype=float)
    value, se = _slow_delong(y, score)
    result = roc_auc(y, score)
    assert result.value == pytest.approx(value, abs=1e-12)
    assert result.se is None or result.se == pytest.approx(se, rel=1e-9)
    assert (not result.note) == (se > 0 and 0 < value < 1)


def test_the_logit_interval_is_the_delta_method() -> None:
    result = roc_auc(Y, S)
    half = 1.959963984540054 * result.se / (result.value * (1 - result.value))
    low, high = (1 / (1 + math.exp(-(math.log(result.value / (1 - result.value)) + d))) for d in (-half, half))
    assert (result.interval.low, result.interval.high) == pytest.approx((low, high), rel=1e-12)


def test_reversing_the_score_mirrors_the_interval() -> None:
    up, down = roc_auc(Y, S), roc_auc(Y, -S)
    assert (1 - down.value, 1 - down.interval.high) == pytest.approx((up.value, up.interval.low))


@pytest.mark.parametrize(
    ("y", "score", "reason"),
    [
        ([0] * 6 + [1] * 6, range(12), "separated completely"),
        ([0] * 20 + [1] * 4, [1, 9] * 12, "4 patients in the smaller class"),
        ([0, 1] * 6, [0.5] * 12, "do not vary"),
    ],
)
def test_an_interval_that_would_not_hold_is_not_estimable(y: list[int], score: list[float], reason: str) -> None:
    result = roc_auc(y, list(score))
    assert result.se is None
    assert reason in result.note
    assert (result.se, result.interval.low, result.delong.high) == (None, None, None)
    json.dumps(result.to_dict())


@pytest.mark.parametrize(
    ("y", "score", "match"),
    [
        ([1, 1], [0.1, 0.2], "only 1 in 2 rows"),
        ([0, 1], [0.1, math.nan], "1 of 2 scores are not finite"),
        ([0, 1, 1], [0.1, 0.2], "equal length"),
        ([0, 2], [0.1, 0.2], "must be 0 or 1; got 0, 2"),
        ([], [], "no patient in 0 rows"),
    ],
)
def test_input_that_cannot_be_measured_is_refused(y: list[int], score: list[float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        roc_auc(y, score)


def test_the_area_under_the_corners_is_the_auc() -> None:
    curve = roc_curve(Y, S)
    assert np.trapezoid(curve.sensitivity, curve.false_positive_rate) == pytest.approx(roc_auc(Y, S).value)
    assert curve.to_dict()["thresholds"][0] is None


@pytest.mark.parametrize(
    ("value", "low", "high"), [(0.821, 0.738, 0.904), (0.802, 0.715, 0.889), (0.717, 0.616, 0.818)]
)
def test_hanley_and_mcneils_limits_are_those_that_a_paper_printed(value: float, low: float, high: float) -> None:
    # Scientific Reports 2025, doi:10.1038/s41598-025-01270-1, external set: 52 positive, 45 negative
    half = 1.959963984540054 * hanley_mcneil_se(value, 52, 45)
    assert (value - half, value + half) == pytest.approx((low, high), abs=5.1e-4)


def test_hanley_and_mcneils_interval_is_symmetric_about_the_auc() -> None:
    result = hanley_mcneil_ci(Y, S)
    assert result.value == pytest.approx(roc_auc(Y, S).value)
    half = 1.959963984540054 * hanley_mcneil_se(result.value, 20, 20)
    assert (result.low, result.high) == pytest.approx((result.value - half, min(1, result.value + half)))


def test_hanley_and_mcneils_error_at_one_half_is_that_of_mann_and_whitney() -> None:
    # Q1 = Q2 = 1/3 at chance: (n1 + n0 + 1) / (12 n1 n0), the null variance of the rank sum
    assert hanley_mcneil_se(0.5, 30, 61) == pytest.approx(math.sqrt(92 / (12 * 30 * 61)), rel=1e-12)


def test_a_separated_set_has_no_hanley_mcneil_interval() -> None:
    result = hanley_mcneil_ci([0] * 6 + [1] * 6, list(range(12)))
    assert (result.low, result.high) == (None, None)
    assert "separated completely" in result.note


@pytest.mark.parametrize(("value", "n"), [(1.2, 5), (0.7, 0)])
def test_numbers_that_give_no_error_are_refused(value: float, n: int) -> None:
    with pytest.raises(ValueError, match="check the three numbers"):
        hanley_mcneil_se(value, n, 5)


def test_three_patients_have_an_auc_and_no_interval() -> None:
    result = roc_auc([0, 1, 1], [0.2, 0.1, 0.3])
    assert result.value == 0.5
    assert "1 patients in the smaller class" in result.note


def test_a_hundred_thousand_tied_scores_agree_with_the_matrix_of_comparisons() -> None:
    rng = np.random.default_rng(2)
    y = np.arange(100_000) % 2
    score = np.round(rng.standard_normal(y.size) + y, 1)
    counts = [np.unique(score[y == label], return_counts=True) for label in (1, 0)]
    (a, n_a), (b, n_b) = counts
    wins = (a[:, None] > b) + 0.5 * (a[:, None] == b)
    assert roc_auc(y, score).value == pytest.approx(float(n_a @ wins @ n_b) / 50_000**2, rel=1e-12)
