"""Kaplan-Meier curves over their table of numbers at risk."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from glottis.evaluation.survival import numbers_at_risk
from glottis.report.figures.layout import (
    SMALL,
    TOP,
    Columns,
    Key,
    draw_keys,
    fitted,
    keys_height,
    look,
    p_text,
    power_of_ten,
    put,
    swatch,
    text_mm,
    width_mm,
    with_power,
)
from glottis.report.figures.results import Stored, as_stored, values
from glottis.report.style import INK, axes_mm, new_figure, styled

MOST_BANDS = 4
HEIGHT_MM = 56.0
ROW_MM = 3.8


@styled()
def kaplan_meier_figure(
    results: Any,
    *,
    logrank: Any = None,
    columns: Columns = 1,
    time_label: str = "Time",
    survival_label: str = "Survival probability",
    bands: bool | None = None,
) -> Figure:
    """Kaplan-Meier curves with limits, censorings, numbers at risk and the log-rank test.

    Args:
        results: a `KaplanMeier` or its stored form, or a mapping from labels to them (their groups then carry both).
        logrank: the `LogRank` of the same groups or its stored form; its p is printed in the plot.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).
        time_label: of the x axis, with the unit.
        survival_label: of the y axis.
        bands: whether to draw the limits; None draws those of up to 4 curves.

    Raises:
        InputError: no result, or one of another kind; columns other than 1 and 2.
    """
    curves = _curves(as_stored(results, "curves", "kaplan_meier"))
    keys = [
        Key(label=label, text=_median(curve), colour=look(place)[0], line=look(place)[1])
        for place, (label, curve) in enumerate(curves.items())
    ]
    figure, axes, left = _canvas(keys, columns)
    for key, curve in zip(keys, curves.values(), strict=True):
        _draw(axes, key, curve, band=len(curves) <= MOST_BANDS if bands is None else bands)
    longest = max((curve["longest"] for curve in curves.values()), default=0) or 1
    ticks = [tick for tick in MaxNLocator(6 if columns == 2 else 5).tick_values(0, longest) if 0 <= tick <= longest]
    axes.set(xlim=(0, longest * 1.02), ylim=(-0.015, 1.03), xticks=ticks, yticks=np.linspace(0, 1, 6))
    power = power_of_ten(longest)
    axes.set_xticks(ticks, [f"{tick / 10.0**power:.4g}" for tick in ticks])
    axes.set_xlabel(fitted(with_power(time_label, "", power), 70, 7))
    axes.set_ylabel(fitted(survival_label, HEIGHT_MM, 7))
    if logrank is not None:
        tested = as_stored(logrank, "stratified", "logrank_test")[""]
        name = "Stratified log-rank" if tested["stratified"] else "Log-rank"
        axes.text(0.03, 0.04, f"{name} {p_text(tested['p_value'])}", transform=axes.transAxes, fontsize=SMALL, zorder=9)
    _risk_table(figure, axes, keys, list(curves.values()), ticks, left)
    return figure


def _curves(given: dict[str, Stored]) -> dict[str, Stored]:
    """Every curve by its label, with that of its result in front where there is one."""
    return {
        (curve["label"] if not label else label if len(stored["curves"]) == 1 else f"{label}, {curve['label']}"): curve
        for label, stored in given.items()
        for curve in stored["curves"]
    }


def _median(curve: Stored) -> str:
    """Events and median, as the legend has them."""
    median = curve["median"]
    events = f"{curve['n_events']:,} of {curve['n']:,} with the event"
    if median["value"] is None:
        return f"{events}, median not reached"
    if median["low"] is None and median["high"] is None:
        return f"{events}, median {_time(median['value'])} (no CI)"
    ends = ["not reached" if end is None else _time(end) for end in (median["low"], median["high"])]
    return f"{events}, median {_time(median['value'])} ({100 * median['level']:g}% CI {ends[0]} to {ends[1]})"


def _time(value: float) -> str:
    """Four digits, more where the time has them before its point."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _canvas(keys: list[Key], columns: int) -> tuple[Figure, Axes, float]:
    total = width_mm(columns)
    left = min(30.0 if columns == 1 else 40.0, max(14.0, *(text_mm(key.label) + 11 for key in keys)))
    table = TOP + HEIGHT_MM + 10 + ROW_MM * (len(keys) + 1)
    if columns == 1:
        figure = new_figure(total, table + 2 + keys_height(keys, total - 8))
        draw_keys(figure, keys, 3, table + 1, total - 8)
        return figure, axes_mm(figure, left, TOP, total - left - 4, HEIGHT_MM), left
    at = left + 91
    figure = new_figure(total, max(table + 1, TOP + keys_height(keys, total - at - 2) + 2))
    draw_keys(figure, keys, at, TOP, total - at - 2)
    return figure, axes_mm(figure, left, TOP, 86, HEIGHT_MM), left


def _draw(axes: Axes, key: Key, curve: Stored, *, band: bool) -> None:
    times, survival, low, high, censored = (
        values(curve[name]) for name in ("times", "survival", "low", "high", "censored")
    )
    at = np.r_[0, times]
    if band:
        axes.fill_between(
            at, np.r_[1, low], np.r_[1, high], step="post", color=key.colour, alpha=0.13, linewidth=0, zorder=1
        )
    axes.step(at, np.r_[1, survival], where="post", color=key.colour, linestyle=key.line, zorder=3)
    gone = censored > 0
    axes.plot(times[gone], survival[gone], "|", color=key.colour, markersize=3.6, markeredgewidth=0.7, zorder=4)


def _risk_table(
    figure: Figure, axes: Axes, keys: list[Key], curves: list[Stored], ticks: list[float], left: float
) -> None:
    across = float(figure.get_size_inches()[0]) * 25.4
    wide, top = axes.get_position().width * across, TOP + HEIGHT_MM + 10
    put(figure, 3, top, "Number at risk", weight="bold", color=INK)
    for key, curve in zip(keys, curves, strict=True):
        top += ROW_MM
        swatch(figure, 3, top + 0.3, key.colour)
        put(figure, 6, top, fitted(key.label, left - 10.5))
        counts = numbers_at_risk(curve["times"], curve["at_risk"], ticks)
        for tick, count in zip(ticks, counts, strict=True):
            place = left + wide * tick / axes.get_xlim()[1]
            put(figure, place, top, f"{count:,}", ha="center")
