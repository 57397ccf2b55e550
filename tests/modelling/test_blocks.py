from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from block_chain import BLOCKS, cohort
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glottis.modelling import BlockSelector, TunedChain
from glottis.selection import LassoSelector, RFESelector, VarianceFilter

X, Y = cohort(0)
STEPS: list[tuple[str, Any]] = [("variance", VarianceFilter()), ("rfe", RFESelector(2))]
FITTED = BlockSelector(BLOCKS, STEPS).fit(X, Y)


def test_each_block_is_selected_as_if_it_were_alone() -> None:
    alone = RFESelector(2).fit(X[BLOCKS["T2WI"]], Y).names_kept_
    assert FITTED.kept_["T2WI"] == alone
    assert list(FITTED.transform(X).columns) == [*FITTED.kept_["T1WI"], *FITTED.kept_["T2WI"]]
    assert FITTED.get_feature_names_out().tolist() == list(FITTED.transform(X).columns)


def test_blocks_may_have_steps_of_their_own() -> None:
    fitted = BlockSelector(BLOCKS, {"T2WI": STEPS, "T1WI": []}).fit(X, Y)
    assert fitted.kept_["T1WI"] == BLOCKS["T1WI"]
    assert len(fitted.kept_["T2WI"]) == 2


def test_groups_reach_the_steps_that_ask_for_them() -> None:
    groups = pd.Series(np.arange(150) // 5, index=X.index)
    steps = [("lasso", LassoSelector())]
    alone = LassoSelector().fit(X[BLOCKS["T1WI"]], Y, groups=groups)
    assert BlockSelector(BLOCKS, steps).fit(X, Y, groups=groups).steps_["T1WI"][0][1].alpha_ == alone.alpha_


def test_notes_and_columns_of_no_block_are_said() -> None:
    fitted = BlockSelector({"T1WI": BLOCKS["T1WI"]}, [("rfe", RFESelector(9))]).fit(X, Y)
    assert fitted.note_.startswith("T1WI: rfe: 3 features came in, fewer than 9")
    assert fitted.note_.endswith("3 columns are in no block and left out (first: b0)")


def test_it_works_in_a_pipeline_and_can_be_cloned() -> None:
    pipeline = clone(make_pipeline(FITTED, StandardScaler().set_output(transform="pandas"))).fit(X, Y)
    assert list(pipeline.transform(X).columns) == list(FITTED.get_feature_names_out())


def test_a_chain_selects_within_blocks_and_keeps_its_notes() -> None:
    chain = TunedChain([("blocks", BlockSelector(BLOCKS, STEPS))], grid={"n_estimators": [5]}, folds=3).fit(X, Y)
    assert chain.selected_ == list(FITTED.get_feature_names_out())


class _Tuner(TransformerMixin, BaseEstimator):
    """Learns a number and can hand on a copy that has it fixed."""

    def __init__(self, number: int | None = None) -> None:
        self.number = number

    def fit(self, X: pd.DataFrame, y: Any = None) -> _Tuner:
        self.number_ = self.number or len(X)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X

    def as_tuned(self) -> _Tuner:
        return _Tuner(self.number_)


def test_as_tuned_fixes_what_the_steps_tuned() -> None:
    fixed = BlockSelector(BLOCKS, [("tuner", _Tuner()), *STEPS]).fit(X, Y).as_tuned()
    assert not hasattr(fixed, "kept_")
    assert fixed.fit(X[:50], Y[:50]).steps_["T2WI"][0][1].number_ == 150


def test_a_held_out_row_never_changes_what_it_learns() -> None:
    marked, outcome = X.copy(), Y.copy()
    marked.iloc[:20], outcome.iloc[:20] = 1e6, 1 - Y.iloc[:20]
    lasso = BlockSelector(BLOCKS, [("lasso", LassoSelector())])
    one, two = (clone(lasso).fit(table.iloc[20:], y.iloc[20:]) for table, y in ((X, Y), (marked, outcome)))
    assert one.kept_ == two.kept_
    for block in BLOCKS:
        np.testing.assert_array_equal(one.steps_[block][0][1].coef_, two.steps_[block][0][1].coef_)
    seen = clone(lasso).fit(marked, outcome)
    assert (seen.steps_["T1WI"][0][1].coef_ != one.steps_["T1WI"][0][1].coef_).any()


@pytest.mark.parametrize(
    ("blocks", "steps", "match"),
    [
        ({}, STEPS, "Every block needs a column; got no block"),
        ({"T1WI": []}, STEPS, "Every block needs a column; got none in 'T1WI'"),
        (
            {"T1WI": ["a0", "x"]},
            STEPS,
            "Column 'x' of block 'T1WI' is not in the table: give the table that blocks were",
        ),
        (
            {"T1WI": ["a0"], "T2WI": ["a0"]},
            STEPS,
            "Column 'a0' is in the blocks 'T1WI' and 'T2WI': give each column one",
        ),
        (BLOCKS, {"T1WI": STEPS}, "Steps are given for T1WI and blocks are T1WI, T2WI: give one list a block"),
        (BLOCKS, [("pca", PCA(1).set_output(transform="pandas"))], "Two blocks give a column 'pca0': name the columns"),
    ],
)
def test_blocks_that_are_no_parts_of_the_table_are_refused(blocks: Any, steps: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        BlockSelector(blocks, steps).fit(X, Y)


def test_a_missing_column_of_a_new_table_is_named() -> None:
    with pytest.raises(ValueError, match="Column 'a1' of block 'T1WI' is not in the table"):
        FITTED.transform(X.drop(columns="a1"))


def test_an_array_is_refused() -> None:
    with pytest.raises(TypeError, match="Blocks are named columns of a DataFrame; got ndarray"):
        BlockSelector(BLOCKS, STEPS).fit(X.to_numpy(), Y)
