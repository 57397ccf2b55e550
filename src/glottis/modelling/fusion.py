"""Late fusion: a model for each block of features, and a stacker that learns from their out-of-fold scores alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from glottis.evaluation.discrimination import area
from glottis.evaluation.interval import Bools, Floats
from glottis.evaluation.thresholds import youden_threshold
from glottis.modelling.blocks import BlockSelector, check_blocks
from glottis.modelling.stacking import StackerKind, fit_stacker
from glottis.modelling.views import FitRecord

__all__ = ["BlockSelector", "LateFusion"]


class LateFusion(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Scores of one chain a block, stacked out of fold.

    Every chain is fitted on its block with the same inner folds. The stacker sees each training patient's out-of-fold
    scores and never a score of a model that learnt from that patient. Its own out-of-fold scores come from stackers
    fitted on the other folds; they choose the threshold. As in all stacking, the scores of those folds are of models
    that saw the fold in question, so they are slightly optimistic: report held-out scores.

    Args:
        chains: block to an unfitted estimator with ``fit(X, y, groups=)``, ``predict_proba``, ``out_of_fold_``,
            ``fold_``, ``fit_log_`` and ``classes_``, as `TunedChain`; all with the same folds and seed.
        blocks: block to its columns; no column in two.
        stacker: ``"logistic"``, on logits with weights of at least 0, or ``"mean"``, weighed by what each block's
            out-of-fold AUC exceeds one half.

    Attributes:
        classes_: the two outcomes; the second is the positive class.
        chains_: block to its fitted chain.
        stacker_: the fitted stacker.
        weights_: block to its weight.
        standardised_weights_: block to weight times standard deviation of what it weighs; they sum to 1.
        block_scores_: (training patients, blocks) out-of-fold scores that the stacker learnt from.
        out_of_fold_: training patient to the out-of-fold score of the fusion.
        fold_: training patient to inner fold.
        inner_auc_: mean over the inner folds of the AUC of ``out_of_fold_``.
        threshold_: positive when the probability is at least this (Youden on ``out_of_fold_``).
        youden_: what is known of it on the out-of-fold scores.
        fit_log_: one record a fit; steps are named ``"block: step"``, and ``"stacker"`` and ``"threshold"``.
        best_params_: ``"block: parameter"`` to what its chain chose.
        kept_: ``"block: step"`` to the names after it.
        selected_: names that the chains' classifiers see.
        note_: notes of chains and stacker, one a line; empty without any.
    """

    def __init__(
        self, chains: Mapping[str, Any], blocks: Mapping[str, Sequence[str]], stacker: StackerKind = "logistic"
    ) -> None:
        self.chains = chains
        self.blocks = blocks
        self.stacker = stacker

    def fit(self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit chains and stacker on the rows given, and on no others.

        Args:
            X: (patients, features), indexed by patient, each once, with the columns of all blocks.
            y: (patients,) outcome of two classes; a Series is matched by its labels.
            groups: (patients,) rows of one group stay in one fold; a Series is matched by its labels.

        Raises:
            TypeError: X is not a DataFrame.
            ValueError: blocks that are not parts of X, chains for other blocks, chains with different folds, an unknown
                stacker, or what a chain refuses.
        """
        self._check(X)
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self.chains_ = {
            block: clone(self.chains[block]).fit(X.loc[:, list(columns)], y, groups=groups)
            for block, columns in self.blocks.items()
        }
        first = next(iter(self.chains_.values()))
        self.classes_, self.fold_ = first.classes_, first.fold_
        self._check_folds()
        self.block_scores_ = pd.DataFrame({block: chain.out_of_fold_ for block, chain in self.chains_.items()})
        outcome = y.loc[self.fold_.index] if isinstance(y, pd.Series) else pd.Series(np.asarray(y), index=X.index)
        truth = np.asarray(outcome.loc[self.fold_.index] == self.classes_[1])
        log = [
            FitRecord(f"{block}: {record.step}", record.fold, record.rows)
            for block, chain in self.chains_.items()
            for record in chain.fit_log_
        ]
        with threadpool_limits(1):
            self.fit_log_ = (*log, *self.stack(truth))
        self.selected_ = [name for chain in self.chains_.values() for name in getattr(chain, "selected_", [])]
        self.best_params_ = self._by_block("best_params_")
        self.kept_ = self._by_block("kept_")
        self.note_ = self._notes()
        return self

    def _check(self, X: pd.DataFrame) -> None:
        check_blocks(self.blocks, X)
        if set(self.chains) != set(self.blocks):
            message = (
                f"Chains are given for {', '.join(map(str, self.chains))} and blocks are {', '.join(self.blocks)}: "
                "give one chain a block."
            )
            raise ValueError(message)
        if self.stacker not in get_args(StackerKind):
            message = f"stacker={self.stacker!r} is not known: give 'logistic' or 'mean'."
            raise ValueError(message)

    def _check_folds(self) -> None:
        for block, chain in self.chains_.items():
            if not chain.fold_.equals(self.fold_):
                message = (
                    f"The chains of {next(iter(self.blocks))!r} and {block!r} have different inner folds, so their "
                    "scores cannot be stacked out of fold: give all chains the same folds and random_state."
                )
                raise ValueError(message)

    def stack(self, truth: Bools) -> list[FitRecord]:
        """Fit the stacker on all training rows and, for its own out-of-fold scores, without each fold."""
        scores, fold = self.block_scores_.to_numpy(), self.fold_.to_numpy()
        labels = self.block_scores_.index
        fused, log = np.full(truth.size, np.nan), []
        for number in np.unique(fold):
            rest = fold != number
            log.append(FitRecord("stacker", int(number), tuple(labels[rest])))
            fused[~rest] = fit_stacker(self.stacker, truth[rest], scores[rest])(scores[~rest])
        log += [FitRecord(step, "final", tuple(labels)) for step in ("stacker", "threshold")]
        self.stacker_ = fit_stacker(self.stacker, truth, scores)
        self.weights_ = pd.Series(self.stacker_.weights, index=list(self.blocks), name="weight")
        self.standardised_weights_ = pd.Series(self.stacker_.standardised, index=list(self.blocks), name="weight")
        self.out_of_fold_ = pd.Series(fused, index=labels, name="y_score")
        self.inner_auc_ = float(np.mean(areas_of_folds(truth, fused, fold)))
        self.youden_ = youden_threshold(truth, fused)
        self.threshold_ = self.youden_.value
        return log

    def _by_block(self, attribute: str) -> dict[str, Any]:
        """A mapping that chains may have, its keys named by their block."""
        return {
            f"{block}: {key}": value
            for block, chain in self.chains_.items()
            for key, value in getattr(chain, attribute, {}).items()
        }

    def _notes(self) -> str:
        notes = [
            f"{block}: {line}"
            for block, chain in self.chains_.items()
            for line in str(getattr(chain, "note_", "")).splitlines()
        ]
        return "\n".join([*notes, *([f"stacker: {self.stacker_.note}"] if self.stacker_.note else [])])

    def as_tuned(self) -> LateFusion:
        """Unfitted, its chains with what they tuned fixed; the stacker is learnt anew, as it is cheap."""
        check_is_fitted(self, "stacker_")
        chains = {block: _as_tuned(chain) for block, chain in self.chains_.items()}
        return LateFusion(chains, self.blocks, self.stacker)

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """(n, 2) probabilities of ``classes_``.

        Args:
            X: table with the columns of all blocks, in any rows.

        Raises:
            ValueError: a column is absent, or what a chain refuses.
        """
        check_is_fitted(self, "stacker_")
        check_blocks(self.blocks, X)
        scores = [chain.predict_proba(X.loc[:, list(self.blocks[b])])[:, 1] for b, chain in self.chains_.items()]
        score = self.stacker_(np.column_stack(scores))
        return np.column_stack([1 - score, score])

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """(n,) class: the positive one where its probability is at least ``threshold_``."""
        positive = self.predict_proba(X)[:, 1] >= self.threshold_
        return np.asarray(self.classes_[positive.astype(int)])


def _as_tuned(chain: Any) -> Any:
    """The chain with a grid of one point and steps that tune nothing, as far as it has these."""
    known, fixed = chain.get_params(deep=False), clone(chain)
    if "grid" in known:
        fixed.set_params(grid={name: [value] for name, value in chain.best_params_.items()})
    if "search" in known:
        fixed.set_params(search="grid")
    if "steps" in known:
        steps = [(name, step.as_tuned() if hasattr(step, "as_tuned") else clone(step)) for name, step in chain.steps_]
        fixed.set_params(steps=steps)
    return fixed


def areas_of_folds(truth: Bools, scores: Floats, fold: NDArray[Any]) -> Floats:
    """The AUC of each fold that holds both classes, in the order of their numbers."""
    held = [fold == number for number in np.unique(fold)]
    return np.array([area(truth[rows], scores[rows]) for rows in held if 0 < truth[rows].sum() < rows.sum()])
