from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from block_chain import BLOCKS, SmallChain, cohort
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from glottis.evaluation import youden_threshold
from glottis.modelling import LateFusion, TunedChain
from glottis.modelling.stacking import fit_stacker
from glottis.selection import VarianceFilter

X, Y = cohort(0)
NEW, NEW_Y = cohort(1)
FOREST = {"grid": {"n_estimators": [8], "max_depth": [1, 3]}, "folds": 3}


def _fusion(**settings: Any) -> LateFusion:
    return LateFusion(dict.fromkeys(BLOCKS, SmallChain()), BLOCKS, **settings)


FUSED = _fusion().fit(X, Y)


def test_the_stacker_learns_from_the_chains_out_of_fold_scores() -> None:
    chains = {block: SmallChain().fit(X[columns], Y) for block, columns in BLOCKS.items()}
    scores = pd.DataFrame({block: chain.out_of_fold_ for block, chain in chains.items()})
    pd.testing.assert_frame_equal(FUSED.block_scores_, scores)
    stacker = fit_stacker("logistic", (Y[scores.index] == 1).to_numpy(), scores.to_numpy())
    np.testing.assert_array_equal(FUSED.weights_, stacker.weights)
    of_new = np.column_stack([chain.predict_proba(NEW[BLOCKS[block]])[:, 1] for block, chain in chains.items()])
    np.testing.assert_array_equal(FUSED.predict_proba(NEW)[:, 1], stacker(of_new))


def test_its_own_scores_of_a_fold_come_from_a_stacker_that_did_not_see_it() -> None:
    for number in range(5):
        rest = (FUSED.fold_ != number).to_numpy()
        scores, truth = FUSED.block_scores_.to_numpy(), (Y[FUSED.fold_.index] == 1).to_numpy()
        expected = fit_stacker("logistic", truth[rest], scores[rest])(scores[~rest])
        np.testing.assert_array_equal(FUSED.out_of_fold_[~rest], expected)


def test_no_score_of_a_known_patient_is_taken_while_it_is_fitted() -> None:
    SmallChain.scored.clear()
    _fusion().fit(X, Y)
    assert len(SmallChain.scored) == 10
    assert all(not known & scored for known, scored in SmallChain.scored)


def test_a_block_that_knows_its_training_rows_by_heart_gets_no_weight_for_it() -> None:
    learners = {"T1WI": SmallChain(), "T2WI": SmallChain(memorise=True)}
    fused = LateFusion(learners, BLOCKS).fit(X, Y)
    assert roc_auc_score(Y, fused.chains_["T2WI"].predict_proba(X[BLOCKS["T2WI"]])[:, 1]) == 1.0
    pd.testing.assert_series_equal(fused.weights_, FUSED.weights_)
    assert fused.standardised_weights_["T2WI"] < 0.2


def test_a_block_of_noise_weighs_about_nothing() -> None:
    # 40 cohorts of 150 patients, T1WI with d' = 1. Over 300 other cohorts the weight of T2WI had mean .058 and sd .088
    # (logistic), .038 and .062 (mean): the mean of 40 reaches .13 with probability 1e-7 at most, were it normal
    weights = {"logistic": [], "mean": []}
    for seed in range(100, 140):
        fused = _fusion().fit(*cohort(seed))
        truth = (cohort(seed)[1][fused.fold_.index] == 1).to_numpy()
        for kind, found in weights.items():
            found.append(fit_stacker(kind, truth, fused.block_scores_.to_numpy()).standardised[1])
    assert max(map(np.mean, weights.values())) < 0.13
    assert min(np.median(found) for found in weights.values()) < 0.05


def test_fusion_reads_the_block_that_knows() -> None:
    assert FUSED.standardised_weights_["T1WI"] > 0.8
    many, outcome = cohort(2, n=4000)
    assert roc_auc_score(outcome, FUSED.predict_proba(many)[:, 1]) > 0.7  # the best score has .76


def test_the_threshold_is_youdens_on_its_out_of_fold_scores() -> None:
    assert youden_threshold(Y[FUSED.out_of_fold_.index], FUSED.out_of_fold_).value == FUSED.threshold_
    np.testing.assert_array_equal(FUSED.predict(X), (FUSED.predict_proba(X)[:, 1] >= FUSED.threshold_).astype(int))


def test_the_inner_auc_is_the_mean_over_folds() -> None:
    truth, scores = Y[FUSED.out_of_fold_.index], FUSED.out_of_fold_
    each = [roc_auc_score(truth[FUSED.fold_ == fold], scores[FUSED.fold_ == fold]) for fold in range(5)]
    assert pytest.approx(np.mean(each)) == FUSED.inner_auc_


def test_the_log_names_block_fold_and_rows() -> None:
    steps = [(record.step, record.fold) for record in FUSED.fit_log_]
    assert steps.count(("T2WI: logistic", 3)) == 1
    stackers = [record for record in FUSED.fit_log_ if record.step == "stacker"]
    assert [record.fold for record in stackers] == [0, 1, 2, 3, 4, "final"]
    assert all(set(FUSED.fold_.index[FUSED.fold_ == r.fold]).isdisjoint(r.rows) for r in stackers[:5])
    assert ("threshold", "final") in steps
    assert {row for record in FUSED.fit_log_ for row in record.rows} == set(X.index)


