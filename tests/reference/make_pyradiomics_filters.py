"""Write pyradiomics_filters.json: PyRadiomics 3.0.1 on one small generated volume, one entry a job below.

Run in an environment of Python 3.11 with ``pyradiomics==3.0.1``, ``numpy<2``, ``scikit-image``, ``trimesh`` and
``scipy<1.12`` (newer ones lack what LBP3D imports): ``python make_pyradiomics_filters.py``. Volume and masks stand
there in full, so that the tests need no PyRadiomics.
"""

import json
import logging
import warnings
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from radiomics import featureextractor

SHAPE, SPACING, ORIGIN = (14, 19, 22), (0.9, 1.1, 2.0), (10.0, -20.0, 30.0)
FEATURES = {"firstorder": ["Energy", "Entropy", "Maximum", "Mean"], "glcm": ["Contrast"], "shape": ["MeshVolume"]}
TURNED = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
TYPES = {"int16": 1, "float32": 0.37, "float64": 0.37, "uint8": 0.2, "int32": 3}
WAVELETS = ("haar", "db2", "db10", "sym8", "coif5", "bior1.3", "bior6.8", "rbio3.1", "dmey")
INTERPOLATORS = (
    "sitkNearestNeighbor",
    "sitkLinear",
    "sitkBSpline",
    "sitkGaussian",
    "sitkLabelGaussian",
    "sitkHammingWindowedSinc",
    "sitkCosineWindowedSinc",
    "sitkWelchWindowedSinc",
    "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
)
LOCAL = {"binWidth": 0.5}


def volume():
    rng = np.random.default_rng(41)
    noise = rng.integers(0, 1000, tuple(n + 4 for n in SHAPE))
    for axis in range(3):
        noise = sum(np.roll(noise, shift, axis) for shift in (-1, 0, 1))
    smooth = noise[2:-2, 2:-2, 2:-2]
    return ((smooth - smooth.mean()) / smooth.std() * 120 + 150).astype(np.int16)


def masks():
    z, y, x = np.indices(SHAPE)
    blob = ((z - 6) / 4) ** 2 + ((y - 9) / 6) ** 2 + ((x - 11) / 7) ** 2 <= 1
    return {
        "blob": blob & ((x + y + z) % 7 != 0),
        "slice": blob & (z == 6),
        "corner": (z < 5) & (y < 6) & (x < 7) & (x + y + z < 13),
    }


def setting(**values):
    return {"setting": values}


def image_type(name, setting_=None, **values):
    return {"imageType": {name: values}, "setting": setting_ or {}}


def filter_jobs():
    for pixel_type in TYPES:
        names = ("Square", "SquareRoot", "Logarithm", "Exponential", "Gradient")
        yield f"curves {pixel_type}", {"pixel_type": pixel_type}, {"imageType": {name: {} for name in names}}
        yield f"haar {pixel_type}", {"pixel_type": pixel_type}, image_type("Wavelet", wavelet="haar", level=2)
        yield f"lbp 2D {pixel_type}", {"pixel_type": pixel_type}, image_type("LBP2D", LOCAL)
        yield f"lbp 3D {pixel_type}", {"pixel_type": pixel_type}, image_type("LBP3D", LOCAL)
    yield "curves, cropped", {}, {"imageType": {"Square": {}, "Exponential": {}}, "setting": {"preCrop": True}}
    yield (
        "curves, corner",
        {"mask": "corner"},
        {"imageType": {"Square": {}, "Gradient": {}, "LoG": {"sigma": [1, 2.5]}}},
    )
    yield "gradient in voxels", {}, image_type("Gradient", gradientUseSpacing=False)
    for wavelet in WAVELETS:
        yield f"wavelet {wavelet}", {}, image_type("Wavelet", wavelet=wavelet)
    yield "wavelet levels", {}, image_type("Wavelet", wavelet="db3", level=3, start_level=1)
    for axis in (0, 1, 2):
        flat = image_type("Wavelet", {"force2D": True, "force2Ddimension": axis}, wavelet="sym4", level=2)
        yield f"wavelet across {axis}", {}, flat | {"featureClass": {"firstorder": FEATURES["firstorder"]}}
        yield f"lbp 2D across {axis}", {}, image_type("LBP2D", LOCAL, force2Ddimension=axis, lbp2DRadius=1.5)
    for method, width in (("default", 2), ("ror", 2), ("var", 200)):
        options = {"lbp2DMethod": method, "lbp2DSamples": 7, "lbp2DRadius": 2}
        yield f"lbp 2D {method}", {}, image_type("LBP2D", {"binWidth": width}, **options)
    yield "lbp 2D cropped", {}, image_type("LBP2D", {**LOCAL, "preCrop": True, "padDistance": 1})
    yield "lbp 3D levels", {}, image_type("LBP3D", LOCAL, lbp3DLevels=4, lbp3DIcosphereRadius=1.7)
    yield "lbp 3D coarse", {}, image_type("LBP3D", LOCAL, lbp3DIcosphereSubdivision=0)
    yield "lbp 3D fine", {}, image_type("LBP3D", LOCAL, lbp3DIcosphereSubdivision=2, lbp3DIcosphereRadius=2)
    yield "names of LoG", {}, image_type("LoG", sigma=[1, 2.0, 1.25])


