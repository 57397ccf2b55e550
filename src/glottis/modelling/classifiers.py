"""The classifiers that a study can ask for by name, each with its default grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.ensemble import RandomForestClassifier


@dataclass(frozen=True, kw_only=True)
class ClassifierSpec:
    """A classifier by name.

    Attributes:
        name: as in a study file.
        make: seed to an unfitted classifier on one thread.
        grid: parameter to the values that tuning tries.
        recalibrate: whether its scores need recalibration before they count as probabilities.
        same: whether a fitted model is, bit for bit, what these parameters would give on the same rows and seed.
    """

    name: str
    make: Callable[[int], Any]
    grid: Mapping[str, tuple[Any, ...]]
    recalibrate: bool
    same: Callable[[Any, Mapping[str, Any]], bool] = lambda fitted, parameters: False


def _random_forest(seed: int) -> RandomForestClassifier:
    return RandomForestClassifier(n_estimators=200, random_state=seed, n_jobs=1)


def _same_forest(fitted: RandomForestClassifier, parameters: Mapping[str, Any]) -> bool:
    """Trees that stay above a depth limit are the trees that grow under it."""
    own = fitted.get_params()
    if any(own[name] != value for name, value in parameters.items() if name != "max_depth"):
        return False
    limits = [limit for limit in (own["max_depth"], parameters.get("max_depth")) if limit is not None]
    return not limits or max(tree.get_depth() for tree in fitted.estimators_) < min(limits)


RANDOM_FOREST = ClassifierSpec(
    name="random_forest",
    make=_random_forest,
    grid={"max_depth": (3, 6, None), "min_samples_leaf": (1, 5)},  # 200 trees throughout
    recalibrate=True,
    same=_same_forest,
)

CLASSIFIERS: Mapping[str, ClassifierSpec] = {"random_forest": RANDOM_FOREST}
