"""Multiple imputation by chained equations with predictive mean matching, for numbers and levels alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg, stats

from glottis.evaluation.design_matrix import is_categorical, levels_of
from glottis.evaluation.interval import Bools, Floats

DONORS = 5
CYCLES = 10
_RIDGE = 1e-5
_TIE = 1e-9


def impute(
    table: pd.DataFrame, truth: Bools, *, m: int, seed: Sequence[int], cycles: int = CYCLES, donors: int = DONORS
) -> list[pd.DataFrame]:
    """Tables without gaps, drawn from what the other columns and the outcome say of each gap.

    Column by column, fewest gaps first, a linear regression on all other columns and the outcome predicts; its
    coefficients for the gaps are drawn from their posterior; each gap takes the observed value of one of the patients
    whose predictions are nearest (van Buuren 2018, algorithms 3.3 and 4.3). Words are predicted as one 0/1 column a
    level, and the distance is Mahalanobis' with the residual covariance (Little 1988), so a drawn value is always one
    that a patient has. Ordered levels come as numbers.

    Args:
        table: (n, p) training patients, numbers with nan and words with None; each column has at least two values.
        truth: (n,) their outcome.
        m: how many tables.
        seed: of the draws; with the number of the table it seeds each.
        cycles: passes over all columns.
        donors: patients to draw from.

    Returns:
        ``m`` tables, observed values untouched; one, the table itself, where there is no gap.

    >>> table = pd.DataFrame({"a": [1.0, 2.0, None, 4.0], "b": ["x", None, "y", "y"]})
    >>> first, second = impute(table, np.array([True, True, False, False]), m=2, seed=[0])
    >>> int(first.isna().sum().sum()), first.loc[3, "b"]
    (0, 'y')
    """
    if not table.isna().to_numpy().any():
        return [table]
    return [_one(table, truth, np.random.default_rng([*seed, number]), cycles, donors) for number in range(m)]


def _one(table: pd.DataFrame, truth: Bools, rng: np.random.Generator, cycles: int, donors: int) -> pd.DataFrame:
    gaps = {name: table[name].isna().to_numpy() for name in table.columns if table[name].isna().any()}
    coded = {name: _codes(table[name]) for name in table.columns}
    source = {name: _begin(gaps.get(name), len(table), rng) for name in table.columns}
    for _ in range(cycles):
        for name in sorted(gaps, key=lambda name: int(gaps[name].sum())):
            others = [coded[other][source[other]] for other in table.columns if other != name]
            X = _standardised(np.column_stack([truth.astype(np.float64), *others]))
            source[name][gaps[name]] = _donors(X, coded[name], gaps[name], rng, donors)
    return table.assign(**{name: table[name].to_numpy()[source[name]] for name in gaps})


def _codes(values: pd.Series[Any]) -> Floats:
    """(n, q) numbers as one column, words as one 0/1 column for each level after the first; gaps hold anything."""
    if not is_categorical(values):
        return values.to_numpy(dtype=np.float64)[:, None]
    return np.column_stack([(values == level).to_numpy(dtype=np.float64) for level in levels_of(values)[1:]])


def _begin(gap: Bools | None, n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """(n,) the row that each value comes from: itself; a gap begins with any observed one."""
    rows = np.arange(n)
    if gap is not None:
        rows[gap] = rng.choice(np.flatnonzero(~gap), int(gap.sum()))
    return rows


def _standardised(X: Floats) -> Floats:
    spread = X.std(axis=0)
    return np.column_stack([np.ones(len(X)), (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)])


def _donors(X: Floats, coded: Floats, gap: Bools, rng: np.random.Generator, k: int) -> NDArray[np.intp]:
    """For each gap, the row of an observed patient among the ``k`` with the nearest prediction."""
    rows = np.flatnonzero(~gap)
    mean, drawn, whitening = _regressions(X[rows], coded[rows], rng)
    seen, wanted = X[rows] @ mean @ whitening, X[gap] @ drawn @ whitening
    distance = ((wanted[:, None, :] - seen[None, :, :]) ** 2).sum(axis=2)
    distance += _TIE * rng.random(distance.shape)  # equal predictions are common among levels
    k = min(k, rows.size)
    nearest = np.argpartition(distance, k - 1, axis=1)[:, :k]
    picked = nearest[np.arange(len(nearest)), rng.integers(k, size=len(nearest))]
    return np.asarray(rows[picked])


def _regressions(X: Floats, Y: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Coefficients (p, q) as estimated and as drawn, and what makes residuals of unit covariance."""
    gram = X.T @ X
    inverse = np.linalg.inv(gram + _RIDGE * np.diag(np.diag(gram).clip(min=1.0)))
    mean = inverse @ X.T @ Y
    residuals = Y - X @ mean
    df = max(len(X) - X.shape[1], Y.shape[1])
    scatter = residuals.T @ residuals
    scatter += _RIDGE * np.diag(Y.var(axis=0) * len(Y))
    covariance = np.atleast_2d(stats.invwishart.rvs(df, scatter, random_state=rng))
    noise = rng.standard_normal(mean.shape)
    drawn = mean + linalg.cholesky(inverse, lower=True) @ noise @ linalg.cholesky(covariance)
    whitening = linalg.inv(linalg.cholesky(scatter / df))
    return mean, drawn, whitening
