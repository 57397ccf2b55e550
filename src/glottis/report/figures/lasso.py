"""How a LASSO chose its penalty: cross-validated error and coefficient paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from glottis._errors import InputError
from glottis.evaluation.interval import Floats
from glottis.report.figures.layout import Columns, fitted, look, put, width_mm
from glottis.report.figures.results import values
from glottis.report.style import COLOURS, FAINT, INK, SOFT, axes_mm, new_figure, styled

LEFT, ABOVE, BELOW, HIGH, MOST_NAMES = 16.0, 9.0, 12.0, 50.0, 12
PENALTY = "Penalty (log scale)"


@styled()
def lasso_figure(lasso: Mapping[str, Any], *, columns: Columns = 1) -> Figure:
    """Cross-validated error and coefficients along the penalties, with a line at the chosen one.

    Over the error stands the number of features, as in glmnet's plot; bars are one standard error.

    Args:
        lasso: ``alpha`` (chosen), ``path`` (rows of ``alpha``, ``mse``, ``se``, ``n_features``) and ``coefficients``
            (feature to its coefficient at every penalty of the path), as a fit of ``results.json`` holds them.
        columns: of the journal, 1 (90 mm, one panel under the other) or 2 (180 mm, side by side).

    Raises:
        InputError: a part is missing or empty, or a feature has not one coefficient a penalty; columns other than 1
            and 2.
    """
    _check(lasso)
    total = width_mm(columns)
    wide = total - LEFT - 4 if columns == 1 else total / 2 - LEFT - 4
    names = list(lasso["coefficients"])[:MOST_NAMES]
    second = (0.0, ABOVE + HIGH + BELOW) if columns == 1 else (total / 2, 0.0)
    legend = -(-len(names) // 2) * 3.4 + 2
    figure = new_figure(total, second[1] + ABOVE + HIGH + BELOW + legend)
    alphas = values([row["alpha"] for row in lasso["path"]])
    _errors(axes_mm(figure, LEFT, ABOVE, wide, HIGH), lasso, alphas)
    _paths(axes_mm(figure, second[0] + LEFT, second[1] + ABOVE, wide, HIGH), lasso, alphas)
    _names(figure, names, second[1] + ABOVE + HIGH + BELOW, total)
    return figure


def _check(lasso: Mapping[str, Any]) -> None:
    missing = [name for name in ("alpha", "path", "coefficients") if name not in lasso]
    if missing or not lasso["path"]:
        what = ", ".join(missing or ["path"])
        message = f"A LASSO needs alpha, path and coefficients; {what} is missing or empty: fit it again."
        raise InputError(message)
    for feature, along in lasso["coefficients"].items():
        if len(along) != len(lasso["path"]):
            message = (
                f"Feature {feature!r} has {len(along)} coefficients for {len(lasso['path'])} penalties: give one each."
            )
            raise InputError(message)


def _errors(axes: Axes, lasso: Mapping[str, Any], alphas: Floats) -> None:
    mse, se = (values([row[name] for row in lasso["path"]]) for name in ("mse", "se"))
    axes.errorbar(
        alphas, mse, yerr=se, fmt="o", color=COLOURS[1], ecolor=FAINT, markersize=2, elinewidth=0.6, linewidth=0
    )
    _penalties(axes, lasso, alphas)
    axes.set_ylabel("Mean squared error")
    numbers = [row["n_features"] for row in lasso["path"]]
    shown = np.unique(np.linspace(0, len(alphas) - 1, 6).round().astype(int))
    for place in shown:
        axes.annotate(
            str(numbers[place]),
            (alphas[place], 1.02),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=6,
            color=SOFT,
        )
    axes.set_title("Features", fontsize=6.5, pad=11, color=SOFT)


def _paths(axes: Axes, lasso: Mapping[str, Any], alphas: Floats) -> None:
    axes.axhline(0, color=FAINT, linewidth=0.6)
    for place, along in enumerate(lasso["coefficients"].values()):
        colour, line = look(place)
        axes.plot(alphas, values(along), color=colour, linestyle=line, linewidth=1)
    _penalties(axes, lasso, alphas)
    axes.set_ylabel("Coefficient")


def _penalties(axes: Axes, lasso: Mapping[str, Any], alphas: Floats) -> None:
    """A log scale from the largest penalty to the smallest, with the chosen one."""
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = float(alphas.min()), float(alphas.max())
    reach = (high / low) ** 0.04 if high > low else 2.0
    axes.set_xlim(high * reach, low / reach)
    ticks = np.geomspace(high, low, 4) if high > low else np.array([high])
    axes.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.axvline(lasso["alpha"], color=INK, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.set_xlabel(PENALTY)


def _names(figure: Figure, names: list[str], top: float, total: float) -> None:
    """The features in two columns, each with its line."""
    across, high = (float(side) * 25.4 for side in figure.get_size_inches())
    for place, name in enumerate(names):
        colour, line = look(place)
        row, column = divmod(place, 2)
        left, down = 3 + column * total / 2, top + row * 3.4
        y = 1 - (down + 1.4) / high
        figure.add_artist(
            Line2D([left / across, (left + 6) / across], [y, y], color=colour, linestyle=line, linewidth=1)
        )
        put(figure, left + 7.5, down, fitted(name, total / 2 - 12))
