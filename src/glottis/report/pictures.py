"""The mask sheet: one slice a patient and sequence with its contour, for a radiologist's first look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from glottis.report.style import CONTOUR, DOUBLE_MM, FAINT, SOFT, canvas_mm
from glottis.report.wording import shortened

PER_PAGE = 48
PLACES = 8
GAP_MM = 1.0
BLOCK_GAP_MM = 3.0
LABEL_MM = 6.4
Pictures = Mapping[str, NDArray[np.uint8]]


@dataclass(frozen=True, kw_only=True)
class MaskPage:
    """One figure of the sheet.

    Attributes:
        pictures: of the whole sheet.
        rows: the patients of each row.
        sequences: side by side for each patient.
        n: pictures on this page.
    """

    pictures: Pictures
    rows: Sequence[Sequence[str]]
    sequences: Sequence[str]
    n: int

    @property
    def first(self) -> str:
        """The first patient."""
        return self.rows[0][0]

    @property
    def last(self) -> str:
        """The last patient."""
        return self.rows[-1][-1]

    def draw(self) -> Figure:
        """The figure."""
        n = len(self.sequences)
        blocks = max(len(self.rows[0]), round(PLACES / n))  # a short page keeps the size of the others
        side = (DOUBLE_MM - GAP_MM * blocks * (n - 1) - BLOCK_GAP_MM * (blocks - 1)) / (blocks * n)
        block = n * (side + GAP_MM) - GAP_MM + BLOCK_GAP_MM
        width, high = len(self.rows[0]) * block - BLOCK_GAP_MM, side + LABEL_MM
        figure, axes = canvas_mm(width, len(self.rows) * high)
        for row, patients in enumerate(self.rows):
            for place, patient in enumerate(patients):
                left, top = place * block, row * high
                name = shortened(patient, int((block - BLOCK_GAP_MM) * 0.78))
                axes.text(left, top + 2.9, name, fontsize=6.2, ha="left", va="baseline")
                for i, sequence in enumerate(self.sequences):
                    picture = self.pictures.get(f"{patient}/{sequence}")
                    _cell(axes, sequence, picture, left=left + i * (side + GAP_MM), top=top + LABEL_MM, side=side)
        axes.set_xlim(0, width)
        axes.set_ylim(len(self.rows) * high, 0)
        axes.set_aspect("auto")
        return figure


def mask_pages(pictures: Pictures, sequences: Sequence[str]) -> Iterator[MaskPage]:
    """The sheet's pages; the sequences of a patient stand side by side, a missing one leaves its place empty.

    Args:
        pictures: by ``patient/sequence``, grey values and mask.
        sequences: in the study's order.
    """
    patients = sorted({name.rpartition("/")[0] for name in pictures})
    in_a_row = max(1, round(PLACES / len(sequences)))
    on_a_page = max(1, PER_PAGE // (in_a_row * len(sequences))) * in_a_row
    for start in range(0, len(patients), on_a_page):
        shown = patients[start : start + on_a_page]
        yield MaskPage(
            pictures=pictures,
            rows=[shown[i : i + in_a_row] for i in range(0, len(shown), in_a_row)],
            sequences=sequences,
            n=sum(f"{patient}/{sequence}" in pictures for patient in shown for sequence in sequences),
        )


def _cell(axes: Axes, label: str, picture: NDArray[np.uint8] | None, *, left: float, top: float, side: float) -> None:
    axes.text(left, top - 0.8, shortened(label, int(side * 0.8)), fontsize=5.4, ha="left", va="baseline", color=SOFT)
    if picture is None:
        axes.text(left + side / 2, top + side / 2, "no picture", color=FAINT, fontsize=6, ha="center", va="center")
        return
    extent = (left, left + side, top + side, top)
    axes.imshow(picture[0], cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="nearest")
    outline(axes, picture[1], extent)


def outline(axes: Axes, mask: NDArray[np.uint8], extent: tuple[float, float, float, float]) -> None:
    """The border between pixels inside and outside, as one broken line; ``extent`` in mm."""
    inside = np.pad(mask > 0, 1)
    step_x = (extent[1] - extent[0]) / mask.shape[1]
    step_y = (extent[2] - extent[3]) / mask.shape[0]
    x, y = [], []
    for r, c in np.argwhere(inside[1:, 1:-1] != inside[:-1, 1:-1]):
        x += [c, c + 1, np.nan]
        y += [r, r, np.nan]
    for r, c in np.argwhere(inside[1:-1, 1:] != inside[1:-1, :-1]):
        x += [c, c, np.nan]
        y += [r, r + 1, np.nan]
    axes.plot(extent[0] + np.array(x) * step_x, extent[3] + np.array(y) * step_y, color=CONTOUR, linewidth=0.6)
