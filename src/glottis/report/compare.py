"""A comparison as files: results, tables, figures and one page that needs nothing beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glottis.evaluation.compare import Comparison
from glottis.io.files import write_text_atomic
from glottis.report import compare_words
from glottis.report.compare_figures import draw_compared
from glottis.report.compare_tables import compared_tables
from glottis.report.gallery import Picture
from glottis.report.page import page_environment
from glottis.report.tables import write_tables
from glottis.report.wording import event_name, joined, level
from glottis.study.parallel import Progress

TILES = 6
SHOWN_METRICS = ("sensitivity", "specificity", "ppv", "npv", "accuracy", "f1")
METRIC_NAMES = {"ppv": "PPV", "npv": "NPV", "f1": "F1"}


def write_compared(comparison: Comparison, folder: Path, *, progress: Progress) -> Path:
    """Write a comparison's files; see `glottis.report.write_comparison`."""
    text = json.dumps(comparison.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    write_text_atomic(folder / "results.json", text + "\n")
    results = json.loads(text)
    write_tables(compared_tables(results), folder / "tables")
    pictures = draw_compared(results, folder / "figures", progress)
    write_text_atomic(folder / "compare.html", _page(results, pictures))
    return folder / "compare.html"


def _page(results: Mapping[str, Any], pictures: Mapping[str, Picture]) -> str:
    environment = page_environment()
    environment.filters.update(p=compare_words.p_text, set_words=compare_words.set_words, level=level)
    environment.tests["in_series"] = _in_series
    sets = results["sets"]
    return environment.get_template("compare.html.j2").render(
        results=results,
        title=_title(results),
        event=event_name(results["outcome"]) if results["outcome"]["column"] else "",
        size=compare_words.size,
        findings=compare_words.findings,
        dropped=compare_words.dropped,
        notes=compare_words.notes(results),
        pictures=pictures,
        tiles=compare_words.tiles,
        n_tiles=TILES,
        metrics=[(name, METRIC_NAMES.get(name, name.capitalize())) for name in SHOWN_METRICS],
        sections=_sections(sets),
        readers_title="Readers" if any(rater["reader"] for rater in results["raters"].values()) else "Agreement",
        optimistic=[
            name
            for set_ in sets
            for name, rater in set_["raters"].items()
            if rater["cutoff"] and rater["cutoff"]["optimistic"]
        ],
    )


def _in_series(name: str, start: str) -> bool:
    """Whether a figure is ``start`` or one of its parts: ``roc-1`` holds ``roc-1-2``, not ``roc-10``."""
    return name == start or name.startswith(f"{start}-")


def _title(results: Mapping[str, Any]) -> str:
    names, outcome = list(results["raters"]), results["outcome"]["column"]
    readers = {rater["reader"] for rater in results["raters"].values() if rater["reader"]}
    models = [name for name, rater in results["raters"].items() if not rater["reader"]]
    parts = ([joined(models) if len(models) <= 4 else f"{len(models)} scores"] if models else []) + (
        [f"{len(readers)} reader{'s' if len(readers) > 1 else ''}"] if readers else []
    )
    what = f" for {outcome}" if outcome else " for survival"
    return f"{joined(parts)} compared{what}" if len(names) > 1 else f"{joined(parts)}{what}"


def _alone(set_: Mapping[str, Any]) -> list[Any]:
    return [*set_["raters"].values(), *set_["survival"].values()]


def _sections(sets: list[Mapping[str, Any]]) -> list[str]:
    """Which sections have something to show."""

    def pairs(set_: Mapping[str, Any], key: str) -> bool:
        return bool(set_["pairs"] and set_["pairs"][key])

    has = {
        "discrimination": any(set_["raters"] or set_["folds"] for set_ in sets),
        "thresholds": any(rater["confusion"] for set_ in sets for rater in set_["raters"].values())
        or any(rater["metrics"] for set_ in sets for rater in set_["folds"].values()),
        "differences": any(pairs(set_, "areas") for set_ in sets),
        "readers": any(pairs(set_, "readers") or pairs(set_, "agreement") for set_ in sets),
        "calibration": any(rater["calibration"] for set_ in sets for rater in set_["raters"].values()),
        "survival": any(set_["survival"] for set_ in sets),
        "groups": any(rater["groups"] for set_ in sets for rater in _alone(set_)),
    }
    return [name for name, there in has.items() if there]
