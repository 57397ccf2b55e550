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
<<<<<<< HEAD
=======


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
>>>>>>> stats
