"""Write pyradiomics_textures.json: texture features of PyRadiomics 3.0.1 under every option of its matrices.

Run in an environment of Python 3.11 with ``pyradiomics==3.0.1`` and ``numpy<2``:
``python make_pyradiomics_textures.py DATA_DIR``, where DATA_DIR holds ``pyradiomics/data``. The generated volumes are
made anew by the tests (``generated`` below depends on integer arithmetic alone), so numbers only are stored. The
feature classes are called directly on the mask's bounding box, as PyRadiomics' extractor does after cropping.
"""

import json
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from radiomics import glcm, gldm, glrlm, glszm, ngtdm

CLASSES = {
    "glcm": glcm.RadiomicsGLCM,
    "gldm": gldm.RadiomicsGLDM,
    "glrlm": glrlm.RadiomicsGLRLM,
    "glszm": glszm.RadiomicsGLSZM,
    "ngtdm": ngtdm.RadiomicsNGTDM,
}
FLAT = {"force2D": True}
OPTIONS = {
    "plain": {},
    "distance 2": {"distances": [2]},
    "distances 1 2": {"distances": [1, 2]},
    "distances 1 3": {"distances": [1, 3]},
    "flat z": FLAT | {"force2Ddimension": 0},
    "flat y": FLAT | {"force2Ddimension": 1},
    "flat x": FLAT | {"force2Ddimension": 2},
    "manhattan": {"weightingNorm": "manhattan"},
    "euclidean": {"weightingNorm": "euclidean"},
    "infinity": {"weightingNorm": "infinity"},
    "unweighted": {"weightingNorm": "no_weighting"},
    "one way": {"symmetricalGLCM": False},
    "alpha 1": {"gldm_a": 1},
    "alpha 2": {"gldm_a": 2},
    "flat z, distances 1 2, one way": FLAT | {"distances": [1, 2], "symmetricalGLCM": False},
    "flat x, euclidean": FLAT | {"force2Ddimension": 2, "weightingNorm": "euclidean"},
    "flat y, distance 2, alpha 1": FLAT | {"force2Ddimension": 1, "distances": [2], "gldm_a": 1},
    "manhattan, distances 1 2, one way, alpha 1": {
        "weightingNorm": "manhattan", "distances": [1, 2], "symmetricalGLCM": False, "gldm_a": 1,
    },
}  # fmt: skip
SPACINGS_XYZ = {"thick slices": (0.35, 0.6, 1.1), "small voxels": (0.4, 0.4, 0.25)}


def generated(name):
    """Integer volume and mask from a multiplicative hash of the voxel index."""
    shape, step, share = {
        "ragged": ((6, 7, 8), 25, 70),
        "sparse": ((6, 6, 7), 40, 12),
        "slice": ((1, 8, 9), 20, 80),
        "column": ((7, 1, 9), 20, 85),
        "coarse": ((5, 6, 7), 60, 90),
    }[name]
    index = np.arange(np.prod(shape), dtype=np.int64)
    first = index * 2654435761 % 4294967291 // 65536 % 180
    second = (index + 17) * 40503 * 2654435761 % 4294967291 // 65536 % 100
    return (first // step * step).reshape(shape).astype(np.int16), (second < share).reshape(shape)


def cut(image, mask):
    places = np.argwhere(mask)
    box = tuple(slice(low, high + 1) for low, high in zip(places.min(axis=0), places.max(axis=0), strict=True))
    return image[box], mask[box]


def real(folder, name):
    image, mask = (
        sitk.ReadImage(str(folder / "pyradiomics" / "data" / f"{name}_{part}.nrrd")) for part in ("image", "label")
    )
    return sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(mask) == 1, image.GetSpacing()


def features(image, mask, spacing, settings):
    image, mask = sitk.GetImageFromArray(image), sitk.GetImageFromArray(mask.astype(np.uint8))
    for volume in (image, mask):
        volume.SetSpacing(spacing)
    found = {}
    for name, maker in CLASSES.items():
        values = maker(image, mask, **{"binWidth": 25, **settings})
        values.enableAllFeatures()
        found |= {f"original_{name}_{key}": float(np.asarray(value)) for key, value in values.execute().items()}
    return found


def cases(folder):
    for name in ("ragged", "sparse", "slice", "column", "coarse"):
        for spacing_name, spacing in SPACINGS_XYZ.items():
            if name == "ragged" or spacing_name == "thick slices":
                yield f"{name}, {spacing_name}", *cut(*generated(name)), spacing
    for name in ("brain1", "breast1"):
        image, mask, spacing = real(folder, name)
        yield name, *cut(image, mask), spacing


def main(folder):
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    names, lines = [], []
    for case, image, mask, spacing in cases(Path(folder)):
        for option, settings in OPTIONS.items():
            found = features(image, mask, spacing, settings)
            names = names or list(found)
            row = {"case": case, "option": option, "spacing_xyz": spacing, "settings": settings}
            lines.append(json.dumps(row | {"values": [found[name] for name in names]}))
    rows = ",\n".join(lines)
    text = f'{{"names": {json.dumps(names)},\n"rows": [\n{rows}\n]}}\n'
    Path(__file__).with_name("pyradiomics_textures.json").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1])
