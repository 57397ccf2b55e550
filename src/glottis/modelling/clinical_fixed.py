"""The clinical model without its inner folds: cheap to fit again, as permutations ask for."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from glottis.evaluation.interval import Bools, Floats


class FixedClinical(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The final model of a `ClinicalChain` without inner folds: no out-of-fold scores, no threshold.

    Args:
        chain: an unfitted `ClinicalChain`, whose arguments count.

    Attributes:
        classes_: the two outcomes.
        model_: as the chain's.
        table_: as the chain's.
        selected_: columns of the model.
        fit_log_: one record a step.
        note_: notes of the fit.
    """

    def __init__(self, chain: Any) -> None:
        self.chain = chain

    def fit(self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit on the rows given; arguments and refusals as the chain's, save for its folds."""
        inner = clone(self.chain)
        view, table = inner._begin(X, y, groups)
        with threadpool_limits(1):
            inner._fit_final(view, table)
        self._fitted = inner
        for name in ("classes_", "model_", "table_", "selected_", "fit_log_", "note_"):
            setattr(self, name, getattr(inner, name))
        return self

    def scorable(self, X: pd.DataFrame) -> Bools:
        """(n,) rows whose levels the model knows."""
        check_is_fitted(self, "model_")
        return np.asarray(self._fitted.scorable(X))

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """(n, 2) as the chain's."""
        check_is_fitted(self, "model_")
        return np.asarray(self._fitted.predict_proba(X))
