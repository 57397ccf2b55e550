"""Blocks of features (sequences, readers' scores, clinical columns) side by side, with a selection for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

Steps = list[tuple[str, Any]]


class BlockSelector(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Early fusion: each block goes through steps of its own, and what they keep is set side by side.

    Args:
        blocks: block to its columns; no column in two.
        steps: names and unfitted estimators, each giving a DataFrame for a DataFrame: one list for all blocks, or block
            to its list (an empty one keeps the block as it is).

    Attributes:
        steps_: block to its names and fitted steps.
        kept_: block to the names that come out.
        note_: notes of the steps, and columns of no block; empty without any.

    >>> from sklearn.feature_selection import SelectKBest
    >>> X = pd.DataFrame({"t1_a": [0, 1, 0, 1], "t1_b": [9, 8, 1, 3], "age": [60, 50, 70, 65]})
    >>> best = SelectKBest(k=1).set_output(transform="pandas")
    >>> blocks, steps = {"T1WI": ["t1_a", "t1_b"], "clinical": ["age"]}, {"T1WI": [("best", best)], "clinical": []}
    >>> BlockSelector(blocks, steps).fit(X, [0, 0, 1, 1]).get_feature_names_out().tolist()
    ['t1_b', 'age']
    """

    def __init__(self, blocks: Mapping[str, Sequence[str]], steps: Steps | Mapping[str, Steps]) -> None:
        self.blocks = blocks
        self.steps = steps

    def fit(self, X: pd.DataFrame, y: ArrayLike | None = None, groups: ArrayLike | None = None) -> Self:
        """Fit every block's steps on these rows.

        Args:
            X: (patients, features) with the columns of all blocks; others are left out, and ``note_`` says so.
            y: (patients,) outcome, handed to the steps.
            groups: (patients,) handed to steps that ask for them.

        Raises:
            TypeError: X is not a DataFrame.
            ValueError: no block, an empty one, a column that is absent or in two blocks, steps for other blocks, or two
                steps that give columns of one name.
        """
        check_blocks(self.blocks, X)
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self.steps_: dict[str, Steps] = {}
        self.kept_: dict[str, list[str]] = {}
        for block, steps in self._steps_by_block().items():
            part, fitted = X.loc[:, list(self.blocks[block])], []
            for name, step in steps:
                more = {} if groups is None or not has_fit_parameter(step, "groups") else {"groups": groups}
                fitted.append((name, clone(step).fit(part, y, **more)))
                part = fitted[-1][1].transform(part)
            self.steps_[block], self.kept_[block] = fitted, [str(column) for column in part.columns]
        self._refuse_twins()
        self.note_ = self._notes(X)
        return self

    def _steps_by_block(self) -> dict[str, Steps]:
        if not isinstance(self.steps, Mapping):
            return dict.fromkeys(self.blocks, self.steps)
        if set(self.steps) != set(self.blocks):
            message = (
                f"Steps are given for {', '.join(map(str, self.steps))} and blocks are {', '.join(self.blocks)}: "
                "give one list a block, empty where nothing is selected."
            )
            raise ValueError(message)
        return {block: self.steps[block] for block in self.blocks}

    def _refuse_twins(self) -> None:
        names = pd.Index([name for kept in self.kept_.values() for name in kept])
        if not names.is_unique:
            twin = names[names.duplicated()][0]
            message = f"Two blocks give a column {twin!r}: name the columns of the steps by their block."
            raise ValueError(message)

    def _notes(self, X: pd.DataFrame) -> str:
        used = {column for columns in self.blocks.values() for column in columns}
        unused = [str(column) for column in X.columns if column not in used]
        notes = [
            f"{block}: {name}: {step.note_}"
            for block, steps in self.steps_.items()
            for name, step in steps
            if getattr(step, "note_", "")
        ]
        if unused:
            notes.append(f"{len(unused)} columns are in no block and left out (first: {unused[0]})")
        return "; ".join(notes)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """What every block keeps, side by side, in the order of the blocks.

        Args:
            X: table with the columns of all blocks, in any rows.

        Raises:
            ValueError: a column is absent.
        """
        check_is_fitted(self, "steps_")
        check_blocks(self.blocks, X)
        parts = []
        for block, steps in self.steps_.items():
            part = X.loc[:, list(self.blocks[block])]
            for _, step in steps:
                part = step.transform(part)
            parts.append(part)
        return pd.concat(parts, axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """The names that come out."""
        check_is_fitted(self, "kept_")
        return np.asarray([name for kept in self.kept_.values() for name in kept], dtype=object)

    def as_tuned(self) -> BlockSelector:
        """Unfitted, with what the steps tuned fixed where they know how."""
        check_is_fitted(self, "steps_")
        return BlockSelector(
            self.blocks,
            {
                block: [(n, step.as_tuned() if hasattr(step, "as_tuned") else clone(step)) for n, step in steps]
                for block, steps in self.steps_.items()
            },
        )


def check_blocks(blocks: Mapping[str, Sequence[str]], X: Any) -> None:
    """Refuse blocks that are not parts of the table.

    Raises:
        TypeError: X is not a DataFrame.
        ValueError: no block, an empty one, a column that is absent or in two blocks.
    """
    if not isinstance(X, pd.DataFrame):
        message = f"Blocks are named columns of a DataFrame; got {type(X).__name__}: give the feature table."
        raise TypeError(message)
    if not blocks or not all(len(columns) for columns in blocks.values()):
        empty = [block for block, columns in blocks.items() if not len(columns)]
        message = (
            f"Every block needs a column; got {f'none in {empty[0]!r}' if empty else 'no block'}: name the columns."
        )
        raise ValueError(message)
    home: dict[str, str] = {}
    for block, columns in blocks.items():
        for column in columns:
            if column not in X.columns:
                message = (
                    f"Column {column!r} of block {block!r} is not in the table: give the table that blocks were made "
                    "from, and let no step before the blocks drop columns."
                )
                raise ValueError(message)
            if column in home:
                message = (
                    f"Column {column!r} is in the blocks {home[column]!r} and {block!r}: give each column one block."
                )
                raise ValueError(message)
            home[column] = block
