"""Small cohorts as files, whole or with one kind of damage, for the tests of the doctor."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from glottis.data.cohort import MaskColumn, Roles, SequenceColumns
from glottis.data.volume import Mask, Volume
from glottis.io.clinical import read_table
from glottis.io.images import write_volume
from glottis.io.layouts import write_manifest
from glottis.io.manifest import read_manifest
from glottis.study.check import Finding, Limits, check_cohort
from glottis.study.check.scans import GreyLevels

SHAPE = (6, 12, 12)
SPACING = (3.0, 1.0, 1.0)


@dataclass
class SmallCohort:
    """Twelve patients, two sequences, two centres, six patients of each class; every part may be damaged."""

    folder: Path
    table: pd.DataFrame
    roles: Roles
    limits: Limits = field(default_factory=Limits)
    grey_levels: GreyLevels | None = None

    def copy(self, folder: Path) -> SmallCohort:
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return replace(self, folder=folder, table=self.table.copy())

    def path(self, patient: str, column: str) -> Path:
        return self.folder / patient / f"{column}.nii"

    def volume(self, seed: int, spacing: tuple[float, float, float] = SPACING) -> Volume:
        noise = np.random.default_rng(seed).normal(100, 20, SHAPE).astype(np.float32)
        return Volume(voxels=noise, spacing_mm=spacing)

    def mask(self, box: tuple[slice, slice, slice], spacing: tuple[float, float, float] = SPACING) -> Mask:
        voxels = np.zeros(SHAPE, dtype=bool)
        voxels[box] = True
        return Mask(voxels=voxels, spacing_mm=spacing)

    def draw(self, patient: str, box: tuple[slice, slice, slice], *, column: str = "T1_mask") -> None:
        write_volume(self.mask(box), self.path(patient, column))

    def set(self, patient: str, column: str, value: str | None) -> None:
        self.table.loc[self.table["patient"] == patient, column] = value

    def findings(self, *, jobs: int = 1) -> tuple[Finding, ...]:
        manifest = self.folder / "manifest.csv"
        write_manifest(self.table, manifest)
        cohort = read_manifest(manifest, self.roles, strict=False)
        return check_cohort(
            cohort, read_table(manifest), self.roles, limits=self.limits, grey_levels=self.grey_levels, jobs=jobs
        )

    def found(self, code: str) -> list[Finding]:
        return [finding for finding in self.findings() if finding.code == code]


def healthy(folder: Path, n_patients: int = 12) -> SmallCohort:
    """A cohort in which the doctor finds nothing."""
    roles = Roles(
        id="patient", centre="centre", outcome="stage", positive="late", clinical=("age", "sex"),
        sequences={s: SequenceColumns(image=f"{s}_image", mask=MaskColumn(column=f"{s}_mask")) for s in ("T1", "T2")},
    )  # fmt: skip
    rows = []
    for number in range(n_patients):
        patient = f"P{number + 1:02d}"
        rows.append(
            {
                "patient": patient, "centre": "AB"[number // 2 % 2], "stage": ("early", "late")[number % 2],
                "age": str(50 + number * 7 % 11), "sex": "fmm"[number % 3],
                **{f"{s}_{part}": f"{patient}/{s}_{part}.nii" for s in ("T1", "T2") for part in ("image", "mask")},
            }
        )  # fmt: skip
    cohort = SmallCohort(folder=folder, table=pd.DataFrame(rows, dtype=object), roles=roles)
    for number, patient in enumerate(cohort.table["patient"]):
        for offset, name in enumerate(("T1", "T2")):
            write_volume(cohort.volume(2 * number + offset), cohort.path(patient, f"{name}_image"))
            cohort.draw(patient, np.s_[1:5, 2:10, 2:10], column=f"{name}_mask")
    return cohort
