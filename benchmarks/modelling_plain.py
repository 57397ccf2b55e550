"""The chain as it is usually written with pandas, pingouin and scikit-learn; pingouin is no dependency of glottis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import RFE
from sklearn.linear_model import LassoCV, LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import ParameterGrid, StratifiedKFold
from sklearn.preprocessing import StandardScaler

Repeats = Mapping[str, pd.DataFrame]


def reproducible(X: pd.DataFrame, repeats: Repeats) -> list[str]:
    """Features whose ICC(2,1) exceeds 0.75 in every table, one call of pingouin a feature and table."""
    import pingouin

    kept = list(X.columns)
    for table in repeats.values():
        common = X.index.intersection(table.index).sort_values()
        subject, reader = np.tile(common, 2), np.repeat([0, 1], len(common))
        good = []
        for name in X.columns:
            values = np.concatenate([X.loc[common, name], table.loc[common, name]])
            long = pd.DataFrame({"subject": subject, "reader": reader, "value": values})
            found = pingouin.intraclass_corr(long, targets="subject", raters="reader", ratings="value")
            if found["ICC"].iloc[1] > 0.75:
                good.append(name)
        kept = [name for name in kept if name in set(good)]
    return kept


def upper_triangle(X: pd.DataFrame) -> list[str]:
    """The usual drop: a feature goes if any before it, dropped or not, correlates above 0.9."""
    rho = X.corr(method="spearman").abs()
    upper = rho.where(np.triu(np.ones(rho.shape), k=1).astype(bool))
    gone = [name for name in upper.columns if (upper[name] > 0.9).any()]
    return list(X.columns.difference(gone, sort=False))


def greedy(X: pd.DataFrame) -> list[str]:
    """The same matrix; a feature goes if one that stays correlates above 0.9."""
    rho = X.corr(method="spearman").abs().to_numpy()
    alive = np.ones(X.shape[1], dtype=bool)
    for at in range(alive.size):
        if alive[at]:
            alive[at + 1 :] &= rho[at, at + 1 :] <= 0.9
    return X.columns[alive].tolist()


def folds(y: pd.Series) -> list[tuple[Any, Any]]:
    """The five stratified folds."""
    return list(StratifiedKFold(5, shuffle=True, random_state=0).split(np.zeros(len(y)), y))


def select(X: pd.DataFrame, y: pd.Series, repeats: Repeats | None) -> tuple[list[str], StandardScaler, list[str]]:
    """Names that are scaled, the scaler, and names that stay after LASSO and elimination."""
    names = X.columns[X.nunique() > 1].tolist()
    if repeats is not None:
        names = reproducible(X[names], repeats)
    names = greedy(X[names])
    scaler = StandardScaler().set_output(transform="pandas").fit(X[names])
    scaled, outcome = scaler.transform(X[names]), y.to_numpy(dtype=float)
    centred = scaled.to_numpy() - scaled.to_numpy().mean(axis=0)
    strongest = np.abs(centred.T @ (outcome - outcome.mean())).max() / len(y)
    alphas = np.geomspace(strongest, strongest * (0.01 if scaled.shape[1] > len(y) else 0.001), 100)
    lasso = LassoCV(alphas=alphas, cv=folds(y), max_iter=10_000).fit(scaled, outcome)
    scaled = scaled.loc[:, lasso.coef_ != 0]
    if scaled.shape[1] > 15:
        scaled = scaled.loc[:, RFE(LogisticRegression(max_iter=1000), n_features_to_select=15).fit(scaled, y).support_]
    return names, scaler, scaled.columns.tolist()


def chain(X: pd.DataFrame, y: pd.Series, repeats: Repeats | None) -> dict[str, Any]:
    """Steps once an inner fold, a forest over its grid, the best point on all rows."""
    grid = list(ParameterGrid({"max_depth": [3, 6, None], "min_samples_leaf": [1, 5]}))
    areas = np.empty((len(grid), 5))
    for number, (train, test) in enumerate(folds(y)):
        names, scaler, kept = select(X.iloc[train], y.iloc[train], repeats)
        learn, held = (scaler.transform(X.iloc[rows][names])[kept] for rows in (train, test))
        for place, point in enumerate(grid):
            forest = RandomForestClassifier(200, random_state=0, **point).fit(learn, y.iloc[train])
            areas[place, number] = roc_auc_score(y.iloc[test], forest.predict_proba(held)[:, 1])
    mean = areas.mean(axis=1)
    best = int(np.argmax(mean >= mean.max() - 1e-12))
    names, scaler, kept = select(X, y, repeats)
    scaled = scaler.transform(X[names])[kept]
    forest = RandomForestClassifier(200, random_state=0, **grid[best]).fit(scaled, y)
    return {"inner": float(mean[best]), "point": grid[best], "kept": kept, "score": forest.predict_proba(scaled)[:, 1]}
