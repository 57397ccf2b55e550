"""Voxels read directly are those of SimpleITK, bit for bit, and whatever is not plain is left to it or refused."""

from __future__ import annotations

import gzip
import itertools
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from glottis._errors import ImageError
from glottis.data.cohort import MaskSource
from glottis.data.volume import Volume
from glottis.io import images, voxels
from glottis.io.images import read_masks, read_volume

SHAPE = (3, 4, 5)
TYPES = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")
NIFTI_CODES = {code: number for number, code in voxels.NIFTI_TYPES.items()}
NRRD_NAMES = {"i8": "int64", "u8": "uint64"} | {code: names[0] for code, names in voxels.NRRD_TYPES.items()}


def values(code: str) -> np.ndarray:
    """Values over the whole range of a pixel type."""
    kind, rng = np.dtype(code), np.random.default_rng(7)
    if kind.kind == "f":
        return (rng.normal(size=SHAPE) * 1e4).astype(kind)
    return rng.integers(np.iinfo(kind).min, np.iinfo(kind).max, SHAPE, dtype=kind, endpoint=True)


def nifti(array: np.ndarray, order: str = "<", *, slope: float = 0, intercept: float = 0, offset: int = 352) -> bytes:
    """A NIfTI-1 file by hand."""
    header = bytearray(offset)
    sizes = (array.ndim, *array.shape[::-1], *[1] * (7 - array.ndim))
    struct.pack_into(f"{order}i", header, 0, 348)
    struct.pack_into(f"{order}8h", header, 40, *sizes)
    struct.pack_into(f"{order}2h", header, 70, NIFTI_CODES[array.dtype.str[1:]], array.dtype.itemsize * 8)
    struct.pack_into(f"{order}8f", header, 76, 1, 0.5, 0.75, 3, 1, 1, 1, 1)
    struct.pack_into(f"{order}3f", header, 108, offset, slope, intercept)
    struct.pack_into(f"{order}2h", header, 252, 0, 1)
    struct.pack_into(f"{order}12f", header, 280, 0.5, 0, 0, 3, 0, 0.75, 0, 4, 0, 0, 3, 5)
    header[344:348] = b"n+1\0"
    return bytes(header) + array.astype(array.dtype.newbyteorder(order)).tobytes()


def nifti_2(array: np.ndarray) -> bytes:
    """A NIfTI-2 file by hand."""
    header = bytearray(544)
    struct.pack_into("<i8s2h", header, 0, 540, b"n+2\0\r\n\x1a\n", NIFTI_CODES[array.dtype.str[1:]], 8 * array.itemsize)
    struct.pack_into("<8q", header, 16, 3, *array.shape[::-1], 1, 1, 1, 1)
    struct.pack_into("<8d", header, 104, 1, 0.5, 0.75, 3, 1, 1, 1, 1)
    struct.pack_into("<q2d", header, 168, 544, 1, 0)
    struct.pack_into("<2i", header, 344, 0, 1)
    struct.pack_into("<12d", header, 400, 0.5, 0, 0, 3, 0, 0.75, 0, 4, 0, 0, 3, 5)
    return bytes(header) + array.tobytes()


def nrrd(array: np.ndarray, order: str = "<", encoding: str = "raw", extra: str = "") -> bytes:
    """A NRRD file by hand."""
    name = NRRD_NAMES[array.dtype.str[1:]]
    sizes = " ".join(str(size) for size in array.shape[::-1])
    header = (
        f"NRRD0004\n# a comment\ntype: {name}\ndimension: {array.ndim}\n"
        f"space: left-posterior-superior\nsizes: {sizes}\n"
        f"space directions: (0.5,0,0) (0,0.75,0) (0,0,3)\nkinds: domain domain domain\n"
        f"endian: {'big' if order == '>' else 'little'}\nencoding: {encoding}\nspace origin: (3,4,5)\n{extra}\n"
    )
    data = array.astype(array.dtype.newbyteorder(order)).tobytes()
    if encoding == "ascii":
        data = " ".join(str(value) for value in array.ravel()).encode()
    return header.encode() + (gzip.compress(data) if encoding in ("gzip", "gz") else data)


def saved(tmp_path: Path, content: bytes, name: str) -> Path:
    (tmp_path / name).write_bytes(content)
    return tmp_path / name


def assert_as_simpleitk(path: Path, *, plain: bool) -> Volume:
    """Same voxels, pixel type and geometry as SimpleITK; ``plain`` tells whether they were read directly."""
    expected = Volume.from_sitk(sitk.ReadImage(str(path)))
    assert (images._read_plain(path) is not None) == plain
    found = read_volume(path)
    assert found.voxels.dtype == expected.voxels.dtype
    assert found.voxels.dtype.isnative
    np.testing.assert_array_equal(found.voxels, expected.voxels)
    assert found.grid_difference(expected, tolerance=0) == ""
    return found


