from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from glottis.evaluation import decision_curve, survival_decision_curve
from glottis.evaluation.decision import _survival
from stored import reference

R = reference("decision")
RNG = np.random.default_rng(7)
P = RNG.random(300)
Y = (RNG.random(300) < P).astype(int)


@pytest.fixture(scope="module")
def cancer(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and predicted risk of 750 patients (df_binary of dcurves)."""
    table = pd.read_csv(shared_data / "stats" / "df_binary.csv")
    return table["cancer"].to_numpy(dtype=bool), table["cancerpredmarker"].to_numpy()


@pytest.fixture(scope="module")
def lung(shared_data: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, death and a made-up risk, as in make_decision.R."""
    table = pd.read_csv(shared_data / "stats" / "lung.csv").dropna(subset=["ph.ecog"])
    risk = expit(-0.8 + 0.02 * (table["age"] - 60) + 0.7 * table["ph.ecog"] - 0.5 * (table["sex"] == 2))
    return table["time"].to_numpy(dtype=float), table["status"].to_numpy(), risk.to_numpy()


def test_net_benefit_and_interventions_avoided_are_those_of_r(cancer: tuple) -> None:
    result = decision_curve(*cancer, thresholds=[item["threshold"] for item in R["binary"]])
    ours = np.c_[result.net_benefit, result.treat_all, result.interventions_avoided]
    np.testing.assert_allclose(ours, [item["value"] for item in R["binary"]], rtol=1e-10)


def test_the_limits_are_as_wide_as_the_bootstrap_of_r(cancer: tuple) -> None:
    # 4000 resamples: a standard error is known to 1.1%, 4 of that are allowed
    result = decision_curve(*cancer, thresholds=[item["threshold"] for item in R["binary"]])
    widths = np.c_[result.high - result.low, result.avoided_high - result.avoided_low] / 2 / 1.959963984540054
    np.testing.assert_allclose(widths, [item["se"] for item in R["binary"]], rtol=0.045)


def test_survival_net_benefit_is_that_of_r(lung: tuple) -> None:
    points = [item["threshold"] for item in R["survival"]]
    result = survival_decision_curve(*lung, R["horizon"], thresholds=points)
    ours = np.c_[result.net_benefit, result.treat_all]
    np.testing.assert_allclose(ours, [item["value"] for item in R["survival"]], rtol=1e-10)
    assert 1 - result.prevalence == pytest.approx(R["whole"][0], rel=1e-12)


def test_survival_limits_are_as_wide_as_the_bootstrap_of_r(lung: tuple) -> None:
    # 500 resamples: a standard error is known to 3.2%; at .2 nearly everybody is treated and the bootstrap is coarse
    points = [item["threshold"] for item in R["survival"]]
    result = survival_decision_curve(*lung, R["horizon"], thresholds=points)
    odds = result.thresholds / (1 - result.thresholds)
    avoided = (result.avoided_high - result.avoided_low) * odds / 100
    widths = np.c_[result.high - result.low, avoided] / 2 / 1.959963984540054
    np.testing.assert_allclose(widths, [item["se"] for item in R["survival"]], rtol=0.12)


def test_the_error_of_kaplan_meier_is_the_robust_one_of_r(lung: tuple) -> None:
    survival, influence = _survival(lung[0], lung[1] == 1, R["horizon"])
    assert (survival, np.sqrt((influence**2).sum())) == pytest.approx(tuple(R["whole"]), rel=1e-9)


def test_a_follow_up_of_zero_counts_as_in_r(lung: tuple) -> None:
    time = np.where(np.arange(lung[0].size) % 20 == 0, 0.0, lung[0])  # events and censorings among them
    assert {*lung[1][time == 0].tolist()} == {0, 1}
    points = [item["threshold"] for item in R["at_zero"]]
    result = survival_decision_curve(time, lung[1], lung[2], R["horizon"], thresholds=points)
    ours = np.c_[result.net_benefit, result.treat_all]
    np.testing.assert_allclose(ours, [item["value"] for item in R["at_zero"]], rtol=1e-10)
    survival, influence = _survival(time, lung[1] == 1, R["horizon"])
    assert (survival, np.sqrt((influence**2).sum())) == pytest.approx(tuple(R["whole_at_zero"]), rel=1e-9)


def test_without_censoring_both_curves_are_the_same() -> None:
    binary = decision_curve(Y, P)
    survival = survival_decision_curve(np.where(Y == 1, 1.0, 3.0), np.ones(300), P, 2.0)
    for name in ("net_benefit", "low", "high", "treat_all", "interventions_avoided", "avoided_low", "avoided_high"):
        np.testing.assert_allclose(getattr(survival, name), getattr(binary, name), rtol=1e-9, atol=1e-9)


def test_treating_everybody_avoids_nothing() -> None:
    result = decision_curve(Y, np.full(300, 0.999))
    np.testing.assert_allclose(result.net_benefit, result.treat_all)
    np.testing.assert_allclose(result.interventions_avoided, 0, atol=1e-9)


def test_treating_nobody_has_no_benefit_and_no_limits() -> None:
    result = decision_curve(Y, np.zeros(300), thresholds=[0.5])
    assert (result.net_benefit[0], result.to_dict()["low"]) == (0, [None])
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_perfect_score_has_the_prevalence_as_net_benefit() -> None:
    np.testing.assert_allclose(decision_curve(Y, Y).net_benefit, Y.mean())


def test_limits_hold_as_often_as_they_say() -> None:
    # 1000 sets of 200 with true net benefit at .3 known by integration: P(P>=.3, Y) - 3/7 P(P>=.3, not Y)
    rng = np.random.default_rng(1)
    truth = (1 - 0.09) / 2 - 3 / 7 * (0.7 - (1 - 0.09) / 2)
    p = rng.random((1000, 200))
    curves = [decision_curve(y, row, thresholds=[0.3]) for y, row in zip(rng.random(p.shape) < p, p, strict=True)]
    assert 0.925 < np.mean([curve.low[0] <= truth <= curve.high[0] for curve in curves]) < 0.975


def test_high_risks_that_nobody_followed_to_the_end_have_no_net_benefit() -> None:
    time, event = np.r_[np.full(20, 5.0), np.full(20, 1.0)], np.r_[np.tile([1, 0], 10), np.tile([1, 0], 10)]
    risk = np.r_[np.full(20, 0.2), np.full(20, 0.8)]
    result = survival_decision_curve(time, event, risk, 4.0, thresholds=[0.1, 0.5])
    assert np.isfinite(result.net_benefit[0])
    assert np.isnan(result.net_benefit[1])
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_hundred_thousand_patients_have_a_curve() -> None:
    p = np.random.default_rng(2).random(100_000)
    y = np.random.default_rng(3).random(p.size) < p
    assert decision_curve(y, p, thresholds=[0.3]).net_benefit[0] == pytest.approx(0.35, abs=0.01)


@pytest.mark.parametrize(
    ("score", "thresholds", "match"),
    [
        ([0.1, 1.2], None, "A decision curve needs probabilities; got scores from 0.1 to 1.2"),
        ([0.1, 0.2], [0, 0.5], r"lie between 0 and 1; got \[0.0, 0.5\]"),
        ([0.1, np.nan], None, "1 of 2 scores are not finite"),
    ],
)
def test_scores_without_a_curve_are_refused(score: list, thresholds: list | None, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        decision_curve([0, 1], score, thresholds=thresholds)


@pytest.mark.parametrize(
    ("time", "event", "at", "match"),
    [
        ([1, 2], [1, 0], 3, "Nobody is followed until 3"),
        ([1, 2], [0, 1], 1, "nobody has the event by then"),
        ([-1, 2], [1, 1], 1, "A time is negative"),
        ([1, 2], [1, 2], 1, "An event must be 0 or 1; got 2"),
        ([1, 2, 3], [1, 1], 1, "lists of equal length"),
    ],
)
def test_follow_up_without_a_curve_is_refused(time: list, event: list, at: float, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        survival_decision_curve(time, event, [0.1, 0.2], at)
