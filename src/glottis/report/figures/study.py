"""Figures of results: ROC, calibration, confusion matrices and what each selection step left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glottis.report.style import COLOURS, DOUBLE_MM, FAINT, INK, LINES, MID, SINGLE_MM, axes_mm, new_figure
from glottis.report.wording import MISSING, limits, number, set_name, shortened, step_name

PLOT_MM = 62.0
LEGEND_LINE_MM = 3.9
Stored = Mapping[str, Any]


def roc_of_sets(entry: Stored, sets: Sequence[str]) -> Figure:
    """ROC curves of one model, a line for every test set."""
    curves = [(set_name(name), entry["sets"][name]) for name in sets]
    return _roc(curves, [(COLOURS[i % len(COLOURS)], LINES[i % len(LINES)], 1.6) for i in range(len(curves))])


def roc_of_models(models: Stored, name: str, primary: str) -> Figure:
    """ROC curves in one set, a line for every model, the primary one strongest."""
    ordered = [primary, *(model for model in models if model != primary)]
    curves = [(model, models[model]["sets"][name]) for model in ordered if name in models[model]["sets"]]
    looks = [(COLOURS[i % len(COLOURS)], LINES[i % len(LINES)], 1.8 if i == 0 else 0.9) for i in range(len(curves))]
    return _roc(curves, looks)


def _roc(curves: Sequence[tuple[str, Stored]], looks: Sequence[tuple[str, Any, float]]) -> Figure:
    figure = new_figure(SINGLE_MM, PLOT_MM + 14.5 + LEGEND_LINE_MM * len(curves))
    axes = axes_mm(figure, 14, 3, PLOT_MM, PLOT_MM)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=1)
    for place, ((label, entry), (colour, line, width)) in enumerate(zip(curves, looks, strict=True)):
        roc = entry["roc"]
        if "tpr_low" in roc and len(curves) == 1:
            axes.fill_between(roc["fpr"], roc["tpr_low"], roc["tpr_high"], color=colour, alpha=0.15, linewidth=0)
        axes.plot(
            roc["fpr"],
            roc["tpr"],
            color=colour,
            linestyle=line,
            linewidth=width,
            zorder=2 + place,  # the thin broken lines lie on the strong one, so that both are seen
            label=f"{shortened(label, 26)}: {auc_text(entry['auc'])}",
        )
    _unit_square(axes, "1 − specificity", "Sensitivity")
    figure.legend(loc="lower left", bbox_to_anchor=(0.02, 0.0), handlelength=3.2, labelspacing=0.4)
    return figure


def auc_text(auc: Stored) -> str:
    """``0.712 (0.602 to 0.801)``."""
    interval = auc["interval"]
    return f"{number(interval['value'])} ({limits(interval)})"


def _unit_square(axes: Axes, x: str, y: str) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    ticks = np.linspace(0, 1, 6)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def calibration_of_models(models: Stored, name: str) -> Figure | None:
    """Calibration of every model in one set; ``None`` where none has it."""
    shown = [(model, entry["sets"][name]["calibration"]) for model, entry in models.items() if name in entry["sets"]]
    shown = [(model, stored) for model, stored in shown if stored is not None]
    if not shown:
        return None
    columns = min(4, max(2, len(shown)))
    rows = -(-len(shown) // columns)
    cell = (DOUBLE_MM - 10) / 4
    width = 10 + columns * cell
    figure = new_figure(width, 3 + rows * (cell + 12))
    for place, (model, stored) in enumerate(shown):
        row, column = divmod(place, columns)
        axes = axes_mm(figure, 10 + column * cell, 9 + row * (cell + 12), cell - 8, cell - 8)
        _calibration(axes, stored)
        numbers = f"slope {number(stored['slope']['value'], 2)}, Brier {number(stored['brier'])}"
        axes.set_title(f"{shortened(model, 24)}\n{numbers}", pad=3, fontsize=6.5)
        axes.set_ylabel("Observed share" if column == 0 else "")
        axes.set_xlabel("Predicted probability" if place + columns >= len(shown) else "")
    return figure


def _calibration(axes: Axes, stored: Stored) -> None:
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=1)
    for group in stored["groups"]:
        observed = group["observed"]
        axes.plot([group["mean_score"]] * 2, [observed["low"], observed["high"]], color=FAINT, linewidth=0.6, zorder=2)
        axes.plot([group["mean_score"]], [observed["value"]], "o", color=INK, markersize=2.2, zorder=3, clip_on=False)
    axes.plot(stored["curve_score"], stored["curve_observed"], color=COLOURS[0], linewidth=1.3, zorder=4)
    _unit_square(axes, "", "")
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([0, 0.5, 1])


def confusion_of_models(models: Stored, name: str, outcome: Stored) -> Figure:
    """The 2x2 table of every model in one set."""
    shown = [(model, entry["sets"][name]["confusion"]) for model, entry in models.items() if name in entry["sets"]]
    columns = min(4, max(2, len(shown)))
    rows = -(-len(shown) // columns)
    left, cell, high = 22.0, (DOUBLE_MM - 22) / 4, 30.0
    figure = new_figure(left + columns * cell, 3 + rows * (high + 13))
    for place, (model, counts) in enumerate(shown):
        row, column = divmod(place, columns)
        axes = axes_mm(figure, left + column * cell, 6 + row * (high + 13), cell - 6, high)
        _confusion(axes, counts, outcome)
        axes.set_title(shortened(model, 24), pad=3)
        if column:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel("Truth")
        axes.set_xlabel("Model says", labelpad=1)
    return figure


def _confusion(axes: Axes, counts: Stored, outcome: Stored) -> None:
    names = [shortened(str(outcome["negative"]), 12), shortened(str(outcome["positive"]), 12)]
    table = np.array([[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]], dtype=float)
    whole = bool((table == table.round()).all())
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1e-12)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.25, aspect="auto", interpolation="nearest")
    for (row, column), value in np.ndenumerate(table):
        text = f"{value:.0f}" if whole else f"{value:.1f}"
        colour = "white" if share[row, column] > 0.75 else INK
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks([0, 1], names)
    axes.set_yticks([0, 1], names)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def selection_funnel(rows: Sequence[Stored], steps: Sequence[str]) -> Figure:
    """What each selection step left of each row's features, as a share of its candidates.

    With several fits a row, the dark bar ends at the smallest count and the pale one at the largest.

    Args:
        rows: ``label``, ``n_candidates`` and ``fits``, as `glottis.report.fitted_rows.selection_rows` gives them.
        steps: of all rows; a row without a step has a dash there.
    """
    left, line = 38.0, 6.0
    width = (DOUBLE_MM - left - 2) / len(steps)
    figure = new_figure(DOUBLE_MM, 10 + line * len(rows))
    for column, step in enumerate(steps):
        axes = axes_mm(figure, left + column * width, 9, width - 3, line * len(rows))
        for place, row in enumerate(rows):
            _bar(axes, place, row, step)
            if column == 0:
                axes.text(-0.06, place, shortened(row["label"], 25), va="center", ha="right", fontsize=6.5)
        axes.set_xlim(0, 1)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_axis_off()
        axes.set_title(_two_lines(step_name(step)), fontsize=6.5, loc="left", pad=2)
    return figure


def _bar(axes: Axes, place: int, row: Stored, step: str) -> None:
    if not _has(row["fits"], step):
        axes.text(0.03, place, MISSING, va="center", ha="left", fontsize=6.5, color=FAINT)
        return
    low, high = remaining(row["fits"], step)
    of = row["n_candidates"] or 1
    axes.barh(place, high / of, height=0.62, color=MID)
    axes.barh(place, low / of, height=0.62, color=COLOURS[0])
    # the number stands beside a short bar and inside a long one
    inside = high / of > 0.55
    axes.text(
        0.03 if inside else high / of + 0.03,
        place,
        range_text(low, high),
        va="center",
        ha="left",
        fontsize=6.5,
        color="white" if inside and low / of > 0.4 else INK,
    )


def _has(fits: Sequence[Stored], step: str) -> bool:
    return any(entry["step"] == step for fit in fits for entry in fit["kept"])


def left_text(fits: Sequence[Stored], step: str) -> str:
    """``15`` or ``12–15`` features left after ``step``; a dash where no fit has it."""
    return range_text(*remaining(fits, step)) if _has(fits, step) else MISSING


def remaining(fits: Sequence[Stored], step: str) -> tuple[int, int]:
    """The smallest and the largest number of features left after ``step`` over the fits."""
    counts = [entry["n"] for fit in fits for entry in fit["kept"] if entry["step"] == step]
    return (min(counts), max(counts)) if counts else (0, 0)


def range_text(low: int, high: int) -> str:
    """``15`` or ``12–15``."""
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _two_lines(text: str) -> str:
    head, mark, tail = text.partition(" (")
    if mark:
        return f"{head}\n({tail}"
    head, mark, tail = text.rpartition(" ")
    return f"{head}\n{tail}" if mark else f"\n{text}"
