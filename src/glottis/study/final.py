"""The model that leaves the study: fitted once more, with refits that say how much it depends on its patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glottis._errors import StatisticsError
from glottis.data.cohort import Case
from glottis.data.tables import FeatureTable
from glottis.data.volume import Volume
from glottis.evaluation.corrected_calibration import CorrectedCalibration, corrected_calibration
from glottis.evaluation.logistic import LogisticTable
from glottis.io.images import read_header
from glottis.modelling.clinical import ClinicalChain
from glottis.modelling.deployed import Scorer
from glottis.modelling.deployed_fusion import AnyScorer
from glottis.modelling.deploying import scorer_of
from glottis.modelling.fixed import FixedChain
from glottis.modelling.terms import LinearPredictor
from glottis.preprocessing.nyul import NyulTransform
from glottis.study.chains import as_tuned, tuned_of
from glottis.study.clinical import clinical_frame, nomogram_frame
from glottis.study.extraction import extract_scans
from glottis.study.fitting import fit_models
from glottis.study.landmarks import learn_landmarks, nyul_sequences
from glottis.study.modelling_stage import ModellingStage
from glottis.study.parallel import map_units
from glottis.study.primary import Primary, best_of
from glottis.study.spec import NOMOGRAM, Study
from glottis.study.split import Partition
from glottis.study.tabulate import feature_table, perturbed_tasks, scan_tasks
from glottis.study.units import FitUnit, of_patients, unit_of, units_of

REFIT_SEED = 104_729


@dataclass(frozen=True, kw_only=True)
class Regression:
    """The linear part of a final model: the clinical model, or the nomogram.

    Attributes:
        predictor: log odds from clinical columns, and in a nomogram from the score.
        threshold: positive when the probability is at least this; chosen on out-of-fold training scores.
        refits: the same on halves of the training patients; ``None`` where a half could not be fitted.
    """

    predictor: LinearPredictor
    threshold: float
    refits: tuple[LinearPredictor | None, ...]


@dataclass(frozen=True, kw_only=True)
class FinalModel:
    """All that a model file holds of the model, and of no patient.

    Attributes:
        study: the settings, which say how an image becomes features.
        name: the primary model's name in the report.
        classifier: its classifier.
        outcome: ``column``, ``positive`` and ``negative``.
        trained_on: ``training patients``, or ``all patients`` after a cross-validation.
        n_training: their number.
        n_positive: of them, with the outcome.
        scorer: features to probability; ``None`` in a study of clinical columns alone.
        refits: the same on halves of the training patients; ``None`` where a half could not be fitted.
        regression: the clinical model of a study without features, or the nomogram; ``None`` without one.
        centres: of the training patients.
        spacings: by sequence, least and greatest voxel size in mm of the training images, in the order of z, y, x.
        landmarks: Nyul's, by sequence.
        tables: odds ratios by model, of the clinical model and the nomogram; not for the file.
        calibration: of the regression on its own patients, with the optimism taken off; not for the file.
        training: what the scorer reads (without one, the regression), of the training patients; never for the file.
        seen: the same as the classifier sees it; ``None`` where several or none do; never for the file.
        truth: their outcome; never for the file.
        notes: what could not be made, and why.
    """

    study: Study
    name: str
    classifier: str
    outcome: Mapping[str, str]
    trained_on: str
    n_training: int
    n_positive: int
    scorer: AnyScorer | None
    refits: tuple[AnyScorer | None, ...]
    regression: Regression | None
    centres: tuple[str, ...]
    spacings: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]]
    landmarks: Mapping[str, NyulTransform]
    tables: Mapping[str, LogisticTable]
    calibration: CorrectedCalibration | None
    training: pd.DataFrame
    seen: pd.DataFrame | None
    truth: pd.Series
    notes: tuple[str, ...]

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Least and greatest training value of every feature that the scorer reads."""
        if self.scorer is None:
            return {}
        columns = self.training[list(self.scorer.columns)]
        return {str(name): (float(own.min()), float(own.max())) for name, own in columns.items()}

    @property
    def threshold(self) -> float:
        """Of what the model file answers with: the regression where there is one."""
        if self.regression is not None:
            return self.regression.threshold
        assert self.scorer is not None
        assert self.scorer.threshold is not None
        return self.scorer.threshold


@dataclass(frozen=True, kw_only=True)
class HalfUnit:
    """One refit on half of the training patients.

    Attributes:
        unit: the final fit, cut to this half.
        model: its name.
        tuned: what the final fit tuned.
        recalibration: the final fit's curve.
    """

    unit: FitUnit
    model: str
    tuned: Mapping[str, Any]
    recalibration: Any


