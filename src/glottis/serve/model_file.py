"""From a finished study to the file that leaves it, and back to a model that can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from glottis import __version__
from glottis.modelling.background import PATIENTS_A_VALUE, background_of
from glottis.modelling.deployed_fusion import AnyScorer
from glottis.modelling.nomogram import Nomogram
from glottis.modelling.terms import LinearPredictor
from glottis.preprocessing.nyul import NyulTransform
from glottis.serve.bundle import read_bundle, write_bundle
from glottis.study.final import FinalModel, Regression
from glottis.study.final_results import nomogram_of
from glottis.study.spec import Study, study_from_dict
from glottis.study.versions import all_versions


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model from a file; see `glottis.study.final.FinalModel` for what its parts mean.

    Attributes:
        facts: name, classifier, outcome, sizes, ranges, centres, voxel sizes.
        study: the settings.
        scorer: features to probability; ``None`` where clinical columns are all.
        refits: the same on halves of the training patients.
        regression: clinical model or nomogram; ``None`` without one.
        nomogram: its drawing; ``None`` without one.
        landmarks: Nyul's, by sequence.
        background: synthetic rows as the classifier sees them, for SHAP values; ``None`` where there is no classifier
            to explain.
        card: the model card.
        glottis: version that wrote the file.
    """

    facts: Mapping[str, Any]
    study: Study
    scorer: AnyScorer | None
    refits: tuple[AnyScorer | None, ...]
    regression: Regression | None
    nomogram: Nomogram | None
    landmarks: Mapping[str, NyulTransform]
    background: pd.DataFrame | None
    card: Mapping[str, Any]
    glottis: str

    @property
    def threshold(self) -> float:
        """Of the probability that the model answers with."""
        return float(self.facts["threshold"])


def write_model(final: FinalModel, path: Path, *, card: Mapping[str, Any]) -> None:
    """Write a final model as one file, without an id or a row of any patient.

    Args:
        final: the model.
        path: the file, usually ``model.glottis``.
        card: what a reader must know of it; see `glottis.serve.card`.

    Raises:
        BundleError: a part that no file may hold, such as a classifier from outside glottis.
    """
    scorers = {} if final.scorer is None else {"model": final.scorer}
    scorers |= {f"refit-{number:03d}": own for number, own in enumerate(final.refits) if own is not None}
    documents: dict[str, Any] = {
        "model": _facts(final),
        "study": final.study.resolved(),
        "card": dict(card),
        "landmarks": {name: own.to_dict() for name, own in final.landmarks.items()},
        "versions": {"glottis": __version__, **all_versions()},
    }
    if final.seen is not None and len(final.seen) >= PATIENTS_A_VALUE:
        rows = background_of(final.seen)
        documents["background"] = {"columns": list(map(str, rows.columns)), "rows": rows.to_numpy().tolist()}
    if final.regression is not None:
        documents["regression"] = {
            "predictor": final.regression.predictor.to_dict(),
            "threshold": final.regression.threshold,
            "refits": [None if own is None else own.to_dict() for own in final.regression.refits],
        }
    write_bundle(path, documents=documents, scorers=scorers)


def _facts(final: FinalModel) -> dict[str, Any]:
    return {
        "name": final.name,
        "classifier": final.classifier,
        "outcome": dict(final.outcome),
        "trained_on": final.trained_on,
        "n_training": final.n_training,
        "n_positive": final.n_positive,
        "threshold": final.threshold,
        "ranges": {name: list(limits) for name, limits in final.ranges.items()},
        "centres": list(final.centres),
        "spacings": {name: [list(end) for end in ends] for name, ends in final.spacings.items()},
        "refits": len(final.refits)
        if final.scorer is not None
        else len(final.regression.refits)
        if final.regression is not None
        else 0,
        "notes": list(final.notes),
    }


def read_model(path: Path) -> Model:
    """Read a model file; everything in it is checked before any of it is used.

    Raises:
        BundleError: the file is damaged, was changed, or holds what no model file may.
    """
    bundle = read_bundle(path)
    documents = bundle.documents
    regression = documents.get("regression")
    background = documents.get("background")
    facts = documents["model"]
    predictor = None if regression is None else LinearPredictor.from_dict(regression["predictor"])
    study = study_from_dict(documents["study"], name=path.name)
    return Model(
        facts=facts,
        study=study,
        scorer=bundle.scorers.get("model"),
        refits=tuple(bundle.scorers.get(f"refit-{number:03d}") for number in range(facts["refits"])),
        regression=None
        if regression is None or predictor is None
        else Regression(
            predictor=predictor,
            threshold=regression["threshold"],
            refits=tuple(None if own is None else LinearPredictor.from_dict(own) for own in regression["refits"]),
        ),
        nomogram=None if predictor is None else nomogram_of(predictor, facts["outcome"], study),
        landmarks={name: NyulTransform.from_dict(own) for name, own in documents["landmarks"].items()},
        background=None
        if background is None
        else pd.DataFrame(background["rows"], columns=background["columns"], dtype=float),
        card=documents["card"],
        glottis=bundle.glottis_version,
    )
