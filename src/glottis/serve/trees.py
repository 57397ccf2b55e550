"""Decision trees as plain numbers, node after node and tree after tree, checked so that no walk can leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.evaluation.interval import Floats
from glottis.serve.numbers import floats, integers
from glottis.serve.plain_models import Plain

MAX_NODES = 10_000_000
MAX_TREES = 10_000
MAX_DEPTH = 1_000
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Trees:
    """Trees whose nodes stand behind their parents; the first of each is its root.

    Attributes:
        nodes: (n_trees,) nodes of each tree.
        left: (n_nodes,) place of the left child within its tree; -1 for a leaf.
        right: (n_nodes,) likewise.
        feature: (n_nodes,) place of the column that splits; 0 for a leaf.
        threshold: (n_nodes,) lower values go left; 0 for a leaf.
        value: (n_nodes,) what a tree says there.
        weight: (n_nodes,) of the training rows that came there.
    """

    nodes: Integers
    left: Integers
    right: Integers
    feature: Integers
    threshold: Floats
    value: Floats
    weight: Floats

    @classmethod
    def joined(cls, trees: Sequence[Mapping[str, Any]]) -> Trees:
        """Trees of which each is given by its own arrays, in any order of nodes after the root.

        Raises:
            ValueError: a tree whose walk leaves it or never ends.
        """
        parts = [_in_order({name: np.asarray(values) for name, values in tree.items()}) for tree in trees]
        arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        leaf = arrays["left"] < 0
        arrays["feature"] = np.where(leaf, 0, arrays["feature"])
        arrays["threshold"] = np.where(leaf, 0.0, arrays["threshold"])
        return cls(nodes=np.array([part["left"].size for part in parts]), **arrays)

    def to_dict(self) -> Plain:
        """Plain values for JSON."""
        return {name: values.tolist() for name, values in vars(self).items()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], width: int) -> Trees:
        """Trees of a model that sees ``width`` columns.

        Raises:
            ValueError: too many, not finite, a column that is none, or a walk that leaves its tree or never ends.
        """
        nodes = integers(content["nodes"], len(content["nodes"]), 1, MAX_NODES, "the numbers of nodes")
        n = int(nodes.sum())
        if not 0 < nodes.size <= MAX_TREES or n > MAX_NODES:
            message = f"{nodes.size} trees of {n} nodes are outside what a bundle may hold"
            raise ValueError(message)
        trees = cls(
            nodes=nodes,
            left=integers(content["left"], n, -1, n, "the left children"),
            right=integers(content["right"], n, -1, n, "the right children"),
            feature=integers(content["feature"], n, 0, width - 1, "the split features"),
            threshold=floats(content["threshold"], (n,), "the split thresholds"),
            value=floats(content["value"], (n,), "the values of nodes"),
            weight=floats(content["weight"], (n,), "the weights of nodes"),
        )
        trees._check_walks()
        if (trees.weight < 0).any():
            message = "a node of its trees has a weight below 0"
            raise ValueError(message)
        return trees

    def _check_walks(self) -> None:
        """Every node but the roots is the child of one node, which stands before it in the same tree."""
        start = np.repeat(np.cumsum(self.nodes) - self.nodes, self.nodes)
        size, own = np.repeat(self.nodes, self.nodes), np.arange(start.size) - start
        leaf = (self.left == -1) & (self.right == -1)
        inner = (self.left > own) & (self.left < size) & (self.right > own) & (self.right < size)
        children = np.concatenate([(start + self.left)[inner], (start + self.right)[inner]])
        if not (leaf | inner).all() or not np.array_equal(np.sort(children), np.flatnonzero(own)):
            message = "a node of its trees points outside its tree, back, or to another node's child"
            raise ValueError(message)

    def apart(self) -> list[dict[str, Any]]:
        """The arrays of each tree by itself."""
        starts = np.cumsum(self.nodes)[:-1]
        parts = {name: np.split(values, starts) for name, values in vars(self).items() if name != "nodes"}
        return [{name: parts[name][place] for name in parts} for place in range(self.nodes.size)]


def depth_of(left: Integers, right: Integers) -> int:
    """Splits on the longest way to a leaf of one tree.

    Raises:
        ValueError: more than 1,000.
    """
    level, depth = np.array([0]), 0
    while True:
        children = np.concatenate([left[level], right[level]])
        level = children[children >= 0]
        if not level.size:
            return depth
        depth += 1
        if depth > MAX_DEPTH:
            message = f"a tree is deeper than {MAX_DEPTH} splits"
            raise ValueError(message)


def _in_order(tree: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The nodes that are reached from the root, each behind its parent."""
    reached = [0]
    for node in reached:
        reached += [int(tree[side][node]) for side in ("left", "right") if tree["left"][node] >= 0]
        if len(reached) > tree["left"].size:
            message = "a node of its trees is reached twice"
            raise ValueError(message)
    order = np.array(sorted(reached)) if _forward(tree, reached) else np.array(reached)
    place = np.full(tree["left"].size + 1, -1)  # the last stands for "no child"
    place[order] = np.arange(order.size)
    ordered = {name: values[order] for name, values in tree.items()}
    leaf = ordered["left"] < 0
    return ordered | {side: np.where(leaf, -1, place[ordered[side]]) for side in ("left", "right")}


def _forward(tree: Mapping[str, NDArray[Any]], reached: list[int]) -> bool:
    """Whether every child has a higher number than its parent."""
    nodes = np.array(reached)
    inner = nodes[tree["left"][nodes] >= 0]
    return bool((tree["left"][inner] > inner).all() and (tree["right"][inner] > inner).all())
