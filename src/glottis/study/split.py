"""Who trains and who tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from glottis._errors import CohortError, nearest
from glottis.data.cohort import Case, Cohort
from glottis.study.spec import Split

TRAINING, INTERNAL, EXTERNAL, CROSS_VALIDATION = "training", "internal", "external", "cross-validation"


@dataclass(frozen=True, kw_only=True)
class Partition:
    """One division of the cohort: the training patients and, by name of the set, the held-out ones."""

    repeat: int
    fold: int
    training: tuple[str, ...]
    tests: Mapping[str, tuple[str, ...]]

    def held_out(self) -> set[str]:
        """Every patient that no fit of this partition may see."""
        return {patient for patients in self.tests.values() for patient in patients}


def partitions(cohort: Cohort, split: Split, *, random_state: int) -> tuple[Partition, ...]:
    """Divide a cohort, group by group, in the order of ids.

    Args:
        cohort: cases whose outcome is known.
        split: how to divide.
        random_state: seed of everything random here.

    Returns:
        One partition, ``folds`` x ``repeats`` of them for a k-fold, or ``repeats`` for repeated splits.

    Raises:
        CohortError: a set would hold one class only, a centre is unknown, or there are fewer events than folds.
    """
    cases = list(cohort)
    if split.method == "kfold":
        parts = _k_fold(cases, split, random_state)
    elif split.method == "given":
        parts = (_given(cases),)
    elif split.method == "repeated":
        parts = tuple(_repeated(cases, split, random_state, repeat) for repeat in range(split.repeats))
    else:
        parts = (_held_out(cases, split, random_state),)
    for part in parts:
        _check_partition(part, {case.patient: case for case in cases})
    return parts


def partition_digest(parts: Sequence[Partition], cohort: Cohort) -> str:
    """SHA-256 of who is held out, with their outcomes: the identity of the test sets."""
    outcome = {case.patient: case.outcome for case in cohort}
    content = [
        [part.repeat, part.fold, name, [[patient, outcome[patient]] for patient in sorted(patients)]]
        for part in parts
        for name, patients in sorted(part.tests.items())
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _held_out(cases: list[Case], split: Split, random_state: int) -> Partition:
    """An internal test set at random, an external one by centre, or both."""
    centres = sorted({case.centre for case in cases})
    for name in split.external:
        if name not in centres:
            message = f"split.external names centre '{name}', which no patient has ({nearest(name, centres)})."
            raise CohortError(message)
    outside = [case for case in cases if case.centre in split.external]
    inside = [case for case in cases if case.centre not in split.external]
    torn = {case.group for case in outside} & {case.group for case in inside}
    if torn:
        message = (
            f"Group '{min(torn)}' has patients in an external centre and elsewhere ({len(torn)} such groups): "
            "a group must lie on one side of the split; correct the group or the centre column."
        )
        raise CohortError(message)
    tests: dict[str, tuple[str, ...]] = {}
    training = inside
    if split.method == "random":
        chosen = _random_groups(inside, split, random_state)
        tests[INTERNAL] = tuple(case.patient for case in inside if case.group in chosen)
        training = [case for case in inside if case.group not in chosen]
    if outside:
        tests[EXTERNAL] = tuple(case.patient for case in outside)
    return Partition(repeat=0, fold=0, training=tuple(case.patient for case in training), tests=tests)


def _repeated(cases: list[Case], split: Split, random_state: int, repeat: int) -> Partition:
    """One of several random splits; its test set is scored once a repeat, as in a cross-validation."""
    part = _held_out(cases, split.model_copy(update={"method": "random", "external": ()}), random_state + repeat)
    return Partition(repeat=repeat, fold=0, training=part.training, tests={CROSS_VALIDATION: part.tests[INTERNAL]})


def _random_groups(cases: list[Case], split: Split, random_state: int) -> set[str]:
    from sklearn.model_selection import train_test_split

    groups, strata = _groups(cases, 2, "a random split needs at least 2 groups of each class")
    _, chosen = train_test_split(
        groups,
        test_size=split.test_fraction,
        stratify=strata if split.stratify else None,
        random_state=random_state,
    )
    return set(chosen)


def _k_fold(cases: list[Case], split: Split, random_state: int) -> tuple[Partition, ...]:
    from sklearn.model_selection import StratifiedKFold

    why = f"split.folds is {split.folds}; use fewer folds or more patients"
    groups, strata = _groups(cases, split.folds, why)
    parts = []
    for repeat in range(split.repeats):
        folds = StratifiedKFold(split.folds, shuffle=True, random_state=random_state + repeat)
        for fold, (_, held) in enumerate(folds.split(groups, strata)):
            chosen = {groups[i] for i in held}
            parts.append(
                Partition(
                    repeat=repeat,
                    fold=fold,
                    training=tuple(case.patient for case in cases if case.group not in chosen),
                    tests={CROSS_VALIDATION: tuple(case.patient for case in cases if case.group in chosen)},
                )
            )
    return tuple(parts)


def _given(cases: list[Case]) -> Partition:
    sets: dict[str, list[str]] = {TRAINING: [], INTERNAL: [], EXTERNAL: []}
    side: dict[str, str] = {}
    for case in cases:
        name = case.given_set.strip().lower()
        if name not in sets:
            message = (
                f"Patient '{case.patient}' has set '{case.given_set}' ({nearest(name, sets)}): "
                "the column of a given split holds training, internal or external."
            )
            raise CohortError(message)
        if side.setdefault(case.group, name) != name:
            message = f"Group '{case.group}' is in both {side[case.group]} and {name}: a group must lie on one side."
            raise CohortError(message)
        sets[name].append(case.patient)
    tests = {name: tuple(sets[name]) for name in (INTERNAL, EXTERNAL) if sets[name]}
    if not tests:
        message = "The given split holds no internal and no external patient: mark some, or use split.method: kfold."
        raise CohortError(message)
    return Partition(repeat=0, fold=0, training=tuple(sets[TRAINING]), tests=tests)


def _groups(cases: Iterable[Case], needed: int, why: str) -> tuple[list[str], list[int]]:
    """Groups in order of name, each with its stratum: whether any of its rows has the event.

    A group of several rows may hold both classes. Where too few groups are without any event to be spread over the
    sets, all groups are one stratum.

    Raises:
        CohortError: fewer than ``needed`` groups hold a class.
    """
    classes: dict[str, set[int]] = {}
    for case in cases:
        classes.setdefault(case.group, set()).add(int(case.outcome or 0))
    names = sorted(classes)
    holding = [sum(code in classes[name] for name in names) for code in (0, 1)]
    if min(holding) < needed:
        message = f"The cohort has {holding[1]} groups with the event and {holding[0]} without: {why}."
        raise CohortError(message)
    strata = [max(classes[name]) for name in names]
    return names, strata if min(strata.count(0), strata.count(1)) >= needed else [0] * len(names)


def _check_partition(part: Partition, by_patient: Mapping[str, Case]) -> None:
    for name, patients in ((TRAINING, part.training), *part.tests.items()):
        outcomes = np.array([by_patient[patient].outcome for patient in patients], dtype=float)
        if len(set(outcomes)) < 2:
            which = f"the {name} set" if part.fold == 0 and part.repeat == 0 else f"fold {part.fold + 1}'s {name} set"
            message = (
                f"{which[0].upper()}{which[1:]} has {len(outcomes)} patients of one class only: "
                "no AUC exists there. Choose another split or another external centre."
            )
            raise CohortError(message)
