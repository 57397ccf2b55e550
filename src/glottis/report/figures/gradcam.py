"""Where a network looks: each crop, and beside it the Grad-CAM of a class over it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from glottis._errors import InputError
from glottis.report.pictures import outline
from glottis.report.style import DOUBLE_MM, SOFT, canvas_mm, styled
from glottis.report.wording import shortened

IN_A_ROW = 4
ROWS = 6
GAP_MM = 0.8
BLOCK_GAP_MM = 3.0
LABEL_MM = 7.0
FOOT_MM = 9.0
HEAT_COLOURS = "inferno"
OPAQUE = 0.75
Extent = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False, kw_only=True)
class Overlay:
    """One crop and its heat map.

    Attributes:
        patient: and
        sequence: of the crop.
        label: the class that the map speaks for, in words.
        picture: ``CropResult.picture()``: (2, size, size), grey values and mask.
        heat: (h, w) over the whole crop, 0 to 1.
        note: short, such as the predicted probability.
    """

    patient: str
    sequence: str
    label: str
    picture: NDArray[np.uint8]
    heat: NDArray[np.float32]
    note: str = ""

    def __post_init__(self) -> None:
        if self.picture.ndim != 3 or len(self.picture) != 2 or self.heat.ndim != 2:
            shapes = f"{self.picture.shape} and {self.heat.shape}"
            message = f"Crop and heat map of '{self.patient}' have shapes {shapes}: give (2, size, size) and (h, w)."
            raise InputError(message)
        if not (np.isfinite(self.heat).all() and self.heat.min() >= 0 and self.heat.max() <= 1):
            message = f"The heat map of '{self.patient}' leaves 0 to 1: give HeatMap.heat, not the raw map."
            raise InputError(message)


@dataclass(frozen=True, eq=False, kw_only=True)
class OverlayPage:
    """One figure of heat maps.

    Attributes:
        overlays: on this page, in order.
        whose: the score that the maps explain, in words, such as "linear head of the frozen ResNet-18".
    """

    overlays: Sequence[Overlay]
    whose: str

    def draw(self) -> Figure:
        """The figure."""
        places = min(IN_A_ROW, len(self.overlays))
        side = (DOUBLE_MM - GAP_MM * IN_A_ROW - BLOCK_GAP_MM * (IN_A_ROW - 1)) / (2 * IN_A_ROW)
        block, high = 2 * side + GAP_MM + BLOCK_GAP_MM, side + LABEL_MM
        rows = -(-len(self.overlays) // IN_A_ROW)
        width = max(places, 2) * block - BLOCK_GAP_MM
        figure, axes = canvas_mm(width, rows * high + FOOT_MM)
        for i, overlay in enumerate(self.overlays):
            _pair(axes, overlay, left=i % IN_A_ROW * block, top=i // IN_A_ROW * high + LABEL_MM, side=side)
        self._key(axes, rows * high + 3.2)
        axes.set_xlim(0, width)
        axes.set_ylim(rows * high + FOOT_MM, 0)
        axes.set_aspect("auto")
        return figure

    def _key(self, axes: Axes, top: float) -> None:
        ramp = np.linspace(0, 1, 64)[None]
        axes.imshow(ramp, cmap=HEAT_COLOURS, vmin=0, vmax=1, extent=(0, 22, top + 1.8, top), interpolation="nearest")
        axes.text(0, top + 4.4, "0", fontsize=5.4, ha="left", va="baseline", color=SOFT)
        axes.text(20.8, top + 4.4, "1: each map's own maximum", fontsize=5.4, ha="left", va="baseline", color=SOFT)
        axes.text(24, top + 1.7, shortened(f"Grad-CAM of the {self.whose}", 90), fontsize=6.2, ha="left", va="baseline")


def gradcam_pages(overlays: Sequence[Overlay], *, whose: str) -> Iterator[OverlayPage]:
    """Pages of heat maps, by class in the order given, then by patient and sequence.

    Args:
        overlays: crops and maps.
        whose: the score that the maps explain; the figure must say it, since a model that fuses several scores has no
            map.

    Raises:
        InputError: no map, or no word on whose it is.
    """
    if not overlays or not whose.strip():
        message = f"The heat maps got {len(overlays)} maps of '{whose}': give at least one, and say whose score it is."
        raise InputError(message)
    labels = list(dict.fromkeys(overlay.label for overlay in overlays))
    ordered = sorted(overlays, key=lambda each: (labels.index(each.label), each.patient, each.sequence))
    on_a_page = IN_A_ROW * ROWS
    return (
        OverlayPage(overlays=ordered[start : start + on_a_page], whose=whose)
        for start in range(0, len(ordered), on_a_page)
    )


@styled()
def gradcam_figures(overlays: Sequence[Overlay], *, whose: str) -> list[Figure]:
    """The pages of ``gradcam_pages``, drawn."""
    return [page.draw() for page in gradcam_pages(overlays, whose=whose)]


def _pair(axes: Axes, overlay: Overlay, *, left: float, top: float, side: float) -> None:
    width = int((2 * side + GAP_MM) * 0.78)
    name = f"{overlay.patient} {overlay.sequence}"
    axes.text(left, top - 3.6, shortened(name, width), fontsize=6.2, ha="left", va="baseline")
    about = f"{overlay.label}  {overlay.note}".rstrip()
    axes.text(left, top - 0.9, shortened(about, width), fontsize=5.4, ha="left", va="baseline", color=SOFT)
    for place in (left, left + side + GAP_MM):
        extent = (place, place + side, top + side, top)
        axes.imshow(overlay.picture[0], cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="nearest")
        if place > left:
            _heat(axes, overlay.heat, extent)
        outline(axes, overlay.picture[1], extent)


def _heat(axes: Axes, heat: NDArray[np.float32], extent: Extent) -> None:
    """Colour where it is hot, glass where it is cold."""
    smooth = np.clip(_enlarged(heat), 0, 1)
    axes.imshow(
        smooth, cmap=HEAT_COLOURS, vmin=0, vmax=1, alpha=OPAQUE * smooth, extent=extent, interpolation="nearest"
    )


def _enlarged(heat: NDArray[np.float32], size: int = 112) -> NDArray[np.float64]:
    """Linear between the cells' centres, as ``HeatMap.resized``, for drawing alone."""
    at = [(np.arange(size) + 0.5) * (cells / size) - 0.5 for cells in heat.shape]
    across = np.array([np.interp(at[1], np.arange(heat.shape[1]), row) for row in heat])
    return np.array([np.interp(at[0], np.arange(heat.shape[0]), column) for column in across.T]).T
