"""Random forest and extra trees as plain numbers, and back.

Impurities are not kept, since no score needs them: ``feature_importances_`` of a forest that was read are 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glottis.serve.plain_models import Plain, prepared
from glottis.serve.trees import Trees, depth_of


def forest_content(model: Any) -> Plain:
    """The trees; the value of a node is the share of the positive class."""
    trees = [estimator.tree_ for estimator in model.estimators_]
    return Trees.joined(
        [
            {
                "left": tree.children_left,
                "right": tree.children_right,
                "feature": tree.feature,
                "threshold": tree.threshold,
                "value": tree.value[:, 0, 1],
                "weight": tree.weighted_n_node_samples,
            }
            for tree in trees
        ]
    ).to_dict()


def random_forest_of(content: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The random forest of these trees."""
    from sklearn.ensemble import RandomForestClassifier

    return _forest(RandomForestClassifier, content, columns)


def extra_trees_of(content: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The extra trees of these trees."""
    from sklearn.ensemble import ExtraTreesClassifier

    return _forest(ExtraTreesClassifier, content, columns)


def _forest(kind: type[Any], content: Mapping[str, Any], columns: Sequence[str]) -> Any:
    trees = Trees.from_dict(content, len(columns))
    if (trees.value < 0).any() or (trees.value > 1).any():
        message = "a node of its trees has a share of the positive class outside 0 to 1"
        raise ValueError(message)
    model = prepared(kind(n_estimators=trees.nodes.size, n_jobs=1), columns)
    model.n_classes_, model.n_outputs_ = 2, 1
    model.estimators_ = [_tree(model, tree) for tree in trees.apart()]
    return model


def _tree(forest: Any, tree: Mapping[str, Any]) -> Any:
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.tree._tree import NODE_DTYPE, Tree

    nodes = np.zeros(tree["left"].size, dtype=NODE_DTYPE)
    leaf = tree["left"] < 0
    nodes["left_child"], nodes["right_child"] = tree["left"], tree["right"]
    nodes["feature"] = np.where(leaf, -2, tree["feature"])
    nodes["threshold"] = np.where(leaf, -2.0, tree["threshold"])
    nodes["weighted_n_node_samples"] = tree["weight"]
    nodes["n_node_samples"] = np.ceil(np.minimum(tree["weight"], 2**31))
    values = np.ascontiguousarray(np.stack([1 - tree["value"], tree["value"]], axis=1)[:, None, :])
    model = DecisionTreeClassifier()
    model.classes_, model.n_classes_, model.n_outputs_ = forest.classes_.astype(float), 2, 1
    model.n_features_in_ = forest.n_features_in_
    model.tree_ = Tree(forest.n_features_in_, np.array([2], dtype=np.intp), 1)
    depth = depth_of(tree["left"], tree["right"])
    model.tree_.__setstate__({"max_depth": depth, "node_count": nodes.size, "nodes": nodes, "values": values})
    return model
