"""What moving the intercept alone does to a model in another hospital."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import expit, logit

from glottis.evaluation.calibration import CLIP, Calibration, calibration
from glottis.evaluation.interval import Floats, Interval, plain


@dataclass(frozen=True)
class InterceptUpdate:
    """A model before and after its intercept was moved to the prevalence of new patients.

    Attributes:
        shift: added to the logit of every score; above 0 the scores were too low.
        p_value: likelihood-ratio test of no shift.
        before: calibration of the scores as they came.
        after: calibration of the shifted scores, on the patients that gave the shift: a little too good.
        brier_change: after - before; below 0 is better.
        updated: (n,) shifted scores. Their order, and so the AUC, is that of the old ones.
    """

    shift: Interval
    p_value: float
    before: Calibration
    after: Calibration
    brier_change: float
    updated: Floats

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def update_intercept(y_true: ArrayLike, y_score: ArrayLike, *, level: float = 0.95) -> InterceptUpdate:
    """Recalibration in the large on external patients (Steyerberg 2004, method 1), before and after.

    Args:
        y_true: (n,) outcome of the external patients, 0 or 1.
        y_score: (n,) probability of class 1.
        level: confidence level.

    Raises:
        ValueError: one class, a score outside 0 to 1, unequal lengths.
    """
    before = calibration(y_true, y_score, level=level)
    truth, score = np.asarray(y_true).astype(bool), np.asarray(y_score, dtype=np.float64)
    x, shift = logit(np.clip(score, CLIP, 1 - CLIP)), before.in_the_large
    assert shift.value is not None  # both classes are there, so the likelihood has its maximum
    updated = expit(x + shift.value)
    after = calibration(truth, updated, level=level)
    gain = 2 * (_log_likelihood(truth, x + shift.value) - _log_likelihood(truth, x))
    return InterceptUpdate(
        shift=shift,
        p_value=float(stats.chi2.sf(max(gain, 0.0), 1)),
        before=before,
        after=after,
        brier_change=after.brier - before.brier,
        updated=updated,
    )


def _log_likelihood(truth: np.ndarray[Any, np.dtype[np.bool_]], x: Floats) -> float:
    return float(-np.logaddexp(0, np.where(truth, -x, x)).sum())
