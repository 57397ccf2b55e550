"""AUCs on shuffled outcomes beside the observed one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glottis._errors import InputError
from glottis.report.figures.layout import LINE_MM, Columns, fitted, p_text, put, width_mm
from glottis.report.figures.results import values
from glottis.report.style import COLOURS, FAINT, INK, SOFT, axes_mm, new_figure, styled
from glottis.report.wording import number, set_name

ROW_MM, PLOT_MM, MOST_TICKS = 24.0, 10.0, 60
CAPTION = "Grey: outcomes shuffled. Blue: observed. Dotted: 0.5."


@styled()
def permutation_figure(sets: Mapping[str, Mapping[str, Any]], *, columns: Columns = 1) -> Figure:
    """The null AUCs of every set as ticks (a histogram above 60) with the observed AUC as a line.

    Args:
        sets: set to ``observed``, ``values``, ``mean`` and ``p_value``, as ``controls`` of ``results.json`` holds them.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).

    Raises:
        InputError: no set, or one without values; columns other than 1 and 2.
    """
    total = width_mm(columns)
    for name, stored in sets.items():
        if not stored["values"]:
            message = f"Set {name!r} has no permutation to draw: run the study with controls.permutations above 0."
            raise InputError(message)
    if not sets:
        message = "There is no set to draw: run the study with controls.permutations above 0."
        raise InputError(message)
    figure = new_figure(total, ROW_MM * len(sets) + LINE_MM + 3)
    ends = np.concatenate([[*values(stored["values"]), stored["observed"], 0.5] for stored in sets.values()])
    low, high = max(0.0, float(np.nanmin(ends)) - 0.03), min(1.0, float(np.nanmax(ends)) + 0.03)
    for place, (name, stored) in enumerate(sets.items()):
        top = place * ROW_MM
        put(figure, 5, top + 1, fitted(_title(name, stored), total - 10))
        _row(axes_mm(figure, 5, top + 5, total - 10, PLOT_MM), stored, (low, high))
    put(figure, 5, ROW_MM * len(sets), CAPTION, color=SOFT)
    return figure


def _title(name: str, stored: Mapping[str, Any]) -> str:
    numbers = f"AUC {number(stored['observed'])}, shuffled {number(stored['mean'])}, {p_text(stored['p_value'])}"
    return f"{set_name(name)}: {numbers}"


def _row(axes: Axes, stored: Mapping[str, Any], ends: tuple[float, float]) -> None:
    null = values(stored["values"])
    if null.size > MOST_TICKS:
        axes.hist(null, bins=30, range=ends, color=FAINT)
    else:
        axes.vlines(null, 0, 0.55, color=FAINT, linewidth=1)
        axes.set_ylim(0, 1)
    axes.axvline(0.5, color=INK, linewidth=0.7, linestyle=":")
    if stored["observed"] is not None:
        axes.axvline(stored["observed"], color=COLOURS[0], linewidth=1.8)
    axes.set(xlim=ends, yticks=[], xlabel="AUC")
    axes.spines["left"].set_visible(False)
