"""Where a rater's cut-off comes from, and whether its metrics can be believed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from glottis._errors import SettingsError, nearest
from glottis.data.ratings import TRAINING_SET, Paired, Ratings
from glottis.evaluation.thresholds import youden_threshold

OPTIMISTIC = "Youden on the same patients: optimistic"
Youden = Literal["training", "same-patients"]
YOUDEN: dict[str, Youden] = {"youden": "training", "youden-on-same-patients": "same-patients"}


@dataclass(frozen=True, kw_only=True)
class CutoffRule:
    """How cut-offs are found; without any of it the table's own, then Youden's on its training rows.

    Attributes:
        for_all: cut-off of every rater that is no yes/no reading.
        by_rater: cut-off of single raters, before all others.
        youden: chosen on rows of the set "training", or, optimistic, on the patients that are judged.
    """

    for_all: float | None = None
    by_rater: Mapping[str, float] = field(default_factory=dict)
    youden: Youden | None = None


@dataclass(frozen=True, kw_only=True)
class Cutoff:
    """A cut-off; positive when the score is at least this.

    Attributes:
        value: on the scale of the score.
        source: where it comes from, in words.
        optimistic: whether it was chosen on the patients that it is judged on.
    """

    value: float
    source: str
    optimistic: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def read_rule(words: Sequence[str]) -> tuple[CutoffRule, str | None]:
    """The rule that ``--threshold`` words ask for, and the column of thresholds where one is named.

    Args:
        words: a number for all, NAME=NUMBER, "youden", "youden-on-same-patients", or the name of a column.

    Raises:
        SettingsError: two rules for all, or NAME= without a number.

    >>> read_rule(["s100b=0.3"])[0].by_rater
    {'s100b': 0.3}
    """
    by_rater: dict[str, float] = {}
    general: list[str] = []
    for word in words:
        name, mark, value = word.rpartition("=")
        if not mark:
            general.append(word)
        elif (number := _number(value)) is not None:
            by_rater[name] = number
        else:
            message = f"--threshold {word} names no number: write --threshold {name or 'NAME'}=0.5."
            raise SettingsError(message)
    if len(general) > 1:
        message = f"--threshold says {' and '.join(general)}: give one rule for all, single raters as NAME=NUMBER."
        raise SettingsError(message)
    rule = general[0] if general else ""
    youden, for_all = YOUDEN.get(rule), _number(rule)
    column = rule if rule and youden is None and for_all is None else None
    return CutoffRule(for_all=for_all, by_rater=by_rater, youden=youden), column


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def cutoff_of(name: str, ratings: Ratings, on: Paired, rule: CutoffRule, *, binary: bool) -> Cutoff | None:
    """The cut-off of one rater on the patients of one set; None where there is none.

    Args:
        name: the rater.
        ratings: the table, whose training rows may choose it.
        on: the patients that it is used on.
        rule: how it is found.
        binary: whether the scores are 0 and 1 already.

    Raises:
        SettingsError: Youden without training rows.
    """
    if binary:
        return Cutoff(value=1.0, source="the yes/no as given")
    if name in rule.by_rater:
        return Cutoff(value=rule.by_rater[name], source="given")
    if rule.for_all is not None:
        return Cutoff(value=rule.for_all, source="given, the same for all")
    column = on.thresholds[name]
    if rule.youden is None and column is not None:
        return Cutoff(value=column, source="column of the table")
    if rule.youden == "same-patients":
        if on.y_true is None:
            return None
        return Cutoff(value=youden_threshold(on.y_true, on.scores[name]).value, source=OPTIMISTIC, optimistic=True)
    rows = ratings.rows(name, TRAINING_SET)
    if len(rows) and rows["y_true"].nunique() == 2:
        chosen = youden_threshold(rows["y_true"].to_numpy(dtype=int), rows["y_score"].to_numpy(dtype=float))
        return Cutoff(value=chosen.value, source=f"Youden on {rows['patient'].nunique()} training patients")
    if rule.youden == "training":
        message = (
            f"'{name}' has no rows with both classes in the set 'training' to choose a Youden threshold on: give a "
            "number with --threshold, or add its training rows. A threshold chosen on the patients that it is judged "
            "on flatters; where that is wanted all the same, ask by name: --threshold youden-on-same-patients."
        )
        raise SettingsError(message)
    return None


def check_rule(rule: CutoffRule, raters: list[str]) -> None:
    """Refuse cut-offs for raters that are not there.

    Raises:
        SettingsError: an unknown rater.
    """
    for name in rule.by_rater:
        check_rater(name, raters, "--threshold")


def check_rater(name: str, raters: list[str], option: str) -> None:
    """Refuse a rater that is not there.

    Raises:
        SettingsError: an unknown rater.
    """
    if name not in raters:
        message = f"The table has no rater '{name}' ({option}): {nearest(name, raters)}"
        raise SettingsError(message if message.endswith("?") else f"{message}.")
