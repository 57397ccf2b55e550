"""A study so small that a test can run it whole, and a second process that a test can kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from glottis.cli import run_command
from glottis.data.volume import Mask, Volume
from glottis.io.images import write_volume
from glottis.study.run import run as run_study
from glottis.study.spec import read_study

SHAPE, SPACING = (12, 24, 24), (3.0, 1.0, 1.0)
SEQUENCES = ("T1", "T2")
N_PATIENTS, N_REDRAWN = 24, 12
TIMEOUT = 60.0

SETTINGS: dict[str, Any] = {
    "title": "Tiny study",
    "manifest": "manifest.csv",
    "outcome": {"column": "stage", "positive": "late"},
    "centre": "centre",
    "clinical": ["age"],
    "sequences": {
        name: {
            "image": f"{name}_image",
            "mask": f"{name}_mask",
            "repeats": [{"mask": f"{name}_mask_B1", "reader": "B"}],
        }
        for name in SEQUENCES
    },
    "preprocessing": {
        "MR": {"n4": None, "resample": None, "normalise": {"method": "zscore", "scale": 100}, "bins": {"width": 20}}
    },
    "features": {"classes": ["firstorder", "glcm"], "wavelet": None},
    "split": {"method": "random", "test_fraction": 0.3, "external": ["B"]},
    "selection": {"lasso": {"folds": 3}, "n_features": 4},
    "model": {"folds": 2, "grid": {"n_estimators": [10], "max_depth": [1, 3]}},
}


def write_scans(folder: Path) -> pd.DataFrame:
    """Images of 24 patients whose texture is coarser in late stages; gives the manifest, with absolute paths."""
    rows = []
    for number in range(N_PATIENTS):
        patient, late = f"P{number:02d}", number % 2
        row = {"patient": patient, "centre": "AAB"[number // 2 % 3], "stage": ("early", "late")[late]}
        row["age"] = str(50 + number * 7 % 23)
        for offset, name in enumerate(SEQUENCES):
            parts = {"image": image(2 * number + offset, coarse=late), "mask": mask(1)}
            if number < N_REDRAWN:
                parts["mask_B1"] = mask(2)
            for part, volume in parts.items():
                path = folder / f"{patient}_{name}_{part}.nii"
                write_volume(volume, path)
                row[f"{name}_{part}"] = str(path)
        rows.append(row)
    return pd.DataFrame(rows, dtype=object)


def image(seed: int, *, coarse: int = 0) -> Volume:
    noise = np.random.default_rng(seed).normal(0, 1, SHAPE)
    smooth = (noise + np.roll(noise, 1, axis=1) + np.roll(noise, 1, axis=2)) / np.sqrt(3)
    voxels = 100 + 20 * (noise + 0.7 * coarse * (smooth - noise))
    return Volume(voxels=voxels.astype(np.float32), spacing_mm=SPACING)


def mask(margin: int) -> Mask:
    voxels = np.zeros(SHAPE, dtype=bool)
    voxels[4:8, 7 + margin : 17, 7 : 17 - margin] = True
    return Mask(voxels=voxels, spacing_mm=SPACING)


@dataclass
class TinyStudy:
    """A manifest and a study file in a folder of their own; a test may change either and run it."""

    folder: Path
    table: pd.DataFrame
    settings: dict[str, Any]

    @property
    def study(self) -> Path:
        return self.folder / "study.yaml"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def write(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.table.to_csv(self.folder / "manifest.csv", index=False)
        self.study.write_text(yaml.safe_dump(self.settings, sort_keys=False))
        return self.study

    def set(self, patient: str, column: str, value: object) -> None:
        self.table.loc[self.table["patient"] == patient, column] = value

    def own(self, patient: str, column: str) -> Path:
        """A copy of a patient's file that a test may damage, in place of the shared one."""
        shared = Path(str(self.table.loc[self.table["patient"] == patient, column].item()))
        self.folder.mkdir(parents=True, exist_ok=True)
        copied = self.folder / shared.name
        shutil.copy(shared, copied)
        self.set(patient, column, copied.name)
        return copied

    def arguments(self, *, jobs: int = 1) -> list[str]:
        return ["run", str(self.study), "--out", str(self.run), "-j", str(jobs)]

    def compute(self, *, jobs: int = 1) -> Path:
        """Write the study, run it up to its results and give the run folder."""
        return run_study(read_study(self.write()), self.run, jobs=jobs)

    def finish(self, *, jobs: int = 1) -> Path:
        """Write the study, run it to its report and give the run folder."""
        self.write()
        assert run_command(self.arguments(jobs=jobs)) == 0
        return self.run

    def extraction(self, out: str = "out.csv") -> list[str]:
        """The command that extracts all first masks as a PyRadiomics batch."""
        params = self.folder / "params.yaml"
        rows = [(row[f"{name}_image"], row[f"{name}_mask"]) for _, row in self.table.iterrows() for name in SEQUENCES]
        self.folder.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows, columns=["Image", "Mask"]).to_csv(self.folder / "batch.csv", index=False)
        params.write_text("imageType: {Original: {}}\nfeatureClass: {firstorder: [], glcm: []}\n")
        return ["extract", str(self.folder / "batch.csv"), "-o", str(self.folder / out), "--param", str(params)]


def contents(folder: Path, *patterns: str) -> dict[str, bytes]:
    """Bytes by relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for pattern in patterns
        for path in sorted(folder.glob(pattern))
        if path.is_file()
    }


@contextmanager
def on_a_slow_disk(arguments: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``glottis`` in a process group of its own, in which every written file takes a tenth of a second longer."""
    slow = folder / "slow-disk"
    slow.mkdir(exist_ok=True)
    (slow / "sitecustomize.py").write_text(
        "import os, time\nfast = os.fsync\n\n\ndef fsync(handle):\n    time.sleep(0.1)\n    fast(handle)\n\n\n"
        "os.fsync = fsync\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "glottis", *arguments],
        env={**os.environ, "PYTHONPATH": str(slow)},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def kill_when(reached: Callable[[], bool], arguments: list[str], folder: Path) -> None:
    """Start ``glottis`` and kill it with all its workers as soon as ``reached`` says so."""
    with on_a_slow_disk(arguments, folder) as process:
        end = time.monotonic() + TIMEOUT
        while not reached():
            assert process.poll() is None, "glottis ended before it could be killed"
            assert time.monotonic() < end, "glottis did not come as far as it should"
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
