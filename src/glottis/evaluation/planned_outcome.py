"""How frequent the outcome of a planned study is: what its sample size starts from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from glottis._errors import StatisticsError


@dataclass(frozen=True, kw_only=True)
class BinaryOutcome:
    """An outcome that a patient has or has not.

    Attributes:
        prevalence: share of patients who have it, between 0 and 1.
    """

    prevalence: float

    def __post_init__(self) -> None:
        inside("prevalence", self.prevalence)

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
        return round_up((z / margin) ** 2 * self.prevalence * (1 - self.prevalence))


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
                raise StatisticsError(message)

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
        return round_up(self.rate * (z / widest) ** 2 / self.mean_follow_up)


def round_up(value: float) -> int:
    """The next whole number; one that is whole but for rounding stays."""
    return math.ceil(round(value, 9))


def inside(name: str, value: float) -> float:
    """Refuse what does not lie between 0 and 1.

    Raises:
        ValueError: it does not.
    """
    if not 0 < value < 1:
        message = f"{name} lies between 0 and 1; got {value}."
        raise StatisticsError(message)
    return float(value)
