"""The figures of a comparison, from its stored results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from glottis.report import compare_drawings as drawings
from glottis.report import figures
from glottis.report.compare_words import set_words
from glottis.report.gallery import Picture, Plan, draw_plans
from glottis.study.parallel import Progress

Stored = Mapping[str, Any]
LINES_A_FIGURE = 6
PANELS_A_FIGURE = 12
DIFFERENCES_SHOWN = 30


def draw_compared(results: Stored, folder: Path, progress: Progress) -> dict[str, Picture]:
    """Draw and store every figure of a comparison.

    Args:
        results: ``results.json``.
        folder: where figures go.
        progress: told of every figure.

    Returns:
        Pictures by name: what is shown, the number of the set from 1, and what sets it apart.
    """
    plans = [
        plan
        for number, set_ in enumerate(results["sets"], start=1)
        for plan in (
            *_curves(results, set_, number),
            *_panels(results, set_, number),
            *_against(set_, number),
            *_survival(set_, number),
        )
    ]
    return draw_plans(plans, folder, progress)


def _curves(results: Stored, set_: Stored, number: int) -> Iterator[Plan]:
    for place, (words, names) in enumerate(_together(results, set_), start=1):
        yield Plan(
            f"roc-{number}-{place}",
            f"{words}: ROC curves. Legend: AUC (confidence interval). Dashed: chance.",
            partial(figures.roc_of_sets, {"sets": {name: _as_entry(set_["raters"][name]) for name in names}}, names),
        )


def _together(results: Stored, set_: Stored) -> list[tuple[str, list[str]]]:
    """Raters that share a figure: those of one modality, at most six."""
    by_modality: dict[str | None, list[str]] = {}
    for name in set_["raters"]:
        by_modality.setdefault(results["raters"][name]["modality"], []).append(name)
    found = []
    for modality, names in by_modality.items():
        words = set_words(set_["name"]) + (f", {modality}" if modality else "")
        found += [(words, names[i : i + LINES_A_FIGURE]) for i in range(0, len(names), LINES_A_FIGURE)]
    return found


def _panels(results: Stored, set_: Stored, number: int) -> Iterator[Plan]:
    words = set_words(set_["name"])
    called = [name for name, rater in set_["raters"].items() if rater["confusion"]]
    for start in range(0, len(called), PANELS_A_FIGURE):
        yield Plan(
            f"confusion-{number}-{start // PANELS_A_FIGURE + 1}",
            f"{words}: counts at the threshold. Darker: a larger share of its row.",
            partial(
                figures.confusion_of_models,
                _as_models(set_, called[start : start + PANELS_A_FIGURE]),
                set_["name"],
                results["outcome"],
            ),
        )
    calibrated = [name for name, rater in set_["raters"].items() if rater["calibration"]]
    if calibrated:
        yield Plan(
            f"calibration-{number}",
            f"{words}: calibration. Points: groups of equal size by predicted probability, with Wilson intervals; "
            "line: smooth curve (lowess); dashed: perfect agreement.",
            partial(figures.calibration_of_models, _as_models(set_, calibrated), set_["name"]),
        )

    probable = {name: rater["decision"] for name, rater in set_["raters"].items() if rater["decision"]}
    if probable:
        yield Plan(
            f"decision-{number}",
            f"{words}: decision curves. Net benefit per patient of treating those at or above the threshold probability"
            + (", with its confidence interval." if len(probable) == 1 else "."),
            partial(drawings.decision_curves, probable),
        )


def _against(set_: Stored, number: int) -> Iterator[Plan]:
    """Differences between raters, and between modalities."""
    words, pairs = set_words(set_["name"]), set_["pairs"]
    areas = [] if pairs is None else pairs["areas"][:DIFFERENCES_SHOWN]
    if areas:
        rows = [(f"{row['first']} − {row['second']}", row["test"]["difference"], row["p_holm"]) for row in areas]
        more = f" The first {len(areas)} of {len(pairs['areas'])}." if len(areas) < len(pairs["areas"]) else ""
        yield Plan(
            f"delong-{number}",
            f"{words}: paired differences of the AUC (DeLong), p adjusted after Holm, intervals not adjusted.{more}",
            partial(drawings.differences, rows, "Difference of AUC", "Adjusted p"),
        )
    if pairs is not None and pairs["readers"]:
        study = pairs["readers"]
        means = [
            (f"{row['first']} − {row['second']}", row["difference"], row["p_value"]) for row in study["differences"]
        ]
        yield Plan(
            f"readers-{number}",
            f"{words}: differences of the readers' mean AUC between modalities (Obuchowski-Rockette).",
            partial(drawings.differences, means, "Difference of mean AUC", "p"),
        )


def _survival(set_: Stored, number: int) -> Iterator[Plan]:
    shown = {name: rater for name, rater in set_["survival"].items() if rater["kaplan_meier"]}
    for place, (name, rater) in enumerate(shown.items(), start=1):
        yield Plan(
            f"survival-{number}-{place}",
            f"{set_words(set_['name'])}: Kaplan-Meier curves of the risk groups of {name} (cut-off: "
            f"{rater['cutoff']['source']}), with intervals, censorings (ticks) and numbers at risk.",
            partial(drawings.risk_groups, name, rater),
        )


def _as_models(set_: Stored, names: list[str]) -> dict[str, Any]:
    """The raters in the shape of a run's models."""
    return {name: {"sets": {set_["name"]: _as_entry(set_["raters"][name])}} for name in names}


def _as_entry(rater: Stored) -> dict[str, Any]:
    """A rater in the shape of a run's model in one set."""
    roc = {"fpr": rater["roc"]["false_positive_rate"], "tpr": rater["roc"]["sensitivity"]}
    return {**rater, "roc": roc}
