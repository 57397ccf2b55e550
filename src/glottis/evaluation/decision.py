"""Whether acting on a score helps patients: decision curves, for an outcome and for survival."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from glottis._errors import StatisticsError
from glottis.evaluation.followup import check_survival, count
from glottis.evaluation.interval import Bools, Floats, check_level, check_probabilities, check_scores, plain
from glottis.evaluation.limits import z_of


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit over threshold probabilities; treating nobody has the net benefit 0.

    Attributes:
        thresholds: (n_thresholds,) probability at which a patient would be treated.
        net_benefit: (n_thresholds,) true positives less weighted false positives, a patient; nan where follow-up ends.
        low: (n_thresholds,) lower limit; nan where nobody is called positive.
        high: (n_thresholds,) upper limit.
        treat_all: (n_thresholds,) net benefit of treating everybody.
        interventions_avoided: (n_thresholds,) per 100 patients against treating everybody, with no event missed.
        avoided_low: (n_thresholds,) lower limit.
        avoided_high: (n_thresholds,) upper limit.
        prevalence: share with the outcome (by the time, for survival).
        n: patients.
        method: how the limits were made.
        level: confidence level, at each threshold alone.
    """

    thresholds: Floats
    net_benefit: Floats
    low: Floats
    high: Floats
    treat_all: Floats
    interventions_avoided: Floats
    avoided_low: Floats
    avoided_high: Floats
    prevalence: float
    n: int
    method: str
    level: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; nan is None."""
        return dict(plain(self))


def decision_curve(
    y_true: ArrayLike, y_score: ArrayLike, *, thresholds: ArrayLike | None = None, level: float = 0.95
) -> DecisionCurve:
    """Decision curve of a probability (Vickers and Elkin 2006); positive when ``y_score >= threshold``.

    The limits are Wald's: net benefit is a mean over patients of 1 (true positive), -odds (false positive) or 0. Those
    of interventions avoided allow for the pairing with treating everybody.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) calibrated probability of class 1.
        thresholds: probabilities between 0 and 1; None: .01 to .99.
        level: confidence level.

    Raises:
        ValueError: one class, a score outside 0 to 1, a threshold outside (0, 1).

    >>> decision_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], thresholds=[0.2]).net_benefit.tolist()
    [0.4375]
    """
    truth, score = check_scores(y_true, y_score)
    check_probabilities(score, "A decision curve")
    check_level(level)
    points = _thresholds(thresholds)
    odds, n = points / (1 - points), truth.size
    tp, fp = (_at_or_above(score[rows], points) for rows in (truth, ~truth))
    fn, tn = truth.sum() - tp, (~truth).sum() - fp
    gained, avoided = (tp - odds * fp) / n, (odds * tn - fn) / n  # avoided: less treating everybody
    return _curve(
        points,
        gained,
        np.sqrt((tp + odds**2 * fp) / n - gained**2) / np.sqrt(n),
        avoided,
        np.sqrt((fn + odds**2 * tn) / n - avoided**2) / np.sqrt(n),
        prevalence=float(truth.mean()),
        n=n,
        level=level,
        method="Wald, at each threshold",
    )


def survival_decision_curve(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    at: float,
    *,
    thresholds: ArrayLike | None = None,
    level: float = 0.95,
) -> DecisionCurve:
    """Decision curve of a predicted risk by a time, censoring allowed for by Kaplan-Meier (Vickers 2008).

    The limits come from the infinitesimal jackknife: what each patient adds to the net benefit. Without censoring both
    are those of `decision_curve`.

    Args:
        time: (n,) time to event or last follow-up, not negative.
        event: (n,) 1 for the event, 0 for censored.
        risk: (n,) predicted probability of the event by ``at``.
        at: the time, in the units of ``time``.
        thresholds: probabilities between 0 and 1; None: .01 to .99.
        level: confidence level.

    Returns:
        The curve; nan at thresholds above which nobody is followed until ``at``.

    Raises:
        ValueError: unequal lengths, a value that is not finite, no event by ``at`` or no patient followed until then.
    """
    check_level(level)
    times, events, risks = _follow_up(time, event, risk, at)
    points = _thresholds(thresholds)
    everybody, all_influence = _survival(times, events, at)
    rows = [_survival_point(times, events, risks, at, point, everybody, all_influence) for point in points.tolist()]
    gained, gained_se, avoided, avoided_se = np.array(rows).T
    return _curve(
        points,
        gained,
        gained_se,
        avoided,
        avoided_se,
        prevalence=1 - everybody,
        n=times.size,
        level=level,
        method="Kaplan-Meier with the infinitesimal jackknife, at each threshold",
    )


def _survival_point(
    time: Floats, event: Bools, risk: Floats, at: float, point: float, everybody: float, all_influence: Floats
) -> tuple[float, float, float, float]:
    """Net benefit, its error, that less treating everybody's, its error."""
    called, scale = risk >= point, 1 / (1 - point)  # 1 + odds
    treat_all = 1 - scale * everybody
    of_all = -scale * all_influence
    if not called.any():
        return 0.0, 0.0, -treat_all, _length(of_all)
    share = called.mean()
    survival, influence = _survival(time[called], event[called], at)
    worth = 1 - scale * survival
    of_each = (called - share) / time.size * worth
    of_each[called] -= share * scale * influence
    gained = share * worth
    return gained, _length(of_each), gained - treat_all, _length(of_each - of_all)


