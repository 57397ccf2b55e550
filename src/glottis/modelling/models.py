"""The models of one chain: fitted on steps that are fitted already, scored on the rows that they have not seen."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_sample_weight

from glottis._errors import SettingsError, nearest
from glottis.evaluation.interval import Floats
from glottis.modelling.classifiers import ClassifierSpec
from glottis.modelling.tuning import Point
from glottis.modelling.views import FitRecord, FittedSteps, Fold, View, refuse_holes


class Hooks(Protocol):
    """What a chain says about its outcome."""

    random_state: int

    def _score(self, model: Any, X: Any) -> Floats: ...

    def _measure(self, outcome: NDArray[Any], score: Floats) -> float: ...

    def _weights(self, training: View) -> Floats | None: ...


@dataclass
class Tuning:
    """One chain's models on steps that are fitted already, with what happened on the way.

    Attributes:
        chain: settings and hooks.
        spec: the model.
        view: all rows.
        folds: steps fitted on each inner fold.
        log: one record a fit, without order of folds.
        n_fits: models fitted.
        failed: folds whose model did not converge, one entry a model.
    """

    chain: Hooks
    spec: ClassifierSpec
    view: View
    folds: Sequence[FittedSteps]
    log: list[FitRecord] = field(default_factory=list)
    n_fits: int = 0
    failed: list[Fold] = field(default_factory=list)

    def evaluate(self, points: list[Point]) -> tuple[Floats, Floats]:
        """(points, patients) out-of-fold scores and (points, folds) results."""
        scores = np.full((len(points), len(self.view.X)), np.nan)
        results = np.full((len(points), len(self.folds)), np.nan)
        for place, fold in enumerate(self.folds):
            if not self.spec.holes:
                refuse_holes(fold.held_out)
            fitted: dict[int, Any] = {}
            for number, point in reversed(list(enumerate(points))):  # a grid ends with its least limited point
                twin = next((known for known, model in fitted.items() if self.spec.same(model, point)), None)
                if twin is None:
                    fitted[number] = self.fit(fold, point)
                    scores[number, fold.test] = self.chain._score(fitted[number], self.spec.given(fold.held_out))
                else:
                    scores[number, fold.test] = scores[twin, fold.test]
            outcome = self.view.outcome[fold.test]
            results[:, place] = [self.chain._measure(outcome, row[fold.test]) for row in scores]
        return scores, results

    def fit(self, fitted: FittedSteps, point: Mapping[str, Any]) -> Any:
        """The model with these parameters on what the steps made of their training view."""
        training = fitted.training
        self.log.append(FitRecord(self.spec.name, fitted.fold, tuple(training.X.index)))
        self.n_fits += 1
        model = self.spec.make(self.chain.random_state).set_params(**point)
        y, weights = training.for_steps, self.chain._weights(training)
        more = {} if weights is None else {"sample_weight": weights}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            model.fit(self.spec.given(training.X), y, **more)
        for item in caught:
            if not issubclass(item.category, ConvergenceWarning):
                warnings.warn_explicit(item.message, item.category, item.filename, item.lineno)
        if any(issubclass(item.category, ConvergenceWarning) for item in caught):
            self.failed.append(fitted.fold)
        return model

    @property
    def note(self) -> str:
        """How many models did not converge; empty where all did."""
        if not self.failed:
            return ""
        among = ", the final one among them" if "final" in self.failed else ""
        return f"{self.spec.name}: {len(self.failed)} of {self.n_fits} fits did not converge{among}"


def importances_of(model: Any, n_features: int) -> Floats | None:
    """Importance of each feature: the model's own, or the size of its linear coefficients; None without either."""
    for name in ("feature_importances_", "coef_"):
        try:
            found = getattr(model, name, None)
        except NotImplementedError:  # scikit-survival's forest
            continue
        if found is not None and np.size(found) == n_features:
            return np.abs(np.asarray(found, dtype=np.float64)).reshape(-1)
    return None


def refuse_unknown(spec: ClassifierSpec, names: Iterable[str]) -> None:
    """Refuse a parameter that the model does not have; LightGBM and XGBoost would take any and ignore it.

    Raises:
        SettingsError: naming the nearest one that it has.
    """
    known = spec.make(0).get_params()
    for name in names:
        if name not in known:
            message = f"{spec.name} has no parameter {name!r}: {nearest(name, known)}"
            raise SettingsError(message)


def balanced(outcome: NDArray[Any]) -> Floats:
    """(n,) weights that make both classes weigh the same: n / (2 * size of the row's class)."""
    return np.asarray(compute_sample_weight("balanced", outcome.astype(int)))
