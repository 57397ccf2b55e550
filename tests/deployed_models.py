"""Fitted chains of every kind that a bundle holds, on a small table with batches, covariates and gaps."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from glottis.modelling import CLASSIFIERS, BlockSelector, ComBat, LateFusion, TunedChain
from glottis.modelling.deployed import Scorer
from glottis.modelling.deployed_fusion import FusedScorer
from glottis.modelling.deploying import scorer_of
from glottis.selection import SpearmanFilter, VarianceFilter

NAMES = tuple(CLASSIFIERS)
WEIGHABLE = tuple(name for name in NAMES if name != "mlp")
MARK = "ZZPATIENT"
GRIDS: dict[str, dict[str, list[Any]]] = {
    "logistic_regression": {"C": [1.0]},
    "svm": {"kernel": ["rbf"], "C": [1.0]},
    "random_forest": {"n_estimators": [7]},
    "extra_trees": {"n_estimators": [7]},
    "xgboost": {"n_estimators": [9], "gamma": [0.1]},
    "lightgbm": {"n_estimators": [9], "min_child_samples": [4]},
    "mlp": {"hidden_layer_sizes": [(4, 3)]},
}
BLOCKS = {"T1WI": [f"a_{i}[x]" for i in range(4)], "T2WI": [f"b_{i}<y>" for i in range(4)]}


def _table(seed: int, n: int, prefix: str) -> tuple[pd.DataFrame, pd.Series[int]]:
    rng = np.random.default_rng(seed)
    rows = pd.Index([f"{prefix}{i:03d}" for i in range(n)])
    y = pd.Series(rng.permutation(n) % 2, index=rows)
    names = [name for block in BLOCKS.values() for name in block]
    X = pd.DataFrame(3 * rng.standard_normal((n, 8)) + 5, index=rows, columns=names)
    X["a_3[x]"], X["b_1<y>"] = X["a_0[x]"] * 2, X["b_2<y>"] * 3  # one of each pair goes
    return X.add(2.0 * y, axis=0).mask(rng.random(X.shape) < 0.04), y


X, Y = _table(0, 80, MARK)
FRESH, _ = _table(1, 41, "new")
_RNG = np.random.default_rng(2)
BATCHES = pd.DataFrame(
    {
        "batch": _RNG.choice(["east", "west", "north"], 121),
        "age": _RNG.normal(60, 9, 121),
        "sex": _RNG.choice(["f", "m"], 121),
    },
    index=X.index.append(FRESH.index),
)


def steps(*, combat: bool = False, blocks: bool = False, **settings: Any) -> list[tuple[str, Any]]:
    impute = SimpleImputer(strategy="median", keep_empty_features=True).set_output(transform="pandas")
    correct = ComBat(BATCHES["batch"], BATCHES[["age", "sex"]], **settings)
    scaled = StandardScaler().set_output(transform="pandas")
    own = [("variance", VarianceFilter()), ("spearman", SpearmanFilter(0.7)), ("z-score", scaled)]
    inner: list[tuple[str, Any]] = [("combat", correct), *own] if combat else own
    return [("impute", impute), ("blocks", BlockSelector(BLOCKS, inner))] if blocks else [("impute", impute), *inner]


def chain(name: str, **settings: Any) -> TunedChain:
    chosen = {"folds": 3, "grid": GRIDS.get(name), "steps": steps()} | settings
    return TunedChain(chosen.pop("steps"), name, **chosen)


@cache
def fitted(name: str, kind: str = "plain") -> Any:
    """A fitted model: plain, with ComBat inside blocks, class-weighted, of another seed, or a late fusion."""
    settings: dict[str, dict[str, Any]] = {
        "plain": {},
        "combat": {"steps": steps(combat=True, blocks=True)},
        "weighted": {"class_weight": "balanced"},
        "seed": {"random_state": 12345},
    }
    if kind == "late":
        return LateFusion({block: chain(name, steps=steps(combat=True)) for block in BLOCKS}, BLOCKS).fit(X, Y)
    return chain(name, **settings[kind]).fit(X, Y)


def scorer(name: str, kind: str = "plain") -> Scorer:
    made = scorer_of(fitted(name, kind))
    assert isinstance(made, Scorer)
    return made


def fused(name: str) -> FusedScorer:
    made = scorer_of(fitted(name, "late"))
    assert isinstance(made, FusedScorer)
    return made
