"""What the report says of the final model: its regression as points, its calibration, and what its features add."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from glottis._errors import GlottisError, MissingExtraError
from glottis.evaluation.permuted import permutation_importance
from glottis.modelling.background import background_of
from glottis.modelling.deployed import Scorer
from glottis.modelling.equation import equation
from glottis.modelling.explain import explain
from glottis.modelling.nomogram import Nomogram
from glottis.modelling.nomogram_axes import Outcome
from glottis.modelling.plain_steps import Scale
from glottis.modelling.terms import LinearPredictor
from glottis.study.assemble import FinishedWork
from glottis.study.clinical import clinical_frame
from glottis.study.final import FinalModel, final_model
from glottis.study.modelling_stage import ModellingStage
from glottis.study.spec import Study
from glottis.study.spec_clinical import SCORE, ClinicalModel
from glottis.study.store import content_key, read_json, write_json
from glottis.study.versions import all_versions

FINAL, MODEL_FILE, NOMOGRAM_FILE = "final.json", "model.glottis", "nomogram.json"
MISSING = "not known"
CHOICE_SEED = 15_485_863


def store_final(
    stage: ModellingStage, work: FinishedWork, folder: Path, deliver: Callable[[FinalModel, Path], None], *, key: str
) -> None:
    """Fit the final model, write its file, and store what the report says of it in ``final.json``.

    Where both are there and nothing that they depend on has changed, nothing is done.

    Args:
        stage: the fits of the study.
        work: what they gave.
        folder: of the run.
        deliver: writes the model file.
        key: of settings and inputs.
    """
    features = hashlib.sha256((folder / "features.parquet").read_bytes()).hexdigest()
    key = content_key(key, features, all_versions())
    path = folder / FINAL
    if path.exists() and (folder / MODEL_FILE).exists() and read_json(path).get("key") == key:
        return
    try:
        final = final_model(stage, work.primary, work.outcome)
        deliver(final, folder)
    except GlottisError as error:
        for name in (MODEL_FILE, NOMOGRAM_FILE):
            (folder / name).unlink(missing_ok=True)
        write_json(path, {"key": "", "absent": str(error)})
        return
    found = final_results(stage, final)
    if found["nomogram"] is not None:
        write_json(folder / NOMOGRAM_FILE, found["nomogram"]["points"])
    write_json(path, {"key": key, "absent": "", **found})


def final_results(stage: ModellingStage, final: FinalModel) -> dict[str, Any]:
    """The final model as ``final.json`` has it."""
    return {
        "name": final.name,
        "classifier": final.classifier,
        "trained_on": final.trained_on,
        "n_training": final.n_training,
        "n_positive": final.n_positive,
        "refits": sum(own is not None for own in final.refits or (final.regression.refits if final.regression else ())),
        "features": list(final.ranges),
        "notes": list(final.notes),
        "counts": counts(stage),
        "tables": {name: table.to_dict() for name, table in final.tables.items()},
        "nomogram": _nomogram(final),
        "calibration": None if final.calibration is None else final.calibration.to_dict(),
        "explanation": _explanation(stage, final),
    }


def counts(stage: ModellingStage) -> list[dict[str, Any]]:
    """Patients of the whole study and their events by level of every clinical column that holds words."""
    if stage.study.clinical_model is None:
        return []
    frame, outcome = clinical_frame(stage.study, stage.cohort), stage.patients().outcome
    found = []
    for name, column in frame.items():
        if column.dtype.kind in "fiub":
            continue
        levels = column.fillna(MISSING)
        for level in sorted(set(levels), key=lambda own: (own == MISSING, own)):
            rows = outcome.loc[levels.index[levels == level]]
            found.append({"column": str(name), "level": str(level), "n": len(rows), "n_positive": int(rows.sum())})
    return found


def _nomogram(final: FinalModel) -> dict[str, Any] | None:
    drawn = None if final.regression is None else nomogram_of(final.regression.predictor, final.outcome, final.study)
    if drawn is None:
        return None
    return {"kind": "clinical" if final.scorer is None else "nomogram", "points": drawn.to_dict()}


def nomogram_of(predictor: LinearPredictor, outcome: Mapping[str, str], study: Study) -> Nomogram | None:
    """The nomogram of a final regression; ``None`` where no predictor entered.

    Args:
        predictor: the regression.
        outcome: ``column`` and ``positive``, for the label of its probability.
        study: names and units of its columns.
    """
    if not any(any(term.coefficients) for term in predictor.terms):
        return None
    label = f"Probability of {outcome['column']} = {outcome['positive']}"
    own = study.clinical_model or ClinicalModel()
    return Nomogram(
        predictor=predictor,
        outcomes=(Outcome(label=label),),
        labels=_of({SCORE: _score_label(study), **own.labels}, predictor),
        units=_of(own.units, predictor),
    )


def _of(given: Mapping[str, str], predictor: LinearPredictor) -> dict[str, str]:
    """Of names by column those whose column entered."""
    return {name: text for name, text in given.items() if name in predictor.columns}


def _score_label(study: Study) -> str:
    scale = "logit" if study.nomogram is not None and study.nomogram.score == "logit" else "probability"
    return f"Radiomics score ({scale})"


def _explanation(stage: ModellingStage, final: FinalModel) -> dict[str, Any]:
    """SHAP values and permutation importance of the scorer, on held-out patients where there are some."""
    if not isinstance(final.scorer, Scorer) or final.seen is None:
        why = "its answer is a regression" if final.scorer is None else "scores of several models are stacked"
        return {"absent": f"no SHAP values: {why}"}
    rows, where = _rows(stage, final)
    shown = rows.loc[_some(rows.index, stage.study.final.explained, stage.study.random_state)]
    batches = stage.patients().batches
    found: dict[str, Any] = {"absent": "", "patients": where, "shap": None, "permutation": None, "notes": []}
    found["equation"] = _equation(final.scorer)
    try:
        seen = final.scorer.prepared(shown, batches if batches is None else batches.loc[shown.index])
        own = explain(final.scorer.classifier, seen, background_of(final.seen))
        found["shap"] = own.shown_as(shown).to_dict()
    except (MissingExtraError, ValueError) as error:
        found["notes"].append(f"no SHAP values: {error}")
    truth = stage.patients().outcome.loc[rows.index]
    if where != "training" and truth.nunique() == 2 and batches is None:
        importance = permutation_importance(
            final.scorer.probability, rows, truth.to_numpy(), random_state=stage.study.random_state
        )
        found["permutation"] = importance.to_dict()
    return found


def _equation(scorer: Scorer) -> str | None:
    """The score of a logistic regression as lines to compute; None for other models and corrected batches."""
    if not isinstance(scorer.classifier, LogisticRegression) or scorer.batch_columns:
        return None
    means, scales = np.zeros(len(scorer.columns)), np.ones(len(scorer.columns))
    for step in scorer.steps:
        if isinstance(step, Scale):
            places = [scorer.columns.index(name) for name in step.columns]
            means[places], scales[places] = step.mean, step.sd
    return equation(scorer.classifier, scorer.columns, means, scales, recalibration=scorer.recalibration).text(digits=6)


def _rows(stage: ModellingStage, final: FinalModel) -> tuple[pd.DataFrame, str]:
    """Features of the held-out patients who can be scored; of the training patients after a cross-validation."""
    assert final.scorer is not None
    if stage.study.split.crossed:
        return final.training, "training"
    held = sorted(stage.parts[0].held_out())
    table = stage.tables[0].of_reader(*stage.study.primary())
    rows = table.reindex(held)[list(final.scorer.columns)]
    rows = rows[np.isfinite(rows.to_numpy(dtype=float)).all(axis=1)]
    return (rows, "held-out") if len(rows) else (final.training, "training")


def _some(labels: pd.Index[Any], n: int, seed: int) -> list[Any]:
    """At most ``n`` of the labels, by chance."""
    if len(labels) <= n:
        return list(labels)
    rng = np.random.default_rng([seed, CHOICE_SEED])
    return sorted(rng.choice(labels.to_numpy(), n, replace=False))
