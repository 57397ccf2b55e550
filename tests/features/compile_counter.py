"""Extract images of many pixel types and print which compiled loops were made for which; run by test_compiled_once.

Run in a process of its own: what other tests compiled would hide what an extraction compiles.
"""

import importlib
import json
import pkgutil
import tempfile
from pathlib import Path

import numpy as np
from numba.core.dispatcher import Dispatcher

import glottis
from glottis.data.volume import Mask, Volume
from glottis.features.extract import FeatureSettings
from glottis.features.filters import LaplacianOfGaussian, Original, Wavelet
from glottis.preprocessing.normalise import ZScore
from glottis.preprocessing.resample import Resample
from glottis.study.case import CaseSettings, extract_case

WITH_KERNELS = ("glottis.features", "glottis.preprocessing", "glottis.evaluation", "glottis.io", "glottis.data")
SPACING = (1.5, 1.2, 1.3)
FILTERS = FeatureSettings(filters=(Original(), Wavelet(), LaplacianOfGaussian((1,))))
PATHS = (
    CaseSettings(features=FILTERS),
    CaseSettings(features=FILTERS, resample=Resample()),
    CaseSettings(features=FILTERS, resample=Resample(interpolator="linear")),
    CaseSettings(features=FILTERS, resample=Resample(interpolator="nearest"), whole_image=(ZScore(),)),
)
FIRST = ("float32", "int16")
OTHERS = ("float64", "uint8", "int8", "uint16", "int32", "uint32", "int64", ">i2", ">i4", ">f4", ">f8")


def kernels():
    for module in pkgutil.walk_packages(glottis.__path__, "glottis."):
        if module.name.startswith(WITH_KERNELS):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, Dispatcher) and value.py_func.__module__ == module.name:
                    yield f"{module.name}.{name}", value


def compiled(dispatchers):
    return {f"{name}{signature}" for name, dispatcher in dispatchers for signature in dispatcher.signatures}


def as_frozen(voxels):
    copy = voxels.copy()
    copy.flags.writeable = False
    return copy


def as_mapped(voxels):
    path = Path(tempfile.mkdtemp()) / "voxels.npy"
    np.save(path, voxels)
    return np.load(path, mmap_mode="r")


LAYOUTS = {
    "frozen": as_frozen,
    "mapped": as_mapped,
    "Fortran": np.asfortranarray,
    "strided": lambda voxels: np.repeat(voxels, 2, axis=2)[:, :, ::2],
    "reversed": lambda voxels: np.ascontiguousarray(voxels[:, ::-1])[:, ::-1],
}


def main():
    rng = np.random.default_rng(0)
    voxels = rng.integers(0, 100, (14, 15, 16))
    inside = np.zeros(voxels.shape, dtype=bool)
    inside[3:11, 3:11, 3:12] = rng.random((8, 8, 9)) < 0.8
    dispatchers = list(kernels())

    def extract(image, mask):
        for settings in PATHS:
            extract_case(Volume(voxels=image, spacing_mm=SPACING), Mask(voxels=mask, spacing_mm=SPACING), settings)

    for kind in FIRST:
        extract(voxels.astype(kind), inside)
    known = first = compiled(dispatchers)
    grown = {}
    for kind in FIRST + OTHERS:
        for name, layout in {"plain": np.asarray, **LAYOUTS}.items():
            extract(layout(voxels.astype(kind)), layout(inside))
            now = compiled(dispatchers)
            grown[f"{kind} {name}"] = sorted(now - known)
            known = now
    print(json.dumps({"first": sorted(first), "grown": {name: new for name, new in grown.items() if new}}))


if __name__ == "__main__":
    main()
