"""Keeps a fixed number of features by recursive elimination."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.feature_selection import RFE
from sklearn.linear_model import LogisticRegression

from glottis.selection._base import Selector


class RFESelector(Selector):
    """Fits, drops the weakest feature, and fits again until ``n_features`` are left (Guyon 2002).

    Args:
        n_features: features to keep; a table with fewer keeps them all, and ``note_`` says so.
        estimator: gives ``coef_`` or ``feature_importances_``; None is a logistic regression with an L2 penalty of
            strength C=1 on the standardised table.
        step: features dropped a round, or their share below 1.

    Attributes:
        ranking_: (n_features,) 1 for a feature that stays, higher for one that went earlier.
        estimator_: the last fit, on the features that stay.
    """

    ranking_: np.ndarray[Any, np.dtype[np.int_]]
    estimator_: Any

    def __init__(self, n_features: int = 15, estimator: Any = None, step: float = 1) -> None:
        self.n_features = n_features
        self.estimator = estimator
        self.step = step

    def fit(self, X: pd.DataFrame, y: Any) -> Self:
        """Eliminate down to ``n_features``.

        Args:
            X: (patients, features), standardised.
            y: (patients,) outcome.

        Raises:
            ValueError: fewer than one feature asked for, or one class only.
        """
        if self.n_features < 1:
            message = f"Elimination must leave a feature; got n_features={self.n_features}: the usual number is 15."
            raise ValueError(message)
        values, outcome = self._checked(X, y)
        estimator = LogisticRegression(max_iter=1000) if self.estimator is None else clone(self.estimator)
        if values.shape[1] <= self.n_features:
            return self._keep_all(estimator.fit(values, outcome), values.shape[1])
        search = RFE(estimator, n_features_to_select=self.n_features, step=self.step).fit(values, outcome)
        self.ranking_, self.estimator_ = search.ranking_, search.estimator_
        return self._keep(search.support_)

    def _keep_all(self, estimator: Any, n_features: int) -> Self:
        self.ranking_, self.estimator_ = np.ones(n_features, dtype=int), estimator
        came = "1 feature came" if n_features == 1 else f"{n_features} features came"
        few = f"{came} in, fewer than {self.n_features}: nothing to eliminate"
        return self._keep(np.ones(n_features, dtype=bool), few if n_features < self.n_features else "")

    def __sklearn_tags__(self) -> Any:
        """An outcome is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
