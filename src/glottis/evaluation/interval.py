"""An estimate with its confidence interval, and the checks that every statistic of scores shares."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        value: the estimate; None where it is undefined (0/0), never 0 in its place.
        low: lower limit, None where it cannot be estimated.
        high: upper limit, None where it cannot be estimated.
        method: how the limits were made, in words for a report.
        level: confidence level.
        note: why something is None; empty otherwise.
    """

    value: float | None
    low: float | None
    high: float | None
    method: str
    level: float
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def plain(item: Any) -> Any:
    """A result as plain values for JSON: results as dicts, arrays and tuples as lists, nan and infinity as None."""
    if is_dataclass(item) and not isinstance(item, type):
        return {field.name: plain(getattr(item, field.name)) for field in fields(item)}
    if isinstance(item, dict):
        return {str(key): plain(value) for key, value in item.items()}
    if isinstance(item, np.ndarray | np.generic):
        return plain(item.tolist())
    if isinstance(item, list | tuple):
        return [plain(value) for value in item]
    return None if isinstance(item, float) and not math.isfinite(item) else item


def check_level(level: float) -> None:
    """Refuse a confidence level outside (0, 1).

    Raises:
        ValueError: the level is outside (0, 1).
    """
    if not 0 < level < 1:
        message = f"A confidence level lies between 0 and 1; got {level}: give 0.95 for a 95% interval."
        raise ValueError(message)


def check_scores(y_true: ArrayLike, y_score: ArrayLike) -> tuple[Bools, Floats]:
    """Outcome and score of the same patients, as arrays of equal length.

    Args:
        y_true: (n,) outcome, 0 or 1 (or False, True); 1 is the positive class.
        y_score: (n,) score; a higher one speaks for the positive class.

    Returns:
        The outcome as booleans and the scores as float64.

    Raises:
        ValueError: lengths differ, a score is not finite, the outcome is not 0/1, or it has one class only.
    """
    truth, score = np.asarray(y_true), np.asarray(y_score, dtype=np.float64)
    if truth.ndim != 1 or score.ndim != 1 or truth.shape != score.shape:
        message = (
            f"Outcome and score must be two lists of equal length; got shapes {truth.shape} and {score.shape}: "
            "give one score a patient."
        )
        raise ValueError(message)
    _refuse_odd_outcomes(truth)
    bad = np.flatnonzero(~np.isfinite(score))
    if bad.size:
        message = (
            f"{bad.size} of {score.size} scores are not finite (first at position {bad[0]}: {score[bad[0]]}): "
            "leave out the patients without a score, and report how many they are."
        )
        raise ValueError(message)
    return truth.astype(bool), score


def _refuse_odd_outcomes(truth: NDArray[Any]) -> None:
    values = sorted(set(truth.tolist()), key=str)
    if any(value not in (0, 1) for value in values):
        shown = ", ".join(map(repr, values[:5]))
        message = f"The outcome must be 0 or 1; got {shown}: code the positive class as 1 and the other as 0."
        raise ValueError(message)
    if len(values) < 2:
        only = f"only {values[0]!r}" if values else "no patient"
        message = f"The outcome must hold both classes; got {only} in {truth.size} rows: check the set or the outcome."
        raise ValueError(message)
