"""The primary model on shuffled outcomes: what it reaches where nothing can be learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from glottis.evaluation.discrimination import area
from glottis.modelling.fixed import FixedChain
from glottis.modelling.views import Begun
from glottis.study.chains import Fixed, as_tuned, n_blind
from glottis.study.fitting import refuse_leak, scorable, table_digests, unit_key
from glottis.study.parallel import Progress, map_units, workers
from glottis.study.spec import Study
from glottis.study.store import ResultCache
from glottis.study.units import FitUnit

Areas = dict[str, float | None]

PARTITIONS = 2
"""Of repeated splits a permutation goes through the first two, of a k-fold through its first repeat."""
GROUPS_A_WORKER = 3
"""Permutations of a partition are divided, at the price of one more fit of their common steps a group, until each
worker has so many groups."""


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


@dataclass(frozen=True, kw_only=True)
class ShuffledGroup:
    """Permutations of one partition, which share what sees no outcome.

    Attributes:
        shuffles: at least one; they differ in outcome and number alone.
    """

    shuffles: tuple[ShuffledUnit, ...]


def fitted_shuffles(shuffles: Sequence[ShuffledUnit], *, jobs: int, progress: Progress) -> list[Areas]:
    """What `fit_group` gives for every permutation, in their order.

    Args:
        shuffles: of any partitions.
        jobs: processes on this machine; a cluster has its own number of workers.
        progress: told after every group.
    """
    places = _grouped(shuffles, workers(jobs))
    groups = [ShuffledGroup(shuffles=tuple(shuffles[place] for place in own)) for own in places]
    results = map_units(fit_group, groups, jobs=jobs, stage="permutations", progress=progress)
    found: dict[int, Areas] = {}
    for own, result in zip(places, results, strict=True):
        found.update(zip(own, result, strict=True))
    return [found[place] for place in range(len(shuffles))]


def _grouped(shuffles: Sequence[ShuffledUnit], n_workers: int) -> list[list[int]]:
    """Places of the permutations of each group: of one partition, and enough groups that no worker waits long."""
    parts: dict[tuple[int, int], list[int]] = {}
    for place, shuffle in enumerate(shuffles):
        parts.setdefault((shuffle.unit.repeat, shuffle.unit.fold), []).append(place)
    pieces = -(-GROUPS_A_WORKER * n_workers // max(len(parts), 1))
    return [
        [int(place) for place in own]
        for places in parts.values()
        for own in np.array_split(places, min(pieces, len(places)))
    ]


def fit_group(group: ShuffledGroup) -> list[Areas]:
    """Held-out AUC of each model that learnt from shuffled outcomes, by set; None for a set of one class.

    Each is stored by itself. Steps before the first one that looks at the outcome are fitted once, if at all.
    """
    found: list[Areas] = []
    begun: Begun | None = None
    tables = table_digests(group.shuffles[0].unit)
    for shuffle in group.shuffles:
        cache = ResultCache(shuffle.unit.cache)
        key = unit_key(shuffle.unit, "shuffled", shuffle.model, shuffle.tuned, tables=tables)
        stored: Areas | None = cache.get(key)
        if stored is None:
            model = as_tuned(shuffle.unit, shuffle.model, shuffle.tuned)
            if begun is None and isinstance(model, FixedChain):
                begun = model.begin(shuffle.unit.training, n_blind(model.chain.steps))
            stored = _shuffled_areas(shuffle, model, begun)
            cache.put(key, stored)
        found.append(stored)
    return found


def _shuffled_areas(shuffle: ShuffledUnit, model: Fixed, begun: Begun | None) -> Areas:
    unit = shuffle.unit
    outcome = unit.outcome.loc[unit.training.index]
    if isinstance(model, FixedChain):
        model.fit(unit.training, outcome, groups=unit.groups, begun=begun)
    else:
        model.fit(unit.training, outcome, groups=unit.groups)
    refuse_leak(unit, shuffle.model, model)
    found: Areas = {}
    for name, view in unit.tests.items():
        usable = view[scorable(unit, model, view)]
        truth = unit.outcome.loc[usable.index].to_numpy().astype(bool)
        both = 0 < truth.sum() < truth.size
        found[name] = float(area(truth, model.predict_proba(usable)[:, 1])) if both else None
    return found
