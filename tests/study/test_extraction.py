"""Extraction of many scans: failures are reported and leave the rest running; what is kept, and what is not."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import glottis.study.run as study_run
from glottis.cli import run_command
from glottis.data.cohort import MaskSource
from glottis.features.extract import FeatureSettings
from glottis.io.images import write_volume
from glottis.study.case import CaseSettings
from glottis.study.extraction import THUMBNAIL, ScanTask, extract_scan
from tiny_study import TinyStudy, image, mask

SETTINGS = CaseSettings(features=FeatureSettings(classes={"firstorder": ("Mean", "Entropy")}))


def task(tmp_path, **changes) -> ScanTask:
    write_volume(image(1), tmp_path / "image.nii")
    write_volume(mask(1), tmp_path / "mask.nii")
    masks = (MaskSource(source=tmp_path / "mask.nii"),)
    content = {"image": tmp_path / "image.nii", "masks": masks, "settings": SETTINGS, "cache": tmp_path / "cache"}
    return ScanTask(patient="P1", sequence="T1", **{**content, **changes})


def n_kept(tmp_path) -> int:
    return len(list((tmp_path / "cache").rglob("*.json")))


def test_a_batch_with_one_corrupt_image_gives_the_other_rows_and_the_reason(tiny: TinyStudy, capsys):
    tiny.own("P03", "T2_image").write_bytes(b"no image at all")
    tiny.set("P03", "T2_image", str(tiny.folder / "P03_T2_image.nii"))
    assert run_command([*tiny.extraction(), "--json"]) == 2
    streams = capsys.readouterr()
    (failure,) = json.loads(streams.out)["failures"]
    assert failure["row"] == 8
    assert "P03_T2_image.nii' is no NIfTI file" in failure["reason"]
    assert f"row 8: {failure['reason']}" in streams.err
    table = pd.read_csv(tiny.folder / "out.csv")
    assert table.index[table["original_firstorder_Mean"].isna()].tolist() == [7]


def test_finished_rows_of_a_batch_with_a_failure_wait_for_the_mended_image(tiny: TinyStudy):
    broken = tiny.own("P03", "T2_image")
    content = broken.read_bytes()
    broken.write_bytes(content[:-100])
    tiny.set("P03", "T2_image", str(broken))
    cache = tiny.folder / "out.csv.cache"
    assert run_command(tiny.extraction()) == 2
    assert len(list(cache.rglob("*.json"))) == 47
    broken.write_bytes(content)
    assert run_command(tiny.extraction()) == 0
    assert not cache.exists()


def test_a_scan_lost_after_the_check_is_listed_and_its_patient_is_missing_from_the_models(
    tiny: TinyStudy, monkeypatch: pytest.MonkeyPatch
):
    lost = tiny.own("P03", "T2_image")
    check = study_run.check_study

    def check_then_lose(*arguments, **options):
        findings = check(*arguments, **options)
        lost.write_bytes(lost.read_bytes()[:-100])
        return findings

    monkeypatch.setattr(study_run, "check_study", check_then_lose)
    run = tiny.compute()
    failures = json.loads((run / "extraction.json").read_text())["failures"]
    assert {(row["patient"], row["sequence"]) for row in failures} == {("P03", "T2")}
    assert all("truncated" in row["reason"] for row in failures)
    models = json.loads((run / "flow.json").read_text())["models"]
    reason = "T2: no features (extraction failed)"
    assert models["T1"]["missing"] == []
    assert models["T2"]["missing"] == models["T1+T2"]["missing"] == [{"patient": "P03", "reason": reason}]


def test_a_redrawn_mask_that_fails_costs_no_other_delineation(tmp_path):
    far = MaskSource(source=tmp_path / "absent-label.nii", label=7, reader="B")
    write_volume(mask(2), tmp_path / "absent-label.nii")
    result = extract_scan(task(tmp_path, masks=(MaskSource(source=tmp_path / "mask.nii"), far)))
    assert result.error == ""
    assert result.rows[0].features["original_firstorder_Mean"] > 0
    assert "Label 7 is absent" in result.rows[1].error


def test_a_failure_is_not_kept_since_its_reason_may_lie_outside_the_scan(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "error" not in extract_scan(task(tmp_path)).error
    assert n_kept(tmp_path) == 1
    other = task(tmp_path, settings=CaseSettings(features=SETTINGS.features, minimum_voxels=10**6))
    assert "fewer than the minimum" in extract_scan(other).error
    assert n_kept(tmp_path) == 1


@pytest.mark.parametrize("name", ["image", "mask"])
def test_a_missing_file_is_the_reason_of_its_scan_alone(tmp_path, name):
    scan = task(tmp_path)
    (tmp_path / f"{name}.nii").unlink()
    assert f"{name}.nii' does not exist: correct its path" in extract_scan(scan).error


def test_a_kept_result_equals_a_computed_one(tmp_path):
    first, second = (extract_scan(task(tmp_path, picture=True)) for _ in range(2))
    assert n_kept(tmp_path) == 1
    assert first.rows == second.rows
    assert first.picture.shape == (2, THUMBNAIL, THUMBNAIL)
    assert (first.picture == second.picture).all()


@pytest.mark.parametrize("change", ["image", "mask", "settings"])
def test_whatever_a_result_rests_on_is_part_of_its_key(tmp_path, change):
    extract_scan(task(tmp_path))
    scan = task(tmp_path)
    if change == "image":
        write_volume(image(2), scan.image)
    elif change == "mask":
        write_volume(mask(2), scan.masks[0].source)
    else:
        scan = task(tmp_path, settings=CaseSettings(features=FeatureSettings(classes={"firstorder": ("Mean",)})))
    extract_scan(scan)
    assert n_kept(tmp_path) == 2


def test_several_lesions_each_give_a_row(tmp_path):
    two = mask(1)
    two.voxels[6] = False
    write_volume(two, tmp_path / "two.nii")
    scan = task(tmp_path, masks=(MaskSource(source=tmp_path / "two.nii", lesions="each"),))
    assert [row.lesion for row in extract_scan(scan).rows] == [0, 1]


def test_a_library_that_fails_on_one_scan_is_a_reason_not_a_crash(tmp_path, monkeypatch):
    def fail(*arguments):
        message = "\nsitk::ERROR: the filter gave up"
        raise RuntimeError(message)

    monkeypatch.setattr("glottis.study.extraction.extract_case", fail)
    assert "RuntimeError while this scan was measured: sitk::ERROR: the filter" in extract_scan(task(tmp_path)).error
    assert n_kept(tmp_path) == 0
