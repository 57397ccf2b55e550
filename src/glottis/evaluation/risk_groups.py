"""Low and high risk: a cut-off chosen on training patients, applied unchanged to others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis._errors import StatisticsError
from glottis.evaluation.followup import censoring_survival_before, check_survival, count
from glottis.evaluation.interval import Bools, Floats, plain, refuse_non_finite
from glottis.evaluation.thresholds import half_way


@dataclass(frozen=True)
class RiskCutoff:
    """A cut-off of the risk: high when ``risk >= value``.

    Attributes:
        value: the cut-off.
        method: "median" or "youden".
        n_training: patients that it was chosen on.
        at: time of the Youden index; None for the median.
        sensitivity: on the training patients, at that time; None for the median.
        specificity: on the training patients, at that time; None for the median.
    """

    value: float
    method: Literal["median", "youden"]
    n_training: int
    at: float | None = None
    sensitivity: float | None = None
    specificity: float | None = None

    def apply(self, risk: ArrayLike) -> NDArray[np.str_]:
        """For each risk "low" or "high".

        Raises:
            ValueError: a risk is not finite.
        """
        risks = np.asarray(risk, dtype=np.float64)
        refuse_non_finite("risks", risks)
        return np.where(risks >= self.value, "high", "low")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def median_cutoff(risk: ArrayLike) -> RiskCutoff:
    """The median of the training patients' risks.

    Raises:
        ValueError: no patient, or a risk that is not finite.

    >>> median_cutoff([1, 2, 3, 10]).apply([2, 3]).tolist()
    ['low', 'high']
    """
    risks = np.asarray(risk, dtype=np.float64)
    if risks.ndim != 1 or not risks.size:
        message = f"A cut-off needs the risks of the training patients, one each; got the shape {risks.shape}."
        raise StatisticsError(message)
    refuse_non_finite("risks", risks)
    return RiskCutoff(float(np.median(risks)), "median", risks.size)


def survival_youden_cutoff(time: ArrayLike, event: ArrayLike, risk: ArrayLike, at: float) -> RiskCutoff:
    """The cut-off with the highest sensitivity + specificity for the event by a time, on training patients.

    Cases (event by ``at``) weigh 1 / G(t-), G being the Kaplan-Meier estimate of staying uncensored; controls are
    followed past ``at``. Candidates lie half-way between neighbouring risks; equal ones are decided as by
    `youden_threshold`, which serves an outcome without time.

    Args:
        time: (n,) time to event or last follow-up, not negative.
        event: (n,) 1 for the event, 0 for censored.
        risk: (n,) higher for an earlier event.
        at: the time.

    Raises:
        ValueError: what `check_survival` refuses, nobody with the event by ``at``, or nobody followed past it.

    >>> survival_youden_cutoff([1, 2, 3, 4], [1, 1, 1, 0], [0.9, 0.7, 0.3, 0.1], at=2).value
    0.5
    """
    times, events, risks = check_survival(time, event, risk)
    case, control = events & (times <= at), times > at
    if not case.any() or not control.any():
        message = (
            f"A Youden cut-off at {at:g} needs patients with the event by then ({int(case.sum())}) and patients "
            f"followed past it ({int(control.sum())}): choose another time."
        )
        raise StatisticsError(message)
    levels, sensitivity, specificity = _rates(times, events, risks, case, control)
    index = _best(sensitivity, specificity)
    return RiskCutoff(
        value=half_way(levels, index),
        method="youden",
        n_training=times.size,
        at=float(at),
        sensitivity=float(sensitivity[index]),
        specificity=float(specificity[index]),
    )


def _rates(time: Floats, event: Bools, risk: Floats, case: Bools, control: Bools) -> tuple[Floats, Floats, Floats]:
    """Sensitivity and specificity of "at least this risk" at each distinct risk."""
    counts = count(time, event)
    before = censoring_survival_before(counts)[np.searchsorted(counts.times, time)]
    weight = np.where(case, 1 / np.where(case, before, 1.0), 0.0)
    levels, index = np.unique(risk, return_inverse=True)
    of_cases = np.bincount(index, weights=weight)[::-1].cumsum()[::-1]
    of_controls = np.bincount(index, weights=control)[::-1].cumsum()[::-1]
    return levels, of_cases / of_cases[0], 1 - of_controls / of_controls[0]


def _best(sensitivity: Floats, specificity: Floats) -> int:
    youden, apart = sensitivity + specificity, np.abs(sensitivity - specificity)
    good = np.flatnonzero(youden >= youden.max() - 1e-12)
    return int(good[apart[good] <= apart[good].min() + 1e-12][0])  # the lower cut-off is the more sensitive one
