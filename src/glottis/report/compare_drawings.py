"""A forest of intervals, one a line: differences of AUCs, and AUCs in subgroups, from stored results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from glottis.report.figures.layout import fitted, put, text_mm
from glottis.report.style import COLOURS, DOUBLE_MM, FAINT, SOFT, axes_mm, new_figure
from glottis.report.wording import limits, number

ROW_MM = 4.6
ABOVE_MM, BELOW_MM = 7.0, 11.0
LABEL_MM = 80.0
PLOT_MM = 50.0
GAP_MM = 3.0
P_MM = 14.0


class IntervalRow(NamedTuple):
    """One line: its label, a stored interval, and its p as text (empty without a test)."""

    label: str
    interval: Mapping[str, Any]
    p: str


def interval_rows(rows: Sequence[IntervalRow], axis: str, p_name: str, *, at: float = 0.0) -> Figure:
    """Intervals on one axis with their numbers.

    Args:
        rows: from the top.
        axis: what is measured.
        p_name: heading of the p values; empty without them.
        at: no effect.
    """
    high = ROW_MM * len(rows)
    numbers = [f"{number(row.interval['value'])} ({limits(row.interval)})" for row in rows]
    left = 3 + min(LABEL_MM, max(text_mm(row.label) for row in rows)) + GAP_MM
    of_numbers = left + PLOT_MM + GAP_MM
    heading = f"{axis} (interval)"
    of_p = of_numbers + max(map(text_mm, (*numbers, heading))) + GAP_MM
    figure = new_figure(min(DOUBLE_MM, of_p + (P_MM if p_name else 0)), ABOVE_MM + high + BELOW_MM)
    axes = axes_mm(figure, left, ABOVE_MM, PLOT_MM, high)
    axes.axvline(at, color=FAINT, linewidth=0.7, linestyle=(0, (2, 2)))
    for place, (row, text) in enumerate(zip(rows, numbers, strict=True)):
        middle = ABOVE_MM + (place + 0.5) * ROW_MM
        put(figure, left - GAP_MM, middle, fitted(row.label, LABEL_MM), ha="right", va="center")
        put(figure, of_numbers, middle, text, va="center")
        put(figure, of_p, middle, row.p, va="center")
        interval = row.interval
        if interval["low"] is not None:
            axes.plot([interval["low"], interval["high"]], [place, place], color=COLOURS[0], linewidth=1.1)
        axes.plot([interval["value"]], [place], "s", color=COLOURS[0], markersize=3.2)
    put(figure, of_numbers, ABOVE_MM - 4, heading, color=SOFT)
    put(figure, of_p, ABOVE_MM - 4, p_name, color=SOFT)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(axis)
    return figure
