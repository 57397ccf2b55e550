"""Whether predicted probabilities are true: slope, intercept, Brier score, smooth curve and groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import logit
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.nonparametric.smoothers_lowess import lowess

from glottis.evaluation.confusion import proportion
from glottis.evaluation.interval import Bools, Floats, Interval, check_level, check_probabilities, check_scores

CLIP = 1e-6
LOWESS_SHARE = 2 / 3
MINIMUM_LEVELS = 20
MINIMUM_A_GROUP = 10


@dataclass(frozen=True)
class CalibrationGroup:
    """Patients of neighbouring scores: how many, what was predicted, what was seen."""

    n: int
    mean_score: float
    observed: Interval

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return vars(self) | {"observed": self.observed.to_dict()}


@dataclass(frozen=True)
class Calibration:
    """Calibration of probabilities in a held-out set.

    Attributes:
        slope: of the outcome on the logit of the score; 1 is right, below 1 scores are too extreme.
        intercept: of the same regression; 0 is right.
        in_the_large: intercept with the slope fixed at 1; above 0 the scores are too low on the whole.
        brier: mean squared difference of score and outcome, 0 is perfect.
        ici: mean absolute difference between smooth curve and score; None without a curve.
        curve_score: scores on a grid, where the smooth curve is read.
        curve_observed: smoothed share of events there.
        groups: two to ten groups of equal size by score, of ten patients or more where there are enough.
        n_clipped: scores of 0 or 1 (to within 1e-6) that the logit needed moved.
        note: what could not be estimated, and why.
    """

    slope: Interval
    intercept: Interval
    in_the_large: Interval
    brier: float
    ici: float | None
    curve_score: Floats
    curve_observed: Floats
    groups: tuple[CalibrationGroup, ...]
    n_clipped: int
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return vars(self) | {
            "slope": self.slope.to_dict(),
            "intercept": self.intercept.to_dict(),
            "in_the_large": self.in_the_large.to_dict(),
            "curve_score": self.curve_score.tolist(),
            "curve_observed": self.curve_observed.tolist(),
            "groups": [group.to_dict() for group in self.groups],
        }


def calibration(y_true: ArrayLike, y_score: ArrayLike, *, level: float = 0.95, n_grid: int = 100) -> Calibration:
    """Calibration of held-out probabilities.

    Slope, intercept and calibration-in-the-large come from logistic regressions on the logit of the score (Cox 1958),
    with Wald limits; the curve is a lowess without robustness iterations, which would distort 0/1 data.

    Args:
        y_true: (n,) outcome, 0 or 1.
        y_score: (n,) probability of class 1.
        level: confidence level.
        n_grid: points of the curve, between the lowest and the highest score.

    Returns:
        The result; slope and intercept are None, and say so, where the classes are separated or all scores are equal.

    Raises:
        ValueError: one class, a score outside 0 to 1, unequal lengths.
    """
    truth, score = check_scores(y_true, y_score)
    check_level(level)
    check_probabilities(score, "Calibration")
    clipped = np.clip(score, CLIP, 1 - CLIP)
    slope, intercept = _slope_and_intercept(truth, logit(clipped), level)
    curve_score, curve_observed, ici = _curve(truth, score, n_grid)
    notes = [slope.note, "" if curve_score.size else f"no smooth curve: fewer than {MINIMUM_LEVELS} different scores"]
    return Calibration(
        slope=slope,
        intercept=intercept,
        in_the_large=_in_the_large(truth, logit(clipped), level),
        brier=float(np.mean((score - truth) ** 2)),
        ici=ici,
        curve_score=curve_score,
        curve_observed=curve_observed,
        groups=_groups(truth, score, level),
        n_clipped=int((clipped != score).sum()),
        note="; ".join(note for note in notes if note),
    )


def _slope_and_intercept(truth: Bools, x: Floats, level: float) -> tuple[Interval, Interval]:
    why = _why_no_slope(truth, x)
    if why:
        missing = Interval(None, None, None, "Wald", level, why)
        return missing, missing
    fit = GLM(truth.astype(float), np.column_stack([np.ones_like(x), x]), family=Binomial()).fit()
    intercept, slope = (_wald(fit.params[i], fit.bse[i], level) for i in (0, 1))
    return slope, intercept


def _why_no_slope(truth: Bools, x: Floats) -> str:
    if x.min() == x.max():
        return "slope not estimable: all scores are equal"
    positives, negatives = x[truth], x[~truth]
    if positives.min() >= negatives.max() or negatives.min() >= positives.max():
        return "slope not estimable: the scores separate the classes, wholly or but for ties"
    return ""


def _in_the_large(truth: Bools, x: Floats, level: float) -> Interval:
    ones = np.ones((truth.size, 1))
    fit = GLM(truth.astype(float), ones, family=Binomial(), offset=x).fit()
    return _wald(fit.params[0], fit.bse[0], level)


def _wald(estimate: float, se: float, level: float) -> Interval:
    half = float(stats.norm.ppf((1 + level) / 2)) * float(se)
    return Interval(float(estimate), float(estimate) - half, float(estimate) + half, "Wald", level)


def _curve(truth: Bools, score: Floats, n_grid: int) -> tuple[Floats, Floats, float | None]:
    if np.unique(score).size < MINIMUM_LEVELS:
        return np.empty(0), np.empty(0), None
    grid = np.linspace(score.min(), score.max(), n_grid)
    at = np.concatenate([grid, score])
    smooth = np.asarray(lowess(truth.astype(float), score, frac=LOWESS_SHARE, it=0, xvals=at))
    smooth = np.clip(smooth, 0, 1)
    difference = np.abs(smooth[n_grid:] - score)
    known = np.isfinite(smooth[:n_grid])
    return grid[known], smooth[:n_grid][known], float(np.nanmean(difference))


def _groups(truth: Bools, score: Floats, level: float) -> tuple[CalibrationGroup, ...]:
    order = np.argsort(score, kind="stable")
    parts = [part for part in np.array_split(order, min(10, max(2, truth.size // MINIMUM_A_GROUP))) if part.size]
    return tuple(
        CalibrationGroup(
            n=int(part.size),
            mean_score=float(score[part].mean()),
            observed=proportion(int(truth[part].sum()), int(part.size), level=level),
        )
        for part in parts
    )
