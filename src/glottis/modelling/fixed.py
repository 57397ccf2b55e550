"""A chain with everything fixed that tuning chose: cheap to fit again, as permutations ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from glottis.evaluation.interval import Floats
from glottis.modelling.chain import Chain
from glottis.modelling.models import Tuning
from glottis.modelling.views import Begun, begin_steps, fit_steps, refuse_other_beginning


class FixedChain(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Steps and a model with given parameters: ``fit`` does no inner cross-validation.

    Without out-of-fold scores there is neither recalibration nor threshold, so scores are raw; the AUC needs no more.

    Args:
        chain: an unfitted chain, which names steps, model and seed.
        point: parameters of the model.

    Attributes:
        classes_: the two outcomes; absent for survival.
        steps_: names and fitted steps.
        classifier_: the fitted model.
        selected_: names that the model sees.
        fit_log_: one record a fit.
        note_: notes of steps and model.
    """

    def __init__(self, chain: Chain, point: Mapping[str, Any]) -> None:
        self.chain = chain
        self.point = point

    def begin(self, X: pd.DataFrame, n_steps: int) -> Begun:
        """Fit the first steps, which need no outcome, once for several outcomes of the same rows.

        Args:
            X: as for the chain.
            n_steps: how many; they are fitted without an outcome, and one that asks for it refuses.

        Raises:
            TypeError: X is not a DataFrame.
            ValueError: labels or columns repeat, or what a step refuses.
        """
        with threadpool_limits(1):
            return begin_steps(self.chain.steps[:n_steps], X)

    def fit(
        self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None = None, *, begun: Begun | None = None
    ) -> Self:
        """Fit steps and model on the rows given.

        Args:
            X: as for the chain.
            y: as for the chain.
            groups: as for the chain; handed to steps that ask for them.
            begun: what `begin` made of the same rows. The result is the same bit for bit.

        Raises:
            TypeError: X is not a DataFrame.
            ValueError: what the chain refuses, save too few patients for its folds; or other rows or steps were begun.
        """
        inner = clone(self.chain)
        if begun is not None:
            refuse_other_beginning(begun, inner.steps, X)
        view = inner._begin(X, y, groups)
        with threadpool_limits(1):
            whole = fit_steps(inner.steps, view, "final", begun=begun)
            inner._fit_final(Tuning(inner, inner._spec(), view, ()), whole, self.point, "")
        self._fitted = inner
        for name in ("steps_", "classifier_", "selected_", "fit_log_", "note_"):
            setattr(self, name, getattr(inner, name))
        if hasattr(inner, "classes_"):
            self.classes_ = inner.classes_
        return self

    @property
    def feature_importances_(self) -> pd.Series[float] | None:
        """Importances of the features that the model sees, or None."""
        check_is_fitted(self, "classifier_")
        fitted: Chain = self._fitted
        return fitted.feature_importances_

    def raw_score(self, X: pd.DataFrame) -> Floats:
        """(n,) raw scores: higher for the positive class, or for an earlier event."""
        check_is_fitted(self, "classifier_")
        return np.asarray(self._fitted._raw(X))

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """(n, 2) raw scores of ``classes_``, not recalibrated."""
        score = self.raw_score(X)
        return np.column_stack([1 - score, score])


def fixed(chain: Chain) -> FixedChain:
    """What a fitted chain has tuned, fixed: its model's parameters, and those of every step with ``as_tuned``."""
    check_is_fitted(chain, "classifier_")
    steps = [(name, step.as_tuned() if hasattr(step, "as_tuned") else clone(step)) for name, step in chain.steps_]
    return FixedChain(clone(chain).set_params(steps=steps), chain.best_params_)
