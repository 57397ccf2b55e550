"""Write pyradiomics_shape2d.json: two-dimensional shape of PyRadiomics 3.0.1 on small slices, written out in full.

Run in an environment of Python 3.11 with ``pyradiomics==3.0.1`` and ``numpy<2``:
``python make_pyradiomics_shape2d.py``. The class is called directly: the extractor of 3.0.1 asks beforehand
that the mask's box be thicker than one voxel along the flat axis counted from x, which never holds for axis 1 (y).
"""

import json
import logging
import warnings
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from radiomics import shape2D

SPACINGS = ((1.0, 1.0), (0.7, 1.9))
"""Along rows and along columns of the drawings."""


def drawings():
    y, x = np.mgrid[-7:8, -9:10]
    yield "disc", y**2 + x**2 <= 36
    yield "block", np.ones((3, 5), dtype=bool)
    yield "ring", (y**2 + x**2 <= 45) & (y**2 + x**2 > 8)
    yield "three holes", np.array([[c == "#" for c in row] for row in ("#######", "#.#.#.#", "#######")])
    yield "corner to corner", np.eye(5, dtype=bool)
    yield "both diagonals", np.eye(5, dtype=bool) | np.eye(5, dtype=bool)[::-1]
    yield "two parts", (abs(x) > 2) & (abs(x) < 6) & (abs(y) < 4 + x)
    yield "line", np.ones((1, 6), dtype=bool)
    yield "two pixels", np.ones((2, 1), dtype=bool)
    yield "one pixel", np.ones((1, 1), dtype=bool)
    rng = np.random.default_rng(4)
    for share in (0.15, 0.5, 0.8):
        yield f"ragged {share}", rng.random((8, 11)) < share


def features(drawing, flat_axis, spacing):
    mask = sitk.GetImageFromArray(np.expand_dims(drawing.astype(np.uint8), flat_axis))
    mask.SetSpacing(np.insert(np.array(spacing), flat_axis, 3.0)[::-1].tolist())
    values = shape2D.RadiomicsShape2D(mask, mask, force2D=True, force2Ddimension=flat_axis)
    values.enableAllFeatures()
    values.enableFeatureByName("SphericalDisproportion")
    return {name: float(np.asarray(value)) for name, value in values.execute().items()}


def main():
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    lines = []
    for name, drawing in drawings():
        rows = ["".join("#" if pixel else "." for pixel in row) for row in drawing]
        for spacing in SPACINGS:
            for flat_axis in (0, 1, 2):
                found = features(drawing, flat_axis, spacing)
                row = {"name": name, "rows": rows, "spacing_mm": spacing, "flat_axis": flat_axis, "features": found}
                lines.append(json.dumps(row))
    Path(__file__).with_name("pyradiomics_shape2d.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
