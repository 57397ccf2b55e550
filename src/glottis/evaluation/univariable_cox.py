"""Cox regression on one covariate, for many covariates at once: score test and Wald test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis.evaluation._partial_likelihood import FLAT, MAXIMUM_STEPS, PartialLikelihood
from glottis.evaluation.followup import check_survival
from glottis.evaluation.interval import Floats

_BLOCK = 256
_SMALL_STEP = 1e-10
_HALVINGS = 40


@dataclass(frozen=True)
class UnivariableCox:
    """One test a feature; nan where there is none.

    Attributes:
        statistic: (n_features,) chi-square of the score test, or Wald's z: above 0, high values bring events earlier.
        p_value: (n_features,) two-sided.
    """

    statistic: Floats
    p_value: Floats


def cox_score_tests(time: ArrayLike, event: ArrayLike, X: ArrayLike) -> UnivariableCox:
    """Score test of every feature alone, as R's ``summary(coxph(...))$sctest``; Efron's ties.

    Needs no fit, so it has a value where the likelihood has no maximum. A constant feature has none.

    Args:
        time: (n,) time to event or last follow-up, not negative.
        event: (n,) 1 for the event, 0 for censored.
        X: (n, n_features) finite values.

    Raises:
        ValueError: what `check_survival` refuses, no event, or another number of rows.
    """
    (statistic,) = _of_blocks(time, event, X, _score)
    return UnivariableCox(statistic, np.asarray(stats.chi2.sf(statistic, 1)))


def cox_wald_tests(time: ArrayLike, event: ArrayLike, X: ArrayLike) -> UnivariableCox:
    """Wald test of every feature alone, as R's ``coxph``; Efron's ties.

    A constant feature and one whose likelihood has no maximum (it names the next event every time) have none.

    Args:
        time: (n,) time to event or last follow-up, not negative.
        event: (n,) 1 for the event, 0 for censored.
        X: (n, n_features) finite values.

    Raises:
        ValueError: what `check_survival` refuses, no event, or another number of rows.
    """
    beta, information = _of_blocks(time, event, X, _maximum)
    statistic = beta * np.sqrt(information)
    return UnivariableCox(statistic, 2 * stats.norm.sf(np.abs(statistic)))


def survival_fields(y: Any) -> tuple[Any, Any]:
    """Time and event of a structured array as scikit-survival makes it.

    Raises:
        ValueError: no fields ``event`` and ``time``.
    """
    names = getattr(getattr(y, "dtype", None), "names", None) or ()
    if not {"event", "time"} <= set(names):
        got = f"the fields {', '.join(names)}" if names else type(y).__name__
        message = (
            f"A survival outcome is a structured array with the fields event and time; got {got}: make it with "
            "sksurv.util.Surv.from_arrays(event, time)."
        )
        raise ValueError(message)
    return y["time"], y["event"]


def _of_blocks(
    time: ArrayLike, event: ArrayLike, X: ArrayLike, of_block: Callable[[PartialLikelihood], tuple[Floats, ...]]
) -> tuple[Floats, ...]:
    """Standardise the columns and treat them in blocks that stay in the cache."""
    times, events, _ = check_survival(time, event)
    values = np.asarray(X, dtype=np.float64)
    if values.ndim != 2 or len(values) != times.size:
        message = f"Features need one row a patient ({times.size}); got the shape {values.shape}."
        raise ValueError(message)
    if not events.any():
        message = f"There is no event in {times.size} patients: a Cox test needs at least one."
        raise ValueError(message)
    scale = np.where(np.ptp(values, axis=0) > 0, values.std(axis=0), np.nan)
    scaled = (values - values.mean(axis=0)) / np.where(scale > 0, scale, np.nan)
    starts = range(0, scaled.shape[1], _BLOCK)
    with np.errstate(all="ignore"):  # nan marks what has no test; hazards overflow where there is no maximum
        parts = [of_block(PartialLikelihood(times, events, scaled[:, i : i + _BLOCK])) for i in starts]
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _derivatives(likelihood: PartialLikelihood, X: Floats, beta: Floats) -> tuple[Floats, Floats, Floats]:
    """Log-likelihood, score and information of each column of ``X`` at its own coefficient."""
    eta = X * beta
    top = eta.max(axis=0)
    weight = np.exp(eta - top)
    total = likelihood.at_risk(weight)
    weighted = weight * X
    mean = likelihood.at_risk(weighted) / total
    square = likelihood.at_risk(weighted * X) / total
    dead = likelihood.event
    log_likelihood = (eta[dead] - top - np.log(total)).sum(axis=0)
    return log_likelihood, (X[dead] - mean).sum(axis=0), (square - mean**2).sum(axis=0)


def _score(likelihood: PartialLikelihood) -> tuple[Floats]:
    _, score, information = _derivatives(likelihood, likelihood.X, np.zeros(likelihood.X.shape[1]))
    return (np.where(information > 0, score**2 / information, np.nan),)


def _maximum(likelihood: PartialLikelihood) -> tuple[Floats, Floats]:
    """Newton's steps of all columns that still move, halved where the likelihood would fall."""
    beta = np.zeros(likelihood.X.shape[1])
    found = np.full_like(beta, np.nan)
    moving = np.arange(beta.size)
    X = likelihood.X
    value, score, information = _derivatives(likelihood, X, beta)
    for _ in range(MAXIMUM_STEPS):
        curved = information * FLAT**2 > 1  # else the likelihood has no maximum, or the feature is constant
        moving, X, value = moving[curved], X[:, curved], value[curved]
        score, information = score[curved], information[curved]
        step = score / information
        small = np.abs(step) < _SMALL_STEP
        found[moving[small]] = information[small]
        moving, X, step, value = moving[~small], X[:, ~small], step[~small], value[~small]
        if not moving.size:
            break
        new = _derivatives(likelihood, X, beta[moving] + step)
        for _ in range(_HALVINGS):
            worse = ~(new[0] >= value - 1e-9)
            if not worse.any():
                break
            step = np.where(worse, step / 2, step)
            new = _derivatives(likelihood, X, beta[moving] + step)
        beta[moving] += step
        value, score, information = new
    return np.where(np.isnan(found), np.nan, beta), found
