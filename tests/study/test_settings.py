"""The features block of a study file becomes filters."""

from __future__ import annotations

from pathlib import Path

import pytest

from glottis._errors import SettingsError
from glottis.features.discretise import FixedBinWidth
from glottis.features.filters import Original, With
from glottis.features.gradient import Gradient
from glottis.features.lbp2d import LBP2D
from glottis.features.lbp3d import LBP3D
from glottis.features.pointwise import Exponential, Square
from glottis.study.settings import case_settings
from glottis.study.spec import study_from_dict


def filters(**features):
    study = study_from_dict(
        {
            "title": "t",
            "manifest": "m.csv",
            "id": "patient",
            "outcome": {"column": "y"},
            "sequences": {"T1": {"image": "i", "mask": "m"}},
            "features": {"wavelet": None, **features},
        }
    )
    assert study.manifest == Path("m.csv")
    return case_settings(study, "T1").features.filters


def test_curves_and_gradient_follow_the_original():
    chosen = filters(curves=["exponential", "square"], gradient={"use_spacing": False})
    assert chosen == (Original(), Exponential(), Square(), Gradient(use_spacing=False))


def test_local_binary_patterns_have_bins_of_their_own():
    assert filters(original=False, lbp2d={"radius": 2, "samples": 12}, lbp3d={"levels": 3, "bin_width": 0.25}) == (
        With(LBP2D(radius=2.0, samples=12), bins=FixedBinWidth(1.0)),
        With(LBP3D(levels=3), bins=FixedBinWidth(0.25)),
    )


def test_no_image_at_all_is_refused():
    with pytest.raises(SettingsError, match="one of original, wavelet, log, curves, gradient, lbp2d, lbp3d"):
        filters(original=False)


def test_an_unknown_curve_is_refused():
    with pytest.raises(SettingsError, match=r"'features.curves.0'.*'square', 'squareroot'"):
        filters(curves=["cube"])
