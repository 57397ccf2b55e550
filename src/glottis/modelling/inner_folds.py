"""Folds inside a training view: stratified, groups kept together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


def inner_splits(strata: NDArray[Any], groups: NDArray[Any] | None, *, folds: int, random_state: int) -> list[Split]:
    """Places of the training and of the other rows of each fold.

    Args:
        strata: (n,) what folds are stratified by.
        groups: (n,) rows of one group stay in one fold; None without groups.
        folds: how many.
        random_state: seed of the folds.

    Raises:
        ValueError: groups too large for folds whose training rows have every stratum.
    """
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    splitter = kind(folds, shuffle=True, random_state=random_state)
    splits = [
        (train, test)
        for train, test in splitter.split(np.zeros(strata.size), strata, groups)
        if test.size and np.unique(strata[train]).size == np.unique(strata).size
    ]
    if sum(test.size for _, test in splits) < strata.size:
        message = (
            f"The {folds} inner folds cannot hold both classes: the groups are too large; use fewer folds, or "
            "check the group column."
        )
        raise ValueError(message)
    return splits


def check_folds(codes: NDArray[Any], groups: NDArray[Any] | None, folds: int) -> None:
    """Refuse fewer than two folds, and more than the rarer class has patients or groups.

    Args:
        codes: (n,) 0 and 1.
        groups: (n,) or None.
        folds: how many.

    Raises:
        ValueError: saying how many folds there can be.
    """
    units = np.arange(codes.size) if groups is None else groups
    smaller = min(np.unique(units[codes == code]).size for code in (0, 1))
    if folds < 2 or smaller < folds:
        what = "patients" if groups is None else "groups"
        message = (
            f"{folds} inner folds: at least 2 are needed, and as many {what} of each class as folds; the "
            f"smaller class has {smaller}: set folds to at most {smaller}, or collect more patients."
        )
        raise ValueError(message)
