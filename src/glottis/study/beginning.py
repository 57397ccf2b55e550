"""The first manifest and study file of a cohort, from a folder of scans and a clinical table."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from glottis._errors import CohortError, nearest
from glottis.data.phantom import CLINICAL, SEQUENCES, PhantomDesign
from glottis.io.clinical import is_missing, numbers, read_table
from glottis.io.files import write_text_atomic
from glottis.io.layouts import Layout, detect, join_clinical, write_manifest
from glottis.io.manifest import outcome_codes
from glottis.study.check.columns import AFTER_DECISION, PERSON
from glottis.study.spec import Split
from glottis.study.spec_images import BiasField, Modality
from glottis.study.template import StudyTemplate, TemplateSequence, study_yaml

MANIFEST, STUDY = "manifest.csv", "study.yaml"
FEWEST_FOR_A_TEST_SET = 30
MOST_LEVELS = 10
CENTRE_NAMES = ("centre", "center", "hospital", "institution")


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What ``glottis init`` found and wrote.

    Attributes:
        manifest: path of the manifest.
        study: path of the study file.
        kind: the layout of the folder.
        patients: number of patients with images, by sequence.
        notes: what a person should look at, as sentences.
    """

    manifest: Path
    study: Path
    kind: str
    patients: dict[str, int]
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """For the terminal."""
        found = ", ".join(f"{name} {n}" for name, n in self.patients.items())
        return [
            f"Layout: {self.kind}. Patients with image and mask: {found}.",
            *self.notes,
            f"Written: {self.manifest} and {self.study}. Read both, then run  glottis check {self.study}",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        paths = {"manifest": str(self.manifest), "study": str(self.study)}
        return {**paths, "layout": self.kind, "patients": self.patients, "notes": list(self.notes)}


def begin_study(folder: Path, out: Path, *, clinical: Path | None, outcome: str | None) -> Beginning:
    """Write ``manifest.csv`` and ``study.yaml``; see ``glottis.init``."""
    layout = detect(folder)
    rows, notes = layout.rows, list(layout.notes)
    if clinical is not None:
        rows, joined = join_clinical(rows, read_table(clinical))
        notes += joined.sentences()
    if outcome is not None and outcome not in rows.columns:
        tables = [str(name) for name in rows.columns]
        message = f"No column '{outcome}' to predict: {nearest(outcome, tables)}."
        raise CohortError(message)
    template, more = _template(layout, rows, folder, outcome)
    write_manifest(rows, out / MANIFEST)
    write_text_atomic(out / STUDY, study_yaml(template))
    counts = {name: int((rows[f"{name}_image"].fillna("") != "").sum()) for name in layout.sequences}
    return Beginning(
        manifest=out / MANIFEST, study=out / STUDY, kind=layout.kind, patients=counts, notes=(*notes, *more)
    )


def phantom_template(design: PhantomDesign) -> StudyTemplate:
    """The study of a synthetic cohort: internal and external test, readers' masks for the ICC."""
    return StudyTemplate(
        title="Stage III-IV against I-II from synthetic laryngeal MR" + (" (no signal)" if design.null else ""),
        manifest=MANIFEST,
        id="patient",
        outcome="stage",
        positive="III-IV",
        positive_note="the event; every other value is the other class",
        centre="centre",
        survival=("pfs_months", "pfs_event"),
        clinical=CLINICAL,
        sequences={
            name: TemplateSequence(
                image=f"{name}_image",
                mask=f"{name}_mask",
                modality="MR",
                repeats=((f"{name}_mask_A2", "A", 2), (f"{name}_mask_B1", "B", 1)),
            )
            for name in SEQUENCES
        },
        n4=BiasField(shrink_factor=6, iterations=(50, 50, 50)),
        split=Split(external=(design.centres[-1].centre,)),
        split_note="70% of centre 1 train, 30% are the internal test, centre 2 is the external test",
    )


def _template(layout: Layout, rows: pd.DataFrame, folder: Path, outcome: str | None) -> tuple[StudyTemplate, list[str]]:
    paths = {"patient", *(f"{name}_{kind}" for name in layout.sequences for kind in ("image", "mask"))}
    paths |= {repeat.column for repeat in layout.repeats}
    others = [str(name) for name in rows.columns if name not in paths and name != outcome]
    clinical, left_out = clinical_columns(rows, others)
    centre = next((name for name in others if name.lower() in CENTRE_NAMES), "")
    codes, positive, note = positive_value(rows, outcome)
    complete = [
        code
        for code, (_, row) in zip(codes, rows.iterrows(), strict=False)  # no codes without an outcome
        if code is not None and not any(is_missing(row[f"{name}_image"]) for name in layout.sequences)
    ]
    split, why, inner = proposed_split(codes, complete)
    notes = [f"Left out of the clinical variables: {name} ({reason})." for name, reason in left_out.items()]
    notes += [f"Split: {why}."] if why else ["No outcome yet: fill in 'outcome' in the study file."]
    template = StudyTemplate(
        title=f"{folder.resolve().name}: {outcome or 'OUTCOME'}",
        manifest=MANIFEST,
        id="patient",
        outcome=outcome or "OUTCOME",
        positive=positive,
        positive_note=note,
        centre=centre,
        clinical=[name for name in clinical if name != centre],
        left_out=left_out,
        sequences={name: _sequence(layout, name) for name in layout.sequences},
        split=split,
        split_note=why,
        inner_folds=inner,
    )
    return template, notes


def _sequence(layout: Layout, name: str) -> TemplateSequence:
    repeats = [(r.column, r.reader, r.round) for r in layout.repeats if r.sequence == name]
    return TemplateSequence(
        image=f"{name}_image", mask=f"{name}_mask", modality=_modality(name), repeats=tuple(repeats)
    )


def _modality(sequence: str) -> Modality:
    """A guess from the name, for a person to check."""
    if re.search(r"(?<![a-z])ct(?![a-z])", sequence, re.IGNORECASE):
        return "CT"
    return "PET" if re.search(r"pet|suv", sequence, re.IGNORECASE) else "MR"


def clinical_columns(rows: pd.DataFrame, names: list[str]) -> tuple[list[str], dict[str, str]]:
    """Columns that may serve before the decision, and why the others may not."""
    kept, left_out = [], {}
    for name in names:
        present = [str(cell) for cell in rows[name] if not is_missing(cell)]
        levels = len(set(present))
        if PERSON.search(name):
            left_out[name] = "looks like personal data: remove it from the manifest"
        elif AFTER_DECISION.search(name):
            left_out[name] = "sounds like something known only after the decision"
        elif levels < 2:
            left_out[name] = "one value only"
        elif numbers(present) is None and levels > MOST_LEVELS:
            left_out[name] = f"{levels} different texts"
        elif numbers(present) is None and levels == len(present):
            left_out[name] = "every patient has another value"
        else:
            kept.append(name)
    return kept, left_out


def positive_value(rows: pd.DataFrame, outcome: str | None) -> tuple[list[int | None], str, str]:
    """Outcome by row, the positive value for the study file (empty for 0/1), and why this one."""
    if outcome is None:
        return [], "", "fill in the column to predict; positive: VALUE where it is not 0 and 1"
    cells = [None if is_missing(cell) else str(cell) for cell in rows[outcome]]
    values = Counter(cell for cell in cells if cell is not None)
    if set(values) <= {"0", "1", "0.0", "1.0"}:
        return outcome_codes(cells, None), "", ""
    rarer = min(values, key=lambda value: (values[value], value)) if values else "1"
    return outcome_codes(cells, rarer), rarer, "the rarer value was taken as the event: change it if it is the other"


def proposed_split(codes: Sequence[int | None], complete: Sequence[int]) -> tuple[Split, str, int]:
    """The split, why, and the folds of the inner tuning that the smallest model allows.

    Args:
        codes: outcome of every patient.
        complete: outcomes of the patients who have everything.
    """
    counts = Counter(code for code in codes if code is not None)
    if not counts:
        return Split(), "", 5
    smaller = min(counts[0], counts[1])
    if smaller >= FEWEST_FOR_A_TEST_SET:
        return Split(), "30% of the patients are held out as test set", 5
    folds = max(2, min(5, smaller))
    why = f"{smaller} patients in the smaller class are too few to hold a test set out; cross-validation instead"
    least = min(complete.count(0), complete.count(1))
    inner = max(2, min(5, least - math.ceil(smaller / folds)))
    return Split(method="kfold", folds=folds), why, inner
