"""Stored numbers as text: formatting alone, nothing is computed here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any
from unicodedata import east_asian_width

MISSING = "–"
NOT_ESTIMABLE = "not estimable"
SET_NAMES = {
    "training": "Training (out-of-fold)",
    "internal": "Internal test",
    "external": "External test",
    "cross-validation": "Cross-validation",
}
METRICS = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
    "f1": "F1",
}
STEP_NAMES = {
    "candidates": "candidates",
    "variance": "varies between patients",
    "impute": "gaps filled",
    "combat": "harmonised (ComBat)",
    "perturbation": "robust (perturbations)",
    "icc": "reproducible (ICC)",
    "univariate": "univariate test",
    "spearman": "not redundant (Spearman)",
    "redundancy": "not redundant (Spearman)",
    "z-score": "standardised",
    "boruta": "Boruta",
    "mrmr": "mRMR",
    "blocks": "selection by block",
    "lasso": "LASSO",
    "rfe": "recursive elimination",
}
SEVERITIES = ("error", "warning", "note")


def number(value: float | None, digits: int = 3) -> str:
    """A number with a fixed count of decimals and a true minus sign; a dash where there is none."""
    return MISSING if value is None else f"{value:.{digits}f}".replace("-", "−")


def percent(value: float | None) -> str:
    """A proportion in percent with one decimal, without the sign."""
    return MISSING if value is None else f"{100 * value:.1f}".replace("-", "−")


def plain(value: Any) -> str:
    """A setting as a reader writes it: whole numbers without a point, lists with commas, None as a word."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value)
    return str(value)


def joined(words: Iterable[str], last: str = "and") -> str:
    """``a, b and c``."""
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else "none"


def counted(n: int, one: str, many: str | None = None) -> str:
    """``1 patient``, ``2 patients``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def limits(interval: Mapping[str, Any], *, in_percent: bool = False) -> str:
    """``0.602 to 0.801``, or why there are no limits."""
    low, high = interval.get("low"), interval.get("high")
    if low is None or high is None:
        return NOT_ESTIMABLE
    show = percent if in_percent else number
    return f"{show(low)} to {show(high)}"


def bare_reason(note: str) -> str:
    """Why something is not estimable, without the words that say that it is not."""
    return note.removeprefix(f"{NOT_ESTIMABLE}: ")


def level(interval: Mapping[str, Any]) -> str:
    """``95%``."""
    return f"{100 * interval.get('level', 0.95):g}%"


def set_name(name: str) -> str:
    """A set as the report calls it."""
    return SET_NAMES.get(name, name)


def step_name(name: str) -> str:
    """A selection step as the report calls it."""
    block, mark, step = name.rpartition(": ")
    return f"{block}{mark}{STEP_NAMES.get(step, step)}"


def shortened(text: str, width: int) -> str:
    """At most ``width`` columns, of which a Chinese character takes two; the middle goes."""
    if sum(map(_columns, text)) <= width:
        return text
    half = (width - 1) // 2
    return f"{_fitting(text, half)}…{_fitting(text[::-1], width - 1 - half)[::-1]}"


def _fitting(text: str, width: int) -> str:
    """The longest beginning of ``text`` within ``width`` columns."""
    used = list(accumulate(map(_columns, text)))
    return text[: bisect_right(used, width)]


def _columns(character: str) -> int:
    return 2 if east_asian_width(character) in "WF" else 1


def capitalised(text: str) -> str:
    """The first letter large, the others as they are."""
    return text[:1].upper() + text[1:]


def event_name(outcome: Mapping[str, Any]) -> str:
    """What patients of the positive class have: ``III-IV``, or ``metastasis = 1`` where the value alone says nothing.

    >>> event_name({"column": "metastasis", "positive": "1"})
    'metastasis = 1'
    """
    value = str(outcome["positive"])
    telling = any(letter.isalpha() for letter in value) and value.lower() not in ("yes", "true", "y", "positive")
    return value if telling else f"{outcome['column']} = {value}"
