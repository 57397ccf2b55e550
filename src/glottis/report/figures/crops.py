"""The contact sheet of crops: what the network sees of every patient, since a wrong crop shows at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.figure import Figure

from glottis._errors import InputError
from glottis.report.pictures import MaskPage, Pictures, mask_pages
from glottis.report.style import styled


def crop_pages(pictures: Pictures, sequences: Sequence[str]) -> Iterator[MaskPage]:
    """Pages of crops in the order of patients, each with the mask's border.

    Args:
        pictures: ``CropResult.picture()`` by ``patient/sequence``: (2, size, size), grey values and mask.
        sequences: in the study's order; side by side for each patient, a missing one leaves its place empty.

    Raises:
        InputError: no picture, or one of another shape or of a sequence that is not named.
    """
    if not pictures or not sequences:
        message = f"The sheet of crops got {len(pictures)} crops of {len(sequences)} sequences: give at least one."
        raise InputError(message)
    for name, picture in pictures.items():
        if picture.ndim != 3 or len(picture) != 2:
            message = f"The crop of '{name}' has shape {picture.shape}: give CropResult.picture(), (2, size, size)."
            raise InputError(message)
        if name.rpartition("/")[2] not in sequences:
            message = f"The crop '{name}' is of none of the sequences {list(sequences)}: name it patient/sequence."
            raise InputError(message)
    return mask_pages(pictures, sequences)


@styled()
def crops_figures(pictures: Pictures, sequences: Sequence[str]) -> list[Figure]:
    """The pages of ``crop_pages``, drawn."""
    return [page.draw() for page in crop_pages(pictures, sequences)]