def final_model(stage: ModellingStage, primary: Primary, outcome: Mapping[str, str]) -> FinalModel:
    """Fit the primary model once more: on the training patients of a held-out study, on all after a cross-validation.

    In a study with a held-out test it is the model whose scores stand in the ledger, bit for bit.

    Raises:
        GlottisError: it cannot be fitted on these patients.
    """
    part = final_partition(stage)
    members = set(part.training)
    cases = [case for case in stage.cohort if case.patient in members]
    if primary.design.of_features:
        return _of_features(stage, primary, outcome, part, cases)
    frame = clinical_frame(stage.study, cases)
    unit = unit_of(stage.study, frame, part, primary.design, stage.patients(), repeats={}, cache=stage.cache)
    chain = fit_models(unit)[primary.model]
    return FinalModel(
        classifier="regression",
        scorer=None,
        refits=(),
        regression=_regression(unit, chain, _halves(unit, stage.study.final.refits)),
        landmarks={},
        tables={primary.model: chain.table_},
        calibration=_calibration(unit, chain),
        training=unit.training,
        seen=None,
        notes=(),
        **_common(stage, primary, outcome, unit),
    )


def _of_features(
    stage: ModellingStage, primary: Primary, outcome: Mapping[str, str], part: Partition, cases: Sequence[Case]
) -> FinalModel:
    study = stage.study
    table, landmarks = _features(stage, cases)
    unit = units_of(
        study, table, (part,), primary.design, stage.patients(), cache=stage.cache, allow_code=stage.allow_code
    )[0]
    models = fit_models(unit)
    name = primary.model
    if name not in models:
        name = best_of({own: float(model.inner_auc_) for own, model in models.items()})
    scorer = scorer_of(models[name])
    halves = _halves(unit, study.final.refits)
    refits, notes = _refits(stage, unit, name, models[name], halves)
    regression, calibration, tables = None, None, _clinical_table(stage, part, cases)
    if study.nomogram is not None:
        beside = _nomogram_unit(stage, part, cases, table, models[name])
        chain = fit_models(beside)[NOMOGRAM]
        regression, calibration = _regression(beside, chain, halves), _calibration(beside, chain)
        tables[NOMOGRAM] = chain.table_
    return FinalModel(
        classifier=next(own for own, given in primary.design.models.items() if given == name),
        scorer=scorer,
        refits=refits,
        regression=regression,
        landmarks=landmarks,
        tables=tables,
        calibration=calibration,
        training=unit.training[list(scorer.columns)],
        seen=scorer.prepared(unit.training, unit.batches) if isinstance(scorer, Scorer) else None,
        notes=notes,
        **_common(stage, primary, outcome, unit),
    )


def _common(stage: ModellingStage, primary: Primary, outcome: Mapping[str, str], unit: FitUnit) -> dict[str, Any]:
    members = set(unit.training.index)
    cases = [case for case in stage.cohort if case.patient in members]
    truth = unit.outcome.loc[unit.training.index]
    return {
        "study": stage.study,
        "name": primary.model,
        "outcome": dict(outcome),
        "trained_on": "all patients" if stage.study.split.crossed else "training patients",
        "n_training": len(truth),
        "n_positive": int(truth.sum()),
        "centres": tuple(sorted({case.centre for case in cases if case.centre})),
        "spacings": _spacings(stage.study, cases),
        "truth": truth,
    }


def final_partition(stage: ModellingStage) -> Partition:
    """Who trains the final model: the training patients, or everybody where each patient was held out in turn."""
    if not stage.study.split.crossed:
        return stage.parts[0]
    everybody = tuple(case.patient for case in stage.cohort)
    return Partition(repeat=0, fold=0, training=everybody, tests={})


def _features(stage: ModellingStage, cases: Sequence[Case]) -> tuple[FeatureTable, dict[str, NyulTransform]]:
    """The feature table of the final fit, with Nyul's landmarks of its own training patients."""
    study, scans = stage.study, stage.cache.parent / "scans"
    if not nyul_sequences(study):
        return stage.tables[0], {}
    landmarks = learn_landmarks(study, cases, cache=scans, jobs=stage.jobs, progress=stage.progress)
    if not study.split.crossed:
        return stage.tables[0], landmarks
    tasks = scan_tasks(study, cases, cache=scans, nyul=landmarks)
    tasks += perturbed_tasks(study, tasks)
    return feature_table(extract_scans(tasks, jobs=stage.jobs, progress=stage.progress)), landmarks


