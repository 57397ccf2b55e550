"""The flow of patients as a figure: who came in, who was left out and why, who trained and who tested."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from glottis.report.style import COLOURS, DOUBLE_MM, INK, PALE, canvas_mm
from glottis.report.wording import counted, event_name, set_name

LINE_MM = 3.6
PADDING_MM = 2.4
MAIN_WIDTH = 78.0
SIDE_WIDTH = 78.0
GAP = 7.0
LEFT = 2.0
REASONS_SHOWN = 8


def flow_figure(
    flow: Mapping[str, Any],
    primary: str,
    outcome: Mapping[str, Any],
    design: str,
    *,
    unit: str = "patient",
    place: str = "manifest",
) -> Figure:
    """Draw the flow of the cohort, and of the primary model from there on.

    Args:
        flow: as stored.
        primary: name of the primary model.
        outcome: the positive class's name.
        design: the design in words, for a cohort without held-out sets.
        unit: what a row is called.
        place: what the rows stand in.
    """
    model = flow["models"][primary]
    boxes = [
        (counted(flow["manifest"], unit) + f" in the {place}", reasons("Left out", flow["excluded"])),
        (counted(flow["analysed"], unit) + " analysed", reasons(f"Not in model {primary}", model["missing"])),
    ]
    main = [_wrapped([text], 46) for text, _ in boxes]
    side = [_wrapped(lines, 50) for _, lines in boxes]
    model_box = _wrapped([f"Model {primary}: {_size(model, outcome, unit)}"], 46)
    sets = model["sets"]
    bottom = [_wrapped([design or _plain_name(name), _size(size, outcome, unit)], 32) for name, size in sets.items()]
    height = 1.0 + sum(_high(lines) + GAP for lines in side) + sum(_high(lines) for lines in [*main, model_box])
    height += GAP + max((_high(lines) for lines in bottom), default=0) + 1
    figure, axes = canvas_mm(DOUBLE_MM, height)
    top, left = 1.0, LEFT
    for text, lines in zip(main, side, strict=True):
        _box(axes, left, top, MAIN_WIDTH, text, strong=True)
        below = top + _high(text)
        branch = below + GAP / 2
        _box(axes, DOUBLE_MM - SIDE_WIDTH - 2, branch, SIDE_WIDTH, lines)
        after = branch + _high(lines) + GAP / 2
        middle = branch + _high(lines) / 2
        _arrow(axes, left + MAIN_WIDTH / 2, below, left + MAIN_WIDTH / 2, after)
        _arrow(axes, left + MAIN_WIDTH / 2, middle, DOUBLE_MM - SIDE_WIDTH - 2, middle)
        top = after
    _box(axes, left, top, MAIN_WIDTH, model_box, strong=True)
    _branches(axes, left + MAIN_WIDTH / 2, top + _high(model_box), bottom)
    return figure


def reasons(title: str, entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """``Left out: 3``, then each reason with its count, the most frequent first."""
    counts = Counter(entry["reason"] for entry in entries)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"{title}: {counts.total()}"]
    lines += [f"{n} × {reason}" for reason, n in ordered[:REASONS_SHOWN]]
    rest = sum(n for _, n in ordered[REASONS_SHOWN:])
    return [*lines, f"{rest} × other reasons (tables/flow.csv)"] if rest else lines


def _branches(axes: Axes, x: float, y: float, boxes: list[list[str]]) -> None:
    if not boxes:
        return
    width = min(MAIN_WIDTH, (DOUBLE_MM - LEFT - 2 - 4 * (len(boxes) - 1)) / len(boxes))
    rail = y + GAP / 2
    lefts = [LEFT + i * (width + 4) for i in range(len(boxes))]
    centres = [left + width / 2 for left in lefts] if len(boxes) > 1 else [x]
    axes.plot([x, x], [y, rail], color=INK, linewidth=0.7)
    axes.plot([min([x, *centres]), max([x, *centres])], [rail, rail], color=INK, linewidth=0.7)
    for left, centre, lines in zip(lefts, centres, boxes, strict=True):
        _arrow(axes, centre, rail, centre, y + GAP)
        _box(axes, left if len(boxes) > 1 else x - width / 2, y + GAP, width, lines, strong=True)


def _plain_name(name: str) -> str:
    return "Training" if name == "training" else set_name(name)


def _size(size: Mapping[str, Any], outcome: Mapping[str, Any], unit: str) -> str:
    events = f", {size['n_positive']} with {event_name(outcome)}" if "n_positive" in size else ""
    return f"{counted(size['n'], unit)}{events}"


def _wrapped(lines: Iterable[str], width: int) -> list[str]:
    return [part for line in lines for part in (textwrap.wrap(line, width, subsequent_indent="  ") or [""])]


def _high(lines: list[str]) -> float:
    return len(lines) * LINE_MM + 2 * PADDING_MM


def _box(axes: Axes, left: float, top: float, width: float, lines: list[str], *, strong: bool = False) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (left, top),
            width,
            _high(lines),
            boxstyle="round,pad=0,rounding_size=1",
            facecolor=PALE if strong else "white",
            edgecolor=COLOURS[0] if strong else INK,
            linewidth=0.7,
        )
    )
    for i, line in enumerate(lines):
        colour = COLOURS[0] if i == 0 and len(lines) > 1 else INK
        y = top + PADDING_MM + (i + 0.5) * LINE_MM
        axes.text(left + 2.5, y, line, va="center", ha="left", fontsize=7, color=colour)


def _arrow(axes: Axes, x0: float, y0: float, x1: float, y1: float) -> None:
    axes.annotate(
        "",
        xy=(x1, y1),
        xytext=(x0, y0),
        arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 0.7, "shrinkA": 0, "shrinkB": 0},
    )
