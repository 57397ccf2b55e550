"""How many patients a prediction model needs, and what the sample then gives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from glottis._errors import StatisticsError
from glottis.evaluation.expected_auc import check_auc, expected_auc_interval, r_squared_from_auc
from glottis.evaluation.interval import Interval, check_level, plain
from glottis.evaluation.limits import z_of
from glottis.evaluation.planned_outcome import BinaryOutcome, SurvivalOutcome, inside, round_up

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
        return dict(plain(self))


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
        auc: of a test set of ``n`` patients, where an AUC and a binary outcome are given; else None.
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
    auc: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))


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

    >>> from glottis.evaluation.planned_outcome import BinaryOutcome
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
        _SHRINKAGE: round_up(_needed(parameters, expected, shrinkage)),
        _OPTIMISM: round_up(_needed(parameters, expected, allowed)),
        _OVERALL: outcome.patients_for_overall_risk(margin, z_of(level)),
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
        auc=_expected_interval(auc, n, outcome, level),
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
        raise StatisticsError(message)
    share, error = min(outcome.prevalence, 1 - outcome.prevalence), inside("mean_error", mean_error)
    log_n = (-0.508 + 0.259 * math.log(share) + 0.504 * math.log(parameters) - math.log(error)) / 0.544
    return round_up(math.exp(log_n))


def _expected_r_squared(outcome: BinaryOutcome | SurvivalOutcome, r_squared: float | None, auc: float | None) -> float:
    if r_squared is not None:
        return inside("r_squared", r_squared)
    if isinstance(outcome, SurvivalOutcome):
        message = "What the model is expected to reach is missing: give r_squared, from an earlier model."
        raise StatisticsError(message)
    if auc is None:
        message = "What the model is expected to reach is missing: give r_squared or auc, from an earlier model."
        raise StatisticsError(message)
    return r_squared_from_auc(auc, outcome.prevalence)


def _check_ranges(parameters: int, shrinkage: float, margin: float, auc: float | None) -> None:
    if parameters < 1:
        message = f"A model needs at least one parameter; got {parameters}."
        raise StatisticsError(message)
    inside("shrinkage", shrinkage)
    inside("margin", margin)
    if auc is not None:
        check_auc(auc)


def _check_r_squared(r_squared: float, largest: float, shrinkage: float) -> None:
    if r_squared >= min(largest, shrinkage):
        message = (
            f"r_squared {r_squared:.3g} is not below {min(largest, shrinkage):.3g}, the smaller of the shrinkage and "
            "the largest Cox-Snell R-squared of this outcome: multiply Nagelkerke's by outcome.max_r_squared first."
        )
        raise StatisticsError(message)
