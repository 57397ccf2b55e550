"""The figures of a comparison, from its stored results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from glottis.report import figures
from glottis.report.compare_words import set_words
from glottis.report.gallery import Picture, Plan, draw_plans
from glottis.study.parallel import Progress

Stored = Mapping[str, Any]
LINES_A_FIGURE = 6
PANELS_A_FIGURE = 12


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
        for plan in (*_curves(results, set_, number), *_panels(results, set_, number))
    ]
    return draw_plans(plans, folder, progress)


def _curves(results: Stored, set_: Stored, number: int) -> Iterator[Plan]:
    for place, (words, names) in enumerate(_together(results, set_), start=1):
        yield Plan(
            f"roc-{number}-{place}",
            f"{words}: ROC curves. Legend: AUC (confidence interval). Dashed: chance.",
            partial(figures.roc_of_models, _as_models(set_, names), set_["name"], names[0]),
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


def _as_models(set_: Stored, names: list[str]) -> dict[str, Any]:
    """The raters in the shape of a run's models."""
    return {
        name: {
            "sets": {
                set_["name"]: set_["raters"][name]
                | {
                    "roc": {
                        "fpr": set_["raters"][name]["roc"]["false_positive_rate"],
                        "tpr": set_["raters"][name]["roc"]["sensitivity"],
                    }
                }
            }
        }
        for name in names
    }
