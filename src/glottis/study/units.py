"""Views of the tables for every fit: what a model may learn from, and what it is tested on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

from glottis.data.tables import FeatureTable
from glottis.study.spec import Design, Study
from glottis.study.spec_images import PERTURBED
from glottis.study.spec_models import Selection
from glottis.study.split import Partition

Mode = Literal["rigorous", "as_published", "control"]


@dataclass(frozen=True, kw_only=True)
class FitUnit:
    """Everything that one fit needs, and nothing of any other patient.

    Attributes:
        design: which models; the keys of ``design.models`` are their classifiers.
        study: the settings.
        repeat: number of the repeat of a k-fold, else 0.
        fold: number of the fold of a k-fold, else 0.
        training: features of the training patients.
        outcome: 0 or 1 for every patient of ``training`` and ``tests``.
        groups: the group of every training patient; ``None`` where each patient is a group.
        repeats: by kind, features of further measurements of training patients; see `repeat_tables`.
        all_repeats: likewise of all patients, for the mode ``as_published`` alone; empty otherwise.
        tests: by set, features of the held-out patients.
        batches: batch and covariates of all these patients, for the harmonisation; ``None`` without one.
        blocks: sequence or block to its columns.
        cache: folder of finished fits.
        mode: ``rigorous``; ``as_published`` lets steps see held-out patients, as papers do; ``control`` is a simple
            model of other columns.
        allow_code: a classifier from outside glottis may be loaded.
    """

    design: Design
    study: Study
    repeat: int
    fold: int
    training: pd.DataFrame
    outcome: pd.Series
    groups: pd.Series | None
    repeats: Mapping[str, pd.DataFrame]
    tests: Mapping[str, pd.DataFrame]
    all_repeats: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    batches: pd.DataFrame | None = None
    blocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cache: Path
    mode: Mode = "rigorous"
    allow_code: bool = False

    def held_out(self) -> set[str]:
        """Patients that no fitted step may see."""
        return {patient for view in self.tests.values() for patient in view.index}

    def place(self) -> str:
        """Which fit of a k-fold this is, in words; empty where there is one."""
        return f", repeat {self.repeat + 1}, fold {self.fold + 1}" if self.study.split.crossed else ""


@dataclass(frozen=True, kw_only=True)
class Patients:
    """What is known of the patients beside their features, by id.

    Attributes:
        outcome: 0 or 1.
        groups: which patients stay together.
        batches: batch and covariates of the harmonisation, where there is one.
    """

    outcome: pd.Series
    groups: pd.Series
    batches: pd.DataFrame | None


def units_of(
    study: Study,
    table: FeatureTable,
    parts: tuple[Partition, ...],
    design: Design,
    patients: Patients,
    *,
    cache: Path,
    mode: Mode = "rigorous",
    allow_code: bool = False,
) -> list[FitUnit]:
    """The fits of one design: one a partition, each with its own views of the tables."""
    complete = table.of_reader(*study.primary())[columns_of(table, study, design.blocks)]
    complete = complete[_has_all(complete, study, design.blocks)]
    repeats = repeat_tables(table, study, design.blocks)
    return [
        unit_of(
            study,
            complete,
            part,
            design,
            patients,
            repeats=repeats,
            cache=cache,
            mode=mode,
            allow_code=allow_code,
        )
        for part in parts
    ]


def unit_of(
    study: Study,
    features: pd.DataFrame,
    part: Partition,
    design: Design,
    patients: Patients,
    *,
    repeats: Mapping[str, pd.DataFrame],
    cache: Path,
    mode: Mode = "rigorous",
    allow_code: bool = False,
) -> FitUnit:
    """One fit: the rows of ``features`` that this partition trains on, and those that it holds out."""
    training = features.loc[features.index.intersection(list(part.training)).sort_values()]
    tests = {
        name: features.loc[features.index.intersection(list(held)).sort_values()] for name, held in part.tests.items()
    }
    here = [*training.index, *(patient for view in tests.values() for patient in view.index)]
    return FitUnit(
        design=design,
        study=study,
        repeat=part.repeat,
        fold=part.fold,
        training=training,
        outcome=patients.outcome.loc[here],
        groups=patients.groups.loc[training.index] if patients.groups.duplicated().any() else None,
        repeats=of_patients(repeats, training.index),
        tests=tests,
        all_repeats=of_patients(repeats, here) if mode == "as_published" else {},
        batches=None if patients.batches is None else patients.batches.loc[here],
        blocks={
            block: tuple(name for name in features.columns if study.block_of(name) == block) for block in design.blocks
        },
        cache=cache,
        mode=mode,
        allow_code=allow_code,
    )


def of_patients(repeats: Mapping[str, pd.DataFrame], patients: Iterable[str]) -> dict[str, pd.DataFrame]:
    """The rows of these patients."""
    return {kind: rows.loc[rows.index.intersection(list(patients))] for kind, rows in repeats.items()}


def without_selection(study: Study) -> Study:
    """The study for features that were selected, corrected and filled before."""
    nothing = Selection(
        perturbation=None,
        icc=None,
        univariate=None,
        spearman=None,
        boruta=False,
        mrmr=None,
        lasso=None,
        n_features=None,
    )
    features = study.table.model_copy(update={"impute": None}) if study.table is not None else study.features
    return study.model_copy(update={"selection": nothing, "harmonise": None, "features": features})


def repeat_tables(table: FeatureTable, study: Study, blocks: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Further measurements by kind: ``intra`` by the same reader, ``inter`` by another one, ``perturbation 1`` ....

    Several rounds or readers of a kind are told apart by name, as in ``inter B1``.
    """
    first = study.primary()
    pairs = table.frame[["reader", "round"]].drop_duplicates().itertuples(index=False, name=None)
    columns = columns_of(table, study, blocks)
    rows = {pair: table.of_reader(*pair)[columns].dropna(how="all") for pair in sorted(pairs) if pair != first}
    people = {pair: found for pair, found in rows.items() if len(found) and pair[0] != PERTURBED}
    kinds = {pair: "intra" if pair[0] == first[0] else "inter" for pair in people}
    several = {kind for kind in kinds.values() if list(kinds.values()).count(kind) > 1}
    again = {f"{kind} {pair[0]}{pair[1]}" if kind in several else kind: rows[pair] for pair, kind in kinds.items()}
    return again | {f"{PERTURBED} {pair[1]}": rows[pair] for pair in rows if pair[0] == PERTURBED and len(rows[pair])}


def drawn_again(repeats: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Those of `repeat_tables` that people made."""
    return {kind: rows for kind, rows in repeats.items() if not kind.startswith(PERTURBED)}


def perturbed(repeats: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Those of `repeat_tables` that were measured on perturbed scans."""
    return {kind: rows for kind, rows in repeats.items() if kind.startswith(PERTURBED)}


def columns_of(table: FeatureTable, study: Study, blocks: tuple[str, ...]) -> list[str]:
    """Feature columns of these sequences or blocks, in the order of the table."""
    return [name for name in table.features if study.block_of(name) in blocks]


def _has_all(frame: pd.DataFrame, study: Study, blocks: tuple[str, ...]) -> pd.Series:
    """Patients with at least one value of every sequence or block."""
    present = pd.Series(data=True, index=frame.index)
    owners = [study.block_of(name) for name in frame.columns]
    for block in blocks:
        present &= frame.loc[:, [owner == block for owner in owners]].notna().any(axis=1)
    return present
