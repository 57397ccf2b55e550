"""A chain of fitted steps and a classifier, tuned by cross-validation inside the training view that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import has_fit_parameter

from glottis._errors import SettingsError, nearest
from glottis.evaluation.discrimination import area
from glottis.evaluation.interval import Floats
from glottis.evaluation.thresholds import youden_threshold
from glottis.modelling.chain import Chain
from glottis.modelling.classifiers import CLASSIFIERS, ClassifierSpec, positive_score
from glottis.modelling.fixed import FixedChain, fixed
from glottis.modelling.imported import imported_classifier
from glottis.modelling.inner_folds import check_folds
from glottis.modelling.models import Tuning, balanced
from glottis.modelling.scaling import LogisticCurve, fit_curve
from glottis.modelling.tuning import Search
from glottis.modelling.views import FitRecord, Steps, View, binary_view


class TunedChain(ClassifierMixin, Chain):  # type: ignore[misc]  # scikit-learn has no types
    """Selectors, scaling and a classifier whose parameters are chosen by cross-validated AUC.

    Every inner fold fits all steps anew on its own training rows. The point with the highest mean of the folds'
    AUCs wins (the first of equals); its out-of-fold scores give the recalibration curve and the threshold (Youden).
    Then steps and classifier are fitted on all rows. Rows are sorted by their label first, so their order changes
    nothing; one thread does all arithmetic.

    Args:
        steps: names and unfitted estimators, each giving a DataFrame for a DataFrame. Classifiers that depend on the
            scale of features (logistic regression, SVM, MLP) need a z-score among them.
        classifier: name in `CLASSIFIERS`, or ``"package.module:Class"`` of any scikit-learn classifier.
        grid: parameter to values, or to a `Range` for a random or Bayesian search; None or empty is the classifier's
            default.
        folds: inner folds, stratified by outcome, and by group where groups are given.
        recalibrate: fit a logistic curve on the out-of-fold scores, for classifiers whose scores need one and for all
            that are class-weighted.
        random_state: seed of folds, search and classifier.
        search: ``"grid"``, ``"random"``, ``"bayes"`` or a `Search`; all try their points on the same inner folds.
        class_weight: ``"balanced"`` lets both classes of each training fold weigh the same.
        allow_code: an import path may be loaded, which runs code from outside.

    Attributes:
        classes_: the two outcomes; the second is the positive class.
        best_params_: the chosen point.
        inner_auc_: its mean AUC over the inner folds; slightly optimistic, since it was chosen.
        cv_results_: one row a point: its parameters, ``mean_auc``, ``sd_auc``, ``auc_0`` ... (nan for a fold of
            one class).
        out_of_fold_: training patient to recalibrated out-of-fold score of the chosen point.
        out_of_fold_raw_: the same before recalibration.
        fold_: training patient to inner fold.
        threshold_: positive when the probability is at least this.
        youden_: what is known of it on the out-of-fold scores.
        recalibration_: the curve, or None.
        fit_log_: one record a fit, by fold, in the order in which they happened.
        steps_: names and fitted steps.
        classifier_: the fitted classifier.
        kept_: step to the names after it.
        selected_: names that the classifier sees.
        feature_importances_: of these, where the classifier gives them; sizes of coefficients where it is linear.
        note_: notes of steps, classifier and recalibration, one a line; empty without any.

    >>> X = pd.DataFrame({"a": range(12), "b": [1, 0] * 6}, index=list("abcdefghijkl"))
    >>> chain = TunedChain([], "logistic_regression", grid={"C": [0.1, 1.0]}, folds=2).fit(X, [0] * 6 + [1] * 6)
    >>> chain.inner_auc_, chain.best_params_
    (1.0, {'C': 0.1})
    """

    _RESULT = "auc"

    def __init__(
        self,
        steps: Steps,
        classifier: str = "random_forest",
        grid: Mapping[str, Sequence[Any]] | None = None,
        folds: int = 5,
        recalibrate: bool = True,
        random_state: int = 0,
        search: Search | str = "grid",
        class_weight: Literal["balanced"] | None = None,
        allow_code: bool = False,
    ) -> None:
        self.steps = steps
        self.classifier = classifier
        self.grid = grid
        self.folds = folds
        self.recalibrate = recalibrate
        self.random_state = random_state
        self.search = search
        self.class_weight = class_weight
        self.allow_code = allow_code

    def _spec(self) -> ClassifierSpec:
        if ":" in self.classifier:
            return imported_classifier(self.classifier, allow_code=self.allow_code)
        if self.classifier not in CLASSIFIERS:
            message = f"Unknown classifier {self.classifier!r}: {nearest(self.classifier, CLASSIFIERS)}"
            raise ValueError(message)
        return CLASSIFIERS[self.classifier]

    def _begin(self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None) -> View:
        self._check_settings()
        self.classes_, view = binary_view(X, y, groups)
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        return view

    def _check_settings(self) -> None:
        model = self._spec().make(self.random_state)
        self._search()
        if self.class_weight not in (None, "balanced"):
            message = f"class_weight={self.class_weight!r} is not known: give 'balanced' or leave it out."
            raise SettingsError(message)
        if self.class_weight and not has_fit_parameter(model, "sample_weight"):
            message = f"{self.classifier} takes no weights: leave class_weight out, or take another classifier."
            raise SettingsError(message)

    def _strata(self, view: View) -> NDArray[Any]:
        check_folds(view.outcome, view.groups, self.folds)
        return view.outcome

    def _score(self, model: Any, X: Any) -> Floats:
        return positive_score(model, X)

    def _measure(self, outcome: NDArray[Any], score: Floats) -> float:
        return area(outcome, score) if 0 < outcome.sum() < outcome.size else np.nan

    def _weights(self, training: View) -> Floats | None:
        return balanced(training.outcome) if self.class_weight else None

    def _read_out_of_fold(self, tuning: Tuning, raw: Floats) -> str:
        labels, truth = tuning.view.X.index, tuning.view.outcome
        self.recalibration_: LogisticCurve | None = None
        note = ""
        weighted = self.class_weight or self.best_params_.get("class_weight")
        if self.recalibrate and (tuning.spec.recalibrate or weighted):
            tuning.log.append(FitRecord("recalibration", "final", tuple(labels)))
            self.recalibration_, note = fit_curve(truth, raw)
        elif weighted:
            note = "not recalibrated although class-weighted: scores are no probabilities"
        scores = raw if self.recalibration_ is None else self.recalibration_(raw)
        tuning.log.append(FitRecord("threshold", "final", tuple(labels)))
        self.youden_ = youden_threshold(truth, scores)
        self.threshold_ = self.youden_.value
        self.out_of_fold_raw_ = pd.Series(raw, index=labels, name="y_score")
        self.out_of_fold_ = pd.Series(scores, index=labels, name="y_score")
        self._keep_folds(tuning)
        return note

    def as_tuned(self) -> FixedChain:
        """An unfitted chain with everything fixed that tuning chose, for permutations: its fit does no inner CV."""
        return fixed(self)

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """(n, 2) probabilities of ``classes_``, recalibrated where a curve was fitted.

        Args:
            X: (n, features), in any order of rows and columns, with every feature of ``fit``.

        Raises:
            ValueError: a feature is missing, or one that the model uses is not finite.
        """
        score = self._raw(X)
        if self.recalibration_ is not None:
            score = self.recalibration_(score)
        return np.column_stack([1 - score, score])

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """(n,) class: the positive one where its probability is at least ``threshold_``."""
        positive = self.predict_proba(X)[:, 1] >= self.threshold_
        return np.asarray(self.classes_[positive.astype(int)])
