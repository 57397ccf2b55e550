"""Which voxels of a label map are the lesion: label values, named segments, and lesions that are not connected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis._errors import ImageError, nearest
from glottis.data.cohort import Lesions

Voxels = NDArray[Any]
Inside = NDArray[np.bool_]
MAX_VALUES_NAMED = 12


class LabelError(ImageError):
    """A mask file lacks the label or segment that is asked for."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One segment of a 3D Slicer ``.seg.nrrd``: its name, and the layer and value that hold its voxels."""

    number: int
    name: str
    label: int
    layer: int


def segments_of(header: Mapping[str, str]) -> tuple[Segment, ...]:
    """The segments that a ``.seg.nrrd`` header declares (``Segment0_Name``, ``_LabelValue``, ``_Layer``).

    Files without ``_Layer`` (3D Slicer before 4.11) keep one segment a layer, in order.
    """
    numbers = sorted(int(key[7:-5]) for key in header if key.startswith("Segment") and key.endswith("_Name"))
    return tuple(
        Segment(
            number=number,
            name=header[f"Segment{number}_Name"],
            label=int(header.get(f"Segment{number}_LabelValue", "1")),
            layer=int(header.get(f"Segment{number}_Layer", str(number))),
        )
        for number in numbers
    )


def pick_segment(layers: Voxels, segments: tuple[Segment, ...], wanted: str, *, file: str) -> Inside:
    """Voxels of one segment, by its name or number.

    Args:
        layers: ``(layer, z, y, x)``.
        segments: what the header declares.
        wanted: a segment's name, or its number (0 is the first).
        file: name for messages.

    Raises:
        LabelError: no segment, or several, answer to ``wanted``.
    """
    found = [item for item in segments if item.name == wanted] or [
        item for item in segments if str(item.number) == wanted
    ]
    if not found:
        hint = nearest(wanted, [item.name for item in segments]) if segments else "the file names no segments"
        message = f"'{file}' has no segment '{wanted}': {hint}."
        raise LabelError(message)
    if len(found) > 1:
        numbers = ", ".join(str(item.number) for item in found)
        message = f"'{file}' has {len(found)} segments named '{wanted}': give a number instead ({numbers})."
        raise LabelError(message)
    if found[0].layer >= len(layers):
        message = f"'{file}' puts segment '{wanted}' on layer {found[0].layer} of {len(layers)}: export it again."
        raise LabelError(message)
    return np.asarray(layers[found[0].layer] == found[0].label)


def pick_label(layers: Voxels, label: int | None, *, file: str) -> Inside:
    """Voxels of one label value in any layer, or of every value above zero.

    Args:
        layers: ``(layer, z, y, x)``.
        label: the value, or ``None``.
        file: name for messages.

    Raises:
        LabelError: the label does not occur in a mask that has others.
    """
    if label is None:
        return _in_any_layer(layers > 0)
    inside = _in_any_layer(layers == label)
    if not inside.any() and (layers > 0).any():
        message = f"Label {label} is absent from '{file}', which holds {_values(layers)}: correct the label."
        raise LabelError(message)
    return inside


def _in_any_layer(inside: Inside) -> Inside:
    return np.asarray(inside[0] if len(inside) == 1 else inside.any(axis=0))


def split_lesions(inside: Inside, lesions: Lesions) -> list[Inside]:
    """One array for ``union`` and ``largest``, one a lesion for ``each``.

    Lesions are 26-connected components; ``each`` lists them from the largest to the smallest, lesions of equal size
    in the order of their first voxel. An empty mask comes back as it is.
    """
    if lesions == "union" or not inside.any():
        return [inside]
    from scipy import ndimage

    labelled, count = ndimage.label(inside, structure=np.ones((3, 3, 3), dtype=bool))
    sizes = np.bincount(labelled.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-sizes, kind="stable") + 1
    wanted = order[:1] if lesions == "largest" else order
    return [np.asarray(labelled == number) for number in wanted]


def _values(layers: Voxels) -> str:
    values = [f"{value:g}" for value in np.unique(layers) if value != 0]
    shown = ", ".join(values[:MAX_VALUES_NAMED])
    return f"{shown} and {len(values) - MAX_VALUES_NAMED} others" if len(values) > MAX_VALUES_NAMED else shown
