"""Every value of PyRadiomics 3.0.1 on filtered, resampled and normalised images.

The reference files hold what PyRadiomics 3.0.1 (numpy < 2, SimpleITK 2.x) computed from the same images with the
settings that stand in each file; one label of one mask a case.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import SimpleITK as sitk

from glottis.data.volume import Mask, Volume
from glottis.study.case import extract_case
from glottis.study.parameters import parameters_from_dict

RELATIVE = 1e-6
REQUIRED_SHARE = 0.999
KNOWN_DEVIATIONS: dict[str, str] = {}
"""``"case.setting.feature"`` to the cause; empty: every value is equal."""
PATIENTS = [f"{patient}-{kind}" for patient in ("STS_002", "STS_018") for kind in ("CT", "MR_T1", "PET")]
PHANTOMS = ["brain1", "brain2", "breast1", "prostate-8"]


def _files(shared_data: Path, case: str) -> tuple[Path, Path]:
    if case.startswith("STS"):
        patient, kind = case.split("-")
        folder = shared_data / "sts" / patient
        return folder / f"{kind}_image.nii.gz", folder / f"{kind}_mask.nii.gz"
    folder = shared_data / "pyradiomics" / "data"
    if case.startswith("prostate"):
        name = "prostate_phantom_subvolume"
        return folder / f"{name}.nrrd", folder / f"{name}-label.nrrd"
    return folder / f"{case}_image.nrrd", folder / f"{case}_label.nrrd"


def _parameters(reference: dict) -> dict:
    content = {key: value for key, value in reference["settings"].items() if key != "every_name"}
    if reference["settings"].get("every_name"):
        classes: dict[str, list[str]] = {}
        for name in reference["features"]:
            image, feature_class, feature = name.split("_", 2)
            if image == "original":
                classes.setdefault(feature_class, []).append(feature)
        content["featureClass"] = classes
    return content


def _equal(ours: float | None, theirs: float) -> bool:
    if ours is None:
        return False
    if math.isnan(theirs):
        return math.isnan(ours)
    return abs(ours - theirs) <= RELATIVE * abs(theirs)


def _deviations(shared_data: Path, case: str, setting: str) -> tuple[dict[str, tuple[float, float | None]], int]:
    text = (shared_data / "pyradiomics" / "reference_3.0.1" / f"{case}.{setting}.json").read_text()
    reference = json.loads(text)
    image, mask = (sitk.ReadImage(str(path)) for path in _files(shared_data, case))
    ours = extract_case(
        Volume.from_sitk(image),
        Mask.from_sitk(mask == reference["label"]),
        parameters_from_dict(_parameters(reference)).case,
    ).features
    theirs = reference["features"]
    assert list(ours) == list(theirs)
    different = {name: (value, ours[name]) for name, value in theirs.items() if not _equal(ours[name], value)}
    return different, len(theirs)


def _table(case: str, setting: str, different: dict[str, tuple[float, float | None]]) -> str:
    lines = ["| feature | PyRadiomics | glottis | cause |", "|---|---|---|---|"]
    for name, (theirs, ours) in different.items():
        cause = KNOWN_DEVIATIONS.get(f"{case}.{setting}.{name}", "not known")
        lines.append(f"| {name} | {theirs!r} | {ours!r} | {cause} |")
    return "\n".join(lines)


def _check(shared_data: Path, case: str, setting: str, n_expected: int) -> None:
    different, n_features = _deviations(shared_data, case, setting)
    table = _table(case, setting, different)
    assert n_features == n_expected
    assert len(different) <= (1 - REQUIRED_SHARE) * n_features, table
    assert all(f"{case}.{setting}.{name}" in KNOWN_DEVIATIONS for name in different), table


@pytest.mark.parametrize("case", PHANTOMS + PATIENTS)
def test_1316_features_at_1_mm_equal_pyradiomics(shared_data, case):
    _check(shared_data, case, "wavelet-log-1mm", 1316)


@pytest.mark.parametrize("case", PHANTOMS)
def test_863_names_without_resampling_equal_pyradiomics(shared_data, case):
    _check(shared_data, case, "all-names", 863)


@pytest.mark.parametrize("case", PHANTOMS + PATIENTS)
def test_normalised_images_equal_pyradiomics(shared_data, case):
    _check(shared_data, case, "mr-normalised", 851)


@pytest.mark.parametrize("case", PHANTOMS + PATIENTS)
def test_linear_resampling_resegmentation_and_pointwise_filters_equal_pyradiomics(shared_data, case):
    _check(shared_data, case, "ct-linear-pointwise", 572)
