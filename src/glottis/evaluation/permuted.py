"""Permutation importance: how much AUC goes when a feature of held-out patients is shuffled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from glottis._errors import StatisticsError
from glottis.evaluation.discrimination import area
from glottis.evaluation.interval import Bools, Floats, check_scores, plain

Predict = Callable[[Any], ArrayLike]
Places = NDArray[np.intp]
_MOST_CELLS = 5_000_000


@dataclass(frozen=True)
class PermutedColumns:
    """What shuffling one column, or a group of columns together, costs.

    Attributes:
        name: of the column or group.
        columns: that were shuffled.
        value: mean drop of the AUC; below 0 the shuffled column did better, by chance or by overfitting.
        sd: standard deviation over the shuffles: of the luck of shuffling, not of the sampling of patients.
        drops: (repeats,) drop of each shuffle.
    """

    name: str
    columns: tuple[str, ...]
    value: float
    sd: float
    drops: Floats

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class PermutationImportance:
    """Drop of AUC a column or group, in their given order.

    Attributes:
        auc: of the rows as they are.
        parts: one entry a column or group.
        repeats: shuffles of each.
        n_positive: patients of class 1.
        n_negative: patients of class 0.
    """

    auc: float
    parts: tuple[PermutedColumns, ...]
    repeats: int
    n_positive: int
    n_negative: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def permutation_importance(
    predict: Predict,
    X: pd.DataFrame,
    y_true: ArrayLike,
    *,
    repeats: int = 30,
    random_state: int = 0,
    groups_of_columns: Mapping[str, Sequence[str]] | None = None,
) -> PermutationImportance:
    """Drop of AUC when a column of held-out rows is shuffled (Breiman 2001; Fisher et al. 2019).

    It tells what the model relies on. Of correlated features each can look unimportant, since the other stands in: give
    them as a group. All columns get the same shuffles.

    Args:
        predict: rows of X to the (k,) scores of class 1; each row's score must depend on that row alone.
        X: (n, p) table of patients that the model has not seen.
        y_true: (n,) outcome, 0 or 1.
        repeats: shuffles of each column.
        random_state: seed.
        groups_of_columns: name to the columns that are shuffled together, such as those of a sequence; None takes each
            column alone.

    Raises:
        ValueError: one class, unequal lengths, scores that are not finite, fewer than 2 repeats, no or an unknown
            column, or a column named twice in a group.

    >>> table = pd.DataFrame({"used": [0.1, 0.4, 0.6, 0.9], "unused": [3, 1, 2, 4]})
    >>> found = permutation_importance(lambda rows: rows["used"], table, [0, 0, 1, 1])
    >>> found.auc, found.parts[0].value > 0, found.parts[1].value
    (1.0, True, 0.0)
    """
    if repeats < 2:
        message = f"Permutation importance needs at least 2 repeats; got {repeats}: 30 is usual."
        raise StatisticsError(message)
    rng = np.random.default_rng(random_state)
    shuffles = np.array([rng.permutation(len(X)) for _ in range(repeats)])
    return over_shuffles(predict, X, y_true, groups_of_columns, shuffles)


def over_shuffles(
    predict: Predict,
    X: pd.DataFrame,
    y_true: ArrayLike,
    groups_of_columns: Mapping[str, Sequence[str]] | None,
    shuffles: Places,
) -> PermutationImportance:
    """`permutation_importance` with the (repeats, n) orders of the rows given."""
    groups = {str(name): [name] for name in X.columns} if groups_of_columns is None else dict(groups_of_columns)
    _check(X, groups)
    truth, score = check_scores(y_true, predict(X))
    auc = area(truth, score)
    parts = []
    for name, columns in groups.items():
        drops = auc - _areas(predict, X, truth, X.columns.get_indexer(pd.Index(list(columns))), shuffles)
        parts.append(
            PermutedColumns(name, tuple(map(str, columns)), float(drops.mean()), float(drops.std(ddof=1)), drops)
        )
    n_positive = int(truth.sum())
    return PermutationImportance(auc, tuple(parts), len(shuffles), n_positive, truth.size - n_positive)


def _check(X: pd.DataFrame, groups: Mapping[str, Sequence[str]]) -> None:
    if X.columns.duplicated().any():
        message = f"Column {X.columns[X.columns.duplicated()][0]!r} is there twice: give every column one name."
        raise StatisticsError(message)
    if not groups:
        message = "There is no column to shuffle: give a table with columns, or a group of them."
        raise StatisticsError(message)
    for name, columns in groups.items():
        wrong = [column for column in columns if column not in X.columns]
        if wrong or not len(columns) or len(set(columns)) != len(columns):
            what = f"column {wrong[0]!r}, which the table has not" if wrong else "no column or one twice"
            message = f"Group {name!r} names {what}: give columns of the table, each once."
            raise StatisticsError(message)


def _areas(predict: Predict, X: pd.DataFrame, truth: Bools, places: Places, shuffles: Places) -> Floats:
    """(repeats,) AUC with the columns at ``places`` shuffled, several shuffles a call."""
    n, step = len(X), max(1, _MOST_CELLS // X.size)
    found = []
    for start in range(0, len(shuffles), step):
        some = shuffles[start : start + step]
        stacked = X.iloc[np.tile(np.arange(n), len(some))].reset_index(drop=True)
        for place in places:
            moved = X.iloc[some.ravel(), place].reset_index(drop=True)
            stacked[X.columns[place]] = moved
        scores = np.asarray(predict(stacked), dtype=np.float64).reshape(len(some), n)
        found += [area(truth, check_scores(truth, row)[1]) for row in scores]
    return np.array(found)
