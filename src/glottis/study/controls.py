"""What the primary model must beat: shuffled outcomes, and the volume, the site or the clinic alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glottis.data.cohort import Cohort
from glottis.evaluation.discrimination import area
from glottis.modelling.crossval import TunedChain
from glottis.modelling.fixed import FixedChain
from glottis.study.chains import chains_of, with_tuned
from glottis.study.clinical import clinical_frame
from glottis.study.fitting import scorable, unit_key
from glottis.study.spec import Design, Study
from glottis.study.split import Partition
from glottis.study.store import ResultCache
from glottis.study.units import FitUnit, Patients, unit_of

VOLUME, SITE, CLINICAL = "volume alone", "site alone", "clinical alone"
VOLUME_COLUMNS = ("shape_MeshVolume", "shape_VoxelVolume", "shape_Volume")
PARTITIONS = 2
"""Of repeated splits a permutation goes through the first two, of a k-fold through its first repeat."""
ABSENT = "not stated"


@dataclass(frozen=True, kw_only=True)
class Control:
    """A simple model.

    Attributes:
        name: of the model.
        columns: what it sees.
        frame: their values by patient, numbers as float, words as text.
    """

    name: str
    columns: tuple[str, ...]
    frame: pd.DataFrame


def controls_of(
    study: Study, cohort: Cohort, features: pd.DataFrame, parts: Sequence[Partition]
) -> tuple[list[Control], list[dict[str, str]]]:
    """The simple models that this study can have, and why it has not the others.

    Args:
        study: the settings.
        cohort: the patients who take part.
        features: those of the primary model's patients.
        parts: the partitions.
    """
    patients = [case for case in cohort if case.patient in features.index]
    found, absent = [], []
    made = (
        (VOLUME, study.controls.volume, _volume(study, features)),
        (SITE, study.controls.site, _site(study, patients, parts)),
        (CLINICAL, study.controls.clinical, _clinical(study, patients)),
    )
    for name, wanted, frame in made:
        if not wanted:
            absent.append({"name": name, "reason": "switched off in the study file"})
        elif isinstance(frame, str):
            absent.append({"name": name, "reason": frame})
        else:
            found.append(Control(name=name, columns=tuple(map(str, frame.columns)), frame=frame.loc[features.index]))
    return found, absent


def _volume(study: Study, features: pd.DataFrame) -> pd.DataFrame | str:
    if study.clinical_alone:
        return "the study has no features"
    names = list(map(str, features.columns))
    wanted = study.controls.volume
    if isinstance(wanted, str):
        return features[[wanted]] if wanted in names else f"the features have no column '{wanted}'"
    for ending in VOLUME_COLUMNS:
        own = [name for name in names if name.endswith(ending)]
        if own:
            return features[own[:1]]
    own = [name for name in names if re.search(r"(^|_)volume($|_)", name, re.IGNORECASE)]
    return features[own[:1]] if len(own) == 1 else "no feature is known to be the volume (controls.volume names it)"


def _site(study: Study, patients: Sequence[Any], parts: Sequence[Partition]) -> pd.DataFrame | str:
    if study.centre is None:
        return "the study names no centre column"
    centre = pd.Series({case.patient: case.centre or ABSENT for case in patients})
    for part in parts:
        trained = set(centre.reindex(list(part.training)).dropna())
        if len(trained) < 2:
            return "the training patients are of one centre"
        if any(not set(centre.reindex(list(held)).dropna()) & trained for held in part.tests.values()):
            return "a test set is of centres that no training patient has"
    return centre.to_frame(study.centre)


def _clinical(study: Study, patients: Sequence[Any]) -> pd.DataFrame | str:
    if not study.clinical:
        return "the study names no clinical columns"
    if study.clinical_alone:
        return "the primary model is the clinical one"
    frame = clinical_frame(study, patients)
    words = [str(name) for name, kind in frame.dtypes.items() if kind.kind not in "fiub"]
    return frame.assign(**{name: frame[name].map(lambda cell: ABSENT if pd.isna(cell) else cell) for name in words})


def control_units(
    study: Study, controls: Sequence[Control], parts: Sequence[Partition], patients: Patients, cache: Path
) -> list[FitUnit]:
    """One fit a control and partition."""
    return [
        unit_of(
            study,
            control.frame,
            part,
            Design(name=control.name, blocks=(), fusion="early", models={"logistic_regression": control.name}),
            patients,
            repeats={},
            cache=cache,
            mode="control",
        )
        for control in controls
        for part in parts
    ]


@dataclass(frozen=True, kw_only=True)
class ShuffledUnit:
    """The primary model on one partition, its outcomes shuffled.

    Attributes:
        unit: the fit, its outcome shuffled.
        model: which of its models.
        tuned: what that model tuned on the true outcomes.
        number: of the permutation.
    """

    unit: FitUnit
    model: str
    tuned: Mapping[str, Any]
    number: int


def shuffled_units(
    units: Sequence[FitUnit], fits: Sequence[Mapping[str, Any]], *, n: int, groups: pd.Series
) -> list[ShuffledUnit]:
    """``n`` permutations of the primary model over the partitions that count.

    Outcomes are shuffled within the training and within each test set where these are fixed, and among all patients
    in cross-validation, before anything is fitted. Where several rows belong to a group, whole groups change places.

    Args:
        units: the primary design's, one a partition.
        fits: what ``fit_unit`` gave for the primary model, in the same order.
        n: permutations.
        groups: the group of every patient.
    """
    if not n:
        return []
    study = units[0].study
    chosen = list(zip(units, fits, strict=True))[: _counting(study)]
    found = []
    for number in range(n):
        rng = np.random.default_rng([study.random_state, 7919, number])
        whole = _shuffled_cohort(units, groups, rng) if study.split.crossed else None
        for unit, result in chosen:
            fit = result["fit"]
            outcome = _shuffled_sets(unit, groups, rng) if whole is None else whole.loc[unit.outcome.index]
            found.append(
                ShuffledUnit(
                    unit=replace(unit, outcome=outcome),
                    model=unit.design.models[fit["classifier"]],
                    tuned=fit["tuned"],
                    number=number,
                )
            )
    return found


def _counting(study: Study) -> int:
    """How many partitions a permutation goes through."""
    split = study.split
    return split.folds if split.method == "kfold" else min(split.repeats, PARTITIONS) if split.crossed else 1


def _shuffled_cohort(units: Sequence[FitUnit], groups: pd.Series, rng: np.random.Generator) -> pd.Series:
    outcome = pd.concat([unit.outcome for unit in units])
    return shuffled(outcome[~outcome.index.duplicated()].sort_index(), groups, rng)


def _shuffled_sets(unit: FitUnit, groups: pd.Series, rng: np.random.Generator) -> pd.Series:
    views = [unit.training, *unit.tests.values()]
    found: pd.Series = pd.concat([shuffled(unit.outcome.loc[view.index], groups, rng) for view in views])
    return found


def shuffled(outcome: pd.Series, groups: pd.Series, rng: np.random.Generator) -> pd.Series:
    """Outcomes in another order; the rows of a group keep theirs beside one another.

    Args:
        outcome: (n,) by patient.
        groups: the group of every patient.
        rng: source of the order.
    """
    own = groups.loc[outcome.index]
    if not own.duplicated().any():
        return pd.Series(rng.permutation(outcome.to_numpy()), index=outcome.index)
    laid = outcome.iloc[np.argsort(own.to_numpy(), kind="stable")]
    blocks = [part.to_numpy() for _, part in laid.groupby(own.loc[laid.index].to_numpy(), sort=True)]
    values = np.concatenate([blocks[place] for place in rng.permutation(len(blocks))])
    back = np.argsort(np.argsort(own.to_numpy(), kind="stable"), kind="stable")
    return pd.Series(values[back], index=outcome.index)


def fit_shuffled(shuffle: ShuffledUnit) -> dict[str, float | None]:
    """Held-out AUC of the model that learnt from shuffled outcomes, by set; None for a set of one class."""
    unit = shuffle.unit
    cache = ResultCache(unit.cache)
    key = unit_key(unit, "shuffled", shuffle.model, shuffle.tuned)
    stored: dict[str, float | None] | None = cache.get(key)
    if stored is None:
        stored = _shuffled_areas(shuffle)
        cache.put(key, stored)
    return stored


def _shuffled_areas(shuffle: ShuffledUnit) -> dict[str, float | None]:
    unit = shuffle.unit
    model = with_tuned(chains_of(unit)[shuffle.model], shuffle.tuned)
    if isinstance(model, TunedChain):
        model = FixedChain(model, {name: values[0] for name, values in model.grid.items()})
    model.fit(unit.training, unit.outcome.loc[unit.training.index], groups=unit.groups)
    found: dict[str, float | None] = {}
    for name, view in unit.tests.items():
        usable = view[scorable(unit, model, view)]
        truth = unit.outcome.loc[usable.index].to_numpy().astype(bool)
        both = 0 < truth.sum() < truth.size
        found[name] = float(area(truth, model.predict_proba(usable)[:, 1])) if both else None
    return found
