"""The ``diagnostics_*`` columns of PyRadiomics 3.0.1, on generated images and at every stage of preparation."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from generated_scan import CASES, generated_scan

from glottis import extract

EXPECTED = json.loads(Path(__file__).with_name("pyradiomics_diagnostics.json").read_text())


def as_image(voxels, spacing, origin, direction):
    image = sitk.GetImageFromArray(voxels, isVector=voxels.ndim == 4)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    return image


def row_of(name):
    pixel_type, mask_kind, content, own = CASES[name]
    image, mask = (as_image(**part) for part in generated_scan(pixel_type, mask_kind))
    settings = {"label_channel": own["label_channel"]} if "label_channel" in own else None
    params = {**content, "featureClass": {"firstorder": ["Mean"]}}
    found = extract([(image, mask)], params=params, settings=settings, label=own.get("label"))
    assert found.failures == ()
    return {name: value for name, value in found.records[0].items() if name not in ("Image", "Mask")}


@pytest.mark.parametrize("name", CASES)
def test_diagnostics_have_pyradiomics_names_order_and_values(name):
    found, expected = row_of(name), EXPECTED[name]
    assert list(found) == list(expected)
    for key in (key for key in expected if "Versions" not in key):
        if isinstance(expected[key], str | dict):
            assert found[key] == expected[key], key
        else:
            np.testing.assert_allclose(found[key], expected[key], rtol=1e-6, atol=1e-9, err_msg=key)
