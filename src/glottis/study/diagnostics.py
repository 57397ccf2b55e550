"""What PyRadiomics' ``diagnostics_*`` columns say: versions, settings, and facts about image and mask at each stage.

Names, order and values are those of PyRadiomics 3.0.1 (``radiomics/generalinfo.py``); the hashes are SHA-1 over the
voxels, those of the mask over all its labels as ``uint32``.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.data.volume import Box, LabelMap, Mask, Volume

PREFIX = "diagnostics_"
ORACLE = "3.0.1"
"""The version of PyRadiomics whose definitions are followed."""
BLOCK = 1 << 16
"""Voxels looked at in one go: they stay in the processor's cache between hash, sum and range."""
DEFAULTS: dict[str, Any] = {
    "minimumROIDimensions": 2,
    "minimumROISize": None,
    "normalize": False,
    "normalizeScale": 1,
    "removeOutliers": None,
    "resampledPixelSpacing": None,
    "interpolator": "sitkBSpline",
    "preCrop": False,
    "padDistance": 5,
    "distances": [1],
    "force2D": False,
    "force2Ddimension": 0,
    "resegmentRange": None,
    "label": 1,
    "additionalInfo": True,
}
"""The settings that PyRadiomics lists even where nothing was given, in its order."""


@cache
def versions() -> dict[str, Any]:
    """The libraries that the values come from; the first names glottis and whose definitions it follows."""
    import SimpleITK as sitk

    from glottis import __version__

    return {
        f"{PREFIX}Versions_PyRadiomics": f"v{ORACLE} (glottis {__version__})",
        f"{PREFIX}Versions_Numpy": np.__version__,
        f"{PREFIX}Versions_SimpleITK": sitk.Version().VersionString(),
        f"{PREFIX}Versions_PyWavelet": version("PyWavelets"),
        f"{PREFIX}Versions_Python": "{}.{}.{}".format(*sys.version_info[:3]),
    }


def configuration(content: Mapping[str, Any], **own: Any) -> dict[str, Any]:
    """The settings and image types of a parameter file, as PyRadiomics lists them.

    Args:
        content: the parameter file.
        own: settings of this row (``label``, ``label_channel``); ``None`` is left out.
    """
    row = {name: value for name, value in own.items() if value is not None}
    images = {name: dict(options or {}) for name, options in (content.get("imageType") or {}).items()}
    return {
        f"{PREFIX}Configuration_Settings": DEFAULTS | dict(content.get("setting") or {}) | row,
        f"{PREFIX}Configuration_EnabledImageTypes": images or {"Original": {}},
    }


def file_image_facts(image: Volume) -> dict[str, Any]:
    """Hash, size, spacing and range of an image as it was read."""
    hashed, numbers = _scan(image.voxels, hashed=True)
    start = f"{PREFIX}Image-original_"
    return {f"{start}Hash": hashed, f"{start}Dimensionality": "3D"} | _grid(start, image) | _named(start, numbers)


def image_facts(image: Volume, stage: str) -> dict[str, Any]:
    """Size, spacing and range of an image at a stage of its preparation."""
    start = f"{PREFIX}Image-{stage}_"
    return _grid(start, image) | _named(start, _scan(image.voxels)[1])


def label_hash(labels: LabelMap) -> dict[str, Any]:
    """Hash of a mask file, all its labels included."""
    digest = hashlib.sha1(usedforsecurity=False)
    for block in _blocks(labels.voxels):
        digest.update(block.astype(np.uint32).data)
    return {f"{PREFIX}Mask-original_Hash": digest.hexdigest()}


def mask_facts(
    mask: Mask, stage: str, *, image: Volume | None = None, cut_from: tuple[Volume, Box] | None = None
) -> dict[str, Any]:
    """Where a mask lies, of how many voxels and pieces it consists, and the image's values inside it.

    Args:
        mask: the mask; not empty.
        stage: original, interpolated, corrected or resegmented.
        image: on the same voxels; ``None`` leaves the values out.
        cut_from: the image that ``mask`` was cropped from, and the crop: sizes and indices are told in it.
    """
    start = f"{PREFIX}Mask-{stage}_"
    offset = np.array([0, 0, 0] if cut_from is None else [part.start for part in cut_from[1]])
    box = mask.bounding_box()
    low, size = (np.array(numbers) for numbers in zip(*((p.start, p.stop - p.start) for p in box), strict=True))
    inside = np.ascontiguousarray(mask.voxels[box])
    n_voxels = int(np.count_nonzero(inside))
    others = ((1, 2), (0, 2), (0, 1))
    sums = np.array(
        [inside.sum(axis=axes, dtype=np.int64) @ np.arange(n) for axes, n in zip(others, size, strict=True)]
    )
    centre = sums / n_voxels + low + offset
    at = np.asarray(mask.direction).reshape(3, 3) @ ((centre - offset) * mask.spacing_mm)[::-1] + mask.origin_mm
    facts = _grid(start, mask) | {
        f"{start}BoundingBox": [*_xyz(low + offset), *_xyz(size)],
        f"{start}VoxelNum": n_voxels,
        f"{start}VolumeNum": _pieces(inside),
        f"{start}CenterOfMassIndex": _xyz(centre),
        f"{start}CenterOfMass": at.tolist(),
    }
    if cut_from is not None:
        facts |= _grid(start, cut_from[0])
    if image is not None:
        facts |= _named(start, _scan(np.ascontiguousarray(image.voxels[box]).reshape(-1)[np.flatnonzero(inside)])[1])
    return facts


def _grid(start: str, volume: Volume) -> dict[str, Any]:
    return {
        f"{start}Spacing": [float(step) for step in volume.spacing_mm[::-1]],
        f"{start}Size": [int(size) for size in volume.shape[::-1]],
    }


def _named(start: str, numbers: tuple[float, float, float]) -> dict[str, Any]:
    return {f"{start}{name}": value for name, value in zip(("Mean", "Minimum", "Maximum"), numbers, strict=True)}


def _scan(voxels: NDArray[Any], *, hashed: bool = False) -> tuple[str, tuple[float, float, float]]:
    """SHA-1 (where asked for), mean, minimum and maximum in one pass over memory."""
    digest = hashlib.sha1(usedforsecurity=False)
    total, low, high = 0.0, np.inf, -np.inf
    for block in _blocks(voxels):
        if hashed:
            digest.update(block.data)
        total += float(block.sum(dtype=np.float64))
        low, high = min(low, float(block.min())), max(high, float(block.max()))
    return digest.hexdigest(), (total / voxels.size, low, high)


def _blocks(voxels: NDArray[Any]) -> list[NDArray[Any]]:
    flat = np.ascontiguousarray(voxels).reshape(-1)
    return [flat[first : first + BLOCK] for first in range(0, flat.size, BLOCK)]


def _pieces(inside: NDArray[np.bool_]) -> int:
    """Number of 26-connected pieces."""
    import SimpleITK as sitk

    connected = sitk.ConnectedComponentImageFilter()
    connected.FullyConnectedOn()
    connected.SetNumberOfWorkUnits(1)
    connected.Execute(sitk.GetImageFromArray(np.ascontiguousarray(inside).view(np.uint8)))
    return int(connected.GetObjectCount())


def _xyz(zyx: NDArray[Any]) -> list[Any]:
    values: list[Any] = zyx[::-1].tolist()
    return values
