"""The models of one design on one partition: fit on the training view, score the held-out patients."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from glottis._errors import CohortError, GlottisError
from glottis.evaluation.interval import Bools
from glottis.evaluation.thresholds import youden_threshold
from glottis.modelling.chain import fit_together
from glottis.modelling.clinical import ClinicalChain
from glottis.modelling.clinical_fixed import FixedClinical
from glottis.study.chains import chains_of, imputes, seed_of, steps_of
from glottis.study.describe import described, transform_notes
from glottis.study.split import TRAINING
from glottis.study.store import ResultCache, content_key
from glottis.study.units import FitUnit, without_selection
from glottis.study.versions import all_versions


def fit_unit(unit: FitUnit) -> dict[str, dict[str, Any]]:
    """Fit and score, or take the stored result.

    Returns:
        By model: ``scores`` (rows of the ledger without centre), ``fit`` (the entry of ``results.json``), ``log``
        (which patients each fitted step saw) and ``unscored`` (held-out patients who lack a selected feature).

    Raises:
        CohortError: a model cannot be fitted on these patients.
    """
    cache = ResultCache(unit.cache)
    key = unit_key(unit)
    stored: dict[str, dict[str, Any]] | None = cache.get(key)
    if stored is None:
        stored = _fit(unit)
        cache.put(key, stored)
    return stored


def fit_models(unit: FitUnit) -> dict[str, Any]:
    """Fit selection, tuning, classifiers and thresholds on the training view."""
    outcome = unit.outcome.loc[unit.training.index]
    chains = chains_of(unit)
    try:
        if unit.design.fusion != "early":
            return {name: chain.fit(unit.training, outcome, groups=unit.groups) for name, chain in chains.items()}
        return fit_together(chains, unit.training, outcome, groups=unit.groups)
    except ValueError as error:
        message = (
            f"Model {unit.design.name}{unit.place()} cannot be fitted on its {len(outcome)} training patients: {error}"
        )
        raise CohortError(message) from error


def _fit(unit: FitUnit) -> dict[str, dict[str, Any]]:
    before: list[tuple[str, Any]] = []
    if unit.mode == "as_published" and "selection" in unit.study.as_published:
        unit, before = _selected_on_all(unit)
    models = fit_models(unit)
    return {name: _finished(unit, name, model, before) for name, model in models.items()}


def _selected_on_all(unit: FitUnit) -> tuple[FitUnit, list[tuple[str, Any]]]:
    """The unit after a selection that saw every patient, held-out ones too, and what it fitted."""
    everybody = pd.concat([unit.training, *unit.tests.values()])
    outcome = unit.outcome.loc[everybody.index]
    fitted, X = [], everybody
    for name, step in steps_of(replace(unit, repeats=unit.all_repeats)):
        fitted.append((name, step.fit(X, outcome)))
        X = fitted[-1][1].transform(X)
    tests = {name: X.loc[view.index] for name, view in unit.tests.items()}
    return replace(unit, study=without_selection(unit.study), training=X.loc[unit.training.index], tests=tests), [
        (name, tuple(everybody.index)) for name, _ in fitted
    ]


def _finished(unit: FitUnit, name: str, model: Any, before: list[tuple[str, Any]]) -> dict[str, Any]:
    if unit.mode != "as_published":
        refuse_leak(unit, name, model)
    scores, unscored, notes = _held_out_scores(unit, name, model)
    threshold = model.threshold_
    if unit.mode == "as_published" and "threshold" in unit.study.as_published:
        threshold = _best_on_test(unit, scores)
    rows = [
        _row(unit, name, TRAINING, int(fold), patient, score, threshold)
        for patient, fold, score in zip(model.out_of_fold_.index, model.fold_, model.out_of_fold_, strict=True)
    ]
    rows += [
        _row(unit, name, set_, unit.fold, str(patient), score, threshold)
        for set_, own in scores.items()
        for patient, score in own.items()
    ]
    log = [{"step": step, "inner_fold": "final", "patients": list(patients)} for step, patients in before]
    log += [{"step": r.step, "inner_fold": r.fold, "patients": list(r.rows)} for r in model.fit_log_]
    fit = described(unit, name, model)
    fit["notes"] = list(dict.fromkeys([*fit["notes"], *notes]))
    return {"scores": rows, "fit": fit, "log": log, "unscored": unscored}


def refuse_leak(unit: FitUnit, name: str, model: Any) -> None:
    """Refuse a fitted model of which a step saw a held-out patient.

    Raises:
        GlottisError: one did.
    """
    seen = {row for record in model.fit_log_ for row in record.rows} & unit.held_out()
    if seen:
        message = f"A fitted step of model {name} saw {len(seen)} held-out patients: results refused."
        raise GlottisError(message)


def _held_out_scores(
    unit: FitUnit, name: str, model: Any
) -> tuple[dict[str, pd.Series], list[dict[str, str]], list[str]]:
    """Set to its patients' scores; who has none because a selected feature is missing; what the scoring noted."""
    scores, unscored, notes = {}, [], []
    for set_, view in unit.tests.items():
        complete = view[scorable(unit, model, view)]
        unscored += [{"patient": patient, "set": set_} for patient in view.index.difference(complete.index)]
        if len(complete):
            try:
                values = model.predict_proba(complete)[:, 1]
            except ValueError as error:
                message = f"Model {name}{unit.place()} cannot score its {set_} set: {error}"
                raise CohortError(message) from error
            scores[set_] = pd.Series(values, index=complete.index)
            notes += [f"{set_}: {note}" for note in transform_notes(model)]
    return scores, unscored, notes


