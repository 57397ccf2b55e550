"""Removes features that repeat one another."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from glottis.evaluation.interval import Bools, Floats
from glottis.selection._base import Selector, as_numbers

_BLOCK = 512


class SpearmanFilter(Selector):
    """Keeps one of each group of features whose rank correlation exceeds a threshold.

    Greedy: features are visited in an order, and each that is still there removes all later ones with
    ``abs(rho) > threshold``.

    Args:
        threshold: a pair above this is redundant.
        keep: which of a pair stays: ``"first"``, the one further left in the table; ``"univariate"``, the one with the
            higher absolute rank correlation with the outcome (then the one further left).

    Attributes:
        dropped_: dropped feature to the kept one that stands for it.
        names_kept_: names that stay, in the table's order.
    """

    dropped_: dict[str, str]

    def __init__(self, threshold: float = 0.9, keep: Literal["first", "univariate"] = "first") -> None:
        self.threshold = threshold
        self.keep = keep

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn which features repeat another.

        Args:
            X: (patients, features).
            y: (patients,) outcome; used only with ``keep="univariate"``.

        Raises:
            ValueError: an unknown ``keep``, a threshold outside 0 to 1, or no outcome where one is needed.
        """
        if self.keep not in ("first", "univariate"):
            message = f"keep={self.keep!r} is not known: give 'first' or 'univariate'."
            raise ValueError(message)
        if not 0 < self.threshold <= 1:
            message = f"The threshold must lie between 0 and 1; got {self.threshold}: the usual value is 0.9."
            raise ValueError(message)
        values, outcome = self._checked(X, y)
        ranks, norms = _centred_ranks(values)
        order = np.arange(values.shape[1])
        if self.keep == "univariate":
            order = np.argsort(-self._strength(ranks, norms, outcome), kind="stable")
        redundant = _above(ranks[:, order], norms[order], self.threshold)
        support, because = _greedy(redundant, order)
        self._keep(support)
        names = self._names()
        self.dropped_ = {str(names[i]): str(names[because[i]]) for i in np.flatnonzero(~support)}
        return self

    def _strength(self, ranks: Floats, norms: Floats, outcome: NDArray[Any] | None) -> Floats:
        if outcome is None:
            message = "keep='univariate' needs the outcome: call fit(X, y)."
            raise ValueError(message)
        of_outcome, norm = _centred_ranks(as_numbers(outcome)[:, None])
        return np.asarray(np.abs(of_outcome[:, 0] @ ranks) / np.maximum(norms * norm[0], 1.0))


def _centred_ranks(values: Floats) -> tuple[Floats, Floats]:
    """Twice the centred ranks, and their norms: whole numbers, so that no sum depends on the order of rows."""
    ranks = 2 * stats.rankdata(values, axis=0) - (values.shape[0] + 1)
    return ranks, np.sqrt((ranks**2).sum(axis=0))


def _above(ranks: Floats, norms: Floats, threshold: float) -> Bools:
    """(features, features) whether the absolute correlation exceeds the threshold; a constant feature has none."""
    n_features = ranks.shape[1]
    above = np.empty((n_features, n_features), dtype=bool)
    for start in range(0, n_features, _BLOCK):
        block = slice(start, start + _BLOCK)
        above[block] = np.abs(ranks[:, block].T @ ranks) > threshold * np.outer(norms[block], norms)
    return above


def _greedy(redundant: Bools, order: NDArray[np.intp]) -> tuple[Bools, NDArray[np.intp]]:
    n_features = order.size
    alive = np.ones(n_features, dtype=bool)
    because = np.arange(n_features)
    for place in range(n_features):
        if alive[place]:
            goes = redundant[place] & alive
            goes[: place + 1] = False
            alive[goes] = False
            because[order[goes]] = order[place]
    support = np.empty(n_features, dtype=bool)
    support[order] = alive
    return support, because
