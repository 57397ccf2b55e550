"""Settings from the command line, as PyRadiomics' ``--setting`` has them."""

from __future__ import annotations

import pytest

from glottis._errors import SettingsError
from glottis.study.overrides import read_overrides
from glottis.study.parameters import SETTINGS, parameters_from_dict


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("binWidth:0.5", 0.5),
        ("binWidth:1e-2", 0.01),
        ("binCount:32", 32),
        ("binCount:null", None),
        ("normalize:1", True),
        ("normalize:False", False),
        ("sigma:1,2.5", [1, 2.5]),
        ("resegmentRange:[-3,3]", [-3, 3]),
        ("interpolator:sitkLinear", "sitkLinear"),
        ("interpolator:3", 3),
        ("wavelet: haar", "haar"),
    ],
)
def test_a_value_has_the_kind_of_its_setting(text, expected):
    ((name, value),) = read_overrides([text]).items()
    assert name == text.partition(":")[0]
    assert value == expected
    assert type(value) is type(expected)


def test_what_is_written_out_is_what_a_file_would_say():
    texts = ["resampledPixelSpacing:1,1,0", "interpolator:sitkLinear", "binWidth:5", "preCrop:false"]
    content = {"resampledPixelSpacing": [1, 1, 0], "interpolator": "sitkLinear", "binWidth": 5, "preCrop": False}
    assert parameters_from_dict({}, settings=read_overrides(texts)) == parameters_from_dict({"setting": content})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("binWidth=5", "'binWidth=5' has no colon: write it as NAME:VALUE"),
        ("binWith:5", "'binWith' is no setting: did you mean 'binWidth'"),
        ("binWidth:wide", "binWidth must be a number, got 'wide'"),
        ("binCount:2.5", "binCount must be a whole number, got '2.5'"),
        ("normalize:yes", "normalize must be true or false, got 'yes'"),
        ("sigma:1,x", "sigma must be a list of numbers, got '1,x'"),
    ],
)
def test_a_slip_is_named(text, said):
    with pytest.raises(SettingsError) as caught:
        read_overrides([text])
    assert said in str(caught.value)


def test_every_kind_of_setting_can_be_written():
    kinds = {"a number": "1", "a whole number": "1", "true or false": "true", "a word": "x", "a list": "1,2"}
    assert len(read_overrides(f"{name}:{kinds[key.kind]}" for name, key in SETTINGS.items())) == len(SETTINGS)
