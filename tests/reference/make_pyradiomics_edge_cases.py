"""Write pyradiomics_edge_cases.json: PyRadiomics 3.0.1 on tiny synthetic arrays.

Run in an environment of Python 3.11 with ``pyradiomics==3.0.1`` and ``numpy<2``:
``python make_pyradiomics_edge_cases.py``. Arrays are written out in full, so the tests need no PyRadiomics. The feature
classes are called directly on the mask's bounding box, as PyRadiomics' extractor does after cropping.
"""

import json
import logging
import warnings
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from radiomics import firstorder, glcm, gldm, glrlm, glszm, ngtdm, shape

CLASSES = {
    "shape": shape.RadiomicsShape,
    "firstorder": firstorder.RadiomicsFirstOrder,
    "glcm": glcm.RadiomicsGLCM,
    "gldm": gldm.RadiomicsGLDM,
    "glrlm": glrlm.RadiomicsGLRLM,
    "glszm": glszm.RadiomicsGLSZM,
    "ngtdm": ngtdm.RadiomicsNGTDM,
}


def cases():
    rng = np.random.default_rng(20)
    whole = {
        "flat": (np.full((3, 3, 3), 60.0), {}),
        "two voxels": (np.array([[[10.0, 60.0]]]), {}),
        "single slice": (rng.integers(0, 120, (1, 5, 6)).astype(np.int16), {}),
        "single column": (rng.integers(0, 120, (1, 6, 1)).astype(np.float32), {}),
        "negative": (np.round(rng.normal(-30, 40, (4, 4, 5)), 3), {"binWidth": 10}),
        "many levels": (rng.integers(-400, 400, (4, 5, 6)).astype(np.int16), {"binWidth": 2}),
        "bin count": (np.round(rng.normal(0, 1, (4, 4, 4)), 3).astype(np.float32), {"binCount": 8}),
        "bin count, flat": (np.full((2, 3, 3), 7.5), {"binCount": 8}),
        "bin count, integers": (rng.integers(0, 1000, (3, 4, 4)).astype(np.int16), {"binCount": 16}),
        "narrow bins": (np.round(rng.normal(1, 0.2, (3, 4, 4)), 3), {"binWidth": 0.1}),
    }
    for name, (image, settings) in whole.items():
        yield name, image, np.ones(image.shape, dtype=bool), settings
    image = rng.integers(0, 100, (5, 6, 7)).astype(np.int16)
    yield "speckled mask", image, rng.random(image.shape) < 0.35, {}
    apart = np.zeros((3, 3, 5), dtype=bool)
    apart[0, 0, 0] = apart[2, 2, 4] = apart[0, 2, 2] = True
    yield "isolated voxels", image[:3, :3, :5], apart, {}


def features(image, mask, settings, spacing):
    image, mask = sitk.GetImageFromArray(image), sitk.GetImageFromArray(mask.astype(np.uint8))
    for volume in (image, mask):
        volume.SetSpacing(spacing)
    found = {}
    for name, maker in CLASSES.items():
        values = maker(image, mask, **{"binWidth": 25, **settings})
        values.enableAllFeatures()
        found |= {f"original_{name}_{key}": float(np.asarray(value)) for key, value in values.execute().items()}
    return found


def main():
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    written = {}
    for name, image, mask, settings in cases():
        places = np.argwhere(mask)
        box = tuple(slice(low, high + 1) for low, high in zip(places.min(axis=0), places.max(axis=0), strict=True))
        image, mask, spacing = image[box], mask[box], (0.5, 1.0, 2.0)
        written[name] = {
            "pixel_type": str(image.dtype),
            "image": image.tolist(),
            "mask": mask.astype(int).tolist(),
            "spacing_xyz": spacing,
            "settings": settings,
            "features": features(image, mask, settings, spacing),
        }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in written.items())
    Path(__file__).with_name("pyradiomics_edge_cases.json").write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
