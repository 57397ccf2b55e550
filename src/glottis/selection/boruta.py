"""Keeps the features that a forest finds more important than shuffled copies of them, by the library boruta."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from glottis._optional import require
from glottis.evaluation.interval import Bools
from glottis.selection._base import Selector


class Boruta(Selector):
    """All-relevant selection (Kursa and Rudnicki 2010) with a random forest balanced by class, on one thread.

    Needs the extra ``boruta``. Where no feature is confirmed, the one that the library ranks highest stays.

    Args:
        n_trees: trees of each forest; ``"auto"`` as many as the library finds right for the features that are left.
        max_depth: of the trees.
        percentile: of the shuffled copies' importance that a feature must beat; 100 is their maximum.
        alpha: level of the tests.
        max_rounds: forests at most.
        tentative: whether features that are still undecided then, and beat the copies in the median, stay as well.
        random_state: seed.

    Attributes:
        ranking_: (n_features,) 1 for a confirmed feature, 2 for a tentative one, higher for the rejected.
        tentative_: (n_features,) True for a tentative feature.
        note_: says when no feature was confirmed.
    """

    ranking_: NDArray[np.int_]
    tentative_: Bools

    def __init__(
        self,
        n_trees: int | Literal["auto"] = "auto",
        max_depth: int = 5,
        percentile: float = 100,
        alpha: float = 0.05,
        max_rounds: int = 100,
        tentative: bool = False,
        random_state: int = 0,
    ) -> None:
        self.n_trees = n_trees
        self.max_depth = max_depth
        self.percentile = percentile
        self.alpha = alpha
        self.max_rounds = max_rounds
        self.tentative = tentative
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any) -> Self:
        """Compare every feature with shuffled ones.

        Args:
            X: (patients, features).
            y: (patients,) class.

        Raises:
            MissingExtraError: the library is not installed.
            ValueError: a setting that the library refuses.
        """
        library = require("boruta", extra="boruta")
        values, codes = self._with_classes(X, y)
        forest = RandomForestClassifier(max_depth=self.max_depth, class_weight="balanced", n_jobs=1)
        search = library.BorutaPy(
            forest,
            n_estimators=self.n_trees,
            perc=self.percentile,
            alpha=self.alpha,
            max_iter=self.max_rounds,
            random_state=self.random_state,
        ).fit(values, codes)
        self.ranking_, self.tentative_ = search.ranking_, search.support_weak_
        support = search.ranking_ == 1
        if self.tentative:
            support |= search.support_weak_
        if support.any():
            return self._keep(support)
        support[int(self.ranking_.argmin())] = True
        return self._keep(support, f"no feature was confirmed: took {self._names()[support][0]}, ranked highest")

    def __sklearn_tags__(self) -> Any:
        """An outcome is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
