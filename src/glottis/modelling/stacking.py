"""How the scores of several models become one: a logistic curve with weights of at least 0, or a mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from glottis.evaluation.discrimination import area
from glottis.evaluation.interval import Bools, Floats, plain
from glottis.modelling.fixed_order import weighted_sum
from glottis.modelling.scaling import SQUEEZE

StackerKind = Literal["logistic", "mean"]
RIDGE = 1e-3


@dataclass(frozen=True)
class Stacker:
    """One score from those of the blocks.

    Attributes:
        kind: ``"logistic"`` weighs logits, ``"mean"`` probabilities.
        weights: (n_blocks,) none below 0; of a mean they sum to 1.
        intercept: of the logistic curve; 0 for a mean.
        standardised: (n_blocks,) weight times the standard deviation of what it weighs, summing to 1; all 0 where no
            block counts.
        note: why a block or all of them cannot count; empty otherwise.
    """

    kind: StackerKind
    weights: Floats
    intercept: float
    standardised: Floats
    note: str

    def __call__(self, scores: Floats) -> Floats:
        """(n,) probabilities; a row's depends on no other row, to the last bit.

        Args:
            scores: (n, n_blocks) between 0 and 1.
        """
        if self.kind == "mean":
            return weighted_sum(scores, self.weights)
        return np.asarray(expit(weighted_sum(_logits(scores), self.weights, self.intercept)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def fit_stacker(kind: StackerKind, truth: Bools, scores: Floats) -> Stacker:
    """Learn the weights from out-of-fold scores.

    The logistic curve is fitted to Platt's softened targets, which keep it finite for separated classes, under weights
    of at least 0: a block that speaks against the outcome counts nothing. A mean weighs each block by the excess of its
    AUC over one half.

    Args:
        kind: ``"logistic"`` or ``"mean"``.
        truth: (n,) outcome.
        scores: (n, n_blocks) out-of-fold scores between 0 and 1.
    """
    if kind == "mean":
        excess = np.array([max(area(truth, column) - 0.5, 0.0) for column in scores.T])
        note = "" if excess.any() else "no block's scores rise with the outcome: blocks count alike"
        weights = excess / excess.sum() if excess.any() else np.full(excess.size, 1 / excess.size)
        return Stacker(kind, weights, 0.0, _standardised(weights, scores), note)
    logits = _logits(scores)
    sd = logits.std(axis=0)
    usable = sd > 1e-9
    weights = np.zeros(sd.size)
    centre = logits[:, usable].mean(axis=0)
    inner, intercept = _non_negative((logits[:, usable] - centre) / sd[usable], truth)
    weights[usable] = inner / sd[usable]
    note = "" if weights.any() else "no block's scores rise with the outcome: every patient gets the same score"
    return Stacker(kind, weights, float(intercept - centre @ weights[usable]), _standardised(weights, logits), note)


def _non_negative(x: Floats, truth: Bools) -> tuple[Floats, float]:
    """Weights of at least 0 and intercept at the least penalised logistic loss, for standardised columns."""
    n_positive, n_negative = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))

    def loss(beta: Floats) -> tuple[float, Floats]:
        eta = beta[0] + x @ beta[1:]
        residual = expit(eta) - target
        value = (np.logaddexp(0, eta) - target * eta).sum() + RIDGE / 2 * (beta[1:] ** 2).sum()
        return float(value), np.concatenate([[residual.sum()], x.T @ residual + RIDGE * beta[1:]])

    start = np.zeros(x.shape[1] + 1)
    start[0] = logit(target.mean())
    bounds = [(None, None), *[(0.0, None)] * x.shape[1]]
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 1000}
    ).x
    return np.asarray(found[1:]), float(found[0])


def _standardised(weights: Floats, weighed: Floats) -> Floats:
    spread = weights * weighed.std(axis=0)
    return np.asarray(spread / spread.sum() if spread.sum() > 0 else spread)


def _logits(scores: Floats) -> Floats:
    return np.asarray(logit(SQUEEZE + (1 - 2 * SQUEEZE) * scores))
