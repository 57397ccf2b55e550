"""One rater's score as a risk: concordance with survival, AUC by a time, and risk groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from glottis.data.ratings import TRAINING_SET, Paired, Ratings
from glottis.evaluation.concordance import Concordance, concordance_index
from glottis.evaluation.cox import CoxRegression, cox_regression
from glottis.evaluation.cutoffs import Cutoff
from glottis.evaluation.decision import DecisionCurve, survival_decision_curve
from glottis.evaluation.interval import Floats, plain
from glottis.evaluation.logrank import LogRank, logrank_test
from glottis.evaluation.risk_groups import median_cutoff
from glottis.evaluation.survival import KaplanMeier, kaplan_meier
from glottis.evaluation.survival_subgroups import SurvivalGroup, survival_by_group
from glottis.evaluation.time_auc import TimeDependentAUC, time_dependent_auc

LOW, HIGH = "low risk", "high risk"
PER_SD = "score, per standard deviation"


@dataclass(frozen=True, kw_only=True)
class RaterSurvival:
    """One rater's score as a risk.

    Attributes:
        n: patients.
        n_events: events.
        harrell: concordance.
        uno: concordance that does not depend on the censoring.
        time_auc: AUC for the event by each horizon; None without one.
        cutoff: of the risk groups.
        kaplan_meier: curves of the risk groups; None where one is empty.
        logrank: of the risk groups.
        cox: hazard ratio per standard deviation of the score, and the test of proportional hazards; None where the
            score does not vary.
        decision: at the first horizon, of scores that are probabilities.
        groups: centres and subgroups.
        notes: what was not done, and why.
    """

    n: int
    n_events: int
    harrell: Concordance
    uno: Concordance
    time_auc: TimeDependentAUC | None
    cutoff: Cutoff
    kaplan_meier: KaplanMeier | None
    logrank: LogRank | None
    cox: CoxRegression | None
    decision: DecisionCurve | None
    groups: tuple[SurvivalGroup, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def risk_cutoff(name: str, ratings: Ratings, on: Paired, cutoff: Cutoff | None) -> Cutoff:
    """The cut-off of the risk groups: the rater's own, or the median risk of training patients or of these."""
    if cutoff is not None:
        return cutoff
    training = ratings.rows(name, TRAINING_SET)
    if len(training):
        value = median_cutoff(training["y_score"].to_numpy(dtype=float)).value
        return Cutoff(value=value, source=f"median of {training['patient'].nunique()} training patients")
    return Cutoff(value=median_cutoff(on.scores[name]).value, source="median of these patients, blind to their outcome")


def rate_survival(
    name: str, on: Paired, cutoff: Cutoff, horizons: Sequence[float], *, probability: bool, level: float
) -> RaterSurvival:
    """Evaluate one rater's score as a risk; a higher one speaks for an earlier event.

    Args:
        name: the rater.
        on: the patients, with time and event.
        cutoff: high risk is at or above it; a median's is above it.
        horizons: times of the time-dependent AUC.
        probability: whether the score is the probability of the event by the first horizon.
        level: confidence level.
    """
    if on.time is None or on.event is None:
        message = f"'{name}' has no time and event."
        raise ValueError(message)
    time, event, risk = on.time, on.event, on.scores[name]
    high = risk > cutoff.value if cutoff.source.startswith("median") else risk >= cutoff.value
    group = np.where(high, HIGH, LOW)
    split = 0 < int(high.sum()) < high.size
    notes = []
    if not split:
        notes.append(f"No risk groups: every patient lies on one side of {cutoff.value:g}.")
    if not len(horizons):
        notes.append("No AUC by a time: give one with --horizon.")
    if cutoff.optimistic:
        notes.append("The risk groups' threshold was chosen on these patients: their difference is optimistic.")
    return RaterSurvival(
        n=int(time.size),
        n_events=int(event.sum()),
        harrell=concordance_index(time, event, risk, level=level),
        uno=concordance_index(time, event, risk, method="uno", level=level),
        time_auc=time_dependent_auc(time, event, risk, list(horizons), level=level) if len(horizons) else None,
        cutoff=cutoff,
        kaplan_meier=kaplan_meier(time, event, group=group, level=level) if split else None,
        logrank=logrank_test(time, event, group) if split else None,
        cox=_cox(time, event, risk, level),
        decision=survival_decision_curve(time, event, risk, horizons[0], level=level)
        if probability and len(horizons)
        else None,
        groups=_groups(on, risk, horizons[0] if len(horizons) else None, probability, level),
        notes=tuple(notes),
    )


def _groups(on: Paired, risk: Floats, at: float | None, probability: bool, level: float) -> tuple[SurvivalGroup, ...]:
    if not on.groups or on.time is None or on.event is None:
        return ()
    found = survival_by_group(on.time, on.event, risk, on.groups, at=at, probabilities=probability, level=level)
    return tuple(group for variable in found for group in variable.groups)


def _cox(time: Floats, event: Floats, risk: Floats, level: float) -> CoxRegression | None:
    if risk.min() == risk.max():
        return None
    scaled = risk / np.abs(risk).max()  # the variance of 1e300 or 1e-300 is no number
    if scaled.min() == scaled.max():
        return None
    return cox_regression(
        time, event, pd.DataFrame({PER_SD: (scaled - scaled.mean()) / scaled.std(ddof=1)}), level=level
    )
