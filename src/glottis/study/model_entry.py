"""What ``results.json`` says of a model beside its sets: fits, stability of the selection, share of each block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glottis.evaluation.stability import selection_stability
from glottis.study.spec import Design, Study


def model_entry(
    study: Study,
    model: str,
    results: Sequence[Mapping[str, Any]],
    sets: Mapping[str, Any],
    *,
    features: Sequence[str],
) -> dict[str, Any]:
    """A model as ``results.json`` has it.

    Args:
        study: the settings.
        model: its name.
        results: what ``fit_unit`` gave for it, one a partition.
        sets: its evaluation by set.
        features: all of the feature table.
    """
    sequences = study.models()[model]
    design, classifier = design_of(study, model)
    patients = {row["patient"]: row["y_true"] for result in results for row in result["scores"]}
    return {
        "sequences": list(sequences),
        "n_patients": len(patients),
        "n_positive": sum(patients.values()),
        "n_candidates": sum(study.block_of(name) in sequences for name in features)
        if design.of_features
        else max(result["fit"]["kept"][0]["n"] for result in results),
        "sets": sets,
        "fits": [result["fit"] for result in results],
        "unscored": [row for result in results for row in result["unscored"]],
        "stability": _stability(results),
        "stability_index": _stability_index(results),
        "classifier": classifier,
        "fusion": design.fusion,
        "inner_auc": float(np.mean([result["fit"]["inner_auc"] for result in results])),
        "blocks": _blocks(study, sequences, results),
    }


def design_of(study: Study, model: str) -> tuple[Design, str]:
    """The design that a model belongs to, and its classifier (``chosen`` where every fold has its own)."""
    for design in study.designs():
        if model == design.chosen:
            return design, "chosen"
        for classifier, name in design.models.items():
            if name == model:
                return design, classifier
    message = f"Model {model!r} is none of this study."
    raise ValueError(message)


def _blocks(study: Study, blocks: Sequence[str], results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each sequence or block gives to a model, means over its fits."""
    found = []
    for block in blocks:
        own = [_share(study, block, result["fit"]) for result in results]
        importances = [row["importance"] for row in own]
        weights = [row["weight"] for row in own if row["weight"] is not None]
        found.append(
            {
                "block": block,
                "n_selected": float(np.mean([row["n"] for row in own])),
                "share_selected": float(np.mean([row["share"] for row in own])),
                "share_importance": None if None in importances else float(np.mean(importances)),
                "weight": float(np.mean(weights)) if weights else None,
            }
        )
    return found


def _share(study: Study, block: str, fit: Mapping[str, Any]) -> dict[str, Any]:
    inside = [study.block_of(row["feature"]) == block for row in fit["selected"]]
    importances = [row["importance"] for row in fit["selected"]]
    total = None if None in importances or fit["weights"] is not None else sum(importances)
    own = sum(value for value, here in zip(importances, inside, strict=True) if here) if total else None
    return {
        "n": sum(inside),
        "share": sum(inside) / len(inside) if inside else 0.0,
        "importance": own / total if total and own is not None else None,
        "weight": None if fit["weights"] is None else fit["weights"][block],
    }


def _stability_index(results: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Nogueira's index of the selection over the fits; ``None`` with one fit."""
    if len(results) < 2:
        return None
    chosen = [{row["feature"] for row in result["fit"]["selected"]} for result in results]
    candidates = max(result["fit"]["kept"][0]["n"] for result in results)
    names = sorted(set.union(*chosen))
    table = np.array([[name in own for name in names] for own in chosen])
    never = np.zeros((len(chosen), max(candidates - len(names), 0)), dtype=bool)
    found = selection_stability(np.hstack([table, never])).to_dict()
    return {key: value for key, value in found.items() if key != "frequency"}  # "stability" has it by name


def _stability(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How often each feature was chosen, where there are several fits; the most frequent first."""
    if len(results) < 2:
        return []
    counts = Counter(row["feature"] for result in results for row in result["fit"]["selected"])
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"feature": feature, "chosen": n, "of": len(results)} for feature, n in ranked]
