"""The one path from an image and its mask to a row of features."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Protocol

import numpy as np

from glottis._errors import ImageError
from glottis.data.volume import Box, Mask, Volume
from glottis.features.discretise import FixedBinWidth
from glottis.features.extract import FeatureSettings, extract_with_bins
from glottis.features.filters import Inside
from glottis.preprocessing.mask import check_mask, correct_mask
from glottis.preprocessing.resample import Resample
from glottis.preprocessing.window import Resegment

FEWEST_BINS, MOST_BINS = 8, 256
"""Outside this number of bins texture says little: a flat image, or one bin a voxel."""

WITHOUT_VALUE = {
    "SurfaceVolumeRatio": "the mesh round the mask encloses no volume",
    "SphericalDisproportion": "the mesh round the mask encloses no volume",
    "RobustMeanAbsoluteDeviation": "no voxel lies between the 10th and the 90th percentile",
    "Imc2": "no two voxels of the mask are neighbours, or their grey levels are independent to within rounding",
    "glcm": "no two voxels of the mask are neighbours, or they lie so far apart that their weights vanish",
    "glrlm": "no line holds two voxels of the mask",
}
"""Why a feature, or else a class of features, can be NaN."""

GEOMETRY_TOLERANCE = 1e-5
"""In mm; NIfTI keeps spacing in single precision, so that grids which are the same differ by about 1e-7."""


class ImageStep(Protocol):
    """A step on image and mask; it does not learn from other patients."""

    def __call__(self, image: Volume, mask: Mask) -> tuple[Volume, Mask]:
        """Return the new image and mask."""
        ...


@dataclass(frozen=True, kw_only=True)
class CaseSettings:
    """Everything between the files and the features of one sequence.

    Attributes:
        whole_image: steps that look at the whole image, in order, before anything is cropped: N4, normalisation,
            window.
        resample: voxel size and interpolation; None keeps the voxels of the file.
        resegment: intensity range that narrows the mask for all but shape; None keeps the mask.
        resegment_shape: measure shape on the narrowed mask too.
        features: filters, feature classes and grey levels.
        minimum_voxels: smallest mask that is accepted, counted after resampling.
        minimum_dimensions: 1 accepts a line, 2 a single slice, 3 volumes only.
        geometry_tolerance: largest difference between the grids of image and mask, in mm (direction: without unit).
        correct_mask: bring a mask on another grid onto the image's instead of refusing it.
        pre_crop_voxels: crop round the mask by this margin even where nothing is resampled; filters then see its
            edge. None filters as if the whole image were there.
    """

    whole_image: tuple[ImageStep, ...] = ()
    resample: Resample | None = None
    resegment: Resegment | None = None
    resegment_shape: bool = False
    features: FeatureSettings = field(default_factory=FeatureSettings)
    minimum_voxels: int = 1
    minimum_dimensions: int = 2
    geometry_tolerance: float = GEOMETRY_TOLERANCE
    correct_mask: bool = False
    pre_crop_voxels: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain JSON values; equal settings give equal dictionaries on every machine."""
        plain: dict[str, Any] = _plain(self)
        return plain

    def content_key(self) -> str:
        """SHA-256 of ``to_dict()``: the part of a cache key that says how features were made."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """What one image and mask gave.

    Attributes:
        features: value by name, in PyRadiomics' order.
        diagnostics: versions, sizes, spacings, voxel counts and bins, as plain JSON values.
        warnings: sentences for the reader of the report; empty where nothing is to be said.
    """

    features: dict[str, float]
    diagnostics: dict[str, Any]
    warnings: tuple[str, ...] = ()


def extract_case(image: Volume, mask: Mask, settings: CaseSettings) -> CaseResult:
    """Take one image and one mask through every step to a row of features.

    Raises:
        ImageError: image and mask do not fit each other, the mask is empty, too small, or lost on the way.
    """
    diagnostics = {**_versions(), **_image_facts(image, "original"), **_mask_facts(mask, "original")}
    aligned = on_image_grid = _aligned(image, mask, settings)
    for step in settings.whole_image:
        image, aligned = step(image, aligned)
    if settings.resample is not None:
        # a mask on a grid of its own is interpolated once, from that grid, not twice
        image, mask = _resampled(image, mask if aligned is on_image_grid else aligned, settings.resample)
        diagnostics |= {**_image_facts(image, "interpolated"), **_mask_facts(mask, "interpolated")}
    else:
        box = _box_to_filter(image, aligned, settings)
        image, mask = image.crop(box), aligned.crop(box)
    _check(mask, settings)
    narrowed = _narrowed(image, mask, settings)
    warnings: list[str] = []
    if narrowed is not None:
        diagnostics |= _mask_facts(narrowed, "resegmented")
        mask, lost = (narrowed, "") if settings.resegment_shape else _shape_mask(mask, narrowed)
        warnings += [lost] if lost else []
    found = extract_with_bins(image, mask, _inside(settings.features, narrowed or mask), intensity_mask=narrowed)
    diagnostics |= {f"diagnostics_Bins_{name}": n for name, n in found.n_bins.items()}
    warnings += [text for step in settings.features.filters for text in step.skipped(image)]
    warnings += _flat_textures(found.n_bins, settings.features)
    warnings += _without_value(found.features)
    return CaseResult(features=found.features, diagnostics=diagnostics, warnings=tuple(warnings))


def _aligned(image: Volume, mask: Mask, settings: CaseSettings) -> Mask:
    difference = image.grid_difference(mask, tolerance=settings.geometry_tolerance)
    if not difference:
        return mask
    if settings.correct_mask:
        return correct_mask(mask, image)
    message = (
        f"Image and mask lie on different grids ({difference}): draw the mask on this image, or let it be resampled "
        f"with correct_mask (correctMask in a parameter file), or raise the geometry tolerance of "
        f"{settings.geometry_tolerance:g}."
    )
    raise ImageError(message)


def _resampled(image: Volume, mask: Mask, step: Resample) -> tuple[Volume, Mask]:
    resampled, new_mask = step(image, mask)
    if not new_mask.voxels.any():
        spacing = " x ".join(f"{size:g}" for size in step.spacing_mm)
        message = (
            f"The mask of {mask.n_voxels} voxels is empty after resampling to {spacing} mm: use smaller voxels, or "
            f"check that image and mask share an affine."
        )
        raise ImageError(message)
    return resampled, new_mask


def _check(mask: Mask, settings: CaseSettings) -> None:
    check_mask(mask, minimum_voxels=settings.minimum_voxels, minimum_dimensions=settings.minimum_dimensions)


def _narrowed(image: Volume, mask: Mask, settings: CaseSettings) -> Mask | None:
    if settings.resegment is None:
        return None
    _, narrowed = settings.resegment(image, mask)
    _check(narrowed, settings)
    return narrowed


def _inside(settings: FeatureSettings, mask: Mask) -> FeatureSettings:
    """The same features; filters are asked for the mask's bounding box alone."""
    box = mask.bounding_box()
    return replace(settings, filters=tuple(Inside(step, box) for step in settings.filters))


