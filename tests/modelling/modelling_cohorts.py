"""Small tables with a known truth, for the tests of this folder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler

from glottis.selection import VarianceFilter


def cohort(seed: int = 0, *, n: int = 60, signal: float = 1.5, n_features: int = 5) -> tuple[pd.DataFrame, pd.Series]:
    """Normal noise, the first two features shifted by `signal` in the positive half.

    The best score has the AUC Phi(signal), .93 by default. The names are such as LightGBM and XGBoost refuse.
    """
    rng = np.random.default_rng(seed)
    patients = pd.Index([f"P{i:03d}" for i in rng.permutation(n)], name="patient")
    y = pd.Series(rng.permutation(n) % 2, index=patients)
    names = [f'T2_log[sigma=1,{i}]_{{"a"}}<{i}' for i in range(n_features)]
    X = pd.DataFrame(rng.standard_normal((n, n_features)), index=patients, columns=names)
    X.iloc[:, :2] += signal * y.to_numpy()[:, None]
    return X, y


def survivors(seed: int = 0, *, n: int = 80, effect: float = 1.5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Exponential times whose log hazard is `effect` times the first feature; uniform censoring."""
    rng = np.random.default_rng(seed)
    patients = pd.Index([f"P{i:03d}" for i in rng.permutation(n)], name="patient")
    X = pd.DataFrame(rng.standard_normal((n, 4)), index=patients, columns=[f"f{i}" for i in range(4)])
    death, visit = rng.exponential(np.exp(-effect * X["f0"])), rng.uniform(0.3, 4, n)
    return X, pd.DataFrame({"event": death <= visit, "time": np.minimum(death, visit)}, index=patients)


def steps() -> list[tuple[str, Any]]:
    return [("variance", VarianceFilter()), ("z-score", StandardScaler().set_output(transform="pandas"))]


class Tuned(TransformerMixin, BaseEstimator):
    """Keeps the first column and counts, outside itself, how often it was fitted with and without its own tuning."""

    fits: list[str] = []  # noqa: RUF012  clones must share it

    def __init__(self, size: int | None = None) -> None:
        self.size = size

    def fit(self, X: pd.DataFrame, y: Any = None) -> Tuned:
        self.fits.append("tuning" if self.size is None else "fixed")
        self.size_ = 3 if self.size is None else self.size
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X.iloc[:, : self.size_]

    def get_feature_names_out(self, names: Any = None) -> list[str]:
        return [f"x{i}" for i in range(self.size_)]

    def as_tuned(self) -> Tuned:
        return Tuned(self.size_)
