"""How long patients stay free of an event: Kaplan-Meier curves and follow-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from glottis.evaluation.followup import Counts, check_groups, check_survival, count
from glottis.evaluation.interval import Bools, Floats, Interval, check_level, plain
from glottis.evaluation.limits import z_of

LOG_SCALE = "Greenwood on the log scale"
REVERSE = "reverse Kaplan-Meier"
_ON_THE_LEVEL = 2.0**-26


@dataclass(frozen=True)
class SurvivalCurve:
    """Kaplan-Meier curve of one group.

    Attributes:
        label: name of the group.
        n: patients.
        n_events: events.
        times: (k,) distinct times, ascending.
        survival: (k,) probability of no event up to and including that time.
        low: (k,) lower limit; nan where the curve is 0.
        high: (k,) upper limit; nan where the curve is 0.
        at_risk: (k,) patients not yet gone just before that time.
        events: (k,) events at that time.
        censored: (k,) censorings at that time.
        median: first time at which half had the event; None where the curve, or its limit, stays above one half.
        follow_up: median follow-up by the reverse Kaplan-Meier estimate (Schemper and Smith 1996).
        longest: last time of the group.
    """

    label: str
    n: int
    n_events: int
    times: Floats
    survival: Floats
    low: Floats
    high: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    median: Interval
    follow_up: Interval
    longest: float

    def numbers_at_risk(self, at: ArrayLike) -> list[int]:
        """Patients not yet gone just before each of the times ``at``."""
        return numbers_at_risk(self.times, self.at_risk, at)

    def survival_at(self, at: float) -> Interval:
        """Probability of no event up to ``at``; None after the last time."""
        level = self.median.level
        index = int(np.searchsorted(self.times, at, side="right")) - 1
        if at > self.longest:
            note = f"nobody was followed to {at:g}; the longest time is {self.longest:g}"
            return Interval(None, None, None, LOG_SCALE, level, note)
        if index < 0:
            return Interval(1.0, 1.0, 1.0, LOG_SCALE, level)
        value, low, high = (float(item[index]) for item in (self.survival, self.low, self.high))
        note = "" if value > 0 else "not estimable: the curve has reached 0"
        return Interval(value, _or_none(low), _or_none(high), LOG_SCALE, level, note)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; nan is None."""
        return dict(plain(self))


@dataclass(frozen=True)
class KaplanMeier:
    """Kaplan-Meier curves of all groups.

    Attributes:
        curves: one a group, sorted by its name.
        level: confidence level.
        method: how the limits were made.
    """

    curves: tuple[SurvivalCurve, ...]
    level: float
    method: str = LOG_SCALE

    def __getitem__(self, label: str) -> SurvivalCurve:
        """The curve of one group."""
        return {curve.label: curve for curve in self.curves}[label]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def kaplan_meier(
    time: ArrayLike, event: ArrayLike, *, group: ArrayLike | None = None, level: float = 0.95
) -> KaplanMeier:
    """Kaplan-Meier curves with limits on the log scale, as R's ``survfit`` draws them.

    An event comes before a censoring of the same time. The median is the first time at which the curve is at or under
    one half, or the middle of the stretch where it equals one half; its limits are read from the limits of the curve
    (Brookmeyer and Crowley 1982).

    Args:
        time: (n,) time to event or last follow-up, not negative.
        event: (n,) 1 for the event, 0 for censored.
        group: (n,) group of each patient; all patients are one without it.
        level: confidence level.

    Raises:
        ValueError: what `check_survival` refuses, or a patient without a group.

    >>> kaplan_meier([1, 2, 3, 4], [1, 0, 1, 1])["all"].survival.tolist()
    [0.75, 0.75, 0.375, 0.0]
    """
    times, events, _ = check_survival(time, event)
    check_level(level)
    of_group, labels = check_groups(group, times.size)
    curves = [_curve(times[of_group == i], events[of_group == i], name, level) for i, name in enumerate(labels)]
    return KaplanMeier(tuple(curves), level)


def _curve(time: Floats, event: Bools, label: str, level: float) -> SurvivalCurve:
    counts = count(time, event)
    survival, low, high = _limits(counts, level)
    reverse = Counts(counts.times, counts.at_risk - counts.events, counts.censored, counts.events)
    return SurvivalCurve(
        label=label,
        n=time.size,
        n_events=int(event.sum()),
        times=counts.times,
        survival=survival,
        low=low,
        high=high,
        at_risk=counts.at_risk,
        events=counts.events,
        censored=counts.censored,
        median=_median(counts.times, survival, low, high, level, LOG_SCALE),
        follow_up=_median(counts.times, *_limits(reverse, level), level, REVERSE),
        longest=float(time.max()),
    )


def _limits(counts: Counts, level: float) -> tuple[Floats, Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        left = counts.at_risk - counts.events
        survival = np.asarray(np.cumprod(np.where(counts.at_risk > 0, left / counts.at_risk, 1.0)), dtype=np.float64)
        terms = np.where(counts.events > 0, counts.events / (counts.at_risk * left), 0.0)
        half = z_of(level) * np.sqrt(np.cumsum(terms))
        low, high = survival * np.exp(-half), np.minimum(1.0, survival * np.exp(half))
    gone = survival <= 0
    return survival, np.where(gone, np.nan, low), np.where(gone, np.nan, high)


def _median(times: Floats, survival: Floats, low: Floats, high: Floats, level: float, method: str) -> Interval:
    value, lower, upper = (_crosses_half(times, curve) for curve in (survival, low, high))
    note = "" if value is not None else "not reached: the curve stays above one half"
    return Interval(value, lower, upper, method, level, note)


def _crosses_half(times: Floats, curve: Floats) -> float | None:
    under = np.flatnonzero(curve < 0.5 + _ON_THE_LEVEL)
    if not under.size:
        return None
    first = curve[under[0]]
    lower = under[curve[under] < first]
    if abs(first - 0.5) < _ON_THE_LEVEL and lower.size:
        return float((times[under[0]] + times[lower[0]]) / 2)
    return float(times[under[0]])


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


def numbers_at_risk(times: ArrayLike, at_risk: ArrayLike, at: ArrayLike) -> list[int]:
    """Patients not yet gone just before each of the times ``at``, read from a curve's times and numbers at risk."""
    index = np.searchsorted(np.asarray(times, dtype=np.float64), np.asarray(at, dtype=np.float64), side="left")
    return [int(value) for value in np.append(np.asarray(at_risk, dtype=np.float64), 0)[index]]
