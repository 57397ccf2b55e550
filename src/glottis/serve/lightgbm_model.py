"""LightGBM's own text of a model, checked before the library sees it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glottis import _optional
from glottis.serve.numbers import floats, integers
from glottis.serve.plain_models import Plain

_END = "end of trees"
_OF_SPLITS = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child")
_OF_SPLITS_TOO = ("internal_value", "internal_weight", "internal_count")
_OF_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
_OF_TREES = ("num_leaves", "num_cat", "is_linear", "shrinkage")
_HEADER = {
    "version": "v4",
    "num_class": "1",
    "num_tree_per_iteration": "1",
    "label_index": "0",
    "objective": "binary sigmoid:1",
}
_HEADER_TOO = ("max_feature_idx", "feature_names", "feature_infos", "tree_sizes")


def lightgbm_content(model: Any) -> Plain:
    """The model as LightGBM writes it, up to the end of its trees."""
    text = model.booster_.model_to_string().partition(_END)[0] + _END + "\n"
    _check(text, model.n_features_in_)
    return {"lightgbm": text.split("\n")}


def lightgbm_of(content: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The model that LightGBM wrote.

    Raises:
        MissingExtraError: LightGBM is not installed.
        ValueError: not a model of these columns.
    """
    lightgbm = _optional.require("lightgbm", extra="boosting")
    text = "\n".join(content["lightgbm"])
    _check(text, len(columns))
    model = lightgbm.LGBMClassifier(n_jobs=1, verbosity=-1)
    try:
        model._Booster = lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        message = f"LightGBM does not read its trees ({error})"
        raise ValueError(message) from error
    model._classes, model._n_classes, model._objective = np.array([0, 1]), 2, "binary"
    model._n_features = model._n_features_in = len(columns)
    model._fitted_with_feature_names, model.fitted_ = False, True
    return model


def _check(text: str, width: int) -> None:
    if not text.isascii() or not text.endswith(f"\n\n{_END}\n"):
        message = "its trees do not end as LightGBM ends them"
        raise ValueError(message)
    head, *trees = re.split(r"(?m)^(?=Tree=)", text.removesuffix(f"{_END}\n"))
    given = _lines(head.removeprefix("tree\n"), {*_HEADER, *_HEADER_TOO}, "its header")
    other = [name for name, value in _HEADER.items() if given[name] != value]
    if not head.startswith("tree\n") or other or given["max_feature_idx"] != str(width - 1):
        message = f"its header says {other[:1] or 'max_feature_idx'} otherwise than a model of {width} features"
        raise ValueError(message)
    if given["feature_names"].split(" ") != [f"Column_{place}" for place in range(width)]:
        message = "it names its features, which a bundle does elsewhere"
        raise ValueError(message)
    if len(given["feature_infos"].split(" ")) != width or not re.fullmatch(_INFOS, given["feature_infos"]):
        message = "the ranges of its features are no ranges"
        raise ValueError(message)
    if given["tree_sizes"] != " ".join(str(len(tree)) for tree in trees):
        message = "the sizes of its trees are not those that it declares"
        raise ValueError(message)
    for place, tree in enumerate(trees):
        _check_tree(tree, width, place)


_INFOS = r"(none|\[[-+.e0-9]{1,30}:[-+.e0-9]{1,30}\])( (none|\[[-+.e0-9]{1,30}:[-+.e0-9]{1,30}\]))*"


def _check_tree(tree: str, width: int, place: int) -> None:
    what = f"tree {place}"
    first, _, rest = tree.partition("\n")
    given = _lines(rest, {*_OF_SPLITS, *_OF_SPLITS_TOO, *_OF_LEAVES, *_OF_TREES}, what)
    numbers = {name: [_number(word, what) for word in value.split()] for name, value in given.items()}
    n = int(integers(numbers["num_leaves"], 1, 1, 1 << 20, f"the leaves of {what}")[0])
    flags = [numbers["num_cat"], numbers["is_linear"]]
    if first != f"Tree={place}" or flags != [[0], [0]]:
        message = f"{what} has categories or linear leaves, or another number"
        raise ValueError(message)
    floats(numbers["shrinkage"], (1,), f"the shrinkage of {what}")
    if n == 1:  # LightGBM then writes what it likes for splits, and reads none
        floats(numbers["leaf_value"], (1,), f"leaf_value of {what}")
        return
    for names, size in (((*_OF_SPLITS, *_OF_SPLITS_TOO), n - 1), (_OF_LEAVES, n)):
        for name in names:
            floats(numbers[name], (size,), f"{name} of {what}")
    integers(numbers["split_feature"], n - 1, 0, width - 1, f"the split features of {what}")
    kinds = integers(numbers["decision_type"], n - 1, 0, 10, f"the kinds of split of {what}")
    left = integers(numbers["left_child"], n - 1, -n, n - 2, f"the left children of {what}")
    right = integers(numbers["right_child"], n - 1, -n, n - 2, f"the right children of {what}")
    leaves = np.concatenate([left[left < 0], right[right < 0]])
    if (kinds % 2).any() or np.unique(leaves).size < n:
        message = f"{what} splits by categories, or has a leaf that is reached otherwise than once"
        raise ValueError(message)
    own = np.arange(n - 1)
    if ((left >= 0) & (left <= own)).any() or ((right >= 0) & (right <= own)).any():
        message = f"a node of {what} points back"
        raise ValueError(message)


def _lines(text: str, wanted: set[str], what: str) -> dict[str, str]:
    pairs = [line.partition("=") for line in text.split("\n") if line]
    found = {name: value for name, _, value in pairs}
    if len(found) < len(pairs) or set(found) != wanted:
        other = sorted({name for name, _, _ in pairs} ^ wanted)
        message = f"{what} has a line twice, lacks one or has one too many: {other[:3]}"
        raise ValueError(message)
    return found


def _number(word: str, what: str) -> int | float:
    if re.fullmatch(r"-?\d{1,9}", word):
        return int(word)
    value = float(word) if re.fullmatch(r"[-+.e0-9]{1,30}", word) else math.nan
    if not math.isfinite(value):
        message = f"{what} holds {word[:20]!r}, no finite number"
        raise ValueError(message)
    return value
