from __future__ import annotations

import json

import numpy as np
import pytest

from glottis.evaluation import confusion_metrics, metrics_of_table, predictive_values
from stored import reference

R = reference("confusion")["tables"]
FIELDS = [
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "accuracy",
    "prevalence",
    "lr_positive",
    "lr_negative",
    "odds_ratio",
]
RNG = np.random.default_rng(9)
Y = np.arange(40) % 2
S = np.round(Y + RNG.standard_normal(40), 1)


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


@pytest.mark.parametrize("stored", R, ids=lambda item: str(item["table"]))
@pytest.mark.parametrize("method", ["wilson", "clopper-pearson"])
@pytest.mark.parametrize("field", FIELDS)
def test_metrics_and_limits_are_those_of_epir(stored: dict, method: str, field: str) -> None:
    ours = getattr(metrics_of_table(*stored["table"], method=method), field)
    assert [ours.value, ours.low, ours.high] == pytest.approx(stored[method.replace("-", "_")][field], rel=1e-9)


@pytest.mark.parametrize("stored", R, ids=lambda item: str(item["table"]))
def test_the_matthews_correlation_is_phi(stored: dict) -> None:
    assert metrics_of_table(*stored["table"]).mcc.value == pytest.approx(stored["mcc"], rel=1e-9)


def test_youdens_limits_are_newcombes() -> None:
    # Newcombe, Stat Med 1998;17:873-890, table II, (a) 56/70 - 48/80, method 10: .0524 to .3339
    result = metrics_of_table(56, 48, 14, 32)
    assert (result.youden.low, result.youden.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert result.balanced_accuracy.high == pytest.approx((1 + 0.3339) / 2, abs=5e-5)


@pytest.mark.parametrize("cells", [(0.3, 0.15, 0.1, 0.45), (0.06, 0.02, 0.05, 0.87), (0.8, 0.1, 0.04, 0.06)])
def test_the_spread_of_the_matthews_correlation_is_that_of_multinomial_tables(cells: tuple[float, ...]) -> None:
    # 20,000 tables of 4,000 patients: the standard deviation is known to .5%
    tp, fp, fn, tn = np.random.default_rng(4).multinomial(4000, cells, size=20_000).T.astype(float)
    drawn = (tp * tn - fp * fn) / np.sqrt((tp + fp) * (fn + tn) * (tp + fn) * (fp + tn))
    result = metrics_of_table(*(round(4000 * cell) for cell in cells)).mcc
    assert (result.high - result.low) / 2 / 1.959963984540054 == pytest.approx(drawn.std(), rel=0.02)


def test_empty_cells_give_no_ratio_and_say_why() -> None:
    result = metrics_of_table(5, 0, 0, 5)
    assert (result.lr_positive.value, result.odds_ratio.value) == (None, None)
    assert "infinite: an empty cell" in result.lr_positive.note
    assert (result.lr_negative.value, result.lr_negative.low) == (0, None)
    assert (result.mcc.value, result.mcc.low) == (1, None)
    json.dumps(result.to_dict(), allow_nan=False)


def test_calling_everybody_the_same_has_no_correlation() -> None:
    result = metrics_of_table(5, 5, 0, 0)
    assert result.mcc.note == "undefined (0/0): everybody was called the same"
    assert result.lr_negative.note.startswith("undefined (0/0)")


@pytest.mark.parametrize("cells", [(0, 3, 0, 4), (2, 0, 1, 0), (-1, 2, 3, 4)])
def test_a_table_without_both_classes_is_refused(cells: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=f"got tp {cells[0]}, fp {cells[1]}"):
        metrics_of_table(*cells)


def test_at_the_sets_own_prevalence_the_predictive_values_are_its_own() -> None:
    result = predictive_values(Y, S, 0.5, prevalence=0.5)
    table = confusion_metrics(Y, S, 0.5)
    assert result.ppv.value == pytest.approx(table.ppv.value)
    assert result.npv.value == pytest.approx(table.npv.value)
    assert result.missed_per_100.value == pytest.approx(100 * table.fn / 40)
    assert result.over_treated_per_100.value == pytest.approx(100 * table.fp / 40)


def test_predictive_limits_are_those_of_the_likelihood_ratio_by_bayes() -> None:
    result = predictive_values(Y, S, 0.5, prevalence=0.1)
    ratio = confusion_metrics(Y, S, 0.5).lr_positive
    odds = [0.1 / 0.9 * limit for limit in (ratio.value, ratio.low, ratio.high)]
    assert [result.ppv.value, result.ppv.low, result.ppv.high] == pytest.approx([o / (1 + o) for o in odds])
    assert result.npv.low < result.npv.value < result.npv.high


def test_missed_patients_follow_from_prevalence_and_sensitivity() -> None:
    y, score = np.repeat([1, 0], [20, 80]), np.r_[np.ones(16), np.zeros(4), np.ones(8), np.zeros(72)]
    result = predictive_values(y, score, 0.5, prevalence=0.3)
    assert result.missed_per_100.value == pytest.approx(30 * 0.2)
    assert result.over_treated_per_100.value == pytest.approx(70 * 0.1)
    assert result.missed_per_100.low < 6 < result.missed_per_100.high


def test_no_positive_call_leaves_the_ppv_undefined() -> None:
    result = predictive_values([0, 1], [0.1, 0.2], 0.9, prevalence=0.3)
    assert (result.ppv.value, result.ppv.note) == (None, "undefined (0/0): nobody was called so")
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize("prevalence", [0, 1, 15])
def test_a_prevalence_that_is_none_is_refused(prevalence: float) -> None:
    with pytest.raises(ValueError, match=f"got {prevalence}"):
        predictive_values(Y, S, 0.5, prevalence=prevalence)


@pytest.mark.parametrize(
    ("cells", "printed"),
    [
        ((18, 10, 9, 34), (0.732, 0.667, 0.773, 0.643, 0.791)),
        ((16, 5, 11, 39), (0.775, 0.593, 0.886, 0.762, 0.780)),
        ((22, 13, 5, 31), (0.746, 0.815, 0.705, 0.629, 0.861)),
        ((25, 12, 2, 32), (0.803, 0.926, 0.727, 0.676, 0.941)),
    ],
)
def test_the_metrics_are_those_that_a_paper_printed(cells: tuple[int, ...], printed: tuple[float, ...]) -> None:
    # lymph node study in laryngeal cancer, validation set of 27 and 44 (accuracy, sensitivity, specificity, PPV, NPV)
    result = metrics_of_table(*cells)
    shown = (result.accuracy, result.sensitivity, result.specificity, result.ppv, result.npv)
    assert [round(item.value, 3) for item in shown] == list(printed)
