"""Calibration of a model on the patients that it was fitted on, with the optimism taken off: Harrell's bootstrap."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from statsmodels.nonparametric.smoothers_lowess import lowess

from glottis._errors import StatisticsError
from glottis.evaluation.calibration import HISTOGRAM_EDGES, LOWESS_SHARE, MINIMUM_LEVELS, Ints
from glottis.evaluation.interval import Floats, check_scores, plain
from glottis.evaluation.optimism import Fit, Optimism, Refit, drawn_rows, of_refits, refits

BESIDE = 4  # patients at either end beyond the grid, where a curve would rest on too few
MINIMUM_PATIENTS = 11
JOINED = 0.01  # of the range: scores nearer than this share a line, as in R's lowess


@dataclass(frozen=True)
class CorrectedCalibration:
    """Apparent and bias-corrected calibration of a way to make a model.

    Attributes:
        curve_score: (k,) probabilities from the fifth lowest to the fifth highest; empty where there is no curve.
        apparent: (k,) smoothed share of events there, on the patients of the fit.
        optimism: (k,) mean over resamples of (on the resample - on all patients).
        corrected: (k,) apparent - optimism.
        mean_absolute_error: mean distance of corrected curve and probability over the patients of the grid; None
            without a curve.
        e90: 90th percentile of that distance.
        emax: the largest.
        performance: AUC, Brier score, slope and intercept, corrected over the same refits.
        histogram_edges: (21,) edges of the histogram of probabilities, 0 to 1.
        histogram: (20,) patients in each bin.
        n: patients.
        n_positive: of them, with the outcome.
        fewest_resamples: that counted at any point of the grid; a resample does not reach every probability.
        note: why there is no curve; empty otherwise.
    """

    curve_score: Floats
    apparent: Floats
    optimism: Floats
    corrected: Floats
    mean_absolute_error: float | None
    e90: float | None
    emax: float | None
    performance: Optimism
    histogram_edges: Floats
    histogram: Ints
    n: int
    n_positive: int
    fewest_resamples: int
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def corrected_calibration(
    fit: Fit, X: Any, y_true: ArrayLike, *, n_resamples: int = 200, random_state: int = 0, n_grid: int = 50
) -> CorrectedCalibration:
    """Calibration curve corrected for optimism by bootstrap, as ``rms::calibrate(method = "boot")`` has it.

    Smoothed as there: a lowess over two thirds of the patients without robustness iterations, straight lines between.
    The whole procedure, every selection included, belongs into ``fit``: what it does outside is not corrected. With the
    same seed, ``performance`` is what `optimism` gives.

    Args:
        fit: from the rows of X and their outcome to a function that gives the probability of class 1 for rows of X.
        X: (n, n_features) array or table of the patients of the fit.
        y_true: (n,) outcome, 0 or 1.
        n_resamples: bootstrap resamples, of all patients, with replacement.
        random_state: seed.
        n_grid: points of the curve.

    Returns:
        The result; without a curve, and with a note, where there are fewer than 20 different probabilities.

    Raises:
        ValueError: what `optimism` refuses, fewer than 11 patients, a grid of fewer than 2 points.
    """
    rows = drawn_rows(len(np.asarray(y_true)), n_resamples, random_state)
    return over_resamples(fit, X, y_true, rows, n_grid)


def over_resamples(fit: Fit, X: Any, y_true: ArrayLike, resamples: list[Any], n_grid: int = 50) -> CorrectedCalibration:
    """`corrected_calibration` with the rows of each resample given."""
    rows = np.asarray(y_true)
    if rows.size < MINIMUM_PATIENTS or n_grid < 2:
        message = (
            f"A corrected calibration curve needs at least {MINIMUM_PATIENTS} patients and a grid of 2 points; got "
            f"{rows.size} and {n_grid}: look at the Brier score instead, or refine the grid."
        )
        raise StatisticsError(message)
    score = np.asarray(fit(X, rows)(X), dtype=np.float64)
    made = refits(fit, X, rows, resamples)
    performance = of_refits(rows, score, made)
    truth, score = check_scores(rows, score)
    grid, apparent, shift, fewest = _curve(truth.astype(np.float64), score, made, n_grid)
    inside = score[(score >= grid[0]) & (score <= grid[-1])] if grid.size else grid
    distance = np.abs(np.interp(inside, grid, apparent - shift) - inside) if grid.size else grid
    return CorrectedCalibration(
        curve_score=grid,
        apparent=apparent,
        optimism=shift,
        corrected=apparent - shift,
        mean_absolute_error=float(distance.mean()) if grid.size else None,
        e90=float(np.quantile(distance, 0.9)) if grid.size else None,
        emax=float(distance.max()) if grid.size else None,
        performance=performance,
        histogram_edges=HISTOGRAM_EDGES.copy(),
        histogram=np.histogram(score, HISTOGRAM_EDGES)[0],
        n=truth.size,
        n_positive=int(truth.sum()),
        fewest_resamples=fewest,
        note="" if grid.size else f"no curve: fewer than {MINIMUM_LEVELS} different probabilities",
    )


def _curve(truth: Floats, score: Floats, made: list[Refit | None], n_grid: int) -> tuple[Floats, Floats, Floats, int]:
    """Grid, apparent curve, its optimism, and how many resamples reach the point that the fewest reach."""
    nothing = np.empty(0)
    if np.unique(score).size < MINIMUM_LEVELS:
        return nothing, nothing, nothing, 0
    ordered = np.sort(score)
    grid = np.linspace(ordered[BESIDE], ordered[-1 - BESIDE], n_grid)
    apparent = _smooth(truth, score, grid)
    pairs = [
        _smooth(refit.drawn.astype(np.float64), refit.on_resample, grid) - _smooth(truth, refit.on_all, grid)
        for refit in made
        if refit is not None
    ]
    differences = np.array(pairs)
    reached = np.isfinite(differences)
    counts = reached.sum(axis=0)
    shift = np.where(reached, differences, 0.0).sum(axis=0) / np.maximum(counts, 1)
    known = (counts > 0) & np.isfinite(apparent)
    return grid[known], apparent[known], shift[known], int(counts[known].min())


def _smooth(truth: Floats, score: Floats, grid: Floats) -> Floats:
    """Lowess at the grid; nan beyond the lowest and the highest score."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "invalid value", RuntimeWarning)  # where all neighbours share a score
        curve = np.asarray(lowess(truth, score, frac=LOWESS_SHARE, it=0, delta=JOINED * np.ptp(score)))
    x, first = np.unique(curve[:, 0], return_index=True)
    usable = np.isfinite(curve[first, 1])
    return np.asarray(np.interp(grid, x[usable], curve[first, 1][usable], left=np.nan, right=np.nan))
