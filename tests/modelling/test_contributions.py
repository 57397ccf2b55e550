from __future__ import annotations

import json

import numpy as np
import pytest
from block_chain import BLOCKS, SmallChain, cohort
from sklearn.metrics import roc_auc_score

from glottis.modelling import BlockSelector, LateFusion, TunedChain, contribution
from glottis.selection import RFESelector, VarianceFilter

X, Y = cohort(0)
FUSED = LateFusion(dict.fromkeys(BLOCKS, SmallChain()), BLOCKS).fit(X, Y)
LATE = contribution(FUSED, X, Y)
FOREST = {"grid": {"n_estimators": [8], "max_depth": [2]}, "folds": 3}
STEPS = {"T1WI": [("rfe", RFESelector(1))], "T2WI": [("variance", VarianceFilter())]}
CHAIN = TunedChain([("blocks", BlockSelector(BLOCKS, STEPS))], **FOREST).fit(X, Y)
EARLY = contribution(CHAIN, X, Y)


def test_leaving_out_a_block_of_two_leaves_the_other_alone() -> None:
    alone = LateFusion({"T2WI": SmallChain()}, {"T2WI": BLOCKS["T2WI"]}).fit(X, Y)
    (first, second) = LATE.blocks
    assert first.auc_without == pytest.approx(alone.inner_auc_)
    assert first.change == pytest.approx(FUSED.inner_auc_ - alone.inner_auc_)
    assert first.change > 0.1 > abs(second.change)
    assert pytest.approx(FUSED.inner_auc_) == LATE.auc


def test_late_weights_are_the_standardised_ones() -> None:
    assert [part.weight for part in LATE.blocks] == FUSED.standardised_weights_.tolist()
    assert sum(part.weight or 0 for part in LATE.blocks) == pytest.approx(1.0)
    assert LATE.blocks[0].share_selected is None


def test_early_fusion_is_fitted_again_without_the_block() -> None:
    rest = BlockSelector({"T2WI": BLOCKS["T2WI"]}, {"T2WI": STEPS["T2WI"]})
    chain = TunedChain([("blocks", rest)], **FOREST).fit(X, Y)
    scores = [chain.out_of_fold_[chain.fold_ == fold] for fold in range(3)]
    expected = np.mean([roc_auc_score(Y[of_fold.index], of_fold) for of_fold in scores])
    assert EARLY.blocks[0].auc_without == pytest.approx(expected)
    assert EARLY.blocks[0].change > 0.05


def test_shares_of_features_and_importance_sum_to_one() -> None:
    assert [part.share_selected for part in EARLY.blocks] == [0.25, 0.75]
    importances = CHAIN.feature_importances_
    assert EARLY.blocks[0].share_importance == pytest.approx(importances["a0"] / importances.sum())
    assert sum(part.share_importance or 0 for part in EARLY.blocks) == pytest.approx(1.0)


def test_the_fitted_model_is_left_as_it_was() -> None:
    assert list(FUSED.weights_.index) == list(FUSED.blocks) == ["T1WI", "T2WI"]
    assert CHAIN.steps[0][1].blocks == BLOCKS


def test_a_result_is_plain_json() -> None:
    plain = json.loads(json.dumps({"early": EARLY.to_dict(), "late": LATE.to_dict()}))
    assert plain["early"]["fusion"] == "early"
    assert plain["late"]["blocks"][1]["n_features"] == 3


def test_what_has_no_blocks_to_compare_is_refused() -> None:
    with pytest.raises(
        ValueError, match="TunedChain has no blocks: give a LateFusion, or a chain with a BlockSelector"
    ):
        contribution(TunedChain([("variance", VarianceFilter())]), X, Y)
    one = {"T1WI": BLOCKS["T1WI"]}
    with pytest.raises(ValueError, match="To leave a block out takes two; the model has 1"):
        contribution(LateFusion({"T1WI": SmallChain()}, one).fit(X, Y), X, Y)
    with pytest.raises(ValueError, match="fitted on 150 rows and 149 were given, not all the same: give the training"):
        contribution(FUSED, X.iloc[1:], Y)
