"""The features of a study, taken from its table or extracted from its images, and their account in the run folder."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from glottis._errors import CohortError
from glottis.data.cohort import Cohort
from glottis.data.tables import FeatureTable
from glottis.io.files import write_atomic
from glottis.study.extraction import ScanResult, extract_scans
from glottis.study.given_table import GivenTable
from glottis.study.landmarks import learn_landmarks, nyul_sequences
from glottis.study.parallel import Progress
from glottis.study.source import Source
from glottis.study.spec import Study
from glottis.study.split import Partition
from glottis.study.store import write_json
from glottis.study.table_columns import place
from glottis.study.tabulate import count_ledger, extraction_summary, feature_table, perturbed_tasks, scan_tasks


def obtain_features(
    source: Source, cohort: Cohort, parts: tuple[Partition, ...], *, folder: Path, jobs: int, progress: Progress
) -> tuple[list[FeatureTable], int]:
    """Take the features from the table, or extract them, and store them with their account.

    Args:
        source: the study.
        cohort: the patients who take part.
        parts: the partitions.
        folder: of the run: ``features.parquet``, ``extraction.json`` and, for images, ``masks.npz`` go there.
        jobs: worker processes.
        progress: told of every finished scan.

    Returns:
        One feature table, or one a partition where Nyul's landmarks depend on who trains; and the number of scans.

    Raises:
        CohortError: no scan gave features.
    """
    if source.given is not None:
        return [_given_table(source.given, source.study, cohort, folder)], 0
    if source.study.clinical_alone:
        return [_no_features(folder)], 0
    return _extract(source.study, cohort, parts, folder=folder, jobs=jobs, progress=progress)


def _given_table(given: GivenTable, study: Study, cohort: Cohort, folder: Path) -> FeatureTable:
    frame = given.values.frame
    table = FeatureTable(frame[frame["patient"].isin([case.patient for case in cohort])].reset_index(drop=True))
    write_atomic(folder / "features.parquet", partial(table.frame.to_parquet, index=False))
    counts = count_ledger((study.block_of(name), *place(name)) for name in table.features)
    write_json(folder / "extraction.json", {"failures": [], "warnings": [], "counts": counts, "bins": {}})
    return table


def _no_features(folder: Path) -> FeatureTable:
    table = FeatureTable(pd.DataFrame({"patient": pd.Series(dtype=str), "reader": "", "round": 0}))
    write_atomic(folder / "features.parquet", partial(table.frame.to_parquet, index=False))
    write_json(folder / "extraction.json", {"failures": [], "warnings": [], "counts": [], "bins": {}})
    return table


def _extract(
    study: Study, cohort: Cohort, parts: tuple[Partition, ...], *, folder: Path, jobs: int, progress: Progress
) -> tuple[list[FeatureTable], int]:
    cache = folder / "cache" / "scans"
    by_patient = {case.patient: case for case in cohort}
    tables: list[FeatureTable] = []
    for part in parts if nyul_sequences(study) else parts[:1]:
        training = [by_patient[patient] for patient in part.training]
        nyul = learn_landmarks(study, training, cache=cache, jobs=jobs, progress=progress)
        tasks = scan_tasks(study, cohort, cache=cache, nyul=nyul)
        learnt = {patient for each in ([part] if nyul else parts) for patient in each.training}
        perturbed = perturbed_tasks(study, [task for task in tasks if task.patient in learnt])
        results = extract_scans([*tasks, *perturbed], jobs=jobs, progress=progress)
        table = feature_table(results)
        _refuse_empty(table, results)
        name = f"features/repeat-{part.repeat}-fold-{part.fold}.parquet" if tables else "features.parquet"
        write_atomic(folder / name, partial(table.frame.to_parquet, index=False))
        if not tables:
            write_json(folder / "extraction.json", extraction_summary(results, table))
            _store_pictures(folder / "masks.npz", results)
            n_scans = len(tasks)
        tables.append(table)
    return tables, n_scans


def _refuse_empty(table: FeatureTable, results: list[ScanResult]) -> None:
    if not len(table.frame):
        reason = results[0].error if results else "there are no scans"
        message = f"No scan gave features. The first of {len(results)}: {reason}"
        raise CohortError(message)


def _store_pictures(path: Path, results: Iterable[ScanResult]) -> None:
    pictures = {f"{r.patient}/{r.sequence}": r.picture for r in results if r.picture is not None}

    def write(temporary: Path) -> None:
        with temporary.open("wb") as handle:
            np.savez_compressed(handle, allow_pickle=False, **pictures)

    write_atomic(path, write)
