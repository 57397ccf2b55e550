"""The laws that make a result believable: nothing fitted knows a held-out patient, and no order of rows matters."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.ensemble import RandomForestClassifier

from glottis.evaluation import roc_auc
from glottis.modelling import TunedChain
from glottis.selection import ICCFilter, radiomics_chain

Tables = tuple[pd.DataFrame, pd.Series, dict[str, pd.DataFrame]]
GRID = {"n_estimators": [10], "max_depth": [1, 4]}
FOLDS = 3
STEPS = ["variance", "icc", "spearman", "z-score", "lasso", "rfe"]
LEARNT = [*STEPS, "forest", "tuning", "recalibration", "threshold"]
N_TRAINING, N_HELD_OUT, N_FEATURES = 42, 12, 16


def _tables(seed: int = 0, *, n: int = N_TRAINING + N_HELD_OUT) -> Tables:
    rng = np.random.default_rng(seed)
    patients = pd.Index([f"P{i:02d}" for i in rng.permutation(n)], name="patient")
    values = rng.standard_normal((n, 8)) @ rng.standard_normal((8, N_FEATURES)) + rng.standard_normal((n, N_FEATURES))
    X = pd.DataFrame(values, index=patients, columns=[f"f{i:02d}" for i in range(N_FEATURES)])
    X["f15"] = X["f14"] + 0.01 * rng.standard_normal(n)
    y = pd.Series((X["f00"] + rng.logistic(size=n) > 0).astype(int), index=patients)
    noise = np.linspace(0.2, 2.5, N_FEATURES)
    repeats = {kind: X[::2] + noise * rng.standard_normal(X[::2].shape) for kind in ("intra", "inter")}
    return X, y, repeats


def _mark(tables: Tables, rows: pd.Index[Any]) -> Tables:
    """The same tables with huge, outcome-telling and missing values in some rows, in features and repeats alike."""
    X, y, repeats = tables[0].copy(), tables[1], {kind: table.copy() for kind, table in tables[2].items()}
    for table in (X, *repeats.values()):
        hit = table.index.intersection(rows)
        table.loc[hit] = 1e6 * (2 * y[hit].to_numpy()[:, None] - 1) + np.arange(N_FEATURES)
        table.loc[hit, "f03"] = np.nan
    return X, y, repeats


def _fit(tables: Tables, training: pd.Index[Any], **settings: Any) -> TunedChain:
    X, y, repeats = tables
    steps = radiomics_chain(ICCFilter(repeats, threshold=0.5), n_features=4, lasso_folds=3)
    return TunedChain(steps, **{"grid": GRID, "folds": FOLDS} | settings).fit(X.loc[training], y.loc[training])


def _plain(item: Any) -> Any:
    """Everything that an object has learnt, as nested lists that compare exactly."""
    if isinstance(item, RandomForestClassifier):
        trees = [tree.tree_ for tree in item.estimators_]
        return [[_plain(getattr(t, name)) for name in ("feature", "threshold", "value")] for t in trees]
    if isinstance(item, pd.DataFrame | pd.Series):
        return [_plain(item.index), _plain(getattr(item, "columns", None)), _plain(item.to_numpy())]
    if isinstance(item, np.ndarray | pd.Index):
        return repr(item.tolist())
    if isinstance(item, dict):
        return {key: _plain(value) for key, value in item.items()}
    if hasattr(item, "get_params"):
        return {name: _plain(value) for name, value in vars(item).items() if name.endswith("_")}
    return repr(item)


def _learnt(chain: TunedChain, what: str) -> Any:
    if what in STEPS:
        return _plain(dict(chain.steps_)[what])
    parts = {
        "forest": chain.classifier_,
        "tuning": {"results": chain.cv_results_, "best": chain.best_params_, "folds": chain.fold_},
        "recalibration": chain.recalibration_,
        "threshold": chain.youden_,
    }
    return _plain(parts[what])


TABLES = _tables()
TRAINING, HELD_OUT = TABLES[0].index[:N_TRAINING], TABLES[0].index[N_TRAINING:]


@pytest.fixture(scope="module")
def clean() -> TunedChain:
    return _fit(TABLES, TRAINING)


@pytest.fixture(scope="module")
def marked_outside() -> TunedChain:
    return _fit(_mark(TABLES, HELD_OUT), TRAINING)


@pytest.fixture(scope="module")
def marked_inside() -> TunedChain:
    return _fit(_mark(TABLES, TRAINING[:4]), TRAINING)


@pytest.mark.parametrize("what", LEARNT)
def test_a_marker_in_held_out_rows_changes_nothing_fitted(
    clean: TunedChain, marked_outside: TunedChain, what: str
) -> None:
    assert _learnt(marked_outside, what) == _learnt(clean, what)


@pytest.mark.parametrize("what", LEARNT)
def test_the_same_marker_in_training_rows_is_noticed(clean: TunedChain, marked_inside: TunedChain, what: str) -> None:
    assert _learnt(marked_inside, what) != _learnt(clean, what)


def test_every_step_of_the_chain_is_under_guard(clean: TunedChain) -> None:
    assert [name for name, _ in clean.steps_] == STEPS
    known = {*STEPS, "random_forest", "tuning", "recalibration", "threshold"}
    assert {record.step for record in clean.fit_log_} == known


def test_the_log_holds_no_held_out_patient(clean: TunedChain) -> None:
    logged = {patient for record in clean.fit_log_ for patient in record.rows}
    assert logged == set(TRAINING)


def test_no_fit_of_an_inner_fold_sees_that_folds_validation_patients(clean: TunedChain) -> None:
    for record in clean.fit_log_:
        if record.fold != "final":
            assert set(record.rows) == set(clean.fold_.index[clean.fold_ != record.fold])


def test_every_step_is_fitted_anew_in_every_fold(clean: TunedChain) -> None:
    for fold in (*range(FOLDS), "final"):
        names = [record.step for record in clean.fit_log_ if record.fold == fold]
        assert names[-len(STEPS) - (1 if fold == "final" else 2) :][: len(STEPS)] == STEPS


@pytest.mark.parametrize("fold", range(FOLDS))
def test_a_marker_in_one_validation_patient_moves_no_other_score_of_its_fold(fold: int) -> None:
    one_point = {"n_estimators": [10], "max_depth": [3]}
    before = _fit(TABLES, TRAINING, grid=one_point)
    in_fold = before.fold_.index[before.fold_ == fold]
    X, y, repeats = TABLES
    read = next(patient for patient in in_fold if patient in repeats["intra"].index)
    marked, others = X.copy(), in_fold.drop(read)
    spoiled = {kind: table.copy() for kind, table in repeats.items()}
    for table in (marked, *spoiled.values()):
        table.loc[read] = 1e6 * np.arange(1, N_FEATURES + 1)
    after = _fit((marked, y, spoiled), TRAINING, grid=one_point)
    pd.testing.assert_series_equal(after.fold_, before.fold_)
    assert after.out_of_fold_raw_.tolist() != before.out_of_fold_raw_.tolist()
    assert after.out_of_fold_raw_[others].tolist() == before.out_of_fold_raw_[others].tolist()


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffling_the_order_of_rows_changes_no_number(clean: TunedChain, seed: int) -> None:
    X, y, repeats = TABLES
    other = {kind: table.sample(frac=1, random_state=seed) for kind, table in repeats.items()}
    order = TRAINING[np.random.default_rng(seed).permutation(N_TRAINING)]
    shuffled = _fit((X, y, other), order)
    assert [_learnt(shuffled, what) for what in LEARNT] == [_learnt(clean, what) for what in LEARNT]
    assert shuffled.fit_log_ == clean.fit_log_
    assert shuffled.predict_proba(X.loc[HELD_OUT]).tolist() == clean.predict_proba(X.loc[HELD_OUT]).tolist()


def test_predicting_changes_nothing_fitted(clean: TunedChain) -> None:
    before = copy.deepcopy([_learnt(clean, what) for what in LEARNT])
    clean.predict_proba(_mark(TABLES, HELD_OUT)[0].drop(columns="f03").assign(f03=0.0))
    assert [_learnt(clean, what) for what in LEARNT] == before


N_NULL, N_NULL_TEST = 10, 60
NULL_SD = math.sqrt((N_NULL_TEST + 1) / (12 * (N_NULL_TEST // 2) ** 2))
# The mean of 10 null AUCs, each on 30 + 30 patients, has the standard error .0752 / sqrt(10) = .0238 whatever the
# model: a correct program leaves 0.5 by more than .065 in 0.6% of all choices of seeds (ties among scores: rarer).
NULL_BAR = 0.065


def _null_auc(seed: int, *, select_on_all: bool) -> float:
    X, _, repeats = _tables(100 + seed, n=30 + N_NULL_TEST)
    rng = np.random.default_rng(seed)
    y = pd.Series(np.concatenate([rng.permutation(size) % 2 for size in (30, N_NULL_TEST)]), index=X.index)
    icc = ICCFilter(repeats, threshold=0.3)
    if select_on_all:  # the classic mistake: the best of many features on all patients, split afterwards
        noise = rng.standard_normal((len(X), 400))
        best = np.argsort(-np.abs((y - y.mean()).to_numpy() @ noise))[:N_FEATURES]
        X, icc = pd.DataFrame(noise[:, best], index=X.index, columns=X.columns), None
    training, test = X.index[:30], X.index[30:]
    chain = TunedChain(radiomics_chain(icc, lasso_folds=2), grid={"n_estimators": [10]}, folds=2)
    chain.fit(X.loc[training], y[training])
    return roc_auc(y[test], chain.predict_proba(X.loc[test])[:, 1]).value


def test_labels_that_know_nothing_give_half() -> None:
    assert 2 * stats.norm.sf(NULL_BAR / (NULL_SD / math.sqrt(N_NULL))) < 0.01
    aucs = [_null_auc(seed, select_on_all=False) for seed in range(N_NULL)]
    assert abs(np.mean(aucs) - 0.5) < NULL_BAR


def test_selection_on_all_patients_fails_the_same_bar() -> None:
    aucs = [_null_auc(seed, select_on_all=True) for seed in range(4)]
    assert np.mean(aucs) > 0.5 + NULL_BAR
