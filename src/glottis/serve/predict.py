"""A model's answer for patients: probability, interval, class, points, and what lies outside of what it knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from glottis import __version__
from glottis._errors import GlottisError
from glottis.evaluation.interval import Floats
from glottis.evaluation.limits import z_of
from glottis.io.clinical import read_table
from glottis.modelling.clinical_columns import known_rows
from glottis.modelling.deployed import Scorer
from glottis.modelling.deployed_fusion import AnyScorer
from glottis.modelling.nomogram import TOTAL
from glottis.modelling.terms import LinearPredictor
from glottis.serve.inputs import Asked, read_asked
from glottis.serve.model_file import Model
from glottis.study.clinical import EDGE, on_scale
from glottis.study.parallel import Progress, silent
from glottis.study.spec_clinical import SCORE

Answer = Callable[[list[str]], Floats]
"""From patients to their (n,) probabilities."""
LEAST_REFITS = 5


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What the model says of one patient.

    Attributes:
        patient: the table's id.
        refused: why nothing is said; empty where something is.
        probability: of the positive class.
        low: lower end of the interval; ``None`` without one.
        high: upper end.
        positive: whether the probability reaches the stored threshold.
        score: the probability from features alone, where a nomogram adds clinical columns; else ``None``.
        points: of every predictor of a nomogram.
        total_points: their sum; ``None`` without a nomogram.
        remarks: what a reader must know.
        seen: the features as the classifier saw them, for SHAP values; ``None`` where it saw none.
        features: the same in their own units.
        values: what the regression read, filled where it was missing.
    """

    patient: str
    refused: str = ""
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    positive: bool | None = None
    score: float | None = None
    points: Mapping[str, float] | None = None
    total_points: float | None = None
    remarks: tuple[str, ...] = ()
    seen: pd.Series | None = None
    features: pd.Series | None = None
    values: pd.Series | None = None


def predict(
    model: Model, table: Path, *, extrapolate: bool = False, jobs: int = 1, progress: Progress = silent
) -> tuple[Prediction, ...]:
    """Ask a model about the patients of a table, in its order.

    Args:
        model: from `glottis.serve.read_model`.
        table: CSV, Excel or Parquet with the study's columns for id, images, masks and clinical values, or with the
            features themselves.
        extrapolate: answer also where a feature lies far outside the training range.
        jobs: worker processes for images.
        progress: told of every finished scan.

    Raises:
        InputError: the table cannot be read, or lacks a column.
    """
    asked = read_asked(model, read_table(table), folder=table.parent, jobs=jobs, progress=progress)
    _version(model, asked)
    _sites(model, asked)
    _batches(model, asked)
    _outside(model, asked, extrapolate=extrapolate)
    rows = [patient for patient in asked.patients if patient not in asked.refused]
    score = _of_each(_asking(model.scorer, asked), asked, rows) if model.scorer is not None else None
    whole = _whole(model, asked, score)
    seen = _seen(model, asked, list(whole.probability.index))
    return tuple(_prediction(model, asked, patient, score, whole, seen) for patient in asked.patients)


@dataclass(frozen=True)
class _Whole:
    """Probabilities of all patients who have one, and what the regression read."""

    probability: pd.Series
    refits: pd.DataFrame
    values: pd.DataFrame


def _version(model: Model, asked: Asked) -> None:
    if model.glottis != __version__:
        for patient in asked.patients:
            asked.remark(
                patient, f"written by glottis {model.glottis}, read by {__version__}: features may differ slightly"
            )


def _sites(model: Model, asked: Asked) -> None:
    known = model.facts["centres"]
    for patient, centre in asked.centres.items():
        if known and centre and centre not in known:
            asked.remark(str(patient), f"centre '{centre}' had no training patient: performance there is not known")


def _batches(model: Model, asked: Asked) -> None:
    """Say where the harmonisation leaves an unknown batch as it is; where it refuses one, the scorer does."""
    block = model.study.harmonise
    if block is None or block.unseen != "reference" or asked.batches is None or model.scorer is None:
        return
    for patient, batch in asked.batches["batch"].items():
        if batch and str(batch) not in model.scorer.known_batches:
            asked.remark(str(patient), f"batch '{batch}' is unknown to the harmonisation: left uncorrected")


def _outside(model: Model, asked: Asked, *, extrapolate: bool) -> None:
    """Refuse what is far outside the training range, and say what is outside."""
    ranges = _ranges(model)
    for patient in asked.patients:
        if patient in asked.refused:
            continue
        outside = _beyond(_row(asked.features, patient).to_dict() | _row(asked.clinical, patient).to_dict(), ranges)
        if not outside:
            continue
        names = sorted(outside, key=lambda name: -outside[name][1])
        worst = names[0]
        low, high = ranges[worst]
        text = f"{worst} is {outside[worst][0]:.4g}, training {low:.4g} to {high:.4g}"
        more = f" (and {len(names) - 1} more outside)" if len(names) > 1 else ""
        if outside[worst][1] > 1 and not extrapolate:
            asked.refuse(patient, f"far outside the training range: {text}{more}")
        else:
            where = "far outside" if outside[worst][1] > 1 else "outside"
            asked.remark(patient, f"{where} the training range: {text}{more}")


