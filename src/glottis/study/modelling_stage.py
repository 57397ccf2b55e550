"""All fits of a study: models, controls, permutations, the way of papers, and the batch effect."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glottis._errors import CohortError, GlottisError
from glottis.data.cohort import Cohort
from glottis.data.tables import FeatureTable
from glottis.modelling.batches import batch_effect
from glottis.modelling.confounding import tangled
from glottis.study.chains import combat
from glottis.study.clinical import clinical_units, nomogram_units, refuse_absent
from glottis.study.controls import control_units, controls_of
from glottis.study.fitting import fit_unit
from glottis.study.parallel import Progress, map_units
from glottis.study.permutations import ShuffledUnit, fitted_shuffles, shuffled_units
from glottis.study.primary import Primary, chosen_fits, primary_model
from glottis.study.source import Source
from glottis.study.spec import Design, Study
from glottis.study.split import Partition
from glottis.study.units import FitUnit, Mode, Patients, units_of

Fits = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class ModellingStage:
    """What the fits of a study share.

    Attributes:
        study: the settings.
        source: the manifest.
        cohort: the patients who take part.
        parts: the partitions.
        tables: one feature table, or one a partition.
        cache: folder of finished fits.
        jobs: worker processes.
        progress: told of every finished fit.
        timed: told of a stage's name and when it began.
        allow_code: a classifier from outside glottis may be loaded.
    """

    study: Study
    source: Source
    cohort: Cohort
    parts: tuple[Partition, ...]
    tables: Sequence[FeatureTable]
    cache: Path
    jobs: int
    progress: Progress
    timed: Callable[[str, float], None]
    allow_code: bool

    def finished(self) -> dict[str, Any]:
        """Fit everything; what `FinishedWork` has of it, by name."""
        refuse_absent(self.study, self.tables[0])
        start = time.perf_counter()
        units, refused = self._units()
        fits = self._fitted([unit for own in units.values() for unit in own], "models")
        primary = primary_model(self.study, fits)
        if self.study.chooses:
            for design in (item for item in self.study.designs() if item.of_features):
                if all(name in fits for name in design.models.values()):
                    fits[design.chosen] = chosen_fits(design, fits)
                else:
                    refused[design.chosen] = next(refused[name] for name in design.models.values() if name in refused)
        fits |= self._nomogram(fits, primary, refused)
        fits = {name: fits[name] for name in self.study.models() if name in fits}
        self.timed("models", start)
        found = {"fits": fits, "refused": refused, "primary": primary}
        return found | self._controls(units, fits, primary) | self._others(primary)

    def patients(self) -> Patients:
        """Outcome, group and batch of every patient."""
        return Patients(
            outcome=pd.Series({case.patient: case.outcome for case in self.cohort}, dtype=int),
            groups=pd.Series({case.patient: case.group for case in self.cohort}),
            batches=batches_of(self.study, self.source, self.cohort),
        )

    def _design_units(self, design: Design, mode: Mode = "rigorous") -> list[FitUnit]:
        patients = self.patients()
        return [
            unit
            for number, table in enumerate(self.tables)
            for unit in units_of(
                self.study,
                table,
                self.parts if len(self.tables) == 1 else self.parts[number : number + 1],
                design,
                patients,
                cache=self.cache,
                mode=mode,
                allow_code=self.allow_code,
            )
        ]

    def _units(self) -> tuple[dict[str, list[FitUnit]], dict[str, str]]:
        """The units of every design that has enough patients, and why the models of the others are not fitted."""
        units: dict[str, list[FitUnit]] = {}
        refused: dict[str, str] = {}
        for design in self.study.designs():
            if design.fusion == "nomogram":
                continue  # it needs the scores of the others
            own = self._design_units(design) if design.of_features else self._clinical_units(design)
            reason = too_few(own, self.study.model.folds)
            if reason:
                refused |= dict.fromkeys(design.models.values(), reason)
            else:
                units[design.name] = own
        if not units:
            message = f"No model can be fitted. {next(iter(refused))}: {next(iter(refused.values()))}."
            raise CohortError(message)
        return units, refused

    def _clinical_units(self, design: Design) -> list[FitUnit]:
        return clinical_units(self.study, design, list(self.cohort), self.parts, self.patients(), self.cache)

    def _nomogram(self, fits: Fits, primary: Primary, refused: dict[str, str]) -> Fits:
        """Fits of the nomogram, from the scores of the primary model."""
        for design in self.study.designs():
            if design.fusion == "nomogram" and primary.design.of_features:
                units = nomogram_units(
                    self.study,
                    design,
                    list(self.cohort),
                    self.parts,
                    self.patients(),
                    self.cache,
                    fits=fits[primary.model],
                    tables=self.tables,
                )
                reason = too_few(units, self.study.model.folds)
                if not reason:
                    return self._fitted(units, "nomogram")
                refused |= dict.fromkeys(design.models.values(), reason)
        return {}

    def _fitted(self, units: Sequence[FitUnit], stage: str) -> Fits:
        results = map_units(fit_unit, units, jobs=self.jobs, stage=stage, progress=self.progress)
        fits: Fits = {}
        for result in results:
            for name, own in result.items():
                fits.setdefault(name, []).append(own)
        return fits

    def _controls(self, units: Mapping[str, list[FitUnit]], fits: Fits, primary: Primary) -> dict[str, Any]:
        start = time.perf_counter()
        own = units[primary.design.name]
        features = pd.concat([own[0].training, *own[0].tests.values()]).sort_index()
        controls, absent = controls_of(self.study, self.cohort, features, self.parts)
        wanted = control_units(self.study, controls, self.parts, self.patients(), self.cache)
        small = self._fitted([unit for unit in wanted if not too_few([unit], self.study.model.folds)], "controls")
        shuffles = shuffled_units(
            own, fits[primary.model], n=self.study.controls.permutations, groups=self.patients().groups
        )
        areas = fitted_shuffles(shuffles, jobs=self.jobs, progress=self.progress)
        self.timed("controls", start)
        return {
            "controls": small,
            "control_columns": {control.name: control.columns for control in controls},
            "absent_controls": absent,
            "shuffled": [(shuffle.number, found) for shuffle, found in zip(shuffles, areas, strict=True)],
            "shuffled_partitions": {_place(shuffle) for shuffle in shuffles},
        }

    def _others(self, primary: Primary) -> dict[str, Any]:
        start = time.perf_counter()
        published: Fits = {}
        if self.study.as_published:
            everything = self._fitted(self._design_units(primary.design, "as_published"), "as published")
            own = primary.model
            if own == primary.design.chosen:
                everything[own] = chosen_fits(primary.design, everything)
            published = {own: everything[own]}
        harmonisation = self._batch_effect(primary) if self.study.harmonise is not None else None
        if published or harmonisation:
            self.timed("others", start)
        return {"as_published": published, "harmonisation": harmonisation}

    def _batch_effect(self, primary: Primary) -> dict[str, Any]:
        """How much the batch shows in the primary model's features, before and after, and whether it is tangled."""
        block, unit = self.study.harmonise, self._design_units(primary.design)[0]
        assert block is not None
        assert unit.batches is not None
        features = pd.concat([unit.training, *unit.tests.values()])
        features = features[np.isfinite(features.to_numpy(dtype=float)).all(axis=1)]
        batches, groups = unit.batches.loc[features.index], self.patients().groups.loc[features.index]
        notes: list[str] = []

        def measured(after: bool) -> dict[str, Any] | None:
            own = groups if groups.duplicated().any() else None
            correction = combat(self.study, batches).set_params(unseen="reference") if after else None
            try:
                found = batch_effect(features, batches["batch"], combat=correction, groups=own)
            except (GlottisError, ValueError) as error:
                notes.append(f"{'After' if after else 'Before'} harmonisation: {error}")
                return None
            return found.to_dict()

        before, after = measured(False), measured(True)
        together = None
        try:
            together = tangled(batches["batch"], unit.outcome.loc[features.index]).to_dict()
        except (GlottisError, ValueError) as error:
            notes.append(str(error))
        return {"batch": block.batch, "before": before, "after": after, "tangled": together, "notes": notes}


