"""Keeps the features that a LASSO regression uses at a penalty chosen by cross-validation."""

from __future__ import annotations

import warnings
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lasso_path
from sklearn.utils.validation import check_is_fitted

from glottis.evaluation.interval import Bools, Floats
from glottis.selection._base import Selector, as_numbers
from glottis.selection._folds import Splits, possible_folds, splits

TOLERANCE = 1e-4
MAX_ITERATIONS = 10_000
_PARTS = 5
_SAME = 1e-12
"""Penalties this near to each other, relatively, are one."""


class LassoSelector(Selector):
    """LASSO with squared loss on a standardised table; the 0/1 outcome is regressed as a number.

    Penalties run from the smallest that keeps nothing down to 1/100 of it where there are more features than
    patients and 1/1000 otherwise. The path ends earlier, after a fifth, two fifths ... of the penalties, once the
    cross-validated error has risen by more than a standard error above its minimum: the rest only fits noise.

    Args:
        folds: folds for choosing the penalty, stratified by outcome, and by group where groups are given. With fewer
            patients in the smaller class than folds, their number is reduced and ``note_`` says so.
        rule: ``"min"``, the penalty with the lowest cross-validated mean squared error; ``"1se"``, the largest penalty
            within one standard error of it.
        n_alphas: penalties on the whole path, evenly spaced on the log scale.
        random_state: seed of the folds.
        alpha: a penalty chosen beforehand; no folds are made, and ``path_`` ends at it with no errors.

    Attributes:
        alpha_: the chosen penalty.
        coef_: (n_features,) coefficients at it.
        path_: one row a penalty: ``alpha``, ``mse`` (mean over folds), ``se``, ``nmse`` (mse / variance of the
            outcome), ``n_features``, ``converged``.
        coef_path_: (n_features, penalties) coefficients along the path.
        mse_path_: (penalties, folds) mean squared error.
        note_: what was done when nothing was selected, folds were reduced, or a fit did not converge.
    """

    alpha_: float
    coef_: Floats
    path_: pd.DataFrame
    coef_path_: Floats
    mse_path_: Floats

    def __init__(
        self,
        folds: int = 5,
        rule: Literal["min", "1se"] = "min",
        n_alphas: int = 100,
        random_state: int = 0,
        alpha: float | None = None,
    ) -> None:
        self.folds = folds
        self.rule = rule
        self.n_alphas = n_alphas
        self.random_state = random_state
        self.alpha = alpha

    def fit(self, X: pd.DataFrame, y: Any, groups: Any = None) -> Self:
        """Choose penalty and features.

        Args:
            X: (patients, features), standardised.
            y: (patients,) outcome.
            groups: (patients,) rows of one group stay in one fold.

        Raises:
            ValueError: an unknown rule, a fixed penalty not above 0, fewer than 10 penalties or two folds, or one
                class only.
        """
        if self.alpha is not None and not self.alpha > 0:
            message = f"A fixed penalty must be above 0; got alpha={self.alpha}: None chooses it by cross-validation."
            raise ValueError(message)
        if self.rule not in ("min", "1se"):
            message = f"rule={self.rule!r} is not known: give 'min' or '1se'."
            raise ValueError(message)
        values, outcome = self._checked(X, y)
        numbers = as_numbers(outcome) if outcome is not None else np.empty(0)
        if np.ptp(numbers) == 0:
            message = f"LASSO needs an outcome that varies; got one value in {numbers.size} rows: check the split."
            raise ValueError(message)
        alphas = self._alphas(values, numbers)
        if self.alpha is None:
            alphas, converged, notes = self._tune(values, numbers, groups, alphas)
            best = self._choose()
        else:
            notes = []
            alphas, converged, best = self._follow(values, numbers, alphas, self.alpha)
        if not self.coef_path_[:, best].any():
            best, note = self._fall_back()
            notes.append(note)
        if not converged[best]:
            notes.append(f"the fits at the chosen penalty did not converge in {MAX_ITERATIONS} iterations")
        self.alpha_, self.coef_ = float(alphas[best]), self.coef_path_[:, best]
        return self._keep(self.coef_ != 0, "; ".join(notes))

    def as_tuned(self) -> Self:
        """An unfitted copy with the penalty fixed at ``alpha_``: the same features from the same rows, no folds."""
        check_is_fitted(self, "alpha_")
        return clone(self).set_params(alpha=self.alpha_)  # type: ignore[no-any-return]  # scikit-learn has no types

    def _tune(self, values: Floats, numbers: Floats, groups: Any, alphas: Floats) -> tuple[Floats, Bools, list[str]]:
        """Cross-validate along the path: penalties until the error has risen, which of them converged, notes."""
        classes = np.unique(numbers).size == 2
        n_folds, notes = possible_folds(numbers, self.folds, who="LASSO", chosen="penalty", classes=classes)
        rows = splits(numbers, groups, n_folds, self.random_state, classes=classes)
        self.mse_path_, of_folds = _errors(values, numbers, alphas, rows)
        alphas = alphas[: len(self.mse_path_)]
        self.coef_path_, of_all = _path(values - values.mean(axis=0), numbers - numbers.mean(), alphas)
        converged = of_folds & of_all
        self.path_ = self._table(alphas, numbers, converged)
        return alphas, converged, notes

    def _follow(self, values: Floats, numbers: Floats, alphas: Floats, last: float) -> tuple[Floats, Bools, int]:
        """The path down to the penalty ``last``, each fit starting from the one before, as tuning has it.

        Where that penalty keeps nothing, the path goes on to the first that does.
        """
        centred, mean_free = values - values.mean(axis=0), numbers - numbers.mean()
        wanted = np.append(alphas[alphas > last * (1 + _SAME)], last)
        self.coef_path_, converged = _path(centred, mean_free, wanted)
        best = wanted.size - 1
        if not self.coef_path_.any():
            wanted, best = alphas, 0
            self.coef_path_, converged = _path(centred, mean_free, wanted)
        self.mse_path_ = np.empty((wanted.size, 0))
        self.path_ = self._table(wanted, numbers, converged)
        return wanted, converged, best

    def _alphas(self, values: Floats, numbers: Floats) -> Floats:
        if self.n_alphas < 10:
            message = f"The path needs at least 10 penalties; got n_alphas={self.n_alphas}: the usual number is 100."
            raise ValueError(message)
        strongest = np.abs((values - values.mean(axis=0)).T @ (numbers - numbers.mean())).max() / numbers.size
        if strongest <= 0:
            message = f"No feature of {values.shape[1]} has any covariance with the outcome: check the feature table."
            raise ValueError(message)
        smallest = 0.01 if values.shape[1] > values.shape[0] else 0.001
        return np.geomspace(strongest, strongest * smallest, self.n_alphas)

    def _table(self, alphas: Floats, numbers: Floats, converged: Bools) -> pd.DataFrame:
        n_folds = self.mse_path_.shape[1]
        unknown = np.full(alphas.size, np.nan)
        mse = self.mse_path_.mean(axis=1) if n_folds else unknown
        return pd.DataFrame(
            {
                "alpha": alphas,
                "mse": mse,
                "se": self.mse_path_.std(axis=1, ddof=1) / np.sqrt(n_folds) if n_folds else unknown,
                "nmse": mse / numbers.var(),
                "n_features": (self.coef_path_ != 0).sum(axis=0),
                "converged": converged,
            }
        )

    def _choose(self) -> int:
        mse = self.path_["mse"].to_numpy()
        lowest = int(mse.argmin())
        if self.rule == "min":
            return lowest
        return int(np.argmax(mse <= mse[lowest] + self.path_["se"].to_numpy()[lowest]))

    def _fall_back(self) -> tuple[int, str]:
        used = np.flatnonzero(self.path_["n_features"].to_numpy() > 0)
        first = int(used[0])
        n_features = int(self.path_["n_features"].iloc[first])
        what = "feature" if n_features == 1 else "features"
        who = "cross-validation" if self.alpha is None else f"the penalty {self.alpha:.3g}"
        return first, f"{who} keeps no feature: took the {n_features} {what} first on the path"


