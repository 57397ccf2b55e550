"""Nested cross-validation and repeated splits, for tables without a study.

A study makes its own partitions and scores held-out patients itself; these functions do the same for somebody who has a
feature table and a chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, StratifiedShuffleSplit

from glottis.evaluation.cross_validated import CrossValidatedAUC, cross_validated_auc
from glottis.evaluation.discrimination import area
from glottis.evaluation.interval import Bools, plain
from glottis.modelling.chain import fit_together
from glottis.modelling.choice import choose
from glottis.modelling.crossval import TunedChain
from glottis.modelling.views import aligned, check_table

Chains = TunedChain | Mapping[str, TunedChain]


@dataclass(frozen=True, kw_only=True)
class NestedResult:
    """What nested cross-validation gives: every score is of a patient whom no part of its model has seen.

    Attributes:
        auc: mean over folds with its interval, and the spread of the repeats' means (``sd_over_repeats``).
        folds: one row an outer fold: ``repeat``, ``fold``, ``n_training``, ``n_test``, ``n_positive``, ``auc`` (nan
            for a fold of one class), ``inner_auc``, ``threshold``, ``chosen`` (name of the chain), ``params``.
        scores: one row a patient and repeat: ``patient``, ``repeat``, ``fold``, ``y_true``, ``y_score``, ``threshold``.
        of_repeats: mean AUC of each repeat.
    """

    auc: CrossValidatedAUC
    folds: pd.DataFrame
    scores: pd.DataFrame
    of_repeats: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the patients' scores."""
        folds = [{name: plain(value) for name, value in row.items()} for row in self.folds.to_dict(orient="records")]
        return {"auc": self.auc.to_dict(), "of_repeats": list(self.of_repeats), "folds": folds}


@dataclass(frozen=True, kw_only=True)
class SplitsResult:
    """The same study on several random splits: how much a single one owes to luck.

    Attributes:
        splits: one row a split: ``split``, ``n_training``, ``n_test``, ``n_positive``, ``auc``, ``inner_auc``,
            ``chosen``, ``params``.
        mean: mean AUC of the splits.
        sd: its standard deviation; None with one split. It tells the luck of a split, not the uncertainty of the mean,
            since the splits share patients.
        lowest: the unluckiest split's AUC.
        highest: the luckiest split's.
    """

    splits: pd.DataFrame
    mean: float
    sd: float | None
    lowest: float
    highest: float


def nested_cross_validation(
    chain: Chains,
    X: pd.DataFrame,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    folds: int = 5,
    repeats: int = 10,
    random_state: int = 0,
) -> NestedResult:
    """AUC of the whole procedure (selection, tuning, choice of the classifier) by repeated outer folds.

    Each outer fold's training patients fit the chain, inner folds and all; its test patients are scored once.

    Args:
        chain: a chain, which keeps its own seed; or several by name, between which each outer fold chooses by their
            inner AUC alone.
        X: (patients, features), indexed by patient, each once.
        y: (patients,) outcome of two classes; a Series is matched by its labels.
        groups: (patients,) rows of one group stay on one side of every fold, outer and inner.
        folds: outer folds, stratified by outcome.
        repeats: times that patients are dealt out anew.
        random_state: seed of the outer folds.

    Raises:
        TypeError: X is not a DataFrame, or a chain is not a `TunedChain`.
        ValueError: fewer than two folds or one repeat, too few patients or groups in a class, or what the chain
            refuses.
    """
    data = _Data.of(chain, X, y, groups)
    _check_number("repeats", repeats, 1)
    _check_number("folds", folds, 2)
    smaller = min(np.unique(data.groups[data.truth == code]).size for code in (True, False))
    if smaller < folds:
        message = f"{folds} outer folds need as many patients (or groups) of each class; the smaller has {smaller}."
        raise ValueError(message)
    rows, scores = [], []
    for repeat in range(repeats):
        for fold, (train, test) in enumerate(data.folds(folds, random_state + repeat)):
            row, score = _one(chain, data, train, test)
            rows.append({"repeat": repeat, "fold": fold, **row})
            scores.append(score.assign(repeat=repeat, fold=fold))
    table = pd.concat(scores, ignore_index=True)
    of_folds = pd.DataFrame(rows)
    return NestedResult(
        auc=cross_validated_auc(table["y_true"], table["y_score"], table["repeat"], table["fold"]),
        folds=of_folds,
        scores=table[["patient", "repeat", "fold", "y_true", "y_score", "threshold"]],
        of_repeats=tuple(float(value) for value in of_folds.groupby("repeat")["auc"].mean()),
    )