def _shape_mask(mask: Mask, narrowed: Mask) -> tuple[Mask, str]:
    """The mask that shape is measured on: as PyRadiomics 3.0.1 has it, cut to the narrowed mask's bounding box."""
    box = narrowed.bounding_box()
    voxels = np.zeros(mask.shape, dtype=bool)
    voxels[box] = mask.voxels[box]
    cut = replace(mask, voxels=voxels)
    lost = mask.n_voxels - cut.n_voxels
    if not lost:
        return mask, ""
    warning = (
        f"Shape leaves out {lost} of {mask.n_voxels} mask voxels: PyRadiomics 3.0.1 measures it inside the bounding "
        f"box of the re-segmented mask; widen the re-segmentation range if shape matters."
    )
    return cut, warning


def _box_to_filter(image: Volume, mask: Mask, settings: CaseSettings) -> Box:
    """The part of the image that must be filtered so that the mask sees what the whole image would give."""
    if settings.pre_crop_voxels is not None:
        return mask.bounding_box(pad=settings.pre_crop_voxels)
    filters = settings.features.filters
    reach = max(step.reach_voxels(image.spacing_mm) for step in filters)
    inner = mask.bounding_box()
    box = mask.bounding_box(pad=reach)
    if not any(step.wraps_round for step in filters):
        return box
    whole = [
        slice(0, size) if part.start - reach < 0 or part.stop + reach > size else guarded
        for part, guarded, size in zip(inner, box, image.shape, strict=True)
    ]
    return whole[0], whole[1], whole[2]


