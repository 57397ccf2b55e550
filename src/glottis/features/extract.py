"""From one image and mask to a row of features, by PyRadiomics' names and in its order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis._errors import ImageError, SettingsError
from glottis.data.volume import Mask, Volume
from glottis.features import firstorder, shape, shape2d
from glottis.features.catalogue import CLASSES, default_names, require_feature
from glottis.features.discretise import Bins, Discretised, FixedBinWidth, discretise
from glottis.features.filters import Filter, Original, own_settings
from glottis.features.region import Region
from glottis.features.texture import glcm, glcm_dense, gldm, glrlm, glszm, ngtdm
from glottis.features.texture._kernels import (
    add_around,
    compare_neighbours,
    label_zones,
    scan_apart,
    scan_lines,
    scan_neighbours,
    split_lines,
)
from glottis.features.texture.settings import TextureSettings

MOST_LEVELS = 4000
"""Co-occurrence matrices of more grey levels than this need over 800 MB."""
LARGEST_INTENSITY = 1e70
"""Its fourth power, summed over all voxels, is still a double; the inverse bounds the range from below."""
LARGEST_TRIAL = 128
"""Side (voxels) of the largest image on which filters are asked for their names."""
_SHAPES = {"shape": 0, "shape2D": 1}
"""Classes that do not look at intensities, in the order in which they come."""
SCANNED = frozenset({"glcm", "gldm", "glrlm", "ngtdm"})


@dataclass(frozen=True, kw_only=True)
class FeatureSettings:
    """Which features of which images.

    Attributes:
        filters: steps that derive images; features come in their order.
        classes: feature class to the names wanted; ``None`` or ``()`` for all default ones. Deprecated features that
            still have a value (``StandardDeviation``, ``Compactness1``...) are given only when named.
        bins: how intensities become grey levels.
        texture: neighbours and directions of the texture matrices.
        voxel_array_shift: added to the intensities for first-order Energy, TotalEnergy and RootMeanSquared.

    Raises:
        SettingsError: no filter, a class or feature that is unknown or no longer has a value, or ``shape2D`` without
            a flat axis.
    """

    filters: tuple[Filter, ...] = (Original(),)
    classes: Mapping[str, tuple[str, ...] | None] = field(default_factory=lambda: dict.fromkeys(CLASSES))
    bins: Bins = field(default_factory=FixedBinWidth)
    texture: TextureSettings = field(default_factory=TextureSettings)
    voxel_array_shift: float = 0.0

    def __post_init__(self) -> None:
        if not self.filters:
            message = "No image filter is chosen: give at least Original()."
            raise SettingsError(message)
        for feature_class, names in self.classes.items():
            for name in names or ("",):
                require_feature(feature_class, name)
        if "shape2D" in self.classes and self.texture.flat_axis is None:
            message = "Feature class shape2D measures one slice: set force2D (flat_axis), or use the class 'shape'."
            raise SettingsError(message)

    def measured(self, step: Filter) -> FeatureSettings:
        """These settings, without shape, with those that a filter carries for its own images."""
        own = own_settings(step)
        if own.bins is None and own.texture is None and own.voxel_array_shift is None:
            return self
        return replace(
            self,
            classes={name: names for name, names in self.classes.items() if name not in _SHAPES},
            bins=self.bins if own.bins is None else own.bins,
            texture=self.texture if own.texture is None else own.texture,
            voxel_array_shift=self.voxel_array_shift if own.voxel_array_shift is None else own.voxel_array_shift,
        )

    def names_by_class(self) -> dict[str, tuple[str, ...]]:
        """Feature class to its wanted names, shape first, then ``shape2D``, the others as given."""
        ordered = sorted(self.classes, key=lambda feature_class: _SHAPES.get(feature_class, len(_SHAPES)))
        return {name: tuple(self.classes[name] or default_names(name)) for name in ordered}


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """Features of one image and mask.

    Attributes:
        features: value by name.
        n_bins: number of bins between the first edge and the maximum, by image name (``{"original": 37}``).
    """

    features: dict[str, float]
    n_bins: dict[str, int]


def extract_features(
    image: Volume, mask: Mask, settings: FeatureSettings, *, intensity_mask: Mask | None = None
) -> dict[str, float]:
    """Features of one image inside one mask; see ``extract_with_bins``."""
    return extract_with_bins(image, mask, settings, intensity_mask=intensity_mask).features


def extract_with_bins(
    image: Volume, mask: Mask, settings: FeatureSettings, *, intensity_mask: Mask | None = None
) -> Extraction:
    """Features of one image inside one mask, and how many bins each derived image fills.

    Args:
        image: already resampled and cropped, with the filters' reach left round the mask.
        mask: on the same voxels; gives the shape.
        settings: filters, classes and bins.
        intensity_mask: gives everything else where a re-segmentation narrowed the mask.

    Returns:
        features by name (``original_glcm_Contrast``), shape first, then image by image.

    Raises:
        ImageError: image and mask differ in size, a mask is empty, or an intensity is not finite or beyond 1e70.
        SettingsError: the bins are so narrow that texture matrices would not fit in memory.
    """
    inner = mask if intensity_mask is None else intensity_mask
    for other in (mask, inner):
        _check_same_size(image, other)
    wanted = settings.names_by_class()
    features: dict[str, float] = {}
    for shape_class in [name for name in _SHAPES if name in wanted]:
        names = wanted.pop(shape_class)
        found = _shape(shape_class, mask, settings.texture)
        features |= {f"original_{shape_class}_{name}": found[name] for name in names}
    n_bins: dict[str, int] = {}
    if wanted:
        regions: dict[TextureSettings, Region] = {}
        for step in settings.filters:
            measured = settings.measured(step)
            if measured.texture not in regions:
                regions[measured.texture] = Region.of(inner, measured.texture)
            region = regions[measured.texture]
            for image_name, derived in step(image):
                found_by_class, n_bins[image_name] = _of_image(derived, image_name, region, measured)
                features |= {
                    f"{image_name}_{feature_class}_{name}": found_by_class[feature_class][name]
                    for feature_class, names in wanted.items()
                    for name in names
                }
    return Extraction(features=features, n_bins=n_bins)


def _shape(shape_class: str, mask: Mask, texture: TextureSettings) -> dict[str, float]:
    if shape_class == "shape2D" and texture.flat_axis is not None:
        return shape2d.features(mask, texture.flat_axis)
    return shape.features(mask)


def feature_names(settings: FeatureSettings) -> list[str]:
    """Names that ``extract_features`` gives where the image is large enough for every filter, in the same order."""
    wanted = settings.names_by_class()
    names = [f"original_{shape_class}_{name}" for shape_class in _SHAPES for name in wanted.pop(shape_class, ())]
    return names + [
        f"{image_name}_{feature_class}_{name}"
        for image_name in image_names(settings.filters)
        for feature_class, class_names in wanted.items()
        for name in class_names
    ]


def image_names(filters: tuple[Filter, ...]) -> list[str]:
    """Names of the images that the filters derive from an image large enough for all of them."""
    return [name for step in filters for name, _ in step(_smallest_image(step))]


def _smallest_image(step: Filter) -> Volume:
    """An empty image of 1 mm voxels, grown until the filter leaves nothing out."""
    size = 4
    while True:
        image = Volume(voxels=np.zeros((size, size, size), dtype=np.float32), spacing_mm=(1.0, 1.0, 1.0))
        if size >= LARGEST_TRIAL or not step.skipped(image):
            return image
        size *= 2


def _check_same_size(image: Volume, mask: Mask) -> None:
    if image.shape != mask.shape:
        message = (
            f"Image and mask differ: {image.grid_difference(mask)}. Resample the mask to the image, or draw it on this "
            f"image."
        )
        raise ImageError(message)


def _check_intensities(values: NDArray[Any], name: str) -> None:
    """Refuse what first-order features, which go up to fourth powers, cannot hold."""
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        message = (
            f"Image '{name}' has {int(np.sum(~np.isfinite(values)))} intensities inside the mask that are not finite: "
            f"repair the image, or leave out the filter."
        )
        raise ImageError(message)
    if max(-low, high) > LARGEST_INTENSITY or 0 < high - low < 1 / LARGEST_INTENSITY:
        message = (
            f"Image '{name}' has intensities from {low:g} to {high:g} inside the mask, too large or too close for "
            f"their powers to be held: scale the image; ranges of 1 to 100000 are usual."
        )
        raise ImageError(message)


def _of_image(
    image: Volume, name: str, region: Region, settings: FeatureSettings
) -> tuple[dict[str, dict[str, float]], int]:
    """Features by class of one derived image, and its number of bins."""
    values = region.values(image.voxels)
    _check_intensities(values, name)
    grey = discretise(values, settings.bins)
    classes = settings.classes.keys()
    found: dict[str, dict[str, float]] = {}
    if "firstorder" in classes:
        volume = float(np.prod(image.spacing_mm[::-1]))
        found["firstorder"] = firstorder.features(
            values, grey.counts, voxel_volume_mm3=volume, shift=settings.voxel_array_shift
        )
    if classes & (SCANNED | {"glszm"}):
        found |= _textures(grey, name, region, settings)
    return found, grey.n_bins


def _textures(grey: Discretised, name: str, region: Region, settings: FeatureSettings) -> dict[str, dict[str, float]]:
    if len(grey.levels) > MOST_LEVELS:
        message = (
            f"Image '{name}' has {len(grey.levels)} grey levels, more than {MOST_LEVELS}: choose wider bins; 16 to 128 "
            f"levels suit most images."
        )
        raise SettingsError(message)
    classes = settings.classes.keys()
    grid, steps = region.place(grey), region.touching.steps
    first, last = int(region.where[0]), int(region.where[-1]) + 1
    earlier, later = compare_neighbours(grid.ranks, steps, first, last)
    found = {}
    if classes & SCANNED:
        n, longest = len(grey.levels), max(region.inside.shape)
        cells = scan_lines(grid.ranks, region.where, steps, n, longest)
        pairs, runs = split_lines(cells.reshape(len(steps), n + 1, n + longest + 2), grey.counts)
        sums = add_around(grid.levels, region.strides, first, last)
        dependences, differences = scan_neighbours(
            grid.ranks, region.where, grey.levels, region.touching.neighbours, earlier, later, sums, len(steps)
        )
        if region.apart is not region.touching or settings.texture.alpha > 0:
            pairs, dependences, differences = scan_apart(
                grid.ranks, grid.levels, region.where, region.apart.steps, n, float(settings.texture.alpha)
            )
        makers: dict[str, Callable[[], dict[str, float]]] = {
            "glcm": lambda: _glcm(pairs, grey, region, settings.texture),
            "gldm": lambda: gldm.features(dependences, grey.levels),
            "glrlm": lambda: glrlm.features(runs, grey.levels, region.lines, _run_weights(region, settings.texture)),
            "ngtdm": lambda: ngtdm.features(grey.counts, differences, grey.levels),
        }
        found = {feature_class: make() for feature_class, make in makers.items() if feature_class in classes}
    if "glszm" in classes:
        zone_ranks, zone_sizes = label_zones(grid.ranks, region.where, steps, earlier, region.joins)
        found["glszm"] = glszm.features(zone_ranks, zone_sizes, grey.levels)
    return found


def _glcm(pairs: Any, grey: Discretised, region: Region, texture: TextureSettings) -> dict[str, float]:
    if texture.symmetric and texture.weighting is None:
        return glcm.features(pairs, grey.levels)
    weights = None
    if texture.weighting is not None:
        lengths = texture.lengths(region.apart.directions, region.spacing_mm)
        weights = np.ones(len(pairs)) if lengths is None else np.exp(-(lengths**2))
    return glcm_dense.features(pairs, grey.levels, symmetric=texture.symmetric, weights=weights)


def _run_weights(region: Region, texture: TextureSettings) -> Any:
    if texture.weighting is None:
        return None
    lengths = texture.lengths(region.touching.directions, region.spacing_mm)
    return np.ones(len(region.lines)) if lengths is None else lengths
