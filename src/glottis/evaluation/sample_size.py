"""How many patients a prediction model needs, and how wide the AUC's interval will be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from glottis.evaluation.interval import Interval, check_level
from glottis.evaluation.limits import logit_limits

HANLEY_MCNEIL = "expected: Hanley-McNeil standard error, logit scale"
MAXIMUM_FOR_ERROR = 30
_SMALLEST_GAP = 1e-12
_SHRINKAGE = "shrinkage of the coefficients"
_OPTIMISM = "optimism in Nagelkerke's R-squared at most 0.05"
_OVERALL = "overall risk within the margin"
_ERROR = "mean absolute error of the risks"


@dataclass(frozen=True)
class Criterion:
    """One demand on the sample.

    Attributes:
        name: the demand.
        n: the smallest number of patients that meets it.
        shrinkage: expected factor of the coefficients at that number.
    """

    name: str
    n: int
    shrinkage: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class SampleSize:
    """Patients that a new prediction model needs.

    Attributes:
        n: the smallest number that meets every criterion.
        n_events: events to expect among them.
        events_per_parameter: n_events / parameters.
        expected_shrinkage: of the coefficients at ``n``; 1 is no overfitting.
        parameters: candidate parameters that the model may use.
        r_squared: Cox-Snell R-squared that the model is expected to reach.
        max_r_squared: the largest that this outcome allows.
        criteria: each demand with its own number.
        binding: name of the demand that decides.
        auc_interval: of a test set of ``n`` patients, where an AUC and a binary outcome are given; else None.
    """

    n: int
    n_events: float
    events_per_parameter: float
    expected_shrinkage: float
    parameters: int
    r_squared: float
    max_r_squared: float
    criteria: tuple[Criterion, ...]
    binding: str
    auc_interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        interval = None if self.auc_interval is None else self.auc_interval.to_dict()
        return vars(self) | {"criteria": [item.to_dict() for item in self.criteria], "auc_interval": interval}


def sample_size(
    parameters: int,
    *,
    prevalence: float | None = None,
    rate: float | None = None,
    horizon: float | None = None,
    mean_follow_up: float | None = None,
    r_squared: float | None = None,
    nagelkerke: float | None = None,
    auc: float | None = None,
    shrinkage: float = 0.9,
    margin: float = 0.05,
    mean_error: float | None = None,
    level: float = 0.95,
) -> SampleSize:
    """The smallest sample for developing a prediction model (Riley et al. 2019, Statistics in Medicine; BMJ 2020).

    Criteria: coefficients shrink by no more than 1 - ``shrinkage``; Nagelkerke's R-squared is no more than 0.05
    optimistic; the overall risk is estimated within ``margin``. These three are those of R's pmsampsize; the fourth of
    the BMJ paper, the risks' mean absolute error (van Smeden et al. 2019; binary outcome, at most 30 parameters), is
    added where ``mean_error`` is given. A model with selected features must count all candidates as parameters.

    Args:
        parameters: candidate parameters, those that selection drops included.
        prevalence: share of patients with the outcome (binary outcome).
        rate: events a patient and unit of time (survival).
        horizon: time at which the risk is predicted, same unit (survival).
        mean_follow_up: of the patients, same unit (survival).
        r_squared: Cox-Snell R-squared to expect, of earlier models; be cautious.
        nagelkerke: the same as a share of the largest possible one, where that is known instead.
        auc: the AUC to expect, where that is known instead (binary outcome); scores are taken as normal in both
            classes (Riley et al. 2021). It may be given beside an R-squared, for its interval alone.
        shrinkage: the factor to be reached, usually 0.9.
        margin: of the overall risk.
        mean_error: largest mean absolute error of the risks, 0.05 in the BMJ paper.
        level: confidence level of that margin and of the AUC's interval.

    Raises:
        ValueError: a value out of its range, or too many or too few of the values that the outcome needs.

    >>> sample_size(24, prevalence=0.174, r_squared=0.288).n
    662
    """
    check_level(level)
    binary = _is_binary(prevalence, rate, horizon, mean_follow_up)
    _check_ranges(parameters, shrinkage, margin, auc)
    z = float(stats.norm.ppf((1 + level) / 2))
    if binary:
        share = _inside("prevalence", prevalence)
        log_likelihood = share * math.log(share) + (1 - share) * math.log(1 - share)
        for_overall = math.ceil(_tidy((z / margin) ** 2 * share * (1 - share)))
    else:
        hazard, at, followed = (_positive(*item) for item in _survival_items(rate, horizon, mean_follow_up))
        share = hazard * followed
        log_likelihood = share * math.log(share) - share
        for_overall = _for_overall_risk(hazard, at, followed, margin, z)
    largest = 1 - math.exp(2 * log_likelihood)
    expected = _r_squared(r_squared, nagelkerke, auc, largest, share if binary else None)
    _check_r_squared(expected, largest, shrinkage)
    allowed = expected / (expected + 0.05 * largest)
    numbers = {
        _SHRINKAGE: _for_shrinkage(parameters, expected, shrinkage),
        _OPTIMISM: _for_shrinkage(parameters, expected, allowed),
        _OVERALL: for_overall,
    }
    if mean_error is not None:
        numbers[_ERROR] = _for_error(parameters, share if binary else None, mean_error)
    n = max(numbers.values())
    return SampleSize(
        n=n,
        n_events=n * share,
        events_per_parameter=n * share / parameters,
        expected_shrinkage=expected_shrinkage(n, parameters, expected),
        parameters=parameters,
        r_squared=expected,
        max_r_squared=largest,
        criteria=tuple(Criterion(k, v, expected_shrinkage(v, parameters, expected)) for k, v in numbers.items()),
        binding=max(numbers, key=lambda name: numbers[name]),
        auc_interval=_expected_interval(auc, n, share, level) if auc is not None and binary else None,
    )


def expected_shrinkage(n: int, parameters: int, r_squared: float) -> float:
    """Factor by which the coefficients of a model of ``n`` patients are to be shrunk.

    Solves n = parameters / ((S - 1) ln(1 - R2 / S)) for S (Riley et al. 2019, equation 11), which rises from R2 to 1
    with ``n``.
    """
    low, high = r_squared + _SMALLEST_GAP, 1 - _SMALLEST_GAP
    for _ in range(200):
        middle = (low + high) / 2
        if _needed(parameters, r_squared, middle) > n:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def expected_auc_interval(auc: float, n_positive: int, n_negative: int, *, level: float = 0.95) -> Interval:
    """Interval to expect around an AUC in a test set of given size (Hanley and McNeil 1982, on the logit scale).

    Args:
        auc: the AUC to expect, between 0.5 and 1.
        n_positive: patients of class 1.
        n_negative: patients of class 0.
        level: confidence level.

    Raises:
        ValueError: an AUC outside 0.5 to 1, or a class without patients.

    >>> interval = expected_auc_interval(0.85, 52, 45)
    >>> round(interval.high - interval.low, 3)
    0.155
    """
    check_level(level)
    _check_auc(auc)
    if min(n_positive, n_negative) < 1:
        message = f"Both classes need patients; got {n_positive} and {n_negative}."
        raise ValueError(message)
    return logit_limits(auc, hanley_mcneil_se(auc, n_positive, n_negative), level, HANLEY_MCNEIL)


def hanley_mcneil_se(auc: float, n_positive: float, n_negative: float) -> float:
    """Standard error of an AUC from its value and the class sizes, scores being exponential (Hanley, McNeil 1982)."""
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (n_positive - 1) * (q1 - auc**2) + (n_negative - 1) * (q2 - auc**2)
    return math.sqrt(spread / (n_positive * n_negative))


def _expected_interval(auc: float, n: int, share: float, level: float) -> Interval:
    positive = max(1, round(n * share))
    return expected_auc_interval(auc, positive, max(1, n - positive), level=level)


def _needed(parameters: int, r_squared: float, shrinkage: float) -> float:
    return parameters / ((shrinkage - 1) * math.log1p(-r_squared / shrinkage))


def _for_shrinkage(parameters: int, r_squared: float, shrinkage: float) -> int:
    return math.ceil(_tidy(_needed(parameters, r_squared, shrinkage)))


def _for_error(parameters: int, prevalence: float | None, mean_error: float) -> int:
    if prevalence is None or parameters > MAXIMUM_FOR_ERROR:
        message = (
            f"The mean error is known for a binary outcome and at most {MAXIMUM_FOR_ERROR} parameters; "
            f"leave mean_error out (parameters: {parameters})."
        )
        raise ValueError(message)
    share, error = min(prevalence, 1 - prevalence), _inside("mean_error", mean_error)
    log_n = (-0.508 + 0.259 * math.log(share) + 0.504 * math.log(parameters) - math.log(error)) / 0.544
    return math.ceil(_tidy(math.exp(log_n)))


def _for_overall_risk(rate: float, horizon: float, mean_follow_up: float, margin: float, z: float) -> int:
    """Patients for which the upper limit of the risk by the horizon is within the margin, the rate being constant."""
    free = math.exp(-rate * horizon)
    if free <= margin:
        return 1
    widest = -math.log1p(-margin / free) / horizon
    return math.ceil(_tidy(rate * (z / widest) ** 2 / mean_follow_up))


def _tidy(value: float) -> float:
    """A whole number stays whole before it is rounded up."""
    return round(value, 9)


def _r_squared(
    r_squared: float | None, nagelkerke: float | None, auc: float | None, largest: float, prevalence: float | None
) -> float:
    if r_squared is not None and nagelkerke is not None:
        message = "Give r_squared or nagelkerke, not both: one follows from the other."
        raise ValueError(message)
    if r_squared is not None:
        return _inside("r_squared", r_squared)
    if nagelkerke is not None:
        return _inside("nagelkerke", nagelkerke) * largest
    if auc is None or prevalence is None:
        known = "r_squared, nagelkerke or auc" if prevalence is not None else "r_squared or nagelkerke"
        message = f"What the model is expected to reach is missing: give {known}, from an earlier model."
        raise ValueError(message)
    return r_squared_from_auc(auc, prevalence)


def r_squared_from_auc(auc: float, prevalence: float) -> float:
    """Cox-Snell R-squared of a score that is normal with equal variance in both classes (Riley et al. 2021).

    The paper simulates a million patients; this integrates.

    >>> round(r_squared_from_auc(0.89, 0.174), 3)
    0.291
    """
    _check_auc(auc)
    share = _inside("prevalence", prevalence)
    apart = math.sqrt(2) * float(stats.norm.ppf(auc))
    x = np.linspace(-12, 12 + apart, 20_001)
    odds = math.log(share / (1 - share)) + apart * x - apart**2 / 2
    gain = share * stats.norm.pdf(x - apart) * -np.logaddexp(0, -odds)
    gain += (1 - share) * stats.norm.pdf(x) * -np.logaddexp(0, odds)
    null = share * math.log(share) + (1 - share) * math.log(1 - share)
    return float(1 - math.exp(-2 * (float(np.trapezoid(gain, x)) - null)))


def _is_binary(
    prevalence: float | None, rate: float | None, horizon: float | None, mean_follow_up: float | None
) -> bool:
    of_survival = [item is not None for item in (rate, horizon, mean_follow_up)]
    if prevalence is not None and not any(of_survival):
        return True
    if prevalence is None and all(of_survival):
        return False
    message = "Give prevalence for a binary outcome, or rate, horizon and mean_follow_up for survival."
    raise ValueError(message)


def _survival_items(*values: float | None) -> list[tuple[str, float | None]]:
    return list(zip(("rate", "horizon", "mean_follow_up"), values, strict=True))


def _check_ranges(parameters: int, shrinkage: float, margin: float, auc: float | None) -> None:
    if parameters < 1:
        message = f"A model needs at least one parameter; got {parameters}."
        raise ValueError(message)
    _inside("shrinkage", shrinkage)
    _inside("margin", margin)
    if auc is not None:
        _check_auc(auc)


def _check_r_squared(r_squared: float, largest: float, shrinkage: float) -> None:
    if r_squared >= min(largest, shrinkage):
        message = (
            f"r_squared {r_squared:.3g} is not below {min(largest, shrinkage):.3g}, the smaller of the shrinkage and "
            "the largest Cox-Snell R-squared of this outcome: check whether it is Nagelkerke's, and pass it as that."
        )
        raise ValueError(message)


def _inside(name: str, value: float | None) -> float:
    if value is None or not 0 < value < 1:
        message = f"{name} lies between 0 and 1; got {value}."
        raise ValueError(message)
    return float(value)


def _positive(name: str, value: float | None) -> float:
    if value is None or not 0 < value < math.inf:
        message = f"{name} must be positive; got {value}."
        raise ValueError(message)
    return float(value)


def _check_auc(auc: float) -> None:
    if not 0.5 < auc < 1:
        message = f"The expected AUC lies between 0.5 and 1; got {auc}."
        raise ValueError(message)
