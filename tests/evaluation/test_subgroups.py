from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from glottis.evaluation import (
    calibration,
    confusion_metrics,
    decision_curve,
    performance_by_group,
    roc_auc,
    update_intercept,
)
from stored import reference

R = reference("subgroups")
RNG = np.random.default_rng(5)
P = RNG.random(90)
Y = (RNG.random(90) < P).astype(int)
CENTRE = np.repeat(["B", "A", "C"], 30)


def test_areas_and_heterogeneity_are_those_of_proc_and_metafor(asah: pd.DataFrame) -> None:
    age = np.select([asah["age"] < 45, asah["age"] < 55], ["a", "b"], "c")
    (result,) = performance_by_group(asah["poor"], asah["s100b"], {"age": age})
    assert [group.n for group in result.groups] == R["n"]
    assert [group.n_positive for group in result.groups] == R["n_positive"]
    np.testing.assert_allclose([(group.auc.value, group.auc.se) for group in result.groups], np.c_[R["auc"], R["se"]])
    spread = result.heterogeneity
    assert (spread.statistic, spread.p_value, spread.i_squared) == pytest.approx(
        (R["q"], R["p"], R["i_squared"]), rel=1e-8
    )


def test_each_group_has_what_its_patients_alone_give() -> None:
    (result,) = performance_by_group(Y, P, {"centre": CENTRE}, threshold=0.5)
    assert [group.group for group in result.groups] == ["A", "B", "C"]
    rows = CENTRE == "A"
    assert result.groups[0].auc == roc_auc(Y[rows], P[rows])
    assert result.groups[0].confusion == confusion_metrics(Y[rows], P[rows], 0.5)
    assert result.groups[0].recalibration.shift == update_intercept(Y[rows], P[rows]).shift
    json.dumps(result.to_dict(), allow_nan=False)


def test_every_patient_is_in_one_group_of_each_variable() -> None:
    sex = np.where(np.arange(90) % 3 == 0, "f", "m").astype(object)
    sex[4], sex[7] = None, np.nan
    results = performance_by_group(Y, P, {"centre": CENTRE, "sex": sex})
    assert [sum(group.n for group in result.groups) for result in results] == [90, 90]
    assert [(group.group, group.n) for group in results[1].groups][-1] == ("not stated", 2)


def test_a_group_of_one_class_says_so() -> None:
    (result,) = performance_by_group([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], {"centre": ["A", "A", "B", "B"]})
    assert [group.note for group in result.groups] == [f"only class {c}: nothing to tell apart" for c in (0, 1)]
    assert (result.groups[0].auc, result.heterogeneity.statistic) == (None, None)
    json.dumps(result.to_dict(), allow_nan=False)


def test_each_group_has_its_net_benefit_before_and_after_the_update() -> None:
    (result,) = performance_by_group(Y, P, {"centre": CENTRE}, threshold=0.5)
    rows, group = CENTRE == "B", result.groups[1]
    moved = update_intercept(Y[rows], P[rows]).updated
    assert group.decision.to_dict() == decision_curve(Y[rows], P[rows]).to_dict()
    assert group.decision_updated.to_dict() == decision_curve(Y[rows], moved).to_dict()
    assert group.confusion_updated == confusion_metrics(Y[rows], moved, 0.5)
    assert group.calibration.slope == calibration(Y[rows], P[rows]).slope


def test_the_update_mends_the_net_benefit_of_a_centre_with_fewer_events() -> None:
    rng = np.random.default_rng(8)
    x = rng.standard_normal(4000)
    y = rng.random(4000) < 1 / (1 + np.exp(2 - x))  # the model, made at a prevalence of one half, says x
    (result,) = performance_by_group(y, 1 / (1 + np.exp(-x)), {"centre": ["A"] * 4000}, threshold=0.3)
    group = result.groups[0]
    assert group.recalibration.shift.value == pytest.approx(-2, abs=0.15)  # three standard errors
    assert group.decision.net_benefit[29] < 0 < group.decision_updated.net_benefit[29]
    assert group.confusion_updated.specificity.value > group.confusion.specificity.value + 0.4


def test_scores_that_are_no_probabilities_get_no_calibration() -> None:
    (result,) = performance_by_group(Y, 10 * P, {"centre": CENTRE})
    group = result.groups[0]
    assert (group.recalibration, group.calibration, group.decision, group.decision_updated) == (None,) * 4
    assert result.groups[0].note == "the scores are no probabilities: no calibration or net benefit"


def test_groups_with_the_same_patients_do_not_differ() -> None:
    (result,) = performance_by_group(np.r_[Y, Y], np.r_[P, P], {"copy": np.repeat([1, 2], 90)})
    assert (result.heterogeneity.p_value, result.heterogeneity.i_squared) == pytest.approx((1, 0), abs=1e-9)


@pytest.mark.parametrize(
    ("variables", "match"),
    [({}, "No variable was given"), ({"centre": ["A"] * 89}, r"Cannot pair centre \(89 patients\)")],
)
def test_variables_of_other_patients_are_refused(variables: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        performance_by_group(Y, P, variables)


def test_a_centre_where_the_score_is_reversed_makes_the_groups_differ() -> None:
    score = np.where(CENTRE == "C", 1 - P, P)
    (result,) = performance_by_group(Y, score, {"centre": CENTRE})
    spread = result.heterogeneity
    assert spread.p_value < 1e-4
    assert spread.i_squared == pytest.approx(1 - spread.df / spread.statistic)
