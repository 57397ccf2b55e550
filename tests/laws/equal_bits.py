"""Cases to extract in threads and in other processes, and what they give as text that holds every bit."""

from __future__ import annotations

import sys

import numpy as np

from glottis.data.volume import Mask, Volume
from glottis.features.extract import FeatureSettings
from glottis.features.filters import LaplacianOfGaussian, Original, Wavelet
from glottis.features.texture.settings import TextureSettings
from glottis.preprocessing.resample import Resample
from glottis.study.case import CaseSettings, extract_case

FILTERS = (Original(), Wavelet(), LaplacianOfGaussian((1, 2)))
RECIPES = (
    CaseSettings(features=FeatureSettings(filters=FILTERS), resample=Resample()),
    CaseSettings(features=FeatureSettings(filters=FILTERS)),
    CaseSettings(features=FeatureSettings(texture=TextureSettings(distances=(1, 2), symmetric=False, flat_axis=0))),
    CaseSettings(features=FeatureSettings(texture=TextureSettings(weighting="euclidean"))),
)
N_CASES = 12


def case(number: int) -> tuple[Volume, Mask]:
    """Images of several sizes and pixel types with ragged masks."""
    rng = np.random.default_rng(number)
    shape = (18 + number, 24, 30 - number)
    voxels = rng.normal(100, 60, shape).astype(("f4", "i2", "f8", "u1")[number % 4])
    inside = np.zeros(shape, dtype=bool)
    inside[4:14, 5:18, 6:16] = rng.random((10, 13, 10)) < 0.8
    spacing = (1.3, 0.9, 1.1)
    return Volume(voxels=voxels, spacing_mm=spacing), Mask(voxels=inside, spacing_mm=spacing)


def extracted(number: int) -> str:
    """Every value of a case in full (``repr`` of a float tells its bits; NaN is NaN)."""
    return repr(list(extract_case(*case(number), RECIPES[number % len(RECIPES)]).features.items()))


if __name__ == "__main__":
    for number in map(int, sys.argv[1:]):
        print(extracted(number))
