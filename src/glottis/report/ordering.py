"""A result with its models and sets in the study's order (JSON keeps them by name)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from glottis.study.evaluate import SETS
from glottis.study.result import StudyResult
from glottis.study.split import CROSS_VALIDATION, TRAINING

CHOSEN = " (chosen)"
"""Ends the name of the model that takes the classifier with the best inner AUC in every fold."""


def in_study_order(result: StudyResult) -> StudyResult:
    """The same result; models as the study lists them, training before internal before external.

    A cross-validated study has no training set of its own, so none is shown.
    """
    hidden = {TRAINING} if result.results["design"] == CROSS_VALIDATION else set()
    models = {
        name: {**entry, "sets": _sets(entry["sets"], hidden)}
        for name, entry in _models(result, result.results["models"]).items()
    }
    flow = {
        name: {**entry, "sets": _sets(entry["sets"], hidden)}
        for name, entry in _models(result, result.flow["models"]).items()
    }
    return replace(result, results={**result.results, "models": models}, flow={**result.flow, "models": flow})


def _models(result: StudyResult, stored: Mapping[str, Any]) -> dict[str, Any]:
    """As the study lists them; the chosen model, which no study lists, after those that it was chosen from."""
    order: list[str] = []
    for design in result.study.designs():
        order += [*design.models.values(), design.name + CHOSEN]
    return {name: stored[name] for name in order if name in stored}


def _sets(stored: Mapping[str, Any], hidden: set[str]) -> dict[str, Any]:
    return {name: stored[name] for name in SETS if name in stored and name not in hidden}
