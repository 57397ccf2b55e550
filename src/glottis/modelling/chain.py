"""What every tuned chain does, whatever its outcome: fit steps, tune, read out-of-fold scores, fit on all rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from glottis.evaluation.interval import Floats
from glottis.modelling.classifiers import ClassifierSpec
from glottis.modelling.inner_folds import Split, inner_splits
from glottis.modelling.models import Tuning, importances_of, refuse_unknown
from glottis.modelling.tuning import Point, Search, best_of, run_search
from glottis.modelling.views import FitRecord, FittedSteps, Steps, View, equal, fit_steps, refuse_holes, through


class Chain(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Base of the tuned chains; a subclass says what outcome, score and result are.

    A subclass's constructor holds ``steps``, ``grid``, ``folds``, ``random_state`` and ``search``.
    """

    _RESULT: ClassVar[str]

    steps: Steps
    grid: Mapping[str, Any] | None
    folds: int
    random_state: int
    search: Search | str

    @abstractmethod
    def _spec(self) -> ClassifierSpec:
        """The model; refuses an unknown name."""

    @abstractmethod
    def _begin(self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None) -> View:
        """Checked rows, sorted by label; the constructor's arguments are checked too."""

    @abstractmethod
    def _strata(self, view: View) -> NDArray[Any]:
        """(n,) what folds are stratified by."""

    @abstractmethod
    def _score(self, model: Any, X: Any) -> Floats:
        """(n,) scores of a fitted model."""

    @abstractmethod
    def _measure(self, outcome: NDArray[Any], score: Floats) -> float:
        """The result of held-out scores, higher is better; nan where it does not exist."""

    @abstractmethod
    def _read_out_of_fold(self, tuning: Tuning, raw: Floats) -> str:
        """Learn from the out-of-fold scores of the chosen point what is learnt from them; give a note."""

    def _weights(self, training: View) -> Floats | None:
        return None

    def fit(self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Tune and fit on the rows given, and on no others.

        Args:
            X: (patients, features), indexed by patient, each once.
            y: (patients,) outcome; a Series (or DataFrame of event and time) is matched by its labels.
            groups: (patients,) rows of one group stay in one fold; a Series is matched by its labels.

        Raises:
            TypeError: X is not a DataFrame.
            ValueError: labels or columns repeat, lengths differ, an outcome that does not suit, fewer patients in a
                class than folds, or an unknown model.
            SettingsError: a grid or search that cannot be used, or code from outside that is not allowed.
            MissingExtraError: the model's library is not installed.
        """
        fit_together({"chain": self}, X, y, groups)
        return self

    def _inner_splits(self, view: View) -> list[Split]:
        return inner_splits(self._strata(view), view.groups, folds=self.folds, random_state=self.random_state)

    def _search(self) -> Search:
        return self.search if isinstance(self.search, Search) else Search(kind=self.search)  # type: ignore[arg-type]  # Search refuses what is unknown

    def _tune(self, view: View, folds: Sequence[FittedSteps], whole: FittedSteps) -> None:
        spec, search = self._spec(), self._search()
        tuning = Tuning(self, spec, view, folds, [record for fold in folds for record in fold.log])
        self._check_results(view, folds)
        own = spec.grid if search.kind == "grid" else spec.ranges or spec.grid
        space = search.space(self.grid, own)
        refuse_unknown(spec, space)
        points, scores, results = run_search(search, space, self.random_state, tuning.evaluate)
        best = self._keep_results(points, results)
        tuning.log.append(FitRecord("tuning", "final", tuple(view.X.index)))
        self.best_params_ = points[best]
        note = self._read_out_of_fold(tuning, scores[best])
        self._fit_final(tuning, whole, self.best_params_, note)

    def _check_results(self, view: View, folds: Sequence[FittedSteps]) -> None:
        outcomes = [view.outcome[fold.test] for fold in folds]
        if all(np.isnan(self._measure(outcome, np.zeros(outcome.size))) for outcome in outcomes):
            message = (
                f"None of the {len(folds)} inner folds has both classes among its validation rows, so nothing can be "
                "tuned: use fewer folds, or check the group column."
            )
            raise ValueError(message)

    def _keep_results(self, points: list[Point], results: Floats) -> int:
        usable = ~np.isnan(results[0])
        mean = results[:, usable].mean(axis=1)
        name = self._RESULT
        self.cv_results_ = pd.DataFrame(points, dtype=object).assign(
            **{f"mean_{name}": mean, f"sd_{name}": results[:, usable].std(axis=1)}
        )
        for fold in range(results.shape[1]):
            self.cv_results_[f"{name}_{fold}"] = results[:, fold]
        best = best_of(results[:, usable])
        setattr(self, f"inner_{name}_", float(mean[best]))
        return best

    def _keep_folds(self, tuning: Tuning) -> None:
        fold_of = np.empty(len(tuning.view.X), dtype=int)
        for fold in tuning.folds:
            fold_of[fold.test] = fold.fold
        self.fold_ = pd.Series(fold_of, index=tuning.view.X.index, name="fold")

    def _fit_final(self, tuning: Tuning, whole: FittedSteps, point: Mapping[str, Any], note: str) -> None:
        tuning.log += whole.log
        self.steps_ = list(whole.steps)
        self.classifier_ = tuning.fit(whole, point)
        self.kept_ = {name: [str(item) for item in step.get_feature_names_out()] for name, step in self.steps_}
        self.selected_ = [str(name) for name in whole.training.X.columns]
        notes = [f"{name}: {step.note_}" for name, step in self.steps_ if getattr(step, "note_", "")]
        own = getattr(self.classifier_, "note_", "")
        notes += [item for item in (f"{tuning.spec.name}: {own}" if own else "", tuning.note, note) if item]
        self.note_ = "\n".join(notes)
        self.fit_log_ = tuple(sorted(tuning.log, key=lambda record: np.inf if record.fold == "final" else record.fold))

    @property
    def feature_importances_(self) -> pd.Series[float] | None:
        """Importances of the features that the final model sees; computed on each call, which a forest makes costly."""
        check_is_fitted(self, "classifier_")
        importances = importances_of(self.classifier_, len(self.selected_))
        return None if importances is None else pd.Series(importances, index=self.selected_)

    def _raw(self, X: pd.DataFrame) -> Floats:
        """(n,) scores of the final model, before any recalibration."""
        check_is_fitted(self, "classifier_")
        selected = through(self.steps_, self._columns(X))
        refuse_holes(selected)
        with threadpool_limits(1):
            return self._score(self.classifier_, self._spec().given(selected))

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


T = TypeVar("T", bound=Chain)


def fit_together(
    chains: Mapping[str, T], X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None = None
) -> dict[str, T]:
    """Fit chains that differ in their model alone; the steps are fitted once an inner fold for all of them.

    Every chain is then, bit for bit, what its own ``fit`` would have made it.

    Args:
        chains: name to an unfitted chain; all with equal steps, folds and seed. They are fitted in place.
        X: as for `Chain.fit`.
        y: as for `Chain.fit`.
        groups: as for `Chain.fit`.

    Raises:
        ValueError: no chain, other steps, folds or seeds, or what `Chain.fit` refuses.
    """
    if not chains:
        message = "There is no chain to fit: give at least one."
        raise ValueError(message)
    first = next(iter(chains.values()))
    for name, chain in chains.items():
        _refuse_other(first, name, chain)
    views = [chain._begin(X, y, groups) for chain in chains.values()]
    view = views[0]
    with threadpool_limits(1):
        splits = first._inner_splits(view)
        folds = [fit_steps(first.steps, view, number, split) for number, split in enumerate(splits)]
        whole = fit_steps(first.steps, view, "final")
        for chain in chains.values():
            chain._tune(view, folds, whole)
    return dict(chains)


def _refuse_other(first: Chain, name: str, chain: Chain) -> None:
    if type(chain) is not type(first):
        message = f"Chain {name!r} is a {type(chain).__name__}, the first a {type(first).__name__}: fit them apart."
        raise ValueError(message)
    for what in ("steps", "folds", "random_state"):
        if not equal(getattr(first, what), getattr(chain, what)):
            message = f"Chain {name!r} has other {what} than the first, so nothing can be shared: fit it by itself."
            raise ValueError(message)
