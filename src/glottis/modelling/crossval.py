"""A chain of fitted steps and a classifier, tuned by cross-validation inside the training view that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import ParameterGrid, StratifiedGroupKFold, StratifiedKFold
from sklearn.utils.validation import check_is_fitted, has_fit_parameter
from threadpoolctl import threadpool_limits

from glottis._errors import nearest
from glottis.evaluation.discrimination import area
from glottis.evaluation.interval import Bools, Floats
from glottis.evaluation.thresholds import youden_threshold
from glottis.modelling.classifiers import CLASSIFIERS, ClassifierSpec
from glottis.modelling.scaling import LogisticCurve, fit_curve

Fold = int | Literal["final"]
Steps = list[tuple[str, Any]]


@dataclass(frozen=True)
class FitRecord:
    """One call of ``fit``: which step, in which fold, on which rows.

    Attributes:
        step: name of the step; the classifier's has its name, and what learns from out-of-fold scores is called
            ``"tuning"``, ``"recalibration"`` and ``"threshold"``.
        fold: number of the inner fold, or ``"final"`` for the whole training view.
        rows: index labels of the rows that were passed.
    """

    step: str
    fold: Fold
    rows: tuple[Any, ...]


@dataclass(frozen=True)
class _View:
    """Rows that may be learnt from, sorted by label."""

    X: pd.DataFrame
    truth: Bools
    groups: NDArray[Any] | None

    def rows(self, which: NDArray[np.intp]) -> _View:
        groups = None if self.groups is None else self.groups[which]
        return _View(self.X.iloc[which], self.truth[which], groups)


class TunedChain(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Selectors, scaling and a classifier whose parameters are chosen by cross-validated AUC.

    Every inner fold fits all steps anew on its own training rows. The grid point with the highest mean of the folds'
    AUCs wins (the first of equals); its out-of-fold scores give the recalibration curve and the threshold (Youden).
    Then steps and classifier are fitted on all rows. Rows are sorted by their label first, so their order changes
    nothing; one thread does all arithmetic.

    Args:
        steps: names and unfitted estimators, each giving a DataFrame for a DataFrame.
        classifier: name in `CLASSIFIERS`.
        grid: parameter to values; None is the classifier's default grid.
        folds: inner folds, stratified by outcome, and by group where groups are given.
        recalibrate: fit a logistic curve on the out-of-fold scores, for classifiers whose scores need one.
        random_state: seed of folds and classifier.

    Attributes:
        classes_: the two outcomes; the second is the positive class.
        best_params_: the chosen grid point.
        cv_results_: one row a grid point: its parameters, ``mean_auc``, ``sd_auc``, ``auc_0`` ... (nan for a fold of
            one class).
        out_of_fold_: training patient to recalibrated out-of-fold score of the chosen grid point.
        out_of_fold_raw_: the same before recalibration.
        fold_: training patient to inner fold.
        threshold_: positive when the probability is at least this.
        youden_: what is known of it on the out-of-fold scores.
        recalibration_: the curve, or None.
        fit_log_: one record a fit, in the order in which they happened.
        steps_: names and fitted steps.
        classifier_: the fitted classifier.
        kept_: step to the names after it.
        selected_: names that the classifier sees.
        feature_importances_: of these, where the classifier gives them.
        note_: notes of steps and recalibration, one a line; empty without any.
    """

    def __init__(
        self,
        steps: Steps,
        classifier: str = "random_forest",
        grid: Mapping[str, Sequence[Any]] | None = None,
        folds: int = 5,
        recalibrate: bool = True,
        random_state: int = 0,
    ) -> None:
        self.steps = steps
        self.classifier = classifier
        self.grid = grid
        self.folds = folds
        self.recalibrate = recalibrate
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Tune and fit on the rows given, and on no others.

        Args:
            X: (patients, features), indexed by patient, each once.
            y: (patients,) outcome of two classes; a Series is matched by its labels.
            groups: (patients,) rows of one group stay in one fold; a Series is matched by its labels.

        Raises:
            TypeError: X is not a DataFrame.
            ValueError: labels or columns repeat, lengths differ, not two classes, fewer patients in a class than folds,
                or an unknown classifier.
        """
        spec = self._spec()
        view = self._view(X, y, groups)
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self._log: list[FitRecord] = []
        with threadpool_limits(1):
            splits = self._splits(view)
            points = list(ParameterGrid({name: list(values) for name, values in (self.grid or spec.grid).items()}))
            scores = self._score_grid(spec, view, splits, points)
            best = self._choose(view, splits, points, scores)
            self._read_out_of_fold(spec, view, splits, scores[best])
            self.best_params_ = points[best]
            self._fit_final(spec, view)
        self.fit_log_ = tuple(self._log)
        del self._log
        return self

    def _spec(self) -> ClassifierSpec:
        if self.classifier not in CLASSIFIERS:
            message = f"Unknown classifier {self.classifier!r}: {nearest(self.classifier, CLASSIFIERS)}"
            raise ValueError(message)
        return CLASSIFIERS[self.classifier]

    def _view(self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None) -> _View:
        _check_table(X)
        outcome = _aligned(y, X.index, "outcome")
        grouping = None if groups is None else _aligned(groups, X.index, "groups")
        self.classes_, codes = np.unique(outcome, return_inverse=True)
        if self.classes_.size != 2:
            shown = ", ".join(map(str, self.classes_[:5]))
            message = (
                f"The outcome needs two classes in the training rows; got {self.classes_.size} ({shown}): "
                "check the outcome column and the split."
            )
            raise ValueError(message)
        self._check_folds(codes, grouping)
        order = np.argsort(X.index.to_numpy(), kind="stable")
        return _View(X, codes.astype(bool), grouping).rows(order)

    def _check_folds(self, codes: NDArray[Any], groups: NDArray[Any] | None) -> None:
        units = np.arange(codes.size) if groups is None else groups
        smaller = min(np.unique(units[codes == code]).size for code in (0, 1))
        if self.folds < 2 or smaller < self.folds:
            what = "patients" if groups is None else "groups"
            message = (
                f"{self.folds} inner folds: at least 2 are needed, and as many {what} of each class as folds; the "
                f"smaller class has {smaller}: set folds to at most {smaller}, or collect more patients."
            )
            raise ValueError(message)

    def _splits(self, view: _View) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        kind = StratifiedKFold if view.groups is None else StratifiedGroupKFold
        splitter = kind(self.folds, shuffle=True, random_state=self.random_state)
        splits = [
            (train, test)
            for train, test in splitter.split(np.zeros(view.truth.size), view.truth, view.groups)
            if test.size and 0 < view.truth[train].sum() < train.size
        ]
        if sum(test.size for _, test in splits) < view.truth.size:
            message = (
                f"The {self.folds} inner folds cannot hold both classes: the groups are too large; use fewer folds, or "
                "check the group column."
            )
            raise ValueError(message)
        return splits

    def _score_grid(
        self,
        spec: ClassifierSpec,
        view: _View,
        splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
        points: list[dict[str, Any]],
    ) -> Floats:
        """(grid points, patients) out-of-fold scores."""
        scores = np.full((len(points), view.truth.size), np.nan)
        for fold, (train, test) in enumerate(splits):
            training = view.rows(train)
            steps, selected = self._fit_steps(training, fold)
            held_out = _through(steps, view.X.iloc[test])
            fitted: dict[int, Any] = {}
            for number, point in reversed(list(enumerate(points))):  # a grid ends with its least limited point
                twin = next((known for known, model in fitted.items() if spec.same(model, point)), None)
                if twin is not None:
                    scores[number, test] = scores[twin, test]
                    continue
                fitted[number] = self._fit_classifier(spec, point, selected, training.truth, fold)
                scores[number, test] = fitted[number].predict_proba(held_out)[:, 1]
        return scores

    def _fit_steps(self, view: _View, fold: Fold) -> tuple[Steps, pd.DataFrame]:
        """Fit all steps on the view; give them and what the view becomes."""
        fitted, X, y = [], view.X, view.truth.astype(int)
        for name, step in self.steps:
            more = {} if view.groups is None or not has_fit_parameter(step, "groups") else {"groups": view.groups}
            self._log.append(FitRecord(name, fold, tuple(X.index)))
            fitted.append((name, clone(step).fit(X, y, **more)))
            X = fitted[-1][1].transform(X)
        return fitted, X

    def _fit_classifier(
        self, spec: ClassifierSpec, point: Mapping[str, Any], X: pd.DataFrame, truth: Bools, fold: Fold
    ) -> Any:
        self._log.append(FitRecord(spec.name, fold, tuple(X.index)))
        return spec.make(self.random_state).set_params(**point).fit(X, truth.astype(int))

    def _choose(
        self,
        view: _View,
        splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
        points: list[dict[str, Any]],
        scores: Floats,
    ) -> int:
        areas = np.full((len(points), len(splits)), np.nan)
        for fold, (_, test) in enumerate(splits):
            if 0 < view.truth[test].sum() < test.size:
                areas[:, fold] = [area(view.truth[test], row[test]) for row in scores]
        usable = ~np.isnan(areas[0])
        if not usable.any():
            message = (
                f"None of the {len(splits)} inner folds has both classes among its validation rows, so nothing can be "
                "tuned: use fewer folds, or check the group column."
            )
            raise ValueError(message)
        mean = areas[:, usable].mean(axis=1)
        self.cv_results_ = pd.DataFrame(points, dtype=object).assign(mean_auc=mean, sd_auc=areas[:, usable].std(axis=1))
        for fold in range(len(splits)):
            self.cv_results_[f"auc_{fold}"] = areas[:, fold]
        self._log.append(FitRecord("tuning", "final", tuple(view.X.index)))
        # sums of the same areas in another order differ in the last bits; equal means are equals
        return int(np.argmax(mean >= mean.max() - 1e-12))

    def _read_out_of_fold(
        self,
        spec: ClassifierSpec,
        view: _View,
        splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
        raw: Floats,
    ) -> None:
        labels = view.X.index
        self.recalibration_: LogisticCurve | None = None
        self._recalibration_note = ""
        if self.recalibrate and spec.recalibrate:
            self._log.append(FitRecord("recalibration", "final", tuple(labels)))
            self.recalibration_, self._recalibration_note = fit_curve(view.truth, raw)
        scores = raw if self.recalibration_ is None else self.recalibration_(raw)
        self._log.append(FitRecord("threshold", "final", tuple(labels)))
        self.youden_ = youden_threshold(view.truth, scores)
        self.threshold_ = self.youden_.value
        self.out_of_fold_raw_ = pd.Series(raw, index=labels, name="y_score")
        self.out_of_fold_ = pd.Series(scores, index=labels, name="y_score")
        fold_of = np.empty(labels.size, dtype=int)
        for fold, (_, test) in enumerate(splits):
            fold_of[test] = fold
        self.fold_ = pd.Series(fold_of, index=labels, name="fold")

    def _fit_final(self, spec: ClassifierSpec, view: _View) -> None:
        self.steps_, selected = self._fit_steps(view, "final")
        self.classifier_ = self._fit_classifier(spec, self.best_params_, selected, view.truth, "final")
        self.kept_ = {name: [str(item) for item in step.get_feature_names_out()] for name, step in self.steps_}
        self.selected_ = [str(name) for name in selected.columns]
        importances = getattr(self.classifier_, "feature_importances_", None)
        self.feature_importances_ = None if importances is None else pd.Series(importances, index=self.selected_)
        notes = [f"{name}: {step.note_}" for name, step in self.steps_ if getattr(step, "note_", "")]
        self.note_ = "\n".join([*notes, *([self._recalibration_note] if self._recalibration_note else [])])
        del self._recalibration_note

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """(n, 2) probabilities of ``classes_``, recalibrated where a curve was fitted.

        Args:
            X: (n, features), in any order of rows and columns, with every feature of ``fit``.

        Raises:
            ValueError: a feature is missing, or one that the model uses is not finite.
        """
        check_is_fitted(self, "classifier_")
        selected = _through(self.steps_, self._columns(X))
        bad = ~np.isfinite(selected.to_numpy(dtype=np.float64))
        if bad.any():
            row, column = np.argwhere(bad)[0]
            message = (
                f"Feature {selected.columns[column]!r} of {selected.index[row]!r} is not finite "
                f"({bad.any(axis=1).sum()} rows concerned): extract it again, or leave this patient out and say so."
            )
            raise ValueError(message)
        with threadpool_limits(1):
            score = self.classifier_.predict_proba(selected)[:, 1]
        if self.recalibration_ is not None:
            score = self.recalibration_(score)
        return np.column_stack([1 - score, score])

    def _columns(self, X: pd.DataFrame) -> pd.DataFrame:
        if not isinstance(X, pd.DataFrame):
            message = (
                f"The model needs a DataFrame with named features; got {type(X).__name__}: give the feature table."
            )
            raise TypeError(message)
        missing = [name for name in self.feature_names_in_ if name not in X.columns]
        if missing:
            message = (
                f"{len(missing)} features of the training table are missing, for example {missing[0]!r}: extract with "
                "the settings of the study."
            )
            raise ValueError(message)
        return X.loc[:, list(self.feature_names_in_)]

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """(n,) class: the positive one where its probability is at least ``threshold_``."""
        positive = self.predict_proba(X)[:, 1] >= self.threshold_
        return np.asarray(self.classes_[positive.astype(int)])


def _check_table(X: Any) -> None:
    if not isinstance(X, pd.DataFrame):
        message = f"The chain needs a DataFrame indexed by patient; got {type(X).__name__}: give the feature table."
        raise TypeError(message)
    for what, labels in (("row label", X.index), ("column", X.columns)):
        if not labels.is_unique:
            message = f"The {what} {labels[labels.duplicated()][0]!r} occurs twice: give each patient and feature once."
            raise ValueError(message)


def _aligned(values: ArrayLike, index: pd.Index[Any], what: str) -> NDArray[Any]:
    """Values in the order of the rows: by label for a Series, by place otherwise."""
    if isinstance(values, pd.Series):
        missing = index.difference(values.index)
        if len(missing) or not values.index.is_unique:
            message = f"The {what} must name each training row once; {len(missing)} are missing: check the labels."
            raise ValueError(message)
        return values.loc[index].to_numpy()
    array = np.asarray(values)
    if array.shape != (len(index),):
        message = f"The {what} needs one entry a row ({len(index)}); got shape {array.shape}: check the table."
        raise ValueError(message)
    return array


def _through(steps: Steps, X: pd.DataFrame) -> pd.DataFrame:
    for _, step in steps:
        X = step.transform(X)
    return X