@pytest.mark.parametrize("code", TYPES)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_pixel_type_of_nifti_is_read_as_by_simpleitk(tmp_path, code, order, packed):
    content = nifti(values(code), order)
    path = saved(tmp_path, gzip.compress(content) if packed else content, "a.nii.gz" if packed else "a.nii")
    np.testing.assert_array_equal(assert_as_simpleitk(path, plain=True).voxels, values(code))


@pytest.mark.parametrize("code", TYPES)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("encoding", ["raw", "gzip", "gz"])
def test_every_pixel_type_of_nrrd_is_read_as_by_simpleitk(tmp_path, code, order, encoding):
    path = saved(tmp_path, nrrd(values(code), order, encoding), "a.nrrd")
    np.testing.assert_array_equal(assert_as_simpleitk(path, plain=code in voxels.NRRD_TYPES).voxels, values(code))


@pytest.mark.parametrize("code", ["i2", "f4"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd"])
def test_what_simpleitk_writes_is_plain(tmp_path, code, suffix):
    image = sitk.GetImageFromArray(values(code))
    image.SetSpacing((0.5, 0.75, 3))
    sitk.WriteImage(image, str(tmp_path / f"a{suffix}"), True)
    assert_as_simpleitk(tmp_path / f"a{suffix}", plain=True)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd"])
@pytest.mark.parametrize("parts", [2, 3, 7])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_stream_of_several_members_is_read_whole(tmp_path, suffix, parts, share):
    """Also where the first member is as long as the last, whose length stands at the end of the file."""
    content = nifti(values("i2")) if suffix == ".nii.gz" else values("i2").tobytes()
    ends = [0, *(int(len(content) * share * part / (parts - 1)) for part in range(1, parts)), len(content)]
    packed = b"".join(gzip.compress(content[a:b]) for a, b in itertools.pairwise(ends))
    header = b"" if suffix == ".nii.gz" else nrrd(values("i2"), encoding="gzip").partition(b"\n\n")[0] + b"\n\n"
    path = saved(tmp_path, header + packed, f"a{suffix}")
    np.testing.assert_array_equal(read_volume(path).voxels, values("i2"))


def test_a_compressed_file_may_lack_the_suffix_that_says_so(tmp_path):
    path = saved(tmp_path, gzip.compress(nifti(values("i2"))), "a.nii.gz")
    np.testing.assert_array_equal(read_volume(path).voxels, values("i2"))
    plain = saved(tmp_path, nifti(values("i2")), "b.nii.gz")
    np.testing.assert_array_equal(assert_as_simpleitk(plain, plain=True).voxels, values("i2"))


@pytest.mark.parametrize("offset", [0, 100, 348, 352, 360])
def test_an_offset_means_what_it_means_to_simpleitk(tmp_path, offset):
    content = bytearray(nifti(values("i2")) + bytes(64))
    struct.pack_into("<f", content, 108, offset)
    assert_as_simpleitk(saved(tmp_path, bytes(content), "a.nii"), plain=offset >= 348)


def test_voxels_may_start_behind_an_extension(tmp_path):
    assert_as_simpleitk(saved(tmp_path, nifti(values("i2"), offset=416), "a.nii"), plain=True)


@pytest.mark.parametrize(("slope", "intercept"), [(2, 0), (1, -1024), (0.5, 3)])
@pytest.mark.parametrize("code", ["i2", "u1", "f4"])
def test_rescaled_voxels_are_left_to_simpleitk(tmp_path, code, slope, intercept):
    path = saved(tmp_path, nifti(values(code), slope=slope, intercept=intercept), "a.nii")
    found = assert_as_simpleitk(path, plain=False)
    np.testing.assert_allclose(found.voxels, values(code).astype(float) * slope + intercept, rtol=1e-6)


@pytest.mark.parametrize("intercept", [0, 5])
def test_a_slope_of_zero_means_no_rescaling(tmp_path, intercept):
    path = saved(tmp_path, nifti(values("i2"), slope=0, intercept=intercept), "a.nii")
    np.testing.assert_array_equal(read_volume(path).voxels, Volume.from_sitk(sitk.ReadImage(str(path))).voxels)


def test_nifti_2_which_simpleitk_does_not_know_is_refused(tmp_path):
    with pytest.raises(ImageError, match=r"not an image that can be read .*convert or export it again"):
        read_volume(saved(tmp_path, nifti_2(values("f4")), "a.nii"))


def test_one_time_point_is_a_volume(tmp_path):
    path = saved(tmp_path, nifti(values("i2")[np.newaxis]), "a.nii")
    np.testing.assert_array_equal(read_volume(path).voxels, values("i2"))


def test_several_time_points_are_refused(tmp_path):
    path = saved(tmp_path, nifti(np.stack([values("i2")] * 2)), "a.nii")
    with pytest.raises(ImageError, match=r"4 dimensions \(5 x 4 x 3 x 2\), three are needed"):
        read_volume(path)


def test_a_nrrd_in_words_is_left_to_simpleitk(tmp_path):
    path = saved(tmp_path, nrrd(values("i2"), encoding="ascii"), "a.nrrd")
    np.testing.assert_array_equal(assert_as_simpleitk(path, plain=False).voxels, values("i2"))


@pytest.mark.parametrize("name", ["a.nhdr", "a.nrrd"])
def test_a_nrrd_with_its_voxels_elsewhere_is_left_to_simpleitk(tmp_path, name):
    saved(tmp_path, values("i2").tobytes(), "a.raw")
    header = nrrd(values("i2"), extra="data file: a.raw\n").partition(b"\n\n")[0] + b"\n\n"
    path = saved(tmp_path, header, name)
    np.testing.assert_array_equal(assert_as_simpleitk(path, plain=False).voxels, values("i2"))


@pytest.mark.parametrize("skipped", ["line skip: 1\n", "byte skip: 6\n"])
def test_a_nrrd_that_skips_bytes_is_left_to_simpleitk(tmp_path, skipped):
    header, _, data = nrrd(values("i2"), extra=skipped).partition(b"\n\n")
    path = saved(tmp_path, header + b"\n\n" + b"words\n" + data, "a.nrrd")
    np.testing.assert_array_equal(assert_as_simpleitk(path, plain=False).voxels, values("i2"))


def test_vectors_are_refused(tmp_path):
    image = sitk.GetImageFromArray(np.stack([values("i2")] * 3, axis=-1), isVector=True)
    sitk.WriteImage(image, str(tmp_path / "a.nrrd"))
    with pytest.raises(ImageError, match="3 values a voxel"):
        read_volume(tmp_path / "a.nrrd")


def test_a_segmentation_is_read_as_a_mask_directly_and_by_segment(tmp_path):
    image = sitk.GetImageFromArray((values("u1") > 100).astype(np.uint8) + (values("u1") > 200))
    for key, value in {"Segment0_Name": "tumour", "Segment0_LabelValue": "1", "Segment0_Layer": "0"}.items():
        image.SetMetaData(key, value)
    path = tmp_path / "a.seg.nrrd"
    sitk.WriteImage(image, str(path), True)
    assert_as_simpleitk(path, plain=True)
    inside = sitk.GetArrayFromImage(image)
    np.testing.assert_array_equal(read_masks(MaskSource(source=path))[0].voxels, inside > 0)
    np.testing.assert_array_equal(read_masks(MaskSource(source=path, segment="tumour"))[0].voxels, inside == 1)


@pytest.mark.parametrize("code", ["f4", "f8"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_voxels_that_are_not_finite_become_zero_as_itk_has_it(tmp_path, code, order):
    array = values(code)
    array[0, 0, :3] = np.nan, np.inf, -np.inf
    found = assert_as_simpleitk(saved(tmp_path, nifti(array, order), "a.nii"), plain=True)
    assert (found.voxels[0, 0, :3] == 0).all()


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "raw.nrrd", "gzip.nrrd"])
@pytest.mark.parametrize("kept", [0.4, 0.9, 0.999])
def test_a_file_that_breaks_off_is_refused(tmp_path, name, kept):
    array = np.random.default_rng(0).integers(0, 4000, (6, 20, 20)).astype(np.int16)
    content = nrrd(array, encoding=name[:-5]) if name.endswith("nrrd") else nifti(array)
    content = gzip.compress(content) if name.endswith("gz") else content
    path = saved(tmp_path, content[: int(len(content) * kept)], name)
    with pytest.raises(ImageError, match=r"(is truncated|is damaged|cannot be read).*copy or export it again"):
        read_volume(path)


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd"])
@pytest.mark.parametrize("place", [0.5, 0.8, -6, -2])
def test_a_flipped_bit_in_compressed_voxels_is_refused(tmp_path, name, place):
    array = np.random.default_rng(0).integers(0, 4000, (60, 60, 60)).astype(np.int16)
    content = bytearray(gzip.compress(nifti(array)) if name == "a.nii.gz" else nrrd(array, encoding="gzip"))
    content[place if place < 0 else int(len(content) * place)] ^= 4
    with pytest.raises(ImageError, match=r"is damaged, its compressed data break off or fail their checksum"):
        read_volume(saved(tmp_path, bytes(content), name))


def test_a_flipped_bit_in_a_small_file_is_refused_too(tmp_path):
    content = bytearray(gzip.compress(nifti(values("i2"))))
    content[-6] ^= 4
    with pytest.raises(ImageError, match=r"copy or export it again|convert or export it again"):
        read_volume(saved(tmp_path, bytes(content), "a.nii.gz"))


def test_bytes_behind_the_voxels_are_left_alone(tmp_path):
    path = saved(tmp_path, nifti(values("i2")) + b"more", "a.nii")
    np.testing.assert_array_equal(read_volume(path).voxels, values("i2"))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd"])
@pytest.mark.parametrize("size", [0, 1, 100, 400])
def test_a_file_of_zeros_is_refused(tmp_path, name, size):
    with pytest.raises(ImageError):
        read_volume(saved(tmp_path, bytes(size), name))
