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


@dataclass(frozen=True, kw_only=True)
class BinaryOutcome:
    """An outcome that a patient has or has not.

    Attributes:
        prevalence: share of patients who have it, between 0 and 1.
    """

    prevalence: float

    def __post_init__(self) -> None:
        _inside("prevalence", self.prevalence)

    @property
    def share(self) -> float:
        """Events a patient."""
        return self.prevalence

    @property
    def max_r_squared(self) -> float:
        """The largest Cox-Snell R-squared; Nagelkerke's times this is Cox and Snell's."""
        p = self.prevalence
        return 1 - math.exp(2 * (p * math.log(p) + (1 - p) * math.log(1 - p)))

    def patients_for_overall_risk(self, margin: float, z: float) -> int:
        """Patients for which the limits of the overall risk are within ``margin``."""
        return _up((z / margin) ** 2 * self.prevalence * (1 - self.prevalence))


@dataclass(frozen=True, kw_only=True)
class SurvivalOutcome:
    """An event that comes at a constant rate; the three in one unit of time, such as years.

    Attributes:
        rate: events a patient and unit of time.
        horizon: time by which the risk is predicted.
        mean_follow_up: of the patients.
    """

    rate: float
    horizon: float
    mean_follow_up: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < math.inf:
                message = f"{name} must be positive; got {value}."
                raise ValueError(message)

    @property
    def share(self) -> float:
        """Events a patient."""
        return self.rate * self.mean_follow_up

    @property
    def max_r_squared(self) -> float:
        """The largest Cox-Snell R-squared; Nagelkerke's times this is Cox and Snell's."""
        return 1 - math.exp(2 * (self.share * math.log(self.share) - self.share))

    def patients_for_overall_risk(self, margin: float, z: float) -> int:
        """Patients for which the upper limit of the risk by the horizon is within ``margin``."""
        free = math.exp(-self.rate * self.horizon)
        if free <= margin:
            return 1
        widest = -math.log1p(-margin / free) / self.horizon
        return _up(self.rate * (z / widest) ** 2 / self.mean_follow_up)


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
    outcome: BinaryOutcome | SurvivalOutcome,
    *,
    r_squared: float | None = None,
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
        outcome: how frequent it is.
        r_squared: Cox-Snell R-squared to expect, of earlier models; be cautious. Nagelkerke's must be multiplied by
            ``outcome.max_r_squared`` first.
        auc: the AUC to expect, where that is known instead (binary outcome); scores are taken as normal in both
            classes (Riley et al. 2021). It may be given beside an R-squared, for its interval alone.
        shrinkage: the factor to be reached, usually 0.9.
        margin: of the overall risk.
        mean_error: largest mean absolute error of the risks, 0.05 in the BMJ paper.
        level: confidence level of the margin and of the AUC's interval.

    Raises:
        ValueError: a value out of its range, or neither an R-squared nor an AUC.

    >>> sample_size(24, BinaryOutcome(prevalence=0.174), r_squared=0.288).n
    662
    """
    check_level(level)
    _check_ranges(parameters, shrinkage, margin, auc)
    largest = outcome.max_r_squared
    expected = _expected_r_squared(outcome, r_squared, auc)
    _check_r_squared(expected, largest, shrinkage)
    allowed = expected / (expected + 0.05 * largest)
    numbers = {
        _SHRINKAGE: _up(_needed(parameters, expected, shrinkage)),
        _OPTIMISM: _up(_needed(parameters, expected, allowed)),
        _OVERALL: outcome.patients_for_overall_risk(margin, float(stats.norm.ppf((1 + level) / 2))),
    }
    if mean_error is not None:
        numbers[_ERROR] = _for_error(parameters, outcome, mean_error)
    n = max(numbers.values())
    return SampleSize(
        n=n,
        n_events=n * outcome.share,
        events_per_parameter=n * outcome.share / parameters,
        expected_shrinkage=expected_shrinkage(n, parameters, expected),
        parameters=parameters,
        r_squared=expected,
        max_r_squared=largest,
        criteria=tuple(Criterion(k, v, expected_shrinkage(v, parameters, expected)) for k, v in numbers.items()),
        binding=max(numbers, key=lambda name: numbers[name]),
        auc_interval=_expected_interval(auc, n, outcome, level),
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


def _expected_interval(
    auc: float | None, n: int, outcome: BinaryOutcome | SurvivalOutcome, level: float
) -> Interval | None:
    if auc is None or isinstance(outcome, SurvivalOutcome):
        return None
    positive = min(max(1, round(n * outcome.share)), max(1, n - 1))
    return expected_auc_interval(auc, positive, max(1, n - positive), level=level)


def _needed(parameters: int, r_squared: float, shrinkage: float) -> float:
    return parameters / ((shrinkage - 1) * math.log1p(-r_squared / shrinkage))


def _for_error(parameters: int, outcome: BinaryOutcome | SurvivalOutcome, mean_error: float) -> int:
    if isinstance(outcome, SurvivalOutcome) or parameters > MAXIMUM_FOR_ERROR:
        message = (
            f"The mean error is known for a binary outcome and at most {MAXIMUM_FOR_ERROR} parameters; "
            f"leave mean_error out (parameters: {parameters})."
        )
        raise ValueError(message)
    share, error = min(outcome.prevalence, 1 - outcome.prevalence), _inside("mean_error", mean_error)
    log_n = (-0.508 + 0.259 * math.log(share) + 0.504 * math.log(parameters) - math.log(error)) / 0.544
    return _up(math.exp(log_n))


def _up(value: float) -> int:
    """The next whole number; one that is whole but for rounding stays."""
    return math.ceil(round(value, 9))


def _expected_r_squared(outcome: BinaryOutcome | SurvivalOutcome, r_squared: float | None, auc: float | None) -> float:
    if r_squared is not None:
        return _inside("r_squared", r_squared)
    if isinstance(outcome, SurvivalOutcome):
        message = "What the model is expected to reach is missing: give r_squared, from an earlier model."
        raise ValueError(message)
    if auc is None:
        message = "What the model is expected to reach is missing: give r_squared or auc, from an earlier model."
        raise ValueError(message)
    return r_squared_from_auc(auc, outcome.prevalence)


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
            "the largest Cox-Snell R-squared of this outcome: multiply Nagelkerke's by outcome.max_r_squared first."
        )
        raise ValueError(message)


def _inside(name: str, value: float) -> float:
    if not 0 < value < 1:
        message = f"{name} lies between 0 and 1; got {value}."
        raise ValueError(message)
    return float(value)


def _check_auc(auc: float) -> None:
    if not 0.5 < auc < 1:
        message = f"The expected AUC lies between 0.5 and 1; got {auc}."
        raise ValueError(message)