def _place(shuffle: ShuffledUnit) -> tuple[int, int]:
    return shuffle.unit.repeat, shuffle.unit.fold


def batches_of(study: Study, source: Source, cohort: Cohort) -> pd.DataFrame | None:
    """Batch and covariates of every patient, numbers as float; ``None`` without harmonisation.

    Raises:
        CohortError: a patient has no batch.
    """
    block = study.harmonise
    if block is None:
        return None
    ids = [case.patient for case in cohort]
    table = source.frame.set_index(source.frame[source.roles.id].astype(str).str.strip())
    found = pd.DataFrame(index=ids)
    centres = {case.patient: case.centre for case in cohort}
    own = [centres[patient] for patient in ids]
    found["batch"] = own if block.batch == "centre" else table.loc[ids, block.batch].to_numpy()
    empty = [patient for patient, value in found["batch"].items() if pd.isna(value) or not str(value).strip()]
    if empty:
        message = f"{len(empty)} patients have no {block.batch} (first: {empty[0]}): fill it in, or leave them out."
        raise CohortError(message)
    found["batch"] = found["batch"].astype(str)
    for name in block.covariates:
        numbers = pd.to_numeric(table.loc[ids, name], errors="coerce")
        words = table.loc[ids, name].astype(str)
        found[name] = (numbers if numbers.notna().all() else words).to_numpy()
    return found


def refuse_unseen_batches(study: Study, source: Source, cohort: Cohort, parts: Sequence[Partition]) -> None:
    """Refuse, before anything is computed, test patients of a batch that no training patient has.

    Raises:
        CohortError: such a batch, where the study does not say what to do with it; or a patient without a batch.
    """
    batches = batches_of(study, source, cohort)
    if batches is None or study.harmonise is None or study.harmonise.unseen != "refuse":
        return
    for part in parts:
        trained = set(batches.loc[list(part.training), "batch"])
        for name, held in part.tests.items():
            other = sorted(set(batches.loc[list(held), "batch"]) - trained)
            if other:
                message = (
                    f"The {name} set has patients of batch '{other[0]}', which no training patient has: train with "
                    "patients of it, or set harmonise.unseen to reference (they stay uncorrected) or transductive "
                    f"(estimated from at least {study.harmonise.minimum_rows} of them)."
                )
                raise CohortError(message)


def too_few(units: list[FitUnit], folds: int) -> str:
    """Why a model cannot be fitted on some partition; empty where it can be fitted on all."""
    for unit in units:
        outcome = unit.outcome.loc[unit.training.index]
        smaller = min(int(outcome.sum()), int((1 - outcome).sum()))
        if smaller < folds:
            return (
                f"{smaller} training patients in the smaller class and model.folds is {folds}: "
                "use fewer folds or more patients"
            )
    return ""
