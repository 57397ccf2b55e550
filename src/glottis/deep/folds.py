"""Splits of training rows that keep groups whole and both classes on either side."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedGroupKFold

from glottis._errors import CohortError

Rows = NDArray[np.intp]


def groups_of(groups: ArrayLike | None, n: int) -> NDArray[Any]:
    """(n,) group of each row; every row its own without groups.

    Raises:
        CohortError: not one group a row.
    """
    known = np.arange(n) if groups is None else np.asarray(groups)
    if known.shape != (n,):
        message = f"Groups of shape {known.shape} for {n} images: give one group an image."
        raise CohortError(message)
    return known


def splits(codes: NDArray[np.intp], groups: NDArray[Any], folds: int, random_state: int) -> list[tuple[Rows, Rows]]:
    """Places of the training and of the other rows of each fold, stratified, groups kept together.

    Args:
        codes: (n,) 0 and 1.
        groups: (n,) rows of one group stay in one fold.
        folds: how many, at least 2.
        random_state: seed of the folds.

    Raises:
        CohortError: a class has fewer groups than there are folds, or a fold lacks a class.
    """
    smaller = min(np.unique(groups[codes == code]).size for code in (0, 1))
    if folds < 2 or smaller < folds:
        message = (
            f"{folds} folds for the network: at least 2 are needed, and as many patients of each class as folds; the "
            f"smaller class has {smaller}: use fewer folds or collect more patients."
        )
        raise CohortError(message)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=random_state)
    found = list(splitter.split(np.zeros(codes.size), codes, groups))
    if any(np.unique(codes[part]).size < 2 for split in found for part in split):
        message = (
            f"The {folds} folds for the network cannot all hold both classes: the groups are too large; use fewer "
            "folds, or check the group column."
        )
        raise CohortError(message)
    return found


def inner_split(codes: NDArray[np.intp], groups: NDArray[Any], fraction: float, random_state: int) -> tuple[Rows, Rows]:
    """Rows to train on and rows that early stopping watches: the first of about 1 / ``fraction`` folds.

    Raises:
        CohortError: see :func:`splits`.
    """
    return splits(codes, groups, max(2, round(1 / fraction)), random_state)[0]
