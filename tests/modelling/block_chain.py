"""A small chain with the interface that late fusion counts on, and a cohort of two blocks."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from threadpoolctl import threadpool_limits

from glottis.modelling import FitRecord

BLOCKS = {"T1WI": ["a0", "a1", "a2"], "T2WI": ["b0", "b1", "b2"]}


def cohort(seed: int, n: int = 150, strength: float = 1.0) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Two blocks, of which T1WI alone knows the outcome."""
    rng = np.random.default_rng(seed)
    rows = pd.Index([f"P{i:03d}" for i in rng.permutation(n)])
    y = pd.Series(rng.permutation(np.arange(n) % 2), index=rows)
    X = pd.DataFrame(rng.standard_normal((n, 6)), index=rows, columns=[*BLOCKS["T1WI"], *BLOCKS["T2WI"]])
    X["a0"] += strength * y
    return X, y


class SmallChain(ClassifierMixin, BaseEstimator):
    """Logistic regression with out-of-fold scores; it remembers, outside itself, whom it scored while being fitted."""

    scored: ClassVar[list[tuple[frozenset[str], frozenset[str]]]] = []

    def __init__(self, folds: int = 5, random_state: int = 0, memorise: bool = False) -> None:
        self.folds = folds
        self.random_state = random_state
        self.memorise = memorise

    def fit(self, X: pd.DataFrame, y: Any, groups: Any = None) -> SmallChain:
        y = y.loc[X.index] if isinstance(y, pd.Series) else pd.Series(np.asarray(y), index=X.index)
        X = X.sort_index()
        y = y.loc[X.index]
        self.classes_ = np.unique(y)
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        grouping = None if groups is None else groups.loc[X.index]
        self.out_of_fold_ = pd.Series(np.nan, index=X.index, name="y_score")
        self.fold_ = pd.Series(0, index=X.index, name="fold")
        log = []
        splits = kind(self.folds, shuffle=True, random_state=self.random_state).split(X, y, grouping)
        with threadpool_limits(1):
            for number, (train, test) in enumerate(splits):
                self._learn(X.iloc[train], y.iloc[train])
                log.append(FitRecord("logistic", number, tuple(X.index[train])))
                self.out_of_fold_.iloc[test] = self.predict_proba(X.iloc[test])[:, 1]
                self.fold_.iloc[test] = number
            self._learn(X, y)
        self.fit_log_ = (*log, FitRecord("logistic", "final", tuple(X.index)))
        self.selected_, self.note_ = list(X.columns), ""
        return self

    def _learn(self, X: pd.DataFrame, y: pd.Series[Any]) -> None:
        self.model_ = LogisticRegression().fit(X, y)
        self.known_ = y

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        self.scored.append((frozenset(self.known_.index), frozenset(X.index)))
        scores = self.model_.predict_proba(X)
        if self.memorise:
            for place, row in enumerate(X.index):
                if row in self.known_.index:
                    scores[place] = [0.0, 1.0] if self.known_.loc[row] == self.classes_[1] else [1.0, 0.0]
        return scores
