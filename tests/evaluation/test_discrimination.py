from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glottis.evaluation import roc_auc, roc_curve

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
