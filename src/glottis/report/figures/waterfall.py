"""One patient's way from the baseline to the model's output, feature by feature."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import expit

from glottis._errors import InputError
from glottis.modelling.explain import Explanation
from glottis.report.figures.layout import Columns, text_mm
from glottis.report.figures.rows import as_explanation, axis_label, effect_name, plain_number, ranked, row_plot, signed
from glottis.report.style import COLOURS, FAINT, INK, styled

MOST = 10


@styled()
def waterfall_figure(
    explanation: Any,
    row: Any = None,
    *,
    columns: Columns = 1,
    most: int = MOST,
    recalibrated: float | None = None,
    event: str = "",
) -> Figure:
    """SHAP values of one patient, from the mean output of the background down to the patient's.

    Orange moves the output up, blue down; grey are the features not named. Beside each name stands the feature's value.

    Args:
        explanation: of `glottis.modelling.explain`, or its stored form.
        row: label of the patient; None where there is one only.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).
        most: features named, those with the largest part.
        recalibrated: the patient's probability after the chain's recalibration, where there was one.
        event: what patients of class 1 have.

    Raises:
        InputError: another result, no such row, or several and none named; columns other than 1 and 2; most below 1; a
            probability outside 0 to 1.
    """
    found = as_explanation(explanation)
    if recalibrated is not None and not 0 <= recalibrated <= 1:
        message = f"A probability lies between 0 and 1; got {recalibrated:g}: give the model's own, or leave it out."
        raise InputError(message)
    place = _place(found, row)
    effects, data = found.values[place], found.data[place]
    shown = ranked(np.abs(effects), most)
    names, parts = [found.columns[i] for i in shown], [float(effects[i]) for i in shown]
    texts = ["missing" if np.isnan(data[i]) else f"= {data[i]:.4g}".replace("-", "−") for i in shown]
    rest = len(effects) - len(shown)
    if rest:
        names.append(f"{rest} others" if rest > 1 else "1 other")
        parts.append(float(effects.sum() - sum(parts)))
        texts.append("")
    ends = [signed(part, found.scale) for part in parts]
    plot = row_plot(
        ["Baseline", *names, "Output"],
        columns,
        values=[plain_number(found.base, found.scale), *texts, plain_number(found.output[place], found.scale)],
        head=_head(found, place, recalibrated),
    )
    path = np.array([found.base, *(found.base + np.cumsum(parts))])
    _span(plot.axes, path, max(map(text_mm, ends)) + 2, plot.across)
    colours = [COLOURS[1] if part > 0 else COLOURS[0] for part in parts[: len(shown)]] + [FAINT]
    for at, (part, text) in enumerate(zip(parts, ends, strict=True), start=1):
        _step(plot.axes, at, float(path[at - 1]), part, colours[at - 1])
        _number(plot.axes, at, sorted((float(path[at - 1]), float(path[at]))), part, text)
    _landmarks(plot.axes, path)
    axis_label(plot, f"Output ({effect_name(found, event).removeprefix('change in ')})")
    return plot.figure


def _place(found: Explanation, row: Any) -> int:
    labels = [str(label) for label in found.rows]
    if row is None and len(labels) == 1:
        return 0
    if row is None:
        message = f"A waterfall shows one patient; the explanation has {len(labels)}: name one, such as {labels[0]!r}."
        raise InputError(message)
    if str(row) not in labels:
        message = f"The explanation has no row {str(row)!r} (it has {len(labels)}): explain that patient first."
        raise InputError(message)
    return labels.index(str(row))


def _head(found: Explanation, place: int, recalibrated: float | None) -> str:
    output, base, log_odds = float(found.output[place]), found.base, found.scale == "log-odds"
    one, of_base = (float(expit(output)), float(expit(base))) if log_odds else (output, base)
    words = "probability" if log_odds and recalibrated is None else "score"
    line = f"{found.rows[place]}: {words} {one:.3f} (baseline {of_base:.3f})"
    return line if recalibrated is None else f"{line}, probability after recalibration {recalibrated:.3f}"


def _span(axes: Axes, path: np.ndarray[Any, Any], number_mm: float, across: float) -> None:
    """The path with room for a number on either side."""
    low, high = float(path.min()), float(path.max())
    reach = (high - low) or 1.0
    mm = reach / max(across - 2 * number_mm, 10.0)
    axes.set_xlim(low - number_mm * mm, high + number_mm * mm)


def _step(axes: Axes, at: int, start: float, part: float, colour: str) -> None:
    axes.barh(at, part, left=start, height=0.62, color=colour, zorder=3)
    axes.plot([start] * 2, [at - 1 + (0.31 if at > 1 else 0), at - 0.31], color=FAINT, linewidth=0.6, zorder=2)


def _number(axes: Axes, at: int, ends: list[float], part: float, text: str) -> None:
    """On the side that the bar points to."""
    end, shift, side = (ends[1], 2, "left") if part >= 0 else (ends[0], -2, "right")
    axes.annotate(text, (end, at), (shift, 0), textcoords="offset points", va="center", ha=side, fontsize=6.5)


def _landmarks(axes: Axes, path: np.ndarray[Any, Any]) -> None:
    """Baseline and output as marks in their own rows."""
    last = len(path)
    axes.plot([path[-1]] * 2, [last - 1 + 0.31, last], color=FAINT, linewidth=0.6, zorder=2)
    axes.plot([path[0]], [0], "o", color="white", markeredgecolor=INK, markersize=4, zorder=4)
    axes.plot([path[-1]], [last], "o", color=INK, markersize=4, zorder=4)
