"""Forest plots of odds and hazard ratios."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from glottis._errors import InputError
from glottis.report.figures.layout import Columns, fitted, put, text_mm, width_mm, wrapped
from glottis.report.figures.results import Stored, as_stored
from glottis.report.style import COLOURS, FAINT, INK, SOFT, axes_mm, new_figure, styled
from glottis.report.wording import MISSING, level

Regression = Literal["multivariable", "univariable"]
ROW_MM = 5.0
TWO_LINES_MM = 7.0
TICK_GAP_MM = 1.5
WIDEST = 1000.0
_TICKS = (0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100, 1000)


@dataclass(frozen=True, kw_only=True)
class _Row:
    label: str
    interval: Stored | None = None
    p: float | None = None
    heading: bool = False


@styled()
def forest_figure(results: Any, *, columns: Columns = 1, regression: Regression = "multivariable") -> Figure:
    """Ratios with their limits on a logarithmic axis, one row a covariate or a level against its reference.

    Limits beyond 1/1000 or 1000 end in an arrow; a ratio that is not estimable has a row without a mark.

    Args:
        results: a `LogisticTable` or a `CoxRegression`, their stored form, or a mapping from labels to them (of one
            kind), one block under another.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).
        regression: which of a logistic table's two; without effect on a Cox regression.

    Raises:
        InputError: no result, or one of another kind, or both kinds; columns other than 1 and 2; an unknown regression.
    """
    if regression not in ("multivariable", "univariable"):
        message = f"A table has a multivariable and a univariable regression; got {regression!r}: name one of the two."
        raise InputError(message)
    cox = _of_cox(results)
    blocks = as_stored(results, "terms", "cox_regression") if cox else as_stored(results, "rows", "logistic_table")
    rows = [row for label, stored in blocks.items() for row in _block(label, stored, regression)]
    name = "Hazard ratio" if cox else "Odds ratio" if regression == "univariable" else "Adjusted odds ratio"
    return _drawn(rows, name, columns)


def _of_cox(results: Any) -> bool:
    first = next(iter(results.values()), None) if isinstance(results, dict) and "terms" not in results else results
    return "terms" in first if isinstance(first, dict) else hasattr(first, "terms")


def _block(label: str, stored: Stored, regression: Regression) -> Iterator[_Row]:
    if label:
        yield _Row(label=label, heading=True)
    for term in stored.get("terms", stored.get("rows", ())):
        if "hazard_ratio" in term:
            ratio, p = term["hazard_ratio"], term["p_value"]
        elif term[regression] is None:
            continue  # it did not enter
        else:
            ratio, p = term[regression]["ratio"], term[regression]["p_value"]
        name = term["variable"]
        yield _Row(
            label=name if term["level"] is None else f"{name}: {term['level']} vs {term['reference']}",
            interval=ratio,
            p=p,
        )


def _drawn(rows: list[_Row], name: str, columns: int) -> Figure:
    total = width_mm(columns)
    texts = [_text(row) for row in rows]
    right = max(18.0, *map(text_mm, texts)) if texts else 18.0
    longest = max((text_mm(row.label) for row in rows), default=10.0)
    p_mm, axis = 10.0, 17.0 if columns == 1 else 62.0
    left = min(longest + 2, total - 6 - axis - right - p_mm - 4)
    axis = min(total - 6 - left - right - p_mm - 4, axis * 1.3)
    names = [_lines(row.label, total - 10 if row.heading else left - 1) for row in rows]
    step = TWO_LINES_MM if any("\n" in label for label in names) else ROW_MM
    height = step * max(len(rows), 1)
    figure = new_figure(total, 8 + height + 11)
    axes = axes_mm(figure, 3 + left, 8, axis, height)
    at = 3 + left + axis + 3
    shown = [row.interval for row in rows if row.interval and row.interval["low"] is not None]
    interval_level = level(shown[0]) if shown else "95%"
    put(figure, at, 3, f"Ratio ({interval_level} CI)", weight="bold")
    put(figure, at + right + p_mm, 3, "p", weight="bold", ha="right")
    for place, (row, label, text) in enumerate(zip(rows, names, texts, strict=True)):
        middle = 8 + (place + 0.5) * step
        if row.heading:  # over the line of no effect
            white = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
            put(figure, 3, middle, label, va="center", weight="bold", bbox=white)
        else:
            put(figure, 3, middle, label, va="center", linespacing=0.95)
            put(figure, at, middle, text, va="center")
            put(figure, at + right + p_mm, middle, _p(row.p), va="center", ha="right")
            _mark(axes, place, row.interval)
    _axis(axes, shown, len(rows), name, axis)
    return figure


def _lines(label: str, room: float) -> str:
    """The label in one line, or in two."""
    lines = wrapped(label, room)
    return "\n".join([lines[0], fitted(" ".join(lines[1:]), room)]) if len(lines) > 1 else lines[0]


def _mark(axes: Axes, place: int, interval: Stored | None) -> None:
    if not interval or interval["value"] is None or interval["low"] is None:
        return
    low, high = max(interval["low"], 1 / WIDEST), min(interval["high"], WIDEST)
    if low < high:
        axes.plot([low, high], [place] * 2, color=INK, linewidth=0.9, zorder=2)
    for end, cut, arrow in ((low, interval["low"] < low, "<"), (high, interval["high"] > high, ">")):
        if cut:
            axes.plot([end], [place], arrow, color=INK, markersize=3, zorder=3, clip_on=False)
    if 1 / WIDEST <= interval["value"] <= WIDEST:
        axes.plot([interval["value"]], [place], "s", color=COLOURS[0], markersize=3.6, zorder=4)


def _axis(axes: Axes, shown: list[Stored], n: int, name: str, across: float) -> None:
    low = max(min([interval["low"] for interval in shown] + [0.8]), 1 / WIDEST)
    high = min(max([interval["high"] for interval in shown] + [1.25]), WIDEST)
    axes.set_xscale("log")
    axes.set_xlim(low / 1.15, high * 1.15)
    axes.axvline(1, color=FAINT, linewidth=0.7, linestyle=(0, (3, 2)), zorder=1)
    inside = [tick for tick in _TICKS if low / 1.15 <= tick <= high * 1.15]
    if len(inside) > 5:
        inside = [tick for tick in inside if math.log10(tick).is_integer()]
    if len(inside) < 3:
        inside = sorted({*inside, float(f"{low:.2g}"), float(f"{high:.2g}")} - {0.0})
    mm = across / math.log(high * 1.3225 / low)  # one step of the logarithm
    kept: list[float] = []
    for tick in sorted(inside, key=lambda tick: abs(math.log(tick))):  # 1 first, then those with room beside it
        if all(mm * abs(math.log(tick / other)) > _tick_mm(tick, other) for other in kept):
            kept.append(tick)
    axes.xaxis.set_major_locator(FixedLocator(kept))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(kept, [f"{tick:g}" for tick in kept])
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(name, color=SOFT)


def _tick_mm(tick: float, other: float) -> float:
    """How far apart two ticks must be for their numbers."""
    return (text_mm(f"{tick:g}") + text_mm(f"{other:g}")) / 2 + TICK_GAP_MM


def _text(row: _Row) -> str:
    if row.heading or row.interval is None:
        return ""
    if row.interval["value"] is None:
        return "not estimable"
    ends = [row.interval[key] for key in ("value", "low", "high")]
    value, low, high = (MISSING if end is None else _short(end) for end in ends)
    return f"{value} ({low} to {high})"


def _short(value: float) -> str:
    """Two decimals, or three digits where they would say nothing."""
    if 0.01 <= value < 1000:
        return f"{value:.2f}"
    return "<0.01" if value < 0.01 else ">1000" if value > 1000 else "1000"


def _p(p: float | None) -> str:
    return MISSING if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"
