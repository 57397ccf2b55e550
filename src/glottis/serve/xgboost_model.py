"""Trees of XGBoost: read from its own JSON when written, and given back to it in its own JSON when read.

The JSON is made anew from checked numbers, since XGBoost trusts what it loads: a tree with another tree's number, for
example, ends the process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glottis import _optional
from glottis.serve.numbers import number
from glottis.serve.plain_models import Plain
from glottis.serve.trees import Trees, depth_of

_NO_PARENT = 2**31 - 1
_FLOAT32 = float(np.finfo(np.float32).max)
_EMPTY = ("categories", "categories_nodes", "categories_segments", "categories_sizes")


def xgboost_content(model: Any) -> Plain:
    """Base score and trees; the value of a leaf is what it adds to the logit.

    Raises:
        ValueError: no plain trees for two classes.
    """
    learner = json.loads(bytes(model.get_booster().save_raw("json")))["learner"]
    booster, objective = learner["gradient_booster"]["name"], learner["objective"]["name"]
    if booster != "gbtree" or objective != "binary:logistic":
        message = f"its booster is {booster!r} with the objective {objective!r}, not 'gbtree' with 'binary:logistic'"
        raise ValueError(message)
    grown = learner["gradient_booster"]["model"]
    if any(tree["categories"] for tree in grown["trees"]) or grown["gbtree_model_param"]["num_parallel_tree"] != "1":
        message = "it splits by categories, or grows several trees a round"
        raise ValueError(message)
    base = float(learner["learner_model_param"]["base_score"].strip("[]"))
    return {"base_score": base, "trees": Trees.joined(list(map(_tree_of, grown["trees"]))).to_dict()}


def _tree_of(tree: Mapping[str, Any]) -> dict[str, Any]:
    left, split = np.array(tree["left_children"]), np.array(tree["split_conditions"], dtype=np.float64)
    return {
        "left": left,
        "right": tree["right_children"],
        "feature": tree["split_indices"],
        "threshold": split,
        "value": np.where(left < 0, split, np.array(tree["base_weights"], dtype=np.float64)),
        "weight": np.array(tree["sum_hessian"], dtype=np.float64),
    }


def xgboost_of(content: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The model of these trees.

    Raises:
        MissingExtraError: XGBoost is not installed.
        ValueError: no trees of these columns.
    """
    xgboost = _optional.require("xgboost", extra="boosting")
    base = number(content["base_score"], "the base score", low=0, high=1)
    trees = Trees.from_dict(content["trees"], len(columns))
    for values in (trees.threshold, trees.value, trees.weight):
        if np.abs(values).max() > _FLOAT32:
            message = "a number of its trees is too large for XGBoost"
            raise ValueError(message)
    model = xgboost.XGBClassifier(n_jobs=1, verbosity=0)
    model.load_model(bytearray(json.dumps(_as_xgboost(base, trees, len(columns))).encode()))
    return model


def _as_xgboost(base: float, trees: Trees, width: int) -> Plain:
    n = trees.nodes.size
    grown = {
        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(n)},
        "iteration_indptr": list(range(n + 1)),
        "tree_info": [0] * n,
        "trees": [_as_tree(place, tree, width) for place, tree in enumerate(trees.apart())],
    }
    shape = {"base_score": repr(base), "num_class": "0", "num_feature": str(width), "num_target": "1"}
    learner = {
        "attributes": {},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": {"model": grown, "name": "gbtree"},
        "learner_model_param": {**shape, "boost_from_average": "1"},
        "objective": {"name": "binary:logistic", "reg_loss_param": {"scale_pos_weight": "1"}},
    }
    return {"learner": learner, "version": [3, 0, 0]}


def _as_tree(place: int, tree: Mapping[str, Any], width: int) -> Plain:
    left, right, n = tree["left"], tree["right"], tree["left"].size
    depth_of(left, right)
    inner = np.flatnonzero(left >= 0)
    parents = np.full(n, _NO_PARENT)
    parents[left[inner]] = parents[right[inner]] = inner
    zeros, empty = [0] * n, {name: list[int]() for name in _EMPTY}
    return {
        **empty,
        "base_weights": tree["value"].tolist(),
        "default_left": zeros,
        "id": place,
        "left_children": left.tolist(),
        "loss_changes": [0.0] * n,
        "parents": parents.tolist(),
        "right_children": right.tolist(),
        "split_conditions": np.where(left < 0, tree["value"], tree["threshold"]).tolist(),
        "split_indices": tree["feature"].tolist(),
        "split_type": zeros,
        "sum_hessian": tree["weight"].tolist(),
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(width),
            "num_nodes": str(n),
            "size_leaf_vector": "1",
        },
    }
