"""An estimate with its confidence interval, and the checks that every statistic of scores shares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glottis._errors import StatisticsError

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
        raise StatisticsError(message)


def check_scores(y_true: ArrayLike, y_score: ArrayLike) -> tuple[Bools, Floats]:
    """Outcome and score of the same patients, as arrays of equal length.

    Args:
        y_true: (n,) outcome, 0 or 1 (or False, True); 1 is the positive class.
        y_score: (n,) score; a higher one speaks for the positive class.

    Returns:
        The outcome as booleans and the scores as float64.

    Raises:
        ValueError: lengths or patients differ, a score is not finite, the outcome is not 0/1, or it has one class only.
    """
    if _has_index(y_true) and _has_index(y_score) and np.shape(y_true) == np.shape(y_score):
        check_same_patients({"the outcome": y_true, "the score": y_score})
    truth, score = np.asarray(y_true), np.asarray(y_score, dtype=np.float64)
    if truth.ndim != 1 or score.ndim != 1 or truth.shape != score.shape:
        message = (
            f"Outcome and score must be two lists of equal length; got shapes {truth.shape} and {score.shape}: "
            "give one score a patient."
        )
        raise StatisticsError(message)
    _refuse_odd_outcomes(truth)
    refuse_non_finite("scores", score)
    return truth.astype(bool), score


def refuse_non_finite(name: str, values: Floats) -> None:
    """Refuse nan and infinities.

    Raises:
        ValueError: some value is not finite.
    """
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        message = (
            f"{bad.size} of {values.size} {name} are not finite (first at position {bad[0]}: {values.flat[bad[0]]}): "
            "leave out the patients without one, and report how many they are."
        )
        raise StatisticsError(message)


def check_probabilities(score: Floats, name: str) -> None:
    """Refuse scores that cannot be probabilities.

    Raises:
        ValueError: a score outside 0 to 1; the message says whose.
    """
    if score.size and (score.min() < 0 or score.max() > 1):
        message = (
            f"{name} needs probabilities; got scores from {score.min():g} to {score.max():g}: "
            "give predict_proba, or recalibrate the score first."
        )
        raise StatisticsError(message)


def check_score_table(y_true: ArrayLike, scores: Mapping[str, ArrayLike]) -> tuple[Bools, tuple[str, ...], Floats]:
    """Outcome and the scores of several models on the same patients.

    Args:
        y_true: (n,) outcome, 0 or 1.
        scores: model name to its (n,) scores; a mapping or a table with a column a model.

    Returns:
        The outcome, the names and the scores (n_models, n).

    Raises:
        ValueError: no model, different patients, or what `check_scores` refuses; the message names the model.
    """
    names = tuple(str(name) for name in scores)
    if not names:
        message = "No scores were given: give a mapping from model name to scores."
        raise StatisticsError(message)
    check_same_patients({"the outcome": y_true} | {str(name): scores[name] for name in scores})
    rows = []
    for name in scores:
        try:
            truth, row = check_scores(y_true, scores[name])
        except ValueError as error:
            message = f"Model {name!r}: {error}"
            raise StatisticsError(message) from error
        rows.append(row)
    return truth, names, np.array(rows)


def check_same_patients(named: Mapping[str, Any]) -> None:
    """Refuse to pair lists of different patients, as far as their lengths and pandas indices tell.

    Args:
        named: what each list is, and the list; a pandas Series carries its patients in its index.

    Raises:
        ValueError: lengths or indices differ; the message says how, and names the first patients.
    """
    sizes = {name: np.shape(values)[:1] for name, values in named.items()}
    (first, size), *rest = sizes.items()
    for name, other in rest:
        if other != size:
            message = (
                f"Cannot pair {name} ({_patients(other)}) with {first} ({_patients(size)}): keep the patients that "
                "both have, and report how many were left out."
            )
            raise StatisticsError(message)
    indexed = {name: values.index for name, values in named.items() if _has_index(values)}
    for name, index in indexed.items():
        known = next(iter(indexed))
        if not _tells_nothing(indexed[known], index):
            _refuse_other_index(known, indexed[known].tolist(), name, index.tolist())


def _patients(size: tuple[int, ...]) -> str:
    return f"{size[0]} patients" if size else "a single number"


def _has_index(values: Any) -> bool:
    return hasattr(values, "index") and not callable(values.index)  # a list's index is a method


def _tells_nothing(index: Any, other: Any) -> bool:
    """One is pandas' own numbering 0, 1, 2 ... and the other is no numbering: who is who cannot be told."""
    return any(
        type(one).__name__ == "RangeIndex" and one.start == 0 and type(two).__name__ != "RangeIndex"
        for one, two in ((index, other), (other, index))
    )


def _refuse_other_index(first: str, known: list[Any], name: str, given: list[Any]) -> None:
    if known == given:
        return
    others = set(given)
    absent = [patient for patient in known if patient not in others]
    if absent:
        shown = ", ".join(map(repr, absent[:5])) + (", ..." if len(absent) > 5 else "")
        message = (
            f"Cannot pair {name} with {first}: {len(absent)} of {len(known)} patients of {first} are not in it "
            f"({shown}): keep the patients that both have."
        )
    else:
        message = f"Cannot pair {name} with {first}: the same patients in another order: sort both by patient."
    raise StatisticsError(message)


def _refuse_odd_outcomes(truth: NDArray[Any]) -> None:
    seen = np.unique(truth) if truth.dtype.kind in "biuf" else truth  # a hundred thousand need no list
    values = sorted(set(seen.tolist()), key=str)
    if any(value not in (0, 1) for value in values):
        shown = ", ".join(map(repr, values[:5]))
        message = f"The outcome must be 0 or 1; got {shown}: code the positive class as 1 and the other as 0."
        raise StatisticsError(message)
    if len(values) < 2:
        only = f"only {values[0]!r}" if values else "no patient"
        message = f"The outcome must hold both classes; got {only} in {truth.size} rows: check the set or the outcome."
        raise StatisticsError(message)
