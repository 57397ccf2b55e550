"""Recalibration: a logistic curve that turns a classifier's scores into probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit

from glottis.evaluation.interval import Bools, Floats

SQUEEZE = 0.005
_STEPS = 100


@dataclass(frozen=True)
class LogisticCurve:
    """Probability = expit(intercept + slope * logit(score)), with scores drawn in from 0 and 1 by half a percent.

    Drawing in (``0.005 + 0.99 * score``) instead of cutting keeps every difference between scores: with a slope above
    0 the order of patients, and so the AUC, is untouched.

    Attributes:
        slope: above 0; 1 with intercept 0 changes (almost) nothing.
        intercept: on the logit scale.
    """

    slope: float
    intercept: float

    def __call__(self, score: Floats) -> Floats:
        """Recalibrated probabilities.

        Args:
            score: (n,) scores between 0 and 1.
        """
        return np.asarray(expit(self.intercept + self.slope * _x(score)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(vars(self))


def fit_curve(truth: Bools, score: Floats) -> tuple[LogisticCurve | None, str]:
    """The curve after Platt (1999), with his softened targets, which keep it finite for separated classes.

    Args:
        truth: (n,) outcome of the training patients.
        score: (n,) their out-of-fold scores, between 0 and 1.

    Returns:
        The curve, or None and why it is not used: scores all equal, or a slope that is not above 0.
    """
    x = _x(score)
    if np.ptp(x) < 1e-9:
        return None, "not recalibrated: all out-of-fold scores are equal"
    n_positive, n_negative = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    design = np.column_stack([np.ones_like(x), x])
    beta = np.array([logit(target.mean()), 0.0])
    for _ in range(_STEPS):
        step = _newton_step(design, target, beta)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    if beta[1] <= 0:
        return None, f"not recalibrated: out-of-fold scores do not rise with the outcome (slope {beta[1]:.2f})"
    return LogisticCurve(slope=float(beta[1]), intercept=float(beta[0])), ""


def _newton_step(design: Floats, target: Floats, beta: Floats) -> Floats:
    """Newton's step, halved until the likelihood does not fall."""
    eta = design @ beta
    weight = expit(eta) * expit(-eta)
    step = np.linalg.solve((design.T * weight) @ design, design.T @ (target - expit(eta)))
    now = _loss(eta, target)
    while _loss(design @ (beta + step), target) > now + 1e-12 and np.abs(step).max() > 1e-12:
        step = step / 2
    return np.asarray(step)


def _loss(eta: Floats, target: Floats) -> float:
    return float((np.logaddexp(0, eta) - target * eta).sum())


def _x(score: Floats) -> Floats:
    return np.asarray(logit(SQUEEZE + (1 - 2 * SQUEEZE) * score))
