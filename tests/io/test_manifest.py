"""A manifest becomes a cohort, or one message says which column and value is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from glottis._errors import CohortError
from glottis.data.cohort import MaskColumn, Roles, SequenceColumns
from glottis.io.manifest import outcome_codes, read_batch, read_manifest

T1 = SequenceColumns(
    image="T1_image", mask=MaskColumn(column="T1_mask"), repeats=(MaskColumn(column="T1_b", reader="B"),)
)
ROLES = Roles(
    id="id", sequences={"T1": T1}, centre="site", outcome="stage", positive="III-IV", time="months", event="died",
    clinical=("age", "sex"),
)  # fmt: skip
HEADER = "id,site,stage,months,died,age,sex,T1_image,T1_mask,T1_b\n"
GOOD = (
    HEADER + "002,B,I-II,3.5,0,61,m,b/i.nii,b/m.nii,\n001,A,III-IV,7,1,,f,a/i.nii,a/m.nii,a/mb.nii\n003,A,,,,70,m,,,\n"
)


def manifest(tmp_path: Path, text: str) -> Path:
    (tmp_path / "manifest.csv").write_text(text)
    return tmp_path / "manifest.csv"


def test_a_manifest_becomes_cases_in_the_order_of_their_ids(tmp_path: Path):
    cases = read_manifest(manifest(tmp_path, GOOD), ROLES).cases
    assert [(case.patient, case.outcome, case.time, case.event, case.group) for case in cases] == [
        ("001", 1, 7.0, 1, "001"),
        ("002", 0, 3.5, 0, "002"),
        ("003", None, None, None, "003"),
    ]
    assert cases[0].clinical == {"age": None, "sex": "f"}


def test_paths_are_relative_to_the_manifest_and_absent_sequences_are_absent(tmp_path: Path):
    first, second, third = read_manifest(manifest(tmp_path, GOOD), ROLES).cases
    assert first.scans["T1"].image == tmp_path / "a/i.nii"
    assert [(repeat.reader, repeat.source) for repeat in first.scans["T1"].repeats] == [("B", tmp_path / "a/mb.nii")]
    assert second.scans["T1"].repeats == ()
    assert third.scans == {}


def test_backslashes_of_windows_are_understood(tmp_path: Path):
    text = GOOD.replace("a/i.nii", "a\\i.nii")
    assert read_manifest(manifest(tmp_path, text), ROLES).cases[0].scans["T1"].image == tmp_path / "a" / "i.nii"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("stage,", "stages,", r"no column 'stage' \(outcome\): did you mean 'stages'"),
        ("III-IV", "III", r"positive class 'III-IV' does not occur \('I-II': 1, 'III': 1\)"),
        ("003,A,,", "003,A,unknown,", r"has 3 values \('I-II': 1, 'III-IV': 1, 'unknown': 1\), two are needed"),
        ("I-II,3.5", ",3.5", "one class only"),
        ("\n002", "\n001", r"1 patient has several rows \(001\)"),
        ("\n002", "\n", "'id' is empty in row 2"),
        ("3.5", "-3.5", "follow-up time 'months' must hold numbers"),
        (",7,1,", ",7,dead,", "found 'dead': 1"),
    ],
)
def test_a_wrong_cell_is_named_with_its_value(tmp_path: Path, old: str, new: str, message: str):
    with pytest.raises(CohortError, match=message):
        read_manifest(manifest(tmp_path, GOOD.replace(old, new, 1)), ROLES)


def test_a_lenient_reading_leaves_wrong_cells_out_for_the_doctor(tmp_path: Path):
    text = GOOD.replace("003,A,,", "003,A,unknown,").replace("\n003", "\n002")
    cases = read_manifest(manifest(tmp_path, text), ROLES, strict=False).cases
    assert [(case.patient, case.outcome) for case in cases] == [("001", 1), ("002", 0), ("002", None)]


def test_zeros_and_ones_need_no_positive_class():
    assert outcome_codes(["1", "0", "1.0", None], None) == [1, 0, 1, None]
    assert outcome_codes(["1", "2"], 2) == [0, 1]
    with pytest.raises(CohortError, match=r"not 0 and 1 \('a': 2, 'b': 1\): name the positive class"):
        outcome_codes(["a", "b", "a"], None)


def test_a_set_column_is_kept(tmp_path: Path):
    roles = replace(ROLES, given_set="site")
    assert [case.given_set for case in read_manifest(manifest(tmp_path, GOOD), roles).cases] == ["A", "B", "A"]


def test_a_batch_table_keeps_its_columns_and_order(tmp_path: Path):
    path = manifest(tmp_path, "Patient,Image,Mask,Label,Note\np1,a.nrrd,m.nrrd,2,NA\np2,b.nrrd,m2.nrrd,,x\n")
    first, second = read_batch(path)
    assert (first.number, first.image, first.labels, second.labels) == (1, tmp_path / "a.nrrd", (2,), None)
    assert list(first.columns.items()) == [
        ("Patient", "p1"), ("Image", "a.nrrd"), ("Mask", "m.nrrd"), ("Label", "2"), ("Note", "NA"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Image,Masks\na,b\n", "no column 'Mask': did you mean 'Masks'"),
        ("Image,Mask\na,\n", "row 1: 'Mask' is empty"),
        ("Image,Mask,Label\na,b,two\n", "row 1: Label 'two' is no whole number"),
    ],
)
def test_a_wrong_batch_table_is_refused(tmp_path: Path, text: str, message: str):
    with pytest.raises(CohortError, match=message):
        read_batch(manifest(tmp_path, text))
