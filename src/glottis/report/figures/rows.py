"""A figure with one row a feature: names at the left, one plot beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glottis._errors import InputError
from glottis.evaluation.interval import Floats
from glottis.modelling.explain import Explanation
from glottis.report.figures.layout import LINE_MM, fitted, put, text_mm, width_mm, wrapped
from glottis.report.style import FAINT, SOFT, axes_mm, new_figure

ONE_LINE_MM, TWO_LINES_MM = 4.6, 6.8
MARGIN = 3.0
_LEFT_MM = {1: 44.0, 2: 84.0}


@dataclass(frozen=True, kw_only=True)
class RowPlot:
    """The figure, its plot with a row at 0, 1, ... downwards, and where the plot stands in mm."""

    figure: Figure
    axes: Axes
    left: float
    top: float
    across: float
    height: float


def row_plot(
    names: Sequence[str],
    columns: int,
    *,
    values: Sequence[str] | None = None,
    head: str = "",
    foot: float = 0.0,
    right: float = 4.0,
    row_mm: float = ONE_LINE_MM,
) -> RowPlot:
    """An empty plot with named rows.

    Args:
        names: one a row; too long ones take two lines, and lose their middle where that is not enough.
        columns: of the journal.
        values: a text beside each name that is always whole.
        head: words over the plot, in lines.
        foot: mm under the axis.
        right: mm at the right of the plot.
        row_mm: least height of a row.
    """
    total, most = width_mm(columns), _LEFT_MM[columns]
    beside = values if values is not None else [""] * len(names)
    taken = [text_mm(value) + 1.2 if value else 0.0 for value in beside]
    left = min(max(text_mm(name) + mm for name, mm in zip(names, taken, strict=True)), most)
    labels = [two_lines(name, max(left - mm, 12.0)) for name, mm in zip(names, taken, strict=True)]
    step = max(row_mm, TWO_LINES_MM if any("\n" in label for label in labels) else ONE_LINE_MM)
    heads = wrapped(head, total - 2 * MARGIN) if head else []
    top, height = MARGIN + LINE_MM * len(heads) + (1 if heads else 0), step * len(names)
    start = MARGIN + left + 2
    figure = new_figure(total, top + height + 10 + foot)
    for place, line in enumerate(heads):
        put(figure, MARGIN, 2 + place * LINE_MM, line, color=SOFT)
    axes = axes_mm(figure, start, top, total - start - right, height)
    for place, (label, value) in enumerate(zip(labels, beside, strict=True)):
        middle = top + (place + 0.5) * step
        put(figure, start - 1.5, middle, value, va="center", ha="right", color=SOFT)
        put(figure, start - 1.5 - taken[place], middle, label, va="center", ha="right", linespacing=0.95)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5 if columns == 1 else 8)
    return RowPlot(figure=figure, axes=axes, left=start, top=top, across=total - start - right, height=height)


def two_lines(name: str, room: float) -> str:
    """The name in one line, or in two that part after a space, an underscore or a hyphen."""
    name = " ".join(name.split())
    if text_mm(name) <= room:
        return name
    ends = [found.end() for found in re.finditer(r"[\s_-]", name) if text_mm(name[: found.end()].rstrip()) <= room]
    if not ends:
        return fitted(name, room)
    return f"{name[: ends[-1]].rstrip()}\n{fitted(name[ends[-1] :], room)}"


def axis_label(plot: RowPlot, text: str) -> None:
    """The label under the axis, in its middle as far as the figure's edges allow."""
    total = float(plot.figure.get_figwidth()) * 25.4
    text = fitted(text, total - 2 * MARGIN)
    half = text_mm(text) / 2
    middle = min(max(plot.left + plot.across / 2, MARGIN + half), total - MARGIN - half)
    put(plot.figure, middle, plot.top + plot.height + 5.6, text, ha="center", color=SOFT)


def zero_line(axes: Axes) -> None:
    """The faint line of no effect."""
    axes.axvline(0, color=FAINT, linewidth=0.7, zorder=1)


def as_explanation(given: Any) -> Explanation:
    """An explanation, or what its ``to_dict`` wrote, as an explanation.

    Raises:
        InputError: something else, or no row or feature.
    """
    if isinstance(given, dict) and {"values", "base", "rows"} <= given.keys():
        given = Explanation.from_dict(given)
    if not isinstance(given, Explanation):
        message = (
            f"{type(given).__name__} cannot be drawn here: give a result of glottis.modelling.explain, or its "
            "to_dict()."
        )
        raise InputError(message)
    if not given.values.size:
        message = (
            f"The explanation is empty ({len(given.rows)} rows, {len(given.columns)} features): explain some rows."
        )
        raise InputError(message)
    return given


def ranked(sizes: Floats, most: int) -> list[int]:
    """Places of the ``most`` largest, largest first, equal ones in their order."""
    if most < 1:
        message = f"A figure shows at least one feature; got most={most}: leave it out for the default."
        raise InputError(message)
    return sorted(range(len(sizes)), key=lambda place: -float(sizes[place]))[:most]


def effect_name(explanation: Explanation, event: str) -> str:
    """The label of an axis with SHAP values."""
    unit = "log-odds" if explanation.scale == "log-odds" else "score"
    return f"change in {unit}{f' of {event}' if event else ''}"


def signed(value: float, scale: str) -> str:
    """``+0.42`` or ``−0.42``; a decimal more for scores from 0 to 1."""
    text = f"{value:+.3f}" if scale == "probability" else f"{value:+.2f}"
    return text.replace("-", "−")


def plain_number(value: float, scale: str) -> str:
    """The same without a plus."""
    return signed(value, scale).removeprefix("+")
