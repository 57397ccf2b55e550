"""No optional step of the selection knows a held-out patient, and no order of rows matters to it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_honesty_of_the_chain import HELD_OUT, N_TRAINING, TABLES, TRAINING, Tables, _mark, _plain

from glottis.modelling import TunedChain
from glottis.selection import MRMR, Boruta, MoreSteps, PerturbationFilter, UnivariateFilter, radiomics_chain

STEPS = ["variance", "perturbation", "univariate", "spearman", "z-score", "mrmr", "lasso", "rfe"]
if find_spec("boruta"):
    STEPS.insert(STEPS.index("mrmr"), "boruta")
ORDER = np.random.default_rng(1).permutation(N_TRAINING)


def _fit(tables: Tables, training: pd.Index[Any] = TRAINING) -> TunedChain:
    X, y, repeats = tables
    more = MoreSteps(
        perturbation=PerturbationFilter(repeats, threshold=0.1),
        univariate=UnivariateFilter("mann-whitney", p=0.8, adjust="benjamini_hochberg"),
        boruta=Boruta(n_trees=20, max_rounds=8, tentative=True) if "boruta" in STEPS else None,
        mrmr=MRMR(6),
    )
    steps = radiomics_chain(spearman=0.95, lasso_folds=2, n_features="cv", more=more)
    return TunedChain(steps, grid={"n_estimators": [5]}, folds=2).fit(X.loc[training], y.loc[training])


@pytest.fixture(scope="module")
def learnt() -> dict[str, dict[str, Any]]:
    inside, outside = _mark(TABLES, TRAINING[:4]), _mark(TABLES, HELD_OUT)
    fits = {"clean": _fit(TABLES), "outside": _fit(outside), "inside": _fit(inside)}
    fits["shuffled"] = _fit(TABLES, TRAINING[ORDER])
    return {name: {step: _plain(fitted) for step, fitted in fit.steps_} for name, fit in fits.items()}


def test_every_optional_step_is_under_guard(learnt: dict[str, dict[str, Any]]) -> None:
    assert list(learnt["clean"]) == STEPS


@pytest.mark.parametrize("step", STEPS)
def test_a_marker_in_held_out_rows_changes_nothing_fitted(learnt: dict[str, dict[str, Any]], step: str) -> None:
    assert learnt["outside"][step] == learnt["clean"][step]


@pytest.mark.parametrize("step", STEPS)
def test_the_same_marker_in_training_rows_is_noticed(learnt: dict[str, dict[str, Any]], step: str) -> None:
    assert learnt["inside"][step] != learnt["clean"][step]


@pytest.mark.parametrize("step", STEPS)
def test_shuffling_the_rows_changes_no_number(learnt: dict[str, dict[str, Any]], step: str) -> None:
    assert learnt["shuffled"][step] == learnt["clean"][step]
