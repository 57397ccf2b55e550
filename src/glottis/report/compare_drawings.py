"""Drawings that only a comparison has: differences, decision curves and risk groups, from stored results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glottis.report.compare_words import p_text, p_words
from glottis.report.style import COLOURS, DOUBLE_MM, FAINT, INK, LINES, SINGLE_MM, SOFT, axes_mm, new_figure
from glottis.report.wording import limits, number, shortened

Stored = Mapping[str, Any]
ROW_MM = 4.6
LEGEND_LINE_MM = 3.6
PLOT_MM = 62.0
N_TICKS = 6


def differences(rows: Sequence[tuple[str, Stored, float | None]], axis: str, p_name: str) -> Figure:
    """A forest of differences: label, stored interval, p.

    Args:
        rows: one a line, from the top.
        axis: what is measured.
        p_name: heading of the p values.
    """
    high = ROW_MM * len(rows)
    figure = new_figure(DOUBLE_MM, high + 18)
    axes = axes_mm(figure, 62, 7, 58, high)
    axes.axvline(0, color=FAINT, linewidth=0.7, linestyle=(0, (2, 2)))
    for place, (label, interval, p) in enumerate(rows):
        texts = ((-0.03, shortened(label, 46), "right"), (1.03, _with_limits(interval), "left"))
        for x, text, side in (*texts, (1.74, p_text(p), "left")):
            axes.text(x, place, text, transform=axes.get_yaxis_transform(), ha=side, va="center", fontsize=6.5)
        if interval["low"] is not None:
            axes.plot([interval["low"], interval["high"]], [place, place], color=COLOURS[0], linewidth=1.1)
        axes.plot([interval["value"]], [place], "s", color=COLOURS[0], markersize=3.2)
    for x, text in ((1.03, "Difference (interval)"), (1.74, p_name)):
        axes.text(x, -0.9, text, transform=axes.get_yaxis_transform(), va="center", fontsize=6.5, color=SOFT)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(axis)
    return figure


def _with_limits(interval: Stored) -> str:
    return f"{number(interval['value'])} ({limits(interval)})"


def decision_curves(raters: Mapping[str, Stored]) -> Figure:
    """Net benefit over the threshold probability, with treating everybody and nobody."""
    figure = new_figure(SINGLE_MM, PLOT_MM + 16 + LEGEND_LINE_MM * (len(raters) + 2))
    axes = axes_mm(figure, 16, 3, PLOT_MM, PLOT_MM)
    first = next(iter(raters.values()))
    axes.plot(first["thresholds"], _floats(first["treat_all"]), color=INK, linewidth=0.8, label="Treat everybody")
    axes.axhline(0, color=FAINT, linewidth=0.8, label="Treat nobody")
    top = first["prevalence"]
    for place, (name, curve) in enumerate(raters.items()):
        colour, line = COLOURS[place % len(COLOURS)], LINES[place % len(LINES)]
        benefit = _floats(curve["net_benefit"])
        if len(raters) == 1:
            low, high = _floats(curve["low"]), _floats(curve["high"])
            axes.fill_between(curve["thresholds"], low, high, color=colour, alpha=0.15, linewidth=0)
            top = max(top, float(np.nanmax(high)))
        axes.plot(curve["thresholds"], benefit, color=colour, linestyle=line, label=shortened(name, 30))
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.15 * top, 1.08 * top)
    axes.set_xlabel("Threshold probability")
    axes.set_ylabel("Net benefit")
    figure.legend(loc="lower left", bbox_to_anchor=(0.02, 0.0), handlelength=3.2, labelspacing=0.4)
    return figure


def _floats(values: Sequence[float | None]) -> Any:
    return np.array(values, dtype=np.float64)


def risk_groups(name: str, rater: Stored) -> Figure:
    """Kaplan-Meier curves of a rater's risk groups, with intervals, censorings and numbers at risk."""
    curves = rater["kaplan_meier"]["curves"]
    figure = new_figure(SINGLE_MM, PLOT_MM + 12 + LEGEND_LINE_MM * len(curves))
    axes = axes_mm(figure, 19, 7, PLOT_MM, PLOT_MM - 10)
    ticks = _ticks(max(curve["longest"] for curve in curves))
    for place, curve in enumerate(reversed(curves)):  # low risk above high risk, as the curves mostly lie
        _curve(axes, curve, COLOURS[place], LINES[place])
        for at in ticks:
            text = f"{_at_risk(curve, at)}"
            axes.annotate(
                text, (at, 0), (0, -30 - 9 * place), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha="center", va="top", fontsize=6.5, color=COLOURS[place],
            )  # fmt: skip
        axes.annotate(
            curve["label"], (0, 0), (-12, -30 - 9 * place), xycoords="axes fraction", textcoords="offset points",
            ha="right", va="top", fontsize=6.5, color=COLOURS[place],
        )  # fmt: skip
    axes.set_xticks(ticks)
    axes.set_ylim(0, 1.02)
    axes.set_xlim(0, ticks[-1] * 1.02)
    axes.set_xlabel("Time (below: patients at risk)", labelpad=2)
    axes.set_ylabel("Survival")
    axes.set_title(f"{shortened(name, 30)}: log-rank {p_words(rater['logrank']['p_value'])}", loc="left")
    return figure


def _curve(axes: Axes, curve: Stored, colour: str, line: Any) -> None:
    times, survival = np.array([0.0, *curve["times"]]), np.array([1.0, *curve["survival"]])
    low, high = (_floats([1.0, *curve[side]]) for side in ("low", "high"))
    axes.fill_between(times, low, high, step="post", color=colour, alpha=0.13, linewidth=0)
    axes.step(times, survival, where="post", color=colour, linestyle=line, label=curve["label"])
    gone = np.array([0.0, *curve["censored"]]) > 0
    axes.plot(times[gone], survival[gone], "|", color=colour, markersize=4, markeredgewidth=0.7)


def _ticks(longest: float) -> list[float]:
    """Round times from 0 to the longest, at most six."""
    step = 10.0 ** np.floor(np.log10(longest / 2))
    width = next(step * times for times in (1, 2, 2.5, 5, 10, 20) if longest / (step * times) < N_TICKS)
    return [float(value) for value in np.arange(0, longest + width / 2, width) if value <= longest or value < width]


def _at_risk(curve: Stored, at: float) -> int:
    later = [int(n) for time, n in zip(curve["times"], curve["at_risk"], strict=True) if time >= at]
    return later[0] if later else 0
