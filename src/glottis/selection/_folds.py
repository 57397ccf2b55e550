"""Folds of the selectors that tune themselves: stratified where there are classes, groups kept together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

Splits = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def splits(outcome: NDArray[Any], groups: Any, n_folds: int, random_state: int, *, classes: bool) -> Splits:
    """Training and test rows of each fold; a fold without test rows is left out.

    Args:
        outcome: (n,) outcome.
        groups: (n,) rows of one group stay in one fold; None where each row is a group.
        n_folds: number of folds.
        random_state: seed.
        classes: whether the outcome is a class, so that folds are stratified by it.
    """
    kinds = {
        (False, False): KFold,
        (False, True): GroupKFold,
        (True, False): StratifiedKFold,
        (True, True): StratifiedGroupKFold,
    }
    splitter = kinds[classes, groups is not None](n_folds, shuffle=True, random_state=random_state)
    found = splitter.split(np.zeros(outcome.size), outcome, groups)
    return [(train, test) for train, test in found if test.size]


def possible_folds(outcome: NDArray[Any], folds: int, *, who: str, chosen: str, classes: bool) -> tuple[int, list[str]]:
    """How many folds there can be, at most ``folds``, and a note where there are fewer.

    Args:
        outcome: (n,) outcome.
        folds: folds asked for.
        who: needs the folds, as the error names it.
        chosen: what they choose, as the note names it.
        classes: whether the outcome is a class.

    Raises:
        ValueError: fewer than two folds.
    """
    possible = int(np.unique(outcome, return_counts=True)[1].min()) if classes else outcome.size
    n_folds = min(folds, possible)
    if n_folds < 2:
        message = (
            f"{who} needs two folds with both classes; got {possible} in the smaller class and folds={folds}: "
            "more events are needed."
        )
        raise ValueError(message)
    if n_folds == folds:
        return n_folds, []
    return n_folds, [f"{chosen} chosen in {n_folds} folds instead of {folds}: {possible} in the smaller class"]
