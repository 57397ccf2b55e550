"""What PyRadiomics 3.0.1 refuses is refused with a sentence, and nothing else is."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from glottis._errors import GlottisError, ImageError
from glottis.data.cohort import MaskSource
from glottis.data.volume import Volume
from glottis.io.images import read_masks, read_volume, write_volume
from glottis.preprocessing.window import Resegment
from glottis.study.case import CaseSettings, extract_case

REFUSALS = json.loads(Path(__file__).with_name("pyradiomics_refusals.json").read_text())
OPTIONS = {
    "minimumROIDimensions": lambda value: {"minimum_dimensions": value},
    "minimumROISize": lambda value: {"minimum_voxels": value},
    "correctMask": lambda value: {"correct_mask": value},
    "resegmentRange": lambda value: {"resegment": Resegment(range=tuple(value))},
}
SENTENCES = {
    "single voxel": "The mask holds a single voxel: redraw it, or check its label",
    "absent label": r"Label 3 is absent from 'mask.nrrd', which holds 1: correct the label",
    "empty mask": r"(empty|holds no label|Label 1 is absent)",
    "line": r"spans 5 x 1 x 1 voxels \(x, y, z\), so it has 1 dimensions where 2 are asked for",
    "slice where a volume is asked for": "has 2 dimensions where 3 are asked for",
    "too few voxels": "The mask holds 24 voxels, fewer than the minimum of 100",
    "other spacing": r"different grids \(spacing by 0.5 mm\): draw the mask on this image",
    "other origin": r"different grids \(origin by 3 mm\): draw the mask on this image",
    "other size": r"different grids \(size 6 x 5 x 4 against 6 x 5 x 3 voxels \(x, y, z\)\)",
    "outside after correction": "The mask reaches .* voxels outside its image",
    "nothing left in range": r"leaves 0 of 24 mask voxels: widen the range",
    "not a number": "1 voxels that are not finite",
    "infinite": "1 voxels that are not finite",
}


def extracted(case, folder):
    """Write image and mask, read them and extract, as a user does."""
    spacing, origin = tuple(case["mask_spacing_xyz"][::-1]), tuple(case["mask_origin_xyz"])
    write_volume(Volume(voxels=np.array(case["image"]), spacing_mm=(2.0, 1.0, 1.0)), folder / "image.nrrd")
    labels = np.array(case["mask"], dtype=np.uint8)
    write_volume(Volume(voxels=labels, spacing_mm=spacing, origin_mm=origin), folder / "mask.nrrd")
    options = {}
    for name, value in case["settings"].items():
        options |= OPTIONS[name](value)
    (mask,) = read_masks(MaskSource(source=folder / "mask.nrrd", label=case["label"]))
    return extract_case(read_volume(folder / "image.nrrd"), mask, CaseSettings(**options))


@pytest.mark.parametrize("name", [name for name, case in REFUSALS.items() if case["outcome"]])
def test_what_pyradiomics_refuses_is_refused_with_a_sentence(tmp_path, name):
    with pytest.raises(ImageError, match=SENTENCES[name]):
        extracted(REFUSALS[name], tmp_path)


@pytest.mark.parametrize("name", [name for name, case in REFUSALS.items() if not case["outcome"]])
def test_what_pyradiomics_measures_is_measured(tmp_path, name):
    assert len(extracted(REFUSALS[name], tmp_path).features) == 107


def test_every_refusal_is_a_sentence_with_a_next_step(tmp_path):
    for case in (case for case in REFUSALS.values() if case["outcome"]):
        with pytest.raises(GlottisError) as refused:
            extracted(case, tmp_path)
        assert re.search(r"[:;,] .{10,}\.$|\?$", str(refused.value))
