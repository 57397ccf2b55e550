"""What a chain may learn from: rows sorted by label, their inner folds, and the steps fitted on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import has_fit_parameter

Fold = int | Literal["final"]
Steps = list[tuple[str, Any]]


@dataclass(frozen=True)
class FitRecord:
    """One call of ``fit``: which step, in which fold, on which rows.

    Attributes:
        step: name of the step; the classifier's has its name, and what learns from out-of-fold scores is called
            ``"tuning"``, ``"recalibration"`` and ``"threshold"``.
        fold: number of the inner fold, or ``"final"`` for the whole training view.
        rows: index labels of the rows that were passed.
    """

    step: str
    fold: Fold
    rows: tuple[Any, ...]


@dataclass(frozen=True)
class View:
    """Rows that may be learnt from, sorted by label.

    Attributes:
        X: (n, features) indexed by patient.
        outcome: (n,) booleans, or a structured array of event and time.
        groups: (n,) or None.
    """

    X: pd.DataFrame
    outcome: NDArray[Any]
    groups: NDArray[Any] | None

    def rows(self, which: NDArray[np.intp]) -> View:
        """These rows alone, in this order."""
        groups = None if self.groups is None else self.groups[which]
        return View(self.X.iloc[which], self.outcome[which], groups)

    @property
    def for_steps(self) -> NDArray[Any]:
        """The outcome as the steps take it: 0 and 1, or event and time."""
        return self.outcome.astype(int) if self.outcome.dtype == bool else self.outcome


@dataclass(frozen=True)
class FittedSteps:
    """All steps fitted on one view, and what they make of it.

    Attributes:
        fold: number of the inner fold, or ``"final"``.
        steps: names and fitted steps.
        training: the view after the steps.
        held_out: the fold's other rows after the steps; without rows for ``"final"``.
        test: places of these rows in the whole view.
        log: one record a step.
    """

    fold: Fold
    steps: Steps
    training: View
    held_out: pd.DataFrame
    test: NDArray[np.intp]
    log: tuple[FitRecord, ...]


@dataclass(frozen=True, eq=False)
class Begun:
    """The first steps of a chain, fitted on rows whose outcome none of them was given.

    Attributes:
        given: the table of these rows.
        steps: names and fitted steps.
        X: its rows, sorted by label, after the steps.
        log: one record a step.
    """

    given: pd.DataFrame
    steps: Steps
    X: pd.DataFrame
    log: tuple[FitRecord, ...]


def begin_steps(steps: Steps, X: pd.DataFrame) -> Begun:
    """Fit clones of the first steps of a chain without an outcome, so that fits to several outcomes can share them.

    Args:
        steps: those that need no outcome.
        X: (n, features), each patient once.
    """
    check_table(X)
    order = np.argsort(X.index.to_numpy(), kind="stable")
    rows = X.iloc[order].iloc[np.arange(order.size)]  # laid out in memory as a view's, since sums depend on it
    fitted, after, log = _in_turn(steps, rows, "final", None, None)
    return Begun(X, fitted, after, tuple(log))


def refuse_other_beginning(begun: Begun, steps: Steps, X: pd.DataFrame) -> None:
    """Refuse a beginning of other rows or of other steps.

    Raises:
        ValueError: they differ.
    """
    first = list(steps[: len(begun.steps)])
    if not equal(X, begun.given) or not equal(first, begun.steps):
        message = (
            f"The {len(begun.steps)} steps that were fitted before are of another table or chain: begin again with "
            "the rows and the chain of this fit."
        )
        raise ValueError(message)


def fit_steps(
    steps: Steps,
    view: View,
    fold: Fold,
    split: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None,
    begun: Begun | None = None,
) -> FittedSteps:
    """Fit clones of the steps on the training rows of a split; without a split on all rows.

    What was begun on all rows is taken as it is, and the steps after it are fitted.
    """
    everything = np.arange(len(view.X))
    train, test = (everything, everything[:0]) if split is None else split
    if begun is None:
        training = view.rows(train)
        fitted, X, log = _in_turn(steps, training.X, fold, training.for_steps, training.groups)
    else:
        training, rest = view, steps[len(begun.steps) :]
        fitted, X, log = _in_turn(rest, begun.X, fold, training.for_steps, training.groups)
        fitted, log = [*begun.steps, *fitted], [*begun.log, *log]
    held_out = through(fitted, view.X.iloc[test]) if test.size else X.iloc[:0]
    refuse_holes(X)
    return FittedSteps(fold, fitted, View(X, training.outcome, training.groups), held_out, test, tuple(log))


def _in_turn(
    steps: Steps, X: pd.DataFrame, fold: Fold, outcome: NDArray[Any] | None, groups: NDArray[Any] | None
) -> tuple[Steps, pd.DataFrame, list[FitRecord]]:
    """Clones of the steps, each fitted on what the one before makes of the rows; the rows after all; who was seen."""
    fitted: Steps = []
    log = []
    for name, step in steps:
        more = {} if groups is None or not has_fit_parameter(step, "groups") else {"groups": groups}
        log.append(FitRecord(name, fold, tuple(X.index)))
        fitted.append((name, clone(step).fit(X, outcome, **more)))
        X = fitted[-1][1].transform(X)
    return fitted, X, log


def through(steps: Steps, X: pd.DataFrame) -> pd.DataFrame:
    """The table after all fitted steps."""
    for _, step in steps:
        X = step.transform(X)
    return X


def refuse_holes(X: pd.DataFrame) -> None:
    """Refuse a value that is not finite in what a model would see.

    Raises:
        ValueError: naming the first feature and patient.
    """
    bad = ~np.isfinite(X.to_numpy(dtype=np.float64))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        message = (
            f"Feature {X.columns[column]!r} of {X.index[row]!r} is not finite ({bad.any(axis=1).sum()} rows "
            "concerned): extract it again, or leave this patient out and say so."
        )
        raise ValueError(message)


def check_table(X: Any) -> None:
    """Refuse what is not a table with each patient and feature once.

    Raises:
        TypeError: X is not a DataFrame.
        ValueError: a row label or a column repeats.
    """
    if not isinstance(X, pd.DataFrame):
        message = f"The chain needs a DataFrame indexed by patient; got {type(X).__name__}: give the feature table."
        raise TypeError(message)
    for what, labels in (("row label", X.index), ("column", X.columns)):
        if not labels.is_unique:
            message = f"The {what} {labels[labels.duplicated()][0]!r} occurs twice: give each patient and feature once."
            raise ValueError(message)


def aligned(values: ArrayLike, index: pd.Index[Any], what: str) -> NDArray[Any]:
    """Values in the order of the rows: by label for a Series or DataFrame, by place otherwise.

    Raises:
        ValueError: a row is missing or named twice, or the length differs.
    """
    if isinstance(values, pd.Series | pd.DataFrame):
        missing = index.difference(values.index)
        if len(missing) or not values.index.is_unique:
            message = f"The {what} must name each training row once; {len(missing)} are missing: check the labels."
            raise ValueError(message)
        rows = values.loc[index]
        return rows.to_numpy() if isinstance(rows, pd.Series) else rows.to_records(index=False)
    array = np.asarray(values)
    if array.shape != (len(index),):
        message = f"The {what} needs one entry a row ({len(index)}); got shape {array.shape}: check the table."
        raise ValueError(message)
    return array


def binary_view(X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None) -> tuple[NDArray[Any], View]:
    """The two classes, the second positive, and the checked rows sorted by label.

    Raises:
        TypeError: X is not a DataFrame.
        ValueError: labels or columns repeat, lengths differ, or an outcome that has not two classes.
    """
    check_table(X)
    outcome = aligned(y, X.index, "outcome")
    grouping = None if groups is None else aligned(groups, X.index, "groups")
    classes, codes = np.unique(outcome, return_inverse=True)
    if classes.size != 2:
        shown = ", ".join(map(str, classes[:5]))
        message = (
            f"The outcome needs two classes in the training rows; got {classes.size} ({shown}): "
            "check the outcome column and the split."
        )
        raise ValueError(message)
    order = np.argsort(X.index.to_numpy(), kind="stable")
    return classes, View(X, codes.astype(bool), grouping).rows(order)


def equal(first: Any, second: Any) -> bool:
    """Whether two settings are the same: estimators by type and parameters, tables and arrays by their values."""
    if first is second:
        return True
    if type(first) is not type(second):
        return False
    if isinstance(first, BaseEstimator):
        return equal(first.get_params(deep=False), second.get_params(deep=False))
    if isinstance(first, Mapping):
        return list(first) == list(second) and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(equal, first, second))
    if isinstance(first, pd.DataFrame | pd.Series | pd.Index):
        return bool(first.equals(second))
    if isinstance(first, np.ndarray):
        return bool(first.dtype == second.dtype and first.tobytes() == second.tobytes())
    return bool(first == second)
