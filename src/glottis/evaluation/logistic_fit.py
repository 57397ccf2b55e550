"""One logistic regression: coefficients with their covariance, or what separates the classes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize
from statsmodels.discrete.discrete_model import Logit

from glottis._errors import StatisticsError
from glottis.evaluation.design_matrix import Column, Design, complete_rows, design_matrix
from glottis.evaluation.interval import Bools, Floats

_FLAT = 10.0
_NONZERO = 1e-7


@dataclass(frozen=True)
class LogisticFit:
    """Coefficients of a logistic regression, the intercept first.

    Attributes:
        columns: of the regression, without the intercept.
        coefficients: (1 + n_columns,) log odds; nan where the information cannot be inverted.
        errors: (1 + n_columns,) their standard errors.
        covariance: (1 + n_columns, 1 + n_columns) of the coefficients.
        n: patients.
        smaller_class: patients of the rarer outcome.
        separated: covariates that separate the classes, so that no coefficient exists; empty where none do.
    """

    columns: tuple[Column, ...]
    coefficients: Floats
    errors: Floats
    covariance: Floats
    n: int
    smaller_class: int
    separated: tuple[str, ...]


def fit_logistic(truth: Bools, table: pd.DataFrame, reference: Mapping[str, Any] | None = None) -> LogisticFit:
    """Maximum likelihood on the patients with every covariate.

    Args:
        truth: (n,) outcome.
        table: one row a patient, one column a covariate; at least one.
        reference: level that a categorical covariate is compared with; its first level where not given.

    Raises:
        ValueError: one class among these patients, a covariate that does not vary or follows from others.
    """
    kept = complete_rows(table)
    y, part = truth[kept], table[kept]
    n_positive = int(y.sum())
    if not 0 < n_positive < y.size:
        names = ", ".join(map(str, table.columns))
        message = (
            f"The {y.size} patients with {names} hold {n_positive} with the outcome: both classes are needed; "
            "leave out a covariate that is missing so often."
        )
        raise StatisticsError(message)
    design = design_matrix(part, reference)
    centre, scale = design.matrix.mean(axis=0), design.matrix.std(axis=0)
    X = np.column_stack([np.ones(y.size), (design.matrix - centre) / scale])
    scaled, covariance = _newton(y, X)
    with np.errstate(invalid="ignore"):  # the information of separated classes need not be positive
        errors = np.sqrt(np.diag(covariance))
    separated: tuple[str, ...] = ()
    if not np.isfinite(errors).all() or errors.max() > _FLAT:
        separated = _what_separates(y, X, design)
    back = np.diag(np.concatenate([[1.0], 1 / scale]))  # from standardised columns to columns as they are
    back[0, 1:] = -centre / scale
    covariance = back @ covariance @ back.T
    coefficients = np.concatenate([[scaled[0] - float(scaled[1:] @ (centre / scale))], scaled[1:] / scale])
    with np.errstate(invalid="ignore"):
        errors = np.concatenate([[np.sqrt(covariance[0, 0])], errors[1:] / scale])
    smaller = min(n_positive, y.size - n_positive)
    return LogisticFit(design.columns, coefficients, errors, covariance, y.size, smaller, separated)


def _newton(y: Bools, X: Floats) -> tuple[Floats, Floats]:
    """Coefficients and their covariance; nan where the information cannot be inverted."""
    nothing = np.full((X.shape[1], X.shape[1]), np.nan)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # separation and its followers, which the caller looks for itself
            fit = Logit(y.astype(np.float64), X).fit(method="newton", maxiter=60, tol=1e-10, disp=0)
            return np.asarray(fit.params), np.asarray(fit.cov_params())
    except np.linalg.LinAlgError:
        return nothing[0], nothing


def _what_separates(y: Bools, X: Floats, design: Design) -> tuple[str, ...]:
    """Covariates that separate the classes alone, or else a smallest set that does together; empty if none does."""
    alone = [name for name in design.variables if _separates_alone(y, design.matrix[:, design.columns_of(name)])]
    if alone:
        return tuple(alone)
    if len(design.variables) == 1 or not _separates(y, X):
        return ()
    kept = list(design.variables)
    for name in design.variables:
        fewer = [other for other in kept if other != name]
        columns = [1 + index for other in fewer for index in design.columns_of(other)]
        if len(fewer) > 1 and _separates(y, X[:, [0, *columns]]):
            kept = fewer
    return tuple(kept)


def _separates_alone(y: Bools, columns: Floats) -> bool:
    """A number: the classes meet in one value at most. Levels: one of them has one class only."""
    if columns.shape[1] > 1 or np.isin(columns, (0.0, 1.0)).all():
        levels = np.column_stack([columns, 1 - columns.sum(axis=1)])
        return bool(((levels[y].sum(axis=0) == 0) | (levels[~y].sum(axis=0) == 0)).any())
    positive, negative = columns[y], columns[~y]
    return bool(positive.min() >= negative.max() or negative.min() >= positive.max())


def _separates(y: Bools, X: Floats) -> bool:
    """Whether along some direction no patient is on the wrong side, by linear programming (Konis 2007)."""
    signed = np.unique(np.where(y, 1.0, -1.0)[:, None] * X, axis=0)
    found = optimize.linprog(
        -signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=[(-1, 1)] * X.shape[1], method="highs"
    )
    return found.x is not None and bool(-found.fun > _NONZERO)
