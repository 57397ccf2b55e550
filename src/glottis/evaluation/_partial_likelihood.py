"""Cox's partial likelihood with Efron's ties: its maximum, its score and its information, in O(n log n)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glottis.evaluation.interval import Bools, Floats

MAXIMUM_STEPS = 60
FLAT = 10.0
_CONVERGED = 1e-11


@dataclass(frozen=True)
class Moments:
    """What each event contributes at given coefficients.

    Attributes:
        log_likelihood: of all events.
        residuals: (n_events, p) covariates of the patient with the event, less the mean of those at risk (Schoenfeld).
        inverse: (n_events,) 1 / sum of the hazards at risk, by Efron's average within ties; hazards relative to the
            highest one.
        means: (n_events, p) means of those at risk.
    """

    log_likelihood: float
    residuals: Floats
    inverse: Floats
    means: Floats


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is highest; ``flat`` where it has no maximum or no curvature."""

    coefficients: Floats
    covariance: Floats
    log_likelihood: float
    null_log_likelihood: float
    flat: bool


class PartialLikelihood:
    """Patients in the order of their times, ready for many evaluations."""

    def __init__(self, time: Floats, event: Bools, X: Floats) -> None:
        order = np.lexsort((~event, time))
        self.time, self.event = time[order], event[order]
        self.X = X[order]
        self.first = np.searchsorted(self.time, self.time[self.event], side="left")  # of those at risk, an event each
        starts, index, deaths = np.unique(self.first, return_inverse=True, return_counts=True)
        self.tie, self.n_tied = index, deaths[index]
        before = np.arange(self.first.size) - np.concatenate([[0], np.cumsum(deaths)[:-1]])[index]
        self.tied = before / self.n_tied
        self.starts = starts

    def moments(self, beta: Floats) -> Moments:
        """Contributions of the events at ``beta``."""
        eta = self.X @ beta
        top = float(eta.max())
        weight = np.exp(eta - top)
        dead = np.flatnonzero(self.event)
        total = self.at_risk(weight)
        means = self.at_risk(self.X * weight[:, None]) / total[:, None]
        log_likelihood = float((eta[dead] - top - np.log(total)).sum())
        return Moments(log_likelihood, self.X[dead] - means, 1 / total, means)

    def at_risk(self, values: Floats) -> Floats:
        """Sum of ``values``, (n,) or (n, p), over those at risk at each event, by Efron's average within ties."""
        tied = self.tied if values.ndim == 1 else self.tied[:, None]
        return np.asarray(_from_the_end(values)[self.first] - tied * self._of_ties(values[self.event]))

    def _of_ties(self, values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values, np.searchsorted(self.first, self.starts), axis=0)[self.tie])

    def information(self, beta: Floats, moments: Moments, g: Floats | None = None) -> Floats:
        """Sum over events of ``g`` times the covariance of those at risk, (p, p)."""
        g = np.ones(self.first.size) if g is None else g
        hazard = np.concatenate([[0.0], np.cumsum(moments.inverse * g)])
        passed = hazard[np.searchsorted(self.time[self.event], self.time, side="right")]
        own = np.zeros_like(passed)
        own[self.event] = self._of_ties(moments.inverse * g * self.tied)
        eta = self.X @ beta
        weight = np.exp(eta - eta.max()) * (passed - own)
        return np.asarray((self.X * weight[:, None]).T @ self.X - (moments.means * g[:, None]).T @ moments.means)

    def maximum(self) -> Maximum:
        """Newton's steps, halved where the likelihood would fall; the caller has standardised the columns."""
        with np.errstate(all="ignore"):  # where there is no maximum, hazards overflow before the steps end
            return self._newton()

    def _newton(self) -> Maximum:
        p = self.X.shape[1]
        beta = np.zeros(p)
        moments = self.moments(beta)
        null = moments.log_likelihood
        for _ in range(MAXIMUM_STEPS):
            step = _solve(self.information(beta, moments), moments.residuals.sum(axis=0))
            if step is None:
                return Maximum(beta, np.full((p, p), np.nan), moments.log_likelihood, null, flat=True)
            new = self.moments(beta + step)
            while not new.log_likelihood >= moments.log_likelihood - 1e-9 and np.abs(step).max() > 1e-12:
                step = step / 2
                new = self.moments(beta + step)
            if not np.isfinite(new.log_likelihood):
                return Maximum(beta, np.full((p, p), np.nan), moments.log_likelihood, null, flat=True)
            gained = abs(new.log_likelihood - moments.log_likelihood) / max(1.0, abs(new.log_likelihood))
            beta, moments = beta + step, new
            if gained < _CONVERGED and np.abs(step).max() < 1e-7:
                break
        inverse = _solve(self.information(beta, moments), np.eye(p))
        flat = inverse is None or bool((np.diag(inverse) > FLAT**2).any() or (np.diag(inverse) <= 0).any())
        covariance = np.full((p, p), np.nan) if inverse is None else inverse
        return Maximum(beta, covariance, moments.log_likelihood, null, flat=flat)


def _from_the_end(values: Floats) -> Floats:
    return np.asarray(values[::-1].cumsum(axis=0)[::-1])


def _solve(matrix: Floats, right: Floats) -> Floats | None:
    try:
        solution = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(solution) if np.isfinite(solution).all() else None
