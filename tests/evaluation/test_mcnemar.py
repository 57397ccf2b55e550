from __future__ import annotations

import json

import numpy as np
import pytest

from glottis.evaluation import mcnemar_test
from glottis.evaluation.mcnemar import paired_difference
from stored import reference

R = reference("comparison")["mcnemar"]


def _calls(both: int, first: int, second: int, none: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcome and calls: of the patients, the first half are positive."""
    right = np.repeat([(1, 1), (1, 0), (0, 1), (0, 0)], [both, first, second, none], axis=0)
    truth = np.arange(len(right)) % 2
    return truth, np.where(right[:, 0], truth, 1 - truth), np.where(right[:, 1], truth, 1 - truth)


@pytest.mark.parametrize("stored", R, ids=lambda item: str(item["table"]))
def test_both_tests_are_those_of_r(stored: dict) -> None:
    calls = _calls(*stored["table"])
    exact, corrected = mcnemar_test(*calls), mcnemar_test(*calls, method="corrected")
    assert exact.p_value == pytest.approx(stored["p_exact"], rel=1e-10)
    assert (corrected.statistic, corrected.p_value) == pytest.approx((stored["chi2"], stored["p_corrected"]), rel=1e-10)
    assert [exact.both_right, exact.first_only, exact.second_only, exact.both_wrong] == stored["table"]


def test_balanced_disagreements_are_no_evidence() -> None:
    result = mcnemar_test(*_calls(10, 6, 6, 4), method="corrected")
    assert (result.statistic, result.p_value, result.difference.value) == (0, 1, 0)


def test_among_positives_the_difference_is_that_of_sensitivities() -> None:
    truth, first, second = _calls(30, 12, 3, 8)
    result = mcnemar_test(truth, first, second, among="positives")
    assert result.difference.value == pytest.approx(first[truth == 1].mean() - second[truth == 1].mean())
    other = mcnemar_test(truth, first, second, among="negatives")
    assert result.first_only + other.first_only == 12


def test_exchanging_the_raters_changes_the_sign_alone() -> None:
    truth, first, second = _calls(30, 12, 3, 8)
    there, back = mcnemar_test(truth, first, second), mcnemar_test(truth, second, first)
    assert there.p_value == back.p_value
    assert there.difference.low == pytest.approx(-back.difference.high)
    json.dumps(there.to_dict(), allow_nan=False)


def test_the_difference_covers_as_often_as_it_says() -> None:
    # 4000 tables of 60 patients: coverage 95%, standard error .34%
    tables = np.random.default_rng(6).multinomial(60, [0.5, 0.2, 0.1, 0.2], size=4000)
    limits = [paired_difference(int(b), int(c), 60, 0.95) for _, b, c, _ in tables]
    assert 0.935 < np.mean([item.low <= 0.1 <= item.high for item in limits]) < 0.975


def test_three_patients_are_tested_exactly() -> None:
    assert mcnemar_test([1, 0, 1], [1, 0, 1], [0, 1, 0]).p_value == 0.25


@pytest.mark.parametrize(
    ("first", "second", "options", "match"),
    [
        ([0.2, 1], [0, 1], {}, "first calls must be 0 or 1; got 0.2 to 1"),
        ([0, 1], [0, 1, 1], {}, r"Cannot pair the second calls \(3 patients\)"),
        ([0, 1], [0, 1], {"method": "yates"}, "Unknown McNemar test 'yates'"),
        ([0, np.nan], [0, 1], {}, "1 of 2 scores are not finite"),
    ],
)
def test_calls_that_are_none_are_refused(first: list, second: list, options: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        mcnemar_test([0, 1], first, second, **options)
