"""From the results of many scans to one feature table, its counts, and a list of what went wrong."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glottis.data.cohort import Case
from glottis.data.tables import KEY_COLUMNS, FeatureTable
from glottis.preprocessing.nyul import NyulTransform
from glottis.study.extraction import Delineation, ScanResult, ScanTask
from glottis.study.perturbation import drawn_perturbation
from glottis.study.settings import case_settings
from glottis.study.spec import Study
from glottis.study.spec_images import PERTURBED


def scan_tasks(
    study: Study, cases: Iterable[Case], *, cache: Path, nyul: dict[str, NyulTransform] | None = None
) -> list[ScanTask]:
    """One task a scan that a patient has, in the order of patients and sequences.

    Args:
        study: the study.
        cases: its patients.
        cache: folder of finished results.
        nyul: by sequence, the transform learnt on training patients.
    """
    transforms = nyul or {}
    settings = {name: case_settings(study, name, nyul=transforms.get(name)) for name in study.sequences}
    return [
        ScanTask(
            patient=case.patient,
            sequence=name,
            image=scan.image,
            masks=(scan.mask, *scan.repeats),
            settings=settings[name],
            cache=cache,
            picture=True,
        )
        for case in cases
        for name in study.sequences
        if (scan := case.scans.get(name)) is not None
    ]


def perturbed_tasks(study: Study, tasks: Iterable[ScanTask]) -> list[ScanTask]:
    """A task for every scan and perturbation: its first mask again, by the reader `PERTURBED`.

    Each is a unit of its own: it is kept, taken up again and reported like a scan, and its failure costs nothing else.
    """
    block = study.perturbations
    if block is None:
        return []
    return [
        replace(
            task,
            masks=(replace(task.masks[0], reader=PERTURBED, round=number),),
            settings=replace(
                task.settings,
                perturbation=drawn_perturbation(
                    block,
                    random_state=study.random_state,
                    patient=task.patient,
                    sequence=task.sequence,
                    round_=number,
                ),
            ),
            picture=False,
        )
        for task in tasks
        for number in range(1, block.repeats + 1)
    ]


def feature_table(results: Iterable[ScanResult]) -> FeatureTable:
    """One row a delineation, the sequences side by side with their prefix; what is missing is empty."""
    rows: dict[tuple[str, str, int], dict[str, Any]] = {}
    columns: dict[str, dict[str, None]] = {}
    for result in results:
        for row in _good(result):
            features = {f"{result.sequence}_{name}": value for name, value in row.features.items()}
            columns.setdefault(result.sequence, {}).update(dict.fromkeys(features))
            rows.setdefault((result.patient, row.reader, row.round), {}).update(features)
    names = [name for sequence in columns.values() for name in sequence]
    keys = sorted(rows)
    values = np.array([[rows[key].get(name, np.nan) for name in names] for key in keys], dtype=float)
    frame = pd.DataFrame(values.reshape(len(keys), len(names)), columns=names)
    key_frame = pd.DataFrame(keys, columns=list(KEY_COLUMNS)).astype({"round": int})
    return FeatureTable(pd.concat([key_frame, frame], axis=1))


def extraction_summary(results: Sequence[ScanResult], table: FeatureTable) -> dict[str, Any]:
    """Failures with their reason; of the scans as they are: warnings, count of features, grey levels.

    A perturbed scan shares these with the scan itself.
    """
    failures = [{**_where(result, row), "reason": row.error} for result in results for row in result.rows if row.error]
    warnings = [
        {"patient": result.patient, "sequence": result.sequence, "text": text}
        for result in results
        for row in _primary(result)
        for text in row.warnings
    ]
    places = (tuple(name.rsplit("_", 3)[:3]) for name in table.features)
    return {
        "failures": failures,
        "warnings": warnings,
        "counts": count_ledger(places),
        "bins": _grey_levels(results),
    }


def count_ledger(places: Iterable[tuple[str, ...]]) -> list[dict[str, Any]]:
    """How many features of which sequence (or block), filter and class.

    Args:
        places: these three of every feature.
    """
    return [
        {"sequence": sequence, "filter": filter_, "class": class_, "n": n}
        for (sequence, filter_, class_), n in Counter(places).items()
    ]


def _grey_levels(results: Iterable[ScanResult]) -> dict[str, dict[str, list[float]]]:
    """Minimum, median and maximum number of grey levels over the primary masks."""
    found: dict[str, dict[str, list[float]]] = {}
    for result in results:
        for row in _primary(result):
            for name, value in row.n_bins.items():
                found.setdefault(result.sequence, {}).setdefault(name, []).append(value)
    return {
        sequence: {name: [min(v), float(statistics.median(v)), max(v)] for name, v in filters.items()}
        for sequence, filters in found.items()
    }


def _primary(result: ScanResult) -> tuple[Delineation, ...]:
    """The first mask of a scan that is not perturbed."""
    return tuple(row for row in result.rows[:1] if row.reader != PERTURBED)


def _good(result: ScanResult) -> Iterable[Delineation]:
    return (row for row in result.rows if not row.error)


def _where(result: ScanResult, row: Delineation) -> dict[str, Any]:
    return {"patient": result.patient, "sequence": result.sequence, "reader": row.reader, "round": row.round}
