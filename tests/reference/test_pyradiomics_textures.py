"""Values of PyRadiomics 3.0.1 under every option of the texture matrices, and slice by slice on all real cases."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from test_pyradiomics_native import PYRADIOMICS, SARCOMA, far_off, read_case, reference

from glottis.data.volume import Mask, Volume
from glottis.features.discretise import FixedBinCount, FixedBinWidth
from glottis.features.extract import FeatureSettings, extract_features
from glottis.features.texture.settings import TextureSettings

STORED = json.loads(Path(__file__).with_name("pyradiomics_textures.json").read_text())
GENERATED = [row for row in STORED["rows"] if row["case"] not in PYRADIOMICS]
REAL = [row for row in STORED["rows"] if row["case"] in PYRADIOMICS]
GENERATOR = {
    "ragged": ((6, 7, 8), 25, 70),
    "sparse": ((6, 6, 7), 40, 12),
    "slice": ((1, 8, 9), 20, 80),
    "column": ((7, 1, 9), 20, 85),
    "coarse": ((5, 6, 7), 60, 90),
}
TEXTURES = ("glcm", "gldm", "glrlm", "glszm", "ngtdm")
INTENSITIES = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")


def generated(name, spacing):
    """The volumes of make_pyradiomics_textures.py: a multiplicative hash of the voxel index."""
    shape, step, share = GENERATOR[name]
    index = np.arange(math.prod(shape), dtype=np.int64)
    first = index * 2654435761 % 4294967291 // 65536 % 180
    second = (index + 17) * 40503 * 2654435761 % 4294967291 // 65536 % 100
    image = Volume(voxels=(first // step * step).reshape(shape).astype(np.int16), spacing_mm=spacing)
    return image, Mask(voxels=(second < share).reshape(shape), spacing_mm=spacing)


def texture(settings):
    """PyRadiomics' settings as ours."""
    flat = settings.get("force2Ddimension", 0) if settings.get("force2D") else None
    return TextureSettings(
        distances=tuple(settings.get("distances", [1])), flat_axis=flat, weighting=settings.get("weightingNorm"),
        symmetric=settings.get("symmetricalGLCM", True), alpha=settings.get("gldm_a", 0),
    )  # fmt: skip


def deviations(image, mask, row):
    settings = FeatureSettings(
        classes=dict.fromkeys(TEXTURES), bins=FixedBinWidth(25), texture=texture(row["settings"])
    )
    expected = dict(zip(STORED["names"], row["values"], strict=True))
    return far_off(extract_features(image, mask, settings), expected)


def label(row):
    return f"{row['case']}: {row['option']}"


@pytest.mark.parametrize("row", GENERATED, ids=label)
def test_an_option_has_pyradiomics_values_on_a_small_volume(row):
    image, mask = generated(row["case"].split(",")[0], tuple(row["spacing_xyz"][::-1]))
    assert deviations(image, mask, row) == {}


@pytest.mark.parametrize("row", REAL, ids=label)
def test_an_option_has_pyradiomics_values_on_a_real_case(shared_data, row):
    image, mask = read_case(shared_data, row["case"])
    assert deviations(image, mask, row) == {}


def test_options_differ_from_each_other():
    by_option = {row["option"]: row["values"] for row in GENERATED if row["case"].startswith("ragged, thick")}
    assert len({tuple(values) for values in by_option.values()}) == len(by_option)


@pytest.mark.parametrize("case", PYRADIOMICS + SARCOMA)
def test_slices_at_two_distances_have_pyradiomics_values(shared_data, case):
    image, mask = read_case(shared_data, case)
    settings = FeatureSettings(
        classes=dict.fromkeys(INTENSITIES), bins=FixedBinCount(32),
        texture=TextureSettings(distances=(1, 2), flat_axis=0, symmetric=False),
    )  # fmt: skip
    assert far_off(extract_features(image, mask, settings), reference(shared_data, case, "force2d-bincount")) == {}


@pytest.mark.parametrize("case", PYRADIOMICS)
def test_directions_weighted_by_length_have_pyradiomics_values(shared_data, case):
    image, mask = read_case(shared_data, case)
    settings = FeatureSettings(texture=TextureSettings(weighting="euclidean"))
    assert far_off(extract_features(image, mask, settings), reference(shared_data, case, "glcm-weighted")) == {}