def repeated_splits(
    chain: Chains,
    X: pd.DataFrame,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    test_fraction: float = 0.3,
    repeats: int = 10,
    random_state: int = 0,
) -> SplitsResult:
    """The AUC on each of several random splits into training and test patients, so that one lucky split shows.

    Args:
        chain: as for `nested_cross_validation`.
        X: as for `nested_cross_validation`.
        y: as for `nested_cross_validation`.
        groups: rows of one group stay together; groups are then dealt out, stratified by whether any row is positive.
        test_fraction: share of patients (or groups) held out, between 0 and 1.
        repeats: splits.
        random_state: seed of the splits.

    Raises:
        TypeError: as for `nested_cross_validation`.
        ValueError: a fraction outside (0, 1), no split, a split without both classes, or what the chain refuses.
    """
    data = _Data.of(chain, X, y, groups)
    _check_number("repeats", repeats, 1)
    if not 0 < test_fraction < 1:
        message = f"A test fraction lies between 0 and 1; got {test_fraction}: 0.3 is the default."
        raise ValueError(message)
    rows = [
        {"split": number, **_one(chain, data, train, test)[0]}
        for number, (train, test) in enumerate(data.splits(test_fraction, repeats, random_state))
    ]
    table = pd.DataFrame(rows)
    areas = table["auc"].to_numpy(dtype=float)
    if np.isnan(areas).any():
        message = f"Split {int(np.isnan(areas).argmax())} has one class only in its test rows: hold out more patients."
        raise ValueError(message)
    return SplitsResult(
        splits=table,
        mean=float(areas.mean()),
        sd=float(areas.std(ddof=1)) if areas.size > 1 else None,
        lowest=float(areas.min()),
        highest=float(areas.max()),
    )


@dataclass(frozen=True)
class _Data:
    """Rows sorted by label; without groups each patient is one."""

    X: pd.DataFrame
    y: pd.Series
    truth: Bools
    groups: NDArray[Any]
    grouped: bool

    @classmethod
    def of(cls, chain: Chains, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None) -> _Data:
        for item in chain.values() if isinstance(chain, Mapping) else (chain,):
            if not isinstance(item, TunedChain):
                message = f"Outer folds need a TunedChain, whose result is an AUC; got {type(item).__name__}."
                raise TypeError(message)
        check_table(X)
        outcome, grouping = (
            aligned(y, X.index, "outcome"),
            None if groups is None else aligned(groups, X.index, "groups"),
        )
        classes, codes = np.unique(outcome, return_inverse=True)
        if classes.size != 2:
            message = f"The outcome needs two classes; got {classes.size}: check the outcome column."
            raise ValueError(message)
        order = np.argsort(X.index.to_numpy(), kind="stable")
        units = np.arange(len(X)) if grouping is None else np.unique(grouping[order], return_inverse=True)[1]
        sorted_y = pd.Series(outcome[order], index=X.index[order])
        return cls(X.iloc[order], sorted_y, codes[order].astype(bool), units, grouping is not None)

    def folds(self, n_folds: int, seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        kind = StratifiedGroupKFold if self.grouped else StratifiedKFold
        groups = self.groups if self.grouped else None
        splits = kind(n_folds, shuffle=True, random_state=seed).split(np.zeros(self.truth.size), self.truth, groups)
        return ((train, test) for train, test in splits if test.size)

    def splits(self, fraction: float, n_splits: int, seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        units, positive = np.unique(self.groups), np.bincount(self.groups, weights=self.truth) > 0
        splitter = StratifiedShuffleSplit(n_splits, test_size=fraction, random_state=seed)
        for _, test in splitter.split(units, positive if 1 < positive.sum() < units.size - 1 else np.zeros(units.size)):
            held_out = np.isin(self.groups, units[test])
            yield np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _one(
    chain: Chains, data: _Data, train: NDArray[np.intp], test: NDArray[np.intp]
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Fit on the training rows, score the test rows: the row of the fold, and the scores."""
    several = dict(chain) if isinstance(chain, Mapping) else {chain.classifier: chain}
    fitted = fit_together(
        {name: clone(item) for name, item in several.items()},
        data.X.iloc[train],
        data.y.iloc[train],
        data.groups[train] if data.grouped else None,
    )
    chosen = choose(fitted)
    best = fitted[chosen]
    score, truth = best.predict_proba(data.X.iloc[test])[:, 1], data.truth[test]
    row = {
        "n_training": train.size,
        "n_test": test.size,
        "n_positive": int(truth.sum()),
        "auc": area(truth, score) if 0 < truth.sum() < truth.size else np.nan,
        "inner_auc": best.inner_auc_,
        "threshold": best.threshold_,
        "chosen": chosen,
        "params": dict(best.best_params_),
    }
    patients = data.X.index[test]
    return row, pd.DataFrame(
        {"patient": patients, "y_true": truth.astype(int), "y_score": score, "threshold": best.threshold_}
    )


def _check_number(name: str, value: int, least: int) -> None:
    if value < least:
        message = f"{name} is {value}: give at least {least}."
        raise ValueError(message)
