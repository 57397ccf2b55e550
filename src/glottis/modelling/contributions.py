"""What each block of features contributes to a fused model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone

from glottis.evaluation.interval import Bools, Floats, plain
from glottis.modelling.blocks import BlockSelector
from glottis.modelling.fusion import LateFusion, areas_of_folds


@dataclass(frozen=True, kw_only=True)
class BlockContribution:
    """One block's part.

    Attributes:
        block: its name.
        n_features: columns that came in.
        auc_without: out-of-fold AUC without the block.
        change: AUC of all blocks minus ``auc_without``; above 0 the block helps.
        change_sd: standard deviation of the change over folds; None with one fold.
        weight: late fusion: the stacker's standardised weight; they sum to 1.
        share_selected: early fusion: share of the classifier's features that are this block's.
        share_importance: early fusion: share of their importance; None where the classifier gives none.
    """

    block: str
    n_features: int
    auc_without: float
    change: float
    change_sd: float | None
    weight: float | None = None
    share_selected: float | None = None
    share_importance: float | None = None


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What each block contributes, on out-of-fold scores of training patients: it describes and tests nothing.

    Attributes:
        fusion: ``"early"`` or ``"late"``.
        auc: mean over inner folds of the AUC with all blocks.
        blocks: one entry a block, in their order.
    """

    fusion: Literal["early", "late"]
    auc: float
    blocks: tuple[BlockContribution, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def contribution(model: Any, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None = None) -> Contribution:
    """Leave each block out in turn, with all else as it was.

    Late fusion stacks the scores at hand anew. Early fusion fits the chain again without the block, on the same folds;
    tuning included, so that it takes as long as the model for each block.

    Args:
        model: a fitted `LateFusion`, or a fitted chain with a `BlockSelector` among its steps.
        X: the rows that it was fitted on.
        y: their outcome.
        groups: their groups, as in ``fit``.

    Raises:
        ValueError: a model without blocks, one block, or other rows than those of ``fit``.
    """
    late = isinstance(model, LateFusion)
    blocks = model.blocks if late else _selector(model).blocks
    if len(blocks) < 2:
        message = f"To leave a block out takes two; the model has {len(blocks)}: nothing is to be compared."
        raise ValueError(message)
    truth = _truth(model, X, y)
    full = _areas(model, truth)
    rows = []
    for block in blocks:
        areas = _areas(
            _without_late(model, block, truth) if late else _without_early(model, block, X, y, groups), truth
        )
        change = full - areas
        rows.append(
            BlockContribution(
                block=block,
                n_features=len(blocks[block]),
                auc_without=float(areas.mean()),
                change=float(change.mean()),
                change_sd=float(change.std(ddof=1)) if change.size > 1 else None,
                **({"weight": float(model.standardised_weights_[block])} if late else _shares(model, blocks[block])),
            )
        )
    return Contribution(fusion="late" if late else "early", auc=float(full.mean()), blocks=tuple(rows))


def _truth(model: Any, X: pd.DataFrame, y: ArrayLike) -> Bools:
    index = model.out_of_fold_.index
    if len(X) != len(index) or len(index.difference(X.index)):
        message = (
            f"The model was fitted on {len(index)} rows and {len(X)} were given, not all the same: give the training "
            "rows."
        )
        raise ValueError(message)
    outcome = y if isinstance(y, pd.Series) else pd.Series(np.asarray(y), index=X.index)
    return np.asarray(outcome.loc[index] == model.classes_[1])


def _areas(model: Any, truth: Bools) -> Floats:
    return areas_of_folds(truth, model.out_of_fold_.to_numpy(), model.fold_.to_numpy())


def _without_late(model: LateFusion, block: str, truth: Bools) -> LateFusion:
    """The same chains without one, stacked anew."""
    rest = {name: columns for name, columns in model.blocks.items() if name != block}
    smaller = LateFusion({name: model.chains[name] for name in rest}, rest, model.stacker)
    smaller.classes_, smaller.fold_ = model.classes_, model.fold_
    smaller.block_scores_ = model.block_scores_[list(rest)]
    smaller.stack(truth)
    return smaller


def _without_early(model: Any, block: str, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None) -> Any:
    steps = [
        (name, _smaller(step, block) if isinstance(step, BlockSelector) else clone(step)) for name, step in model.steps
    ]
    return clone(model).set_params(steps=steps).fit(X, y, groups=groups)


def _smaller(selector: BlockSelector, block: str) -> BlockSelector:
    steps = selector.steps
    if isinstance(steps, Mapping):
        steps = {name: of_block for name, of_block in steps.items() if name != block}
    return BlockSelector({name: columns for name, columns in selector.blocks.items() if name != block}, steps)


def _selector(model: Any) -> BlockSelector:
    found = [step for _, step in getattr(model, "steps", []) if isinstance(step, BlockSelector)]
    if not found:
        message = (
            f"{type(model).__name__} has no blocks: give a LateFusion, or a chain with a BlockSelector among its steps."
        )
        raise ValueError(message)
    return found[0]


def _shares(model: Any, columns: Sequence[str]) -> dict[str, float | None]:
    own = set(columns)
    importances = getattr(model, "feature_importances_", None)
    share = None
    if importances is not None and importances.abs().sum() > 0:
        share = float(importances.abs()[[name in own for name in importances.index]].sum() / importances.abs().sum())
    of_block = sum(name in own for name in model.selected_)
    return {"share_selected": of_block / len(model.selected_), "share_importance": share}
