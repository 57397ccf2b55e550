"""Rubin's rules: one estimate from several imputed tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Floats, Interval
from glottis.evaluation.limits import LARGEST_EXPONENT
from glottis.evaluation.logistic import Regression
from glottis.evaluation.logistic_fit import LogisticFit
from glottis.evaluation.odds import OddsRatio, no_odds_ratio

_LEAST_FRACTION = 1e-4  # below it the degrees of freedom would overflow; mice cuts here, too


@dataclass(frozen=True)
class Pooled:
    """Estimates of several imputed tables as one.

    Attributes:
        estimate: (k,) means.
        covariance: (k, k) within the tables, plus (1 + 1/m) times that between them.
        df: (k,) degrees of freedom of each, after Barnard and Rubin.
        m: tables.
    """

    estimate: Floats
    covariance: Floats
    df: Floats
    m: int

    @property
    def errors(self) -> Floats:
        """(k,) standard errors."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))


def pool(estimates: ArrayLike, covariances: ArrayLike, *, df_complete: float) -> Pooled:
    """Pool estimates by Rubin's rules (1987), with the small-sample degrees of freedom of Barnard and Rubin (1999).

    Args:
        estimates: (m, k) of each imputed table.
        covariances: (m, k, k) of each.
        df_complete: degrees of freedom that complete data would have: patients less parameters.

    Raises:
        ValueError: fewer than two tables, other shapes, or no degree of freedom.

    >>> pooled = pool([[0.2], [0.4]], [[[0.01]], [[0.01]]], df_complete=50)
    >>> pooled.estimate.round(3), pooled.covariance.round(3), pooled.df.round(2)
    (array([0.3]), array([[0.04]]), array([1.55]))
    """
    q, u = np.asarray(estimates, dtype=np.float64), np.asarray(covariances, dtype=np.float64)
    if q.ndim != 2 or len(q) < 2 or u.shape != (*q.shape, q.shape[1]) or not df_complete > 0:
        message = (
            f"Pooling needs two imputed tables or more, a covariance for each, and degrees of freedom; got shapes "
            f"{q.shape} and {u.shape} and {df_complete:g}: impute more often, or use fewer covariates."
        )
        raise StatisticsError(message)
    m = len(q)
    within = u.mean(axis=0)
    between = np.atleast_2d(np.cov(q, rowvar=False))
    total = within + (1 + 1 / m) * between
    fraction = np.maximum((1 + 1 / m) * np.diag(between) / np.diag(total), _LEAST_FRACTION)
    old = (m - 1) / fraction**2
    observed = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - fraction)
    return Pooled(q.mean(axis=0), total, old * observed / (old + observed), m)


def pool_fits(fits: Sequence[LogisticFit]) -> Pooled:
    """One regression from those of the imputed tables; a single one stays as it is.

    Args:
        fits: of the same covariates and patients, none separated.
    """
    first = fits[0]
    if len(fits) == 1:
        return Pooled(first.coefficients, first.covariance, np.full(first.coefficients.size, np.inf), 1)
    df = first.n - first.coefficients.size
    return pool([fit.coefficients for fit in fits], [fit.covariance for fit in fits], df_complete=df)


def pooled_regression(fits: Sequence[LogisticFit], *, level: float = 0.95) -> Regression:
    """Odds ratios of several imputed tables as one, with limits and p from Student's t.

    Args:
        fits: of the same covariates and patients; where one is separated there are no ratios.
        level: confidence level.
    """
    first = fits[0]
    method = f"Wald, {len(fits)} imputations pooled (Rubin; df of Barnard and Rubin)"
    separated = next((", ".join(fit.separated) for fit in fits if fit.separated), "")
    finite = all(np.isfinite(fit.errors).all() for fit in fits)
    if separated or not finite:
        why = f"the classes are separated by {separated}" if separated else "the regression cannot be inverted"
        ratios = [no_odds_ratio(method, level, why) for _ in first.columns]
    else:
        pooled = pool_fits(fits)
        parts = zip(pooled.estimate[1:], pooled.errors[1:], pooled.df[1:], strict=True)
        ratios = [_ratio(float(b), float(se), float(df), method, level) for b, se, df in parts]
    return Regression(first.columns, tuple(ratios), first.n, first.smaller_class, separated)


def _ratio(b: float, se: float, df: float, method: str, level: float) -> OddsRatio:
    half = float(stats.t.ppf((1 + level) / 2, df)) * se
    value, low, high = (float(np.exp(min(b + shift, LARGEST_EXPONENT))) for shift in (0.0, -half, half))
    return OddsRatio(Interval(value, low, high, method, level), b, se, float(2 * stats.t.sf(abs(b / se), df)))
