"""How much a batch (centre, scanner) shows in the features, before and after harmonisation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from glottis.evaluation.design_matrix import levels_of
from glottis.evaluation.discrimination import area
from glottis.evaluation.interval import Bools, Floats, plain
from glottis.evaluation.multiplicity import benjamini_hochberg
from glottis.modelling.covariates import batch_of, shown
from glottis.modelling.harmonise import ComBat, feature_values, refuse_missing

LEVEL = 0.05
CHANCE = 0.5
N_COMPONENTS = 5
PENALTY = 0.1


@dataclass(frozen=True, kw_only=True)
class Component:
    """One principal component of the standardised features.

    Attributes:
        number: 1 for the first.
        variance_share: of all features' variance.
        eta_squared: share of its own variance that the batch explains.
        p_value: of the analysis of variance.
    """

    number: int
    variance_share: float
    eta_squared: float
    p_value: float


@dataclass(frozen=True, kw_only=True)
class BatchEffect:
    """How much the batch shows in a feature table; higher is worse throughout.

    Attributes:
        batches: batch to its rows.
        harmonised: whether the rows are those that ComBat gave, each fitted on the other folds.
        eta_squared: feature to the share of its variance that the batch explains (0 to 1).
        p_adjusted: feature to its p (analysis of variance), after Benjamini and Hochberg.
        eta_squared_median: over features.
        share_significant: of features with an adjusted p below .05.
        components: the first principal components.
        auc: mean over folds of how well a logistic regression tells the batch (macro one-vs-rest for more than two).
        auc_of_folds: of each fold.
        chance: the AUC of a batch that cannot be told.
        chance_sd: standard deviation of ``auc`` there, of the null formula; a little too wide for several batches.
        note: what was left out, and an AUC below chance; empty otherwise.
    """

    batches: dict[str, int]
    harmonised: bool
    eta_squared: dict[str, float]
    p_adjusted: dict[str, float]
    eta_squared_median: float
    share_significant: float
    components: tuple[Component, ...]
    auc: float
    auc_of_folds: tuple[float, ...]
    chance: float
    chance_sd: float
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def batch_effect(
    X: pd.DataFrame,
    batch: pd.Series[Any],
    *,
    combat: ComBat | None = None,
    groups: pd.Series[Any] | None = None,
    folds: int = 5,
    random_state: int = 0,
) -> BatchEffect:
    """How much the batch shows in the features, and what ComBat leaves of it.

    With ``combat``, every number is of rows that it did not learn from: in each fold it is fitted on the other folds
    and applied to the fold. The classifier (standardised features, L2 penalty C = 0.1) then learns from the rows that
    ComBat was fitted on. Being linear, it sees shifted means and no difference in spread. An AUC far below chance says
    that ComBat, with few rows for many features, takes training noise for a batch effect: what it takes off held-out
    rows then points the other way.

    Args:
        X: (rows, features), indexed by row label.
        batch: batch of each row, by label. A batch of fewer rows (groups) than folds is left out, and ``note`` says so.
        combat: unfitted; None measures the features as they are.
        groups: patient of each row, by label, where patients have several rows: they stay in one fold.
        folds: folds of the cross-validation, stratified by batch.
        random_state: seed of the folds.

    Raises:
        TypeError: X is not a DataFrame.
        ValueError: a missing value, a row without batch, fewer than two folds or usable batches.
    """
    X = X.sort_index() if isinstance(X, pd.DataFrame) else X
    refuse_missing(X, feature_values(X))
    labels, unit, note = _usable(batch_of(batch, X.index), groups, folds)
    X = X.loc[labels.index]
    levels = levels_of(labels)
    codes = pd.Categorical(labels, categories=levels).codes.astype(np.intp)
    with threadpool_limits(1):
        measured, areas, sds = _by_fold(X, codes, unit, combat, folds, random_state)
    eta, p = variance_explained(measured, codes)
    known = ~np.isnan(eta)
    if not known.any():
        message = f"None of the {X.shape[1]} features varies over the {len(X)} rows: check the table."
        raise ValueError(message)
    adjusted = benjamini_hochberg(p)
    names = [str(name) for name in X.columns]
    return BatchEffect(
        batches={str(level): int(n) for level, n in zip(levels, np.bincount(codes), strict=True)},
        harmonised=combat is not None,
        eta_squared=dict(zip(names, eta.tolist(), strict=True)),
        p_adjusted=dict(zip(names, adjusted.tolist(), strict=True)),
        eta_squared_median=float(np.median(eta[known])),
        share_significant=float((adjusted[known] < LEVEL).mean()),
        components=_components(measured[:, known], codes),
        auc=float(np.mean(areas)),
        auc_of_folds=tuple(areas),
        chance=CHANCE,
        chance_sd=_null_sd(sds),
        note="; ".join(filter(None, [note, *_notes(known, areas, sds)])),
    )


def _null_sd(sds: list[float]) -> float:
    """Of the mean over folds, whose held-out rows are others."""
    return float(np.mean(sds)) / math.sqrt(len(sds))


def _notes(known: Bools, areas: list[float], sds: list[float]) -> list[str]:
    notes = [] if known.all() else [f"{(~known).sum()} features do not vary"]
    if np.mean(areas) < CHANCE - 3 * _null_sd(sds):
        notes.append("the AUC is below chance: ComBat took noise of its training rows off the held-out ones")
    return notes


def _usable(
    labels: pd.Series[Any], groups: pd.Series[Any] | None, folds: int
) -> tuple[pd.Series[Any], NDArray[Any] | None, str]:
    """Rows of the batches that every fold can hold, their patients, and what was left out."""
    unit = labels.index.to_series() if groups is None else batch_of(groups, labels.index)
    sizes = unit.groupby(labels.to_numpy()).nunique()
    small = sizes[sizes < folds]
    kept = labels[~labels.isin(small.index)]
    if folds < 2 or kept.nunique() < 2:
        message = (
            f"At least two folds, and two batches with as many rows (patients) as folds, are needed; got {folds} folds "
            f"and {kept.nunique()} such batches of {labels.nunique()}: use fewer folds, or join small batches."
        )
        raise ValueError(message)
    note = "left out, with fewer rows than folds: " + shown(small.index) if len(small) else ""
    return kept, None if groups is None else unit.loc[kept.index].to_numpy(), note


def _by_fold(
    X: pd.DataFrame,
    codes: NDArray[np.intp],
    unit: NDArray[Any] | None,
    combat: ComBat | None,
    folds: int,
    random_state: int,
) -> tuple[Floats, list[float], list[float]]:
    """The rows to measure, and each fold's AUC of the batch with its null standard deviation."""
    kind = StratifiedKFold if unit is None else StratifiedGroupKFold
    measured = feature_values(X)
    areas, sds = [], []
    for train, test in kind(folds, shuffle=True, random_state=random_state).split(measured, codes, unit):
        seen, held_out = X.iloc[train], X.iloc[test]
        if combat is not None:
            fitted = clone(combat).fit(seen)
            seen, held_out = fitted.transform(seen), fitted.transform(held_out)
            measured[test] = held_out.to_numpy()
        model = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=5000))
        model.fit(seen.to_numpy(), codes[train])
        of_fold = _macro_area(codes[test], model.predict_proba(held_out.to_numpy()), model.classes_)
        if of_fold is not None:
            areas.append(of_fold[0])
            sds.append(of_fold[1])
    if not areas:
        message = f"No fold holds rows of two batches: use fewer folds than {folds}, or check the groups."
        raise ValueError(message)
    return measured, areas, sds


