"""What shap reads of models made of trees."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier

from glottis import _optional
from glottis.evaluation.interval import Floats

Scale = Literal["log-odds", "probability"]
Output = Callable[[Any], Any]
FORESTS = (DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier)
_BOOSTED = (GradientBoostingClassifier, HistGradientBoostingClassifier)


def output_of_trees(classifier: Any) -> tuple[Scale, Output] | None:
    """Scale and output of a model made of trees; None for others."""
    if isinstance(classifier, FORESTS):
        return "probability", lambda table: classifier.predict_proba(table)[:, 1]
    if isinstance(classifier, _BOOSTED):
        return "log-odds", classifier.decision_function
    library, name = type(classifier).__module__.partition(".")[0], type(classifier).__name__
    if library == "lightgbm":
        return "log-odds", lambda table: classifier.predict(table, raw_score=True)
    if library == "xgboost" and name == "Booster":
        matrix = _optional.require("xgboost", extra="boosting").DMatrix
        names = classifier.feature_names
        return "log-odds", lambda table: classifier.predict(matrix(table, feature_names=names), output_margin=True)
    if library == "xgboost":
        return "log-odds", lambda table: classifier.predict(table, output_margin=True)
    return None


def tree_shap(classifier: Any, X: pd.DataFrame, background: pd.DataFrame) -> tuple[Floats, float]:
    """Exact interventional Shapley values of a model made of trees (Lundberg et al. 2020, independent TreeSHAP).

    Args:
        classifier: one that `output_of_trees` knows.
        X: (n, p) rows.
        background: (m, p) rows; all are used.

    Returns:
        (n, p) values for class 1, and the background's mean output.

    Raises:
        MissingExtraError: shap is not installed.
    """
    absent = background.to_numpy(dtype=np.float64)
    with warnings.catch_warnings():
        # its colour maps, as it is imported
        warnings.filterwarnings(
            "ignore", message="The set_(bad|over|under) function", category=PendingDeprecationWarning
        )
        # both forms are read below
        warnings.filterwarnings("ignore", message="LightGBM binary classifier with TreeExplainer", category=UserWarning)
        shap = _optional.require("shap", extra="explain")
        masker = shap.maskers.Independent(absent, max_samples=len(absent))  # which draws 100 if it is not told
        explainer = shap.TreeExplainer(classifier, masker, feature_perturbation="interventional", model_output="raw")
        found = explainer.shap_values(X.to_numpy(dtype=np.float64), check_additivity=False)
    values = found[-1] if isinstance(found, list) else found
    values = np.asarray(values[..., 1] if np.ndim(values) == 3 else values, dtype=np.float64)
    return values, float(np.ravel(explainer.expected_value)[-1])
