"""Where the labels of crowded ticks stand: in lines, thinned, in rows on both sides of their axis, or beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import east_asian_width

from glottis.report.figures.layout import SMALL, fitted, text_mm

GAP_MM = 1.0
STEPS = {1: (1, 2, 5, 10), 2: (1, 2, 5, 10), 5: (1, 2, 4, 10)}  # to 1, 2, 5, 10, 20 ... times a power of ten
_WORDS = re.compile(r"\s+|[^\s_/-]*[_/-]|[^\s_/-]+")


@dataclass(frozen=True, kw_only=True)
class Label:
    """A tick's label in its place.

    Attributes:
        tick: mm from the left where the tick stands.
        middle: mm from the left where the text's middle stands, or where it begins if it stands beside the axis.
        row: 1, 2 ... below the axis, the nearest first; -1, -2 ... above it; beside it 0 is on a level with the axis.
        lines: the text.
        beside: at the right of the axis, at the end of a line from its tick.
    """

    tick: float
    middle: float
    row: int
    lines: tuple[str, ...]
    beside: bool = False


def broken(text: str, width: float, most: int, size: float = SMALL) -> tuple[str, ...]:
    """The text in at most ``most`` lines of ``width`` mm, broken at spaces, after ``_ - /``, and within Chinese."""
    lines, rest = [""], _pieces(text)
    for place, piece in enumerate(rest):
        longer = (lines[-1] + piece).lstrip()
        if lines[-1] and text_mm(longer.rstrip(), size) > width:
            if len(lines) == most:
                lines[-1] = lines[-1] + "".join(rest[place:])
                break
            lines.append(piece.lstrip())
        else:
            lines[-1] = longer
    return tuple(fitted(line, width, size) for line in lines)


def _pieces(text: str) -> list[str]:
    pieces = []
    for word in _WORDS.findall(text):
        run = ""
        for letter in word:
            if east_asian_width(letter) in "WF":
                pieces += [run] * bool(run) + [letter]
                run = ""
            else:
                run += letter
        pieces += [run] * bool(run)
    return pieces


def lines_mm(lines: Sequence[str], size: float = SMALL) -> float:
    """Width of the longest line."""
    return max(text_mm(line, size) for line in lines)


def placed(ticks: Sequence[tuple[float, str]], left: float, right: float, width: float) -> tuple[Label, ...]:
    """Every label, none on another: below its tick, or above, or further away.

    Args:
        ticks: place in mm and text of each.
        left: where labels may begin, in mm.
        right: where they end.
        width: of a label, in mm; a longer text has two lines.
    """
    ends: dict[int, float] = {}
    made = []
    for tick, text in sorted(ticks):
        lines = broken(text, width, 2)
        half = lines_mm(lines) / 2
        middle = min(max(tick, left + half), right - half)
        row = next(row for row in _rows() if ends.get(row, left - GAP_MM) + GAP_MM <= middle - half + 1e-9)
        ends[row] = middle + half
        made.append(Label(tick=tick, middle=middle, row=row, lines=lines))
    return tuple(made)


def called_out(ticks: Sequence[tuple[float, str]], begin: float, end: float) -> tuple[Label, ...]:
    """Labels under one another at the right of the axis, the rightmost tick's on top: their lines do not cross.

    Args:
        ticks: place in mm and text of each.
        begin: where labels begin, right of every tick.
        end: where they end.
    """
    rows = enumerate(sorted(ticks, reverse=True))
    return tuple(
        Label(tick=tick, middle=begin, row=row, lines=(fitted(text, end - begin),), beside=True)
        for row, (tick, text) in rows
    )


def _rows() -> list[int]:
    return [sign * row for row in range(1, 100) for sign in (1, -1)]


def thinned(ticks: Sequence[tuple[float, str]], values: Sequence[float]) -> list[tuple[float, str]]:
    """Of round numbers, as many as have room, those that are round on a wider scale too; else the two ends.

    Args:
        ticks: place in mm and text of each.
        values: the numbers, ascending, 1, 2 or 5 times a power of ten apart.
    """
    if len(ticks) < 2:
        return list(ticks)
    step = values[1] - values[0]
    for every in STEPS.get(int(f"{step:.0e}"[0]), STEPS[1]):
        kept = [tick for tick, value in zip(ticks, values, strict=True) if round(value / step) % every == 0]
        if len(kept) >= 2 and _have_room(kept):
            return kept
    return [ticks[0], ticks[-1]]


def _have_room(ticks: Sequence[tuple[float, str]]) -> bool:
    boxes = sorted((at - text_mm(text, SMALL) / 2, at + text_mm(text, SMALL) / 2) for at, text in ticks)
    return all(after[0] - before[1] >= GAP_MM for before, after in pairwise(boxes))
