"""The clinical arm: uni- then multivariable logistic regression with multiple imputation, all of it inside the view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from glottis.evaluation.interval import Bools, Floats
from glottis.evaluation.thresholds import youden_threshold
from glottis.modelling.clinical_columns import column_of, known_rows, typed
from glottis.modelling.clinical_fit import fit_clinical
from glottis.modelling.clinical_fixed import FixedClinical
from glottis.modelling.clinical_regressions import ClinicalSettings
from glottis.modelling.clinical_scoring import design_of, mean_area, score_fold
from glottis.modelling.inner_folds import check_folds, inner_splits
from glottis.modelling.views import FitRecord, Fold, View, binary_view

STEPS = ("imputation", "univariable", "regression")


class ClinicalChain(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Clinical columns to a probability: imputed, screened one by one, then fitted together.

    The final model learns from all rows. Every inner fold does everything anew on its own training rows and scores its
    other rows; these out-of-fold scores choose the threshold (Youden). Rows are sorted by label first, so their order
    changes nothing; one thread does all arithmetic. The model is the mean of the imputed tables' coefficients; where
    nothing is missing it is the plain logistic regression.

    A column that separates the classes, alone or with others, or that follows from others, is left out with a note.

    Args:
        screen: univariable p, of any level, below which a column enters; None lets all enter.
        forced: columns that enter whatever their p, as a radiomics score (its logit, out of fold on training rows).
        reference: column of words to the level that the others are compared with; the first when sorted otherwise.
        ordinal: column of words to its levels in order, coded 0, 1, 2 ... with one coefficient a step.
        imputations: tables that gaps are filled in, at least 2; a table without gaps needs none.
        folds: inner folds, stratified by outcome, and by group where groups are given.
        random_state: seed of imputation and folds.

    Attributes:
        classes_: the two outcomes; the second is the positive class.
        model_: `LinearPredictor` on the log odds; its ``fill`` stands for a value missing in a row to be scored.
        coefficients_: by name, the intercept first; ``"age"``, ``"site: larynx"``, ``"t_stage: per step"``.
        covariance_: of these, rows and columns in their order.
        table_: `LogisticTable` of odds ratios, uni- and multivariable; pooled by Rubin's rules where a column has gaps.
        missing_: column to the number of training rows without a value.
        out_of_fold_: training patient to out-of-fold probability.
        fold_: training patient to inner fold.
        inner_auc_: mean over the inner folds of their AUC.
        threshold_: positive when the probability is at least this.
        youden_: what is known of it on the out-of-fold scores.
        fit_log_: one record a step and fold, the final ones last.
        kept_: ``"univariable"`` to the columns that entered.
        selected_: columns of the model.
        best_params_: empty, nothing is tuned.
        recalibration_: None, the scores are probabilities.
        steps_: empty.
        feature_importances_: None.
        note_: what to bear in mind, one a line; empty without any.

    >>> X = pd.DataFrame({"age": [50.0, 61, 58, 70, 66, None, 49, 72, 64, 55], "sex": ["f", "m"] * 5})
    >>> y = [0, 0, 1, 1, 0, 1, 0, 1, 1, 0]
    >>> chain = ClinicalChain(screen=None, folds=2).fit(X, y)
    >>> chain.selected_, chain.note_.splitlines()[0]
    (['age', 'sex'], 'gaps of 10 patients imputed 5 times: age 1')
    """

    def __init__(
        self,
        *,
        screen: float | None = 0.05,
        forced: tuple[str, ...] = (),
        reference: Mapping[str, str] | None = None,
        ordinal: Mapping[str, Sequence[str]] | None = None,
        imputations: int = 5,
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.screen = screen
        self.forced = forced
        self.reference = reference
        self.ordinal = ordinal
        self.imputations = imputations
        self.folds = folds
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit on the rows given, and on no others.

        Args:
            X: (patients, columns), indexed by patient, each once: numbers with nan, words with None; booleans as the
                words ``"True"`` and ``"False"``.
            y: (patients,) outcome; a Series is matched by its labels.
            groups: (patients,) rows of one group stay in one fold; a Series is matched by its labels.

        Raises:
            TypeError: X is not a DataFrame.
            ValueError: an argument or column that cannot be used, a constant column, a forced one that separates the
                classes, not two classes, or fewer patients in a class than folds.
        """
        view, table = self._begin(X, y, groups)
        check_folds(view.outcome, view.groups, self.folds)
        with threadpool_limits(1):
            self._fit_final(view, table)
            self._cross_validate(view, table)
        return self

    def _begin(self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None) -> tuple[View, pd.DataFrame]:
        self.classes_, view = binary_view(X, y, groups)
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        table = typed(view.X, dict(self.reference or {}), dict(self.ordinal or {}))
        self._check_settings(table)
        return view, table

    def _check_settings(self, table: pd.DataFrame) -> None:
        if self.screen is not None and not 0 < self.screen <= 1:
            message = f"screen={self.screen!r} is no p value: give one above 0 and up to 1, or None for all columns."
            raise ValueError(message)
        if self.imputations < 2:
            message = f"imputations={self.imputations}: pooling needs at least 2; 5 are usual."
            raise ValueError(message)
        absent = [name for name in self.forced if name not in table.columns]
        if absent:
            message = f"There is no column {absent[0]!r} to force: the table has {', '.join(map(str, table.columns))}."
            raise ValueError(message)

    def _settings(self) -> ClinicalSettings:
        return ClinicalSettings(
            screen=self.screen,
            forced=tuple(self.forced),
            reference=dict(self.reference or {}),
            ordinal={name: tuple(levels) for name, levels in (self.ordinal or {}).items()},
            imputations=self.imputations,
            seed=self.random_state,
        )

    def _fit_final(self, view: View, table: pd.DataFrame) -> None:
        fit = fit_clinical(self._settings(), table, view.outcome, "final")
        self.model_, self.table_ = fit.model, fit.table
        self.coefficients_, self.covariance_ = fit.coefficients, fit.covariance
        self.missing_ = table.isna().sum().rename("missing")
        self.kept_ = {"univariable": list(fit.entered)}
        self.selected_ = list(fit.model.columns)
        self.best_params_: dict[str, Any] = {}
        self.steps_: list[tuple[str, Any]] = []
        self.recalibration_ = self.feature_importances_ = None
        self.fit_log_ = _records("final", tuple(view.X.index))
        self.note_ = "\n".join(fit.notes)

    def _cross_validate(self, view: View, table: pd.DataFrame) -> None:
        labels = tuple(view.X.index)
        scores, fold_of = np.full(len(labels), np.nan), np.zeros(len(labels), dtype=int)
        splits = inner_splits(view.outcome, view.groups, folds=self.folds, random_state=self.random_state)
        log: list[FitRecord] = []
        notes: list[str] = []
        for number, (train, test) in enumerate(splits):
            fit = fit_clinical(self._settings(), table.iloc[train], view.outcome[train], number)
            log += _records(number, tuple(view.X.index[train]))
            scores[test], unknown = score_fold(fit, table.iloc[test])
            fold_of[test] = number
            notes += [f"inner fold {number}: {note}" for note in (*fit.notes, *unknown)]
        self.fit_log_ = (*log, *self.fit_log_, FitRecord("threshold", "final", labels))
        self.note_ = "\n".join([note for note in (self.note_, *notes) if note])
        self.out_of_fold_ = pd.Series(scores, index=view.X.index, name="y_score")
        self.fold_ = pd.Series(fold_of, index=view.X.index, name="fold")
        self.inner_auc_ = mean_area(view.outcome, scores, [test for _, test in splits])
        self.youden_ = youden_threshold(view.outcome, scores)
        self.threshold_ = self.youden_.value

    def as_tuned(self) -> FixedClinical:
        """An unfitted model with these arguments that fits the final regression alone, as permutations ask for."""
        return FixedClinical(clone(self))

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """(n, 2) probabilities of ``classes_``; a row's depends on no other row, to the last bit.

        Args:
            X: (n, columns) with those of the model, in any order of rows and columns; `filled` tells what is missing.

        Raises:
            TypeError: X is not a DataFrame.
            ValueError: a column is absent, or holds what no training patient had; `scorable` tells in which rows.
        """
        check_is_fitted(self, "model_")
        for name in self.selected_:
            column_of(X, name)
        score = np.asarray(expit(self.model_(X)))
        return np.column_stack([1 - score, score])

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """(n,) class: the positive one where its probability is at least ``threshold_``."""
        positive = self.predict_proba(X)[:, 1] >= self.threshold_
        return np.asarray(self.classes_[positive.astype(int)])

    def filled(self, X: pd.DataFrame) -> pd.DataFrame:
        """(n, columns of the model) which values are missing, so that ``predict_proba`` takes the term's ``fill``."""
        check_is_fitted(self, "model_")
        return pd.DataFrame({name: column_of(X, name).isna() for name in self.selected_}, index=X.index)

    def scorable(self, X: pd.DataFrame) -> Bools:
        """(n,) rows whose values the model can take: known levels, numbers, and gaps."""
        check_is_fitted(self, "model_")
        return np.asarray(known_rows(self.model_, X).to_numpy(dtype=bool).all(axis=1))

    def design(self, X: pd.DataFrame) -> pd.DataFrame:
        """(n, coefficients) the regression's columns, gaps filled: ``design(X) @ coefficients_`` is the log odds.

        With ``covariance_`` it gives the standard error of a row's log odds.
        """
        check_is_fitted(self, "model_")
        return design_of(self.model_, X).set_axis(self.coefficients_.index, axis=1)


def _records(fold: Fold, rows: tuple[Any, ...]) -> tuple[FitRecord, ...]:
    return tuple(FitRecord(step, fold, rows) for step in STEPS)
