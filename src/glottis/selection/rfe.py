"""Keeps a number of features by recursive elimination: a fixed one, or the best by cross-validation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.feature_selection import RFE
from sklearn.linear_model import LogisticRegression
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from glottis.evaluation.interval import Floats
from glottis.selection._base import Selector
from glottis.selection._folds import possible_folds, splits


class RFESelector(Selector):
    """Fits, drops the weakest feature, and fits again until ``n_features`` are left (Guyon 2002).

    With ``n_features="cv"``, the elimination runs down to one feature in every fold, each fit predicts the rows of its
    fold, and the size with the lowest normalised mean squared error stays, the smallest one of several. The error is
    that of the probabilities, or of the predictions where there are none, over the variance of the outcome: 1 is as
    good as its mean.

    Args:
        n_features: features to keep; a table with fewer keeps them all, and ``note_`` says so. ``"cv"`` chooses.
        estimator: gives ``coef_`` or ``feature_importances_``; None is a logistic regression with an L2 penalty of
            strength C=1 on the standardised table.
        step: features dropped a round, or their share below 1.
        folds: folds for choosing the size, stratified by class, and by group where groups are given. With fewer
            patients in the smaller class than folds, their number is reduced and ``note_`` says so.
        random_state: seed of the folds.

    Attributes:
        n_features_: features that stay.
        path_: with ``"cv"``, one row a size: ``n_features``, ``nmse`` (mean over folds), ``sd`` (over folds).
        ranking_: (n_features,) 1 for a feature that stays, higher for one that went earlier.
        estimator_: the last fit, on the features that stay.
    """

    n_features_: int
    path_: pd.DataFrame
    ranking_: NDArray[np.int_]
    estimator_: Any

    def __init__(
        self,
        n_features: int | Literal["cv"] = 15,
        estimator: Any = None,
        step: float = 1,
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.n_features = n_features
        self.estimator = estimator
        self.step = step
        self.folds = folds
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any, groups: Any = None) -> Self:
        """Eliminate down to ``n_features``.

        Args:
            X: (patients, features), standardised.
            y: (patients,) outcome.
            groups: (patients,) rows of one group stay in one fold.

        Raises:
            ValueError: fewer than one feature asked for, an unknown word, fewer than two folds, or one class only.
        """
        if not (self.n_features == "cv" if isinstance(self.n_features, str) else self.n_features >= 1):
            message = (
                f"Elimination must leave a feature; got n_features={self.n_features}: the usual number is 15, and 'cv' "
                "chooses."
            )
            raise ValueError(message)
        values, outcome = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        estimator = LogisticRegression(max_iter=1000) if self.estimator is None else clone(self.estimator)
        notes: list[str] = []
        if isinstance(self.n_features, str):
            self.path_, notes = self._curve(estimator, values, outcome, groups)
            wanted = int(self.path_["n_features"].iloc[int(self.path_["nmse"].to_numpy().argmin())])
        else:
            wanted = self.n_features
        if values.shape[1] <= wanted:
            return self._keep_all(estimator.fit(values, outcome), values.shape[1], wanted, notes)
        search = RFE(estimator, n_features_to_select=wanted, step=self.step).fit(values, outcome)
        self.ranking_, self.estimator_, self.n_features_ = search.ranking_, search.estimator_, wanted
        return self._keep(search.support_, "; ".join(notes))

    def as_tuned(self) -> Self:
        """An unfitted copy whose size is fixed at the one that was chosen: the same features from the same rows."""
        check_is_fitted(self, "n_features_")
        size = self.n_features_ if self.n_features == "cv" else self.n_features
        return clone(self).set_params(n_features=size)  # type: ignore[no-any-return]  # scikit-learn has no types

    def _keep_all(self, estimator: Any, n_features: int, wanted: int, notes: list[str]) -> Self:
        self.ranking_, self.estimator_, self.n_features_ = np.ones(n_features, dtype=int), estimator, n_features
        came = "1 feature came" if n_features == 1 else f"{n_features} features came"
        few = [f"{came} in, fewer than {wanted}: nothing to eliminate"] if n_features < wanted else []
        return self._keep(np.ones(n_features, dtype=bool), "; ".join(notes + few))

    def _curve(
        self, estimator: Any, values: Floats, outcome: NDArray[Any], groups: Any
    ) -> tuple[pd.DataFrame, list[str]]:
        """Error of every size over folds, smallest size first."""
        if is_classifier(estimator):
            check_classification_targets(outcome)
        variance = _variance(outcome, classes=is_classifier(estimator))
        counts = np.unique(outcome, return_counts=True)[1]
        strata = is_classifier(estimator) and (counts.size == 2 or counts.min() > 1)
        n_folds, notes = possible_folds(outcome, self.folds, who="Elimination", chosen="size", classes=strata)
        rows = splits(outcome, groups, n_folds, self.random_state, classes=strata)
        rows = [(train, test) for train, test in rows if np.unique(outcome[train]).size > 1]
        if len(rows) < 2:
            message = f"Elimination needs two folds with both classes; got {len(rows)}: the groups are too large."
            raise ValueError(message)
        errors: dict[int, list[float]] = {}
        for train, test in rows:
            for kept, fitted in _eliminate(estimator, values[train], outcome[train], self.step):
                error = _squared_error(fitted, values[test][:, kept], outcome[test]) / variance
                errors.setdefault(kept.size, []).append(error)
        sizes = sorted(errors)
        table = {
            "n_features": sizes,
            "nmse": [float(np.mean(errors[size])) for size in sizes],
            "sd": [float(np.std(errors[size], ddof=1)) for size in sizes],
        }
        return pd.DataFrame(table), notes

    def __sklearn_tags__(self) -> Any:
        """An outcome is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _eliminate(
    estimator: Any, values: Floats, outcome: NDArray[Any], step: float
) -> Iterator[tuple[NDArray[np.intp], Any]]:
    """Columns that are left, and the fit on them, from all down to one; the sizes and the order of `RFE`."""
    kept = np.arange(values.shape[1])
    drop = max(1, int(step * kept.size)) if step < 1 else int(step)
    while True:
        fitted = clone(estimator).fit(values[:, kept], outcome)
        yield kept, fitted
        if kept.size == 1:
            return
        weakest = np.argsort(_importance(fitted))[: min(drop, kept.size - 1)]
        kept = np.delete(kept, weakest)


def _importance(fitted: Any) -> Floats:
    weights = np.asarray(fitted.coef_ if hasattr(fitted, "coef_") else fitted.feature_importances_) ** 2
    return np.asarray(weights.sum(axis=0) if weights.ndim > 1 else weights)


def _variance(outcome: NDArray[Any], *, classes: bool) -> float:
    """Variance of the outcome, or summed over its classes as 0 and 1."""
    if not classes:
        return float(np.var(outcome))
    shares = np.unique(outcome, return_counts=True)[1] / outcome.size
    return float((shares * (1 - shares)).sum())


def _squared_error(fitted: Any, values: Floats, outcome: NDArray[Any]) -> float:
    """Mean squared error, for classes summed over them as 0 and 1."""
    if not is_classifier(fitted):
        return float(((fitted.predict(values) - outcome) ** 2).mean())
    if hasattr(fitted, "predict_proba"):
        said = fitted.predict_proba(values)
    else:
        said = np.eye(fitted.classes_.size)[np.searchsorted(fitted.classes_, fitted.predict(values))]
    truth = outcome[:, None] == fitted.classes_
    unseen = ~truth.any(axis=1)  # a class of which no training row was
    return float((((said - truth) ** 2).sum(axis=1) + unseen).mean())
