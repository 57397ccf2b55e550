"""Cox regression for prediction: plain with a ridge where it has no maximum, and the elastic net."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgWarning
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from glottis import _optional
from glottis.evaluation.interval import Floats

_POINTS = 20  # of the elastic net's path down to its penalty, each fit started from the one before
LARGEST = 10.0  # a standard deviation that multiplies the hazard by exp(10) = 22,000 is separation, not a finding


class RidgeCox(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Cox regression with Efron's ties; with a ridge penalty where the plain likelihood has no maximum.

    Covariates that order the events completely, equal columns or more columns than events leave the partial likelihood
    without a single maximum. The fit is then repeated with the penalty ``ridge / 2 * sum(coef ** 2)`` (1 is a standard
    normal prior on the log hazard ratio of a z-scored feature) and ``note_`` says so.

    Args:
        alpha: penalty of the first fit.
        ridge: penalty of the second.

    Attributes:
        coef_: (n_features,) log hazard ratios.
        alpha_: the penalty used.
        note_: why the ridge was needed; empty otherwise.
    """

    def __init__(self, alpha: float = 0.0, ridge: float = 1.0) -> None:
        self.alpha = alpha
        self.ridge = ridge

    def fit(self, X: Floats, y: NDArray[Any]) -> Self:
        """Fit.

        Args:
            X: (n, features), z-scored.
            y: (n,) structured array of event and time.

        Raises:
            ValueError: the ridge does not help either.
        """
        self.note_ = ""
        coefficients, why = _coefficients(X, y, self.alpha)
        self.alpha_ = self.alpha
        if coefficients is None:
            self.alpha_ = self.ridge
            self.note_ = f"ridge penalty {self.ridge:g}, since the plain fit has no maximum ({why})"
            coefficients, why = _coefficients(X, y, self.ridge)
        if coefficients is None:
            message = f"Cox regression fails even with a ridge penalty of {self.ridge:g} ({why}): z-score the features."
            raise ValueError(message)
        self.coef_ = coefficients
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X: Floats) -> Floats:
        """(n,) log hazard ratios from a patient with all features at 0."""
        check_is_fitted(self, "coef_")
        return np.asarray(np.asarray(X) @ self.coef_)


class Coxnet(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Cox regression with the elastic-net penalty (Simon 2011).

    Args:
        strength: penalty as a share of the smallest one that leaves no feature, above 0 and below 1.
        l1_ratio: share of the lasso penalty, above 0 and up to 1.

    Attributes:
        coef_: (n_features,) log hazard ratios.
        alpha_: the penalty.
        note_: that no feature is left; empty otherwise.
    """

    def __init__(self, strength: float = 0.1, l1_ratio: float = 0.5) -> None:
        self.strength = strength
        self.l1_ratio = l1_ratio

    def fit(self, X: Floats, y: NDArray[Any]) -> Self:
        """Fit.

        Args:
            X: (n, features), z-scored.
            y: (n,) structured array of event and time.

        Raises:
            ValueError: a strength outside (0, 1).
        """
        if not 0 < self.strength < 1:
            message = f"A strength lies above 0 and below 1; got {self.strength}: 0.1 is the default."
            raise ValueError(message)
        linear = _optional.require("sksurv.linear_model", extra="survival")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "all coefficients are zero", UserWarning)  # said in note_
            path = linear.CoxnetSurvivalAnalysis(
                l1_ratio=self.l1_ratio, n_alphas=_POINTS, alpha_min_ratio=self.strength, max_iter=100_000
            ).fit(X, y)
        self.coef_, self.alpha_ = path.coef_[:, -1], float(path.alphas_[-1])
        self.note_ = "" if self.coef_.any() else "the penalty leaves no feature: all risks are equal"
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X: Floats) -> Floats:
        """(n,) log hazard ratios from a patient with all features at 0."""
        check_is_fitted(self, "coef_")
        return np.asarray(np.asarray(X) @ self.coef_)


def _coefficients(X: Floats, y: NDArray[Any], alpha: float) -> tuple[Floats | None, str]:
    """Coefficients, or None and why there are none."""
    linear = _optional.require("sksurv.linear_model", extra="survival")
    model = linear.CoxPHSurvivalAnalysis(alpha=alpha, ties="efron")
    with warnings.catch_warnings(), np.errstate(all="ignore"):  # a coefficient that runs away overflows on its way
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.simplefilter("error" if alpha == 0 else "ignore", LinAlgWarning)
        try:
            model.fit(X, y)
        except (np.linalg.LinAlgError, ArithmeticError, ConvergenceWarning, LinAlgWarning, ValueError):
            return None, "the features order the events or repeat each other"
    if not np.isfinite(model.coef_).all() or (alpha == 0 and np.abs(model.coef_).max() > LARGEST):
        return None, f"a coefficient beyond {LARGEST:g}"
    return np.asarray(model.coef_), ""
