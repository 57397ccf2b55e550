"""Batches: several labels a mask, images in memory, what is read once, and what a failure leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

import glottis.study.shared_image as shared_image
from glottis import Mask, Volume, extract
from glottis._errors import CohortError, ImageError
from glottis.data.volume import LabelMap
from glottis.io.images import write_volume
from glottis.workflows import validate
from tiny_study import SHAPE, SPACING, image

PARAMS = {"setting": {"additionalInfo": False}, "featureClass": {"shape": [], "firstorder": [], "glcm": []}}
FLAT = {**PARAMS, "featureClass": {"firstorder": ["Mean", "RobustMeanAbsoluteDeviation"]}}


def label_map() -> LabelMap:
    voxels = np.zeros(SHAPE, dtype=np.uint8)
    voxels[4:8, 7:12, 7:15] = 1
    voxels[4:8, 14:20, 7:15] = 2
    voxels[9:11, 3:7, 16:20] = 5
    voxels[1, 1, 1] = 9
    return LabelMap(voxels=voxels, spacing_mm=SPACING)


@pytest.fixture
def scan(tmp_path: Path) -> tuple[Path, Path]:
    write_volume(image(1), tmp_path / "image.nii")
    write_volume(label_map(), tmp_path / "labels.nii.gz")
    return tmp_path / "image.nii", tmp_path / "labels.nii.gz"


def batch(folder: Path, *rows: str, header: str = "Image,Mask,Label") -> Path:
    path = folder / "batch.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_every_label_equals_its_own_extraction(scan):
    together = extract([scan], params=PARAMS, label=[1, 2, 5]).table
    for row, label in enumerate((1, 2, 5)):
        alone = extract([scan], params=PARAMS, label=label).table
        assert together["Label"].iloc[row] == str(label)
        pd.testing.assert_frame_equal(together.iloc[[row]][alone.columns].reset_index(drop=True), alone)


def test_all_takes_the_labels_of_the_file_and_a_bad_one_costs_no_other(scan):
    found = extract([scan], params=PARAMS, label="all")
    assert found.table["Label"].tolist() == ["1", "2", "5", "9"]
    assert found.table["original_firstorder_Mean"].isna().tolist() == [False, False, False, True]
    ((row, reason),) = found.failures
    assert row == 1
    assert reason.startswith("label 9: The mask holds a single voxel")


def test_a_batch_may_ask_for_several_labels_in_a_cell(tmp_path, scan):
    path = batch(tmp_path, 'image.nii,labels.nii.gz,"2,1"', "image.nii,labels.nii.gz,", "image.nii,labels.nii.gz,5")
    found = extract(path, params=PARAMS, label=5).table
    assert found["Label"].tolist() == ["2", "1", "5", "5"]
    assert found.iloc[2].equals(found.iloc[3])


def test_rows_that_share_image_and_mask_read_each_once(tmp_path, scan, monkeypatch):
    read = []
    for name in ("read_volume", "read_label_map"):
        real = getattr(shared_image, name)
        monkeypatch.setattr(shared_image, name, lambda *a, real=real, **k: (read.append(a[0].name), real(*a, **k))[1])
    rows = ["image.nii,labels.nii.gz,1", "image.nii,labels.nii.gz,2", "image.nii,labels.nii.gz,5"]
    assert len(extract(batch(tmp_path, *rows), params=PARAMS).table) == 3
    assert sorted(read) == ["image.nii", "labels.nii.gz"]


def test_normalisation_looks_at_the_whole_image_for_every_label(scan):
    params = {**PARAMS, "setting": {"normalize": True, "normalizeScale": 100, "additionalInfo": False}}
    found = extract([scan], params=params, label="1,2").table["original_firstorder_Mean"]
    voxels = image(1).voxels.astype(float)
    score = 100 * (voxels - voxels.mean()) / voxels.std(ddof=1)
    expected = [score[label_map().voxels == label].mean() for label in (1, 2)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_row_names_its_component_of_a_mask_with_several(tmp_path, scan):
    labels = label_map().voxels
    layers = sitk.GetImageFromArray(np.stack([labels == 1, labels == 2], axis=-1).astype(np.uint8), isVector=True)
    layers.SetSpacing(SPACING[::-1])
    sitk.WriteImage(layers, str(tmp_path / "layers.nrrd"))
    rows = ["image.nii,layers.nrrd,", "image.nii,layers.nrrd,1", "image.nii,layers.nrrd,2"]
    found = extract(batch(tmp_path, *rows, header="Image,Mask,Label_channel"), params=PARAMS)
    assert found.table["original_shape_VoxelVolume"].iloc[:2].tolist() == [3.0 * 160, 3.0 * 192]
    ((row, reason),) = found.failures
    assert row == 3
    assert reason.endswith("has 2 components, label_channel 2 is none of them: give one from 0 to 1.")


def test_images_in_memory_give_what_their_files_give(scan):
    from_files = extract([scan], params=PARAMS).table.drop(columns=["Image", "Mask"])
    mask = label_map().mask(1)
    pairs = [(image(1), mask), (image(1).to_sitk(), label_map().to_sitk()), tuple(str(path) for path in scan)]
    found = extract(pairs, params=PARAMS).table.drop(columns=["Image", "Mask"])
    assert all(found.iloc[row].equals(from_files.iloc[0]) for row in range(3))


def test_a_mask_in_memory_needs_no_label():
    found = extract([(image(1), label_map().mask(5))], params=PARAMS, settings={"label": 2})
    assert found.failures == ()


def test_another_object_in_a_pair_is_refused():
    with pytest.raises(ImageError, match=r"A pair holds a ndarray: give paths, glottis\.Volume and Mask, or SimpleITK"):
        extract([(np.zeros((2, 2, 2)), label_map())])


def test_a_label_that_is_absent_is_named_with_those_that_are_there(scan):
    ((_, reason),) = extract([scan], params=PARAMS, label=3).failures
    assert reason == f"Label 3 is absent from mask '{scan[1]}', which holds 1, 2, 5, 9: correct the label."


def test_a_mask_without_a_label_is_said(tmp_path, scan):
    write_volume(LabelMap(voxels=np.zeros(SHAPE, np.uint8), spacing_mm=SPACING), tmp_path / "empty.nii")
    ((_, reason),) = extract([(scan[0], tmp_path / "empty.nii")], params=PARAMS, label="all").failures
    assert "holds no label above 0: check that it was saved with its segmentation" in reason


@pytest.mark.parametrize("label", ["0", "-1", "1.5", "one", "", "1,all"])
def test_a_label_that_is_no_whole_number_above_zero_is_refused(tmp_path, label):
    with pytest.raises(CohortError, match=r"is no whole number above 0: write one, several as 1,2 or all"):
        extract([("image.nii", "mask.nii")], label=label)


def test_a_wrong_label_in_a_batch_names_its_row(tmp_path):
    with pytest.raises(CohortError, match=r"Batch table 'batch\.csv', row 1: Label 'left' is no whole number above 0"):
        extract(batch(tmp_path, "a.nii,b.nii,left"))


def test_a_wrong_component_in_a_batch_names_its_row(tmp_path):
    with pytest.raises(CohortError, match="row 1: Label_channel 'x' is no whole number: the first component is 0"):
        extract(batch(tmp_path, "a.nii,b.nii,x", header="Image,Mask,Label_channel"))


def test_a_feature_without_a_value_is_a_warning_with_its_reason(scan):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[5, 9, 9:11] = True
    found = extract(
        [(image(1), Mask(voxels=mask, spacing_mm=SPACING))], params=FLAT, settings={"minimumROIDimensions": 1}
    )
    assert np.isnan(found.table["original_firstorder_RobustMeanAbsoluteDeviation"].iloc[0])
    said = "No value for firstorder RobustMeanAbsoluteDeviation in original: no voxel lies between"
    assert any(said in text for _, text in found.warnings)
    assert any(line.startswith(f"warning, row 1: {said}") for line in found.lines())


def test_settings_replace_those_of_the_file(tmp_path, scan):
    path = tmp_path / "params.yaml"
    path.write_text("setting: {binWidth: 25, label: 1, additionalInfo: false}\nfeatureClass: {firstorder: [Entropy]}\n")
    by_file = extract([scan], params=path).table["original_firstorder_Entropy"].iloc[0]
    by_hand = extract([scan], params=path, settings={"binWidth": 2}).table["original_firstorder_Entropy"].iloc[0]
    assert by_hand > by_file + 1


def test_finished_labels_are_kept_one_by_one(tmp_path, scan):
    assert extract([scan], params=PARAMS, label="all", cache=tmp_path / "cache").failures
    assert len(list((tmp_path / "cache").rglob("*.json"))) == 3
    first = extract([scan], params=PARAMS, label=2).records
    assert extract([scan], params=PARAMS, label=2, cache=tmp_path / "cache").records == first
    assert len(list((tmp_path / "cache").rglob("*.json"))) == 3


@pytest.mark.parametrize("change", ["label", "settings", "lesions", "information"])
def test_whatever_a_kept_label_rests_on_is_part_of_its_key(tmp_path, scan, change):
    other = {
        "label": {"label": 2},
        "settings": {"settings": {"binWidth": 3}},
        "lesions": {"lesions": "largest"},
        "information": {"settings": {"additionalInfo": True}},
    }[change]
    for options in ({}, other):
        extract([scan], params=PARAMS, cache=tmp_path / "cache", **options)
    assert len(list((tmp_path / "cache").rglob("*.json"))) == 2


def test_workers_change_nothing(tmp_path, scan):
    write_volume(image(2), tmp_path / "other.nii")
    pairs = [scan, (tmp_path / "other.nii", scan[1])]
    alone, together = (extract(pairs, params=PARAMS, label="1,2", jobs=jobs).records for jobs in (1, 2))
    assert alone == together


def test_a_mask_cropped_on_the_image_grid_is_put_back(tmp_path, scan):
    cropped = label_map().mask(1).crop((slice(2, 10), slice(5, 22), slice(4, 20)))
    write_volume(cropped, tmp_path / "cropped.nii")
    found = extract([scan, (scan[0], tmp_path / "cropped.nii")], params=PARAMS).table.iloc[:, 2:]
    np.testing.assert_allclose(*found.to_numpy(dtype=float), rtol=1e-9)


def test_no_information_is_written_where_none_is_wanted(scan):
    names = extract([scan], params=PARAMS).columns
    assert not any(name.startswith("diagnostics_") for name in names)
    assert sum(name.startswith("diagnostics_") for name in extract([scan]).columns) == 22


def test_validation_lists_missing_files_and_reads_none(tmp_path, scan):
    (tmp_path / "broken.nii").write_bytes(b"no image")
    path = batch(tmp_path, "image.nii,labels.nii.gz,1", "broken.nii,gone.nii,1")
    assert validate(path, params=PARAMS) == [(2, f"Mask '{tmp_path / 'gone.nii'}' does not exist: correct the path.")]


def test_a_volume_of_labels_in_memory_serves_as_mask():
    found = extract([(image(1), Volume(voxels=label_map().voxels, spacing_mm=SPACING))], params=PARAMS, label="1,5")
    assert found.failures == ()
    assert found.table["Label"].tolist() == ["1", "5"]
