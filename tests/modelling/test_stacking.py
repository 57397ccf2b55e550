from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from glottis.evaluation.discrimination import area
from glottis.modelling.scaling import fit_curve
from glottis.modelling.stacking import RIDGE, fit_stacker


def _cohort(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(n) % 3 == 0)
    raw = np.column_stack([1.5 * truth, 0.8 * truth, -0.5 * truth, 0 * truth]) + rng.standard_normal((n, 4))
    return truth, expit(raw)


@pytest.mark.parametrize("seed", range(5))
def test_the_weights_meet_the_conditions_of_a_constrained_minimum(seed: int) -> None:
    truth, scores = _cohort(seed)
    found = fit_stacker("logistic", truth, scores)
    x = logit(0.005 + 0.99 * scores)
    target = np.where(truth, (truth.sum() + 1) / (truth.sum() + 2), 1 / ((~truth).sum() + 2))
    residual = expit(found.intercept + x @ found.weights) - target
    slope = x.T @ residual / x.std(axis=0) + RIDGE * found.weights * x.std(axis=0)
    assert abs(residual.sum()) < 1e-4
    assert np.abs(slope[found.weights > 0]).max() < 1e-3
    assert (slope[found.weights == 0] > 0).all()  # more weight would only make it worse
    assert found.weights[2] == 0


def test_one_block_gives_platts_curve() -> None:
    truth, scores = _cohort(0)
    curve, _ = fit_curve(truth, scores[:, 0])
    stacker = fit_stacker("logistic", truth, scores[:, :1])
    assert curve is not None
    assert (stacker.intercept, stacker.weights[0]) == pytest.approx(
        (curve.intercept, curve.slope), rel=1e-3
    )  # but for the ridge


def test_standardised_weights_are_what_a_block_moves_the_logit_by() -> None:
    truth, scores = _cohort(1)
    found = fit_stacker("logistic", truth, scores)
    moved = found.weights * logit(0.005 + 0.99 * scores).std(axis=0)
    np.testing.assert_allclose(found.standardised, moved / moved.sum())


def test_twins_share_their_weight() -> None:
    truth, scores = _cohort(2)
    twins = fit_stacker("logistic", truth, scores[:, [0, 0]])
    assert twins.weights[0] == pytest.approx(twins.weights[1])


def test_separated_classes_have_finite_weights() -> None:
    truth = np.arange(40) % 2 == 0
    found = fit_stacker("logistic", truth, np.column_stack([truth, 1 - truth]).astype(float))
    assert 0 < found.weights[0] < 10
    assert found.weights[1] == 0


def test_a_mean_weighs_by_the_excess_over_one_half() -> None:
    truth, scores = _cohort(3)
    found = fit_stacker("mean", truth, scores)
    excess = np.maximum([area(truth, column) - 0.5 for column in scores.T], 0)
    np.testing.assert_allclose(found.weights, excess / excess.sum())
    np.testing.assert_allclose(found(scores), scores @ (excess / excess.sum()))


def test_where_no_block_knows_anything_it_is_said() -> None:
    truth = np.arange(40) % 2 == 0
    against = np.column_stack([1.0 - truth, np.full(40, 0.3)])
    assert fit_stacker("logistic", truth, against).note == (
        "no block's scores rise with the outcome: every patient gets the same score"
    )
    np.testing.assert_allclose(fit_stacker("logistic", truth, against)(against), 0.5)
    mean = fit_stacker("mean", truth, against)
    assert mean.note == "no block's scores rise with the outcome: blocks count alike"
    assert mean.to_dict()["weights"] == [0.5, 0.5]