def _ranges(model: Model) -> dict[str, tuple[float, float]]:
    """Least and greatest training value of every number that is read, features of the nomogram included."""
    found = {str(name): (float(low), float(high)) for name, (low, high) in model.facts["ranges"].items()}
    terms = model.regression.predictor.terms if model.regression is not None else ()
    own = {term.column: (term.low, term.high) for term in terms if term.levels is None and term.column != SCORE}
    return own | found


def _row(table: pd.DataFrame, patient: str) -> pd.Series:
    return table.loc[[patient]].iloc[0]


def _beyond(values: Mapping[Any, Any], ranges: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Value, and how far it lies beyond its range in widths of the range, of what lies beyond."""
    found = {}
    for name, (low, high) in ranges.items():
        value = float(values[name])
        distance = max(low - value, value - high)
        if distance > 0:
            found[name] = (value, distance / (high - low) if high > low else np.inf)
    return found


def _asking(scorer: AnyScorer, asked: Asked) -> Answer:
    """From patients to their probability by this scorer."""

    def of(patients: list[str]) -> Floats:
        batches = None if asked.batches is None else asked.batches.loc[patients]
        return scorer.probability(asked.features.loc[patients, list(scorer.columns)], batches)

    return of


def _of_each(of: Answer, asked: Asked, rows: list[str]) -> pd.Series:
    """Probability of each patient; who cannot be scored is refused, and no other is touched by it."""
    try:
        return pd.Series(of(rows), index=rows, dtype=float)
    except (ValueError, GlottisError):
        return _one_by_one(of, asked, rows)


def _of_refit(refit: AnyScorer, asked: Asked, rows: list[str]) -> pd.Series:
    """Probability of each patient by a refit; NaN where it lacks a feature that nothing fills, or a batch."""
    if not set(refit.columns) <= set(asked.features.columns):
        return pd.Series(np.nan, index=rows)
    of = _asking(refit, asked)
    try:
        return pd.Series(of(rows), index=rows, dtype=float)
    except (ValueError, GlottisError):
        found = pd.Series(np.nan, index=rows)
        for patient in rows:
            with suppress(ValueError, GlottisError):
                found[patient] = of([patient])[0]
        return found


def _one_by_one(of: Answer, asked: Asked, rows: list[str]) -> pd.Series:
    found = {}
    for patient in rows:
        try:
            found[patient] = float(of([patient])[0])
        except (ValueError, GlottisError) as error:
            asked.refuse(patient, str(error).rstrip("."))
    return pd.Series(found, dtype=float)


def _whole(model: Model, asked: Asked, score: pd.Series | None) -> _Whole:
    """The answer: of the regression where there is one, else of the scorer; and that of every refit."""
    rows = [patient for patient in asked.patients if patient not in asked.refused]
    if model.regression is None:
        assert score is not None
        refits = {
            number: _of_refit(refit, asked, rows) for number, refit in enumerate(model.refits) if refit is not None
        }
        return _Whole(score.reindex(rows), pd.DataFrame(refits, index=rows), pd.DataFrame(index=rows))
    table = _table(model, asked, score, rows)
    for patient in rows:
        _say_filled(model, asked, patient, _row(table, patient))
    probability = _of_each(lambda own: expit(model.regression.predictor(table.loc[own])), asked, rows)  # type: ignore[union-attr]  # not None
    rows = list(probability.index)
    refits = {}
    for number, predictor in enumerate(model.regression.refits):
        refit = model.refits[number] if number < len(model.refits) else None
        if predictor is None or (model.scorer is not None and refit is None):
            continue
        own = score if refit is None else _of_refit(refit, asked, rows)
        refits[number] = _answers(predictor, _table(model, asked, own, rows))
    return _Whole(probability, pd.DataFrame(refits, index=rows), table)


def _answers(predictor: LinearPredictor, table: pd.DataFrame) -> pd.Series:
    """Probability of every row by a refit; NaN where its half of the training patients did not know a level."""
    found = pd.Series(np.nan, index=table.index)
    if not set(predictor.columns) <= set(table.columns):
        return found
    answered = known_rows(predictor, table).all(axis=1)
    if SCORE in table.columns:
        answered &= table[SCORE].notna()
    rows = table.index[answered]
    found.loc[rows] = expit(predictor(table.loc[rows]))
    return found


def _table(model: Model, asked: Asked, score: pd.Series | None, rows: list[str]) -> pd.DataFrame:
    """What the regression reads of these patients."""
    table = asked.clinical.loc[rows]
    if score is None:
        return table
    beside = [
        name
        for name in asked.features.columns
        if name in (model.study.nomogram.features if model.study.nomogram else ())
    ]
    return table.join(asked.features.loc[rows, beside]).assign(**{SCORE: on_scale(model.study, score.reindex(rows))})


def _say_filled(model: Model, asked: Asked, patient: str, row: pd.Series) -> None:
    assert model.regression is not None
    for term in model.regression.predictor.terms:
        if pd.isna(row[term.column]):
            filled = term.fill if isinstance(term.fill, str) else f"{term.fill:.4g}"
            asked.remark(patient, f"{term.column} is not known: {filled} was taken, as most training patients had")


def _seen(model: Model, asked: Asked, rows: list[str]) -> pd.DataFrame | None:
    """Features as the classifier saw them; ``None`` where it saw none, or several did."""
    if not isinstance(model.scorer, Scorer) or not rows:
        return None
    return model.scorer.prepared(asked.features.loc[rows], None if asked.batches is None else asked.batches.loc[rows])


def _prediction(
    model: Model, asked: Asked, patient: str, score: pd.Series | None, whole: _Whole, seen: pd.DataFrame | None
) -> Prediction:
    remarks = tuple(asked.remarks.get(patient, ()))
    if patient in asked.refused or patient not in whole.probability.index:
        return Prediction(patient=patient, refused=asked.refused.get(patient, "not scored"), remarks=remarks)
    probability = float(whole.probability[patient])
    spread = _row(whole.refits, patient).dropna().to_numpy(dtype=float)
    low, high = interval(probability, spread)
    if low is None:
        remarks = (*remarks, f"no interval: {spread.size} refits could score this patient, {LEAST_REFITS} are needed")
    points, total, values = None, None, None
    if model.nomogram is not None:
        values = _filled(model, _row(whole.values, patient))
        found = model.nomogram.points(values.to_frame().T).iloc[0]
        points = {str(name): float(value) for name, value in found.items() if name != TOTAL}
        total = float(found[TOTAL])
    return Prediction(
        patient=patient,
        probability=probability,
        low=low,
        high=high,
        positive=probability >= model.threshold,
        score=float(score[patient]) if score is not None and model.regression is not None else None,
        points=points,
        total_points=total,
        remarks=remarks,
        seen=None if seen is None else _row(seen, patient),
        features=None if seen is None else _row(asked.features, patient)[list(seen.columns)],
        values=values,
    )


def _filled(model: Model, row: pd.Series) -> pd.Series:
    assert model.regression is not None
    fill = {term.column: term.fill for term in model.regression.predictor.terms}
    return pd.Series({name: fill[name] if pd.isna(row[name]) else row[name] for name in fill}, dtype=object)


def interval(probability: float, refits: Floats) -> tuple[float | None, float | None]:
    """The spread over refits on random halves of the training patients, on the logit scale: 1.96 standard deviations.

    The variance of an estimate over halves drawn without replacement is about its sampling variance (delete-half
    jackknife; Shao and Wu, Annals of Statistics 17 (1989): 1176-1197, doi 10.1214/aos/1176347263). It says how the
    answer depends on who was in the training set, and nothing of a bias that all refits share.

    Args:
        probability: of the model.
        refits: (n,) of the refits.

    Returns:
        Lower and upper end, the probability between them; None for fewer than 5 refits.

    >>> [round(end, 3) for end in interval(0.5, np.array([0.4, 0.45, 0.5, 0.55, 0.6]))]
    [0.348, 0.652]
    """
    if refits.size < LEAST_REFITS:
        return None, None
    inside = np.clip(np.append(refits, probability), EDGE, 1 - EDGE)
    spread = z_of(0.95) * float(np.std(logit(inside[:-1]), ddof=1))
    centre = float(logit(inside[-1]))
    return min(probability, float(expit(centre - spread))), max(probability, float(expit(centre + spread)))


def to_table(predictions: tuple[Prediction, ...], model: Model) -> pd.DataFrame:
    """One row a patient, as ``glottis predict`` writes it."""
    rows = []
    for found in predictions:
        status = "refused" if found.refused else "remarks" if found.remarks else "ok"
        side = "positive" if found.positive else "negative"
        called = None if found.positive is None else model.facts["outcome"][side]
        row: dict[str, Any] = {
            "patient": found.patient,
            "status": status,
            "probability": found.probability,
            "low": found.low,
            "high": found.high,
            "class": called,
            "threshold": model.threshold if found.probability is not None else None,
        }
        if model.regression is not None and model.scorer is not None:
            row["score"] = found.score
        for name in model.nomogram.predictor.columns if model.nomogram is not None else ():
            row[f"points {name}"] = None if found.points is None else found.points[name]
        if model.nomogram is not None:
            row["total points"] = found.total_points
        row["said"] = "; ".join([found.refused, *found.remarks] if found.refused else found.remarks)
        rows.append(row)
    return pd.DataFrame(rows)
