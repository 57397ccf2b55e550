"""What a model is asked about: a table of patients, with images and masks or with features, and clinical values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from glottis._errors import CohortError, GlottisError, nearest
from glottis.data.cohort import Case, Roles
from glottis.data.volume import Volume
from glottis.io.clinical import cell_text, is_missing, numbers
from glottis.io.images import read_header
from glottis.io.manifest import cohort_from_frame
from glottis.modelling.terms import LinearPredictor, Term
from glottis.serve.model_file import Model
from glottis.study.extraction import ScanTask, extract_scans
from glottis.study.parallel import Progress
from glottis.study.settings import case_settings
from glottis.study.spec_clinical import SCORE

TOLERANCE = 0.05
"""Share by which voxels may be smaller or larger than those of the training images before it is said."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Patients as the model can read them.

    Attributes:
        patients: ids, in the order of the table.
        features: (n, features that are read), NaN where there is no value.
        clinical: (n, clinical columns that are read), None or NaN where nothing is known.
        batches: batch and covariates of the harmonisation; ``None`` without one.
        centres: of each patient; empty where the table does not say.
        refused: patient to why nothing can be said.
        remarks: patient to what a reader must know.
    """

    patients: tuple[str, ...]
    features: pd.DataFrame
    clinical: pd.DataFrame
    batches: pd.DataFrame | None
    centres: pd.Series
    refused: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)

    def remark(self, patient: str, text: str) -> None:
        """Say something of a patient, once."""
        own = self.remarks.setdefault(patient, [])
        if text not in own:
            own.append(text)

    def refuse(self, patient: str, reason: str) -> None:
        """Say why nothing can be said of a patient; the first reason stays."""
        self.refused.setdefault(patient, reason)


def read_asked(model: Model, frame: pd.DataFrame, *, folder: Path, jobs: int, progress: Progress) -> Asked:
    """Read the patients of a table, computing features from images where the table holds none.

    Args:
        model: what will be asked.
        frame: the table, as `glottis.io.clinical.read_table` gives it.
        folder: what relative paths of images start from.
        jobs: worker processes.
        progress: told of every finished scan.

    Raises:
        CohortError: a column that the model needs is absent, or ids repeat.
    """
    frame, ids = _with_ids(model, frame)
    clinical = _clinical(model, frame, ids)
    centre = model.study.centre
    asked = Asked(
        patients=tuple(ids),
        features=pd.DataFrame(index=ids),
        clinical=clinical,
        batches=_batches(model, frame, ids),
        centres=_texts(frame[centre], ids) if centre in frame.columns else pd.Series("", index=ids),
    )
    if model.scorer is None:
        return asked
    wanted = list(dict.fromkeys([*model.scorer.columns, *_beside(model)]))
    of_refits = {name for refit in model.refits if refit is not None for name in refit.columns}
    more = sorted(of_refits - set(wanted))
    if all(name in frame.columns for name in wanted):
        known = [name for name in more if name in frame.columns]
        return replace(asked, features=_numbers(frame, [*wanted, *known], ids))
    if not model.study.sequences:
        absent = [name for name in wanted if name not in frame.columns]
        message = (
            f"The table has no column '{absent[0]}' ({len(absent)} of the {len(wanted)} features that the model reads "
            f"are absent): {nearest(absent[0], [str(name) for name in frame.columns])}."
        )
        raise CohortError(message)
    found = _extracted(model, frame, asked, [*wanted, *more], folder=folder, jobs=jobs, progress=progress)
    return replace(asked, features=found)


def _beside(model: Model) -> tuple[str, ...]:
    """Features that a nomogram reads beside the score."""
    return model.study.nomogram.features if model.study.nomogram is not None else ()


def _with_ids(model: Model, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    name = model.study.id
    if name is None:
        ids = [str(number) for number in range(1, len(frame) + 1)]
        return frame.reset_index(drop=True), ids
    if name not in frame.columns:
        hint = nearest(name, [str(column) for column in frame.columns])
        message = f"The table has no column '{name}', which names the patients: {hint}."
        raise CohortError(message)
    ids = [cell_text(cell).strip() if not is_missing(cell) else "" for cell in frame[name]]
    empty = next((row for row, patient in enumerate(ids, start=2) if not patient), None)
    if empty is not None:
        message = f"Row {empty} of the table has no '{name}': give every patient an id."
        raise CohortError(message)
    twice = next((patient for patient in ids if ids.count(patient) > 1), None)
    if twice is not None:
        message = f"Patient '{twice}' stands twice in the table: give one row a patient."
        raise CohortError(message)
    return frame, ids


def _texts(column: pd.Series, ids: list[str]) -> pd.Series:
    return pd.Series(["" if is_missing(cell) else cell_text(cell).strip() for cell in column], index=ids)


def _numbers(frame: pd.DataFrame, names: list[str], ids: list[str]) -> pd.DataFrame:
    found = {}
    for name in names:
        cells = [None if is_missing(cell) else str(cell) for cell in frame[name]]
        own = numbers(cells) if any(cells) else [None] * len(cells)
        if own is None:
            raise CohortError(_no_numbers(name, cells))
        found[name] = [np.nan if value is None else value for value in own]
    return pd.DataFrame(found, index=ids, dtype=float)


def _no_numbers(name: str, cells: list[str | None]) -> str:
    wrong = next((cell for cell in cells if cell is not None and numbers([cell]) is None), None)
    if wrong is None:
        return f"Column '{name}' mixes decimal points and commas: write all its numbers alike."
    return f"Column '{name}' holds '{wrong}', where the model needs a number: correct the table."


def _clinical(model: Model, frame: pd.DataFrame, ids: list[str]) -> pd.DataFrame:
    terms = clinical_terms(model)
    absent = [term.column for term in terms if term.column not in frame.columns]
    if absent:
        hint = nearest(absent[0], [str(name) for name in frame.columns])
        message = f"The table has no column '{absent[0]}', which the model reads: {hint}."
        raise CohortError(message)
    found = pd.DataFrame(index=ids)
    for term in [*terms, *(own for own in _of_refits(model, terms) if own.column in frame.columns)]:
        if term.levels is None:
            found[term.column] = _numbers(frame, [term.column], ids)[term.column]
        else:
            words = [None if is_missing(cell) else _level(term, cell) for cell in frame[term.column]]
            found[term.column] = pd.Series(words, index=ids, dtype=object)
    return found


def _level(term: Term, cell: object) -> str:
    """A level as the model knows it: ``2`` and ``2.0`` are the same."""
    text = cell_text(cell).strip()
    parsed = numbers([text])
    return (
        cell_text(parsed[0]) if term.levels and text not in term.levels and parsed and parsed[0] is not None else text
    )


def clinical_terms(model: Model) -> list[Term]:
    """The terms of a regression that read clinical columns."""
    return [] if model.regression is None else _clinical_of(model, model.regression.predictor)


def _of_refits(model: Model, terms: list[Term]) -> list[Term]:
    """Terms of clinical columns that refits read and the model does not, since they screened other patients."""
    refits = () if model.regression is None else model.regression.refits
    found = {term.column: term for refit in refits if refit is not None for term in _clinical_of(model, refit)}
    return [term for name, term in found.items() if name not in {own.column for own in terms}]


def _clinical_of(model: Model, predictor: LinearPredictor) -> list[Term]:
    other = {SCORE, *_beside(model)}
    return [term for term in predictor.terms if term.column not in other]


def _batches(model: Model, frame: pd.DataFrame, ids: list[str]) -> pd.DataFrame | None:
    block = model.study.harmonise
    if block is None:
        return None
    column = model.study.centre if block.batch == "centre" else block.batch
    names = [str(column), *block.covariates]
    absent = [name for name in names if name not in frame.columns]
    if absent:
        message = f"The table has no column '{absent[0]}', which the harmonisation of the model needs: add it."
        raise CohortError(message)
    found = pd.DataFrame({"batch": _texts(frame[names[0]], ids)})
    for name in block.covariates:
        own = numbers([None if is_missing(cell) else str(cell) for cell in frame[name]])
        found[name] = _texts(frame[name], ids) if own is None else pd.Series(own, index=ids, dtype=float)
    return found


def _extracted(
    model: Model,
    frame: pd.DataFrame,
    asked: Asked,
    wanted: list[str],
    *,
    folder: Path,
    jobs: int,
    progress: Progress,
) -> pd.DataFrame:
    """Features from images and masks, by the same path as in the study."""
    study = model.study
    read = {*(model.scorer.columns if model.scorer is not None else ()), *_beside(model)}
    needed = list(dict.fromkeys(study.block_of(name) for name in wanted if name in read))
    columns = study.roles().sequences
    roles = Roles(id=study.id or "", sequences={name: replace(columns[name], repeats=()) for name in needed})
    cases = {case.patient: case for case in cohort_from_frame(frame, roles, folder=folder)}
    tasks = []
    for patient in asked.patients:
        lacking = [name for name in needed if name not in cases[patient].scans]
        if lacking:
            what = f"no {lacking[0]}" + (f" and {len(lacking) - 1} more sequences" if len(lacking) > 1 else "")
            asked.refuse(patient, f"{what}: the model reads features of {', '.join(needed)}")
        else:
            _check_geometry(model, cases[patient], needed, asked)
            tasks += [_task(model, cases[patient], name) for name in needed]
    values: dict[str, dict[str, float]] = {patient: {} for patient in asked.patients}
    for result in extract_scans(tasks, jobs=jobs, progress=progress):
        if result.error:
            asked.refuse(result.patient, f"{result.sequence}: {result.error}")
            continue
        features = result.rows[0].features
        values[result.patient] |= {f"{result.sequence}_{name}": value for name, value in features.items()}
    found = pd.DataFrame.from_dict(values, orient="index")
    return found.reindex(index=list(asked.patients), columns=wanted).astype(float)


def _task(model: Model, case: Case, name: str) -> ScanTask:
    scan = case.scans[name]
    settings = case_settings(model.study, name, nyul=model.landmarks.get(name))
    return ScanTask(patient=case.patient, sequence=name, image=scan.image, masks=(scan.mask,), settings=settings)


def _check_geometry(model: Model, case: Case, needed: list[str], asked: Asked) -> None:
    """Say where voxels are of another size than any of the training images'."""
    stored: Mapping[str, list[list[float]]] = model.facts["spacings"]
    for name in needed:
        image = case.scans[name].image
        try:
            own = image.spacing_mm if isinstance(image, Volume) else read_header(image).spacing_mm
        except GlottisError as error:
            asked.refuse(case.patient, f"{name}: {error}")
            continue
        if name not in stored:
            continue
        low, high = (np.array(end) for end in stored[name])
        if (np.array(own) < low * (1 - TOLERANCE)).any() or (np.array(own) > high * (1 + TOLERANCE)).any():
            asked.remark(
                case.patient,
                f"{name} has voxels of {_size(own)} mm, and the training images had {_size(low)} to {_size(high)}: its "
                "features may mean something else",
            )


def _size(spacing: object) -> str:
    """Voxel size as people write it: x, y, z."""
    z, y, x = (float(value) for value in spacing)  # type: ignore[attr-defined]  # three numbers
    return " x ".join(f"{value:.3g}" for value in (x, y, z))
