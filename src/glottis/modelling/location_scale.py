"""ComBat's arithmetic (Johnson, Li and Rabinovic 2007): a common scale, and what a batch does to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glottis.evaluation.interval import Bools, Floats
from glottis.modelling.fixed_order import weighted_sum

Prior = Literal["parametric", "nonparametric", "none"]
CONVERGED = 1e-4
_LIMIT = 10_000
_CHUNK = 4_000_000


@dataclass(frozen=True)
class CommonScale:
    """What a feature is expected to be without its batch, and how far rows lie around that.

    A row's values depend on no other row, a feature's on no other feature, to the last bit.

    Attributes:
        mean: (n_features,) mean over batches weighted by their rows, or that of the reference batch.
        slopes: (n_columns, n_features) of the covariates' columns.
        sd: (n_features,) residual standard deviation (divisor n) of all rows, or of the reference batch.
    """

    mean: Floats
    slopes: Floats
    sd: Floats

    def standardise(self, values: Floats, covariates: Floats) -> Floats:
        """(n, n_features) rows in units of ``sd`` around what is expected."""
        return np.asarray((values - self.mean - weighted_sum(covariates, self.slopes)) / self.sd)

    def restore(self, standard: Floats, covariates: Floats) -> Floats:
        """The way back."""
        return np.asarray(standard * self.sd + self.mean + weighted_sum(covariates, self.slopes))


def common_scale(values: Floats, codes: NDArray[np.intp], covariates: Floats, reference: int | None) -> CommonScale:
    """Least squares of each feature on batch and covariates.

    Args:
        values: (n, n_features), none constant.
        codes: (n,) number of each row's batch, 0 to n_batches - 1.
        covariates: (n, n_columns), of full rank beside the batches.
        reference: number of the batch whose mean and spread are the common ones.
    """
    counts = np.bincount(codes)
    design = np.column_stack([np.eye(counts.size)[codes], covariates])
    beta = np.linalg.lstsq(design, values, rcond=None)[0]
    residuals = values - design @ beta
    weights = counts / codes.size if reference is None else np.eye(counts.size)[reference]
    of_scale = residuals if reference is None else residuals[codes == reference]
    sd = np.sqrt((of_scale**2).mean(axis=0))
    return CommonScale(mean=weights @ beta[: counts.size], slopes=np.asarray(beta[counts.size :]), sd=np.asarray(sd))


def separable(codes: NDArray[np.intp], covariates: Floats) -> Bools:
    """(n_columns,) False where a column of the covariates follows from the batches and the columns before it."""
    design = np.eye(int(codes.max()) + 1)[codes]
    fine = np.ones(covariates.shape[1], dtype=bool)
    for number, column in enumerate(covariates.T):
        residual = column - design @ np.linalg.lstsq(design, column, rcond=None)[0]
        fine[number] = np.abs(residual).max() > 1e-9 * np.ptp(column)
        if fine[number]:
            design = np.column_stack([design, residual / np.abs(residual).max()])
    return fine


def batch_effect_of(standard: Floats, prior: Prior, *, mean_only: bool) -> tuple[Floats, Floats]:
    """Shift and spread of one batch, drawn towards those of its other features.

    Args:
        standard: (n, n_features) the batch's rows on the common scale.
        prior: ``"parametric"`` (normal and inverse gamma), ``"nonparametric"`` (the other features' estimates, weighted
            by likelihood), or ``"none"``, where nothing is drawn in.
        mean_only: leave the spread as it is.

    Returns:
        (n_features,) shift, in residual standard deviations, and (n_features,) spread, a ratio of standard deviations.
    """
    shift = standard.mean(axis=0)
    variance = np.ones_like(shift) if mean_only else standard.var(axis=0, ddof=1)
    if prior == "nonparametric":
        shift, variance = _nonparametric(standard, shift, variance)
    elif prior == "parametric" and mean_only:
        between = shift.var(ddof=1)
        shift = (between * shift + shift.mean()) / (between + 1)  # sva takes n = 1 here
    elif prior == "parametric":
        shift, variance = _parametric(standard, shift, variance)
    return shift, np.sqrt(np.ones_like(shift) if mean_only else variance)


def _parametric(standard: Floats, shift: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Posterior means in turn until they rest; stops where sva 3.46 stops, which looks at rising values alone."""
    n, centre, between = len(standard), shift.mean(), shift.var(ddof=1)
    mean, spread = variance.mean(), variance.var(ddof=1)
    own = ((standard - shift) ** 2).sum(axis=0)
    now, wide = shift, variance
    for _ in range(_LIMIT):
        then, before = now, wide
        now = (n * between * shift + wide * centre) / (n * between + wide)
        squares = own + n * (shift - now) ** 2
        # the inverse gamma's a and b, both times the variance of the variances, which may be 0
        wide = (squares / 2 * spread + mean * spread + mean**3) / (n / 2 * spread + spread + mean**2)
        with np.errstate(divide="ignore", invalid="ignore"):
            changes = np.concatenate([np.abs(now - then) / then, np.abs(wide - before) / before])
        if not (changes > CONVERGED).any():
            break
    return now, wide


def _nonparametric(standard: Floats, shift: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Means over all other features' estimates, each weighted by how likely it makes this feature's rows."""
    n, n_features = standard.shape
    own = ((standard - shift) ** 2).sum(axis=0)
    shifts, variances = np.empty(n_features), np.empty(n_features)
    step = max(1, _CHUNK // n_features)
    for start in range(0, n_features, step):
        part = slice(start, min(start + step, n_features))
        squares = own[part, None] + n * (shift[part, None] - shift) ** 2
        log_likelihood = -0.5 * (n * np.log(variance) + squares / variance)
        log_likelihood[np.arange(part.stop - part.start), np.arange(part.start, part.stop)] = -np.inf
        weight = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        shifts[part], variances[part] = weight @ shift, weight @ variance
    return shifts, variances
