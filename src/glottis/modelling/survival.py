"""Models of time to an event, and the chain that tunes them by Harrell's C."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from glottis import _optional
from glottis._errors import nearest
from glottis.evaluation.concordance import concordance_index
from glottis.evaluation.followup import check_survival
from glottis.evaluation.interval import Floats
from glottis.evaluation.risk_groups import RiskCutoff, median_cutoff, survival_youden_cutoff
from glottis.modelling.chain import Chain
from glottis.modelling.classifiers import ClassifierSpec
from glottis.modelling.fixed import FixedChain, fixed
from glottis.modelling.hazards import Coxnet, RidgeCox
from glottis.modelling.models import Tuning
from glottis.modelling.tuning import Range, Search
from glottis.modelling.views import FitRecord, Steps, View, aligned, check_table

OUTCOME = np.dtype([("event", np.bool_), ("time", np.float64)])


def _forest(seed: int) -> Any:
    ensemble = _optional.require("sksurv.ensemble", extra="survival")
    return ensemble.RandomSurvivalForest(n_estimators=200, random_state=seed, n_jobs=1, low_memory=True)


def _cox(seed: int) -> RidgeCox:
    _optional.require("sksurv.linear_model", extra="survival")
    return RidgeCox()


def _coxnet(seed: int) -> Coxnet:
    _optional.require("sksurv.linear_model", extra="survival")
    return Coxnet()


COX = ClassifierSpec(name="cox", make=_cox, grid={}, recalibrate=False, named=False)
COXNET = ClassifierSpec(
    name="coxnet",
    make=_coxnet,
    grid={"strength": (0.5, 0.2, 0.1, 0.05, 0.02), "l1_ratio": (0.5, 1.0)},
    ranges={"strength": Range(low=0.01, high=0.9, log=True), "l1_ratio": Range(low=0.05, high=1)},
    recalibrate=False,
    named=False,
)
RANDOM_SURVIVAL_FOREST = ClassifierSpec(
    name="random_survival_forest",
    make=_forest,
    grid={"min_samples_leaf": (5, 15), "max_depth": (3, None)},  # 200 trees
    ranges={"min_samples_leaf": Range(low=3, high=30, log=True, integer=True), "max_depth": (2, 3, 5, None)},
    recalibrate=False,
    named=False,
)
SURVIVAL_MODELS: Mapping[str, ClassifierSpec] = {spec.name: spec for spec in (COX, COXNET, RANDOM_SURVIVAL_FOREST)}


class SurvivalChain(Chain):
    """Selectors, scaling and a survival model whose parameters are chosen by cross-validated Harrell's C.

    As `TunedChain`; folds are stratified by event. Steps that look at the outcome and models get
    scikit-survival's structured array of ``event`` and ``time``. Needs the extra ``survival``.

    Args:
        steps: names and unfitted estimators; the two Cox models need a z-score among them, for their penalties.
        model: name in `SURVIVAL_MODELS`.
        grid: parameter to values, or to a `Range` for a random or Bayesian search; None is the model's default.
        folds: inner folds, stratified by event, and by group where groups are given.
        random_state: seed of folds, search and model.
        search: ``"grid"``, ``"random"``, ``"bayes"`` or a `Search`.
        at: time of the Youden cut-off; None is the median time of the training patients' events.

    Attributes:
        best_params_: the chosen point.
        inner_c_: its mean C over the inner folds; slightly optimistic, since it was chosen.
        cv_results_: one row a point: its parameters, ``mean_c``, ``sd_c``, ``c_0`` ... (nan for a fold without a pair
            to compare).
        out_of_fold_: training patient to out-of-fold risk of the chosen point. Risks of different folds come from
            different models; the two Cox models' are comparable when features are z-scored, the forest's are numbers
            of expected events.
        fold_: training patient to inner fold.
        cutoffs_: ``"median"`` and ``"youden"`` of these risks; the second is None where nobody has the event by then
            or nobody is followed past it.
        fit_log_: one record a fit, by fold, in the order in which they happened.
        steps_: names and fitted steps.
        classifier_: the fitted model.
        kept_: step to the names after it.
        selected_: names that the model sees.
        feature_importances_: of these, the size of coefficients; None for the forest.
        note_: notes of steps and model, one a line; empty without any.
    """

    _RESULT = "c"

    def __init__(
        self,
        steps: Steps,
        model: str = "cox",
        grid: Mapping[str, Sequence[Any]] | None = None,
        folds: int = 5,
        random_state: int = 0,
        search: Search | str = "grid",
        at: float | None = None,
    ) -> None:
        self.steps = steps
        self.model = model
        self.grid = grid
        self.folds = folds
        self.random_state = random_state
        self.search = search
        self.at = at

    def _spec(self) -> ClassifierSpec:
        if self.model not in SURVIVAL_MODELS:
            message = f"Unknown survival model {self.model!r}: {nearest(self.model, SURVIVAL_MODELS)}"
            raise ValueError(message)
        return SURVIVAL_MODELS[self.model]

    def _begin(self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None) -> View:
        self._spec().make(self.random_state)
        self._search()
        check_table(X)
        outcome = survival_outcome(aligned(y, X.index, "outcome"))
        grouping = None if groups is None else aligned(groups, X.index, "groups")
        if not outcome["event"].any():
            message = f"There is no event in {len(X)} training patients: a survival model needs events."
            raise ValueError(message)
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        order = np.argsort(X.index.to_numpy(), kind="stable")
        return View(X, outcome, grouping).rows(order)

    def _strata(self, view: View) -> NDArray[Any]:
        event = view.outcome["event"]
        units = np.arange(event.size) if view.groups is None else view.groups
        with_event, without = (np.unique(units[event == value]).size for value in (True, False))
        if self.folds < 2 or with_event < self.folds:
            message = (
                f"{self.folds} inner folds: at least 2 are needed, and as many events as folds; there are "
                f"{with_event}: set folds to at most {with_event}, or follow patients longer."
            )
            raise ValueError(message)
        return event if without >= self.folds else np.zeros_like(event)

    def _score(self, model: Any, X: Any) -> Floats:
        return np.asarray(model.predict(X), dtype=np.float64)

    def _measure(self, outcome: NDArray[Any], score: Floats) -> float:
        value = concordance_index(outcome["time"], outcome["event"], score).value
        return np.nan if value is None else value

    def _read_out_of_fold(self, tuning: Tuning, raw: Floats) -> str:
        outcome, labels = tuning.view.outcome, tuning.view.X.index
        tuning.log.append(FitRecord("threshold", "final", tuple(labels)))
        self.out_of_fold_ = pd.Series(raw, index=labels, name="risk")
        self._keep_folds(tuning)
        at = float(np.median(outcome["time"][outcome["event"]])) if self.at is None else self.at
        self.cutoffs_: dict[str, RiskCutoff | None] = {"median": median_cutoff(raw), "youden": None}
        try:
            self.cutoffs_["youden"] = survival_youden_cutoff(outcome["time"], outcome["event"], raw, at)
        except ValueError as error:
            return f"no Youden cut-off: {error}"
        return ""

    def as_tuned(self) -> FixedChain:
        """An unfitted chain with everything fixed that tuning chose, for permutations: its fit does no inner CV."""
        return fixed(self)

    def predict(self, X: pd.DataFrame) -> Floats:
        """(n,) risks; the higher, the earlier the event.

        Args:
            X: (n, features), in any order of rows and columns, with every feature of ``fit``.

        Raises:
            ValueError: a feature is missing, or one that the model uses is not finite.
        """
        return np.asarray(self._raw(X))


def survival_outcome(outcome: NDArray[Any]) -> NDArray[Any]:
    """Event and time as scikit-survival's structured array.

    Args:
        outcome: (n,) structured array with the fields ``event`` and ``time``.

    Raises:
        ValueError: other fields, or what `glottis.evaluation.followup.check_survival` refuses; also a time of 0, at
            which no hazard is defined.
    """
    names = outcome.dtype.names or ()
    if not {"event", "time"} <= set(names):
        message = f"A survival outcome has the fields event and time; got {', '.join(names) or 'none'}: name them so."
        raise ValueError(message)
    times, events, _ = check_survival(outcome["time"], outcome["event"])
    if times.min() <= 0:
        message = (
            "A time is 0: survival models need times above 0; leave this patient out, or use the date of diagnosis."
        )
        raise ValueError(message)
    made = np.empty(times.size, dtype=OUTCOME)
    made["event"], made["time"] = events, times
    return made
