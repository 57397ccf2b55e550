"""Where things stand in a public figure: widths, measured text, keys and panels, all in mm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib import patches
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from glottis._errors import InputError
from glottis.report.style import COLOURS, FAINT, LINES, axes_mm, new_figure
from glottis.report.wording import shortened

Columns = Literal[1, 2]
Place = tuple[float, float, float, float]
SMALL = 6.5
LEFT, TOP, BELOW, LINE_MM, KEY_MM = 14.0, 3.0, 10.0, 3.4, 9.0
PALETTE = (*COLOURS, "#882255")  # and wine, of Tol's muted colours, for the eighth
_WIDTH_MM = {1: 90.0, 2: 180.0}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_DPI = 720
_MM = 1.04 * 25.4 / _DPI  # letters hinted for a screen are up to 4% wider than those of print


@dataclass(frozen=True, kw_only=True)
class Key:
    """One line of the legend."""

    label: str
    text: str
    colour: str
    line: Any = "-"


def width_mm(columns: int) -> float:
    """Width of a journal's one or two columns."""
    if columns not in _WIDTH_MM:
        message = f"A figure is 1 or 2 columns wide; got columns={columns!r}: give columns=1 (90 mm) or 2 (180 mm)."
        raise InputError(message)
    return _WIDTH_MM[columns]


