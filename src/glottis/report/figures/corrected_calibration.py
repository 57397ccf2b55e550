"""Calibration on the patients of the fit, apparent and corrected for optimism."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glottis.report.figures.layout import LEFT, Columns, Key, diagonal, draw_keys, fitted, panels, put, unit_square
from glottis.report.figures.results import Stored, as_stored, values
from glottis.report.style import COLOURS, FAINT, SOFT, axes_mm, styled
from glottis.report.wording import counted, number

HISTOGRAM_MM = 7.0
KEYS = (
    Key(label="Apparent", text="", colour=SOFT, line="--"),
    Key(label="Bias-corrected", text="", colour=COLOURS[0]),
    Key(label="Ideal", text="", colour=FAINT, line=(0, (2, 2))),
)
KEYS_MM = (24.0, 31.0, 20.0)


@styled()
def corrected_calibration_figure(results: Any, *, columns: Columns = 1) -> Figure:
    """Apparent and bias-corrected calibration of each model, over the histogram of its probabilities.

    Args:
        results: a `CorrectedCalibration` or its stored form, or a mapping from labels to them.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).

    Raises:
        InputError: no result, or one of another kind; columns other than 1 and 2.
    """
    models = as_stored(results, "fewest_resamples", "corrected_calibration")
    above = 14 if any(models) else 10.5
    figure, places = panels(len(models), columns, above=above, below=HISTOGRAM_MM + 18, most=2)
    for (label, stored), (left, top, wide, tall) in zip(models.items(), places, strict=True):
        axes = axes_mm(figure, left, top, wide, tall)
        _curves(axes, stored)
        _histogram(axes_mm(figure, left, top + tall + 2, wide, HISTOGRAM_MM), stored)
        _title(figure, label, stored, left, top, wide)
        at = left - 8
        for key, room in zip(KEYS, KEYS_MM, strict=True):
            draw_keys(figure, [key], at, top + tall + HISTOGRAM_MM + 12.5, room)
            at += room
    return figure


def _curves(axes: Axes, stored: Stored) -> None:
    diagonal(axes)
    at = values(stored["curve_score"])
    for name, key, width in (("apparent", KEYS[0], 1.0), ("corrected", KEYS[1], 1.5)):
        curve = np.clip(values(stored[name]), 0, 1)  # a lowess may leave 0 to 1
        axes.plot(at, curve, color=key.colour, linestyle=key.line, linewidth=width, zorder=3)
    if not at.size:
        axes.text(0.5, 0.1, fitted(stored["note"], 60), ha="center", color=SOFT)
    unit_square(axes, "", "Observed share")
    axes.set_xticklabels([])


def _histogram(axes: Axes, stored: Stored) -> None:
    edges, counts = values(stored["histogram_edges"]), values(stored["histogram"])
    axes.bar((edges[1:] + edges[:-1]) / 2, counts, np.diff(edges) * 0.86, color=FAINT)
    axes.set(xlim=(-0.015, 1.015), xlabel="Predicted probability", ylabel="n")
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.set_yticks([counts.max()], [f"{counts.max():.0f}"], fontsize=5.5)


def _title(figure: Figure, label: str, stored: Stored, left: float, top: float, wide: float) -> None:
    performance = stored["performance"]
    slope, auc = (number(performance[name]["corrected"]) for name in ("slope", "auc"))
    lines = (
        f"mean absolute error {number(stored['mean_absolute_error'])}, corrected AUC {auc}, slope {slope}",
        f"{counted(performance['n_resamples'], 'bootstrap resample')} of {counted(stored['n'], 'patient')}, "
        f"{stored['n_positive']:,} with the outcome",
    )
    room = wide + LEFT - 2
    put(figure, left - LEFT + 4, top - 12, fitted(label, room, 7.5), fontsize=7.5)
    for place, line in enumerate(lines):
        put(figure, left - LEFT + 4, top - 8.5 + 3.2 * place, fitted(line, room), color=SOFT)
