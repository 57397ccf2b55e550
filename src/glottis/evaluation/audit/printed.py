"""A number as a paper prints it: what it can have been before it was rounded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glottis._errors import StatisticsError

Relation = Literal["=", "<", ">"]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
SLACK = 1e-9
MOST_DIGITS = 12
SMALLEST = -280  # power of ten
WHOLE_DIGITS = 9  # up to which counts of patients times a power of ten stay whole numbers of 64 bits


@dataclass(frozen=True)
class Printed:
    """A printed number.

    Attributes:
        text: as printed.
        scaled: the number without its decimal point.
        digits: digits after the decimal point, those of the fraction where a percentage is printed.
        relation: "=" or, for p values such as "<0.001", "<" or ">".
    """

    text: str
    scaled: int
    digits: int
    relation: Relation = "="

    @classmethod
    def parse(cls, text: str, *, percent: bool = False) -> Printed:
        """A printed number from its text; a percentage becomes a fraction.

        Args:
            text: "0.813", ".813", "<0.001", "81.3" or "81.3%".
            percent: the text is a percentage, with or without its sign.

        Raises:
            ValueError: no number.

        >>> Printed.parse("81.3%").value
        0.813
        >>> Printed.parse("< .001").relation
        '<'
        """
        bare = text.strip().replace("−", "-").lstrip("pP").strip()
        relation: Relation = "="
        if bare[:1] in ("<", ">", "≤", "≥", "="):
            relation = ">" if bare[0] in ">≥" else "<" if bare[0] in "<≤" else "="
            bare = bare[1:].strip()
        shift = 2 if percent or bare.endswith("%") else 0
        try:
            number = Decimal(bare.rstrip("%").strip())
        except InvalidOperation:
            number = Decimal("NaN")
        exact = number.is_finite() and len(number.as_tuple().digits) <= MOST_DIGITS
        if not exact or not SMALLEST <= number.adjusted() <= MOST_DIGITS:
            message = f"'{text}' is no number with up to {MOST_DIGITS} digits."
            raise StatisticsError(message)
        exponent = int(number.as_tuple().exponent)
        digits = max(0, -exponent) + shift
        return cls(text.strip(), int(number.scaleb(digits - shift)), digits, relation)

    @property
    def value(self) -> float:
        """The printed value."""
        return float(self.scaled / 10**self.digits)

    @property
    def half(self) -> float:
        """Half a unit of the last digit."""
        return float(0.5 / 10**self.digits)

    @property
    def low(self) -> float:
        """The least number that prints so."""
        if self.relation == "=":
            return self.value - self.half
        return -math.inf if self.relation == "<" else self.value

    @property
    def high(self) -> float:
        """The greatest number that prints so."""
        if self.relation == "=":
            return self.value + self.half
        return math.inf if self.relation == ">" else self.value

    def meets(self, low: float, high: float | None = None) -> bool:
        """Whether a number, or one between ``low`` and ``high``, can have been printed so."""
        top = low if high is None else high
        slack = SLACK * max(1.0, abs(self.value))
        return bool(low <= self.high + slack and top >= self.low - slack)

    def fits_ratio(self, numerator: Any, denominator: Any) -> Bools:
        """Where a ratio of whole numbers prints so, exactly, rounded half up, half to even or as floats are printed.

        Args:
            numerator: whole numbers, of any shape.
            denominator: whole numbers, of a shape that broadcasts; where it is 0 the metric is undefined, and 0 and 1
                count as its usual stand-ins.
        """
        above, below = np.asarray(numerator, dtype=np.int64), np.asarray(denominator, dtype=np.int64)
        if self.digits > WHOLE_DIGITS:
            return np.abs(above / np.maximum(below, 1) - self.value) <= self.half * (1 + SLACK)
        twice = 2 * above * 10**self.digits
        fits = (twice >= (2 * self.scaled - 1) * below) & (twice < (2 * self.scaled + 1) * below)
        if self.rounds_down():
            fits = fits | (twice == (2 * self.scaled + 1) * below)
        stands_in = self.scaled in (0, 10**self.digits)
        return np.where(below == 0, stands_in, fits)

    def rounds_down(self) -> bool:
        """Whether the number half a unit above is printed so: to even, or since the nearest float lies below it."""
        if self.scaled % 2 == 0:
            return True
        tie = float(self.tie())
        as_floats = (
            f"{tie:.{self.digits}f}",
            f"{float(np.round(tie, self.digits)):.{self.digits}f}",
            *([f"{Decimal(f'{100 * tie:.{self.digits - 2}f}') / 100:.{self.digits}f}"] if self.digits >= 2 else []),
        )
        return any(int(text.replace(".", "")) == self.scaled for text in as_floats)

    def tie(self) -> Fraction:
        """The number half a unit above the printed one."""
        return Fraction(2 * self.scaled + 1, 2 * 10**self.digits)

    def like(self, number: float) -> str:
        """Another number with as many digits as this one."""
        percent = self.text.endswith("%") or _plain(self.text) > 10 * self.value > 0
        return f"{100 * number:.{max(0, self.digits - 2)}f}" if percent else f"{number:.{self.digits}f}"


def _plain(text: str) -> float:
    try:
        return float(text.strip("<>=pP% "))
    except ValueError:
        return float("nan")
