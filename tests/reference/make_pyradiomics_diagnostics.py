"""Write pyradiomics_diagnostics.json: the ``diagnostics_*`` of PyRadiomics 3.0.1 on small generated images.

Run in an environment of Python 3.11 with ``pyradiomics==3.0.1`` and ``numpy<2``:

    python tests/reference/make_pyradiomics_diagnostics.py

``generated_scan`` is what the test makes too; only numbers are stored.
"""

import json
import logging
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from generated_scan import CASES, generated_scan
from radiomics.featureextractor import RadiomicsFeatureExtractor


def to_sitk(voxels, spacing, origin, direction):
    image = sitk.GetImageFromArray(voxels, isVector=voxels.ndim == 4)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction)
    return image


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value


def main():
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    written = {}
    for name, (pixel_type, mask_kind, content, own) in CASES.items():
        image, mask = (to_sitk(**part) for part in generated_scan(pixel_type, mask_kind))
        content = {**content, "featureClass": {"firstorder": ["Mean"]}}
        found = RadiomicsFeatureExtractor(content).execute(image, mask, **own)
        written[name] = {key: plain(value) for key, value in found.items()}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in written.items())
    Path(__file__).with_name("pyradiomics_diagnostics.json").write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
