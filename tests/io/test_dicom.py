"""A DICOM folder is one complete, regular series or it is refused, without a word about the patient."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from glottis._errors import ImageError
from glottis.io.dicom import series_files
from glottis.io.images import read_header, read_volume

SERIES, OTHER = generate_uid(entropy_srcs=["a"]), generate_uid(entropy_srcs=["b"])


def write_slice(path: Path, z: float, *, series: str = SERIES, value: int = 0, size: int = 4, **tags: object) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = CTImageStorage, meta.MediaStorageSOPInstanceUID, "CT"
    data.SeriesInstanceUID, data.PatientName, data.PatientID = series, "Secret^Name", "REC-4711"
    data.Rows, data.Columns, data.PixelSpacing = size, size, [0.5, 0.75]
    data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, z], [1, 0, 0, 0, 1, 0]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.RescaleIntercept, data.RescaleSlope = 0, 1
    data.PixelData = np.full((size, size), value, np.int16).tobytes()
    for name, content in tags.items():
        setattr(data, name, content)
    data.save_as(path, enforce_file_format=True)


def series(folder: Path, positions: list[float]) -> Path:
    folder.mkdir(exist_ok=True)
    for number, z in enumerate(positions):
        write_slice(folder / f"{len(positions) - number:03d}.dcm", z, value=number)
    return folder


def test_slices_are_ordered_by_position_whatever_their_names(tmp_path: Path):
    volume = read_volume(series(tmp_path / "s", [0, 2.5, 5, 7.5]))
    assert volume.voxels[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert volume.spacing_mm == (2.5, 0.5, 0.75)
    assert read_header(tmp_path / "s").shape == (4, 4, 4)


@pytest.mark.parametrize(
    ("positions", "gap"), [([0, 2, 6, 8], "4.00 mm"), ([0, 2, 4, 12], "8.00 mm"), ([0, 2, 6], "4.0")]
)
def test_a_missing_slice_is_found_with_its_place_and_gap(tmp_path: Path, positions: list[float], gap: str):
    with pytest.raises(ImageError, match=f"lacks about .* slice.*: {gap}.*where the others are 2.00 mm apart"):
        read_volume(series(tmp_path / "s", positions))


def test_two_series_in_a_folder_are_counted(tmp_path: Path):
    folder = series(tmp_path / "s", [0, 1, 2])
    write_slice(folder / "x.dcm", 3, series=OTHER)
    with pytest.raises(ImageError, match=r"mixes 2 DICOM series \(3, 1 files\): put each series") as error:
        read_volume(folder)
    assert "Secret" not in str(error.value)
    assert "4711" not in str(error.value)


@pytest.mark.parametrize(
    ("z", "tags", "message"),
    [
        (2, {}, "two slices at 2.00 mm"),
        (3, {"size": 8}, r"different size \(4 x 4 and 8 x 8"),
        (3, {"PixelSpacing": [0.5, 0.8]}, "different pixel spacing"),
        (3, {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "different orientation"),
        (2.7, {}, "uneven slice distances"),
        (3, {"ImagePositionPatient": [5, 0, 3]}, "tilted stack"),
        (3, {"SamplesPerPixel": 3}, "colour image"),
    ],
)
def test_a_slice_that_does_not_fit_is_refused(tmp_path: Path, z: float, tags: dict, message: str):
    folder = series(tmp_path / "s", [0, 1, 2])
    write_slice(folder / "x.dcm", z, **tags)
    with pytest.raises(ImageError, match=message):
        series_files(folder)


@pytest.mark.parametrize(("modality", "words"), [("SEG", "DICOM segmentation"), ("RTSTRUCT", "DICOM structure set")])
def test_dicom_segmentations_are_refused_by_name(tmp_path: Path, modality: str, words: str):
    write_slice(tmp_path / "mask.dcm", 0, Modality=modality)
    with pytest.raises(ImageError, match=f"{words}.*export the mask as NIfTI"):
        read_volume(tmp_path / "mask.dcm")


def test_a_folder_without_dicom_is_refused(tmp_path: Path):
    (tmp_path / "readme.txt").write_text("nothing here")
    with pytest.raises(ImageError, match="holds no DICOM image"):
        read_volume(tmp_path)


def test_the_ibsi_phantom_reads_like_its_nifti_and_a_removed_slice_is_noticed(shared_data: Path, tmp_path: Path):
    source = shared_data / "ibsi" / "ibsi_1_ct_radiomics_phantom" / "dicom" / "image"
    volume = read_volume(source)
    nifti = sorted((source.parents[1] / "nifti" / "image").glob("*.nii*"))[0]
    np.testing.assert_array_equal(volume.voxels, sitk.GetArrayFromImage(sitk.ReadImage(str(nifti))))
    assert volume.grid_difference(read_volume(nifti), tolerance=1e-3) == ""
    files = series_files(source)
    for file in files[:6] + files[7:12]:
        shutil.copy(file, tmp_path / file.name)
    with pytest.raises(ImageError, match=r"lacks about 1 slice\(s\): 6.00 mm"):
        read_volume(tmp_path)


def test_a_dicom_segmentation_of_the_shared_data_is_refused(shared_data: Path):
    with pytest.raises(ImageError, match="DICOM segmentation"):
        read_volume(shared_data / "dicom" / "dcmqi_segmentations" / "liver.dcm")
