"""Which features have no value, for which masks, and what is said about it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from glottis.data.volume import Mask, Volume
from glottis.features.catalogue import default_names
from glottis.features.extract import FeatureSettings
from glottis.features.filters import Original, Wavelet
from glottis.features.texture.settings import TextureSettings
from glottis.study.case import CaseSettings, extract_case

ALL_GLCM = {f"glcm_{name}" for name in default_names("glcm")}
ALL_GLRLM = {f"glrlm_{name}" for name in default_names("glrlm")}
ROBUST = "firstorder_RobustMeanAbsoluteDeviation"


def string_along_edges():
    """Voxels whose mesh is open and encloses no volume."""
    inside = np.zeros((3, 3, 3))
    inside[[0, 0, 1, 2], [0, 2, 2, 2], [0, 2, 1, 0]] = 1
    return inside


MASKS = {
    "a cube": (np.ones((3, 3, 3)), set()),
    "three in a row": (np.ones((1, 1, 3)), set()),
    "two that touch": (np.ones((1, 1, 2)), {ROBUST}),
    "a string along edges": (string_along_edges(), {"shape_SurfaceVolumeRatio"}),
    "two on one line": (np.array([[[1, 0, 0, 1]]]), {ROBUST} | ALL_GLCM),
    "two on no common line": (np.array([[[1, 0, 0], [0, 0, 1]]]), {ROBUST} | ALL_GLCM | ALL_GLRLM),
    "three on no common line": (np.array([[[1, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 1]]]), ALL_GLCM | ALL_GLRLM),
}


def row(inside, *, wavelet=False, flat=False):
    """The result of a mask over rising intensities, or over a flat image."""
    voxels = np.full(inside.shape, 5.0) if flat else np.arange(inside.size, dtype=float).reshape(inside.shape) * 30
    filters = (Original(), Wavelet("haar")) if wavelet else (Original(),)
    image, mask = Volume(voxels=voxels, spacing_mm=(1.0, 1.0, 1.0)), Mask(voxels=inside, spacing_mm=(1.0, 1.0, 1.0))
    return extract_case(image, mask, CaseSettings(features=FeatureSettings(filters=filters), minimum_dimensions=1))


def without_value(result):
    return {name.split("_", 1)[1] for name, value in result.features.items() if math.isnan(value)}


@pytest.mark.parametrize("name", MASKS)
def test_these_features_have_no_value(name):
    inside, expected = MASKS[name]
    result = row(inside)
    assert without_value(result) == expected
    assert any(text.startswith("No value for") for text in result.warnings) == bool(expected)


def test_a_flat_image_keeps_mcc_and_the_robust_deviation():
    assert without_value(row(MASKS["two on one line"][0], flat=True)) == ALL_GLCM - {"glcm_MCC"}


def test_the_reason_names_features_and_images():
    warnings = row(MASKS["two on no common line"][0], wavelet=True).warnings
    said = [text for text in warnings if text.startswith("No value for")]
    assert any(
        text.startswith("No value for glcm Autocorrelation and 23 more of its class in original, ")
        and "no two voxels of the mask are neighbours" in text
        and text.endswith("; draw a larger mask, or leave these features out.")
        for text in said
    )
    assert any(
        "glrlm GrayLevelNonUniformity and 15 more" in text and "no line holds two voxels" in text for text in said
    )
    assert any(f"{ROBUST.replace('_', ' ')} in original" in text and "10th and the 90th" in text for text in said)


def test_weights_that_vanish_are_a_reason():
    mask = Mask(voxels=np.ones((3, 3, 3)), spacing_mm=(30.0, 30.0, 30.0))
    image = Volume(voxels=np.arange(27.0).reshape(3, 3, 3) * 30, spacing_mm=mask.spacing_mm)
    settings = CaseSettings(features=FeatureSettings(texture=TextureSettings(weighting="euclidean")))
    result = extract_case(image, mask, settings)
    assert without_value(result) == ALL_GLCM
    assert any("so far apart that their weights vanish" in text for text in result.warnings)
