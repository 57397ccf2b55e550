from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from bootstrap_cases import logistic, resamples
from scipy.special import expit

from glottis.evaluation import optimism
from glottis.evaluation.optimism import over_resamples
from stored import reference

R = reference("calibration")
MEASURES = ["auc", "brier", "slope", "intercept"]


def test_optimism_over_the_same_resamples_is_that_of_r(cancer_predictors: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = cancer_predictors
    result = over_resamples(logistic, X, y, resamples(len(y)))
    parts = [getattr(result, name) for name in MEASURES]
    assert [part.apparent for part in parts] == pytest.approx(R["optimism"]["apparent"], rel=1e-7, abs=1e-7)
    assert [part.optimism for part in parts] == pytest.approx(R["optimism"]["optimism"], rel=1e-6, abs=1e-7)
    assert [part.corrected for part in parts] == pytest.approx([part.apparent - part.optimism for part in parts])


def test_optimism_is_that_of_rms_validate(cancer_predictors: tuple[np.ndarray, np.ndarray]) -> None:
    # R drew 1000 resamples, we 200: the tolerances are 4 standard errors of ours
    result, expected = optimism(logistic, *cancer_predictors), R["validate"]
    tolerance = {"auc": 0.006, "brier": 0.003, "slope": 0.035, "intercept": 0.06}
    for name in MEASURES:
        assert getattr(result, name).optimism == pytest.approx(expected[name], abs=tolerance[name])


def test_noise_alone_is_corrected_to_chance() -> None:
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((150, 12)), np.arange(150) % 2
    result = optimism(logistic, X, y, n_resamples=60)
    assert result.auc.apparent > 0.6
    assert result.auc.corrected == pytest.approx(0.5, abs=0.09)
    assert result.slope.apparent == pytest.approx(1, abs=1e-6)
    assert result.slope.corrected < 0.5
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_table_is_resampled_by_rows(cancer_predictors: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = cancer_predictors[0][:200], cancer_predictors[1][:200]
    table = pd.DataFrame(X, index=[f"P{row}" for row in range(200)])
    one, other = (optimism(logistic, rows, y, n_resamples=20) for rows in (table, X))
    assert one.auc == other.auc
    assert one.slope.optimism == pytest.approx(other.slope.optimism, rel=1e-9)


def test_resamples_of_one_class_are_counted() -> None:
    rng = np.random.default_rng(4)
    X, y = rng.standard_normal((40, 1)), np.r_[np.ones(2, int), np.zeros(38, int)]
    result = optimism(lambda rows, _: lambda new: expit(np.asarray(new)[:, 0]), X, y, n_resamples=100)
    assert result.n_failed > 0
    assert result.n_resamples + result.n_failed == 100


@pytest.mark.parametrize(
    ("scores", "resamples", "match"),
    [
        (lambda X: np.asarray(X)[:, 0] / 100, 20, "separates the classes or gives equal scores"),
        (lambda X: np.asarray(X)[:, 0] - 5, 20, "Optimism needs probabilities; got scores from -5"),
        (lambda X: np.full(len(X), 0.5), 5, "at least 20 resamples; got 5"),
    ],
)
def test_a_procedure_that_cannot_be_corrected_is_refused(scores, resamples: int, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        optimism(lambda X, y: scores, np.arange(20.0)[:, None], np.repeat([0, 1], 10), n_resamples=resamples)


def test_too_few_usable_resamples_are_refused() -> None:
    X, y = np.arange(3.0)[:, None] / 4, np.array([0, 1, 0])
    with pytest.raises(ValueError, match="of 25 resamples gave a model: the set is too small"):
        optimism(lambda _, __: lambda new: np.asarray(new)[:, 0], X, y, n_resamples=25)