def _macro_area(codes: NDArray[np.intp], scores: Floats, classes: NDArray[np.intp]) -> tuple[float, float] | None:
    """Mean one-vs-rest AUC over the batches that the fold tells apart, and the mean of their null deviations."""
    each = [(codes == code, scores[:, place]) for place, code in enumerate(classes)]
    each = [(truth, score) for truth, score in each if 0 < truth.sum() < truth.size]
    if not each:
        return None
    null = [math.sqrt((t.size + 1) / (12 * int(t.sum()) * int((~t).sum()))) for t, _ in each]
    return float(np.mean([area(truth, score) for truth, score in each])), float(np.mean(null))


def variance_explained(values: Floats, codes: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Eta squared and the p value of a one-way analysis of variance, feature by feature.

    Args:
        values: (n, n_features).
        codes: (n,) number of each row's batch.

    Returns:
        (n_features,) each; nan for a feature that does not vary.
    """
    counts = np.bincount(codes)
    varies = np.ptp(values, axis=0) > 0
    centred = values - values.mean(axis=0)
    means = np.eye(counts.size)[codes].T @ centred / counts[:, None]
    eta = np.full(values.shape[1], np.nan)
    eta[varies] = (counts @ means**2)[varies] / (centred**2).sum(axis=0)[varies]
    eta = np.clip(eta, 0.0, 1.0)
    between, within = counts.size - 1, len(values) - counts.size
    with np.errstate(divide="ignore"):
        statistic = eta / between / ((1 - eta) / within)
    return eta, np.asarray(stats.f.sf(statistic, between, within))


def _components(values: Floats, codes: NDArray[np.intp]) -> tuple[Component, ...]:
    standard = (values - values.mean(axis=0)) / values.std(axis=0)
    left, singular, _ = np.linalg.svd(standard, full_matrices=False)
    share = singular**2 / (singular**2).sum()
    n = min(N_COMPONENTS, int((share > 1e-12).sum()))
    eta, p = variance_explained(left[:, :n], codes)
    rows = zip(share[:n].tolist(), eta.tolist(), p.tolist(), strict=True)
    return tuple(
        Component(number=number, variance_share=of_all, eta_squared=e, p_value=q)
        for number, (of_all, e, q) in enumerate(rows, start=1)
    )
