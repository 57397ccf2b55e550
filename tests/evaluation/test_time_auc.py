from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glottis.evaluation import roc_auc
from glottis.evaluation.time_auc import time_dependent_auc

R = json.loads((Path(__file__).parents[1] / "reference" / "time_auc.json").read_text(encoding="utf-8"))


def _data(name: str, folder: Path) -> tuple[Any, Any, Any]:
    if name == "cohort":
        return R[name]["data"]["time"], R[name]["data"]["event"], R[name]["data"]["risk"]
    table = pd.read_csv(folder / "stats" / f"{name}.csv")
    if name == "lung":
        table = table[table["ph.karno"].notna()]
        return table["time"], table["status"], -table["ph.karno"]
    if name == "larynx":
        return table["time"], table["death"], table["age"] + 10 * table["Stage_IV"]
    return table["week"], table["arrest"], 10 * table["prio"] - table["age"]


@pytest.mark.parametrize("name", ["lung", "larynx", "rossi", "cohort"])
def test_area_error_and_limits_are_those_of_risk_regression(shared_data: Path, name: str) -> None:
    expected = R[name]["full"]
    points = time_dependent_auc(*_data(name, shared_data), R[name]["times"]).points
    np.testing.assert_allclose([point.value for point in points], expected["auc"], rtol=1e-9)
    np.testing.assert_allclose([point.se for point in points], expected["se"], rtol=1e-9)
    np.testing.assert_allclose([point.wald.low for point in points], expected["low"], rtol=1e-9)


def _slow(time: np.ndarray, event: np.ndarray, risk: np.ndarray, at: float) -> float:
    """The definition, pair by pair, with the censoring curve multiplied out for each case."""
    above = below = 0.0
    for i in np.flatnonzero(event & (time <= at)):
        free = 1.0
        for moment in np.unique(time[~event & (time < time[i])]):
            free *= 1 - (~event & (time == moment)).sum() / ((time > moment) | (~event & (time == moment))).sum()
        for j in np.flatnonzero(time > at):
            below += 1 / free
            above += ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j])) / free
    return above / below


def _cohort(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = np.round(rng.standard_normal(n), 1)
    time, end = rng.exponential(np.exp(-risk)), rng.exponential(1.5, n)
    return np.round(np.minimum(time, end), 1), time <= end, risk


def test_sorted_sums_agree_with_the_definition() -> None:
    time, event, risk = _cohort(60)
    for at in (0.2, 0.5, 1.1):
        result = time_dependent_auc(time, event, risk, at).points[0]
        assert result.value == pytest.approx(_slow(time, event, risk, at), rel=1e-12)


def test_without_censoring_the_area_is_the_auc_of_the_outcome_by_then() -> None:
    time, _, risk = _cohort(80)
    result = time_dependent_auc(time, np.ones(80), risk, 0.5).points[0]
    plain = roc_auc(time <= 0.5, risk)
    assert result.value == pytest.approx(plain.value)
    assert result.se == pytest.approx(plain.se, rel=0.05)
    assert result.n_unknown == 0


def test_a_time_before_the_first_event_is_undefined() -> None:
    result = time_dependent_auc([1, 2, 3], [1, 1, 0], [1, 2, 3], 0.5).points[0]
    assert (result.value, result.note) == (None, "undefined (0/0): nobody had the event by 0.5")


def test_a_time_after_the_last_follow_up_is_undefined() -> None:
    result = time_dependent_auc([1, 2, 3], [1, 1, 1], [1, 2, 3], 3).points[0]
    assert result.note == "undefined (0/0): nobody was followed without the event past 3"


def test_few_cases_have_no_limits() -> None:
    result = time_dependent_auc([1, 2, 3], [1, 1, 0], [1, 2, 3], 1.5).points[0]
    assert (result.value, result.interval.low) == (0.0, None)
    assert result.note == "not estimable: 1 cases and 2 controls, 5 of each are needed"


def test_complete_separation_has_no_limits() -> None:
    time = np.arange(1, 21)
    assert "separated completely (AUC 1)" in time_dependent_auc(time, time > 0, -time, 10).points[0].note


def test_equal_risks_are_chance_without_limits() -> None:
    time = np.arange(1, 21)
    result = time_dependent_auc(time, time > 0, time * 0, 10).points[0]
    assert (result.value, result.se, result.note) == (0.5, None, "not estimable: all patients have the same risk")


def test_a_hundred_thousand_patients_give_a_narrow_interval() -> None:
    result = time_dependent_auc(*_cohort(100_000, seed=2), [0.3, 1.0])
    assert all(point.interval.high - point.interval.low < 0.01 for point in result.points)


@pytest.mark.parametrize("at", [0, math.inf, math.nan])
def test_a_time_that_is_none_is_refused(at: float) -> None:
    with pytest.raises(ValueError, match="AUC times must be positive and finite"):
        time_dependent_auc([1, 2], [1, 0], [1, 2], at)


def test_the_result_is_plain_json() -> None:
    json.dumps(time_dependent_auc([1, 2, 3], [1, 1, 0], [1, 2, 3], [0.5, 1.5, 9]).to_dict(), allow_nan=False)
