"""A whole study: check, split, extract, fit, score. Sees every stage; each stage's work is kept as it is finished."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from glottis import __version__
from glottis._errors import CohortError
from glottis.data.cohort import Cohort
from glottis.io.files import write_text_atomic
from glottis.io.manifest import outcome_codes
from glottis.study.assemble import FinishedWork, store_results
from glottis.study.chains import refuse_unavailable
from glottis.study.check import Finding, Limits, check_cohort, check_models, check_table, errors_of, in_order
from glottis.study.check.levels import StudyGreyLevels
from glottis.study.counter import count_analysis
from glottis.study.final import FinalModel
from glottis.study.final_results import store_final
from glottis.study.modelling_stage import ModellingStage, refuse_unseen_batches
from glottis.study.obtain import obtain_features
from glottis.study.parallel import Progress, silent
from glottis.study.settings import case_settings
from glottis.study.source import Source, digests, read_source
from glottis.study.spec import Study
from glottis.study.split import Partition, partition_digest, partitions
from glottis.study.store import content_key, open_run, write_json
from glottis.study.versions import library_versions


@dataclass
class _Run:
    """What the stages of one run share."""

    study: Study
    folder: Path
    jobs: int
    progress: Progress
    digest: str
    seconds: dict[str, float] = field(default_factory=dict)

    def timed(self, stage: str, start: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


Deliver = Callable[[FinalModel, Path], None]
"""Writes the final model into the run folder."""


def run(
    study: Study,
    folder: Path,
    *,
    jobs: int = 1,
    progress: Progress = silent,
    allow_code: bool = False,
    deliver: Deliver | None = None,
) -> Path:
    """Run a study and store everything that its report needs.

    A run that was interrupted goes on where it stopped when it is called again with the same folder.

    Args:
        study: the study; ``read_study`` reads one from its file.
        folder: the run folder.
        jobs: worker processes for scans and fits.
        progress: told of every finished unit of work.
        allow_code: a classifier that the study names by import path may be loaded, which runs its code.
        deliver: given the final model, which it writes to a file; ``None`` makes no final model.

    Returns:
        The run folder.

    Raises:
        InputError: the cohort, a file or a setting cannot be used.
        StorageError: the folder belongs to another study, is in use, or cannot be written.
    """
    refuse_unavailable(study, allow_code=allow_code)
    source = read_source(study)
    study, inputs = source.study, digests(study)
    digest = content_key(study.resolved(), *inputs.values())
    with open_run(folder, digest=digest, title=study.title):
        started = datetime.now(UTC).isoformat(timespec="seconds")
        state = _Run(study=study, folder=folder, jobs=jobs, progress=progress, digest=digest)
        _check(state, source)
        eligible, excluded = _eligible(source)
        parts = partitions(eligible, study.split, random_state=study.random_state)
        refuse_unseen_batches(study, source, eligible, parts)
        _store_split(state, parts, eligible)
        start = time.perf_counter()
        tables, n_scans = obtain_features(source, eligible, parts, folder=folder, jobs=jobs, progress=progress)
        state.timed("features", start)
        stage = ModellingStage(
            study=study,
            source=source,
            cohort=eligible,
            parts=parts,
            tables=tables,
            cache=folder / "cache" / "fits",
            jobs=jobs,
            progress=progress,
            timed=state.timed,
            allow_code=allow_code,
        )
        fitted = stage.finished()
        start = time.perf_counter()
        work = FinishedWork(
            cohort=eligible,
            excluded=excluded,
            outcome=_outcome_names(source),
            table=tables[0],
            parts=parts,
            **fitted,
        )
        store_results(study, folder, work)
        state.timed("results", start)
        if deliver is not None and study.final.bundle:
            start = time.perf_counter()
            store_final(stage, work, folder, deliver, key=digest)
            state.timed("final", start)
        scans = {"scans": n_scans} if study.sequences else {}
        write_json(folder / "provenance.json", _provenance(state, started, inputs={**inputs, **scans}))
    return folder


def check_study(source: Source, *, jobs: int = 1, progress: Progress = silent) -> tuple[Finding, ...]:
    """Everything that is wrong with the cohort of a study, errors first.

    Args:
        source: the study with its manifest, read without ``strict`` so that no problem hides another.
        jobs: worker processes.
        progress: told after every patient.
    """
    study = source.study
    limits = Limits(
        minimum_diameter_mm=study.check.minimum_diameter_mm,
        geometry_tolerance=study.check.geometry_tolerance,
        n_candidate_features=source.n_candidates(),
        folds=study.split.folds if study.split.method == "kfold" else study.model.folds,
        timing=study.check.timing,
        external_centres=study.split.external,
    )
    levels = StudyGreyLevels({name: case_settings(study, name) for name in study.sequences})
    found = check_cohort(
        source.cohort, source.frame, source.roles, limits=limits, grey_levels=levels, jobs=jobs, progress=progress
    )
    return in_order(dict.fromkeys([*found, *check_table(source, limits), *check_models(source)]))


def _refuse_errors(findings: Iterable[Finding]) -> None:
    errors = errors_of(findings)
    if errors:
        more = f" (and {len(errors) - 1} more: glottis check lists them all)" if len(errors) > 1 else ""
        message = f"The cohort has {len(errors)} error{'s' if len(errors) > 1 else ''}. {errors[0].sentence()}{more}"
        raise CohortError(message)


def _check(state: _Run, source: Source) -> None:
    start = time.perf_counter()
    findings = check_study(source, jobs=state.jobs, progress=state.progress)
    write_json(state.folder / "checks.json", [finding.to_dict() for finding in findings])
    state.timed("check", start)
    _refuse_errors(findings)


def _eligible(source: Source) -> tuple[Cohort, list[dict[str, str]]]:
    """Patients with an outcome and at least one scan, or features, and why the others are out."""
    cohort, excluded = source.cohort, []
    for case in cohort:
        reason = "no outcome" if case.outcome is None else source.why_absent(case)
        if reason:
            excluded.append({"patient": case.patient, "reason": reason})
    out = {row["patient"] for row in excluded}
    eligible = Cohort(tuple(case for case in cohort if case.patient not in out))
    if not len(eligible):
        what = "a scan with its mask" if source.given is None else "features"
        message = f"None of the {len(cohort)} patients has both an outcome and {what}: check the manifest."
        raise CohortError(message)
    return eligible, excluded


def _outcome_names(source: Source) -> dict[str, str]:
    """The outcome's column and its two values as the manifest has them."""
    study = source.study
    values = [str(value) for value in source.frame[study.outcome.column].dropna().unique()]
    codes = dict(zip(values, outcome_codes(values, study.outcome.positive), strict=True))
    names = {code: value for value, code in sorted(codes.items()) if code is not None}
    return {"column": study.outcome.column, "positive": names[1], "negative": names[0]}


