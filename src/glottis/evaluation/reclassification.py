"""What a new model changes for patients: net reclassification and integrated discrimination improvement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from glottis._errors import StatisticsError
from glottis.evaluation.interval import (
    Bools,
    Floats,
    Interval,
    check_level,
    check_probabilities,
    check_same_patients,
    check_scores,
    plain,
)
from glottis.evaluation.limits import wald_limits

NRI_BIAS = "NRI can reward a miscalibrated model that adds nothing (Hilden and Gerds 2014): read calibration beside it"


@dataclass(frozen=True)
class Reclassification:
    """Net reclassification improvement of a new model over an old one.

    Attributes:
        events: share of patients with the event who move up, less those who move down.
        non_events: share of patients without it who move down, less those who move up.
        total: the sum of both, from -2 to 2.
        p_value: two-sided, of the total.
        cutoffs: that a move crosses; empty where any change counts (continuous NRI).
        n_positive: patients with the event.
        n_negative: patients without it.
        note: the known bias.
    """

    events: Interval
    non_events: Interval
    total: Interval
    p_value: float | None
    cutoffs: tuple[float, ...]
    n_positive: int
    n_negative: int
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class IntegratedDiscrimination:
    """Integrated discrimination improvement: the change in mean probability of events, less that of non-events.

    Attributes:
        total: new less old; the slope of discrimination gained.
        events: mean change of probability in patients with the event.
        non_events: mean change in patients without it; below 0 is better.
        p_value: two-sided.
    """

    total: Interval
    events: Interval
    non_events: Interval
    p_value: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def net_reclassification(
    y_true: ArrayLike,
    y_score: ArrayLike,
    y_score_new: ArrayLike,
    *,
    cutoffs: Sequence[float] = (),
    level: float = 0.95,
) -> Reclassification:
    """Net reclassification improvement (Pencina 2008, 2011), with the variance of Hmisc's ``improveProb``.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) probability of class 1 by the old model.
        y_score_new: (n,) probability by the new model.
        cutoffs: rising probabilities between risk classes; a patient is in the upper class at or above one. None:
            every change counts, however small.
        level: confidence level.

    Raises:
        ValueError: one class, a probability outside 0 to 1, different patients, cut-offs that do not rise.

    >>> net_reclassification([1, 1, 0, 0], [0.5] * 4, [0.6, 0.6, 0.4, 0.6]).total.value
    1.0
    """
    truth, old, new = _check(y_true, y_score, y_score_new, level)
    bounds = np.asarray(cutoffs, dtype=np.float64)
    if bounds.size and not (bounds[0] > 0 and bounds[-1] < 1 and (np.diff(bounds) > 0).all()):
        message = f"Cut-offs must rise within 0 to 1; got {list(cutoffs)}: give such as (0.1, 0.3)."
        raise StatisticsError(message)
    if bounds.size:
        old, new = (np.searchsorted(bounds, score, side="right").astype(np.float64) for score in (old, new))
    moves = np.sign(new - old)
    events, non_events = _mean(moves[truth], ddof=0), _mean(-moves[~truth], ddof=0)
    total = _Mean(events.value + non_events.value, math.hypot(events.se, non_events.se))
    return Reclassification(
        events=events.interval(level),
        non_events=non_events.interval(level),
        total=total.interval(level),
        p_value=total.p_value,
        cutoffs=tuple(bounds.tolist()),
        n_positive=int(truth.sum()),
        n_negative=int((~truth).sum()),
        note=NRI_BIAS,
    )


def integrated_discrimination(
    y_true: ArrayLike, y_score: ArrayLike, y_score_new: ArrayLike, *, level: float = 0.95
) -> IntegratedDiscrimination:
    """Integrated discrimination improvement (Pencina 2008), as Hmisc's ``improveProb`` has it.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) probability of class 1 by the old model.
        y_score_new: (n,) probability by the new model.
        level: confidence level.

    Raises:
        ValueError: one class, a probability outside 0 to 1, different patients.

    >>> round(integrated_discrimination([1, 1, 0, 0], [0.5] * 4, [0.7, 0.6, 0.4, 0.5]).total.value, 3)
    0.2
    """
    truth, old, new = _check(y_true, y_score, y_score_new, level)
    events, non_events = _mean((new - old)[truth], ddof=1), _mean((new - old)[~truth], ddof=1)
    gain = _Mean(events.value - non_events.value, math.hypot(events.se, non_events.se))
    return IntegratedDiscrimination(
        total=gain.interval(level),
        events=events.interval(level),
        non_events=non_events.interval(level),
        p_value=gain.p_value,
    )


@dataclass(frozen=True)
class _Mean:
    """A mean with its standard error; nan with one patient."""

    value: float
    se: float

    def interval(self, level: float) -> Interval:
        if not self.se > 0:
            return Interval(self.value, None, None, "Wald", level, "no limits: the changes have no spread")
        return wald_limits(self.value, self.se, level, "Wald", within=(-math.inf, math.inf))

    @property
    def p_value(self) -> float | None:
        return float(2 * stats.norm.sf(abs(self.value) / self.se)) if self.se > 0 else None


def _mean(changes: Floats, ddof: int) -> _Mean:
    if changes.size <= ddof:
        return _Mean(float(changes.mean()), math.nan)
    return _Mean(float(changes.mean()), math.sqrt(changes.var(ddof=ddof) / changes.size))


def _check(y_true: ArrayLike, old: ArrayLike, new: ArrayLike, level: float) -> tuple[Bools, Floats, Floats]:
    check_level(level)
    check_same_patients({"the outcome": y_true, "the old model": old, "the new model": new})
    truth, first = check_scores(y_true, old)
    second = check_scores(y_true, new)[1]
    for name, score in (("old", first), ("new", second)):
        check_probabilities(score, f"The {name} model")
    return truth, first, second
