from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glottis.evaluation import confusion_metrics, cross_validated_auc, roc_auc, roc_curve, youden_threshold

PROC = json.loads((Path(__file__).parents[1] / "reference" / "proc_asah.json").read_text(encoding="utf-8"))
RNG = np.random.default_rng(9)
Y = np.arange(40) % 2
S = np.round(Y + RNG.standard_normal(40), 1)


def _asah(shared_data: Path, marker: str) -> tuple[np.ndarray, np.ndarray]:
    table = pd.read_csv(shared_data / "stats" / "aSAH.csv")
    return (table["outcome"] == "Poor").to_numpy(), table[marker].to_numpy(dtype=float)


@pytest.mark.parametrize("marker", ["s100b", "ndka", "wfns"])
def test_delong_is_that_of_proc(shared_data: Path, marker: str) -> None:
    result, expected = roc_auc(*_asah(shared_data, marker)), PROC[marker]
    ours = (result.value, result.delong.low, result.delong.high, result.se)
    assert ours == pytest.approx([expected[key] for key in ("auc", "low", "high", "se")], rel=1e-12)


@pytest.mark.parametrize("marker", ["s100b", "ndka", "wfns"])
def test_the_youden_threshold_is_that_of_proc(shared_data: Path, marker: str) -> None:
    result, expected = youden_threshold(*_asah(shared_data, marker)), PROC[marker]
    assert result.to_dict() == pytest.approx(
        {"value": expected["threshold"], "sensitivity": expected["sensitivity"], "specificity": expected["specificity"]}
    )


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
    assert result.estimable == (se > 0 and 0 < value < 1)


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
    assert not result.estimable
    assert reason in result.reason
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


def test_no_cut_off_beats_the_youden_threshold() -> None:
    chosen = youden_threshold(Y, S)
    sums = [(S[Y == 1] >= t).mean() + (S[Y == 0] < t).mean() for t in S]
    assert chosen.sensitivity + chosen.specificity == pytest.approx(max(sums))
    assert (S[Y == 1] >= chosen.value).mean() == chosen.sensitivity


def test_equally_good_cut_offs_give_the_balanced_one() -> None:
    # cutting below .2 gives sensitivity 1, specificity 1/3; below .4 gives 2/3 and 2/3: both sum to 4/3
    chosen = youden_threshold([0, 1, 0, 1, 1, 0], [0.1, 0.2, 0.3, 0.4, 0.5, 0.45])
    assert (chosen.sensitivity, chosen.specificity) == pytest.approx((2 / 3, 2 / 3))


def test_a_score_against_the_outcome_still_has_a_finite_threshold() -> None:
    assert youden_threshold([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4]).value == 0.1


def test_wilson_limits_are_those_of_the_textbook() -> None:
    # Newcombe, Stat Med 1998;17:857-872, table I, method 3: 81/263 -> .2553 to .3662
    y, score = np.r_[np.ones(263, int), 0], np.r_[np.ones(81), np.zeros(183)]
    sensitivity = confusion_metrics(y, score, 0.5).sensitivity
    assert (sensitivity.low, sensitivity.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_clopper_pearson_limits_are_those_of_the_textbook() -> None:
    # Newcombe, Stat Med 1998;17:857-872, table I, method 5: 81/263 -> .2527 to .3676
    y, score = np.r_[np.ones(263, int), 0], np.r_[np.ones(81), np.zeros(183)]
    sensitivity = confusion_metrics(y, score, 0.5, method="clopper-pearson").sensitivity
    assert (sensitivity.low, sensitivity.high) == pytest.approx((0.2527, 0.3676), abs=5e-5)


def test_the_metrics_follow_from_the_table() -> None:
    result = confusion_metrics([1, 1, 1, 0, 0, 0, 0, 1], [0.9, 0.8, 0.2, 0.7, 0.1, 0.2, 0.3, 0.5], 0.5)
    assert (result.tp, result.fp, result.fn, result.tn) == (3, 1, 1, 3)
    shown = [result.accuracy, result.sensitivity, result.specificity, result.ppv, result.npv, result.f1]
    assert [item.value for item in shown] == pytest.approx([0.75] * 6)


def test_an_undefined_metric_is_none_and_never_zero() -> None:
    result = confusion_metrics([0, 1], [0.1, 0.2], 0.9)
    assert (result.ppv.value, result.ppv.note) == (None, "undefined (0/0): nobody was called positive")
    assert result.f1.value == 0
    json.dumps(result.to_dict())


def test_the_f1_interval_covers_as_often_as_it_says() -> None:
    # 400 samples from cells .3 .15 .1 .45, whose F1 is .6/.85: below 353 hits has probability < .0001 at 95% coverage
    rng = np.random.default_rng(4)
    truth, hits = 0.6 / 0.85, 0
    for tp, fp, fn, tn in rng.multinomial(80, [0.3, 0.15, 0.1, 0.45], size=400):
        y, score = np.repeat([1, 0, 1, 0], [tp, fp, fn, tn]), np.repeat([1, 1, 0, 0], [tp, fp, fn, tn])
        interval = confusion_metrics(y, score, 0.5).f1
        hits += interval.low <= truth <= interval.high
    assert hits >= 353


def test_an_unknown_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="'wald'"):
        confusion_metrics(Y, S, 0.5, method="wald")


def test_cross_validation_averages_folds_and_never_pools_them() -> None:
    # two folds, each perfectly ordered, on scales that pooling would mix up
    y, score = [0, 1, 0, 1], [0.1, 0.2, 0.8, 0.9]
    result = cross_validated_auc(y, score, [0] * 4, [0, 0, 1, 1])
    assert result.value == 1
    assert result.interval.note == "not estimable: every fold has the same AUC"
    assert roc_auc(y, score).value == 0.75


def test_the_corrected_interval_is_that_of_nadeau_and_bengio() -> None:
    fold = np.tile(np.repeat(np.arange(5), 8), 2)
    repeat = np.repeat([0, 1], 40)
    score = np.r_[S, S + RNG.standard_normal(40)]
    result = cross_validated_auc(np.r_[Y, Y], score, repeat, fold)
    values = np.array(result.fold_values)
    half = 2.2621571627409915 * math.sqrt((1 / 10 + 8 / 32) * values.var(ddof=1))  # t with 9 degrees of freedom
    assert result.interval.low == pytest.approx(values.mean() - half)
    means = values.reshape(2, 5).mean(axis=1)
    assert result.sd_over_repeats == pytest.approx(means.std(ddof=1))


def test_a_fold_of_one_class_is_skipped_and_counted() -> None:
    result = cross_validated_auc([0, 1, 0, 0, 0, 1], [1, 2, 1, 2, 3, 2], [0] * 6, [0, 0, 1, 1, 2, 2])
    assert (result.n_skipped, result.fold_values) == (1, (1.0, 0.0))
    json.dumps(result.to_dict())


def test_folds_without_both_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="None of the 2 folds"):
        cross_validated_auc([0, 0, 1, 1], [1, 2, 3, 4], [0] * 4, [0, 0, 1, 1])
