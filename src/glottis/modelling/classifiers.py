"""The classifiers that a study can ask for by name, each with its default grid.

The names are those that radiomics papers use. Papers leave the grids open; those here are ours: two to six points round
each library's default, towards more regularisation, since a radiomics training set has 100 to 300 patients and about 15
features and larger grids mostly choose between noise. All run on one thread with a fixed seed. ``logistic_regression``,
``svm`` and ``mlp`` depend on the scale of features and count on a z-score step before them, as
`glottis.selection.radiomics_chain` has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from glottis import _optional
from glottis.evaluation.interval import Floats
from glottis.modelling.fixed_order import linear_score, network_score
from glottis.modelling.tuning import Range


@dataclass(frozen=True, kw_only=True)
class ClassifierSpec:
    """A classifier, or a model of survival, by name.

    Attributes:
        name: as in a study file.
        make: seed to an unfitted classifier on one thread.
        grid: parameter to the values that a grid search tries.
        ranges: parameter to the values or the `Range` that a random or Bayesian search draws from; empty is the grid.
        recalibrate: whether its scores need recalibration before they count as probabilities.
        named: whether it is given the features' names; False for libraries that refuse brackets or commas in them.
        holes: whether it scores a validation patient with a missing value, although none was there to learn from; the
            others refuse one.
        same: whether a fitted model is, bit for bit, what these parameters would give on the same rows and seed.
    """

    name: str
    make: Callable[[int], Any]
    grid: Mapping[str, tuple[Any, ...]]
    ranges: Mapping[str, Any] = field(default_factory=dict)
    recalibrate: bool
    named: bool = True
    holes: bool = False
    same: Callable[[Any, Mapping[str, Any]], bool] = lambda fitted, parameters: False

    def given(self, X: pd.DataFrame) -> Any:
        """The table as this model takes it."""
        return X if self.named else X.to_numpy(dtype=np.float64)


def positive_score(fitted: Any, X: Any) -> Floats:
    """(n,) scores from 0 to 1 for the second class; a row's score depends on no other row, to the last bit.

    Probabilities where the classifier has them. A support vector machine has distances from its margin instead: they
    are drawn into 0 to 1 by ``expit``, so that the recalibration curve, fitted on out-of-fold scores, is Platt's.
    Logistic regression and MLP are summed in a fixed order, since the bits of a matrix product depend on the number of
    rows; of a classifier from outside nothing is known, so it scores one row at a time.
    """
    kind = f"{type(fitted).__module__.partition('.')[0]}.{type(fitted).__qualname__}"
    if kind in _IN_FIXED_ORDER:
        return _IN_FIXED_ORDER[kind](fitted, X)
    if kind in _ROW_BY_ROW_INSIDE:
        return _own_score(fitted, X)
    return np.concatenate([_own_score(fitted, X[place : place + 1]) for place in range(len(X))])


def _own_score(fitted: Any, X: Any) -> Floats:
    if hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict_proba(X)[:, 1], dtype=np.float64)
    return np.asarray(expit(fitted.decision_function(X)), dtype=np.float64)


_IN_FIXED_ORDER = {"sklearn.LogisticRegression": linear_score, "sklearn.MLPClassifier": network_score}
_ROW_BY_ROW_INSIDE = {
    "sklearn.SVC",
    "sklearn.RandomForestClassifier",
    "sklearn.ExtraTreesClassifier",
    "xgboost.XGBClassifier",
    "lightgbm.LGBMClassifier",
}


def _logistic_regression(seed: int) -> LogisticRegression:
    return LogisticRegression(max_iter=1000, random_state=seed)


def _svm(seed: int) -> Any:
    from sklearn.svm import SVC

    return SVC(random_state=seed)


def _random_forest(seed: int) -> RandomForestClassifier:
    return RandomForestClassifier(n_estimators=200, random_state=seed, n_jobs=1)


def _extra_trees(seed: int) -> ExtraTreesClassifier:
    return ExtraTreesClassifier(n_estimators=200, random_state=seed, n_jobs=1)


def _xgboost(seed: int) -> Any:
    xgboost = _optional.require("xgboost", extra="boosting")
    return xgboost.XGBClassifier(n_estimators=150, tree_method="hist", n_jobs=1, random_state=seed, verbosity=0)


def _lightgbm(seed: int) -> Any:
    lightgbm = _optional.require("lightgbm", extra="boosting")
    return lightgbm.LGBMClassifier(
        n_estimators=150, n_jobs=1, random_state=seed, deterministic=True, force_row_wise=True, verbosity=-1
    )


def _mlp(seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(solver="lbfgs", max_iter=1000, random_state=seed)


def _same_forest(fitted: Any, parameters: Mapping[str, Any]) -> bool:
    """Trees that stay above a depth limit are the trees that grow under it."""
    own = fitted.get_params()
    if any(own[name] != value for name, value in parameters.items() if name != "max_depth"):
        return False
    limits = [limit for limit in (own["max_depth"], parameters.get("max_depth")) if limit is not None]
    return not limits or max(tree.get_depth() for tree in fitted.estimators_) < min(limits)


_FOREST_GRID = {"max_depth": (3, 6, None), "min_samples_leaf": (1, 5)}  # 200 trees throughout
_FOREST_RANGES = {
    "max_depth": (2, 3, 4, 6, 8, None),
    "min_samples_leaf": Range(low=1, high=20, log=True, integer=True),
    "max_features": (0.2, "sqrt", 0.5, 1.0),
}

LOGISTIC_REGRESSION = ClassifierSpec(
    name="logistic_regression",
    make=_logistic_regression,
    grid={"C": (0.01, 0.1, 1.0, 10.0)},
    ranges={"C": Range(low=1e-3, high=100, log=True)},
    recalibrate=False,  # its own likelihood makes probabilities
)
SVM = ClassifierSpec(
    name="svm",
    make=_svm,
    grid={"kernel": ("linear", "rbf"), "C": (0.1, 1.0, 10.0)},  # gamma stays at "scale": 1 / (features * variance)
    ranges={
        "kernel": ("linear", "rbf"),
        "C": Range(low=0.01, high=100, log=True),
        "gamma": Range(low=1e-3, high=1, log=True),
    },
    recalibrate=True,
)
RANDOM_FOREST = ClassifierSpec(
    name="random_forest",
    make=_random_forest,
    grid=_FOREST_GRID,
    ranges=_FOREST_RANGES,
    recalibrate=True,
    holes=True,
    same=_same_forest,
)
EXTRA_TREES = ClassifierSpec(
    name="extra_trees",
    make=_extra_trees,
    grid=_FOREST_GRID,
    ranges=_FOREST_RANGES,
    recalibrate=True,
    holes=True,
    same=_same_forest,
)
XGBOOST = ClassifierSpec(
    name="xgboost",
    make=_xgboost,
    grid={"max_depth": (2, 4), "learning_rate": (0.03, 0.1)},  # 150 trees; the default 0.3 and 6 memorise 200 patients
    ranges={
        "n_estimators": Range(low=50, high=300, integer=True),
        "max_depth": Range(low=1, high=6, integer=True),
        "learning_rate": Range(low=0.01, high=0.3, log=True),
        "subsample": Range(low=0.5, high=1),
        "colsample_bytree": Range(low=0.3, high=1),
        "reg_lambda": Range(low=0.1, high=30, log=True),
    },
    recalibrate=True,
    named=False,
)
LIGHTGBM = ClassifierSpec(
    name="lightgbm",
    make=_lightgbm,
    # a leaf of 20 patients, the default, is a third of a small training fold; 4 leaves are trees of depth 2
    grid={"num_leaves": (4, 15), "learning_rate": (0.03, 0.1), "min_child_samples": (5,)},
    ranges={
        "n_estimators": Range(low=50, high=300, integer=True),
        "num_leaves": Range(low=2, high=31, integer=True),
        "learning_rate": Range(low=0.01, high=0.3, log=True),
        "min_child_samples": Range(low=3, high=30, integer=True),
        "reg_lambda": Range(low=0.01, high=30, log=True),
    },
    recalibrate=True,
    named=False,
)
MLP = ClassifierSpec(
    name="mlp",
    make=_mlp,
    # one hidden layer and a strong penalty; L-BFGS, which scikit-learn advises for small tables
    grid={"hidden_layer_sizes": ((8,), (16,)), "alpha": (1.0, 10.0)},
    ranges={
        "hidden_layer_sizes": ((4,), (8,), (16,), (32,), (64,), (16, 8)),
        "alpha": Range(low=0.01, high=30, log=True),
    },
    recalibrate=True,
)

CLASSIFIERS: Mapping[str, ClassifierSpec] = {
    spec.name: spec for spec in (LOGISTIC_REGRESSION, SVM, RANDOM_FOREST, EXTRA_TREES, XGBOOST, LIGHTGBM, MLP)
}
