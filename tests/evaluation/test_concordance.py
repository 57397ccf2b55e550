from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glottis.evaluation import roc_auc
from glottis.evaluation.concordance import concordance_index

R = json.loads((Path(__file__).parents[1] / "reference" / "concordance.json").read_text(encoding="utf-8"))


def _data(name: str, folder: Path) -> tuple[pd.Series, pd.Series, pd.Series]:
    table = pd.read_csv(folder / "stats" / f"{name}.csv")
    if name == "lung":
        table = table[table["ph.karno"].notna()]
        return table["time"], table["status"], -table["ph.karno"]
    if name == "larynx":
        return table["time"], table["death"], table["age"] + 10 * table["Stage_IV"]
    return table["week"], table["arrest"], table["prio"] - table["age"] / 10


@pytest.mark.parametrize("kind", ["harrell", "harrell_tau", "uno", "uno_tau"])
@pytest.mark.parametrize("name", ["lung", "larynx", "rossi"])
def test_the_index_and_its_error_are_those_of_r(shared_data: Path, name: str, kind: str) -> None:
    method, expected = kind.removesuffix("_tau"), R[name][kind]
    tau = R[name]["tau"] if kind.endswith("_tau") else None
    result = concordance_index(*_data(name, shared_data), method=method, tau=tau)
    assert {key: getattr(result, key) for key in expected} == pytest.approx(expected, rel=1e-10)


def _slow(time: np.ndarray, event: np.ndarray, risk: np.ndarray) -> tuple[float, float]:
    """The definition over the full matrix of pairs, and the infinitesimal jackknife by moving each weight a little."""
    earlier = (time[:, None] < time) | ((time[:, None] == time) & ~event)
    comparable = (event[:, None] & earlier).astype(float)
    good = comparable * ((risk[:, None] > risk) + 0.5 * (risk[:, None] == risk))

    def c(weight: np.ndarray) -> float:
        return float(weight @ good @ weight / (weight @ comparable @ weight))

    ones, step = np.ones(time.size), 1e-5 * np.eye(time.size)
    slopes = [(c(ones + part) - c(ones - part)) / 2e-5 for part in step]
    return c(ones), float(np.linalg.norm(slopes))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 5)), min_size=25, max_size=25))
def test_merging_agrees_with_the_matrix_of_pairs(rows: list[tuple[int, bool, int]]) -> None:
    time, event, risk = (np.array(column) for column in zip(*rows, strict=True))
    result = concordance_index(time, event, risk)
    if result.se is None:
        assert result.note
        return
    assert (result.value, result.se) == pytest.approx(_slow(time, event, risk), rel=1e-5)


@pytest.mark.parametrize("n", [63, 64, 65, 200, 517])
def test_merging_agrees_with_the_matrix_of_pairs_over_many_blocks(n: int) -> None:
    rng = np.random.default_rng(n)
    time, event, risk = rng.integers(0, n // 2, n), rng.random(n) < 0.7, rng.integers(0, n // 3, n)
    result = concordance_index(time, event, risk)
    assert (result.value, result.se) == pytest.approx(_slow(time, event, risk), rel=1e-5)


def test_without_censoring_unos_c_is_harrells() -> None:
    rng = np.random.default_rng(0)
    time, risk = rng.exponential(1, 50), rng.standard_normal(50)
    uno, harrell = (concordance_index(time, np.ones(50), risk, method=name) for name in ("uno", "harrell"))
    assert (uno.value, uno.se) == pytest.approx((harrell.value, harrell.se))


def test_with_one_event_time_the_index_is_the_auc() -> None:
    rng = np.random.default_rng(1)
    event = np.arange(60) % 3 == 0
    risk = np.round(rng.standard_normal(60) + event, 1)
    assert concordance_index(np.where(event, 1, 2), event, risk).value == pytest.approx(roc_auc(event, risk).value)


def test_turning_the_risk_turns_the_index() -> None:
    rng = np.random.default_rng(2)
    time, event, risk = rng.exponential(1, 80), rng.random(80) < 0.6, rng.standard_normal(80)
    one, other = concordance_index(time, event, risk), concordance_index(time, event, -risk)
    assert other.value == pytest.approx(1 - one.value)
    assert other.se == pytest.approx(one.se)


def test_equal_risks_are_chance_without_limits() -> None:
    result = concordance_index(range(1, 9), [1] * 8, [3] * 8)
    assert (result.value, result.interval.low) == (0.5, None)
    assert result.note == "not estimable: all patients have the same risk"


def test_a_perfect_order_has_no_limits() -> None:
    result = concordance_index(range(1, 9), [1] * 8, range(8, 0, -1))
    assert (result.value, result.wald.high) == (1.0, None)
    assert "the order is the same in every pair" in result.note


def test_few_events_have_no_limits() -> None:
    result = concordance_index([1, 2, 3], [1, 1, 0], [1, 3, 2])
    assert (result.value, result.se) == (pytest.approx(1 / 3), None)
    assert result.note == "not estimable: 2 events, 5 are needed"


def test_without_events_the_index_is_undefined() -> None:
    result = concordance_index([1, 2, 3], [0, 0, 0], [1, 2, 3])
    assert (result.value, result.interval.value) == (None, None)
    assert result.note == "undefined (0/0): no two patients can be compared"


def test_a_hundred_thousand_patients_are_ordered() -> None:
    rng = np.random.default_rng(3)
    risk = rng.standard_normal(100_000)
    time, end = rng.exponential(np.exp(-risk)), rng.exponential(1, 100_000)
    result = concordance_index(np.minimum(time, end), time <= end, risk)
    assert result.value == pytest.approx(0.72, abs=0.02)  # the mean of 1 / (1 + exp(-|difference|))
    assert result.interval.high - result.interval.low < 0.01


@pytest.mark.parametrize(
    ("options", "message"),
    [({"method": "gonen"}, "Unknown method 'gonen'"), ({"tau": 0}, "tau must be a positive time; got 0")],
)
def test_unknown_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        concordance_index([1, 2], [1, 1], [1, 2], **options)


def test_a_risk_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 risks are not finite"):
        concordance_index([1, 2], [1, 1], [1, np.inf])


def test_the_result_is_plain_json() -> None:
    for event in ([1, 1, 1], [0, 0, 0]):
        json.dumps(concordance_index([1, 2, 3], event, [1, 3, 2]).to_dict(), allow_nan=False)
