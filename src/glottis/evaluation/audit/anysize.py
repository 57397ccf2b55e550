"""Whether a row of metrics can belong to a 2x2 table of any size at all.

Sensitivity, specificity and the odds of the outcome fix every other metric, and each of these moves one way with each
of them. So the printed sensitivity and specificity, as ranges, leave to every other printed value a range of odds;
values whose ranges do not meet cannot come from the same patients, however many these were.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations

from glottis.evaluation.audit.printed import SLACK, Printed

Range = tuple[float, float]


def conflicting_cells(printed: Mapping[str, Printed]) -> tuple[str, ...] | None:
    """The values without which a table of some size could print the rest.

    Args:
        printed: metric -> what is printed.

    Returns:
        Empty where a table may exist; the fewest values to leave out where none does, every value of which there is a
        choice included; None where sensitivity or specificity is not printed and nothing can be said.
    """
    if "sensitivity" not in printed or "specificity" not in printed:
        return None
    ranges = _odds(printed)
    for leave_out in range(len(ranges) + 1):
        choices = [set(out) for out in combinations(ranges, leave_out) if _meet(ranges, set(out))]
        if choices:
            return tuple(name for name in ranges if any(name in choice for choice in choices))
    return ()


def _meet(ranges: Mapping[str, Range], without: set[str]) -> bool:
    kept = [limits for name, limits in ranges.items() if name not in without]
    low, high = max((limits[0] for limits in kept), default=0.0), min((limits[1] for limits in kept), default=math.inf)
    return low <= high * (1 + SLACK) + SLACK


def _odds(printed: Mapping[str, Printed]) -> dict[str, Range]:
    """The range of the odds of the outcome that each printed value allows; low above high where none does."""
    sens, spec = (_clipped(printed[name]) for name in ("sensitivity", "specificity"))
    ranges: dict[str, Range] = {}
    if "ppv" in printed and not (sens[0] <= 0 and spec[1] >= 1):
        low, high = _clipped(printed["ppv"])
        ranges["ppv"] = (
            _over(low * (1 - spec[1]), (1 - low) * sens[1]),
            _over(high * (1 - spec[0]), (1 - high) * sens[0]),
        )
    if "npv" in printed and not (sens[1] >= 1 and spec[0] <= 0):
        low, high = _clipped(printed["npv"])
        ranges["npv"] = (
            _over((1 - high) * spec[0], high * (1 - sens[0])),
            _over((1 - low) * spec[1], low * (1 - sens[1])),
        )
    if "f1" in printed:
        low, high = _clipped(printed["f1"])
        ranges["f1"] = (
            _over(low * (1 - spec[1]), 2 * sens[1] - low * (1 + sens[1])),
            _over(high * (1 - spec[0]), 2 * sens[0] - high * (1 + sens[0])),
        )
    if "accuracy" in printed:
        ranges["accuracy"] = _odds_of_accuracy(_clipped(printed["accuracy"]), sens, spec)
    return ranges


def _clipped(number: Printed) -> Range:
    return max(0.0, number.low), min(1.0, number.high)


def _over(above: float, below: float) -> float:
    """A quotient of what are not negative numbers; without limit where the divisor is not positive."""
    return above / below if below > SLACK else math.inf if above > SLACK else 0.0 if below >= 0 else math.inf


def _odds_of_accuracy(accuracy: Range, sens: Range, spec: Range) -> Range:
    """Accuracy is the mean of sensitivity and specificity by the shares of the classes: two linear conditions."""
    low, high = 0.0, 1.0
    for slope, limit in ((sens[0] - spec[0], accuracy[1] - spec[0]), (spec[1] - sens[1], spec[1] - accuracy[0])):
        if slope > 0:
            high = min(high, limit / slope)
        elif slope < 0:
            low = max(low, limit / slope)
        elif limit < -SLACK:
            return math.inf, 0.0
    return (low / (1 - low) if low < 1 else math.inf, high / (1 - high) if high < 1 else math.inf) if high >= 0 else (
        math.inf, 0.0
    )  # fmt: skip
