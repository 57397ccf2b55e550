"""Folders as people keep them are recognised, and a clinical table joins without losing anyone."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from glottis._errors import CohortError
from glottis.io.clinical import read_table
from glottis.io.layouts import detect, join_clinical, write_manifest


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def cells(folder: Path, layout) -> list[dict[str, str]]:
    return [
        {name: str(Path(cell).relative_to(folder)) if "_" in name else cell for name, cell in row.items() if cell}
        for row in layout.rows.to_dict("records")
    ]


def test_sequences_in_patient_folders(tmp_path: Path):
    touch(tmp_path, "p1/T1_image.nii.gz", "p1/T1_mask.nii.gz", "p1/T2_image.nii.gz", "p1/T2_mask.nii.gz")
    touch(tmp_path, "p2/T1_image.nii.gz", "p2/T1_mask.nii.gz", "p2/T2_image.nii.gz", "clinical.csv")
    layout = detect(tmp_path)
    assert (layout.kind, layout.sequences) == ("patient folders", ("T1", "T2"))
    assert cells(tmp_path, layout)[1] == {
        "patient": "p2", "T1_image": "p2/T1_image.nii.gz", "T1_mask": "p2/T1_mask.nii.gz",
    }  # fmt: skip
    assert layout.notes == ("p2: no mask for image 'T2_image.nii.gz'.", "T2: absent for 1 of 2 patients (p2).")


def test_one_image_and_one_mask_per_patient_under_any_name(tmp_path: Path):
    touch(tmp_path, "p1/image.nrrd", "p1/mask.nrrd", "p2/image.nrrd", "p2/mask.nrrd")
    assert cells(tmp_path, detect(tmp_path))[0]["scan_image"] == "p1/image.nrrd"


def test_masks_of_further_readers_and_rounds_get_columns(tmp_path: Path):
    touch(
        tmp_path,
        "p1/T1_image.nii",
        "p1/T1_mask.nii",
        "p1/T1_mask_readerB.nii",
        "p1/T1_mask_round2.nii",
        "p1/T1_mask_x9y.nii",
    )
    layout = detect(tmp_path)
    assert [(item.column, item.reader, item.round) for item in layout.repeats] == [
        ("T1_mask_A2", "A", 2),
        ("T1_mask_B1", "B", 1),
    ]
    assert layout.notes == ("p1: 'T1_mask_x9y.nii' fits no sequence and was left out.",)


@pytest.mark.parametrize("mask", ["T1_mask", "T1-seg", "T1.label", "T1_tumor_mask", "T1_Segmentation", "anything_mask"])
def test_masks_are_known_by_the_usual_words(tmp_path: Path, mask: str):
    touch(tmp_path, "p1/T1.nii.gz", f"p1/{mask}.nii.gz")
    assert cells(tmp_path, detect(tmp_path))[0]["T1_mask"] == f"p1/{mask}.nii.gz"


def test_a_dicom_folder_is_an_image(tmp_path: Path):
    touch(tmp_path, "p1/T1_image/001.dcm", "p1/T1_mask.nii.gz")
    assert cells(tmp_path, detect(tmp_path))[0]["T1_image"] == "p1/T1_image"


def test_nnunet_channels_take_their_names_from_the_dataset(tmp_path: Path):
    touch(
        tmp_path, "imagesTr/c1_0000.nii.gz", "imagesTr/c1_0001.nii.gz", "imagesTr/c2_0000.nii.gz", "labelsTr/c1.nii.gz"
    )
    (tmp_path / "dataset.json").write_text(
        json.dumps({"channel_names": {"0": "T1", "1": "T2 FS"}, "labels": {"background": 0, "a": 1, "b": 2}})
    )
    layout = detect(tmp_path)
    assert (layout.kind, layout.sequences) == ("nnU-Net", ("T1", "T2_FS"))
    assert cells(tmp_path, layout) == [
        {"patient": "c1", "T1_image": "imagesTr/c1_0000.nii.gz", "T1_mask": "labelsTr/c1.nii.gz",
         "T2_FS_image": "imagesTr/c1_0001.nii.gz", "T2_FS_mask": "labelsTr/c1.nii.gz"}
    ]  # fmt: skip
    assert "c2: no mask in labelsTr; left out." in layout.notes
    assert any("hold 2 labels: say which value" in note for note in layout.notes)


def test_bids_masks_lie_beside_the_image_or_in_derivatives(tmp_path: Path):
    touch(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", "derivatives/seg/sub-01/anat/sub-01_T1w_mask.nii.gz")
    touch(tmp_path, "sub-01/anat/sub-01_run-2_T1w.nii.gz")
    touch(tmp_path, "sub-02/ses-a/anat/sub-02_ses-a_T1w.nii.gz", "sub-02/ses-a/anat/sub-02_ses-a_dseg.nii.gz")
    layout = detect(tmp_path)
    assert (layout.kind, layout.sequences) == ("BIDS", ("T1w",))
    assert [row["patient"] for row in cells(tmp_path, layout)] == ["sub-01", "sub-02_ses-a"]
    assert cells(tmp_path, layout)[0]["T1w_mask"].endswith("sub-01_T1w_mask.nii.gz")
    assert cells(tmp_path, layout)[0]["T1w_image"].endswith("sub-01_T1w.nii.gz")
    assert any("group column" in note for note in layout.notes)


def test_a_pyradiomics_batch_table_is_a_layout(tmp_path: Path):
    (tmp_path / "batch.csv").write_text("Patient,Image,Mask\np1,p1_T1.nrrd,p1_m.nrrd\np1,p1_T2.nrrd,p1_m.nrrd\n")
    layout = detect(tmp_path / "batch.csv")
    assert (layout.kind, layout.sequences) == ("PyRadiomics batch table", ("T1", "T2"))
    assert cells(tmp_path, layout)[0]["T2_image"] == "p1_T2.nrrd"


def test_an_unknown_layout_is_refused_with_the_known_ones(tmp_path: Path):
    touch(tmp_path, "scan1.nii.gz")
    with pytest.raises(CohortError, match=r"No images with masks.*Known layouts: PATIENT/SEQ_image"):
        detect(tmp_path)
    with pytest.raises(CohortError, match="does not exist"):
        detect(tmp_path / "none")


def table(**columns: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame(columns, dtype=object)


def test_the_id_column_is_found_by_its_values_and_nobody_is_dropped():
    rows = table(patient=["p1", "p2", "p3"], T1_image=["a", "b", "c"])
    clinical = table(age=["1", "2", "3"], Nummer=["p3", "p1", "p9"])
    joined, report = join_clinical(rows, clinical)
    assert report.column == "Nummer"
    assert (report.matched, report.without_clinical, report.without_images) == (("p1", "p3"), ("p2",), ("p9",))
    assert joined.to_numpy().tolist() == [["p1", "2", "a"], ["p2", None, "b"], ["p3", "1", "c"], ["p9", "3", None]]
    assert report.sentences()[1:] == ("1 have images only: p2.", "1 are in the table only: p9.")


def test_ids_that_differ_in_case_and_zeros_still_match():
    joined, report = join_clinical(table(patient=["STS_001"], T1_image=["a"]), table(ID=["sts-1"], age=["60"]))
    assert report.matched == ("STS_001",)
    assert joined["age"].tolist() == ["60"]


def test_doubled_or_foreign_clinical_ids_are_refused():
    rows = table(patient=["p1"], T1_image=["a"])
    with pytest.raises(CohortError, match=r"names 1 patients twice \(p1\)"):
        join_clinical(rows, table(id=["p1", "p1"]))
    with pytest.raises(CohortError, match=r"No column of the clinical table holds the patients' names \(p1\)"):
        join_clinical(rows, table(id=["x"]))


def test_a_written_manifest_has_paths_relative_to_itself(tmp_path: Path):
    touch(tmp_path, "data/p1/T1_image.nii", "data/p1/T1_mask.nii")
    write_manifest(detect(tmp_path / "data").rows, tmp_path / "study" / "manifest.csv")
    frame = read_table(tmp_path / "study" / "manifest.csv")
    assert frame.to_numpy().tolist() == [["p1", "../data/p1/T1_image.nii", "../data/p1/T1_mask.nii"]]


def test_the_real_cohort_is_recognised_and_joined(shared_data: Path):
    layout = detect(shared_data / "sts")
    assert (layout.sequences, len(layout.rows)) == (("MR_T1", "PET", "CT"), 24)
    assert layout.rows["CT_image"].notna().sum() == 18
    joined, report = join_clinical(layout.rows, read_table(shared_data / "sts" / "clinical.csv"))
    assert (report.column, len(report.matched), len(joined)) == ("Patient ID", 24, 24)