def _flat_textures(n_bins: Mapping[str, int], settings: FeatureSettings) -> list[str]:
    if not isinstance(settings.bins, FixedBinWidth):
        return []
    width = settings.bins.width
    few = [f"{name} {n}" for name, n in n_bins.items() if n < FEWEST_BINS]
    many = [f"{name} {n}" for name, n in n_bins.items() if n > MOST_BINS]
    warnings = []
    if few:
        warnings.append(
            f"Flat textures: a bin width of {width:g} leaves fewer than {FEWEST_BINS} bins in {', '.join(few)}; "
            f"use a smaller width or a larger normalisation scale (16 to 128 bins are usual)."
        )
    if many:
        warnings.append(
            f"Too many bins: a bin width of {width:g} gives more than {MOST_BINS} in {', '.join(many)}; use a "
            f"larger width (16 to 128 bins are usual)."
        )
    return warnings


def _without_value(features: Mapping[str, float]) -> list[str]:
    """A sentence for every reason why features are NaN and the features that it concerns, with their images."""
    empty = [name.split("_", 2) for name, value in features.items() if math.isnan(value)]
    whole = {(image, kind) for image, kind, name in empty if kind in WITHOUT_VALUE and name not in WITHOUT_VALUE}
    by_image: dict[tuple[str, str], list[str]] = {}
    for image, kind, name in empty:
        why = WITHOUT_VALUE.get(kind if (image, kind) in whole else name, "the mask is too small or too thin")
        by_image.setdefault((image, why), []).append(f"{kind} {name}")
    images: dict[tuple[str, str], list[str]] = {}
    for (image, why), names in by_image.items():
        images.setdefault((_first_few(names), why), []).append(image)
    return [
        f"No value for {names} in {', '.join(where)}: {why}; draw a larger mask, or leave these features out."
        for (names, why), where in images.items()
    ]


def _first_few(names: list[str]) -> str:
    """Up to three names in full, of more the first and their number."""
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} and {len(names) - 1} more of its class"


def _versions() -> dict[str, Any]:
    from glottis import __version__

    return {"diagnostics_Versions_glottis": __version__, "diagnostics_Versions_Numpy": np.__version__}


def _image_facts(image: Volume, stage: str) -> dict[str, Any]:
    return {
        f"diagnostics_Image-{stage}_Spacing": [float(step) for step in image.spacing_mm[::-1]],
        f"diagnostics_Image-{stage}_Size": [int(size) for size in image.shape[::-1]],
    }


def _mask_facts(mask: Mask, stage: str) -> dict[str, Any]:
    box = mask.bounding_box()[::-1]
    return {
        f"diagnostics_Mask-{stage}_Spacing": [float(step) for step in mask.spacing_mm[::-1]],
        f"diagnostics_Mask-{stage}_Size": [int(size) for size in mask.shape[::-1]],
        f"diagnostics_Mask-{stage}_BoundingBox": [p.start for p in box] + [p.stop - p.start for p in box],
        f"diagnostics_Mask-{stage}_VoxelNum": mask.n_voxels,
    }


def _plain(value: Any) -> Any:
    """Settings as JSON: a step becomes a dictionary that names its class, an image the hash of its content."""
    if isinstance(value, Volume):
        return {"step": type(value).__name__, "sha256": _content_hash(value)}
    if is_dataclass(value) and not isinstance(value, type):
        return {"step": type(value).__name__} | {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float) and value.is_integer():
        return int(value)  # 100 and 100.0 are one setting
    return value


def _content_hash(volume: Volume) -> str:
    place = repr((volume.shape, str(volume.voxels.dtype), volume.spacing_mm, volume.origin_mm, volume.direction))
    return hashlib.sha256(place.encode() + np.ascontiguousarray(volume.voxels).tobytes()).hexdigest()
