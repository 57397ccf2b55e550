from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from glottis.evaluation import cohen_kappa, fleiss_kappa
from stored import reference

R = reference("agreement")
RNG = np.random.default_rng(8)
# https://en.wikipedia.org/wiki/Fleiss'_kappa, worked example: 10 subjects, 14 raters, 5 categories
WORKED = """0 0 0 0 14; 0 2 6 4 2; 0 0 3 5 6; 0 3 9 2 0; 2 2 8 1 1; 7 7 0 0 0; 3 2 6 3 0;
2 5 3 2 2; 6 5 2 1 0; 0 2 2 3 7"""


def _readers(shared_data: Path) -> np.ndarray:
    table = pd.read_csv(shared_data / "stats" / "VanDyke.csv")
    return table[table["treatment"] == 1].pivot(index="case", columns="reader", values="rating").to_numpy()


@pytest.mark.parametrize(("key", "pair"), [("kappa", (0, 1)), ("kappa_three", (2, 4))])
@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_two_readers_agree_as_vcd_says(shared_data: Path, key: str, pair: tuple[int, int], weights: str | None) -> None:
    readers = _readers(shared_data)
    result = cohen_kappa(readers[:, pair[0]], readers[:, pair[1]], weights=weights, categories=[1, 2, 3, 4, 5]).interval
    value, se = R[key][weights or "none"]
    assert result.value == pytest.approx(value, rel=1e-9)
    assert (result.high - result.low) / 2 / 1.959963984540054 == pytest.approx(se, rel=1e-8)


def test_five_readers_agree_as_the_definition_says(shared_data: Path) -> None:
    result = fleiss_kappa(_readers(shared_data)).interval
    assert result.value == pytest.approx(R["fleiss"][0], rel=1e-10)
    assert (result.high - result.low) / 2 / 1.959963984540054 == pytest.approx(R["fleiss"][1], rel=1e-8)


def test_fleiss_kappa_of_the_worked_example_is_the_published_one() -> None:
    rows = [[int(n) for n in row.split()] for row in WORKED.split(";")]
    result = fleiss_kappa([np.repeat(np.arange(5), row) for row in rows])
    assert result.value == pytest.approx(0.210, abs=5e-4)
    assert result.expected == pytest.approx(0.213, abs=5e-4)
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_kappa_is_that_of_scikit_learn(weights: str | None) -> None:
    a, b = RNG.integers(0, 4, (2, 80))
    assert cohen_kappa(a, b, weights=weights).value == pytest.approx(cohen_kappa_score(a, b, weights=weights))


def test_weights_of_two_categories_change_nothing() -> None:
    a, b = RNG.integers(0, 2, (2, 50))
    assert cohen_kappa(a, b, weights="quadratic").value == pytest.approx(cohen_kappa(a, b).value)


def test_perfect_agreement_is_one_without_limits() -> None:
    for result in (cohen_kappa([1, 2, 3], [1, 2, 3]), fleiss_kappa([[1, 1], [2, 2], [3, 3]])):
        assert (result.value, result.interval.low) == (1, None)


def test_one_category_for_everybody_leaves_kappa_undefined() -> None:
    for result in (cohen_kappa([1, 1], [1, 1]), fleiss_kappa([[1, 1], [1, 1]])):
        assert result.value is None
        assert "everybody is in one category" in result.interval.note
        json.dumps(result.to_dict(), allow_nan=False)


def test_a_hundred_thousand_patients_without_agreement_have_a_kappa_near_zero() -> None:
    ratings = RNG.integers(0, 3, (100_000, 3))
    result = fleiss_kappa(ratings).interval
    assert abs(result.value) < 0.01
    assert result.high - result.low < 0.01


@pytest.mark.parametrize(
    ("first", "options", "match"),
    [
        ([1.0, np.nan], {}, "A rating is missing"),
        ([1, 7], {"categories": [0, 1, 2]}, r"Rating 7 is not among the categories \[0, 1, 2\]"),
        (["low", "high"], {"weights": "linear"}, r"order of the categories \['high', 'low'\]"),
        ([1, 2, 1], {}, r"Cannot pair the second rater \(2 patients\)"),
        ([1, 2], {"weights": "cubic"}, "Unknown weights 'cubic'"),
    ],
)
def test_ratings_that_cannot_be_compared_are_refused(first: list, options: dict, match: str) -> None:
    second = ["low", "low"] if isinstance(first[0], str) else [1, 2]
    with pytest.raises(ValueError, match=match):
        cohen_kappa(first, second, **options)


def test_one_rater_alone_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 2 raters; got \(3, 1\)"):
        fleiss_kappa([[1], [2], [1]])


@pytest.mark.parametrize("second", [[1, 0], [0, 1]])
def test_two_patients_have_a_kappa_without_a_warning(second: list[int]) -> None:
    assert cohen_kappa([0, 1], second).value == (1 if second == [0, 1] else -1)
