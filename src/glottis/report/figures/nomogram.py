"""A nomogram to be read with a ruler."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glottis._errors import InputError
from glottis.modelling.nomogram import TOTAL, Nomogram
from glottis.modelling.nomogram_axes import MOST_STEPS, Axis, Outcome, number_texts, round_numbers
from glottis.report.figures.axis_labels import Label, broken, called_out, lines_mm, placed, thinned
from glottis.report.figures.layout import SMALL, Columns, width_mm
from glottis.report.style import COLOURS, INK, PALE, SOFT, canvas_mm, styled
from glottis.report.wording import number

MARGIN, LINE, TICK, MINOR = 2.0, 2.9, 1.3, 0.7
AXIS_GAP, GROUP_GAP, BESIDE, PATIENT_MM = 1.6, 3.5, 4.5, 12.0
FINEST_MM, LONG_MM, LABEL_MM, BESIDE_GAP, NEAR = 1.0, 8.0, 28.0, 2.0, 0.01
RED = COLOURS[1]
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.2}  # lines end at a label and go on behind it
BEYOND = "Arrow: beyond the range of the training patients."
_NAME_MM = {1: 23.0, 2: 46.0}
_MINOR_PROBABILITIES = sorted({p / 100 for p in (*range(1, 10), *range(10, 91, 5), *range(91, 100))})

_Tick = tuple[float, str]


@dataclass(frozen=True, kw_only=True)
class _Row:
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
class _Scale:
    """From points to mm; the points of predictors and the total share both ends."""

    left: float
    right: float
    most: float
    paper: float

    def __call__(self, points: float) -> float:
        return self.left + (self.right - self.left) * points / self.most

    def label_ends(self) -> tuple[float, float]:
        """Where labels may begin and end."""
        return self.left - BESIDE + 1, self.paper


@styled()
def nomogram_figure(
    nomogram: Nomogram | Mapping[str, Any],
    *,
    patient: Mapping[str, Any] | pd.Series[Any] | pd.DataFrame | None = None,
    columns: Columns = 2,
) -> Figure:
    """Points, an axis a predictor, total points, and an axis an outcome, all between the same two verticals.

    A ruler laid upright through a patient's value tells its points on the uppermost axis; upright through their sum on
    the axis of total points, it tells the probabilities below.

    Args:
        nomogram: a `Nomogram`, or its stored form (``nomogram.json``).
        patient: values by column, or a table of one row: marked in red, with the points at the right.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).

    Raises:
        InputError: columns other than 1 and 2; several patients.
        ValueError: a patient's value that no training patient had.
    """
    made = nomogram if isinstance(nomogram, Nomogram) else Nomogram.from_dict(nomogram)
    row = None if patient is None else _one(patient)
    total = width_mm(columns)
    names = [_named(axis.label, axis.unit) for axis in made.axes]
    every = ["Points", *names, "Total points", *(outcome.label for outcome in made.outcomes)]
    lines = [broken(name, _NAME_MM[columns], 4) for name in every]
    left = MARGIN + max(map(lines_mm, lines)) + BESIDE
    right = total - BESIDE - (PATIENT_MM if row is not None else 0)
    paper = right + BESIDE - 1
    points = _Scale(left=left, right=right, most=100.0, paper=paper)
    totals = _Scale(left=left, right=right, most=_round_up(made.most_points), paper=paper)
    n = len(names)
    upper = [_points(lines[0], points)]
    upper += [_predictor(*pair, points) for pair in zip(made.axes, lines[1 : n + 1], strict=True)]
    lower = [_points(lines[n + 1], totals)]
    lower += [_outcome(made, *pair, totals) for pair in zip(made.outcomes, lines[n + 2 :], strict=True)]
    if row is not None:
        upper, lower = _with_patient(made, row, upper, lower, points, totals)
    return _drawn(upper, lower, total, patient=row is not None)


def _one(patient: Any) -> pd.DataFrame:
    table = patient if isinstance(patient, pd.DataFrame) else pd.DataFrame([dict(patient)])
    if len(table) != 1:
        message = f"A nomogram marks one patient; got {len(table)} rows: give one of them."
        raise InputError(message)
    return table


def _named(label: str, unit: str) -> str:
    return f"{label} ({unit})" if unit else label


def _round_up(most: float) -> float:
    """The end of the axis of total points: the next long tick."""
    step = round_numbers(0, most)[1]
    return step * math.ceil(most / step - 1e-9)


def _points(name: tuple[str, ...], scale: _Scale) -> _Row:
    """The axis of points, or of total points; its labels stand above, away from the ruler's way."""
    majors = round_numbers(0, scale.most, max(MOST_STEPS, int((scale.right - scale.left) / LONG_MM)))
    ticks = [(scale(value), f"{value:,.6g}") for value in majors]
    shown = thinned(ticks, majors)
    minors = _minors(majors[1], scale)
    return _Row(
        name=name,
        line=(scale.left, scale.right),
        reach=(scale.left, scale.right),
        majors=tuple(at for at, _ in ticks),
        minors=tuple(minors),
        labels=tuple(Label(tick=at, middle=at, row=-1, lines=(text,)) for at, text in shown),
    )