def _survival(time: Floats, event: Bools, at: float) -> tuple[float, Floats]:
    """Kaplan-Meier at a time, and what a little more weight on each patient would add to it."""
    if time.max() < at and not event[time == time.max()].all():
        return np.nan, np.full(time.size, np.nan)
    counts = count(time, event)
    until = counts.times <= at
    at_risk, deaths = counts.at_risk[until], counts.events[until]
    survival = float(np.prod(1 - deaths / at_risk))
    if survival == 0:
        return 0.0, np.zeros(time.size)
    left = np.where(deaths > 0, at_risk - deaths, 1.0)
    exposed = np.concatenate([[0.0], np.cumsum(deaths / (at_risk * left))])
    influence = exposed[np.searchsorted(counts.times[until], time, side="right")]
    died = event & (time <= at)
    influence[died] -= 1 / left[np.searchsorted(counts.times[until], time[died])]
    return survival, survival * influence


def _length(values: Floats) -> float:
    return float(np.sqrt((values**2).sum()))


def _curve(
    points: Floats,
    gained: Floats,
    gained_se: Floats,
    avoided: Floats,
    avoided_se: Floats,
    *,
    prevalence: float,
    **about: Any,
) -> DecisionCurve:
    z, odds = z_of(about["level"]), points / (1 - points)
    gained_half, avoided_half = (z * np.where(se > 1e-12, se, np.nan) for se in (gained_se, avoided_se))
    per_100 = 100 / odds
    return DecisionCurve(
        thresholds=points,
        net_benefit=gained,
        low=gained - gained_half,
        high=gained + gained_half,
        treat_all=prevalence - odds * (1 - prevalence),
        interventions_avoided=per_100 * avoided,
        avoided_low=per_100 * (avoided - avoided_half),
        avoided_high=per_100 * (avoided + avoided_half),
        prevalence=prevalence,
        **about,
    )


def _at_or_above(score: Floats, points: Floats) -> Floats:
    return np.asarray(score.size - np.searchsorted(np.sort(score), points, side="left"), dtype=np.float64)


def _thresholds(thresholds: ArrayLike | None) -> Floats:
    points = np.arange(1, 100) / 100 if thresholds is None else np.asarray(thresholds, dtype=np.float64)
    if points.ndim != 1 or not ((points > 0) & (points < 1)).all():
        message = f"Threshold probabilities lie between 0 and 1; got {points.tolist()}: give a list such as [0.1, 0.2]."
        raise StatisticsError(message)
    return points


def _follow_up(time: ArrayLike, event: ArrayLike, risk: ArrayLike, at: float) -> tuple[Floats, Bools, Floats]:
    times, events, risks = check_survival(time, event, risk)
    check_probabilities(risks, "A decision curve")
    if not 0 < at <= times.max() or not events[times <= at].any():
        message = (
            f"Nobody is followed until {at:g}, or nobody has the event by then (follow-up ends at {times.max():g}): "
            "choose another time."
        )
        raise StatisticsError(message)
    return times, events, risks
