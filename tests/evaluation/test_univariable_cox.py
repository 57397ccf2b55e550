from __future__ import annotations

import numpy as np
import pytest

from glottis.evaluation import cox_regression
from glottis.evaluation.univariable_cox import cox_score_tests, cox_wald_tests, survival_fields
from stored import reference

R = reference("univariable_cox")
ROW, J = np.arange(1, 61)[:, None], np.arange(1, 13)
TIME, EVENT = 1 + (ROW[:, 0] * 7) % 23, ((ROW[:, 0] * 5) % 7 < 4).astype(int)
X = 10 * np.sin(0.7 * J + 0.31 * ROW * J) + J * TIME[:, None] * (J % 3) / 23


def test_wald_tests_are_those_of_r() -> None:
    found = cox_wald_tests(TIME, EVENT, X)
    np.testing.assert_allclose(found.statistic, R["z"], rtol=1e-9)
    np.testing.assert_allclose(found.p_value, R["p"], rtol=1e-8)


def test_score_tests_are_those_of_r() -> None:
    found = cox_score_tests(TIME, EVENT, X)
    np.testing.assert_allclose(found.statistic, R["score"], rtol=1e-9)
    np.testing.assert_allclose(found.p_value, R["score_p"], rtol=1e-8)


def test_wald_tests_are_those_of_the_regression_on_one_covariate() -> None:
    rng = np.random.default_rng(3)
    time, event = rng.exponential(5, 400).round(1), rng.random(400) < 0.3
    values = rng.lognormal(sigma=2, size=(400, 5))
    alone = [cox_regression(time, event, column[:, None]).terms[0].p_value for column in values.T]
    np.testing.assert_allclose(cox_wald_tests(time, event, values).p_value, alone, rtol=1e-7)


def test_scale_and_shift_of_a_feature_change_nothing() -> None:
    np.testing.assert_allclose(cox_wald_tests(TIME, EVENT, 1e6 + 1e-3 * X).p_value, R["p"], rtol=1e-4)


def test_a_feature_that_orders_the_events_has_a_score_and_no_wald() -> None:
    order = np.arange(30.0)
    values = np.column_stack([-order, np.ones(30)])
    assert np.isnan(cox_wald_tests(order, np.ones(30), values).p_value).all()
    score = cox_score_tests(order, np.ones(30), values).p_value
    assert score[0] < 1e-4
    assert np.isnan(score[1])


def test_p_of_noise_is_uniform() -> None:
    rng = np.random.default_rng(5)
    found = cox_wald_tests(rng.exponential(size=300), rng.random(300) < 0.6, rng.standard_normal((300, 2600)))
    assert 0.04 < (found.p_value < 0.05).mean() < 0.06


@pytest.mark.parametrize(
    ("time", "event", "values", "match"),
    [
        ([1, 2], [0, 0], [[1], [2]], "no event in 2 patients"),
        ([1, 2], [0, 1], [[1], [2], [3]], r"one row a patient \(2\); got the shape \(3, 1\)"),
        ([-1, 2], [0, 1], [[1], [2]], "negative"),
    ],
)
def test_what_has_no_test_is_refused(time: list[int], event: list[int], values: list[list[int]], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        cox_score_tests(time, event, values)


def test_a_plain_outcome_is_no_survival() -> None:
    with pytest.raises(ValueError, match="fields event and time; got ndarray"):
        survival_fields(np.arange(3))
    with pytest.raises(ValueError, match="got the fields status, time"):
        survival_fields(np.zeros(2, dtype=[("status", bool), ("time", float)]))
