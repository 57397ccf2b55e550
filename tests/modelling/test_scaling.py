from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from glottis.modelling.scaling import LogisticCurve, fit_curve

RNG = np.random.default_rng(8)
SCORE = RNG.random(150)
TRUTH = RNG.random(150) < expit(0.5 + 0.6 * logit(SCORE))


def test_the_curve_is_platts_optimum() -> None:
    curve, note = fit_curve(TRUTH, SCORE)
    x, n1, n0 = logit(0.005 + 0.99 * SCORE), TRUTH.sum(), (~TRUTH).sum()
    target = np.where(TRUTH, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))

    def loss(beta: np.ndarray) -> float:
        eta = beta[0] + beta[1] * x
        return float((np.logaddexp(0, eta) - target * eta).sum())

    best = minimize(loss, [0.0, 1.0], tol=1e-12).x
    assert note == ""
    assert (curve.intercept, curve.slope) == pytest.approx(tuple(best), abs=1e-5)


def test_recalibration_keeps_the_order_even_at_the_ends() -> None:
    curve = LogisticCurve(slope=0.7, intercept=-0.2)
    assert (np.diff(curve(np.array([0.0, 0.001, 0.002, 0.5, 0.999, 1.0]))) > 0).all()


def test_separated_classes_give_a_finite_curve() -> None:
    curve, _ = fit_curve(np.arange(20) >= 10, np.arange(20) / 19)
    assert 0 < curve.slope < 100


def test_scores_against_the_outcome_are_not_used_and_it_is_said() -> None:
    curve, note = fit_curve(TRUTH, 1 - SCORE)
    assert curve is None
    assert "do not rise with the outcome (slope -" in note


def test_equal_scores_give_no_curve() -> None:
    assert fit_curve(TRUTH, np.full(150, 0.4)) == (None, "not recalibrated: all out-of-fold scores are equal")


def test_a_score_alone_gets_the_value_it_gets_among_others() -> None:
    curve = LogisticCurve(slope=0.7, intercept=-0.2)
    assert [curve(np.array([item]))[0] for item in SCORE] == curve(SCORE).tolist()