def _errors(values: Floats, numbers: Floats, alphas: Floats, rows: Splits) -> tuple[Floats, Bools]:
    """(penalties, folds) squared errors until they have risen, and whether every fold's fit converged."""
    starts: list[Floats | None] = [None] * len(rows)
    errors, converged = np.empty((0, len(rows))), np.empty(0, dtype=bool)
    for part in np.array_split(alphas, _PARTS):
        columns, all_fine = [], np.ones(part.size, dtype=bool)
        for number, (train, test) in enumerate(rows):
            centre, mean = values[train].mean(axis=0), numbers[train].mean()
            coefs, fine = _path(values[train] - centre, numbers[train] - mean, part, starts[number])
            starts[number] = coefs[:, -1]
            columns.append((((values[test] - centre) @ coefs + mean - numbers[test][:, None]) ** 2).mean(axis=0))
            all_fine &= fine
        errors, converged = np.vstack([errors, np.column_stack(columns)]), np.concatenate([converged, all_fine])
        mse, lowest = errors.mean(axis=1), int(errors.mean(axis=1).argmin())
        if mse[-1] > mse[lowest] + errors[lowest].std(ddof=1) / np.sqrt(len(rows)):
            break
    return errors, converged


def _path(values: Floats, numbers: Floats, alphas: Floats, start: Floats | None = None) -> tuple[Floats, Bools]:
    """Coefficients along the penalties, and whether each fit reached its duality gap."""
    with warnings.catch_warnings():
        # every fit is checked below, by the same criterion, and the outcome is kept instead of printed
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, coefs, gaps = lasso_path(
            np.asfortranarray(values), numbers, alphas=alphas, max_iter=MAX_ITERATIONS, tol=TOLERANCE, coef_init=start
        )
    return coefs, gaps <= TOLERANCE * (numbers @ numbers) / numbers.size
