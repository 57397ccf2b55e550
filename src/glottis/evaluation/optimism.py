"""How much better a model looks on the patients that it was fitted on: Harrell's bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from glottis._errors import StatisticsError
from glottis.evaluation.calibration import slope_and_intercept
from glottis.evaluation.discrimination import area
from glottis.evaluation.interval import Floats, check_probabilities, check_scores, plain

Predict = Callable[[Any], ArrayLike]
Fit = Callable[[Any, Any], Predict]
MINIMUM_RESAMPLES = 20


@dataclass(frozen=True)
class Corrected:
    """One measure with its optimism.

    Attributes:
        apparent: on the patients of the fit.
        optimism: mean over resamples of (on the resample - on all patients) of a model fitted on the resample.
        corrected: apparent - optimism.
    """

    apparent: float
    optimism: float
    corrected: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


@dataclass(frozen=True)
class Optimism:
    """Bootstrap-corrected performance of a way to make a model.

    Attributes:
        auc: discrimination.
        brier: mean squared error.
        slope: calibration slope; 1 when apparent from maximum likelihood.
        intercept: calibration intercept.
        n_resamples: resamples that counted.
        n_failed: resamples left out: one class, separated classes, or equal scores.
    """

    auc: Corrected
    brier: Corrected
    slope: Corrected
    intercept: Corrected
    n_resamples: int
    n_failed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


def optimism(fit: Fit, X: Any, y_true: ArrayLike, *, n_resamples: int = 200, random_state: int = 0) -> Optimism:
    """Optimism of a modelling procedure by bootstrap (Harrell 1996; rms::validate).

    The whole procedure, every selection included, belongs into ``fit``: what it does outside is not corrected.

    Args:
        fit: from the rows of X and their outcome to a function that gives the probability of class 1 for rows of X.
        X: (n, n_features) array or table of the patients of the fit.
        y_true: (n,) outcome, 0 or 1.
        n_resamples: bootstrap resamples, of all patients, with replacement.
        random_state: seed.

    Raises:
        ValueError: one class, unequal lengths, probabilities outside 0 to 1, a procedure that separates the classes,
            fewer than 20 resamples asked for or usable.
    """
    return over_resamples(fit, X, y_true, drawn_rows(len(np.asarray(y_true)), n_resamples, random_state))


def drawn_rows(n: int, n_resamples: int, random_state: int) -> list[Any]:
    """Rows of each bootstrap resample; the same ones for every use of a seed.

    Raises:
        ValueError: fewer than 20 resamples.
    """
    if n_resamples < MINIMUM_RESAMPLES:
        message = f"Optimism needs at least {MINIMUM_RESAMPLES} resamples; got {n_resamples}: 200 is usual."
        raise StatisticsError(message)
    rng = np.random.default_rng(random_state)
    return [rng.integers(n, size=n) for _ in range(n_resamples)]


def over_resamples(fit: Fit, X: Any, y_true: ArrayLike, resamples: list[Any]) -> Optimism:
    """`optimism` with the rows of each resample given."""
    rows = np.asarray(y_true)
    return of_refits(rows, fit(X, rows)(X), refits(fit, X, rows, resamples))


@dataclass(frozen=True)
class Refit:
    """A model that was fitted on a resample.

    Attributes:
        drawn: (n,) outcome of the resample.
        on_resample: (n,) its probabilities there.
        on_all: (n,) its probabilities of all patients.
    """

    drawn: Any
    on_resample: Floats
    on_all: Floats


def refits(fit: Fit, X: Any, y_true: Any, resamples: list[Any]) -> list[Refit | None]:
    """The model of every resample; None where it has one class."""
    made: list[Refit | None] = []
    for rows in resamples:
        drawn, outcome = _rows_of(X, rows), y_true[rows]
        if np.unique(outcome).size < 2:
            made.append(None)
            continue
        predict = fit(drawn, outcome)
        made.append(Refit(outcome, np.asarray(predict(drawn)), np.asarray(predict(X))))
    return made


def of_refits(y_true: Any, y_score: ArrayLike, made: list[Refit | None]) -> Optimism:
    """`optimism` from the probabilities of the fitted model and the refits.

    Raises:
        ValueError: a model that separates the classes or gives equal scores, fewer than 20 usable refits.
    """
    apparent = _measures(y_true, y_score)
    if apparent is None:
        message = (
            "The fitted model separates the classes or gives equal scores: its calibration slope does not exist; "
            "penalise the fit or use fewer features."
        )
        raise StatisticsError(message)
    differences = [None if item is None else _difference(y_true, item) for item in made]
    usable = np.array([item for item in differences if item is not None])
    if len(usable) < MINIMUM_RESAMPLES:
        message = f"Only {len(usable)} of {len(made)} resamples gave a model: the set is too small for optimism."
        raise StatisticsError(message)
    parts = [
        Corrected(float(value), float(shift), float(value - shift))
        for value, shift in zip(apparent, usable.mean(axis=0), strict=True)
    ]
    auc, brier, slope, intercept = parts
    return Optimism(auc, brier, slope, intercept, len(usable), len(made) - len(usable))


def _difference(y_true: Any, refit: Refit) -> Floats | None:
    on_resample, on_all = _measures(refit.drawn, refit.on_resample), _measures(y_true, refit.on_all)
    return None if on_resample is None or on_all is None else on_resample - on_all


def _measures(y_true: Any, y_score: ArrayLike) -> Floats | None:
    """AUC, Brier score, slope and intercept; None where there is no slope."""
    truth, score = check_scores(y_true, y_score)
    check_probabilities(score, "Optimism")
    line = slope_and_intercept(truth, score)
    if line is None:
        return None
    return np.array([area(truth, score), np.mean((score - truth) ** 2), *line])


def _rows_of(X: Any, rows: Any) -> Any:
    return X.iloc[rows] if hasattr(X, "iloc") else np.asarray(X)[rows]