def test_neither_the_order_of_rows_nor_that_of_columns_matters() -> None:
    mixed = _fusion().fit(X.sample(frac=1, random_state=0)[X.columns[::-1]], Y)
    np.testing.assert_array_equal(mixed.predict_proba(NEW), FUSED.predict_proba(NEW))


def test_an_outcome_without_labels_goes_by_place() -> None:
    np.testing.assert_array_equal(_fusion().fit(X, Y.to_numpy()).predict_proba(NEW), FUSED.predict_proba(NEW))


def test_a_group_never_lies_on_both_sides_of_a_fold() -> None:
    groups = pd.Series(np.arange(150) // 3, index=X.index)
    assert (_fusion().fit(X, Y, groups).fold_.groupby(groups).nunique() == 1).all()


def test_two_words_are_an_outcome_too() -> None:
    named = _fusion().fit(X, Y.map({0: "I-II", 1: "III-IV"}))
    assert set(named.predict(X)) == {"I-II", "III-IV"}
    np.testing.assert_array_equal(named.predict_proba(X), FUSED.predict_proba(X))


def test_tuned_chains_are_fused() -> None:
    chains = {block: TunedChain([("variance", VarianceFilter())], **FOREST) for block in BLOCKS}
    fused = clone(LateFusion(chains, BLOCKS, "mean")).fit(X, Y)
    assert fused.selected_ == [*BLOCKS["T1WI"], *BLOCKS["T2WI"]]
    assert {"T1WI: variance", "T2WI: random_forest", "T2WI: threshold"} <= {r.step for r in fused.fit_log_}
    assert fused.kept_["T2WI: variance"] == BLOCKS["T2WI"]
    assert fused.best_params_["T1WI: max_depth"] == fused.chains_["T1WI"].best_params_["max_depth"]
    assert fused.weights_.sum() == pytest.approx(1.0)
    assert fused.inner_auc_ > 0.6


def test_as_tuned_fits_one_grid_point_a_fold_and_gives_the_same() -> None:
    chains = {block: TunedChain([("variance", VarianceFilter())], **FOREST) for block in BLOCKS}
    fused = LateFusion(chains, BLOCKS).fit(X, Y)
    again = fused.as_tuned().fit(X, Y)
    assert sum(record.step == "T1WI: random_forest" for record in again.fit_log_) == 4
    np.testing.assert_array_equal(again.predict_proba(NEW), fused.predict_proba(NEW))


def test_notes_of_chains_and_stacker_are_handed_on() -> None:
    against = pd.Series(0.0, index=X.index)
    constant = X.assign(**dict.fromkeys(X.columns, 1.0)).add(against, axis=0)
    fused = _fusion().fit(constant, Y)
    assert fused.note_ == "stacker: no block's scores rise with the outcome: every patient gets the same score"


def test_a_held_out_row_never_changes_what_fusion_learns() -> None:
    held_out = X.index[:20]
    marked, outcome = X.copy(), Y.copy()
    marked.loc[held_out], outcome.loc[held_out] = 1e6, 1 - Y[held_out]
    clean, other = (_fusion().fit(table.drop(index=held_out), y) for table, y in ((X, Y), (marked, outcome)))
    pd.testing.assert_frame_equal(clean.block_scores_, other.block_scores_)
    pd.testing.assert_series_equal(clean.out_of_fold_, other.out_of_fold_)
    np.testing.assert_array_equal(clean.predict_proba(NEW), other.predict_proba(NEW))
    assert clean.threshold_ == other.threshold_


def test_a_marked_row_of_a_fold_changes_no_out_of_fold_model_of_that_fold() -> None:
    row = FUSED.fold_.index[FUSED.fold_ == 2][0]
    marked = X.copy()
    marked.loc[row] += 3.0
    other = _fusion().fit(marked, Y)
    same_fold = (FUSED.fold_ == 2) & (FUSED.fold_.index != row)
    pd.testing.assert_frame_equal(other.block_scores_[same_fold], FUSED.block_scores_[same_fold])
    assert (other.block_scores_[FUSED.fold_ != 2] != FUSED.block_scores_[FUSED.fold_ != 2]).all(axis=None)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            {"chains": {"T1WI": SmallChain()}},
            "Chains are given for T1WI and blocks are T1WI, T2WI: give one chain a block",
        ),
        ({"stacker": "vote"}, "stacker='vote' is not known: give 'logistic' or 'mean'"),
        (
            {"chains": {"T1WI": SmallChain(), "T2WI": SmallChain(random_state=1)}},
            "The chains of 'T1WI' and 'T2WI' have different inner folds, .* give all chains the same folds",
        ),
        ({"blocks": {"T1WI": ["a0"], "T2WI": ["a9"]}}, "Column 'a9' of block 'T2WI' is not in the table"),
    ],
)
def test_what_cannot_be_fused_is_refused(change: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        LateFusion(**{"chains": dict.fromkeys(BLOCKS, SmallChain()), "blocks": BLOCKS} | change).fit(X, Y)


def test_a_missing_column_of_a_new_table_is_named() -> None:
    with pytest.raises(ValueError, match="Column 'b2' of block 'T2WI' is not in the table"):
        FUSED.predict_proba(NEW.drop(columns="b2"))
