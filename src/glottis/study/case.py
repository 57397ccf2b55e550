"""The one path from an image and its mask to a row of features."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Protocol

import numpy as np

from glottis._errors import ImageError
from glottis.data.volume import Box, Mask, Volume
from glottis.features.extract import FeatureSettings, extract_with_bins
from glottis.features.filters import Filter, Inside
from glottis.preprocessing.mask import check_mask, correct_mask
from glottis.preprocessing.resample import Resample
from glottis.preprocessing.window import Resegment
from glottis.study import diagnostics
from glottis.study.case_warnings import flat_textures, without_value
from glottis.study.perturbation import Perturbation

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
        tolerance_in_voxels: that tolerance counts in voxels along x rather than in mm, as ITK and PyRadiomics have it.
        correct_mask: bring a mask on another grid onto the image's instead of refusing it.
        pre_crop_voxels: crop round the mask by this margin even where nothing is resampled; filters then see its
            edge. None filters as if the whole image were there.
        perturbation: a small change of image and mask, for robustness; None leaves them as they are.
        additional_info: tell what preparation made of image and mask, PyRadiomics' ``diagnostics_*``.
    """

    whole_image: tuple[ImageStep, ...] = ()
    resample: Resample | None = None
    resegment: Resegment | None = None
    resegment_shape: bool = False
    features: FeatureSettings = field(default_factory=FeatureSettings)
    minimum_voxels: int = 1
    minimum_dimensions: int = 2
    geometry_tolerance: float = GEOMETRY_TOLERANCE
    tolerance_in_voxels: bool = False
    correct_mask: bool = False
    pre_crop_voxels: int | None = None
    perturbation: Perturbation | None = None
    additional_info: bool = False

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
        n_bins: number of grey levels by image name.
        diagnostics: image and mask at each stage that changed them, as plain JSON values; empty where
            ``additional_info`` is off.
        warnings: sentences for the reader of the report; empty where nothing is to be said.
    """

    features: dict[str, float]
    n_bins: dict[str, int]
    diagnostics: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def extract_case(image: Volume, mask: Mask, settings: CaseSettings) -> CaseResult:
    """Take one image and one mask through every step to a row of features.

    Raises:
        ImageError: image and mask do not fit each other, the mask is empty, too small, or lost on the way.
    """
    found: dict[str, Any] = {}
    tell = settings.additional_info
    aligned = on_image_grid = _aligned(image, mask, settings)
    if settings.perturbation is not None:
        image = settings.perturbation.noisy(image, aligned)
    for step in settings.whole_image:
        image, aligned = step(image, aligned)
    cut_from = None
    # a mask on a grid of its own is interpolated once, from that grid, not twice
    drawn = mask if aligned is on_image_grid else aligned
    if settings.perturbation is not None:
        image, mask = _perturbed(image, drawn, settings.perturbation, settings)
    elif settings.resample is not None:
        image, mask = _resampled(image, drawn, settings.resample)
        if tell:
            found |= diagnostics.image_facts(image, "interpolated")
            found |= diagnostics.mask_facts(mask, "interpolated", image=image)
    else:
        if tell and aligned is not mask and settings.pre_crop_voxels is None:
            found |= diagnostics.mask_facts(aligned, "corrected", image=image)
        box = _box_to_keep(image, aligned, settings)
        cut_from = (image, box) if settings.pre_crop_voxels is None else None
        image, mask = image.crop(box), aligned.crop(box)
    _check(mask, settings)
    narrowed = _narrowed(image, mask, settings)
    warnings: list[str] = []
    if narrowed is not None:
        if tell:
            found |= diagnostics.mask_facts(narrowed, "resegmented", image=image, cut_from=cut_from)
        mask, lost = (narrowed, "") if settings.resegment_shape else _shape_mask(mask, narrowed)
        warnings += [lost] if lost else []
    features = _inside(image, narrowed or mask, settings)
    row = extract_with_bins(image, mask, features, intensity_mask=narrowed)
    warnings += [text for step in settings.features.filters for text in step.skipped(image)]
    warnings += flat_textures(row.n_bins, settings.features)
    warnings += without_value(row.features)
    return CaseResult(features=row.features, n_bins=row.n_bins, diagnostics=found, warnings=tuple(warnings))


def _aligned(image: Volume, mask: Mask, settings: CaseSettings) -> Mask:
    unit = image.spacing_mm[2] if settings.tolerance_in_voxels else 1.0
    difference = image.grid_difference(mask, tolerance=settings.geometry_tolerance * unit)
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


def _perturbed(image: Volume, mask: Mask, change: Perturbation, settings: CaseSettings) -> tuple[Volume, Mask]:
    """Image and mask after everything that moves them and redraws the outline, cropped as without a perturbation."""
    step = settings.resample
    if step is None and image.voxels.dtype.kind != "f":  # as the voxels of the file, not truncated
        image = image.with_voxels(image.voxels.astype(np.result_type(image.voxels.dtype, np.float32)))
    reach = max(each.reach_voxels(image.spacing_mm) for each in settings.features.filters)
    image, mask = _resampled(image, mask, change.resample(mask, step, reach if step is None else step.pad_voxels))
    mask = change.redrawn(image, mask)
    box = _box_to_keep(image, mask, settings) if step is None else mask.bounding_box(pad=step.pad_voxels)
    return image.crop(box), mask.crop(box)


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


def _inside(image: Volume, mask: Mask, settings: CaseSettings) -> FeatureSettings:
    """The same features; filters are asked for the mask's bounding box alone and shown no more than they need."""
    box = mask.bounding_box()
    edge_counts = settings.resample is not None or settings.pre_crop_voxels is not None
    filters = (
        Inside(step, box, None if edge_counts else _box_to_filter(image, mask, step))
        for step in settings.features.filters
    )
    return replace(settings.features, filters=tuple(filters))


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


def _box_to_keep(image: Volume, mask: Mask, settings: CaseSettings) -> Box:
    """The part of the image that all filters need."""
    if settings.pre_crop_voxels is not None:
        return mask.bounding_box(pad=settings.pre_crop_voxels)
    boxes = [_box_to_filter(image, mask, step) for step in settings.features.filters]
    z, y, x = (slice(min(p.start for p in axis), max(p.stop for p in axis)) for axis in zip(*boxes, strict=True))
    return z, y, x


def _box_to_filter(image: Volume, mask: Mask, step: Filter) -> Box:
    """The part of the image that must be filtered so that the mask sees what the whole image would give."""
    reach = step.reach_voxels(image.spacing_mm)
    inner = mask.bounding_box()
    box = mask.bounding_box(pad=reach)
    if not step.wraps_round:
        return box
    z, y, x = (
        slice(0, size) if part.start - reach < 0 or part.stop + reach > size else guarded
        for part, guarded, size in zip(inner, box, image.shape, strict=True)
    )
    return z, y, x


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
