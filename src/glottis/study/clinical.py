"""Tables for the regressions of a study: clinical columns, and scores beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from glottis._errors import CohortError, nearest
from glottis.data.cohort import Case
from glottis.data.tables import FeatureTable
from glottis.io.clinical import cell_text
from glottis.modelling.clinical import ClinicalChain
from glottis.study.spec import Design, Study
from glottis.study.spec_clinical import SCORE, ClinicalModel
from glottis.study.split import TRAINING, Partition
from glottis.study.units import FitUnit, Patients, unit_of

EDGE = 1e-6
"""Probabilities are drawn in this far from 0 and 1 before their logit is taken."""


def clinical_frame(study: Study, cases: Iterable[Case]) -> pd.DataFrame:
    """Clinical columns by patient: numbers as float, words as text, what is missing as None or NaN.

    A column whose levels the study names (``reference``, ``ordinal``) holds words, even where they are numbers.
    """
    cells = {case.patient: dict(case.clinical) for case in cases}
    frame = pd.DataFrame.from_dict(cells, orient="index", dtype=object).reindex(columns=list(study.clinical))
    return typed_columns(study, frame)


def typed_columns(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """The clinical columns of a table with the types that the regressions want; see `clinical_frame`."""
    own = study.clinical_model
    levels = set() if own is None else {*own.reference, *own.ordinal}
    return pd.DataFrame(
        {name: _words(column) if name in levels else _typed(column) for name, column in frame.items()},
        index=frame.index,
    )


def _typed(column: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    whole = numbers.notna().equals(column.notna()) and numbers.notna().any()
    return numbers.astype(float) if whole else _words(column)


def _words(column: pd.Series) -> pd.Series:
    found: pd.Series = column.map(lambda cell: None if pd.isna(cell) else cell_text(cell)).astype(object)
    return found


def refuse_absent(study: Study, features: FeatureTable) -> None:
    """Refuse, before anything is fitted, a nomogram of a feature that the table does not have.

    Raises:
        CohortError: names the feature and the nearest that exists.
    """
    for name in study.nomogram.features if study.nomogram is not None else ():
        if name not in features.features:
            message = f"nomogram.features: there is no feature '{name}': {nearest(name, features.features)}"
            raise CohortError(message)


def regression_of(unit: FitUnit, seed: int) -> ClinicalChain:
    """The unfitted regression of a clinical model or a nomogram."""
    study = unit.study
    own = study.clinical_model or ClinicalModel()
    columns = set(map(str, unit.training.columns))
    always = (SCORE, *(study.nomogram.features if study.nomogram else ())) if unit.design.fusion == "nomogram" else ()
    return ClinicalChain(
        screen=own.screen,
        forced=tuple(name for name in (*always, *own.forced) if name in columns),
        reference={name: level for name, level in own.reference.items() if name in columns},
        ordinal={name: levels for name, levels in own.ordinal.items() if name in columns},
        imputations=own.imputations,
        folds=study.model.folds,
        random_state=seed,
    )


def clinical_units(
    study: Study, design: Design, cases: Sequence[Case], parts: Sequence[Partition], patients: Patients, cache: Path
) -> list[FitUnit]:
    """One fit of the clinical model a partition."""
    frame = clinical_frame(study, cases)
    return [unit_of(study, frame, part, design, patients, repeats={}, cache=cache) for part in parts]


def nomogram_units(
    study: Study,
    design: Design,
    cases: Sequence[Case],
    parts: Sequence[Partition],
    patients: Patients,
    cache: Path,
    *,
    fits: Sequence[Mapping[str, Any]],
    tables: Sequence[FeatureTable],
) -> list[FitUnit]:
    """One fit of the nomogram a partition, from the primary model's scores: out of fold on training patients.

    Args:
        study: the settings.
        design: the nomogram's.
        cases: the patients who take part.
        parts: the partitions.
        patients: outcome and group of each.
        cache: folder of finished fits.
        fits: the primary model's, one a partition.
        tables: the feature table, or one a partition, for ``nomogram.features``.
    """
    scores = {(fit["fit"]["repeat"], fit["fit"]["fold"]): scores_of(fit) for fit in fits}
    units = []
    for number, part in enumerate(parts):
        features = tables[number if len(tables) > 1 else 0]
        frame = nomogram_frame(study, cases, scores[part.repeat, part.fold], features)
        units.append(unit_of(study, frame, part, design, patients, repeats={}, cache=cache))
    return units


def scores_of(fit: Mapping[str, Any]) -> pd.Series:
    """Patient to score: of training patients the out-of-fold one, of the others the finished model's."""
    rows = [row for row in fit["scores"] if row["set"] == TRAINING]
    rows += [row for row in fit["scores"] if row["set"] != TRAINING]
    return pd.Series([row["y_score"] for row in rows], index=[row["patient"] for row in rows], dtype=float)


def nomogram_frame(study: Study, cases: Sequence[Case], scores: pd.Series, features: FeatureTable) -> pd.DataFrame:
    """Score, features that enter as they are, and clinical columns of the patients who have a score."""
    assert study.nomogram is not None
    frame = on_scale(study, scores).to_frame(SCORE)
    if study.nomogram.features:
        values = features.of_reader(*study.primary())
        frame = frame.join(values[list(study.nomogram.features)])
    if study.clinical_model is not None:
        frame = frame.join(clinical_frame(study, cases))
    return frame.sort_index()


def on_scale(study: Study, probability: pd.Series) -> pd.Series:
    """The score as the nomogram takes it."""
    assert study.nomogram is not None
    if study.nomogram.score == "probability":
        return probability.astype(float)
    return pd.Series(logit(np.clip(probability.to_numpy(dtype=float), EDGE, 1 - EDGE)), index=probability.index)
