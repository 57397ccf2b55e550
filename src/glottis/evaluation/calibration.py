"""Whether predicted probabilities are true: slope, intercept, Brier score, smooth curve and groups."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.nonparametric.smoothers_lowess import lowess

from glottis.evaluation.interval import Bools, Floats, Interval, check_level, check_probabilities, check_scores, plain
from glottis.evaluation.limits import wald_limits
from glottis.evaluation.proportion import proportion

CLIP = 1e-6
LOWESS_SHARE = 2 / 3
MINIMUM_LEVELS = 20
MOST_KNOTS = 1000
MINIMUM_A_GROUP = 10
HISTOGRAM_EDGES = np.arange(21) / 20
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class CalibrationGroup:
    """Patients of neighbouring scores: how many, what was predicted, what was seen."""

    n: int
    mean_score: float
    observed: Interval

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class Calibration:
    """Calibration of probabilities in a held-out set.

    Attributes:
        slope: of the outcome on the logit of the score; 1 is right, below 1 scores are too extreme.
        intercept: of the same regression; 0 is right.
        in_the_large: intercept with the slope fixed at 1; above 0 the scores are too low on the whole.
        brier: mean squared difference of score and outcome, 0 is perfect.
        brier_scaled: 1 - brier / that of the prevalence for everybody; 1 is perfect, 0 is no better than that.
        ici: mean absolute difference between smooth curve and score (Austin and Steyerberg 2019); None without a curve.
        e50: median of that difference.
        e90: its 90th percentile.
        emax: the largest.
        curve_score: scores on a grid, where the smooth curve is read.
        curve_observed: smoothed share of events there.
        groups: two to ten groups of equal size by score, of ten patients or more where there are enough.
        histogram_edges: (21,) edges of the histogram of scores, 0 to 1; a score on an edge counts above it.
        histogram_positive: (20,) patients of class 1 in each bin.
        histogram_negative: (20,) patients of class 0.
        n_clipped: scores of 0 or 1 (to within 1e-6) that the logit needed moved.
        note: what could not be estimated, and why.
    """

    slope: Interval
    intercept: Interval
    in_the_large: Interval
    brier: float
    brier_scaled: float
    ici: float | None
    e50: float | None
    e90: float | None
    emax: float | None
    curve_score: Floats
    curve_observed: Floats
    groups: tuple[CalibrationGroup, ...]
    histogram_edges: Floats
    histogram_positive: Ints
    histogram_negative: Ints
    n_clipped: int
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


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
    curve_score, curve_observed, distance = _curve(truth, score, n_grid)
    brier, prevalence = float(np.mean((score - truth) ** 2)), float(truth.mean())
    notes = [slope.note, "" if curve_score.size else f"no smooth curve: fewer than {MINIMUM_LEVELS} different scores"]
    return Calibration(
        slope=slope,
        intercept=intercept,
        in_the_large=_in_the_large(truth, logit(clipped), level),
        brier=brier,
        brier_scaled=1 - brier / (prevalence * (1 - prevalence)),
        ici=float(distance.mean()) if distance.size else None,
        e50=float(np.quantile(distance, 0.5)) if distance.size else None,
        e90=float(np.quantile(distance, 0.9)) if distance.size else None,
        emax=float(distance.max()) if distance.size else None,
        curve_score=curve_score,
        curve_observed=curve_observed,
        groups=_groups(truth, score, level),
        histogram_edges=HISTOGRAM_EDGES.copy(),
        histogram_positive=np.histogram(score[truth], HISTOGRAM_EDGES)[0],
        histogram_negative=np.histogram(score[~truth], HISTOGRAM_EDGES)[0],
        n_clipped=int((clipped != score).sum()),
        note="; ".join(note for note in notes if note),
    )


def slope_and_intercept(truth: Bools, score: Floats) -> tuple[float, float] | None:
    """Calibration slope and intercept of checked probabilities; None where the regression has no finite solution."""
    slope, intercept = _slope_and_intercept(truth, logit(np.clip(score, CLIP, 1 - CLIP)), 0.95)
    return None if slope.value is None or intercept.value is None else (slope.value, intercept.value)


def _slope_and_intercept(truth: Bools, x: Floats, level: float) -> tuple[Interval, Interval]:
    why = _why_no_slope(truth, x)
    if why:
        missing = Interval(None, None, None, "Wald", level, why)
        return missing, missing
    fit = GLM(truth.astype(float), np.column_stack([np.ones_like(x), x]), family=Binomial()).fit(tol=1e-12)
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
    fit = GLM(truth.astype(float), ones, family=Binomial(), offset=x).fit(tol=1e-12)
    return _wald(fit.params[0], fit.bse[0], level)


def _wald(estimate: float, se: float, level: float) -> Interval:
    return wald_limits(float(estimate), float(se), level, "Wald", within=(-math.inf, math.inf))


def _curve(truth: Bools, score: Floats, n_grid: int) -> tuple[Floats, Floats, Floats]:
    """Grid, smooth curve there, and the distance between curve and score of each patient."""
    if np.unique(score).size < MINIMUM_LEVELS:
        return np.empty(0), np.empty(0), np.empty(0)
    grid = np.linspace(score.min(), score.max(), n_grid)
    # every patient's own score, or so many quantiles that the straight lines between them cost nothing
    knots = np.unique(score if score.size <= MOST_KNOTS else np.quantile(score, np.linspace(0, 1, MOST_KNOTS)))
    at = np.concatenate([grid, knots])
    smooth = np.asarray(lowess(truth.astype(float), score, frac=LOWESS_SHARE, it=0, xvals=at))
    on_grid, on_knots = np.clip(smooth[:n_grid], 0, 1), smooth[n_grid:]  # distances as rms::val.prob has them, not cut
    known, usable = np.isfinite(on_grid), np.isfinite(on_knots)
    distance = np.abs(np.interp(score, knots[usable], on_knots[usable]) - score)
    return grid[known], on_grid[known], distance


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