def _store_split(state: _Run, parts: tuple[Partition, ...], cohort: Cohort) -> None:
    """Write down who is held out before anything is fitted, and count this look at the test set."""
    test_set = partition_digest(parts, cohort)
    analyses = count_analysis(state.study.manifest.parent, test_set=test_set, study=state.digest)
    content = {
        "method": state.study.split.method,
        "digest": test_set,
        "analyses": analyses,
        "partitions": [
            {
                "repeat": part.repeat,
                "fold": part.fold,
                "training": list(part.training),
                "tests": {name: list(patients) for name, patients in part.tests.items()},
            }
            for part in parts
        ],
    }
    write_json(state.folder / "split.json", content)
    write_text_atomic(state.folder / "study.yaml", _resolved_yaml(state.study))


def _resolved_yaml(study: Study) -> str:
    head = "# Every setting of this run, defaults included.\n"
    return head + yaml.safe_dump(study.resolved(), sort_keys=False, allow_unicode=True, width=100)


def _provenance(state: _Run, started: str, *, inputs: dict[str, Any]) -> dict[str, Any]:
    """Versions, inputs, host and durations: the only file that differs between two equal runs."""
    return {
        "glottis": __version__,
        "versions": library_versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "jobs": state.jobs,
        "started": started,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": {stage: round(value, 2) for stage, value in state.seconds.items()},
        "inputs": inputs,
        "study": state.digest,
        "random_state": state.study.random_state,
    }
