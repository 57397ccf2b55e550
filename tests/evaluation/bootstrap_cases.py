"""A modelling procedure and the resamples of make_calibration.R and make_corrected_calibration.R."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM


def logistic(X: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Maximum likelihood, as a procedure that `optimism` takes."""
    coefficients = GLM(y.astype(float), np.c_[np.ones(len(X)), X], family=Binomial()).fit(tol=1e-13).params
    return lambda rows: expit(np.c_[np.ones(len(rows)), rows] @ coefficients)


def resamples(n: int) -> list[np.ndarray]:
    """Lehmer's generator, started at 42."""
    state, drawn = 42, []
    for _ in range(30 * n):
        state = state * 16807 % 2147483647
        drawn.append(int(state / 2147483647 * n))
    return list(np.array(drawn).reshape(30, n))
