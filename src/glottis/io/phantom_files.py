"""A synthetic cohort as files: NIfTI images and masks in one folder a patient, a manifest, and the truth apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from glottis._errors import StorageError
from glottis.data.phantom import (
    CLINICAL,
    SEQUENCES,
    STAGES,
    PhantomDesign,
    PhantomTruth,
    cohort_truth,
    draw_patient,
    draw_truth,
    ideal_auc,
)
from glottis.data.volume import Volume
from glottis.io.files import write_text_atomic
from glottis.io.images import write_volume

MANIFEST, TRUTH, DESIGN, READ_ME = "manifest.csv", "truth.csv", "phantom.json", "README.txt"
FURTHER = ("A2", "B1")
ABOUT = """A synthetic cohort: no patient, no scanner, no hospital is real.

manifest.csv   one row a patient; image and mask paths are relative to this file; the outcome is 'stage'
P001, P002 ... images and masks; _mask_A2 is reader A's second delineation, _mask_B1 reader B's first
truth.csv      the generator's own log-odds of stage III-IV: for measuring only, no model may read it
phantom.json   the design that these files were drawn from
"""


@dataclass(frozen=True, kw_only=True)
class PhantomFiles:
    """What was written.

    Attributes:
        manifest: path of the manifest.
        n_patients: rows in the manifest.
        ideal_auc: AUC of the generator's log-odds in this cohort; never the target of a fitted model.
        volume_auc: AUC of tumour volume alone in this cohort.
    """

    manifest: Path
    n_patients: int
    ideal_auc: float
    volume_auc: float


def write_phantom(
    design: PhantomDesign, out: Path, *, progress: Callable[[int, int], object] | None = None
) -> PhantomFiles:
    """Write the cohort of a design; files that are already there stay as they are.

    Args:
        design: the cohort. A larger ``n_patients`` than before adds patients to the same folder.
        out: the folder, created where it is missing.
        progress: called with the number of patients done and their total after each patient.

    Raises:
        StorageError: the folder holds another phantom, or cannot be written.
    """
    _claim(design, out)
    rows = []
    for index in range(design.n_patients):
        truth = draw_truth(design, index)
        _write_patient(design, index, out)
        rows.append(_manifest_row(truth, further=index < design.readers))
        if progress is not None:
            progress(index + 1, design.n_patients)
    table = cohort_truth(design)
    _write_csv(pd.DataFrame(rows), out / MANIFEST)
    _write_csv(table[["patient", "score"]].round(6), out / TRUTH)
    return PhantomFiles(
        manifest=out / MANIFEST,
        n_patients=design.n_patients,
        ideal_auc=ideal_auc(table),
        volume_auc=ideal_auc(table, "volume_mm3"),
    )


def _claim(design: PhantomDesign, out: Path) -> None:
    """Note the design in the folder, and refuse a folder that holds another one."""
    wanted = _description(design)
    noted = out / DESIGN
    if noted.is_file():
        there = _read_description(noted)
        differing = sorted(key for key in wanted if there.get(key) != wanted[key])
        if differing:
            key = differing[0]
            message = (
                f"The folder '{out}' holds another phantom ({key}: {there.get(key)!r} there, {wanted[key]!r} asked "
                "for): choose an empty folder, or the same settings to carry on."
            )
            raise StorageError(message)
        return
    write_text_atomic(out / READ_ME, ABOUT)
    write_text_atomic(noted, json.dumps(wanted, indent=2) + "\n")


def _description(design: PhantomDesign) -> dict[str, Any]:
    """The design without the number of patients, as JSON gives it back."""
    described = {key: value for key, value in asdict(design).items() if key != "n_patients"}
    return dict(json.loads(json.dumps(described)))


def _read_description(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        message = f"The file '{path}' cannot be read as a phantom's design: choose an empty folder, or remove this one."
        raise StorageError(message) from error


def _write_patient(design: PhantomDesign, index: int, out: Path) -> None:
    """Render one patient unless every one of the files is there."""
    truth = draw_truth(design, index)
    expected = [out / name for _, name in _file_names(truth.patient, further=index < design.readers)]
    if all(path.is_file() for path in expected):
        return
    patient = draw_patient(design, index)
    volumes: dict[str, Volume] = {}
    for sequence, (image, mask) in patient.scans.items():
        volumes |= {f"{sequence}_image": image, f"{sequence}_mask": mask}
        volumes |= {f"{sequence}_mask_{who}": drawn for who, drawn in patient.repeats[sequence].items()}
    for column, volume in volumes.items():
        path = out / truth.patient / f"{column}.nii.gz"
        if not path.is_file():
            write_volume(volume, path)


def _file_names(patient: str, *, further: bool) -> Iterator[tuple[str, str]]:
    """Manifest column and relative path of every file of a patient."""
    for sequence in SEQUENCES:
        kinds = ["image", "mask", *(f"mask_{who}" for who in FURTHER if further)]
        for column in (f"{sequence}_{kind}" for kind in kinds):
            yield column, f"{patient}/{column}.nii.gz"


def _manifest_row(truth: PhantomTruth, *, further: bool) -> dict[str, Any]:
    files = dict(_file_names(truth.patient, further=further))
    clinical = {name: truth.clinical[name] for name in CLINICAL}
    return {
        "patient": truth.patient,
        "centre": truth.scanner.centre,
        **{name: int(value) if isinstance(value, float) else value for name, value in clinical.items()},
        "stage": STAGES[truth.outcome],
        "pfs_months": truth.pfs_months,
        "pfs_event": truth.pfs_event,
        **{column: files.get(column, "") for column, _ in _file_names(truth.patient, further=True)},
    }


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    write_text_atomic(path, table.to_csv(index=False, lineterminator="\n"))