def resampling_jobs():
    for interpolator in INTERPOLATORS:
        for pixel_type in ("int16", "float32"):
            values = setting(interpolator=interpolator, resampledPixelSpacing=[1, 1, 1])
            yield f"{interpolator} {pixel_type}", {"pixel_type": pixel_type}, values
    for spacing in ([2, 2, 2], [0, 0, 1], [1.5, 0.5, 0], [0.9, 1.1, 2.0], [3, 3, 3]):
        yield f"spacing {spacing}", {}, setting(resampledPixelSpacing=spacing)
        yield f"spacing {spacing}, turned", {"direction": TURNED}, setting(resampledPixelSpacing=spacing)
    one = [1, 1, 1]
    yield "pad 0", {}, image_type("Gradient", {"resampledPixelSpacing": one, "padDistance": 0})
    yield "pad 12", {}, image_type("Wavelet", {"resampledPixelSpacing": one, "padDistance": 12}, wavelet="haar")
    yield "one slice resampled", {"mask": "slice"}, setting(resampledPixelSpacing=one)
    yield "a number as interpolator", {}, setting(resampledPixelSpacing=one, interpolator=2)
    moved = {"mask_origin": (10.4, -20.3, 31.0)}
    yield "mask elsewhere, resampled", moved, setting(resampledPixelSpacing=one, interpolator="sitkLinear")
    yield "mask elsewhere, corrected", moved, setting(correctMask=True)
    yield "mask nearby", {"mask_origin": (10.008, -20.0, 30.0)}, setting(geometryTolerance=0.01)
    yield "mask elsewhere, same spacing", moved, setting(resampledPixelSpacing=list(SPACING))


def intensity_jobs():
    yield "normalised", {}, setting(normalize=True, normalizeScale=100, binWidth=5)
    yield "normalised, no outliers", {}, setting(normalize=True, removeOutliers=1.5, normalizeScale=10, binWidth=1)
    yield (
        "normalised, resampled",
        {"pixel_type": "float32"},
        setting(normalize=True, normalizeScale=50, resampledPixelSpacing=[1, 1, 1], voxelArrayShift=300, binWidth=5),
    )
    yield "shifted", {}, setting(voxelArrayShift=-40)
    for shape in (False, True):
        yield f"absolute {shape}", {}, setting(resegmentRange=[250, 100], resegmentShape=shape)
        yield f"relative {shape}", {}, setting(resegmentRange=[0.4], resegmentMode="relative", resegmentShape=shape)
        yield f"sigma {shape}", {}, setting(resegmentRange=[-1, 1.5], resegmentMode="sigma", resegmentShape=shape)
    yield "cropped", {}, image_type("LoG", {"preCrop": True, "padDistance": 3}, sigma=[1.5])
    yield "bin count", {}, setting(binCount=12)


def own_jobs():
    own = {
        "Original": {"binCount": 10, "voxelArrayShift": 1000},
        "Square": {"binWidth": 60, "distances": [2]},
        "Wavelet": {"binWidth": 4, "wavelet": "db2", "symmetricalGLCM": False, "weightingNorm": "euclidean"},
        "LBP2D": {"binWidth": 1, "force2D": True, "force2Ddimension": 1},
        "LoG": {"sigma": [2.0], "gldm_a": 2, "binWidth": 10},
    }
    yield "settings of image types", {}, {"imageType": own}


def read(pixel_type="int16", mask="blob", direction=None, mask_origin=None):
    image = sitk.GetImageFromArray((volume() * TYPES[pixel_type]).astype(pixel_type))
    drawn = sitk.GetImageFromArray(masks()[mask].astype(np.uint8))
    for grid, origin in ((image, ORIGIN), (drawn, mask_origin or ORIGIN)):
        grid.SetSpacing(SPACING)
        grid.SetOrigin(origin)
        if direction:
            grid.SetDirection(direction)
    return image, drawn


def features(source, content):
    sitk.ProcessObject.SetGlobalDefaultCoordinateTolerance(1e-6)
    sitk.ProcessObject.SetGlobalDefaultDirectionTolerance(1e-6)
    extractor = featureextractor.RadiomicsFeatureExtractor({"featureClass": FEATURES, **content})
    found = extractor.execute(*read(**source))
    return {name: float(value) for name, value in found.items() if not name.startswith("diagnostics")}


def main():
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    written = {
        "volume": volume().ravel().tolist(),
        "shape": SHAPE,
        "spacing_xyz": SPACING,
        "origin": ORIGIN,
        "scale": TYPES,
        "featureClass": FEATURES,
        "masks": {name: np.flatnonzero(mask).tolist() for name, mask in masks().items()},
    }
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in written.items()]
    for jobs in (filter_jobs, resampling_jobs, intensity_jobs, own_jobs):
        entries = [
            f"{json.dumps(name)}: {json.dumps({'source': source, 'content': content, 'features': found})}"
            for name, source, content in jobs()
            for found in [features(source, content)]
        ]
        lines.append(f'"{jobs.__name__}": {{\n' + ",\n".join(entries) + "\n}")
    Path(__file__).with_name("pyradiomics_filters.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
