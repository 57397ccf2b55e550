from __future__ import annotations

import json

import numpy as np
import pytest
from bootstrap_cases import logistic, resamples
from scipy.special import expit

from glottis.evaluation import CorrectedCalibration, corrected_calibration, optimism
from glottis.evaluation.corrected_calibration import over_resamples
from stored import reference

R = reference("corrected_calibration")


@pytest.fixture(scope="module")
def corrected(cancer_predictors: tuple[np.ndarray, np.ndarray]) -> CorrectedCalibration:
    return corrected_calibration(logistic, *cancer_predictors)


def noise(n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(1).standard_normal((n, 10)), np.arange(n) % 2


def test_the_curve_over_the_same_resamples_is_that_of_r(cancer_predictors: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = cancer_predictors
    result, expected = over_resamples(logistic, X, y, resamples(len(y))), R["given"]
    np.testing.assert_allclose(result.curve_score, expected["grid"], rtol=1e-9)
    np.testing.assert_allclose(result.apparent, expected["apparent"], atol=1e-8)
    np.testing.assert_allclose(result.optimism, expected["optimism"], atol=1e-8)
    np.testing.assert_array_equal(result.corrected, result.apparent - result.optimism)
    assert result.fewest_resamples == min(expected["counts"])


def test_the_curve_is_that_of_rms_calibrate(corrected: CorrectedCalibration) -> None:
    # R drew 1000 resamples, we 200: 4 standard errors of the difference at each point
    expected = R["calibrate"]
    error = np.array(R["given"]["sd"]) * np.sqrt(1 / corrected.fewest_resamples + 1 / 1000)
    np.testing.assert_allclose(corrected.apparent, expected["apparent"], atol=1e-6)  # lrm stops sooner than our fit
    assert (np.abs(corrected.corrected - expected["corrected"]) < 4 * error).all()


def test_the_errors_are_those_that_rms_prints(corrected: CorrectedCalibration) -> None:
    # the curves differ by about 0.004, and a mean of absolute distances by less
    expected = R["calibrate"]
    assert corrected.mean_absolute_error == pytest.approx(expected["mean_absolute_error"], abs=0.002)
    assert corrected.e90 == pytest.approx(expected["e90"], abs=0.004)


def test_performance_is_what_optimism_gives(cancer_predictors: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = cancer_predictors[0][:200], cancer_predictors[1][:200]
    result = corrected_calibration(logistic, X, y, n_resamples=25, random_state=3)
    assert result.performance == optimism(logistic, X, y, n_resamples=25, random_state=3)


def test_noise_alone_is_drawn_towards_the_prevalence() -> None:
    X, y = noise()
    result = corrected_calibration(logistic, X, y, n_resamples=60)
    rise, kept = np.ptp(result.apparent), result.corrected[-1] - result.corrected[0]
    assert rise == pytest.approx(np.ptp(result.curve_score), rel=0.25)
    assert kept < 0.7 * rise
    assert result.mean_absolute_error > np.abs(result.apparent - result.curve_score).mean()


def test_one_seed_gives_one_result_and_plain_json() -> None:
    one, two = (corrected_calibration(logistic, *noise(60), n_resamples=20).to_dict() for _ in range(2))
    assert json.dumps(one, allow_nan=False) == json.dumps(two)
    assert sum(one["histogram"]) == one["n"] == 60
    assert one["n_positive"] == 30


def test_a_few_different_probabilities_have_no_curve() -> None:
    X = np.repeat([0.0, 1.0, 2.0], 30)[:, None]
    y = (np.arange(90) % 3 < X[:, 0] / 2 + 0.5).astype(int)
    result = corrected_calibration(logistic, X, y, n_resamples=20)
    assert result.note == "no curve: fewer than 20 different probabilities"
    assert (result.curve_score.size, result.mean_absolute_error) == (0, None)
    assert result.performance.n_resamples == 20


def test_scores_that_separate_the_classes_are_refused() -> None:
    y = np.arange(40) % 2
    with pytest.raises(ValueError, match="separates the classes or gives equal scores"):
        corrected_calibration(lambda X, _: lambda rows: expit(np.asarray(rows)[:, 0]), 8.0 * y[:, None] - 4, y)


@pytest.mark.parametrize(("n", "grid"), [(10, 50), (40, 1)])
def test_too_few_patients_or_points_are_refused(n: int, grid: int) -> None:
    with pytest.raises(ValueError, match=f"at least 11 patients and a grid of 2 points; got {n} and {grid}"):
        corrected_calibration(logistic, *noise(n), n_grid=grid)
