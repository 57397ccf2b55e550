from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from glottis.evaluation import concordance_index, survival_by_group, survival_decision_curve, time_dependent_auc
from stored import reference

R = reference("subgroups")
RNG = np.random.default_rng(6)
N = 120
RISK = RNG.uniform(0.05, 0.95, N)
TIME = RNG.exponential(-12 / np.log(1 - RISK))  # the risk is the true probability of the event by 12
EVENT = np.where(RNG.random(N) < 0.3, 0, 1)
CENTRE = np.repeat(["B", "A"], N // 2)


def test_concordance_observed_risk_and_heterogeneity_are_those_of_r(shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "stats" / "lung.csv").dropna(subset=["ph.ecog"])
    risk = expit(-0.8 + 0.02 * (table["age"] - 60) + 0.7 * table["ph.ecog"] - 0.5 * (table["sex"] == 2))
    (result,) = survival_by_group(table["time"], table["status"], risk, {"sex": table["sex"]}, at=400)
    ours = [
        [g.harrell.value, g.harrell.se, g.n, g.n_events, g.observed.value, g.observed.low, g.observed.high, g.expected]
        for g in result.groups
    ]
    np.testing.assert_allclose(ours, R["survival"], rtol=1e-9)
    spread = result.heterogeneity
    assert (spread.statistic, spread.p_value) == pytest.approx((R["survival_q"], R["survival_p"]), rel=1e-8)


def test_each_group_has_what_its_patients_alone_give() -> None:
    (result,) = survival_by_group(TIME, EVENT, RISK, {"centre": CENTRE}, at=12)
    own = [values[CENTRE == "A"] for values in (TIME, EVENT, RISK)]
    group = result.groups[0]
    assert (group.variable, group.group, group.n, group.n_events) == ("centre", "A", 60, int(own[1].sum()))
    assert group.uno == concordance_index(*own, method="uno")
    assert group.time_auc == time_dependent_auc(*own, at=12).points[0]
    assert group.decision.to_dict() == survival_decision_curve(*own, 12).to_dict()
    json.dumps(result.to_dict(), allow_nan=False)


def test_true_risks_are_expected_as_often_as_observed() -> None:
    risk = np.random.default_rng(7).uniform(0.05, 0.95, 20_000)
    time = np.random.default_rng(8).exponential(-12 / np.log(1 - risk))
    (result,) = survival_by_group(time, np.ones(risk.size), risk, {"half": np.arange(risk.size) % 2}, at=12)
    for group in result.groups:
        assert group.observed.value == pytest.approx(group.expected, abs=0.015)


def test_patients_without_a_centre_are_a_group_of_their_own_and_last() -> None:
    centre = np.where(np.arange(N) < 10, None, CENTRE)
    (result,) = survival_by_group(TIME, EVENT, RISK, {"centre": centre})
    assert [(group.group, group.n) for group in result.groups] == [("A", 60), ("B", 50), ("not stated", 10)]


@pytest.mark.parametrize(
    ("time", "event", "risk", "at", "note"),
    [
        ([1, 2, 3], [1, 1, 1], [0.9, 0.5, 0.1], None, "no time was given: no AUC, calibration or net benefit"),
        ([1, 2, 3], [1, 1, 1], [9, 5, 1], 2, "the risks are no probabilities: no calibration or net benefit"),
        ([1, 2, 3], [1, 1, 1], [0.9, 0.5, 0.1], 4, "nobody is followed until 4: no net benefit"),
        ([1, 2, 3], [0, 0, 1], [0.9, 0.5, 0.1], 2, "nobody has the event by 2: no net benefit"),
    ],
)
def test_a_group_without_net_benefit_says_why(time: list, event: list, risk: list, at: float, note: str) -> None:
    (result,) = survival_by_group(time, event, risk, {"centre": ["A"] * 3}, at=at)
    assert (result.groups[0].decision, result.groups[0].note) == (None, note)
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("variables", "at", "match"),
    [
        ({}, 12, "No variable was given"),
        ({"centre": ["A"]}, 12, r"Cannot pair centre \(1 patients\)"),
        ({"centre": CENTRE}, 0, "AUC times must be positive"),
    ],
)
def test_other_patients_and_times_are_refused(variables: dict, at: float, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        survival_by_group(TIME, EVENT, RISK, variables, at=at)