def _minors(step: float, scale: _Scale) -> list[float]:
    """The finest of 1, 2 or 5 times a power of ten that goes into a step and can be seen."""
    parts = {1: (10, 5, 2), 2: (10, 4, 2), 5: (10, 5)}[int(f"{step:.0e}"[0])]
    fine = next((step / part for part in parts if scale(step / part) - scale(0) >= FINEST_MM), step)
    return [scale(place * fine) for place in range(round(scale.most / fine) + 1)]


def _predictor(axis: Axis, name: tuple[str, ...], scale: _Scale) -> _Row:
    ticks = [(scale(tick.points), _minus(tick.text)) for tick in axis.ticks]
    begin, end = scale.label_ends()
    if axis.term.levels is not None or axis.names:
        labels = _of_levels(ticks, begin, end)
    elif axis.most_points == 0:
        text = f"{axis.term.low:g} to {axis.term.high:g}"
        labels = placed([(scale(0), _minus(text))], begin, end, end - begin)
    else:
        ticks, shown = _of_numbers(ticks, [float(tick.value) for tick in axis.ticks])
        labels = placed(shown, begin, end, LABEL_MM)
    places = [at for at, _ in ticks]
    ends = (scale(0), scale(axis.most_points)) if axis.term.levels is None else (min(places), max(places))
    return _Row(name=name, line=ends, reach=ends, majors=tuple(places), labels=labels)


def _of_numbers(ticks: list[_Tick], values: Sequence[float]) -> tuple[list[_Tick], list[_Tick]]:
    """The ticks that can be told apart, and those with a label, whose decimals are no more than they need."""
    shown = thinned(ticks, values)
    kept = [value for tick, value in zip(ticks, values, strict=True) if tick in shown]
    labels = [(at, _minus(text)) for (at, _), text in zip(shown, number_texts(kept), strict=True)]
    apart = len(ticks) < 2 or abs(ticks[1][0] - ticks[0][0]) >= FINEST_MM / 2
    return (ticks if apart else shown), labels


def _of_levels(ticks: Sequence[_Tick], begin: float, end: float) -> tuple[Label, ...]:
    """Labels at their ticks, on both sides of the axis; where they crowd, and there is room, at its right."""
    labels = placed(ticks, begin, end, LABEL_MM)
    room = max(at for at, _ in ticks) + BESIDE_GAP
    crowded = any(abs(label.row) > 1 for label in labels)
    wide = max(lines_mm((text,)) for _, text in ticks)
    return called_out(ticks, room, end) if crowded and room + min(wide, LABEL_MM) <= end else labels


