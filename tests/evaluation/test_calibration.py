from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from glottis.evaluation import calibration, update_intercept
from stored import reference

R = reference("calibration")
RNG = np.random.default_rng(6)
P = expit(RNG.normal(0, 1.5, 4000))
Y = (RNG.random(4000) < P).astype(int)


def test_true_probabilities_have_slope_one_and_intercept_zero() -> None:
    result = calibration(Y, P)
    assert result.slope.low < 1 < result.slope.high
    assert result.in_the_large.low < 0 < result.in_the_large.high
    assert result.ici < 0.03


def test_scores_that_are_too_extreme_have_a_slope_below_one() -> None:
    extreme = expit(2 * logit(P))
    assert calibration(Y, extreme).slope.value == pytest.approx(calibration(Y, P).slope.value / 2, rel=1e-6)


def test_scores_that_are_too_low_have_a_positive_calibration_in_the_large() -> None:
    low = expit(logit(P) - 1)
    assert calibration(Y, low).in_the_large.value == pytest.approx(calibration(Y, P).in_the_large.value + 1, abs=1e-6)


def test_slope_and_intercept_solve_the_score_equations() -> None:
    result = calibration(Y[:200], P[:200])
    x = logit(P[:200])
    residual = Y[:200] - expit(result.intercept.value + result.slope.value * x)
    assert [residual.sum(), (residual * x).sum()] == pytest.approx([0, 0], abs=1e-6)


def test_brier_is_the_mean_squared_error() -> None:
    assert calibration([0, 1, 1, 0], [0.1, 0.8, 0.4, 0.3]).brier == pytest.approx((0.01 + 0.04 + 0.36 + 0.09) / 4)


def test_separated_classes_have_no_slope_and_it_is_said() -> None:
    result = calibration([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.8])
    assert (result.slope.value, result.intercept.value) == (None, None)
    assert "separate the classes, wholly or but for ties" in result.note


def test_equal_scores_have_no_slope_and_no_curve() -> None:
    result = calibration([0, 1] * 10, [0.4] * 20)
    assert result.slope.value is None
    assert result.curve_score.size == 0
    json.dumps(result.to_dict())


def test_scores_of_zero_and_one_are_counted() -> None:
    score = np.r_[0.0, 1.0, P[:98]]
    assert calibration(np.r_[1, 0, Y[:98]], score).n_clipped == 2


def test_the_groups_hold_every_patient_once() -> None:
    groups = calibration(Y[:97], P[:97]).groups
    assert sum(group.n for group in groups) == 97
    assert [group.mean_score for group in groups] == sorted(group.mean_score for group in groups)


def test_the_curve_is_a_local_line_weighted_by_tricube() -> None:
    # Cleveland 1979 without robustness: at one grid point, the weighted least squares line over the nearest 2/3
    result = calibration(Y[:60], P[:60])
    at = result.curve_score[40]
    distance = np.abs(P[:60] - at)
    width = np.sort(distance)[39]
    weight = np.sqrt(np.clip(1 - (distance / width) ** 3, 0, None) ** 3)
    design = np.column_stack([np.ones(60), P[:60] - at])
    line = np.linalg.lstsq(design * weight[:, None], Y[:60] * weight, rcond=None)[0]
    assert result.curve_observed[40] == pytest.approx(np.clip(line[0], 0, 1), abs=2e-3)


def test_scores_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(ValueError, match="from -1 to 2"):
        calibration([0, 1], [-1, 2])


@pytest.fixture(scope="module")
def cancer(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and risk of 750 patients (df_binary of dcurves), spoilt as in make_calibration.R."""
    table = pd.read_csv(shared_data / "stats" / "df_binary.csv")
    return table["cancer"].to_numpy(dtype=bool), expit(0.8 * logit(table["cancerpredmarker"].to_numpy()) + 0.4)


@pytest.mark.parametrize("name", ["slope", "intercept", "in_the_large"])
def test_regressions_and_their_errors_are_those_of_r(cancer: tuple[np.ndarray, np.ndarray], name: str) -> None:
    item = getattr(calibration(*cancer), name)
    value, se = R[name]
    assert (item.value, (item.high - item.low) / 2 / 1.959963984540054) == pytest.approx((value, se), rel=1e-8)


def test_brier_is_that_of_val_prob(cancer: tuple[np.ndarray, np.ndarray]) -> None:
    assert calibration(*cancer).brier == pytest.approx(R["brier"], rel=1e-12)
    assert calibration(*cancer).slope.value == pytest.approx(R["val_prob_slope"], rel=1e-5)


@pytest.mark.parametrize("name", ["ici", "e50", "e90", "emax"])
def test_distances_to_the_smooth_curve_are_those_of_r(cancer: tuple[np.ndarray, np.ndarray], name: str) -> None:
    assert getattr(calibration(*cancer), name) == pytest.approx(R[name], rel=1e-8)


def test_the_scaled_brier_of_the_prevalence_is_zero() -> None:
    assert calibration([0, 1, 1, 0] * 10, [0.5] * 40).brier_scaled == pytest.approx(0)
    assert calibration([0, 1, 1, 0] * 10, [0, 1, 1, 0] * 10).brier_scaled == 1


def test_knots_of_a_large_set_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    few = calibration(Y, P)
    monkeypatch.setattr(sys.modules["glottis.evaluation.calibration"], "MOST_KNOTS", 5000)
    assert few.ici == pytest.approx(calibration(Y, P).ici, rel=1e-3)


def test_a_hundred_thousand_patients_are_calibrated() -> None:
    rng = np.random.default_rng(3)
    p = expit(rng.normal(0, 1.5, 100_000))
    result = calibration(rng.random(p.size) < p, p)
    assert result.slope.value == pytest.approx(1, abs=0.03)
    assert result.ici < 0.01


def test_three_patients_get_a_brier_score_and_say_what_they_do_not_get() -> None:
    result = calibration([0, 1, 1], [0.2, 0.1, 0.6])
    assert result.brier == pytest.approx((0.04 + 0.81 + 0.16) / 3)
    assert (result.ici, result.emax) == (None, None)
    json.dumps(result.to_dict(), allow_nan=False)


def test_the_updated_intercept_is_that_of_r(cancer: tuple[np.ndarray, np.ndarray]) -> None:
    result = update_intercept(*cancer)
    assert result.shift.value == pytest.approx(R["in_the_large"][0], rel=1e-8)
    assert (result.after.brier, result.p_value) == pytest.approx((R["updated"]["brier"], R["updated"]["p"]), rel=1e-7)
    assert result.brier_change == result.after.brier - result.before.brier


def test_the_update_centres_the_scores_and_keeps_their_order() -> None:
    result = update_intercept(Y, expit(logit(P) - 1))
    assert result.updated.mean() == pytest.approx(Y.mean(), abs=1e-9)
    assert result.after.in_the_large.value == pytest.approx(0, abs=1e-8)
    assert result.after.slope.value == pytest.approx(result.before.slope.value)
    assert result.p_value < 1e-10
    np.testing.assert_array_equal(np.argsort(result.updated), np.argsort(P))
    json.dumps(result.to_dict(), allow_nan=False)


def test_the_histogram_counts_every_patient_once() -> None:
    result = calibration([0, 1, 0, 1, 1], [0.0, 0.05, 0.049, 1.0, 0.97])
    assert result.histogram_negative.tolist() == [2] + [0] * 19
    assert result.histogram_positive.tolist() == [0, 1] + [0] * 17 + [2]
    assert result.to_dict()["histogram_edges"][1] == 0.05