def look(place: int) -> tuple[str, Any]:
    """Colour and line of the curve at that place; colours differ up to 8 curves, colour or line up to 56."""
    return PALETTE[place % len(PALETTE)], LINES[(place + place // len(PALETTE)) % len(LINES)]


def text_mm(text: str, size: float = SMALL) -> float:
    """Width of a text in mm, in the fonts of the house style."""
    figure = Figure(figsize=(0.1, 0.1), dpi=_DPI)  # a large canvas would cost 60 MB a text
    FigureCanvasAgg(figure)
    return float(figure.text(0, 0, text, fontsize=size).get_window_extent().width) * _MM


def fitted(text: str, width: float, size: float = SMALL) -> str:
    """The text, its middle left out as far as it does not fit into ``width`` mm."""
    text = " ".join(text.split())
    columns = 2 * len(text)
    while text_mm(shown := shortened(text, columns), size) > width and columns > 3:
        columns = max(3, min(columns - 1, int(columns * width / text_mm(shown, size))))
    return shown


def wrapped(text: str, width: float, size: float = SMALL) -> list[str]:
    """The text in lines of at most ``width`` mm, broken at spaces."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_mm(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return [fitted(line, width, size) for line in lines]


def put(figure: Figure, left: float, top: float, text: str, **look: Any) -> None:
    """Text in mm from the upper left corner, by default with its upper left corner there."""
    width, height = (float(side) * 25.4 for side in figure.get_size_inches())
    settings: dict[str, Any] = {"va": "top", "ha": "left", "fontsize": SMALL, **look}
    figure.text(left / width, 1 - top / height, text, **settings)


def key_lines(keys: Sequence[Key], width: float) -> list[list[str]]:
    """The one or two lines of text of every key."""
    room, lines = width - KEY_MM, []
    for key in keys:
        whole = f"{key.label}: {key.text}" if key.label and key.text else key.label or key.text
        if text_mm(whole) <= room:
            lines.append([whole])
        else:
            lines.append([fitted(key.label, room), *(wrapped(key.text, room) if key.text else [])])
    return lines


def keys_height(keys: Sequence[Key], width: float) -> float:
    """Height of the legend in mm."""
    return sum(len(lines) * LINE_MM + 0.6 for lines in key_lines(keys, width))


def draw_keys(figure: Figure, keys: Sequence[Key], left: float, top: float, width: float) -> None:
    """The legend, its upper left corner in mm."""
    across, high = (float(side) * 25.4 for side in figure.get_size_inches())
    for key, lines in zip(keys, key_lines(keys, width), strict=True):
        middle = 1 - (top + LINE_MM / 2 - 0.2) / high
        x = [left / across, (left + KEY_MM - 2) / across]
        figure.add_artist(Line2D(x, [middle] * 2, color=key.colour, linestyle=key.line, linewidth=1.4))
        for line in lines:
            put(figure, left + KEY_MM, top, line)
            top += LINE_MM
        top += 0.6


def with_keys(keys: Sequence[Key], columns: int, height: float = 0.0, left: float = LEFT) -> tuple[Figure, Axes]:
    """A figure of one plot, its legend below (one column) or at its right (two); ``height`` 0 makes a square."""
    total = width_mm(columns)
    if columns == 1:
        plot = total - left - 4
        tall = height or plot
        figure = new_figure(total, TOP + tall + BELOW + keys_height(keys, total - LEFT) + 1)
        draw_keys(figure, keys, 8, TOP + tall + BELOW, total - LEFT)
    else:
        plot = 80.0 if not height else 100.0
        tall, at = height or plot, left + plot + 6
        figure = new_figure(total, max(TOP + tall + BELOW, TOP + keys_height(keys, total - at - 2) + 2))
        draw_keys(figure, keys, at, TOP, total - at - 2)
    return figure, axes_mm(figure, left, TOP, plot, tall)


def unit_square(axes: Axes, x: str, y: str, *, few: bool = False) -> None:
    """Both axes from 0 to 1."""
    ticks = [0, 0.5, 1] if few else [0, 0.2, 0.4, 0.6, 0.8, 1]
    axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015), xticks=ticks, yticks=ticks, xlabel=x, ylabel=y)


def diagonal(axes: Axes) -> None:
    """The faint line of chance, or of perfect calibration."""
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.7, linestyle=(0, (2, 2)), zorder=1)


def panels(
    n: int, columns: int, *, above: float, below: float, ratio: float = 1.0, most: int = 3
) -> tuple[Figure, list[Place]]:
    """A figure with room for ``n`` panels: the figure, and left, top, width and height of each in mm.

    Args:
        n: number of panels.
        columns: of the journal.
        above: room over each panel for its title.
        below: room under each panel.
        ratio: height of a panel over its width.
        most: panels side by side in two columns; one column has half of them.
    """
    total = width_mm(columns)
    across = min(n, most if columns == 2 else (most + 1) // 2)
    # a lone panel of a double column is no larger than two side by side
    cell = total / max(across, 2 if columns == 2 else 1)
    wide, rows = cell - LEFT - 4, -(-n // across)
    tall = wide * ratio
    start = (total - across * cell) / 2
    cells = [divmod(place, across) for place in range(n)]
    places = [(start + column * cell + LEFT, row * (above + tall + below) + above, wide, tall) for row, column in cells]
    return new_figure(total, rows * (above + tall + below)), places


def swatch(figure: Figure, left: float, top: float, colour: str, side: float = 2.2) -> None:
    """A small filled square in mm."""
    across, high = (float(length) * 25.4 for length in figure.get_size_inches())
    corner = (left / across, 1 - (top + side) / high)
    figure.add_artist(patches.Rectangle(corner, side / across, side / high, color=colour, linewidth=0))


def power_of_ten(largest: float) -> int:
    """The power of ten that goes from the numbers of an axis to its label; 0 where they are short enough."""
    power = math.floor(math.log10(largest)) if largest > 0 and math.isfinite(largest) else 0
    return power if power >= 5 or power <= -3 else 0


def with_power(name: str, unit: str, power: int) -> str:
    """The label of an axis whose numbers are so many powers of ten smaller: ``Difference (10⁶ mm³)``."""
    factor = f"10{str(power).translate(_RAISED)}" if power else ""
    inside = " ".join(part for part in (factor, unit) if part)
    return f"{name} ({inside})" if inside else name


def p_text(p: float | None) -> str:
    """``p < 0.001``, ``p = 0.032``, or that it is not estimable."""
    if p is None:
        return "p not estimable"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
