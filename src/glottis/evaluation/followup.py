"""Times and events of patients: their checks, and the counts that every survival statistic starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis._errors import StatisticsError
from glottis.evaluation.interval import Bools, Floats, refuse_non_finite

TIE_TOLERANCE = 2.0**-26


@dataclass(frozen=True)
class Counts:
    """What happens at each distinct time; an event comes before a censoring of the same time.

    Attributes:
        times: (k,) distinct times, ascending.
        at_risk: (k,) patients whose time is not earlier.
        events: (k,) events at that time.
        censored: (k,) censorings at that time.
    """

    times: Floats
    at_risk: Floats
    events: Floats
    censored: Floats


def check_survival(time: ArrayLike, event: ArrayLike, risk: ArrayLike | None = None) -> tuple[Floats, Bools, Floats]:
    """Time, event and risk of the same patients, as arrays of equal length.

    Times that differ by less than 1.5e-8 of their mean are made equal, as R's ``timefix`` does, so that 0.3 and
    0.1 + 0.2 are ties.

    Args:
        time: (n,) time to the event or to the last follow-up, not negative.
        event: (n,) 1 (True) where the event happened, 0 where the patient was censored.
        risk: (n,) higher for an earlier event; zeros where it is not needed.

    Returns:
        Times, events as booleans, risks.

    Raises:
        ValueError: no patient, lengths differ, a value is not finite, a time is negative, an event is not 0/1.
    """
    times, events = np.asarray(time, dtype=np.float64), np.asarray(event)
    risks = np.zeros_like(times) if risk is None else np.asarray(risk, dtype=np.float64)
    if times.ndim != 1 or times.shape != events.shape or times.shape != risks.shape or not times.size:
        shapes = f"{times.shape}, {events.shape} and {risks.shape}"
        message = f"Time, event and risk must be lists of equal length, not empty; got {shapes}: give one a patient."
        raise StatisticsError(message)
    for name, values in (("times", times), ("risks", risks)):
        refuse_non_finite(name, values)
    if times.min() < 0:
        message = f"A time is negative ({times.min():g}): count from the start of follow-up, such as surgery."
        raise StatisticsError(message)
    odd = sorted({value for value in events.tolist() if value not in (0, 1)}, key=str)
    if odd:
        message = f"An event must be 0 or 1; got {', '.join(map(repr, odd[:5]))}: code 1 for the event, 0 for censored."
        raise StatisticsError(message)
    return _with_ties(times), events.astype(bool), risks


def check_groups(group: ArrayLike | None, n: int) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Number of each patient's group, and the groups' names in sorted order; one group "all" without any.

    Raises:
        ValueError: the lengths differ, or a patient has no group.
    """
    if group is None:
        return np.zeros(n, dtype=np.intp), ("all",)
    values: NDArray[Any] = np.asarray(group, dtype=object)
    if values.shape != (n,):
        message = f"Groups must have one entry a patient ({n}); got the shape {values.shape}."
        raise StatisticsError(message)
    n_missing = sum(value is None or value != value for value in values)
    if n_missing:
        message = f"{n_missing} of {n} patients have no group: leave them out, and report how many they are."
        raise StatisticsError(message)
    try:
        levels = sorted(set(values))
    except TypeError:
        levels = sorted(set(values), key=str)
    number = {level: index for index, level in enumerate(levels)}
    return np.array([number[value] for value in values], dtype=np.intp), tuple(str(level) for level in levels)


def _with_ties(times: Floats) -> Floats:
    levels, level_of = np.unique(times, return_inverse=True)
    steps = np.diff(levels)
    mean = float(np.abs(levels).mean())
    tied = (steps <= TIE_TOLERANCE) | (steps <= TIE_TOLERANCE * mean)
    first = np.maximum.accumulate(np.where(np.concatenate([[False], tied]), 0, np.arange(levels.size)))
    return np.asarray(levels[first][level_of])


def count(time: Floats, event: Bools) -> Counts:
    """Patients at risk, events and censorings at each distinct time."""
    times, index = np.unique(time, return_inverse=True)
    events = np.bincount(index, weights=event, minlength=times.size).astype(np.float64)
    leaving = np.bincount(index, minlength=times.size).astype(np.float64)
    at_risk = leaving[::-1].cumsum()[::-1]
    return Counts(times, at_risk, events, leaving - events)


def censoring_survival_before(counts: Counts) -> Floats:
    """Kaplan-Meier probability of not being censored before each distinct time, G(t-); an event comes first."""
    left = counts.at_risk - counts.events
    with np.errstate(invalid="ignore"):
        steps = np.where(counts.censored > 0, 1 - counts.censored / np.where(left > 0, left, 1), 1.0)
    return np.concatenate([[1.0], np.cumprod(steps)[:-1]])
