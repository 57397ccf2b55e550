"""Figures of patients whom a model was asked about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from glottis.modelling.explain import Explanation
from glottis.modelling.nomogram import Nomogram
from glottis.report.figures import nomogram_figure, save_figure, waterfall_figure
from glottis.study.parallel import Progress


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is drawn of one patient.

    Attributes:
        patient: the table's id, which the files are called by.
        explanation: SHAP values of this patient; ``None`` without any.
        score: probability from the features alone; ``None`` without an explanation.
        values: what the nomogram reads; ``None`` without one.
    """

    patient: str
    explanation: Explanation | None
    score: float | None
    values: pd.Series | None


def draw_predictions(
    patients: Sequence[Shown], nomogram: Nomogram | None, folder: Path, *, event: str, progress: Progress
) -> tuple[Path, ...]:
    """Draw SHAP values and nomogram points of every patient, as PNG and PDF.

    Args:
        patients: who is drawn.
        nomogram: of the model; ``None`` without one.
        folder: where figures go.
        event: what the model predicts, in words.
        progress: told of every patient.

    Returns:
        The PNG files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn: list[Path] = []
    for done, shown in enumerate(patients):
        progress("figures", done, len(patients))
        name = f"{done + 1:03d}-{_as_file(shown.patient)}"
        if shown.explanation is not None:
            save_figure(
                waterfall_figure(shown.explanation, recalibrated=shown.score, event=event), folder, f"{name}-shap"
            )
            drawn.append(folder / f"{name}-shap.png")
        if nomogram is not None and shown.values is not None:
            save_figure(nomogram_figure(nomogram, patient=shown.values), folder, f"{name}-nomogram")
            drawn.append(folder / f"{name}-nomogram.png")
    progress("figures", len(patients), len(patients))
    return tuple(drawn)


def _as_file(patient: str) -> str:
    """An id as part of a file's name."""
    return re.sub(r"[^\w.-]+", "_", patient)[:60]
