"""Simple models that the primary one must beat: the volume, the site or the clinic alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from glottis.data.cohort import Cohort
from glottis.study.clinical import clinical_frame
from glottis.study.spec import Design, Study
from glottis.study.split import Partition
from glottis.study.units import FitUnit, Patients, unit_of

VOLUME, SITE, CLINICAL = "volume alone", "site alone", "clinical alone"
VOLUME_COLUMNS = ("shape_MeshVolume", "shape_VoxelVolume", "shape_Volume")
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
