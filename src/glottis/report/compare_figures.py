"""The figures of a comparison, from its stored results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from glottis.report import figures
from glottis.report.compare_drawings import IntervalRow, interval_rows
from glottis.report.compare_words import p_text, set_words
from glottis.report.figures.curves import MOST_BANDS
from glottis.report.gallery import Picture, draw_plans
from glottis.report.plan import Plan
from glottis.report.wording import counted
from glottis.study.parallel import Progress

Stored = Mapping[str, Any]
LINES_A_FIGURE = 6
PANELS_A_FIGURE = 12
MATRIX_FROM, MATRIX_TO = 3, 12
ROWS_SHOWN = 30


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
            *_confusion(results, set_, number),
            *_probabilities(set_, number),
            *_against(set_, number),
            *_survival(set_, number),
            *_groups(set_, number),
        )
    ]
    return draw_plans(plans, folder, progress)


def _curves(results: Stored, set_: Stored, number: int) -> Iterator[Plan]:
    raters = set_["raters"]
    for place, (words, names) in enumerate(_together(results, raters, set_["name"]), start=1):
        curves = {name: raters[name]["roc"] for name in names}
        shaded = any(curve["band_at"] for curve in curves.values()) and len(curves) <= MOST_BANDS
        band = f" Shaded: {results['level']:.0%} limits of the sensitivity at each specificity (bootstrap)."
        yield Plan(
            f"roc-{number}-{place}",
            f"{words}: ROC curves. Legend: AUC (confidence interval). Dashed: chance.{band if shaded else ''}",
            partial(figures.roc_figure, curves),
        )
        yield Plan(
            f"precision-recall-{number}-{place}",
            f"{words}: precision over recall. Legend: average precision. Dotted: prevalence, the precision of chance.",
            partial(figures.precision_recall_figure, {name: raters[name]["precision_recall"] for name in names}),
        )


def _together(results: Stored, raters: Stored, set_name: str) -> list[tuple[str, list[str]]]:
    """Raters that share a figure: those of one modality, at most six."""
    by_modality: dict[str | None, list[str]] = {}
    for name in raters:
        by_modality.setdefault(results["raters"][name]["modality"], []).append(name)
    found = []
    for modality, names in by_modality.items():
        words = set_words(set_name) + (f", {modality}" if modality else "")
        found += [(words, part) for part in _parts(names, LINES_A_FIGURE)]
    return found


def _parts(names: Sequence[str], most: int) -> list[list[str]]:
    return [list(names[start : start + most]) for start in range(0, len(names), most)]


def _confusion(results: Stored, set_: Stored, number: int) -> Iterator[Plan]:
    called = {name: rater["confusion"] for name, rater in set_["raters"].items() if rater["confusion"]}
    classes = (results["outcome"]["negative"], results["outcome"]["positive"])
    for place, names in enumerate(_parts(list(called), PANELS_A_FIGURE), start=1):
        yield Plan(
            f"confusion-{number}-{place}",
            f"{set_words(set_['name'])}: counts at the threshold. Percent and shade: share of the row, the true class.",
            partial(figures.confusion_figure, {name: called[name] for name in names}, columns=2, classes=classes),
        )


def _probabilities(set_: Stored, number: int) -> Iterator[Plan]:
    words = set_words(set_["name"])
    calibrated = {name: rater["calibration"] for name, rater in set_["raters"].items() if rater["calibration"]}
    for place, names in enumerate(_parts(list(calibrated), PANELS_A_FIGURE), start=1):
        yield Plan(
            f"calibration-{number}-{place}",
            f"{words}: calibration. Points: groups of equal size by predicted probability, with Wilson's interval; "
            "line: smooth curve (lowess); dashed: perfect agreement. Bars below: patients by predicted probability, "
            "upwards those with the outcome, downwards those without.",
            partial(figures.calibration_figure, {name: calibrated[name] for name in names}, columns=2),
        )
    yield from _decision(f"decision-{number}", words, set_["raters"])


def _decision(name: str, words: str, raters: Stored) -> Iterator[Plan]:
    curves = {rater: entry["decision"] for rater, entry in raters.items() if entry["decision"]}
    for place, names in enumerate(_parts(list(curves), LINES_A_FIGURE), start=1):
        shade = " Shaded: its confidence interval." if len(names) <= MOST_BANDS else ""
        yield Plan(
            f"{name}-{place}",
            f"{words}: decision curves. Net benefit per patient of treating those at or above the threshold "
            f"probability.{shade}",
            partial(figures.decision_figure, {rater: curves[rater] for rater in names}),
        )


def _against(set_: Stored, number: int) -> Iterator[Plan]:
    """Differences between raters, and between modalities."""
    words, pairs = set_words(set_["name"]), set_["pairs"]
    if pairs is None:
        return
    areas = pairs["areas"][:ROWS_SHOWN]
    if areas:
        rows = [
            IntervalRow(f"{row['first']} − {row['second']}", row["test"]["difference"], p_text(row["p_holm"]))
            for row in areas
        ]
        more = f" The first {len(areas)} of {len(pairs['areas'])}." if len(areas) < len(pairs["areas"]) else ""
        yield Plan(
            f"delong-{number}",
            f"{words}: paired differences of the AUC (DeLong), p adjusted after Holm, intervals not adjusted.{more}",
            partial(interval_rows, rows, "Difference of AUC", "Adjusted p"),
        )
    if pairs["matrix"] is not None and MATRIX_FROM <= len(pairs["matrix"]["models"]) <= MATRIX_TO:
        yield Plan(
            f"delong-{number}-matrix",
            f"{words}: all AUCs against each other.",
            partial(figures.delong_figure, pairs["matrix"], columns=1 if len(pairs["matrix"]["models"]) < 6 else 2),
        )
    if pairs["readers"]:
        means = [
            IntervalRow(f"{row['first']} − {row['second']}", row["difference"], p_text(row["p_value"]))
            for row in pairs["readers"]["differences"]
        ]
        yield Plan(
            f"readers-{number}",
            f"{words}: differences of the readers' mean AUC between modalities (Obuchowski-Rockette).",
            partial(interval_rows, means, "Difference of mean AUC", "p"),
        )


def _survival(set_: Stored, number: int) -> Iterator[Plan]:
    words = set_words(set_["name"])
    shown = {name: rater for name, rater in set_["survival"].items() if rater["kaplan_meier"]}
    for place, (name, rater) in enumerate(shown.items(), start=1):
        yield Plan(
            f"survival-{number}-{place}",
            f"{words}: Kaplan-Meier curves of the risk groups of {name} (cut-off: {rater['cutoff']['source']}). "
            "Shaded: confidence interval; ticks: censored; below: patients at risk.",
            partial(figures.kaplan_meier_figure, rater["kaplan_meier"], logrank=rater["logrank"]),
        )
    by = [rater["time_auc"]["points"][0]["at"] for rater in set_["survival"].values() if rater["decision"]]
    if by:
        yield from _decision(f"survival-{number}-decision", f"{words}, event by {by[0]:g}", set_["survival"])


def _groups(set_: Stored, number: int) -> Iterator[Plan]:
    """The AUC, or Harrell's C, of every rater in every centre and subgroup."""
    words = set_words(set_["name"])
    areas = [
        IntervalRow(f"{name}, {group['group']} ({group['n']:,})", group["auc"]["interval"], "")
        for name, rater in set_["raters"].items()
        for variable in rater["groups"]
        for group in variable["groups"]
        if group["auc"]
    ]
    concordances = [
        IntervalRow(f"{name}, {group['group']} ({group['n']:,})", group["harrell"]["interval"], "")
        for name, rater in set_["survival"].items()
        for group in rater["groups"]
        if group["harrell"]["interval"]["value"] is not None
    ]
    for what, rows in (("AUC", areas), ("Harrell's C", concordances)):
        shown = rows[:ROWS_SHOWN]
        if shown:
            more = f" The first {len(shown)} of {counted(len(rows), 'row')}." if len(shown) < len(rows) else ""
            yield Plan(
                f"groups-{number}-{'auc' if what == 'AUC' else 'c'}",
                f"{words}: {what} in every centre and subgroup (number of patients). Dashed: chance.{more}",
                partial(interval_rows, shown, what, "", at=0.5),
            )