def _outcome(made: Nomogram, outcome: Outcome, name: tuple[str, ...], scale: _Scale) -> _Row:
    marks = made.marks(outcome)
    ticks = [(scale(tick.points), tick.text) for tick in marks]
    begin, end = scale.label_ends()
    fine = [made.total_for(p, outcome) for p in _MINOR_PROBABILITIES]
    within = [scale(points) for points in fine if 0 <= points <= made.most_points]
    places = [at for at, _ in ticks]
    return _Row(
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


def _with_patient(
    made: Nomogram, patient: pd.DataFrame, upper: list[_Row], lower: list[_Row], points: _Scale, totals: _Scale
) -> tuple[list[_Row], list[_Row]]:
    own = made.points(patient).iloc[0]
    total = float(own[TOTAL])
    told = [f"{_minus(f'{value:.1f}')}" for value in own.tolist()]
    chances = made.probability(patient).iloc[0].tolist()
    marked = [_marked(row, points(at), text) for row, at, text in zip(upper[1:], own.tolist(), told, strict=False)]
    below = [_marked(lower[0], totals(total), told[-1])]
    below += [_marked(row, totals(total), _chance(p)) for row, p in zip(lower[1:], chances, strict=True)]
    return [upper[0], *marked], below


def _marked(row: _Row, mark: float, told: str) -> _Row:
    return _Row(**{**vars(row), "mark": mark, "told": told})


def _chance(p: float) -> str:
    return "<0.01" if p < 0.01 else ">0.99" if p > 0.99 else number(p, 2)


def _minus(text: str) -> str:
    """A true minus sign in front of a number."""
    return f"−{text[1:]}" if text[:1] == "-" and text[1:2].isdigit() else text


def _side(labels: Sequence[Label], sign: int) -> float:
    """Room that the labels of one side need."""
    if labels and labels[0].beside:
        return (max(label.row for label in labels) if sign > 0 else 0) * LINE + LINE / 2
    rows = _heights(labels, sign)
    return TICK + 0.4 + sum(rows) if rows else 0.6


def _heights(labels: Sequence[Label], sign: int) -> list[float]:
    own = [label for label in labels if label.row * sign > 0]
    rows = range(1, max((abs(label.row) for label in own), default=0) + 1)
    return [LINE * max((len(label.lines) for label in own if abs(label.row) == row), default=0) for row in rows]


def _drawn(upper: list[_Row], lower: list[_Row], width: float, *, patient: bool) -> Figure:
    head = 4.0 if patient else 1.5
    places, at = [], head
    for group in (upper, lower):
        for row in group:
            at += row.above
            places.append(at)
            at += row.below + AXIS_GAP
        at += GROUP_GAP
    rows = [*upper, *lower]
    beyond = [row for row in rows if row.mark is not None and abs(row.mark - _held(row)) > NEAR]
    figure, axes = canvas_mm(width, at - GROUP_GAP + (LINE if beyond else 0))
    axes.set(xticks=[], yticks=[])
    n = len(upper)
    _guides(axes, upper[0].majors, places[0], places[n - 1])
    _guides(axes, lower[0].majors, places[n], places[-1])
    for row, y in zip(rows, places, strict=True):
        _draw_row(axes, row, y)
    if patient:
        axes.text(width - MARGIN, 1.2, "Patient", ha="right", va="top", fontsize=SMALL, color=RED, weight="bold")
        _draw_patient(axes, upper[1:], places[1:n], places[0], width)
        _draw_patient(axes, lower, places[n:], places[n], width)
    if beyond:
        axes.text(MARGIN, at - GROUP_GAP, BEYOND, va="top", fontsize=SMALL, color=SOFT)
    return figure


def _held(row: _Row) -> float:
    """The patient's place, or the end of the axis beyond which it lies."""
    return min(max(row.mark or 0.0, row.reach[0]), row.reach[1])


def _guides(axes: Axes, at: Sequence[float], top: float, bottom: float) -> None:
    axes.vlines(at, top, bottom, color=PALE, linewidth=0.5, zorder=0)


def _draw_row(axes: Axes, row: _Row, y: float) -> None:
    axes.text(MARGIN, y, "\n".join(row.name), va="center", ha="left", fontsize=SMALL, linespacing=1.0)
    axes.plot(row.line, [y, y], color=INK, linewidth=0.7, zorder=3, solid_capstyle="butt")
    for place in row.majors:  # towards their labels, or down where there are none
        axes.plot([place, place], [y, y + TICK], color=INK, linewidth=0.6, zorder=3)
    axes.vlines(row.minors, y, y + MINOR, color=INK, linewidth=0.35, zorder=3)
    heights = {sign: _heights(row.labels, sign) for sign in (1, -1)}
    for label in row.labels:
        if label.beside:
            _call_out(axes, label, y)
            continue
        sign = 1 if label.row > 0 else -1
        near = TICK + 0.4 + sum(heights[sign][: abs(label.row) - 1])
        if sign < 0 or abs(label.row) > 1:
            axes.plot([label.tick] * 2, [y, y + sign * near], color=INK, linewidth=0.35, zorder=1)
        look: dict[str, Any] = {"ha": "center", "fontsize": SMALL, "linespacing": 1.0, "zorder": 2, "bbox": WHITE}
        axes.text(label.middle, y + sign * near, "\n".join(label.lines), va="top" if sign > 0 else "bottom", **look)


def _call_out(axes: Axes, label: Label, y: float) -> None:
    level = y + label.row * LINE
    if label.row:
        corner = [label.tick, label.tick, label.middle - 0.5]
        axes.plot(corner, [y, level, level], color=INK, linewidth=0.35, zorder=1)
    text = "\n".join(label.lines)
    axes.text(label.middle, level, text, va="center", ha="left", fontsize=SMALL, zorder=2, bbox=WHITE)


def _draw_patient(axes: Axes, rows: Sequence[_Row], places: Sequence[float], top: float, width: float) -> None:
    for row, y in zip(rows, places, strict=True):
        if row.mark is None:
            continue
        at = _held(row)
        shape = "v" if abs(at - row.mark) <= NEAR else "<" if row.mark < at else ">"
        axes.plot([at, at], [top, y], color=RED, linewidth=0.5, linestyle=(0, (3, 2)), zorder=1)
        axes.plot([at], [y - 0.6], shape, color=RED, markersize=3.4, markeredgewidth=0, zorder=5)
        axes.text(width - MARGIN, y, row.told, ha="right", va="center", fontsize=SMALL, color=RED)
