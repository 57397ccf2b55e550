"""The report: tables, figures and one HTML file that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from glottis.io.files import write_text_atomic
from glottis.report import controls, figures, final, fitted_rows, groups, wording
from glottis.report.failures import failed_words
from glottis.report.gallery import Picture, all_sets, draw_all
from glottis.report.methods import PROTOCOL, methods
from glottis.report.methods_models import params_text
from glottis.report.ordering import in_study_order
from glottis.report.page import page_environment
from glottis.report.sections import sections
from glottis.report.summary import cross_validated, primary_of, summarise
from glottis.report.tables import all_tables, write_tables
from glottis.study.parallel import Progress
from glottis.study.result import StudyResult

STABLE_SHOWN = 30
FLAT_BINS = (8, 256)


def write_report(folder: Path, *, progress: Progress) -> Path:
    """Write the report of a run; see `glottis.report.write`."""
    result = in_study_order(StudyResult.load(folder))
    _clear_leftovers(folder)
    write_tables(all_tables(result), folder / "tables")
    pictures = draw_all(result, folder / "figures", progress)
    write_text_atomic(folder / "report.html", _page(result, pictures))
    return folder / "report.html"


def _clear_leftovers(folder: Path) -> None:
    """Remove half-written files of a report that was killed."""
    for place in (folder, folder / "figures", folder / "tables"):
        for temporary in place.glob(".writing-*"):
            temporary.unlink(missing_ok=True)


def _page(result: StudyResult, pictures: Mapping[str, Picture]) -> str:
    environment = page_environment()
    environment.filters["params"] = params_text
    results = result.results
    return environment.get_template("report.html.j2").render(
        result=result,
        results=results,
        study=result.study,
        outcome=results["outcome"],
        event=wording.event_name(results["outcome"]),
        folded=cross_validated(result),
        primary=primary_of(result),
        summary=summarise(result),
        methods=methods(result),
        protocol=PROTOCOL,
        pictures=pictures,
        pages=[picture for name, picture in pictures.items() if name.startswith("masks-")],
        sets=all_sets(results["models"]),
        metrics=wording.METRICS,
        findings=_by_severity(result.checks),
        failed_words=failed_words,
        warnings=_by_kind(result.extraction["warnings"]),
        auc_notes=_auc_notes(results["models"]),
        counts=_count_tables(result.extraction["counts"]),
        sections=sections(result),
        part="sequence" if result.study.table is None else "block",
        bins=_bin_rows(result.extraction["bins"], list(result.study.sequences)),
        flat=FLAT_BINS,
        left_text=figures.left_text,
        stable_shown=STABLE_SHOWN,
        notes=_notes(results["models"]),
        **_of_models(result),
        **_of_honesty(result),
        **_of_final(result),
    )


def _of_models(result: StudyResult) -> dict[str, Any]:
    """What the sections on models need."""
    models, primary = result.results["models"], result.results["primary_model"]
    blocks = {**result.study.models(), **{name: entry["sequences"] for name, entry in models.items()}}
    seeing = groups.of_features(models)
    rows = fitted_rows.selection_rows(seeing)
    return {
        "groups": groups.groups_of(models),
        "several": groups.several_classifiers(models),
        "flow_groups": groups.flow_groups(result.flow["models"], blocks),
        "selection_rows": rows,
        "steps": fitted_rows.steps_of(rows),
        "tuning": [] if cross_validated(result) else fitted_rows.tuning_tables(seeing),
        "tuned": fitted_rows.tuned,
        "selected": fitted_rows.selected_groups(seeing, primary),
        "block_rows": fitted_rows.block_rows(seeing, primary),
        "stability_word": fitted_rows.stability_word,
        "most_shown": groups.MOST_SHOWN,
        "large": len(models) > groups.MOST_SHOWN,
    }


def _of_honesty(result: StudyResult) -> dict[str, Any]:
    """What the sections on controls and leaks need."""
    return {
        "proof": fitted_rows.proof_rows(result.results["proof"]),
        "published": controls.as_published_rows(result.results),
        "how_published": controls.how_published(result.results) if result.results["as_published"] else "",
        "optimistic": controls.OPTIMISTIC,
        "difference_text": controls.difference_text,
        "p_value": controls.p_value,
        "span": figures.range_text,
    }


def _of_final(result: StudyResult) -> dict[str, Any]:
    """What the sections on clinical use and on the final model need."""
    return {
        "final": result.final,
        "odds": final.odds_tables(result),
        "in_sample": final.in_sample_words(result),
        "few_events": final.few_events(result),
        "levels": final.levels(result),
        "explained": final.explained_words(result),
        "equation": final.equation_text(result),
    }


def _by_severity(findings: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Findings by severity, the gravest first."""
    groups: dict[str, list[Mapping[str, Any]]] = {name: [] for name in wording.SEVERITIES}
    for finding in findings:
        groups.setdefault(finding["severity"], []).append(finding)
    return {name: group for name, group in groups.items() if group}


