"""External validity of a risk: concordance, calibration and decisions in every centre and prespecified subgroup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from glottis.evaluation.concordance import Concordance, concordance_index
from glottis.evaluation.decision import DecisionCurve, survival_decision_curve
from glottis.evaluation.followup import check_survival
from glottis.evaluation.interval import Bools, Floats, Interval, check_level, plain
from glottis.evaluation.subgroups import Heterogeneity, groups_of, heterogeneity
from glottis.evaluation.survival import kaplan_meier
from glottis.evaluation.time_auc import TimeAUC, time_dependent_auc


@dataclass(frozen=True)
class SurvivalGroup:
    """One group of one variable.

    Attributes:
        variable: its name.
        group: value of the variable, "not stated" where it is missing.
        n: patients.
        n_events: of them, with the event.
        harrell: Harrell's C; without a value where no two patients can be compared.
        uno: Uno's C.
        time_auc: AUC for the event by the time; None without a time.
        observed: share with the event by the time, by Kaplan-Meier; None without a time.
        expected: mean predicted risk by the time; None without a time, or where risks are no probabilities.
        decision: net benefit at the time; None where nobody is followed to it, or nobody has the event by then, and
            where ``expected`` is None.
        note: why something is None; empty otherwise.
    """

    variable: str
    group: str
    n: int
    n_events: int
    harrell: Concordance
    uno: Concordance
    time_auc: TimeAUC | None
    observed: Interval | None
    expected: float | None
    decision: DecisionCurve | None
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class SurvivalSubgroups:
    """A risk over the groups of one variable.

    Attributes:
        variable: its name.
        groups: sorted by value, those of patients without a value last.
        heterogeneity: of Harrell's C between the groups.
    """

    variable: str
    groups: tuple[SurvivalGroup, ...]
    heterogeneity: Heterogeneity

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def survival_by_group(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    variables: Mapping[str, ArrayLike],
    *,
    at: float | None = None,
    probabilities: bool = True,
    level: float = 0.95,
) -> tuple[SurvivalSubgroups, ...]:
    """Concordance, and by a time AUC, calibration and net benefit, in every group of every variable.

    Args:
        time: (n,) time to event or last follow-up, not negative.
        event: (n,) 1 for the event, 0 for censored.
        risk: (n,) higher for an earlier event; calibration and net benefit need the probability of the event by ``at``.
        variables: name to its (n,) groups, such as {"centre": ..., "sex": ...}; chosen before the results were seen.
        at: the time, in the units of ``time``; None leaves out what needs one.
        probabilities: whether risks from 0 to 1 are probabilities.
        level: confidence level.

    Raises:
        ValueError: what `check_survival` refuses, no variable, different patients, a time that is not positive.

    >>> (result,) = survival_by_group([1, 2, 3, 4], [1, 1, 0, 1], [4, 2, 3, 1], {"centre": ["A", "A", "B", "B"]})
    >>> [(group.group, group.n, group.harrell.value) for group in result.groups]
    [('A', 2, 1.0), ('B', 2, None)]
    """
    times, events, risks = check_survival(time, event, risk)
    check_level(level)
    calibrated = probabilities and bool(risks.min() >= 0 and risks.max() <= 1)
    results = []
    for name, parts in groups_of(time, variables).items():
        groups = [_group(name, label, times[r], events[r], risks[r], at, calibrated, level) for label, r in parts]
        spread = heterogeneity([(group.harrell.value, group.harrell.se) for group in groups])
        results.append(SurvivalSubgroups(name, tuple(groups), spread))
    return tuple(results)


def _group(
    variable: str,
    label: str,
    time: Floats,
    event: Bools,
    risk: Floats,
    at: float | None,
    calibrated: bool,
    level: float,
) -> SurvivalGroup:
    decision, note = _decision(time, event, risk, at, calibrated, level)
    by_time = None if at is None else time_dependent_auc(time, event, risk, at, level=level).points[0]
    return SurvivalGroup(
        variable=variable,
        group=label,
        n=time.size,
        n_events=int(event.sum()),
        harrell=concordance_index(time, event, risk, level=level),
        uno=concordance_index(time, event, risk, method="uno", level=level),
        time_auc=by_time,
        observed=None if at is None else _observed(time, event, at, level),
        expected=float(risk.mean()) if calibrated and at is not None else None,
        decision=decision,
        note=note,
    )


def _decision(
    time: Floats, event: Bools, risk: Floats, at: float | None, calibrated: bool, level: float
) -> tuple[DecisionCurve | None, str]:
    if at is None:
        return None, "no time was given: no AUC, calibration or net benefit"
    if not calibrated:
        return None, "the risks are no probabilities: no calibration or net benefit"
    if at > time.max() or not (event & (time <= at)).any():
        why = f"nobody is followed until {at:g}" if at > time.max() else f"nobody has the event by {at:g}"
        return None, f"{why}: no net benefit"
    return survival_decision_curve(time, event, risk, at, level=level), ""


def _observed(time: Floats, event: Bools, at: float, level: float) -> Interval:
    """Kaplan-Meier's share with the event by a time."""
    free = kaplan_meier(time, event, level=level)["all"].survival_at(at)
    share, low, high = (None if item is None else 1 - item for item in (free.value, free.high, free.low))
    return Interval(share, low, high, free.method, level, free.note)
