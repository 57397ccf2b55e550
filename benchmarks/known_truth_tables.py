"""The generated cohorts of `known_truth.py`, and the chains that learn from them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from glottis.modelling import TunedChain
from glottis.selection import ICCFilter, SpearmanFilter, VarianceFilter, radiomics_chain

N_TRAINING, N_FRESH, N_READ = 116, 10_000, 40
N_HIDDEN, N_TELLING = 30, 4


@dataclass(frozen=True, kw_only=True)
class World:
    """Features are mixtures of hidden traits with an error of their own; four traits decide on the outcome.

    Attributes:
        loadings: (hidden, features).
        noise: (features,) standard deviation of what is each feature's own.
        weights: (hidden,) of the log odds.
    """

    loadings: Any
    noise: Any
    weights: Any

    def draw(self, n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.Series, Any]:
        """Features, outcome and the ideal score of ``n`` patients."""
        hidden = rng.standard_normal((n, N_HIDDEN))
        values = hidden @ self.loadings + self.noise * rng.standard_normal((n, self.noise.size))
        values[:, ::3] = np.exp(0.5 * values[:, ::3])  # a third is skewed, as energies and variances are
        log_odds = hidden @ self.weights
        index = pd.Index([f"P{i:05d}" for i in range(n)], name="patient")
        X = pd.DataFrame(values, index=index, columns=[f"feature_{i:03d}" for i in range(values.shape[1])])
        y = pd.Series((rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int), index=index)
        return X, y, log_odds


def world(rng: np.random.Generator, n_features: int) -> World:
    """A world whose signal lies between none and strong."""
    weights = np.zeros(N_HIDDEN)
    weights[:N_TELLING] = rng.uniform(0, 1.2) * np.array([1, -1, 1, -1])
    return World(
        loadings=rng.standard_normal((N_HIDDEN, n_features)) / math.sqrt(N_HIDDEN),
        noise=rng.uniform(0.1, 1.0, n_features),
        weights=weights,
    )


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Patients of one world: 116 to learn from, some held out, 10,000 fresh ones for the truth."""

    X: pd.DataFrame
    y: pd.Series
    repeats: dict[str, pd.DataFrame]
    fresh: pd.DataFrame
    outcome: pd.Series
    ideal: Any

    @property
    def training(self) -> tuple[pd.DataFrame, pd.Series]:
        """Features and outcome of the patients to learn from."""
        return self.X.iloc[:N_TRAINING], self.y.iloc[:N_TRAINING]

    @property
    def test(self) -> tuple[pd.DataFrame, pd.Series]:
        """Features and outcome of the held-out patients."""
        return self.X.iloc[N_TRAINING:], self.y.iloc[N_TRAINING:]

    def inverted(self) -> Cohort:
        """The same cohort with the outcome of every held-out patient turned round."""
        outcome = self.y.copy()
        outcome.iloc[N_TRAINING:] = 1 - outcome.iloc[N_TRAINING:]
        return replace(self, y=outcome)

    @classmethod
    def of(cls, seed: tuple[int, ...], n_features: int, n_test: int, *, shuffled: bool = False) -> Cohort:
        """The cohort of a seed; shuffled outcomes, the fresh ones too, know nothing of the features."""
        rng = np.random.default_rng(seed)
        truth = world(rng, n_features)
        X, y, _ = truth.draw(N_TRAINING + n_test, rng)
        read = X.index[np.sort(rng.choice(len(X), N_READ, replace=False))]
        error = rng.uniform(0.05, 1.0, n_features) * X.std().to_numpy()
        size = (N_READ, n_features)
        repeats = {kind: X.loc[read] + error * rng.standard_normal(size) for kind in ("intra", "inter")}
        fresh, outcome, ideal = truth.draw(N_FRESH, rng)
        if shuffled:
            y[:], outcome[:] = rng.permutation(y.to_numpy()), rng.permutation(outcome.to_numpy())
        return cls(X=X, y=y, repeats=repeats, fresh=fresh, outcome=outcome, ideal=ideal)


def cheap_chain(number: int) -> TunedChain:
    """Spearman, z-score and a logistic regression of one penalty."""
    steps = [
        ("variance", VarianceFilter()),
        ("spearman", SpearmanFilter(0.9)),
        ("z-score", StandardScaler().set_output(transform="pandas")),
    ]
    return TunedChain(steps, classifier="logistic_regression", grid={"C": (0.01,)}, folds=3, random_state=number)


def full_steps(cohort: Cohort, number: int) -> list[tuple[str, Any]]:
    """ICC, Spearman, z-score, LASSO, recursive elimination; rows outside ``fit`` are not read from the repeats."""
    return radiomics_chain(ICCFilter(cohort.repeats), random_state=number)
