"""A nomogram to be read with a ruler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glottis._errors import InputError
from glottis.modelling.nomogram import TOTAL, Nomogram
from glottis.report.figures.axis_labels import Label, broken, lines_mm
from glottis.report.figures.layout import SMALL, Columns, width_mm
from glottis.report.figures.nomogram_rows import (
    BESIDE,
    LINE,
    TICK,
    Row,
    Scale,
    heights,
    outcome_row,
    points_row,
    predictor_row,
    round_up,
    with_minus,
)
from glottis.report.style import COLOURS, INK, PALE, SOFT, canvas_mm, styled
from glottis.report.wording import number

MARGIN, MINOR, AXIS_GAP, GROUP_GAP, PATIENT_MM, NEAR = 2.0, 0.7, 1.6, 3.5, 12.0, 0.01
RED = COLOURS[1]
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.2}  # lines end at a label and go on behind it
BEYOND = "Arrow: beyond the range of the training patients."
_NAME_MM = {1: 23.0, 2: 46.0}


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
    points = Scale(left=left, right=right, most=100.0, paper=paper)
    totals = Scale(left=left, right=right, most=round_up(made.most_points), paper=paper)
    n = len(names)
    upper = [points_row(lines[0], points)]
    upper += [predictor_row(*pair, points) for pair in zip(made.axes, lines[1 : n + 1], strict=True)]
    lower = [points_row(lines[n + 1], totals)]
    lower += [outcome_row(made, *pair, totals) for pair in zip(made.outcomes, lines[n + 2 :], strict=True)]
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


def _with_patient(
    made: Nomogram, patient: pd.DataFrame, upper: list[Row], lower: list[Row], points: Scale, totals: Scale
) -> tuple[list[Row], list[Row]]:
    own = made.points(patient).iloc[0]
    total = float(own[TOTAL])
    told = [with_minus(f"{value:.1f}") for value in own.tolist()]
    chances = made.probability(patient).iloc[0].tolist()
    marked = [_marked(row, points(at), text) for row, at, text in zip(upper[1:], own.tolist(), told, strict=False)]
    below = [_marked(lower[0], totals(total), told[-1])]
    below += [_marked(row, totals(total), _chance(p)) for row, p in zip(lower[1:], chances, strict=True)]
    return [upper[0], *marked], below


def _marked(row: Row, mark: float, told: str) -> Row:
    return replace(row, mark=mark, told=told)


def _chance(p: float) -> str:
    return "<0.01" if p < 0.01 else ">0.99" if p > 0.99 else number(p, 2)


def _drawn(upper: list[Row], lower: list[Row], width: float, *, patient: bool) -> Figure:
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


def _held(row: Row) -> float:
    """The patient's place, or the end of the axis beyond which it lies."""
    return min(max(row.mark or 0.0, row.reach[0]), row.reach[1])


def _guides(axes: Axes, at: Sequence[float], top: float, bottom: float) -> None:
    axes.vlines(at, top, bottom, color=PALE, linewidth=0.5, zorder=0)


def _draw_row(axes: Axes, row: Row, y: float) -> None:
    axes.text(MARGIN, y, "\n".join(row.name), va="center", ha="left", fontsize=SMALL, linespacing=1.0)
    axes.plot(row.line, [y, y], color=INK, linewidth=0.7, zorder=3, solid_capstyle="butt")
    axes.vlines(row.majors, y, y + TICK, color=INK, linewidth=0.6, zorder=3)
    axes.vlines(row.minors, y, y + MINOR, color=INK, linewidth=0.35, zorder=3)
    rows = {sign: heights(row.labels, sign) for sign in (1, -1)}
    for label in row.labels:
        if label.beside:
            _call_out(axes, label, y)
            continue
        sign = 1 if label.row > 0 else -1
        near = TICK + 0.4 + sum(rows[sign][: abs(label.row) - 1])
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


def _draw_patient(axes: Axes, rows: Sequence[Row], places: Sequence[float], top: float, width: float) -> None:
    for row, y in zip(rows, places, strict=True):
        if row.mark is None:
            continue
        at = _held(row)
        shape = "v" if abs(at - row.mark) <= NEAR else "<" if row.mark < at else ">"
        axes.plot([at, at], [top, y], color=RED, linewidth=0.5, linestyle=(0, (3, 2)), zorder=1)
        axes.plot([at], [y - 0.6], shape, color=RED, markersize=3.4, markeredgewidth=0, zorder=5)
        axes.text(width - MARGIN, y, row.told, ha="right", va="center", fontsize=SMALL, color=RED)
