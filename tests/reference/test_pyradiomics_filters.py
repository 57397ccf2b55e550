"""Image types, interpolators and settings against PyRadiomics 3.0.1 on one small generated volume."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from glottis.data.volume import IDENTITY, Mask, Volume
from glottis.study.case import extract_case
from glottis.study.parameters import parameters_from_dict

STORED = json.loads(Path(__file__).with_name("pyradiomics_filters.json").read_text())
RELATIVE, ABSOLUTE = 1e-6, 1e-10
"""Below the absolute bound a value is rounding: entropies of one level, means of detail bands."""


def read(pixel_type="int16", mask="blob", direction=IDENTITY, mask_origin=None):
    shape, spacing = STORED["shape"], tuple(STORED["spacing_xyz"][::-1])
    voxels = (np.array(STORED["volume"], dtype=np.int16).reshape(shape) * STORED["scale"][pixel_type]).astype(
        pixel_type
    )
    drawn = np.zeros(shape, dtype=bool)
    drawn.ravel()[STORED["masks"][mask]] = True
    grid = {"spacing_mm": spacing, "direction": tuple(direction)}
    origin = tuple(STORED["origin"])
    image = Volume(voxels=voxels, origin_mm=origin, **grid)
    return image, Mask(voxels=drawn, origin_mm=tuple(mask_origin or origin), **grid)


def far_off(job):
    """Features that differ from PyRadiomics' on the same image, with both values."""
    settings = parameters_from_dict({"featureClass": STORED["featureClass"], **job["content"]}).case
    ours, theirs = extract_case(*read(**job["source"]), settings).features, job["features"]
    assert list(ours) == list(theirs)
    return {
        name: (ours[name], value)
        for name, value in theirs.items()
        if not math.isclose(ours[name], value, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    }


@pytest.mark.parametrize("name", STORED["filter_jobs"])
def test_filtered_images_equal_pyradiomics(name):
    assert far_off(STORED["filter_jobs"][name]) == {}


@pytest.mark.parametrize("name", STORED["resampling_jobs"])
def test_resampled_images_equal_pyradiomics(name):
    assert far_off(STORED["resampling_jobs"][name]) == {}


@pytest.mark.parametrize("name", STORED["intensity_jobs"])
def test_normalised_and_resegmented_images_equal_pyradiomics(name):
    assert far_off(STORED["intensity_jobs"][name]) == {}


@pytest.mark.parametrize("name", STORED["own_jobs"])
def test_settings_of_one_image_type_equal_pyradiomics(name):
    assert far_off(STORED["own_jobs"][name]) == {}
