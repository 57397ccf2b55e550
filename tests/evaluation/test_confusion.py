from __future__ import annotations

import json

import numpy as np
import pytest

from glottis.evaluation import confusion_metrics

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
