"""A finished run as the report sees it: stored results and the ledger, read from the run folder.

What each file of a run holds::

    study.yaml        the resolved study        identity.json     which study the folder belongs to
    checks.json       findings of the doctor    flow.json         who was in, who was left out and why
    split.json        partitions and digest     features.parquet  one row a delineation
    extraction.json   failures, warnings, counts
    predictions.csv   the ledger                results.json      every number of the report
    fit_log.jsonl     hashed ids each fit saw   masks.npz         pictures of the mask sheet
    final.json        the final model           model.glottis     the same as a file to take away
    provenance.json   versions, hashes, host, times (the only file that differs between equal runs)
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glottis._errors import StorageError
from glottis.data.tables import FeatureTable, Predictions
from glottis.study.spec import Study, read_study
from glottis.study.store import damaged, read_json

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class StudyResult:
    """Everything that a run stored.

    Attributes:
        folder: the run folder.
        study: the study with every setting.
        checks: findings, each with severity, code, message, remedy, patient, sequence.
        flow: ``{"manifest": n, "analysed": n, "excluded": [{"patient", "reason"}], "models": {model: {"n",
            "n_positive", "missing": [{"patient", "reason"}], "sets": {set: {"n", "n_positive"}}}}}``.
        split: ``{"method", "digest", "analyses", "partitions": [{"repeat", "fold", "training": [ids],
            "tests": {set: [ids]}}]}``.
        extraction: ``{"failures": [{"patient", "sequence", "reader", "round", "reason"}], "warnings": [...],
            "counts": [{"sequence", "filter", "class", "n"}], "bins": {sequence: {filter: [min, median, max]}}}``.
        features: the feature table.
        predictions: the ledger.
        results: see ``glottis.study.evaluate``.
        final: the final model, see ``glottis.study.final_results``; ``None`` where none was wanted.
        provenance: versions, hashes, host and durations.
        pictures: by ``patient/sequence``: ``(2, side, side)``, grey values and mask.
    """

    folder: Path
    study: Study
    checks: tuple[Mapping[str, Any], ...]
    flow: Mapping[str, Any]
    split: Mapping[str, Any]
    extraction: Mapping[str, Any]
    features: FeatureTable
    predictions: Predictions
    results: Mapping[str, Any]
    final: Mapping[str, Any] | None
    provenance: Mapping[str, Any]
    pictures: Mapping[str, NDArray[np.uint8]]

    @classmethod
    def load(cls, folder: Path) -> StudyResult:
        """Read a run folder.

        Raises:
            StorageError: the folder is no run, or the run is not complete.
        """
        if not (folder / "identity.json").exists():
            message = f"'{folder}' is no run folder of glottis: give the folder that  glottis run  wrote with --out."
            raise StorageError(message)
        return cls(
            folder=folder,
            results=read_json(folder / "results.json"),
            final=read_json(folder / "final.json") if (folder / "final.json").exists() else None,
            study=read_study(folder / "study.yaml"),
            checks=tuple(read_json(folder / "checks.json")),
            flow=read_json(folder / "flow.json"),
            split=read_json(folder / "split.json"),
            extraction=read_json(folder / "extraction.json"),
            features=FeatureTable(_readable(pd.read_parquet, folder / "features.parquet")),
            predictions=_readable(read_predictions, folder / "predictions.csv"),
            provenance=read_json(folder / "provenance.json"),
            pictures=_readable(_read_pictures, folder / "masks.npz"),
        )


def read_predictions(path: Path) -> Predictions:
    """Read the ledger; ids stay text and scores keep every bit."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    whole, real = dict.fromkeys(("repeat", "fold", "y_true"), int), dict.fromkeys(("y_score", "threshold"), float)
    return Predictions(frame.astype({**whole, **real}))


def _readable(read: Callable[[Path], T], path: Path) -> T:
    """What ``read`` gives, or the message of a file that is missing or damaged."""
    try:
        return read(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise damaged(path) from error


def _read_pictures(path: Path) -> dict[str, NDArray[np.uint8]]:
    if not path.exists():
        return {}
    with path.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
        return {name: stored[name] for name in sorted(stored.files)}
