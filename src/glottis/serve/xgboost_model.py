"""XGBoost's own JSON of a model, checked before the library sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glottis import _optional
from glottis.serve.numbers import floats, integers, number, refuse_loose_trees
from glottis.serve.plain_models import Plain

_FLOATS = ("base_weights", "loss_changes", "split_conditions", "sum_hessian")
_EMPTY = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
_NO_PARENT = 2**31 - 1


def xgboost_content(model: Any) -> Plain:
    """The model as XGBoost writes it, as JSON."""
    content = json.loads(bytes(model.get_booster().save_raw("json")))
    _check(content, model.n_features_in_)
    return {"xgboost": content}


def xgboost_of(content: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The model that XGBoost wrote.

    Raises:
        MissingExtraError: XGBoost is not installed.
        ValueError: not a model of these columns.
    """
    xgboost = _optional.require("xgboost", extra="boosting")
    _check(content["xgboost"], len(columns))
    model = xgboost.XGBClassifier(n_jobs=1, verbosity=0)
    model.load_model(bytearray(json.dumps(content["xgboost"]).encode()))
    return model


def _check(content: Mapping[str, Any], width: int) -> None:
    learner = content["learner"]
    own = learner["learner_model_param"]
    booster, objective = learner["gradient_booster"]["name"], learner["objective"]["name"]
    if booster != "gbtree" or objective != "binary:logistic":
        message = f"its booster is {booster!r} with the objective {objective!r}, not 'gbtree' with 'binary:logistic'"
        raise ValueError(message)
    shape = {name: _whole(own[name], name) for name in ("num_class", "num_feature", "num_target")}
    if shape != {"num_class": 0, "num_feature": width, "num_target": 1}:
        message = f"its shape is {shape}, where the model has {width} features, 2 classes and 1 outcome"
        raise ValueError(message)
    if learner["feature_names"] or learner["feature_types"]:
        message = "it names or types its features, which a bundle does elsewhere"
        raise ValueError(message)
    number(float(own["base_score"].strip("[]")), "the base score", low=0, high=1)
    _check_trees(learner["gradient_booster"]["model"], width)


def _check_trees(model: Mapping[str, Any], width: int) -> None:
    trees = model["trees"]
    counts = {name: _whole(model["gbtree_model_param"][name], name) for name in ("num_parallel_tree", "num_trees")}
    if counts["num_trees"] != len(trees) or counts["num_parallel_tree"] != 1:
        message = f"it holds {len(trees)} trees and declares {counts}"
        raise ValueError(message)
    integers(model["tree_info"], len(trees), 0, 0, "the outcomes of trees")
    rounds = integers(model["iteration_indptr"], len(model["iteration_indptr"]), 0, len(trees), "the rounds")
    if rounds.tolist() != list(range(len(trees) + 1)) or any(model.get("cats", {}).values()):
        message = "its rounds are not one tree each, or it has categories"
        raise ValueError(message)
    for place, tree in enumerate(trees):
        _check_tree(tree, width, f"tree {place}")


def _check_tree(tree: Mapping[str, Any], width: int, what: str) -> None:
    declared = tree["tree_param"]
    n = _whole(declared["num_nodes"], "num_nodes")
    plain = {"num_deleted": 0, "num_feature": width, "size_leaf_vector": 1}
    other = [name for name, value in plain.items() if _whole(declared[name], name) != value]
    if n < 1 or other or any(tree[name] for name in _EMPTY):
        message = f"{what} has {n} nodes, categories, or not what it should have of {other}"
        raise ValueError(message)
    left = integers(tree["left_children"], n, -1, n - 1, f"the left children of {what}")
    right = integers(tree["right_children"], n, -1, n - 1, f"the right children of {what}")
    refuse_loose_trees(left, right, np.array([n]), what)
    integers(tree["split_indices"], n, 0, width - 1, f"the split features of {what}")
    integers(tree["split_type"], n, 0, 0, f"the kinds of split of {what}")
    integers(tree["default_left"], n, 0, 1, f"the default sides of {what}")
    parents = integers(tree["parents"], n, 0, _NO_PARENT, f"the parents of {what}")
    if parents[0] != _NO_PARENT or (parents[1:] >= np.arange(1, n)).any():
        message = f"a node of {what} has a parent that does not stand before it"
        raise ValueError(message)
    for name in _FLOATS:
        floats(tree[name], (n,), f"{name} of {what}")


def _whole(text: Any, what: str) -> int:
    if not isinstance(text, str) or not text.isdecimal() or len(text) > 9:
        message = f"{what} is {text!r}, no whole number"
        raise ValueError(message)
    return int(text)
