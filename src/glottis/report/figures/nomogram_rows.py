"""The rows of a nomogram's figure: where axis, ticks and labels of each stand, in mm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from glottis.modelling.nomogram import Nomogram
from glottis.modelling.nomogram_axes import MOST_STEPS, Axis, Outcome, number_texts, round_numbers
from glottis.report.figures.axis_labels import Label, called_out, lines_mm, placed, thinned

LINE, TICK, BESIDE = 2.9, 1.3, 4.5
FINEST_MM, LONG_MM, LABEL_MM, BESIDE_GAP = 1.0, 8.0, 28.0, 2.0
_MINOR_PROBABILITIES = sorted({p / 100 for p in (*range(1, 10), *range(10, 91, 5), *range(91, 100))})
_Tick = tuple[float, str]


@dataclass(frozen=True, kw_only=True)
class Row:
    """An axis as it is drawn, all in mm.

    Attributes:
        name: lines of its name.
        line: where the axis begins and ends.
        reach: where a patient of the training range can stand.
        majors: long ticks.
        minors: short ticks.
        labels: of long ticks.
        mark: where the patient stands; ``None`` without one.
        told: the patient's points or probability.
    """

    name: tuple[str, ...]
    line: tuple[float, float]
    reach: tuple[float, float]
    majors: tuple[float, ...]
    minors: tuple[float, ...] = ()
    labels: tuple[Label, ...]
    mark: float | None = None
    told: str = ""

    @property
    def above(self) -> float:
        """Room over the axis."""
        return max(_side(self.labels, -1), len(self.name) * LINE / 2)

    @property
    def below(self) -> float:
        """Room under the axis."""
        return max(_side(self.labels, 1), len(self.name) * LINE / 2)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """From points to mm; the points of predictors and the total share both ends."""

    left: float
    right: float
    most: float
    paper: float

    def __call__(self, points: float) -> float:
        """Where so many points stand."""
        return self.left + (self.right - self.left) * points / self.most

    def label_ends(self) -> tuple[float, float]:
        """Where labels may begin and end."""
        return self.left - BESIDE + 1, self.paper


def round_up(most: float) -> float:
    """The end of the axis of total points: the next long tick."""
    step = round_numbers(0, most)[1]
    return step * math.ceil(most / step - 1e-9)


def points_row(name: tuple[str, ...], scale: Scale) -> Row:
    """The axis of points, or of total points; its labels stand above, away from the ruler's way."""
    majors = round_numbers(0, scale.most, max(MOST_STEPS, int((scale.right - scale.left) / LONG_MM)))
    ticks = [(scale(value), f"{value:,.6g}") for value in majors]
    shown = thinned(ticks, majors)
    minors = _minors(majors[1], scale)
    return Row(
        name=name,
        line=(scale.left, scale.right),
        reach=(scale.left, scale.right),
        majors=tuple(at for at, _ in ticks),
        minors=tuple(minors),
        labels=tuple(Label(tick=at, middle=at, row=-1, lines=(text,)) for at, text in shown),
    )


def _minors(step: float, scale: Scale) -> list[float]:
    """The finest of 1, 2 or 5 times a power of ten that goes into a step and can be seen."""
    parts = {1: (10, 5, 2), 2: (10, 4, 2), 5: (10, 5)}[int(f"{step:.0e}"[0])]
    fine = next((step / part for part in parts if scale(step / part) - scale(0) >= FINEST_MM), step)
    return [scale(place * fine) for place in range(round(scale.most / fine) + 1)]


def predictor_row(axis: Axis, name: tuple[str, ...], scale: Scale) -> Row:
    """The axis of a predictor."""
    ticks = [(scale(tick.points), with_minus(tick.text)) for tick in axis.ticks]
    begin, end = scale.label_ends()
    if axis.term.levels is not None or axis.names:
        labels = _of_levels(ticks, begin, end)
    elif axis.most_points == 0:
        text = f"{axis.term.low:g} to {axis.term.high:g}"
        labels = placed([(scale(0), with_minus(text))], begin, end, end - begin)
    else:
        ticks, shown = _of_numbers(ticks, [float(tick.value) for tick in axis.ticks])
        labels = placed(shown, begin, end, LABEL_MM)
    places = [at for at, _ in ticks]
    ends = (scale(0), scale(axis.most_points)) if axis.term.levels is None else (min(places), max(places))
    return Row(name=name, line=ends, reach=ends, majors=tuple(places), labels=labels)


def _of_numbers(ticks: list[_Tick], values: Sequence[float]) -> tuple[list[_Tick], list[_Tick]]:
    """The ticks that can be told apart, and those with a label, whose decimals are no more than they need."""
    shown = thinned(ticks, values)
    kept = [value for tick, value in zip(ticks, values, strict=True) if tick in shown]
    labels = [(at, with_minus(text)) for (at, _), text in zip(shown, number_texts(kept), strict=True)]
    apart = len(ticks) < 2 or abs(ticks[1][0] - ticks[0][0]) >= FINEST_MM / 2
    return (ticks if apart else shown), labels


def _of_levels(ticks: Sequence[_Tick], begin: float, end: float) -> tuple[Label, ...]:
    """Labels at their ticks, on both sides of the axis; where they crowd, and there is room, at its right."""
    labels = placed(ticks, begin, end, LABEL_MM)
    room = max(at for at, _ in ticks) + BESIDE_GAP
    crowded = any(abs(label.row) > 1 for label in labels)
    wide = max(lines_mm((text,)) for _, text in ticks)
    return called_out(ticks, room, end) if crowded and room + min(wide, LABEL_MM) <= end else labels


def outcome_row(made: Nomogram, outcome: Outcome, name: tuple[str, ...], scale: Scale) -> Row:
    """The axis of a probability, with short ticks between the marked ones."""
    marks = made.marks(outcome)
    ticks = [(scale(tick.points), tick.text) for tick in marks]
    begin, end = scale.label_ends()
    fine = [made.total_for(p, outcome) for p in _MINOR_PROBABILITIES]
    within = [scale(points) for points in fine if 0 <= points <= made.most_points]
    places = [at for at, _ in ticks]
    return Row(
        name=name,
        line=(min([*places, *within], default=scale.left), max([*places, *within], default=scale.left)),
        reach=(scale.left, scale.right),
        majors=tuple(places),
        minors=tuple(_apart(within, places)),
        labels=placed(ticks, begin, end, LABEL_MM),
    )


def _apart(minors: Sequence[float], majors: Sequence[float]) -> list[float]:
    """Short ticks that can be told from their neighbours."""
    kept: list[float] = []
    for at in sorted(minors):
        if all(abs(at - other) >= FINEST_MM for other in (*kept[-1:], *majors)):
            kept.append(at)
    return kept


def with_minus(text: str) -> str:
    """A true minus sign in front of a number."""
    return f"−{text[1:]}" if text[:1] == "-" and text[1:2].isdigit() else text


def _side(labels: Sequence[Label], sign: int) -> float:
    """Room that the labels of one side need."""
    if labels and labels[0].beside:
        return (max(label.row for label in labels) if sign > 0 else 0) * LINE + LINE / 2
    rows = heights(labels, sign)
    return TICK + 0.4 + sum(rows) if rows else 0.6


def heights(labels: Sequence[Label], sign: int) -> list[float]:
    """Height of each row of labels below (1) or above (-1) the axis, the nearest first."""
    own = [label for label in labels if label.row * sign > 0]
    rows = range(1, max((abs(label.row) for label in own), default=0) + 1)
    return [LINE * max((len(label.lines) for label in own if abs(label.row) == row), default=0) for row in rows]
