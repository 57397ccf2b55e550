"""Models by what they have in common: a combination with its fusion, and within it the classifiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Models = Mapping[str, Mapping[str, Any]]
MOST_SHOWN = 12

CLASSIFIER_NAMES = {
    "logistic_regression": "logistic regression",
    "svm": "SVM",
    "random_forest": "random forest",
    "extra_trees": "extra trees",
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "mlp": "MLP",
    "chosen": "chosen in each fold",
    "regression": "logistic regression, screened",
}


@dataclass(frozen=True, kw_only=True)
class Group:
    """Models of one combination and one way of fusion.

    Attributes:
        label: ``T1WI+T2WI``, with `` late`` where scores are stacked.
        models: model to its entry.
    """

    label: str
    models: Models

    def shared(self, key: Callable[[Mapping[str, Any]], Any]) -> list[tuple[str, list[str]]]:
        """Labels and models of those in the group that agree in ``key``: the group's label where all do."""
        found: list[tuple[Any, list[str]]] = []
        for name, entry in self.models.items():
            value = key(entry)
            same = next((names for other, names in found if other == value), None)
            if same is None:
                found.append((value, [name]))
            else:
                same.append(name)
        if len(found) == 1:
            return [(self.label, found[0][1])]
        return [(names[0] if len(names) == 1 else ", ".join(names), names) for _, names in found]


def label_of(entry: Mapping[str, Any]) -> str:
    """The combination and fusion of a model."""
    if entry["fusion"] in ("clinical", "nomogram"):
        return str(entry["fusion"])
    return "+".join(entry["sequences"]) + (" late" if entry["fusion"] == "late" else "")


def groups_of(models: Models) -> list[Group]:
    """Models by combination and fusion, in their order."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name, entry in models.items():
        found.setdefault(label_of(entry), {})[name] = entry
    return [Group(label=label, models=members) for label, members in found.items()]


def classifier_name(classifier: str) -> str:
    """A classifier as the report calls it; of an import path the class."""
    return CLASSIFIER_NAMES.get(classifier, classifier.rpartition(":")[2])


def several_classifiers(models: Models) -> bool:
    """Whether the models of features differ in their classifier."""
    return len({entry["classifier"] for entry in of_features(models).values()}) > 1


def of_features(models: Models) -> dict[str, Mapping[str, Any]]:
    """Models that see features: not the regressions of clinical columns and scores."""
    return {name: entry for name, entry in models.items() if entry["fusion"] not in ("clinical", "nomogram")}


def shown_in_figures(models: Models, primary: str) -> dict[str, Mapping[str, Any]]:
    """All models of a small study; else the primary one and, of each group, that of the best inner AUC.

    No test set has a part in this choice.
    """
    if len(models) <= MOST_SHOWN:
        return dict(models)
    best = {max(group.models, key=lambda name: group.models[name]["inner_auc"] or 0.0) for group in groups_of(models)}
    return {name: entry for name, entry in models.items() if name in best | {primary}}


def flow_groups(
    flow: Mapping[str, Any], blocks: Mapping[str, Sequence[str]]
) -> list[tuple[str, list[str], Mapping[str, Any]]]:
    """Label, models and stored flow: each combination once, unless its models differ in their patients.

    Args:
        flow: model to its stored flow.
        blocks: model to its sequences or blocks, of those that could not be fitted too.
    """
    found: list[tuple[str, list[str], Mapping[str, Any]]] = []
    for name, stored in flow.items():
        label = "+".join(blocks.get(name, ())) or name
        same = next((names for other, names, entry in found if other == label and entry == stored), None)
        if same is None:
            found.append((label, [name], stored))
        else:
            same.append(name)
    labels = [label for label, _, _ in found]
    return [(label if labels.count(label) == 1 else ", ".join(names), names, stored) for label, names, stored in found]


def flow_of(flow: Mapping[str, Any], models: Models, name: str) -> str:
    """The name under which the flow of a model is stored: its own, or that of another of its combination."""
    if name in flow:
        return name
    wanted = models[name]["sequences"]
    return next(other for other in flow if other in models and models[other]["sequences"] == wanted)
