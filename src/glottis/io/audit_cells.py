"""Cells of a paper's tables as printed numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glottis._errors import InputError
from glottis.evaluation.audit import Printed
from glottis.io.clinical import is_missing

NOT_GIVEN = frozenset({"-", "\N{EN DASH}", "\N{MINUS SIGN}", "/", "nr", "ns"})
LEVEL = re.compile(r"(\d{2}(?:\.\d+)?)\s*%\s*(?:ci|confidence interval)\b", re.IGNORECASE)
NUMBER = re.compile(r"\d*\.?\d+(?:[eE][+-]?\d+)?\s*%?")
COUNTS = re.compile(r"\(?\s*\b\d+\s*/\s*\d+\b\s*\)?")
SPREAD = re.compile(r"(?:±|\+/-)\s*\d*\.?\d+")
DASH = re.compile(r"(?<=[\d%])\s*[-\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}~]\s*(?=[\d.])")
BETWEEN = re.compile(r"(?:[\s()\[\],;:=]|to|ci|" + NUMBER.pattern + ")*", re.IGNORECASE)
WHOLE = re.compile(r"\d{1,7}(\.0+)?")


@dataclass(frozen=True)
class Line:
    """A line of a table, for messages.

    Attributes:
        path: the table.
        number: of the row under the header, from 1.
    """

    path: Path
    number: int

    def error(self, what: str) -> InputError:
        """The refusal of something in this line."""
        return InputError(f"Table '{self.path}', row {self.number}: {what}")

    def printed(self, text: str, column: str, *, percent: bool = False) -> Printed:
        """The one number of a cell.

        Raises:
            InputError: no number.
        """
        try:
            return Printed.parse(text, percent=percent)
        except ValueError as error:
            what = f"'{text}' ({column}) is no number: correct it or leave it empty."
            raise self.error(what) from error

    def numbers(self, cell: str, column: str, *, percent: bool = False) -> list[Printed]:
        """The numbers of a cell: a value, its limits, or both; counts and standard deviations beside it are left out.

        Raises:
            InputError: something else is in the cell.
        """
        cleaned = _cleaned(cell)
        if not BETWEEN.fullmatch(cleaned):
            what = f"'{cell}' ({column}) is no number: correct it or leave it empty."
            raise self.error(what)
        return [self.printed(text, column, percent=percent) for text in NUMBER.findall(cleaned)]

    def whole(self, text: str, column: str) -> int | None:
        """A number of patients; None for an empty cell.

        Raises:
            InputError: no whole number above 0, or one above 9,999,999.
        """
        if not text:
            return None
        if not WHOLE.fullmatch(text) or float(text) == 0:
            what = f"'{text}' ({column}) is no number of patients: write a whole number from 1 to 9999999."
            raise self.error(what)
        return int(float(text))


def is_empty(cell: str | None) -> bool:
    """Whether a cell holds nothing or a mark for what is not given."""
    return is_missing(cell) or str(cell).strip().lower() in NOT_GIVEN


def is_percent(name: str, cells: Sequence[str]) -> bool:
    """Whether a column is one of percentages: it has their sign, or a number above 1."""
    values = [float(text.strip("% ")) for cell in cells for text in NUMBER.findall(_cleaned(cell))]
    sign = "%" in LEVEL.sub("", name) or any("%" in LEVEL.sub("", cell) for cell in cells)
    return sign or any(value > 1 for value in values)


def _cleaned(cell: str) -> str:
    """A cell without its interval's words, counts and standard deviations, with one decimal mark."""
    text = SPREAD.sub("", COUNTS.sub(" ", LEVEL.sub(" ", cell)))
    if "." not in text:
        text = re.sub(r"(?<=\d),(?=\d)", ".", text)
    return DASH.sub(" to ", text)
