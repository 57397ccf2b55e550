"""Studies with clinical columns: alone, or beside the features of a table."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glottis.cli import run_command
from glottis.evaluation import corrected_calibration
from glottis.serve import deliver
from glottis.study.result import StudyResult
from glottis.study.run import run as run_study
from glottis.study.spec import read_study
from table_study import TableStudy
from tiny_study import TinyStudy

MARK = "ZZQ"
"""Begins every patient's id, so that one can look for it."""
CLINICAL = ("age", "sex", "site", "stage")
HELD_OUT = {"method": "random", "test_fraction": 0.3, "external": ["B"]}
SETTINGS: dict[str, Any] = {
    "title": "Clinical columns",
    "id": "ID",
    "outcome": {"column": "Target", "positive": "yes"},
    "centre": "hospital",
    "clinical": list(CLINICAL),
    "clinical_model": {"ordinal": {"stage": [1, 2, 3, 4]}, "labels": {"age": "Age"}, "units": {"age": "years"}},
    "split": HELD_OUT,
    "model": {"folds": 3},
    "controls": {"permutations": 2},
    "final": {"refits": 8, "explained": 20},
}
OF_FEATURES: dict[str, Any] = {
    "features": {"table": "table.csv", "columns": "original_*"},
    "selection": {"lasso": None, "n_features": 3},
    "model": {"folds": 3, "grid": {"n_estimators": [10], "max_depth": [3]}},
}


def patients(n: int = 120, *, seed: int = 5) -> pd.DataFrame:
    """Clinical columns, outcome, hospital and six features; age, stage and the first feature go with the outcome."""
    rng = np.random.default_rng(seed)
    age, stage = rng.normal(62, 9, n).round(), rng.integers(1, 5, n)
    sex, site = rng.choice(["f", "m"], n), rng.choice(["glottis", "larynx", "oropharynx"], n)
    feature = rng.normal(size=(n, 6))
    log_odds = 0.08 * (age - 62) + 0.9 * (stage - 2.5) + 1.2 * feature[:, 0] + 0.3 * (sex == "m")
    event = rng.random(n) < 1 / (1 + np.exp(-log_odds))
    table = pd.DataFrame(100 + 10 * feature, columns=[f"original_glcm_F{number}" for number in range(6)])
    return table.assign(
        ID=[f"{MARK}{number:03d}" for number in range(n)],
        Target=np.where(event, "yes", "no"),
        hospital=np.where(np.arange(n) % 5 == 0, "B", np.where(np.arange(n) % 2, "A", "C")),
        age=age,
        sex=sex,
        site=site,
        stage=stage,
    )


def clinical_study(folder: Path, table: pd.DataFrame | None = None, **settings: Any) -> TableStudy:
    """A study of the clinical columns alone, to be changed and run."""
    own = patients().drop(columns=[f"original_glcm_F{number}" for number in range(6)]) if table is None else table
    return TableStudy(folder, own, copy.deepcopy(SETTINGS) | {"manifest": "table.csv"} | settings)


def feature_study(folder: Path, table: pd.DataFrame | None = None, **settings: Any) -> TableStudy:
    """A study of features, the clinical columns, and the nomogram of both, to be changed and run."""
    own = copy.deepcopy(SETTINGS) | copy.deepcopy(OF_FEATURES) | {"title": "Nomogram", "nomogram": True}
    return TableStudy(folder, patients() if table is None else table, own | settings)


def finish(study: TableStudy) -> TableStudy:
    """Run a study through the command line; its calibration takes a tenth of the usual resamples."""
    with quick_calibration():
        study.finish()
    return study


def compute(study: TableStudy | TinyStudy, *, final: bool = True) -> StudyResult:
    """Run a study up to its results and, unless not wanted, its model file, without a report."""
    with quick_calibration():
        run_study(read_study(study.write()), study.run, deliver=deliver if final else None)
    return StudyResult.load(study.run)


@contextmanager
def quick_calibration() -> Iterator[None]:
    """A tenth of the usual resamples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glottis.study.final.corrected_calibration", partial(corrected_calibration, n_resamples=20))
        yield


def stored(study: TableStudy | TinyStudy, name: str) -> Any:
    """A JSON file of a finished run."""
    return json.loads((study.run / name).read_text(encoding="utf-8"))


def asked(study: TableStudy | TinyStudy, table: pd.DataFrame, *options: str, out: str = "answer.csv") -> pd.DataFrame:
    """What ``glottis predict`` writes of these rows, every bit kept, by patient in the order of the file."""
    assert run_command(question(study, table, *options, out=out)) == 0
    return read_answer(study.folder / out)


def question(study: TableStudy | TinyStudy, table: pd.DataFrame, *options: str, out: str = "answer.csv") -> list[str]:
    """The command that asks the model of a study about these rows."""
    table.to_csv(study.folder / "ask.csv", index=False)
    files = ["--input", str(study.folder / "ask.csv"), "--out", str(study.folder / out), "-j", "1"]
    return ["predict", str(study.run / "model.glottis"), *files, *options]


def read_answer(path: Path) -> pd.DataFrame:
    """What ``glottis predict`` wrote; numbers keep every bit, an empty cell of words stays empty."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False).set_index("patient")
    words = {"status", "class", "said"}
    return table.assign(**{name: pd.to_numeric(table[name]).astype(float) for name in table if name not in words})
