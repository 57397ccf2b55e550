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
    """

    name: str
    make: Callable[[int], Any]
    grid: Mapping[str, tuple[Any, ...]]
    recalibrate: bool


def _random_forest(seed: int) -> RandomForestClassifier:
    return RandomForestClassifier(n_estimators=200, random_state=seed, n_jobs=1)


RANDOM_FOREST = ClassifierSpec(
    name="random_forest",
    make=_random_forest,
    grid={"max_depth": (3, 6, None), "min_samples_leaf": (1, 5)},  # 200 trees throughout
    recalibrate=True,
)

CLASSIFIERS: Mapping[str, ClassifierSpec] = {"random_forest": RANDOM_FOREST}
