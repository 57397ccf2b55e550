"""A model that leaves its study: written as one file, read back, asked about new patients."""

from __future__ import annotations

from pathlib import Path

from glottis.serve.bundle import Bundle, read_bundle, write_bundle
from glottis.serve.card import model_card
from glottis.serve.explained import Explained, explained
from glottis.serve.model_file import Model, read_model, write_model
from glottis.serve.predict import Prediction, interval, predict, to_table
from glottis.study.final import FinalModel
from glottis.study.final_results import MODEL_FILE
from glottis.study.store import read_json

__all__ = [
    "Bundle",
    "Explained",
    "Model",
    "Prediction",
    "deliver",
    "explained",
    "interval",
    "model_card",
    "predict",
    "read_bundle",
    "read_model",
    "to_table",
    "write_bundle",
    "write_model",
]  # fmt: skip


def deliver(final: FinalModel, folder: Path) -> None:
    """Write the model file of a run, with its card."""
    write_model(final, folder / MODEL_FILE, card=model_card(final, read_json(folder / "results.json")))
