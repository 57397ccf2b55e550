"""Rows of the page on what was fitted: steps, tuning, selected features, stability, blocks, proof."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from glottis.report.groups import Group, Models, classifier_name, groups_of

POINTS_SHOWN = 40
POOR, EXCELLENT = 0.4, 0.75


def selection_rows(models: Models) -> list[dict[str, Any]]:
    """What each step left, once for models that share it; in late fusion a row for every block.

    Returns:
        Rows of ``label``, ``models``, ``n_candidates`` and ``fits``, whose ``kept`` names steps without their block.
    """
    rows = []
    for group in groups_of(models):
        for label, names in group.shared(lambda entry: [fit["kept"] for fit in entry["fits"]]):
            entry = group.models[names[0]]
            for block, kept in _by_block([fit["kept"] for fit in entry["fits"]]).items():
                fits = [{"kept": steps} for steps in kept]
                first = fits[0]["kept"][0] if fits and fits[0]["kept"] else None
                of = first["n"] if first and first["step"] == "candidates" else entry["n_candidates"]
                shown = f"{label}: {block}" if block else label
                rows.append({"label": shown, "models": names, "n_candidates": of, "fits": fits})
    return rows


def _by_block(kept: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, list[list[dict[str, Any]]]]:
    """Block (empty in early fusion) to the steps of every fit, named without it."""
    blocks = list(dict.fromkeys(step["step"].rpartition(": ")[0] for steps in kept for step in steps))
    return {
        block: [
            [
                {"step": step["step"].rpartition(": ")[2], "n": step["n"]}
                for step in steps
                if step["step"].rpartition(": ")[0] == block
            ]
            for steps in kept
        ]
        for block in blocks
    }


def steps_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The steps of all rows, in the order of the work."""
    found: list[str] = []
    for row in rows:
        place = 0
        for step in (step["step"] for fit in row["fits"] for step in fit["kept"]):
            if step in found:
                place = found.index(step) + 1
            else:
                found.insert(place, step)
                place += 1
    return found


def tuning_tables(models: Models) -> list[dict[str, Any]]:
    """One table a classifier, of points by models, from the one fit of each; a long search shows what it chose."""
    found = []
    for classifier in dict.fromkeys(entry["classifier"] for entry in models.values()):
        fits = {
            name: entry["fits"][0]
            for name, entry in models.items()
            if entry["classifier"] == classifier and entry["fits"][0]["tuning"]
        }
        points = list(
            {json.dumps(point["params"]): point["params"] for f in fits.values() for point in f["tuning"]}.values()
        )
        if len(points) > POINTS_SHOWN:
            chosen = {json.dumps(fit["best_params"]) for fit in fits.values()}
            points = [point for point in points if json.dumps(point) in chosen]
        if fits:
            found.append({"classifier": classifier_name(classifier), "fits": fits, "points": points})
    return found


def tuned(fit: Mapping[str, Any], point: Mapping[str, Any]) -> float | None:
    """The mean inner AUC of a point, where the fit tried it."""
    return next((own["auc"] for own in fit["tuning"] if own["params"] == point), None)


def selected_groups(models: Models, primary: str) -> list[dict[str, Any]]:
    """Selected features, once for models that share them, the primary model's first."""
    found = []
    for group in groups_of(models):
        for label, names in group.shared(_chosen):
            entry = group.models[primary if primary in names else names[0]]
            found.append(
                {
                    "label": label,
                    "models": names,
                    "primary": primary in names,
                    "entry": entry,
                    **_by_classifier(group, names),
                }
            )
    return sorted(found, key=lambda row: not row["primary"])


def _chosen(entry: Mapping[str, Any]) -> Any:
    """What two models must share to stand in one table: the stability, or the features of the one fit."""
    if entry["stability"]:
        return [entry["stability"], entry["stability_index"]]
    return sorted(row["feature"] for row in entry["fits"][0]["selected"])


def _by_classifier(group: Group, names: Sequence[str]) -> dict[str, Any]:
    """Importance of each feature by classifier, for classifiers that give any."""
    importance = {
        classifier_name(group.models[name]["classifier"]): {
            row["feature"]: row["importance"] for row in group.models[name]["fits"][0]["selected"]
        }
        for name in names
    }
    return {
        "importance": {name: rows for name, rows in importance.items() if any(v is not None for v in rows.values())}
    }


def stability_word(value: float) -> str:
    """Poor, intermediate to good, or excellent agreement beyond chance, on Fleiss' scale; see `Stability`."""
    return "poor" if value < POOR else "excellent" if value > EXCELLENT else "intermediate to good"


def block_rows(models: Models, primary: str) -> list[tuple[Group, list[tuple[str, Mapping[str, Any]]]]]:
    """Groups of models with two blocks or more, the primary model's first."""
    found = [
        (group, list(group.models.items()))
        for group in groups_of(models)
        if any(len(entry["blocks"]) > 1 for entry in group.models.values())
    ]
    return sorted(found, key=lambda row: primary not in row[0].models)


def proof_rows(proof: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The proof by mode, step and overlap, with the models that share the row and the range of what they saw."""
    found: dict[tuple[str, str, int], list[Mapping[str, Any]]] = {}
    for row in proof:
        step = row["step"].rpartition(": ")[2]
        found.setdefault((row["mode"], step, row["overlap"]), []).append(row)
    return [
        {
            "mode": mode,
            "step": step,
            "overlap": overlap,
            "models": list(dict.fromkeys(row["model"] for row in rows)),
            "n_fits": _range([row["n_fits"] for row in rows]),
            "saw": _range([end for row in rows for end in row["saw"]]),
            "hidden": _range([end for row in rows for end in row["hidden"]]),
        }
        for (mode, step, overlap), rows in found.items()
    ]


def _range(numbers: Sequence[int]) -> tuple[int, int]:
    return min(numbers), max(numbers)
