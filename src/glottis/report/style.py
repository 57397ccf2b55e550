"""How figures look: sizes in mm, colours, fonts, and the one way to store a figure."""

from __future__ import annotations

import base64
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from glottis.io.files import write_atomic, write_bytes_atomic

SINGLE_MM = 85.0
DOUBLE_MM = 178.0
PRINT_DPI = 300
_MM_PER_INCH = 25.4

# Okabe and Ito (2008), readable with every kind of colour vision; the first is the primary model
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6A6A6A")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (3, 3)), (0, (1, 1)))
INK = "#222222"
SOFT = "#5B6672"
FAINT = "#9A9A9A"
MID = "#9CC7E4"
PALE = "#E8EDF2"
CONTOUR = "#FFD400"

_CJK = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "Droid Sans Fallback", "Microsoft YaHei", "SimHei", "PingFang SC", "Hiragino Sans", "Yu Gothic", "Malgun Gothic",
    "Apple SD Gothic Neo", "Arial Unicode MS",
)  # fmt: skip
_STYLE: dict[Any, Any] = {
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "pdf.fonttype": 42,
    "svg.hashsalt": "glottis",
}


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep the search for a bold face of a fallback font, which may have none, out of the user's terminal."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def styled() -> Iterator[None]:
    """The house style for every figure made and stored inside, whatever the user's own settings."""
    present = set(font_manager.fontManager.get_font_names())
    fonts = ["DejaVu Sans", *(name for name in _CJK if name in present)]
    with mpl.rc_context(), warnings.catch_warnings(), _quiet(logging.getLogger("matplotlib.font_manager")):
        # a character that no font has is drawn as a box, which says enough
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        mpl.rcdefaults()
        mpl.rcParams.update({**_STYLE, "font.family": fonts})
        yield


def new_figure(width_mm: float, height_mm: float) -> Figure:
    """An empty white figure of that size."""
    return Figure(figsize=(width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH), facecolor="white")


def axes_mm(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes placed in mm from the figure's upper left corner."""
    total_width, total_height = (float(side) * _MM_PER_INCH for side in figure.get_size_inches())
    bottom = total_height - top - height
    return figure.add_axes((left / total_width, bottom / total_height, width / total_width, height / total_height))


def canvas_mm(width_mm: float, height_mm: float) -> tuple[Figure, Axes]:
    """A figure with one bare axes in mm, y pointing down."""
    figure = new_figure(width_mm, height_mm)
    axes = axes_mm(figure, 0, 0, width_mm, height_mm)
    axes.set_xlim(0, width_mm)
    axes.set_ylim(height_mm, 0)
    axes.set_axis_off()
    return figure, axes


def save(figure: Figure, folder: Path, name: str) -> str:
    """Store ``name.png`` (300 dpi) and ``name.pdf``, and give the picture for the screen.

    Bytes depend on the figure alone: no date, no version.

    Returns:
        A ``data:`` URL of a PNG.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=PRINT_DPI, metadata={"Software": None})
    write_bytes_atomic(folder / f"{name}.png", drawn.getvalue())
    nothing = {"CreationDate": None, "Creator": None, "Producer": None}
    write_atomic(
        folder / f"{name}.pdf", lambda path: figure.savefig(path, format="pdf", dpi=PRINT_DPI, metadata=nothing)
    )
    return f"data:image/png;base64,{base64.b64encode(_for_screen(drawn)).decode()}"


def _for_screen(drawn: io.BytesIO) -> bytes:
    """Half the resolution and at most 256 colours: a tenth of the size, no visible difference on a page."""
    packed = io.BytesIO()
    with Image.open(drawn) as picture:
        small = picture.convert("RGB").reduce(2)
        colours = small.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        colours.save(packed, format="PNG", optimize=True)
    return packed.getvalue()
