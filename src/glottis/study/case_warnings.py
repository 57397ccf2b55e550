"""What is to be said of one case's features: flat textures, and features without a value."""

from __future__ import annotations

import math
from collections.abc import Mapping

from glottis.features.discretise import FixedBinWidth
from glottis.features.extract import FeatureSettings
from glottis.features.filters import own_settings

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


def flat_textures(n_bins: Mapping[str, int], settings: FeatureSettings) -> list[str]:
    """Sentences on images with so few or so many bins that their textures say little."""
    if not isinstance(settings.bins, FixedBinWidth):
        return []
    own = any(own_settings(step).bins is not None for step in settings.filters)
    width = "the bin width" if own else f"a bin width of {settings.bins.width:g}"
    few = [f"{name} {n}" for name, n in n_bins.items() if n < FEWEST_BINS]
    many = [f"{name} {n}" for name, n in n_bins.items() if n > MOST_BINS]
    warnings = []
    if few:
        warnings.append(
            f"Flat textures: {width} leaves fewer than {FEWEST_BINS} bins in {', '.join(few)}; "
            f"use a smaller width or a larger normalisation scale (16 to 128 bins are usual)."
        )
    if many:
        warnings.append(
            f"Too many bins: {width} gives more than {MOST_BINS} in {', '.join(many)}; use a "
            f"larger width (16 to 128 bins are usual)."
        )
    return warnings


def without_value(features: Mapping[str, float]) -> list[str]:
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
