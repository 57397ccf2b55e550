"""Survival of a patient whose linear predictor is 0, from which a Cox model gives that of every other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from glottis._errors import StatisticsError
from glottis.evaluation._partial_likelihood import PartialLikelihood
from glottis.evaluation.followup import TIE_TOLERANCE, check_survival
from glottis.evaluation.interval import Floats, plain

EFRON = "exp(-H0), H0 Efron's cumulative hazard"


@dataclass(frozen=True)
class BaselineSurvival:
    """Baseline survival of a Cox regression, a step function of time.

    Attributes:
        times: (k,) distinct times with an event, ascending.
        cumulative_hazard: (k,) H0 from that time on, of a patient with linear predictor 0.
        longest: last time of any patient.
        method: how it was made.
    """

    times: Floats
    cumulative_hazard: Floats
    longest: float
    method: str = EFRON

    def at(self, time: float) -> float:
        """Probability of no event up to and including ``time``, with linear predictor 0.

        Raises:
            ValueError: a time before the first event, or after the last follow-up.
        """
        known = int(np.searchsorted(self.times, time + TIE_TOLERANCE * self.times.mean(), side="right"))
        if not known or not time <= self.longest:
            message = (
                f"Survival at {time:g} cannot be told: the first event is at {self.times[0]:g} and the last follow-up "
                f"at {self.longest:g}: name a time between them."
            )
            raise StatisticsError(message)
        return float(np.exp(-self.cumulative_hazard[known - 1]))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def baseline_survival(time: ArrayLike, event: ArrayLike, linear_predictor: ArrayLike) -> BaselineSurvival:
    """Baseline survival after Efron, as R's ``survfit(coxph(..., ties = "efron"))`` and ``rms::cph`` have it.

    The k-th of d events at one time finds (d - k + 1) / d of each of the d still at risk (Efron 1977); without ties it
    equals Breslow's.

    Args:
        time: (n,) time to event or last follow-up, not negative.
        event: (n,) 1 for the event, 0 for censored.
        linear_predictor: (n,) of the Cox regression; higher for an earlier event.

    Raises:
        ValueError: what `check_survival` refuses, or no event.

    >>> made = baseline_survival([1, 2, 3], [1, 1, 0], [0, 0, 0])
    >>> made.cumulative_hazard.round(4).tolist()  # 1/3, then 1/2 more
    [0.3333, 0.8333]
    """
    times, events, predictor = check_survival(time, event, linear_predictor)
    if not events.any():
        message = f"There is no event in {times.size} patients: a baseline survival needs at least one."
        raise StatisticsError(message)
    likelihood = PartialLikelihood(times, events, predictor[:, None])
    steps = likelihood.moments(np.ones(1)).inverse * np.exp(-predictor.max())
    of_events = likelihood.time[likelihood.event]
    last = np.append(of_events[1:] != of_events[:-1], True)
    return BaselineSurvival(of_events[last], np.cumsum(steps)[last], float(times.max()))
