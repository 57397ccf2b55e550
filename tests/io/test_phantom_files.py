"""The files of a synthetic cohort."""

from __future__ import annotations

import pandas as pd
import pytest

from glottis._errors import StorageError
from glottis.data.phantom import PhantomDesign, draw_patient
from glottis.io.images import read_volume
from glottis.io.phantom_files import write_phantom

DESIGN = PhantomDesign(n_patients=2, readers=1, size=(12, 96, 96), seed=2)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_phantom(DESIGN, tmp_path_factory.mktemp("phantom"))


def _contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_manifest_names_every_file_and_no_truth(written):
    table = pd.read_csv(written.manifest, dtype=str, keep_default_na=False)
    assert list(table.columns[:14]) == [
        "patient", "centre", "age", "sex", "smoking", "drinking", "site", "differentiation",
        "cT", "cN", "cTNM", "stage", "pfs_months", "pfs_event",
    ]  # fmt: skip
    named = [name for name in table.iloc[:, 14:].to_numpy().ravel() if name]
    on_disk = {
        path.relative_to(written.manifest.parent).as_posix() for path in written.manifest.parent.rglob("*.nii.gz")
    }
    assert sorted(named) == sorted(on_disk)
    assert not {"score", "severity"} & set(table.columns)


def test_images_come_back_as_they_were_drawn(written):
    image, mask = draw_patient(DESIGN, 0).scans["T2WI"]
    stored = read_volume(written.manifest.parent / "P001" / "T2WI_image.nii.gz")
    assert (stored.voxels == image.voxels).all()
    assert image.grid_difference(stored) == ""
    assert (read_volume(written.manifest.parent / "P001" / "T2WI_mask.nii.gz").voxels == mask.voxels).all()


def test_the_same_seed_gives_the_same_bytes(written, tmp_path):
    write_phantom(DESIGN, tmp_path)
    assert _contents(tmp_path) == _contents(written.manifest.parent)


def test_a_stopped_writer_carries_on_and_leaves_finished_files_alone(written, tmp_path):
    write_phantom(DESIGN, tmp_path)
    kept, lost = tmp_path / "P001" / "CE_image.nii.gz", tmp_path / "P001" / "CE_mask.nii.gz"
    before = kept.stat().st_mtime_ns
    lost.unlink()
    write_phantom(DESIGN, tmp_path)
    assert kept.stat().st_mtime_ns == before
    assert _contents(tmp_path) == _contents(written.manifest.parent)


def test_a_larger_cohort_grows_in_the_same_folder(tmp_path):
    write_phantom(PhantomDesign(n_patients=1, readers=1, size=(12, 96, 96), seed=2), tmp_path)
    seen = []
    assert write_phantom(DESIGN, tmp_path, progress=lambda done, total: seen.append((done, total))).n_patients == 2
    assert seen == [(1, 2), (2, 2)]


def test_another_phantom_is_not_written_over(written):
    with pytest.raises(StorageError, match=r"another phantom \(seed: 2 there, 3 asked for\): choose an empty folder"):
        write_phantom(PhantomDesign(n_patients=2, readers=1, size=(12, 96, 96), seed=3), written.manifest.parent)


def test_a_damaged_design_file_is_reported(tmp_path):
    (tmp_path / "phantom.json").write_text("{")
    with pytest.raises(StorageError, match="cannot be read as a phantom's design"):
        write_phantom(DESIGN, tmp_path)
