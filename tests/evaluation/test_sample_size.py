from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats

from glottis.evaluation.discrimination import hanley_mcneil_se
from glottis.evaluation.expected_auc import expected_auc_interval, r_squared_from_auc
from glottis.evaluation.planned_outcome import BinaryOutcome, SurvivalOutcome
from glottis.evaluation.sample_size import expected_shrinkage, sample_size

BINARY = BinaryOutcome(prevalence=0.2)
SURVIVAL = SurvivalOutcome(rate=0.1, horizon=2, mean_follow_up=2)


def _numbers(parameters: int, prevalence: float, **options: Any) -> list[int]:
    return [
        criterion.n for criterion in sample_size(parameters, BinaryOutcome(prevalence=prevalence), **options).criteria
    ]


# the packages' own tests and examples: CRAN pmsampsize tests/testthat/test_bin.R and test_surv.R; the first number of
# criterion 2 from the Python port, since early R versions rounded the largest R-squared to two digits
@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ({"r_squared": 0.288, "parameters": 24, "prevalence": 0.174}, [623, 662, 221]),
        ({"r_squared": 0.288, "parameters": 24, "prevalence": 0.25}, [623, None, 289]),
        ({"r_squared": 0.288, "parameters": 36, "prevalence": 0.174}, [934, None, 221]),
        ({"r_squared": 0.55, "parameters": 24, "prevalence": 0.174}, [255, None, 221]),
    ],
)
def test_binary_numbers_are_those_of_pmsampsize(options: Any, numbers: list[int | None]) -> None:
    ours = _numbers(**options)[:3]
    assert [own for own, theirs in zip(ours, numbers, strict=True) if theirs] == [n for n in numbers if n]


@pytest.mark.parametrize(
    ("r_squared", "parameters", "rate", "numbers", "events_per_parameter"),
    [
        (0.051, 25, 0.065, [4286, 866], 23.07),
        (0.065, 25, 0.065, [3335, 859], 17.95),
        (0.051, 50, 0.065, [8572, 1731], 23.07),
        (0.051, 25, 0.1, [4286, 731], 35.49),
    ],
)
def test_survival_numbers_are_those_of_pmsampsize(
    r_squared: float, parameters: int, rate: float, numbers: list[int], events_per_parameter: float
) -> None:
    result = sample_size(parameters, SurvivalOutcome(rate=rate, horizon=2, mean_follow_up=2.07), r_squared=r_squared)
    # pmsampsize rounds the events of 10,000 patients up before it takes the largest R-squared: one patient apart
    assert [criterion.n for criterion in result.criteria][:2] == pytest.approx(numbers, abs=1)
    assert round(result.events_per_parameter, 2) == events_per_parameter
    assert result.n == numbers[0]


def test_the_example_of_the_bmj_is_reproduced() -> None:
    # Riley et al., BMJ 2020;368:m441: 5% with the outcome, 30 parameters, R-squared 15% of its largest
    result = sample_size(30, BinaryOutcome(prevalence=0.05), r_squared=0.05, mean_error=0.05)
    by_name = {criterion.name: criterion.n for criterion in result.criteria}
    assert by_name["shrinkage of the coefficients"] == result.n == 5249
    assert by_name["overall risk within the margin"] == 73
    assert by_name["mean absolute error of the risks"] == 544
    assert round(result.max_r_squared, 2) == 0.33
    assert round(result.events_per_parameter, 2) == 8.75


def test_an_auc_leads_to_the_numbers_of_pmsampsize() -> None:
    # pmsampsize simulates and finds 615, 660, 221 with AUC 0.89
    assert _numbers(parameters=24, prevalence=0.174, auc=0.89)[:3] == pytest.approx([615, 660, 221], abs=2)


def test_the_r_squared_of_an_auc_is_that_of_a_million_patients() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(1_000_000) < 300_000
    apart = np.sqrt(2) * stats.norm.ppf(0.8)
    score = rng.standard_normal(y.size) + apart * y
    odds = np.log(3 / 7) + apart * score - apart**2 / 2
    gain = np.where(y, -np.logaddexp(0, -odds), -np.logaddexp(0, odds)).mean()
    simulated = 1 - np.exp(-2 * (gain - 0.3 * np.log(0.3) - 0.7 * np.log(0.7)))
    assert r_squared_from_auc(0.8, 0.3) == pytest.approx(simulated, abs=0.002)


def test_the_largest_r_squared_is_that_of_knowing_every_outcome() -> None:
    y = np.arange(1000) < 300
    null = np.where(y, np.log(0.3), np.log(0.7)).sum()
    assert BinaryOutcome(prevalence=0.3).max_r_squared == pytest.approx(1 - np.exp(2 / 1000 * null))


