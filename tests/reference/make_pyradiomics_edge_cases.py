"""Write pyradiomics_edge_cases.json and pyradiomics_refusals.json: PyRadiomics 3.0.1 on tiny synthetic arrays.

Run in an environment of Python 3.11 with ``pyradiomics==3.0.1`` and ``numpy<2``:
``python make_pyradiomics_edge_cases.py``. Arrays are written out in full, so the tests need no PyRadiomics. The feature
classes are called directly on the mask's bounding box, as PyRadiomics' extractor does after cropping; for the refusals
the extractor is called as a user would, and what kind of error it raises is kept (None: it gave features).
"""

import itertools
import json
import logging
import warnings
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from radiomics import featureextractor, firstorder, glcm, gldm, glrlm, glszm, ngtdm, shape

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


def few(shape, *places):
    mask = np.zeros(shape, dtype=bool)
    for place in places:
        mask[place] = True
    return mask


def sparse_cases():
    rng = np.random.default_rng(21)
    image = rng.integers(0, 120, (3, 4, 6)).astype(np.int16)
    yield "two voxels on a diagonal", image, few(image.shape, (0, 0, 0), (1, 1, 1)), {}
    yield "two voxels along an edge", image, few(image.shape, (1, 1, 1), (1, 2, 0)), {}
    yield "a string along edges", image, few(image.shape, (0, 0, 0), (0, 2, 2), (1, 2, 1), (2, 2, 0)), {}
    yield "two voxels apart on a line", image, few(image.shape, (1, 1, 0), (1, 1, 4)), {}
    yield "two voxels on no line", image, few(image.shape, (0, 0, 0), (0, 1, 2)), {}
    yield "two voxels of one level on no line", np.full_like(image, 40), few(image.shape, (0, 0, 0), (0, 1, 2)), {}
    yield "three voxels in a row", image, few(image.shape, (1, 1, 1), (1, 1, 2), (1, 1, 3)), {}
    yield "one level in parts", np.full_like(image, 40), rng.random(image.shape) < 0.3, {}
    yield "two levels", rng.integers(0, 2, (3, 3, 4)) * 30.0, np.ones((3, 3, 4), dtype=bool), {}
    yield "one level of many bins", np.full((2, 3, 4), 1e6), np.ones((2, 3, 4), dtype=bool), {"binWidth": 0.5}
    yield "only the largest level high", few((3, 3, 3), (1, 1, 1)) * 5000.0, np.ones((3, 3, 3), dtype=bool), {}
    for seed in range(3):
        grid = np.random.default_rng(seed).integers(0, 2, (2, 2, 2)) * 25.0
        yield f"tiny, one way {seed}", grid, np.ones(grid.shape, dtype=bool), {"symmetricalGLCM": False}
    # along some direction first and second level of the pairs are independent
    independent = np.array([[[0, 1, 0], [0, 1, 1], [0, 0, 0]], [[1, 0, 0], [1, 1, 0], [0, 1, 1]]]) * 25.0
    yield "independent levels, one way", independent, np.ones(independent.shape, dtype=bool), {"symmetricalGLCM": False}


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


def refusals():
    """Name, image, mask, label, settings, spacing and origin of the mask."""
    rng = np.random.default_rng(22)
    image = rng.integers(0, 120, (4, 5, 6)).astype(np.float64)
    block = few(image.shape, (slice(1, 3), slice(1, 4), slice(1, 5)))
    spacing, origin = (1.0, 1.0, 2.0), (0.0, 0.0, 0.0)
    yield "a block", image, block, 1, {}, spacing, origin
    yield "single voxel", image, few(image.shape, (1, 1, 1)), 1, {}, spacing, origin
    yield "absent label", image, block, 3, {}, spacing, origin
    yield "empty mask", image, np.zeros_like(block), 1, {}, spacing, origin
    yield "line", image, few(image.shape, (1, 1, slice(0, 5))), 1, {}, spacing, origin
    yield "line allowed", image, few(image.shape, (1, 1, slice(0, 5))), 1, {"minimumROIDimensions": 1}, spacing, origin
    yield (
        "slice where a volume is asked for",
        image,
        few(image.shape, (1,)),
        1,
        {"minimumROIDimensions": 3},
        spacing,
        origin,
    )
    yield "too few voxels", image, block, 1, {"minimumROISize": 100}, spacing, origin
    yield "other spacing", image, block, 1, {}, (1.0, 1.5, 2.0), origin
    yield "other origin", image, block, 1, {}, spacing, (0.0, 3.0, 0.0)
    yield "other size", image, block[:-1], 1, {}, spacing, origin
    yield "outside after correction", image, block, 1, {"correctMask": True}, spacing, (50.0, 0.0, 0.0)
    yield "nothing left in range", image, block, 1, {"resegmentRange": [500, 600]}, spacing, origin
    broken = image.copy()
    broken[1, 1, 1] = np.nan
    yield "not a number", broken, block, 1, {}, spacing, origin
    yield "infinite", np.where(np.isnan(broken), np.inf, broken), block, 1, {}, spacing, origin


def outcome(image, mask, label, settings, spacing, origin):
    """Kind of the error that the extractor raises, None where it gives features."""
    image, mask = sitk.GetImageFromArray(image), sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing((1.0, 1.0, 2.0))
    mask.SetSpacing(spacing)
    mask.SetOrigin(origin)
    try:
        featureextractor.RadiomicsFeatureExtractor({"setting": settings}).execute(image, mask, label=label)
    except Exception as error:
        return type(error).__name__
    return None


def write_refusals():
    lines = []
    for name, image, mask, label, settings, spacing, origin in refusals():
        case = {
            "image": image.tolist(), "mask": mask.astype(int).tolist(), "label": label, "settings": settings,
            "mask_spacing_xyz": spacing, "mask_origin_xyz": origin,
            "outcome": outcome(image, mask, label, settings, spacing, origin),
        }  # fmt: skip
        lines.append(f"{json.dumps(name)}: {json.dumps(case)}")
    text = ",\n".join(lines)
    Path(__file__).with_name("pyradiomics_refusals.json").write_text(f"{{\n{text}\n}}\n")


def main():
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    written = {}
    for name, image, mask, settings in itertools.chain(cases(), sparse_cases()):
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
    write_refusals()


if __name__ == "__main__":
    main()
