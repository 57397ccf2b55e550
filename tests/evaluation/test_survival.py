from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glottis.evaluation.logrank import logrank_test
from glottis.evaluation.survival import kaplan_meier

R = json.loads((Path(__file__).parents[1] / "reference" / "survival.json").read_text(encoding="utf-8"))
SETS = ["lung", "larynx", "veteran", "kidney", "aml", "half", "flat"]


def _data(name: str, folder: Path) -> dict[str, Any]:
    if name == "lung":
        table = pd.read_csv(folder / "stats" / "lung.csv")
        return {"time": table["time"], "event": table["status"], "group": table["sex"]}
    if name == "larynx":
        table = pd.read_csv(folder / "stats" / "larynx.csv")
        stage = 1 + table["Stage_II"] + 2 * table["Stage_III"] + 3 * table["Stage_IV"]
        return {"time": table["time"], "event": table["death"], "group": stage}
    data: dict[str, Any] = R[name]["data"]
    return data


def _plain(values: Any) -> list[float]:
    return [math.nan if value is None else float(value) for value in np.atleast_1d(np.array(values, dtype=object))]


@pytest.mark.parametrize("name", SETS)
def test_the_curve_and_its_limits_are_those_of_r(shared_data: Path, name: str) -> None:
    data, expected = _data(name, shared_data), R[name]["curve"]
    curve = kaplan_meier(data["time"], data["event"])["all"]
    for key in ("times", "survival", "low", "high", "at_risk"):
        np.testing.assert_allclose(_plain(getattr(curve, key)), _plain(expected[key]), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("quantity", ["median", "follow_up"])
@pytest.mark.parametrize("name", SETS)
def test_median_and_follow_up_are_those_of_r(shared_data: Path, name: str, quantity: str) -> None:
    data, expected = _data(name, shared_data), R[name]["curve"][quantity]
    ours = getattr(kaplan_meier(data["time"], data["event"])["all"], quantity)
    assert [ours.value, ours.low, ours.high] == [expected[key] for key in ("value", "low", "high")]


@pytest.mark.parametrize("name", [*SETS, "ovarian_stratified"])
def test_the_log_rank_test_is_that_of_r(shared_data: Path, name: str) -> None:
    data, expected = _data(name, shared_data), R[name]["logrank"]
    result = logrank_test(data["time"], data["event"], data["group"], strata=data.get("strata"))
    assert (result.statistic, result.p_value) == pytest.approx((expected["statistic"], expected["p"]), rel=1e-9)
    assert (result.df, list(result.observed)) == (expected["df"], expected["observed"])
    assert result.expected == pytest.approx(expected["expected"], rel=1e-12)


def test_numbers_at_risk_count_those_not_yet_gone() -> None:
    curve = kaplan_meier([1, 2, 2, 5], [1, 0, 1, 1])["all"]
    assert curve.numbers_at_risk([0, 1, 2, 3, 5, 6]) == [4, 4, 3, 1, 1, 0]


def test_an_event_comes_before_a_censoring_of_the_same_time() -> None:
    assert kaplan_meier([2, 2], [1, 0])["all"].survival.tolist() == [0.5]


def test_times_equal_but_for_rounding_are_one_time() -> None:
    assert kaplan_meier([0.3, 0.1 + 0.2, 1.0], [1, 1, 0])["all"].times.size == 2


def test_the_curve_is_read_between_its_steps_and_not_past_its_end() -> None:
    curve = kaplan_meier([1, 2, 3, 9], [1, 0, 1, 0])["all"]
    assert [curve.survival_at(at).value for at in (0.5, 2.5, 9)] == [1.0, 0.75, 0.375]
    assert curve.survival_at(9.5).note == "nobody was followed to 9.5; the longest time is 9"


def test_a_curve_at_zero_has_no_limits() -> None:
    last = kaplan_meier([1, 2], [1, 1])["all"].survival_at(2)
    assert (last.value, last.low, last.high, last.note) == (0.0, None, None, "not estimable: the curve has reached 0")


def test_without_events_the_curve_stays_at_one() -> None:
    curve = kaplan_meier([3, 4, 5], [0, 0, 0])["all"]
    assert curve.survival.tolist() == curve.low.tolist() == curve.high.tolist() == [1, 1, 1]
    assert (curve.median.value, curve.median.note) == (None, "not reached: the curve stays above one half")
    assert curve.follow_up.value == 4


def test_with_nobody_censored_the_curve_is_the_share_still_free() -> None:
    time = np.random.default_rng(3).permutation(np.arange(1, 1001))
    np.testing.assert_allclose(kaplan_meier(time, np.ones(1000))["all"].survival, 1 - np.arange(1, 1001) / 1000)


def test_groups_are_their_own_curves() -> None:
    result = kaplan_meier([1, 2, 3, 4], [1, 1, 0, 1], group=["b", "a", "b", "a"])
    assert [curve.label for curve in result.curves] == ["a", "b"]
    assert result["b"].survival.tolist() == [0.5, 0.5]


def test_a_hundred_thousand_patients_are_two_log_rank_groups() -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, 100_000)
    time, end = rng.exponential(1 + 0.05 * group), rng.exponential(1, 100_000)
    result = logrank_test(np.minimum(time, end), time <= end, group)
    assert result.p_value is not None
    assert result.p_value < 1e-6
    assert sum(result.expected) == pytest.approx(sum(result.observed))


def test_without_events_there_is_no_log_rank_p() -> None:
    result = logrank_test([1, 2, 3], [0, 0, 0], [1, 1, 2])
    assert (result.p_value, result.df) == (None, 0)
    assert result.note.startswith("not estimable")


def test_one_event_among_the_last_patient_has_no_log_rank_p() -> None:
    assert logrank_test([1, 2, 3], [0, 0, 1], [1, 1, 2]).p_value is None


@pytest.mark.parametrize(
    ("time", "event", "message"),
    [
        ([], [], "must be lists of equal length"),
        ([1, 2], [1], "must be lists of equal length"),
        ([1, math.nan], [1, 0], "1 of 2 times are not finite .first at position 1: nan"),
        ([1, -2], [1, 0], "A time is negative .-2."),
        ([1, 2], [1, 2], "An event must be 0 or 1; got 2"),
        ([1, 2], [1, math.nan], "An event must be 0 or 1; got nan"),
    ],
)
def test_what_is_no_survival_data_is_refused(time: list[float], event: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kaplan_meier(time, event)


def test_one_group_is_refused() -> None:
    with pytest.raises(ValueError, match=r"compares groups; got only 'a' in 2 patients"):
        logrank_test([1, 2], [1, 1], ["a", "a"])


def test_a_patient_without_a_group_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 patients have no group"):
        logrank_test([1, 2], [1, 1], ["a", None])


def test_groups_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one entry a patient .2.; got"):
        kaplan_meier([1, 2], [1, 1], group=["a"])


def test_results_are_plain_json() -> None:
    curves = kaplan_meier([1, 2], [1, 1], group=[0, 1]).to_dict()
    json.dumps(curves, allow_nan=False)
    assert curves["curves"][0]["low"] == [None]
    json.dumps(logrank_test([1, 2, 3], [1, 1, 0], [0, 1, 1]).to_dict(), allow_nan=False)
