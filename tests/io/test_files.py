"""A file is written whole or not at all, and a full disk is a sentence."""

from __future__ import annotations

import errno
import resource
from pathlib import Path

import numpy as np
import pytest

from glottis._errors import ImageError, StorageError
from glottis.data.volume import Volume
from glottis.io.files import sha256_file, sha256_path, write_atomic, write_text_atomic
from glottis.io.images import write_volume


def test_a_failing_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path: Path):
    path = tmp_path / "table.csv"
    write_text_atomic(path, "old")

    def fill_the_disk(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageError, match=r"table.csv': the disk is full: free some space"):
        write_atomic(path, fill_the_disk)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.csv"]


@pytest.fixture
def small_files_only():
    import signal

    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_files_only")
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_an_image_larger_than_the_limit_is_a_storage_error(tmp_path: Path, suffix: str):
    noise = np.random.default_rng(0).random((20, 20, 20))
    with pytest.raises(StorageError, match="exceeds the allowed size"):
        write_volume(Volume(voxels=noise, spacing_mm=(1.0, 1.0, 1.0)), tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_named(tmp_path: Path):
    (tmp_path / "a").write_text("a file")
    with pytest.raises(StorageError, match=r"a file|folder"):
        write_text_atomic(tmp_path / "a" / "b.csv", "x")


def test_an_image_needs_an_image_suffix(tmp_path: Path):
    with pytest.raises(ImageError, match=r"Cannot write an image as 'a.jpg': use one of .nii.gz"):
        write_volume(Volume(voxels=np.zeros((1, 1, 1)), spacing_mm=(1.0, 1.0, 1.0)), tmp_path / "a.jpg")


def test_the_hash_is_sha_256_of_the_bytes(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256_file(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    before = sha256_path(tmp_path)
    (tmp_path / "b").write_bytes(b"")
    assert sha256_path(tmp_path) != before
