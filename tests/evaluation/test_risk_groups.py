from __future__ import annotations

import json
import math

import numpy as np
import pytest

from glottis.evaluation import youden_threshold
from glottis.evaluation.risk_groups import median_cutoff, survival_youden_cutoff


def test_a_cut_off_of_training_is_applied_unchanged() -> None:
    cutoff = median_cutoff([0.1, 0.2, 0.9])
    assert cutoff.apply([0.19, 0.2, 5]).tolist() == ["low", "high", "high"]
    assert (cutoff.value, cutoff.method, cutoff.n_training, cutoff.at) == (0.2, "median", 3, None)


def test_without_censoring_youden_is_that_of_the_outcome_by_then() -> None:
    rng = np.random.default_rng(0)
    risk = rng.standard_normal(90)
    time = rng.exponential(np.exp(-risk))
    cutoff, plain = survival_youden_cutoff(time, np.ones(90), risk, at=0.7), youden_threshold(time <= 0.7, risk)
    assert cutoff.value == pytest.approx(plain.value)
    assert (cutoff.sensitivity, cutoff.specificity) == pytest.approx((plain.sensitivity, plain.specificity))


def test_censored_patients_count_through_the_weights() -> None:
    time, event, risk = [1, 2, 3, 4, 5, 6], [1, 0, 1, 1, 0, 0], [6, 1, 1, 5, 2, 3]
    cutoff = survival_youden_cutoff(time, event, risk, at=4)
    assert cutoff.value == 4
    # cases weigh 1, 5/4 and 5/4; the risks 6 and 5 are high
    assert cutoff.sensitivity == pytest.approx((1 + 5 / 4) / (1 + 5 / 4 + 5 / 4))
    assert cutoff.specificity == 1


def test_of_equal_cut_offs_the_more_sensitive_is_taken() -> None:
    assert survival_youden_cutoff([1, 1, 3, 3], [1, 1, 0, 0], [4, 2, 3, 1], at=2).sensitivity == 1


@pytest.mark.parametrize(("at", "cases", "controls"), [(0.5, 0, 3), (3, 3, 0)])
def test_a_time_without_cases_or_controls_is_refused(at: float, cases: int, controls: int) -> None:
    with pytest.raises(ValueError, match=rf"by then \({cases}\) and patients followed past it \({controls}\)"):
        survival_youden_cutoff([1, 2, 3], [1, 1, 1], [1, 2, 3], at=at)


def test_a_hundred_thousand_patients_are_cut_near_the_best_place() -> None:
    rng = np.random.default_rng(1)
    high = rng.random(100_000) < 0.5
    risk = rng.uniform(0, 1, 100_000) + high  # overlaps nowhere but at 1
    time = np.where(high, rng.uniform(0, 1, 100_000), rng.uniform(1, 3, 100_000))
    event = time < rng.exponential(4, 100_000)
    assert survival_youden_cutoff(time, event, risk, at=1).value == pytest.approx(1, abs=1e-3)


def test_a_risk_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 risks are not finite"):
        median_cutoff([1, math.nan])
    with pytest.raises(ValueError, match="1 of 1 risks are not finite"):
        median_cutoff([1, 2]).apply([math.nan])


def test_no_risk_is_refused() -> None:
    with pytest.raises(ValueError, match="A cut-off needs the risks of the training patients"):
        median_cutoff([])


def test_the_result_is_plain_json() -> None:
    json.dumps(survival_youden_cutoff([1, 2, 3], [1, 1, 1], [1, 2, 3], at=2).to_dict(), allow_nan=False)
