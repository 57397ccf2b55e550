"""Random forest and extra trees as plain numbers, and back: node after node, tree after tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.serve.numbers import floats, integers, refuse_loose_trees
from glottis.serve.plain_models import Plain, prepared

MAX_NODES = 10_000_000
MAX_TREES = 10_000
MAX_DEPTH = 5_000


def forest_content(model: Any) -> Plain:
    """The trees; of a node its children, its split, the share of the positive class and the weight of its rows."""
    trees = [estimator.tree_ for estimator in model.estimators_]

    def joined(attribute: str) -> list[Any]:
        return np.concatenate([getattr(tree, attribute) for tree in trees]).tolist()  # type: ignore[no-any-return]  # numpy

    return {
        "nodes": [int(tree.node_count) for tree in trees],
        "left": joined("children_left"),
        "right": joined("children_right"),
        "feature": joined("feature"),
        "threshold": joined("threshold"),
        "positive": np.concatenate([tree.value[:, 0, 1] for tree in trees]).tolist(),
        "weight": joined("weighted_n_node_samples"),
    }


def random_forest_of(content: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The random forest of these trees."""
    from sklearn.ensemble import RandomForestClassifier

    return _forest(RandomForestClassifier, content, columns)


def extra_trees_of(content: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The extra trees of these trees."""
    from sklearn.ensemble import ExtraTreesClassifier

    return _forest(ExtraTreesClassifier, content, columns)


def _forest(kind: type[Any], content: Mapping[str, Any], columns: Sequence[str]) -> Any:
    counts = integers(content["nodes"], len(content["nodes"]), 1, MAX_NODES, "the numbers of nodes")
    if not 0 < counts.size <= MAX_TREES or counts.sum() > MAX_NODES:
        message = f"a forest of {counts.size} trees and {counts.sum()} nodes is outside what a bundle may hold"
        raise ValueError(message)
    nodes, positive = _nodes(content, counts, len(columns))
    model = prepared(kind(n_estimators=counts.size, n_jobs=1), columns)
    model.n_classes_, model.n_outputs_ = 2, 1
    starts = np.cumsum(counts)[:-1]
    model.estimators_ = [
        _tree(model, own, share) for own, share in zip(np.split(nodes, starts), np.split(positive, starts), strict=True)
    ]
    return model


def _nodes(content: Mapping[str, Any], counts: NDArray[np.int64], width: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Checked nodes as scikit-learn keeps them, and the share of the positive class of each."""
    from sklearn.tree._tree import NODE_DTYPE

    total = int(counts.sum())
    nodes = np.zeros(total, dtype=NODE_DTYPE)
    for name, own in (("left_child", "left"), ("right_child", "right")):
        nodes[name] = integers(content[own], total, -1, total, f"the {own} children")
    refuse_loose_trees(nodes["left_child"], nodes["right_child"], counts, "the forest")
    nodes["feature"] = integers(content["feature"], total, -2, width - 1, "the split features")
    if (nodes["feature"][nodes["left_child"] >= 0] < 0).any():
        message = "a node of the forest splits no feature"
        raise ValueError(message)
    nodes["threshold"] = floats(content["threshold"], (total,), "the split thresholds")
    weight = floats(content["weight"], (total,), "the weights of nodes")
    positive = floats(content["positive"], (total,), "the shares of the positive class")
    if (weight < 0).any() or (positive < 0).any() or (positive > 1).any():
        message = "a node of the forest has a weight below 0, or a share outside 0 to 1"
        raise ValueError(message)
    nodes["weighted_n_node_samples"] = weight
    nodes["n_node_samples"] = np.minimum(np.ceil(weight), MAX_NODES)
    return nodes, positive


def _tree(forest: Any, nodes: NDArray[Any], positive: NDArray[Any]) -> Any:
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.tree._tree import Tree

    model = DecisionTreeClassifier()
    model.classes_, model.n_classes_, model.n_outputs_ = forest.classes_.astype(float), 2, 1
    model.n_features_in_ = forest.n_features_in_
    model.tree_ = Tree(forest.n_features_in_, np.array([2], dtype=np.intp), 1)
    values = np.ascontiguousarray(np.stack([1 - positive, positive], axis=1)[:, None, :])
    state = {"max_depth": _depth(nodes), "node_count": nodes.size, "nodes": nodes.copy(), "values": values}
    model.tree_.__setstate__(state)
    return model


def _depth(nodes: NDArray[Any]) -> int:
    """Splits on the longest way to a leaf; children stand behind their parents."""
    level, depth = np.array([0]), -1
    while level.size:
        depth += 1
        if depth > MAX_DEPTH:
            message = f"a tree of the forest is deeper than {MAX_DEPTH} splits"
            raise ValueError(message)
        children = np.concatenate([nodes["left_child"][level], nodes["right_child"][level]])
        level = np.unique(children[children >= 0])
    return depth
