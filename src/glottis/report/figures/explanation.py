"""What a model relies on: SHAP values of many patients, their mean size, and permutation importance."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from scipy.stats import rankdata

from glottis.evaluation.interval import Floats
from glottis.modelling.explain import Explanation
from glottis.report.figures.layout import Columns, fitted, put, text_mm
from glottis.report.figures.results import as_stored, values
from glottis.report.figures.rows import (
    RowPlot,
    as_explanation,
    axis_label,
    effect_name,
    ranked,
    row_plot,
    signed,
    zero_line,
)
from glottis.report.style import COLOURS, FAINT, INK, PALE, SOFT, axes_mm, styled
from glottis.report.wording import counted, number

MOST = 15
DOT_MM = 1.1
LOW_TO_HIGH = LinearSegmentedColormap.from_list("low to high", [COLOURS[0], "#B3ABBD", COLOURS[1]])


@styled()
def beeswarm_figure(explanation: Any, *, columns: Columns = 1, most: int = MOST, event: str = "") -> Figure:
    """A dot a patient and feature: its SHAP value, coloured by the rank of the feature's value.

    Features stand by mean absolute SHAP value.

    Args:
        explanation: of `glottis.modelling.explain`, or its stored form.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).
        most: features shown.
        event: what patients of class 1 have.

    Raises:
        InputError: another result, or an empty one; columns other than 1 and 2; most below 1.
    """
    found = as_explanation(explanation)
    shown = ranked(np.abs(found.values).mean(axis=0), most)
    names = [found.columns[place] for place in shown]
    tall = 6.8 if len(shown) > 6 else 9.0
    plot = row_plot(names, columns, head=_head(found, len(shown)), foot=4, row_mm=tall)
    axes = plot.axes
    zero_line(axes)
    low, high = float(min(found.values.min(), 0)), float(max(found.values.max(), 0))
    reach = (high - low) or 1.0
    axes.set_xlim(low - 0.04 * reach, high + 0.04 * reach)
    dot, row_mm = 1.08 * reach * DOT_MM / plot.across, plot.height / len(shown)
    for row, place in enumerate(shown):
        axes.axhline(row, color=PALE, linewidth=0.5, zorder=0)
        _swarm(axes, row, found.values[:, place], _shade(found.data[:, place]), dot, row_mm)
    axis_label(plot, f"SHAP value ({effect_name(found, event)})")
    _colour_key(plot)
    return plot.figure


@styled()
def shap_bars_figure(explanation: Any, *, columns: Columns = 1, most: int = MOST, event: str = "") -> Figure:
    """Mean absolute SHAP value a feature; the last bar is the sum of those not shown.

    Args:
        explanation: of `glottis.modelling.explain`, or its stored form.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).
        most: features shown.
        event: what patients of class 1 have.

    Raises:
        InputError: another result, or an empty one; columns other than 1 and 2; most below 1.
    """
    found = as_explanation(explanation)
    sizes = np.abs(found.values).mean(axis=0)
    shown = ranked(sizes, most)
    names, lengths = [found.columns[place] for place in shown], [float(sizes[place]) for place in shown]
    rest = len(sizes) - len(shown)
    if rest:
        names.append(f"{rest} others, sum" if rest > 1 else "1 other")
        lengths.append(float(sizes.sum() - sum(lengths)))
    texts = [signed(length, found.scale).removeprefix("+") for length in lengths]
    plot = row_plot(names, columns, head=counted(len(found.rows), "patient"), right=5 + max(map(text_mm, texts)))
    colours = [COLOURS[0]] * len(shown) + [FAINT]
    for row, (length, text) in enumerate(zip(lengths, texts, strict=True)):
        plot.axes.barh(row, length, height=0.62, color=colours[row])
        _beside(plot.axes, length, row, text)
    plot.axes.set_xlim(0, max(lengths) * 1.02 or 1)
    axis_label(plot, f"Mean |SHAP value| ({effect_name(found, event)})")
    return plot.figure


@styled()
def importance_figure(importance: Any, *, columns: Columns = 1, most: int = MOST) -> Figure:
    """Drop of AUC when each column or group is shuffled, with the standard deviation over shuffles.

    Args:
        importance: of `glottis.evaluation.permutation_importance`, or its stored form.
        columns: of the journal, 1 (90 mm) or 2 (180 mm).
        most: columns or groups shown, of the largest drop.

    Raises:
        InputError: another result; columns other than 1 and 2; most below 1.
    """
    (stored,) = as_stored(importance, "parts", "permutation_importance").values()
    parts = stored["parts"]
    shown = [parts[place] for place in ranked(values([part["value"] for part in parts]), most)]
    n = stored["n_positive"] + stored["n_negative"]
    head = f"AUC {number(stored['auc'])}, {counted(n, 'patient')} ({stored['n_positive']} positive)"
    if len(shown) < len(parts):
        head += f"; the {len(shown)} largest of {len(parts)}"
    texts = [signed(part["value"], "probability") for part in shown]
    gap = max(map(text_mm, texts))
    plot = row_plot([part["name"] for part in shown], columns, head=head, right=5 + gap)
    zero_line(plot.axes)
    for row, (part, text) in enumerate(zip(shown, texts, strict=True)):
        value, sd = part["value"], part["sd"]
        plot.axes.errorbar(value, row, xerr=sd, fmt="none", ecolor=INK, elinewidth=0.9, capsize=1.4, capthick=0.7)
        plot.axes.plot([value], [row], "o", color=COLOURS[0], markersize=3.4, zorder=4)
        put(
            plot.figure,
            plot.left + plot.across + 2 + gap,
            _middle(plot, row, len(shown)),
            text,
            va="center",
            ha="right",
        )
    low = min(0.0, *(part["value"] - part["sd"] for part in shown))
    high = max(0.0, *(part["value"] + part["sd"] for part in shown))
    reach = (high - low) or 0.1
    plot.axes.set_xlim(low - 0.05 * reach, high + 0.05 * reach)
    axis_label(plot, f"Drop of AUC when shuffled (mean, SD of {stored['repeats']})")
    return plot.figure


def _head(found: Explanation, shown: int) -> str:
    head = counted(len(found.rows), "patient")
    return head if shown == len(found.columns) else f"{head}; the {shown} largest of {len(found.columns)} features"


def _middle(plot: RowPlot, row: int, n: int) -> float:
    return plot.top + (row + 0.5) * plot.height / n


def _beside(axes: Axes, at: float, row: float, text: str) -> None:
    axes.annotate(text, (at, row), (3, 0), textcoords="offset points", va="center", fontsize=6.5, annotation_clip=False)


def _swarm(axes: Axes, row: int, effects: Floats, shades: Floats, dot: float, row_mm: float) -> None:
    """Dots side by side where they would hide each other, drawn closer where a row has not the height."""
    bins = np.round(effects / dot).astype(int)
    offsets = np.zeros(len(effects))
    for found in np.unique(bins):
        members = np.flatnonzero(bins == found)
        members = members[np.argsort(shades[members], kind="stable")]
        step = min(DOT_MM * 0.9 / row_mm, 0.8 / max(len(members) - 1, 1))
        offsets[members] = (np.arange(len(members)) - (len(members) - 1) / 2) * step
    known = np.isfinite(shades)
    area = (DOT_MM / 25.4 * 72) ** 2
    axes.scatter(effects[~known], row + offsets[~known], s=area * 0.7, facecolor="none", edgecolor=SOFT, linewidth=0.5)
    axes.scatter(
        effects[known], row + offsets[known], s=area, c=shades[known], cmap=LOW_TO_HIGH, vmin=0, vmax=1, linewidth=0,
        zorder=3,
    )  # fmt: skip


def _shade(data: Floats) -> Floats:
    """Rank of each value from 0 to 1; equal ones alike, nan where there is none."""
    shade = np.full(len(data), np.nan)
    known = np.isfinite(data)
    if known.any():
        ranks = rankdata(data[known]) - 1
        shade[known] = ranks / (known.sum() - 1) if known.sum() > 1 else 0.5
    return shade


def _colour_key(plot: RowPlot) -> None:
    top = plot.top + plot.height + 9.8
    words = ["Feature's value, by rank: low", "high"]
    first = text_mm(words[0])
    start = plot.left + plot.across - first - 20 - text_mm(words[1]) - 4
    put(plot.figure, start, top, fitted(words[0], first + 1), color=SOFT)
    strip = axes_mm(plot.figure, start + first + 2, top + 0.4, 20, 1.9)
    strip.imshow(np.linspace(0, 1, 64)[None], aspect="auto", cmap=LOW_TO_HIGH, extent=(0, 1, 0, 1))
    strip.set(xticks=[], yticks=[])
    strip.spines[:].set_visible(False)
    put(plot.figure, start + first + 24, top, words[1], color=SOFT)