def scorable(unit: FitUnit, model: Any, view: pd.DataFrame) -> Bools:
    """Rows that the model can score: with all it needs, and no level that its training patients did not have."""
    if isinstance(model, ClinicalChain | FixedClinical):
        return model.scorable(view)
    if unit.mode == "control" or imputes(unit.study):
        return np.ones(len(view), dtype=bool)
    return np.asarray(np.isfinite(view[model.selected_].to_numpy()).all(axis=1))


def _best_on_test(unit: FitUnit, scores: dict[str, pd.Series]) -> float:
    """The threshold that suits the held-out patients best, as papers choose it."""
    held = pd.concat(scores.values())
    return float(youden_threshold(unit.outcome.loc[held.index], held).value)


def _row(
    unit: FitUnit, model: str, set_: str, fold: int, patient: str, score: float, threshold: float
) -> dict[str, Any]:
    return {
        "patient": patient,
        "set": set_,
        "repeat": unit.repeat,
        "fold": int(fold),
        "mode": unit.mode,
        "model": model,
        "y_true": int(unit.outcome.loc[patient]),
        "y_score": float(score),
        "threshold": float(threshold),
    }


def table_digests(unit: FitUnit) -> dict[str, str]:
    """SHA-256 of the values of every table of features that the fit or the scoring reads."""
    frames = {"training": unit.training, **{f"test {k}": v for k, v in unit.tests.items()}, **unit.repeats}
    if unit.mode == "as_published":
        frames |= {f"all {kind}": rows for kind, rows in unit.all_repeats.items()}
    return {name: _frame_digest(frame) for name, frame in frames.items()}


def unit_key(unit: FitUnit, *more: Any, tables: Mapping[str, str] | None = None) -> str:
    """Content key: tables, people, settings and versions.

    Args:
        unit: the fit.
        more: what else makes its result, as plain values.
        tables: its `table_digests`, where they are known.
    """
    study, design = unit.study, unit.design
    digests = table_digests(unit) if tables is None else dict(tables)
    settings = {
        "selection": study.selection.model_dump(mode="json"),
        "model": study.model.model_dump(mode="json"),
        "random_state": study.random_state,
        "impute": imputes(study),
        "harmonise": study.harmonise.model_dump(mode="json") if study.harmonise else None,
        "as_published": list(study.as_published) if unit.mode == "as_published" else [],
        "mode": unit.mode,
    }
    if not unit.design.of_features:
        blocks = (study.clinical_model, study.nomogram)
        settings["regression"] = [None if block is None else block.model_dump(mode="json") for block in blocks]
    groups = None if unit.groups is None else unit.groups.to_dict()
    batches = None if unit.batches is None else _frame_digest(unit.batches)
    people = [unit.outcome.to_dict(), groups, batches, unit.repeat, unit.fold]
    models = [design.name, design.fusion, dict(design.models), {k: list(v) for k, v in unit.blocks.items()}]
    return content_key(digests, settings, people, models, all_versions(), seed_of(unit), list(more))


def _frame_digest(frame: pd.DataFrame) -> str:
    """SHA-256 of labels and values; numbers bit by bit, words as they are."""
    digest = hashlib.sha256("\n".join([*map(str, frame.index), "", *map(str, frame.columns)]).encode())
    words = [place for place, kind in enumerate(frame.dtypes) if kind.kind not in "fiub"]
    numbers = frame.iloc[:, [place for place in range(frame.shape[1]) if place not in words]] if words else frame
    digest.update(np.ascontiguousarray(numbers.to_numpy(dtype=float)).tobytes())
    for place in words:
        digest.update("\n".join(map(str, frame.iloc[:, place])).encode())
    return digest.hexdigest()
