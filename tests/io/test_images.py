"""Images and masks come in with exact geometry, and bad files with one clear message."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from glottis._errors import ImageError
from glottis.data.cohort import MaskSource
from glottis.data.volume import Mask, Volume
from glottis.io.images import (
    label_map_of,
    read_header,
    read_label_map,
    read_masks,
    read_volume,
    stem,
    volume_of,
    write_volume,
)

OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def volume(voxels: np.ndarray | None = None) -> Volume:
    array = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6) if voxels is None else voxels
    return Volume(voxels=array, spacing_mm=(3.0, 0.5, 0.75), origin_mm=(-10.0, 20.0, 5.5), direction=OBLIQUE)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_an_image_comes_back_with_its_voxels_and_geometry(tmp_path: Path, suffix: str):
    write_volume(volume(), tmp_path / f"a{suffix}")
    again = read_volume(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(again.voxels, volume().voxels)
    assert again.grid_difference(volume(), tolerance=1e-6) == ""


def test_the_header_tells_the_geometry_without_the_voxels(tmp_path: Path):
    write_volume(volume(), tmp_path / "a.nrrd")
    header = read_header(tmp_path / "a.nrrd")
    assert (header.shape, header.spacing_mm, header.components) == ((4, 5, 6), (3.0, 0.5, 0.75), 1)


def test_a_two_dimensional_file_becomes_one_slice(tmp_path: Path):
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((5, 6), np.int16)), str(tmp_path / "flat.nrrd"))
    assert read_volume(tmp_path / "flat.nrrd").shape == (1, 5, 6)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_truncated_nifti_is_refused_although_simpleitk_reads_it(tmp_path: Path, suffix: str):
    noise = np.random.default_rng(0).random((8, 16, 16), dtype=np.float32)
    path = tmp_path / f"cut{suffix}"
    write_volume(volume(noise), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    sitk.ReadImage(str(path))
    with pytest.raises(ImageError, match=r"truncated|break off.*copy or export it again"):
        read_volume(path)


def test_a_gzip_file_of_several_members_is_read(tmp_path: Path):
    write_volume(volume(), tmp_path / "a.nii")
    content = (tmp_path / "a.nii").read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(content[:500]) + gzip.compress(content[500:]))
    np.testing.assert_array_equal(read_volume(tmp_path / "b.nii.gz").voxels, volume().voxels)


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "a.mha"])
def test_a_file_that_is_no_image_is_refused_and_nothing_leaks_to_the_terminal(tmp_path: Path, name: str, capfd):
    (tmp_path / name).write_bytes(b"not an image" * 100)
    with pytest.raises(ImageError, match=r"no NIfTI file|not an image"):
        read_volume(tmp_path / name)
    assert capfd.readouterr() == ("", "")


def test_a_truncated_metaimage_is_refused_in_silence(tmp_path: Path, capfd):
    path = tmp_path / "a.mha"
    sitk.WriteImage(volume().to_sitk(), str(path), False)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ImageError, match="cannot be read"):
        read_volume(path)
    assert capfd.readouterr() == ("", "")


def test_voxels_that_are_not_finite_are_counted_and_refused(tmp_path: Path):
    array = volume().voxels.copy()
    array[0, 0, :2] = np.nan, np.inf
    write_volume(volume(array), tmp_path / "a.nrrd")
    with pytest.raises(ImageError, match=r"2 voxels that are not finite.*replace them"):
        read_volume(tmp_path / "a.nrrd")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_thorough_reading_finds_what_simpleitk_hides(tmp_path: Path, suffix: str):
    array = volume().voxels.copy()
    array[0, 0, 0] = np.nan
    write_volume(volume(array), tmp_path / f"a{suffix}")
    assert read_volume(tmp_path / f"a{suffix}").voxels[0, 0, 0] == 0
    with pytest.raises(ImageError, match="1 voxels that are not finite"):
        read_volume(tmp_path / f"a{suffix}", thorough=True)


def test_a_flipped_bit_in_a_compressed_file_is_found_by_a_thorough_reading(tmp_path: Path):
    write_volume(volume(np.random.default_rng(0).random((4, 16, 16))), tmp_path / "a.nii.gz")
    content = bytearray((tmp_path / "a.nii.gz").read_bytes())
    content[-6] ^= 1  # in the checksum
    (tmp_path / "a.nii.gz").write_bytes(content)
    with pytest.raises(ImageError, match="fail their checksum"):
        read_volume(tmp_path / "a.nii.gz", thorough=True)


def test_time_points_and_colours_are_refused(tmp_path: Path):
    image = volume().to_sitk()
    sitk.WriteImage(sitk.JoinSeries([image, image]), str(tmp_path / "4d.nii.gz"))
    with pytest.raises(ImageError, match=r"4 dimensions \(6 x 5 x 4 x 2\)"):
        read_volume(tmp_path / "4d.nii.gz")
    sitk.WriteImage(sitk.Compose([sitk.Cast(image, sitk.sitkUInt8)] * 3), str(tmp_path / "rgb.nrrd"))
    with pytest.raises(ImageError, match="3 values a voxel"):
        read_volume(tmp_path / "rgb.nrrd")


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ImageError, match=r"none.nii.gz' does not exist"):
        read_volume(tmp_path / "none.nii.gz")


def labels(tmp_path: Path) -> Path:
    array = np.zeros((4, 8, 8), np.uint8)
    array[1, 1:3, 1:3] = 1
    array[2, 3, 3] = 1  # touches the first lesion by a corner only
    array[0, 6:8, 6:8] = 1
    array[3, 0, 7] = 2
    write_volume(volume(array), tmp_path / "labels.nii.gz")
    return tmp_path / "labels.nii.gz"


@pytest.mark.parametrize(("label", "expected"), [(None, 10), (1, 9), (2, 1)])
def test_a_label_or_every_value_above_zero_is_the_lesion(tmp_path: Path, label: int | None, expected: int):
    (mask,) = read_masks(MaskSource(source=labels(tmp_path), label=label))
    assert mask.n_voxels == expected


def test_an_absent_label_is_named_with_those_that_exist(tmp_path: Path):
    with pytest.raises(ImageError, match=r"Label 7 is absent.*holds 1, 2"):
        read_masks(MaskSource(source=labels(tmp_path), label=7))


def test_lesions_count_together_or_alone_by_size(tmp_path: Path):
    path = labels(tmp_path)
    sizes = {
        lesions: [mask.n_voxels for mask in read_masks(MaskSource(source=path, label=1, lesions=lesions))]
        for lesions in ("union", "largest", "each")
    }
    assert sizes == {"union": [9], "largest": [5], "each": [5, 4]}


def slicer_file(path: Path, array: np.ndarray, fields: dict[str, str]) -> Path:
    image = sitk.GetImageFromArray(array, isVector=array.ndim == 4)
    for key, value in fields.items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, str(path))
    return path


def test_segments_that_share_a_layer_are_told_apart_by_name_or_number(tmp_path: Path):
    array = np.zeros((3, 4, 5), np.uint8)
    array[1, 1, :3], array[2, 2, :2] = 1, 2
    fields = {"Segment0_Name": "tumour", "Segment0_LabelValue": "1", "Segment0_Layer": "0"}
    fields |= {"Segment1_Name": "node", "Segment1_LabelValue": "2", "Segment1_Layer": "0"}
    path = slicer_file(tmp_path / "a.seg.nrrd", array, fields)
    counts = [read_masks(MaskSource(source=path, segment=name))[0].n_voxels for name in ("tumour", "node", "1")]
    assert counts == [3, 2, 2]
    with pytest.raises(ImageError, match="no segment 'nodes': did you mean 'node'"):
        read_masks(MaskSource(source=path, segment="nodes"))


def test_overlapping_segments_on_layers_are_told_apart(tmp_path: Path):
    array = np.zeros((3, 4, 5, 2), np.uint8)
    array[1, 1, :3, 0], array[1, 1, 2:, 1], array[1, 2, :, 1] = 1, 1, 1
    fields = {"Segment0_Name": "tumour", "Segment0_LabelValue": "1", "Segment0_Layer": "0"}
    fields |= {"Segment1_Name": "node", "Segment1_LabelValue": "1", "Segment1_Layer": "1"}
    path = slicer_file(tmp_path / "a.seg.nrrd", array, fields)
    counts = [read_masks(MaskSource(source=path, segment=name))[0].n_voxels for name in ("tumour", "node")]
    assert counts == [3, 8]
    assert read_masks(MaskSource(source=path))[0].n_voxels == 10


def test_a_mask_saved_cropped_returns_to_the_grid_of_its_image():
    image = volume()
    whole = Mask(voxels=image.voxels > 60, spacing_mm=image.spacing_mm, origin_mm=image.origin_mm, direction=OBLIQUE)
    cropped = whole.crop(whole.bounding_box())
    (again,) = read_masks(MaskSource(source=cropped), image)
    np.testing.assert_array_equal(again.voxels, whole.voxels)
    assert again.grid_difference(image) == ""


def test_the_real_scans_match_simpleitk(shared_data: Path):
    path = shared_data / "sts" / "STS_001" / "MR_T1_image.nii.gz"
    image, expected = read_volume(path), sitk.ReadImage(str(path))
    assert image.spacing_mm[::-1] == expected.GetSpacing()
    assert image.direction == expected.GetDirection()
    np.testing.assert_array_equal(image.voxels, sitk.GetArrayViewFromImage(expected))


def test_suffixes_leave_the_stem():
    assert [stem(name) for name in ("a.b.nii.gz", "T1.seg.nrrd", "x.mha")] == ["a.b", "T1", "x"]


def test_a_label_map_keeps_every_label_and_cuts_fractions(tmp_path):
    voxels = np.zeros((3, 4, 5), dtype=np.float32)
    voxels[1, 1:3] = 1.75
    voxels[2, 2, :2] = 7
    voxels[0] = 0.9
    write_volume(Volume(voxels=voxels, spacing_mm=(2.0, 1.0, 1.0)), tmp_path / "labels.nrrd")
    labels = read_label_map(tmp_path / "labels.nrrd")
    assert labels.labels() == (1, 7)
    assert (labels.mask(1).n_voxels, labels.mask(7).n_voxels, labels.mask(2).n_voxels) == (10, 2, 0)


def test_a_label_map_that_is_not_finite_is_refused():
    voxels = np.full((2, 3, 3), np.nan, dtype=np.float32)
    with pytest.raises(ImageError, match="Mask in memory holds voxels that are not finite: export it as whole numbers"):
        label_map_of(sitk.GetImageFromArray(voxels))


def test_a_colour_image_in_memory_is_refused():
    with pytest.raises(ImageError, match="Image in memory has 3 values a voxel"):
        volume_of(sitk.GetImageFromArray(np.zeros((2, 3, 3, 3), dtype=np.uint8), isVector=True))


def test_an_image_in_memory_that_is_not_finite_is_refused():
    with pytest.raises(ImageError, match="Image in memory holds voxels that are not finite"):
        volume_of(sitk.GetImageFromArray(np.full((2, 3, 3), np.inf)))


def test_a_slice_in_memory_becomes_a_volume_of_one():
    assert volume_of(sitk.GetImageFromArray(np.zeros((4, 5)))).shape == (1, 4, 5)