def _halves(unit: FitUnit, n: int) -> list[pd.Index[Any]]:
    """Random halves of the training patients of each outcome; groups stay whole."""
    truth = unit.outcome.loc[unit.training.index]
    groups = pd.Series(truth.index, index=truth.index) if unit.groups is None else unit.groups
    strata = truth.groupby(groups.to_numpy()).max()
    halves = []
    for number in range(n):
        rng = np.random.default_rng([unit.study.random_state, REFIT_SEED, number])
        chosen: set[Any] = set()
        for value in (0, 1):
            own = strata.index[strata.to_numpy() == value].to_numpy()
            chosen |= set(rng.permutation(own)[: (len(own) + 1) // 2])
        halves.append(truth.index[groups.isin(chosen).to_numpy()])
    return halves


def _refits(
    stage: ModellingStage, unit: FitUnit, name: str, model: Any, halves: Sequence[pd.Index[Any]]
) -> tuple[tuple[AnyScorer | None, ...], tuple[str, ...]]:
    """The model on each half, with everything fixed that it tuned, and a note on halves that could not be fitted."""
    tuned, curve = tuned_of(model), getattr(model, "recalibration_", None)
    units = [HalfUnit(unit=_cut(unit, half), model=name, tuned=tuned, recalibration=curve) for half in halves]
    found = map_units(fit_half, units, jobs=stage.jobs, stage="refits", progress=stage.progress)
    failed = sum(scorer is None for scorer in found)
    notes = (f"{failed} of {len(found)} refits on half of the training patients could not be fitted",) if failed else ()
    return tuple(found), notes


def _cut(unit: FitUnit, patients: pd.Index[Any]) -> FitUnit:
    return replace(
        unit,
        training=unit.training.loc[patients],
        outcome=unit.outcome.loc[patients],
        groups=None if unit.groups is None else unit.groups.loc[patients],
        repeats=of_patients(unit.repeats, patients),
        tests={},
    )


def fit_half(half: HalfUnit) -> AnyScorer | None:
    """The scorer of one refit; None where half of the patients are too few for a step."""
    unit = half.unit
    model = as_tuned(unit, half.model, half.tuned)
    try:
        fitted = model.fit(unit.training, unit.outcome, groups=unit.groups)
    except ValueError:
        return None
    return scorer_of(fitted, recalibration=half.recalibration if isinstance(fitted, FixedChain) else None)


def _clinical_table(stage: ModellingStage, part: Partition, cases: Sequence[Case]) -> dict[str, LogisticTable]:
    """The clinical model's odds ratios on the final model's training patients, where the study has one."""
    designs = [design for design in stage.study.designs() if design.fusion == "clinical"]
    frame = clinical_frame(stage.study, cases)
    alone = replace(part, tests={})
    units = [
        unit_of(stage.study, frame, alone, design, stage.patients(), repeats={}, cache=stage.cache)
        for design in designs
    ]
    return {name: chain.table_ for unit in units for name, chain in fit_models(unit).items()}


def _nomogram_unit(
    stage: ModellingStage, part: Partition, cases: Sequence[Case], table: FeatureTable, model: Any
) -> FitUnit:
    """The final nomogram's training view: out-of-fold scores of the final model beside the clinical columns."""
    design = next(item for item in stage.study.designs() if item.fusion == "nomogram")
    frame = nomogram_frame(stage.study, cases, model.out_of_fold_, table)
    alone = replace(part, tests={})
    return unit_of(stage.study, frame, alone, design, stage.patients(), repeats={}, cache=stage.cache)


def _regression(unit: FitUnit, chain: ClinicalChain, halves: Sequence[pd.Index[Any]]) -> Regression:
    refits: list[LinearPredictor | None] = []
    for half in halves:
        rows = unit.training.index.intersection(half)
        try:
            refits.append(chain.as_tuned().fit(unit.training.loc[rows], unit.outcome.loc[rows]).model_)
        except ValueError:
            refits.append(None)
    return Regression(predictor=chain.model_, threshold=float(chain.threshold_), refits=tuple(refits))


def _calibration(unit: FitUnit, chain: ClinicalChain) -> CorrectedCalibration | None:
    """Harrell's bootstrap over the whole regression, imputation and screening included; None where it has no result."""

    def fit(X: pd.DataFrame, truth: Any) -> Callable[[pd.DataFrame], Any]:
        share = float(np.mean(truth))
        try:
            model = chain.as_tuned().fit(X.reset_index(drop=True), np.asarray(truth))
        except ValueError:
            return lambda rows: np.full(len(rows), share)  # equal scores: the resample does not count

        def probability(rows: pd.DataFrame) -> Any:
            found, known = np.full(len(rows), share), model.scorable(rows)
            found[known] = model.predict_proba(rows.reset_index(drop=True)[known])[:, 1]
            return found

        return probability

    truth = unit.outcome.loc[unit.training.index].to_numpy()
    try:
        return corrected_calibration(fit, unit.training, truth, random_state=unit.study.random_state)
    except StatisticsError:
        return None


def _spacings(study: Study, cases: Sequence[Case]) -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    """Least and greatest voxel size of the images of each sequence."""
    found = {}
    for name in study.sequences:
        images = [case.scans[name].image for case in cases if name in case.scans]
        sizes = np.array([_spacing(image) for image in images])
        if len(sizes):
            found[name] = (tuple(sizes.min(axis=0).tolist()), tuple(sizes.max(axis=0).tolist()))
    return found


def _spacing(image: Path | Volume) -> tuple[float, float, float]:
    return image.spacing_mm if isinstance(image, Volume) else read_header(image).spacing_mm