def _by_kind(warnings: Iterable[Mapping[str, Any]]) -> dict[str, list[tuple[str, str, str]]]:
    """Warnings of the extraction by kind (what stands before the colon): patient, sequence, the rest."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for warning in warnings:
        kind, mark, rest = warning["text"].partition(": ")
        if not mark:
            kind, rest = "Other", warning["text"]
        groups.setdefault(kind, []).append((warning["patient"], warning["sequence"], wording.capitalised(rest)))
    return groups


def _auc_notes(models: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]:
    """Set, why its AUC has no interval (or what was skipped), and the models that it concerns."""
    rows: dict[tuple[str, str], list[str]] = {}
    for model, entry in models.items():
        for name, stored in entry["sets"].items():
            for note in dict.fromkeys((stored["auc"]["interval"]["note"], stored["auc"].get("note", ""))):
                if note:
                    rows.setdefault((name, note), []).append(model)
    return [(name, note, concerned) for (name, note), concerned in rows.items()]


def _count_tables(counts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The count ledger as a table filter x class; sequences with equal counts share one."""
    by_sequence: dict[str, dict[tuple[str, str], int]] = {}
    for row in counts:
        by_sequence.setdefault(row["sequence"], {})[row["filter"], row["class"]] = row["n"]
    shared: list[tuple[list[str], dict[tuple[str, str], int]]] = []
    for sequence, cells in by_sequence.items():
        same = next((names for names, other in shared if other == cells), None)
        if same is None:
            shared.append(([sequence], cells))
        else:
            same.append(sequence)
    return [
        {
            "sequences": names,
            "filters": list(dict.fromkeys(filter_ for filter_, _ in cells)),
            "classes": list(dict.fromkeys(class_ for _, class_ in cells)),
            "cells": cells,
            "total": sum(cells.values()),
        }
        for names, cells in shared
    ]


def _bin_rows(bins: Mapping[str, Mapping[str, Sequence[float]]], sequences: Sequence[str]) -> list[dict[str, Any]]:
    """Grey levels by sequence and filter, marked where the median leaves the usual range."""
    return [
        {
            "sequence": sequence,
            "filter": name,
            "least": levels[0],
            "median": levels[1],
            "most": levels[2],
            "flat": not FLAT_BINS[0] <= levels[1] <= FLAT_BINS[1],
        }
        for sequence in sequences
        for name, levels in sorted(bins.get(sequence, {}).items(), key=lambda item: (item[0] != "original", item[0]))
    ]


def _notes(models: Mapping[str, Any]) -> list[tuple[str, str, int, int]]:
    """Model, note, and in how many of its fits it was made."""
    rows: dict[tuple[str, str], int] = {}
    for model, entry in models.items():
        for fit in entry["fits"]:
            for note in fit["notes"]:
                rows[model, note] = rows.get((model, note), 0) + 1
    return [(model, note, n, len(models[model]["fits"])) for (model, note), n in rows.items()]
