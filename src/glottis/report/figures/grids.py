"""A panel for every model or measurement: calibration, confusion matrices, Bland-Altman."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from glottis.report.figures.layout import (
    LEFT,
    SMALL,
    Columns,
    diagonal,
    fitted,
    panels,
    power_of_ten,
    put,
    text_mm,
    unit_square,
    with_power,
)
from glottis.report.figures.results import Stored, as_stored, values
from glottis.report.style import COLOURS, FAINT, INK, MID, SOFT, axes_mm, styled
from glottis.report.wording import number

HISTOGRAM_MM = 9.0
NO_SPREAD = 1e-12


@styled()
def calibration_figure(results: Any, *, columns: Columns = 1) -> Figure:
    """Calibration of each model: smooth curve, groups with their limits, and below them the histogram of scores.

    Bars upwards are patients with the outcome, bars downwards those without.

    Args:
        results: a `Calibration` or its stored form, or a mapping from labels to them.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).

    Raises:
        InputError: no result, or one of another kind; columns other than 1 and 2.
    """
    models = as_stored(results, "histogram_edges", "calibration")
    figure, places = panels(len(models), columns, above=11, below=HISTOGRAM_MM + 13)
    for (label, stored), (left, top, wide, tall) in zip(models.items(), places, strict=True):
        axes = axes_mm(figure, left, top, wide, tall)
        _calibration(axes, stored)
        below = axes_mm(figure, left, top + tall + 2, wide, HISTOGRAM_MM)
        _histogram(below, stored)
        texts = [("slope", stored["slope"]["value"]), ("ICI", stored["ici"]), ("Brier", stored["brier"])]
        line = ", ".join(f"{name} {number(value)}" for name, value in texts)
        _title(figure, label, line, left, top, wide)
    return figure


def _calibration(axes: Axes, stored: Stored) -> None:
    diagonal(axes)
    axes.plot(
        values(stored["curve_score"]), values(stored["curve_observed"]), color=COLOURS[0], linewidth=1.4, zorder=3
    )
    for group in stored["groups"]:
        at, observed = group["mean_score"], group["observed"]
        axes.plot([at] * 2, [observed["low"], observed["high"]], color=SOFT, linewidth=0.7, zorder=2)
        axes.plot([at], [observed["value"]], "o", color=INK, markersize=2.6, zorder=4, clip_on=False)
    unit_square(axes, "", "Observed share", few=True)
    axes.set_xticklabels([])


def _histogram(axes: Axes, stored: Stored) -> None:
    edges = values(stored["histogram_edges"])
    positive, negative = values(stored["histogram_positive"]), values(stored["histogram_negative"])
    width = np.diff(edges) * 0.86
    middle = (edges[1:] + edges[:-1]) / 2
    axes.bar(middle, positive, width, color=COLOURS[1])
    axes.bar(middle, -negative, width, color=COLOURS[0])
    axes.axhline(0, color=INK, linewidth=0.5)
    most = max(positive.max(), negative.max(), 1)
    axes.set(xlim=(-0.015, 1.015), ylim=(-1.1 * most, 1.1 * most), xlabel="Predicted probability", ylabel="n")
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([-most, most], [f"{most:.0f}"] * 2, fontsize=5.5)


@styled()
def confusion_figure(results: Any, *, columns: Columns = 1, classes: tuple[str, str] = ("0", "1")) -> Figure:
    """The 2x2 table of each model, shaded by the share of its row (the true class).

    Args:
        results: a `ConfusionMetrics` or its stored form, or a mapping from labels to them.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).
        classes: names of class 0 and 1.

    Raises:
        InputError: no result, or one of another kind; columns other than 1 and 2.
    """
    models = as_stored(results, "tp", "confusion_metrics")
    figure, places = panels(len(models), columns, above=11, below=10, ratio=0.8, most=4)
    for (label, stored), (left, top, wide, tall) in zip(models.items(), places, strict=True):
        axes = axes_mm(figure, left, top, wide, tall)
        _table(axes, stored, classes, wide, tall)
        threshold = stored["threshold"]
        line = "" if threshold is None else f"positive from {number(threshold)}"
        _title(figure, label, line, left, top, wide)
    return figure


def _table(axes: Axes, stored: Stored, classes: tuple[str, str], wide: float, tall: float) -> None:
    table = np.array([[stored["tn"], stored["fp"]], [stored["fn"], stored["tp"]]], dtype=float)
    share = table / table.sum(axis=1, keepdims=True)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.25, aspect="auto", interpolation="nearest")
    for (row, column), count in np.ndenumerate(table):
        colour = "white" if share[row, column] > 0.7 else INK
        look: dict[str, Any] = {"ha": "center", "color": colour}
        axes.text(column, row - 0.02, f"{count:,.0f}", va="bottom", fontsize=8.5, **look)
        axes.text(column, row + 0.06, f"{100 * share[row, column]:.0f}%", va="top", fontsize=6, **look)
    axes.set_xticks([0, 1], [fitted(name, wide / 2 - 1) for name in classes])
    names = [fitted(name, tall / 2 - 1) for name in classes]
    axes.set_yticks([0, 1], names, rotation=90, va="center")
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("Called", labelpad=1.5)
    axes.set_ylabel("Truth", labelpad=2)


@styled()
def bland_altman_figure(results: Any, *, columns: Columns = 1, unit: str = "") -> Figure:
    """Differences over means with bias and limits of agreement, each with its interval as a band.

    Args:
        results: a `BlandAltman` or its stored form, or a mapping from labels to them.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).
        unit: of the measurements, for the axes.

    Raises:
        InputError: no result, or one of another kind; columns other than 1 and 2.
    """
    pairs = as_stored(results, "differences", "bland_altman")
    figure, places = panels(len(pairs), columns, above=11, below=11, ratio=0.75, most=2)
    for (label, stored), (left, top, wide, tall) in zip(pairs.items(), places, strict=True):
        axes = axes_mm(figure, left, top, wide, tall)
        _agreement(axes, stored)
        across, up = (_short_numbers(axis) for axis in (axes.xaxis, axes.yaxis))
        axes.set_xlabel(fitted(with_power("Mean of both", unit, across), wide, 7))
        axes.set_ylabel(fitted(with_power("Difference", unit, up), tall, 7), labelpad=1)
        texts = [("bias", "bias"), ("limits", "lower"), ("to", "upper")]
        line = " ".join(f"{name} {stored[key]['value']:.3g}".replace("-", "−") for name, key in texts)
        _title(figure, label, f"{line.replace(' limits', ', limits')} (n = {stored['n']:,})", left, top, wide)
    return figure


def _agreement(axes: Axes, stored: Stored) -> None:
    for name, colour, line in (("bias", COLOURS[0], "-"), ("lower", COLOURS[1], "--"), ("upper", COLOURS[1], "--")):
        interval = stored[name]
        axes.axhspan(interval["low"], interval["high"], color=colour, alpha=0.12, linewidth=0)
        axes.axhline(interval["value"], color=colour, linewidth=1, linestyle=line, zorder=2)
    axes.axhline(0, color=FAINT, linewidth=0.6, linestyle=":", zorder=1)
    axes.plot(
        values(stored["means"]), values(stored["differences"]), "o",
        markersize=2.4, markerfacecolor=MID, markeredgecolor=INK, markeredgewidth=0.3, zorder=3,
    )  # fmt: skip
    axes.margins(x=0.06, y=0.06)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    largest = float(np.abs(values(stored["means"])).max())
    if np.ptp(np.r_[axes.get_ylim()]) <= NO_SPREAD * largest:  # equal measurements: rounding is no difference
        axes.set_ylim(stored["bias"]["value"] - 0.1 * largest, stored["bias"]["value"] + 0.1 * largest)


def _short_numbers(axis: Axis) -> int:
    """Numbers of few digits along an axis, and the power of ten that its label must have."""
    power = power_of_ten(float(np.abs(axis.get_view_interval()).max()))
    axis.set_major_formatter(lambda value, _: f"{value / 10.0**power:.4g}".replace("-", "−"))
    return power


def _title(figure: Figure, label: str, line: str, left: float, top: float, wide: float) -> None:
    """Name and numbers over a panel, from its label margin to its right end."""
    start, room = left - LEFT + 3, wide + LEFT - 1
    if label:
        put(figure, start, top - 8.6, fitted(label, room, 7.5), fontsize=7.5)
    if line:
        size = SMALL * min(1.0, room / text_mm(line))  # a number is never shortened
        put(figure, start, top - 4.9, line, color=SOFT, fontsize=size)
