"""Every pair of AUCs in one matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from glottis.report.figures.layout import LINE_MM, Columns, fitted, put, text_mm, width_mm, wrapped
from glottis.report.figures.results import Stored, as_stored, values
from glottis.report.style import INK, PALE, SOFT, axes_mm, new_figure, styled
from glottis.report.wording import MISSING, number

LONGEST_MM = {1: 30.0, 2: 62.0}
NARROW_MM = 9.0
FULL_COLOUR = 0.25
CAPTION = (
    "Diagonal: AUC. Above it: AUC of the row less that of the column. Below it: DeLong's p, adjusted after Holm; "
    "bold below 0.05."
)


@styled()
def delong_figure(results: Any, *, columns: Columns = 1) -> Figure:
    """AUCs, their differences and Holm-adjusted p values of DeLong's tests.

    Args:
        results: a `DelongMatrix` or its stored form, or a mapping from labels to them, one matrix under another.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).

    Raises:
        InputError: no result, or one of another kind; columns other than 1 and 2.
    """
    matrices = as_stored(results, "p_holm", "delong_matrix")
    total = width_mm(columns)
    names = [f"{i}  {name}" for stored in matrices.values() for i, name in enumerate(stored["models"], 1)]
    left = min(LONGEST_MM[columns], max(map(text_mm, names))) + 4
    sides = [min(14.0, (total - left - 2) / len(stored["models"])) for stored in matrices.values()]
    tall = [max(side, 5.0) * len(stored["models"]) for side, stored in zip(sides, matrices.values(), strict=True)]
    lines = wrapped(CAPTION, total - 6)
    figure = new_figure(total, sum(tall) + 11 * len(tall) + LINE_MM * len(lines) + 2)
    top = 0.0
    for (label, stored), side, height in zip(matrices.items(), sides, tall, strict=True):
        if label:
            put(figure, 3, top + 1.5, fitted(label, total - 6, 7.5), fontsize=7.5)
        axes = axes_mm(figure, left, top + 9, side * len(stored["models"]), height)
        _matrix(axes, stored, left - 4, side)
        top += height + 11
    for line in lines:
        put(figure, 3, top, line, color=SOFT)
        top += LINE_MM
    return figure


def _matrix(axes: Axes, stored: Stored, room: float, side: float) -> None:
    n, size = len(stored["models"]), 6.5 if side >= NARROW_MM else 5.2
    auc, difference, p = (values(stored[name]) for name in ("auc", "difference", "p_holm"))
    palette, picture = colormaps["PuOr"], np.ones((n, n, 4))
    for row, column in np.ndindex(n, n):
        text, bold = number(float(auc[row])), False
        colour: Any = PALE
        if column > row:
            text = number(float(difference[row, column]))
            colour = palette(0.5 - 0.35 * float(np.clip(difference[row, column] / FULL_COLOUR, -1, 1)))
        elif column < row:
            text, bold = _p(float(p[row, column])), bool(p[row, column] < 0.05)
            colour = "white"
        picture[row, column] = to_rgba(colour)
        if side < NARROW_MM:
            text = text.replace("0.", ".")  # for <0.001 and −0.052 must not touch their neighbours
        axes.text(
            column, row, text, ha="center", va="center", fontsize=size, weight="bold" if bold else "normal", color=INK
        )
    axes.imshow(picture, aspect="auto", interpolation="nearest")
    axes.set_xticks(range(n), [str(i) for i in range(1, n + 1)])
    axes.set_yticks(range(n), [fitted(f"{i}  {name}", room) for i, name in enumerate(stored["models"], 1)])
    axes.tick_params(length=0, pad=2)
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)


def _p(p: float) -> str:
    if np.isnan(p):
        return MISSING
    return "<0.001" if p < 0.001 else f"{p:.3f}"