def test_at_each_number_the_shrinkage_is_the_one_asked_for() -> None:
    first = sample_size(24, BinaryOutcome(prevalence=0.174), r_squared=0.288, shrinkage=0.85).criteria[0]
    assert first.shrinkage == pytest.approx(0.85, abs=1e-3)
    assert first.shrinkage >= 0.85


def test_more_patients_shrink_less() -> None:
    values = [expected_shrinkage(n, 20, 0.2) for n in (1, 100, 300, 1000, 100_000)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(0.2, abs=1e-6)
    assert values[-1] > 0.999


def test_survival_risk_is_within_its_margin() -> None:
    result = sample_size(1, SurvivalOutcome(rate=0.3, horizon=2, mean_follow_up=2), r_squared=0.5, margin=0.02)
    assert result.binding == "overall risk within the margin"
    half = 1.959964 * np.sqrt(0.3 / (result.n * 2))
    assert np.exp(-0.6) - np.exp(-2 * (0.3 + half)) <= 0.02
    half = 1.959964 * np.sqrt(0.3 / ((result.n - 1) * 2))
    assert np.exp(-0.6) - np.exp(-2 * (0.3 + half)) > 0.02


def test_the_mean_error_is_not_known_for_many_parameters_or_survival() -> None:
    with pytest.raises(ValueError, match=r"at most 30 parameters; leave mean_error out \(parameters: 31\)"):
        sample_size(31, BinaryOutcome(prevalence=0.3), r_squared=0.2, mean_error=0.05)
    with pytest.raises(ValueError, match="The mean error is known for a binary outcome"):
        sample_size(5, SURVIVAL, r_squared=0.1, mean_error=0.05)


def test_hanley_and_mcneils_error_gives_paper_as_intervals() -> None:
    # Xie et al., Scientific Reports 2025, doi 10.1038/s41598-025-01270-1: external AUC 0.797 (0.710-0.885), 52 and 45
    half = 1.959964 * hanley_mcneil_se(0.797, 52, 45)
    assert (0.797 - half, 0.797 + half) == pytest.approx((0.710, 0.885), abs=0.0015)


def test_four_times_the_patients_halve_the_width_of_the_auc() -> None:
    small, large = (expected_auc_interval(0.8, n, n) for n in (500, 2000))
    assert (small.high - small.low) / (large.high - large.low) == pytest.approx(2, abs=0.02)


def test_the_expected_width_is_the_mean_of_simulated_ones() -> None:
    rng = np.random.default_rng(0)
    aucs = []
    for _ in range(400):  # exponential scores, for which the formula is exact: AUC 0.8 = 4 / (4 + 1)
        positive, negative = 4 * rng.exponential(1, 60), rng.exponential(1, 80)
        aucs.append((positive[:, None] > negative).mean())
    assert np.std(aucs) == pytest.approx(hanley_mcneil_se(0.8, 60, 80), rel=0.1)


def test_the_auc_interval_is_that_of_the_sample() -> None:
    result = sample_size(10, BinaryOutcome(prevalence=0.4), auc=0.8)
    positive = round(result.n * 0.4)
    assert result.auc == expected_auc_interval(0.8, positive, result.n - positive)
    assert sample_size(10, BinaryOutcome(prevalence=0.4), r_squared=0.2).auc is None


@pytest.mark.parametrize(
    ("outcome", "options", "message"),
    [
        (BINARY, {"parameters": 0, "auc": 0.8}, "at least one parameter; got 0"),
        (BINARY, {}, "is missing: give r_squared or auc"),
        (SURVIVAL, {"auc": 0.8}, "is missing: give r_squared, from"),
        (BinaryOutcome(prevalence=0.05), {"r_squared": 0.4}, "r_squared 0.4 is not below 0.328"),
        (BINARY, {"auc": 0.4}, "The expected AUC lies between 0.5 and 1; got 0.4"),
        (BINARY, {"r_squared": 0.1, "shrinkage": 1}, "shrinkage lies between 0 and 1"),
        (BINARY, {"r_squared": 0.1, "margin": 0}, "margin lies between 0 and 1; got 0"),
        (BINARY, {"r_squared": np.nan}, "r_squared lies between 0 and 1; got nan"),
    ],
)
def test_what_cannot_be_planned_is_refused(outcome: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample_size(outcome=outcome, **({"parameters": 5} | options))


def test_an_outcome_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"prevalence lies between 0 and 1; got 1.2"):
        BinaryOutcome(prevalence=1.2)
    with pytest.raises(ValueError, match="rate must be positive; got -1"):
        SurvivalOutcome(rate=-1, horizon=2, mean_follow_up=2)


def test_an_empty_class_has_no_auc() -> None:
    with pytest.raises(ValueError, match="Both classes need patients; got 0 and 5"):
        expected_auc_interval(0.8, 0, 5)


def test_the_result_is_plain_json() -> None:
    json.dumps(sample_size(10, BinaryOutcome(prevalence=0.4), auc=0.8).to_dict(), allow_nan=False)
