"""Every kind of damaged cohort gets its message: what, where, and what to do."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from damaged import SPACING, SmallCohort, healthy

from glottis._errors import CohortError
from glottis.data.cohort import Case, MaskColumn, MaskSource, Roles, Scan, SequenceColumns
from glottis.data.volume import Mask, Volume
from glottis.features.discretise import FixedBinWidth
from glottis.features.extract import FeatureSettings
from glottis.io.clinical import read_table
from glottis.io.images import write_volume
from glottis.io.layouts import detect, join_clinical
from glottis.io.manifest import cohort_from_frame
from glottis.preprocessing.bias import N4
from glottis.preprocessing.resample import Resample
from glottis.study.case import CaseSettings
from glottis.study.check import Finding, Limits, check_cohort, errors_of
from glottis.study.check.columns import AFTER_DECISION, PERSON, single_column_auc
from glottis.study.check.levels import StudyGreyLevels
from glottis.study.check.rows import association
from glottis.study.check.scans import CaseTask, check_case, largest_diameter_mm

WHOLE = np.s_[1:5, 2:10, 2:10]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> SmallCohort:
    return healthy(tmp_path_factory.mktemp("healthy"))


@pytest.fixture
def cohort(template: SmallCohort, tmp_path: Path) -> SmallCohort:
    return template.copy(tmp_path)


def expect(
    cohort: SmallCohort,
    code: str,
    message: str,
    *,
    severity: str,
    patient: str = "",
    sequence: str = "",
    count: int = 1,
) -> Finding:
    found = cohort.found(code)
    assert len(found) == count
    assert re.search(message, found[0].sentence()), found[0].sentence()
    assert (found[0].severity, found[0].patient, found[0].sequence) == (severity, patient, sequence)
    assert found[0].remedy
    return found[0]


def test_a_healthy_cohort_has_no_finding(cohort: SmallCohort):
    assert cohort.findings() == ()


def test_a_missing_image_and_a_missing_mask_are_both_named(cohort: SmallCohort):
    cohort.path("P03", "T1_image").unlink()
    cohort.path("P03", "T1_mask").unlink()
    message = "P03 T1: File P03/T1_image.nii does not exist. Correct its path in the manifest"
    expect(cohort, "missing-file", message, severity="error", patient="P03", sequence="T1", count=2)


def test_an_unreadable_image_is_named(cohort: SmallCohort):
    cohort.path("P04", "T2_image").write_bytes(b"no image")
    message = "P04/T2_image.nii' is no NIfTI file.*Check the file, or convert it"
    expect(cohort, "unreadable-image", message, severity="error", patient="P04", sequence="T2")


def test_a_truncated_image_is_named(cohort: SmallCohort):
    path = cohort.path("P04", "T2_image")
    path.write_bytes(path.read_bytes()[:-1000])
    message = r"truncated, it holds 2808 of 3808 bytes\. Copy or export it again\."
    expect(cohort, "unreadable-image", message, severity="error", patient="P04", sequence="T2")


def test_voxels_that_are_not_finite_are_named_although_simpleitk_reads_zeros(cohort: SmallCohort):
    image = cohort.volume(0)
    image.voxels[0, 0, :3] = np.nan
    write_volume(image, cohort.path("P04", "T2_image"))
    message = "3 voxels that are not finite .*Replace them by the background value"
    expect(cohort, "unreadable-image", message, severity="error", patient="P04", sequence="T2")


def test_an_image_of_one_value_is_named(cohort: SmallCohort):
    write_volume(Volume(voxels=np.zeros((6, 12, 12)), spacing_mm=SPACING), cohort.path("P04", "T2_image"))
    expect(cohort, "empty-image", "Every voxel .* value 0", severity="error", patient="P04", sequence="T2")


def test_a_shifted_mask_is_named_with_the_shift_and_the_tolerance(cohort: SmallCohort):
    moved = replace(cohort.mask(WHOLE), origin_mm=(0.0, 0.5, 0.0))
    write_volume(moved, cohort.path("P05", "T1_mask"))
    message = r"different grids: origin by 0\.5 mm \(tolerance 0\.0001\)\. Draw or export the mask on this very image"
    expect(cohort, "geometry", message, severity="error", patient="P05", sequence="T1")


def test_a_mask_of_another_size_is_named(cohort: SmallCohort):
    write_volume(Mask(voxels=np.ones((6, 13, 12), bool), spacing_mm=SPACING), cohort.path("P05", "T1_mask"))
    message = "size 12 x 12 x 6 against 12 x 13 x 6 voxels"
    expect(cohort, "geometry", message, severity="error", patient="P05", sequence="T1")


@pytest.mark.parametrize(
    ("box", "code", "message", "severity"),
    [
        (np.s_[0:0, 0:0, 0:0], "empty-mask", "mask is empty. Draw the lesion", "error"),
        (np.s_[2:3, 4:5, 4:5], "one-voxel-mask", "a single voxel.*leave the patient out", "error"),
        (np.s_[2:3, 2:10, 2:10], "one-slice-mask", "one slice of 6.*whole lesion was drawn", "warning"),
        (np.s_[:, :, 1:], "huge-mask", "covers 92% of the image.*is a mask", "warning"),
        (np.s_[1:5, 4:6, 4:6], "small-mask", r"2\.8 mm wide .*below 5 mm", "warning"),
    ],
)
def test_a_mask_that_is_too_small_or_too_large_is_named(
    cohort: SmallCohort, box, code: str, message: str, severity: str
):
    cohort.draw("P06", box)
    expect(cohort, code, message, severity=severity, patient="P06", sequence="T1")


def test_an_absent_label_is_named_with_the_labels_there(cohort: SmallCohort):
    sequences = dict(cohort.roles.sequences)
    sequences["T1"] = SequenceColumns(image="T1_image", mask=MaskColumn(column="T1_mask", label=3))
    cohort.roles = replace(cohort.roles, sequences=sequences)
    message = "Label 3 is absent from 'T1_mask.nii', which holds 1. Correct the label"
    expect(cohort, "label-absent", message, severity="error", patient="P01", sequence="T1", count=12)


def test_rows_without_images_and_images_without_rows_are_named(cohort: SmallCohort):
    for column in ("T1_image", "T1_mask", "T2_image", "T2_mask"):
        cohort.set("P01", column, None)
    for column in ("stage", "age", "sex"):
        cohort.set("P02", column, None)
    expect(cohort, "no-images", "P01: .*no image with a mask.*names", severity="warning", patient="P01")
    expect(cohort, "no-clinical-row", "P02: .*spells the id otherwise", severity="warning", patient="P02")


def test_an_image_without_a_mask_is_named(cohort: SmallCohort):
    cohort.set("P01", "T2_mask", None)
    expect(cohort, "half-a-pair", "an image but no mask", severity="warning", patient="P01", sequence="T2")
    expect(cohort, "sequence-missing", r"Absent in 1 of 12 patients: P01", severity="note", sequence="T2")
    expect(cohort, "complete-patients", "11 of 12 patients have all 2 sequences", severity="note")


def test_a_patient_with_two_rows_is_named(cohort: SmallCohort):
    cohort.set("P08", "patient", "P07")
    expect(cohort, "duplicate-patient", "P07: The patient has 2 rows", severity="error", patient="P07")


def test_ids_that_look_alike_are_named(cohort: SmallCohort):
    cohort.set("P08", "patient", "p 07")
    expect(cohort, "similar-ids", "The ids P07, p 07 differ only", severity="warning")


def test_a_row_without_an_id_is_named(cohort: SmallCohort):
    cohort.set("P08", "patient", None)
    expect(cohort, "no-id", "Row 9 of the manifest has no patient id", severity="error")


def test_the_same_picture_of_two_patients_is_an_error_whatever_its_file(cohort: SmallCohort):
    write_volume(cohort.volume(0), cohort.path("P09", "T1_image").with_suffix(".nrrd"))
    cohort.set("P09", "T1_image", "P09/T1_image.nrrd")
    message = r"P01 \(T1\) and P09 \(T1\) have the same image, voxel by voxel"
    expect(cohort, "duplicate-image", message, severity="error", patient="P09")


def test_the_same_picture_as_two_sequences_is_a_warning(cohort: SmallCohort):
    cohort.set("P09", "T2_image", "P09/T1_image.nii")
    expect(cohort, "duplicate-image", "T1 and T2 of the patient are the same", severity="warning", patient="P09")


def test_a_missing_outcome_is_named(cohort: SmallCohort):
    cohort.set("P02", "stage", "n/a")
    expect(cohort, "missing-outcome", "No 'stage' is known of 1 of 12 patients: P02", severity="warning")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("unknown", r"3 values \('early': 6, 'late': 5, 'unknown': 1\), two are needed\. Recode or empty the others"),
        (None, r"does not occur \('early': 6\)\. Name one of the values that do\."),
    ],
)
def test_an_outcome_of_one_or_three_classes_is_an_error(cohort: SmallCohort, value: str | None, message: str):
    for patient in ["P02"] if value else [f"P{n:02d}" for n in range(2, 13, 2)]:
        cohort.set(patient, "stage", value)
    expect(cohort, "outcome-classes", message, severity="error")


def test_classes_too_small_for_the_folds_are_named(cohort: SmallCohort):
    cohort.limits = Limits(folds=10)
    message = "6 positive and 6 negative patients with images: too few for 10 folds. Use 6 folds or fewer"
    expect(cohort, "class-too-small", message, severity="error")
    cohort.limits = Limits(folds=5)
    expect(cohort, "small-class", "some of 5 folds hold a single patient", severity="warning")


def test_events_per_feature_are_counted(cohort: SmallCohort):
    cohort.limits = Limits(n_candidate_features=1200)
    message = r"6 patients of the rarer class for 1,200 candidate features: 0\.005 per feature"
    expect(cohort, "events-per-feature", message, severity="warning")


@pytest.mark.parametrize(
    ("levels", "code", "words"), [(3, "flat-texture", "Fewer than 8"), (400, "too-many-levels", "More than 256")]
)
def test_flat_and_endless_textures_are_gathered_by_sequence(cohort: SmallCohort, levels: int, code: str, words: str):
    cohort.grey_levels = lambda _image, _mask, sequence: levels if sequence == "T2" else 64
    message = f"{words} grey levels in the tumours of 12 of 12 patients .*median of all {levels}.*P01 \\({levels}\\)"
    expect(cohort, code, message, severity="warning", sequence="T2")


def study_levels(width: float) -> StudyGreyLevels:
    settings = CaseSettings(
        whole_image=(N4(),), resample=Resample(), features=FeatureSettings(bins=FixedBinWidth(width))
    )
    return StudyGreyLevels({"T1": settings, "T2": settings})


def test_grey_levels_are_those_of_the_study_without_the_bias_correction(cohort: SmallCohort):
    image, mask = cohort.volume(0), cohort.mask(WHOLE)
    cropped, resampled = Resample()(image, mask)
    inside = cropped.voxels[resampled.voxels]
    expected = int(inside.max() // 10 - inside.min() // 10) + 1
    assert study_levels(10)(image, mask, "T1") == expected


def test_bins_wider_than_the_tumours_contrast_are_named(cohort: SmallCohort):
    cohort.grey_levels = study_levels(60)
    expect(
        cohort,
        "flat-texture",
        "Fewer than 8 grey levels in the tumours of 12",
        severity="warning",
        sequence="T1",
        count=2,
    )


def test_a_mask_that_does_not_survive_the_preprocessing_is_named(cohort: SmallCohort):
    settings = CaseSettings(
        resample=Resample(spacing_mm=(50, 50, 50)), features=FeatureSettings(bins=FixedBinWidth(10))
    )
    cohort.grey_levels = StudyGreyLevels({"T1": settings, "T2": settings})
    expect(cohort, "preprocessing", "(?i)mask", severity="error", patient="P01", sequence="T1", count=24)


def test_a_centre_that_tells_the_outcome_is_named_with_its_rule(cohort: SmallCohort):
    cohort.table["centre"] = ["A", "B"] * 6
    message = r"A: 0 of 6, B: 6 of 6\. Cramer's V 1\.00, Fisher's exact test p 0\.0022 \(rule: V of at least 0\.3"
    expect(cohort, "centre-confounded", message, severity="warning")


def test_an_external_centre_of_one_class_is_an_error(cohort: SmallCohort):
    cohort.set("P01", "centre", "C")
    cohort.limits = Limits(external_centres=("C", "Bb"))
    message = "external centre 'C' has 1 patient of one class only"
    expect(cohort, "external-one-class", message, severity="error")
    expect(cohort, "external-centre", "external centre 'Bb' has no patient.*Did you mean 'B'", severity="error")


def test_a_patient_without_a_centre_is_named(cohort: SmallCohort):
    cohort.set("P01", "centre", "")
    expect(cohort, "no-centre", "No centre is given for 1 patient: P01", severity="warning")


def test_a_leaked_label_is_an_error_in_the_model_and_a_note_outside(cohort: SmallCohort):
    cohort.table["grade"] = ["low", "high"] * 6
    message = r"'grade' alone tells the outcome: AUC 1\.00 over 12 patients \(value 'low' against the rest\)"
    expect(cohort, "leaked-label", message, severity="note")
    cohort.roles = replace(cohort.roles, clinical=("age", "grade"))
    expect(cohort, "leaked-label", message, severity="error")


def test_constant_and_half_empty_columns_are_named(cohort: SmallCohort):
    cohort.table["sex"] = "m"
    cohort.table["age"] = [None] * 5 + ["50", "60", "70", "50", "60", "70", "61"]
    expect(cohort, "constant-column", r"'sex' has one value only \('m'\)", severity="warning")
    expect(cohort, "missing-values", "'age' is missing for 5 of 12 patients", severity="warning")


def test_a_column_known_after_surgery_is_named_in_a_preoperative_model(cohort: SmallCohort):
    cohort.table["pT"] = ["1", "2", "3"] * 4
    cohort.roles = replace(cohort.roles, clinical=("pT",))
    expect(cohort, "known-too-late", "'pT' sounds like .* only after the decision", severity="warning")
    cohort.limits = Limits(timing="any")
    assert cohort.found("known-too-late") == []


def test_names_of_columns_tell_when_they_are_known_and_whom_they_name():
    late = [
        "pT",
        "pN stage",
        "ypT",
        "pTNM",
        "p_stage",
        "Pathological T",
        "postoperative RT",
        "Follow-up",
        "OS",
        "Status (NED, AWD, D)",
    ]
    early = [
        "cT",
        "age",
        "pt_id",
        "PT (s)",
        "cTNM",
        "neoadjuvant",
        "clip stage",
        "Position",
        "smoking",
        "dose",
        "pack years",
    ]
    assert [name for name in late if not AFTER_DECISION.search(name)] == []
    assert [name for name in early if AFTER_DECISION.search(name)] == []
    assert all(PERSON.search(name) for name in ("Name", "patient name", "Date of birth", "姓名"))
    assert not any(PERSON.search(name) for name in ("sequence_name", "age", "site"))


def test_names_and_birth_dates_are_not_wanted(cohort: SmallCohort):
    cohort.table["Date of birth"] = "1950-01-01"
    expect(cohort, "personal-data", "'Date of birth' looks like", severity="warning")


def test_wrong_follow_up_is_named(cohort: SmallCohort):
    cohort.table["months"], cohort.table["died"] = "-1", "dead"
    cohort.roles = replace(cohort.roles, time="months", event="died")
    expect(cohort, "survival-time", "'months' holds text or negative", severity="error")
    expect(cohort, "survival-event", r"'died' holds values other than 0 and 1 \('dead': 12\)", severity="error")


def further_reader(cohort: SmallCohort, box) -> None:
    cohort.table["T1_mask_B"] = None
    cohort.draw("P01", box, column="T1_mask_B")
    cohort.set("P01", "T1_mask_B", "P01/T1_mask_B.nii")
    sequences = dict(cohort.roles.sequences)
    sequences["T1"] = replace(sequences["T1"], repeats=(MaskColumn(column="T1_mask_B", reader="B"),))
    cohort.roles = replace(cohort.roles, sequences=sequences)


def test_further_masks_are_counted_and_copies_found(cohort: SmallCohort):
    further_reader(cohort, WHOLE)
    expect(cohort, "repeated-masks", "reader B round 1: 1.*Fewer than 10", severity="warning", sequence="T1")
    message = "mask of reader B, round 1 equals the first mask voxel by voxel"
    expect(cohort, "copied-mask", message, severity="warning", patient="P01", sequence="T1")


def test_an_empty_mask_of_a_further_reader_is_named_with_the_reader(cohort: SmallCohort):
    further_reader(cohort, np.s_[0:0, 0:0, 0:0])
    message = "mask of reader B, round 1: The mask is empty"
    expect(cohort, "empty-mask", message, severity="error", patient="P01", sequence="T1")


def test_voxel_sizes_that_differ_are_a_note(cohort: SmallCohort):
    write_volume(cohort.volume(0, (4.0, 1.0, 1.0)), cohort.path("P01", "T1_image"))
    write_volume(cohort.mask(WHOLE, (4.0, 1.0, 1.0)), cohort.path("P01", "T1_mask"))
    expect(
        cohort, "voxel-sizes", r"1\.00 mm in plane, 3\.00 to 4\.00 mm between slices", severity="note", sequence="T1"
    )


def test_every_problem_is_named_at_once_and_errors_come_first(cohort: SmallCohort):
    cohort.path("P03", "T1_image").unlink()
    cohort.draw("P06", np.s_[0:0, 0:0, 0:0])
    cohort.set("P02", "stage", "unknown")
    cohort.table["sex"] = "m"
    findings = cohort.findings()
    assert {f.code for f in findings} == {"missing-file", "empty-mask", "outcome-classes", "constant-column"}
    assert [f.severity for f in findings] == ["error", "error", "error", "warning"]
    assert errors_of(findings) == findings[:3]
    assert findings[0].to_dict()["severity"] == "error"


def test_a_patient_can_be_examined_in_another_process(cohort: SmallCohort):
    scan = Scan(
        sequence="T1", image=cohort.path("P01", "T1_image"), mask=MaskSource(source=cohort.path("P01", "T1_mask"))
    )
    task = CaseTask(case=Case(patient="P01", group="P01", scans={"T1": scan}), limits=Limits())
    report = check_case(pickle.loads(pickle.dumps(task)))
    assert pickle.loads(pickle.dumps(report)) == check_case(task)


def test_a_role_without_its_column_is_refused(cohort: SmallCohort):
    cohort.roles = replace(cohort.roles, clinical=("ages",))
    with pytest.raises(CohortError, match=r"no column 'ages' \(clinical variable\): did you mean 'age'"):
        cohort.findings()


def test_the_diameter_is_the_greatest_distance_on_one_slice():
    voxels = np.zeros((3, 6, 6), dtype=bool)
    voxels[1, 1:4, 1:5] = True  # 3 x 4 pixels of 1 x 1 mm: the diagonal is 5 mm
    voxels[2, 0, 0] = True
    assert largest_diameter_mm(Mask(voxels=voxels, spacing_mm=(9.0, 1.0, 1.0))) == pytest.approx(5.0)


def test_cramers_v_of_a_known_table():
    # rows 30/10 and 10/30: chi-square 20 with n = 80, so V = 0.5
    v, p, test = association(np.array([[30, 10], [10, 30]]))
    assert v == pytest.approx(0.5)
    assert p == pytest.approx(1.5e-5, rel=0.05)
    assert test == "Fisher's exact test"


def test_a_single_column_is_judged_in_both_directions_and_not_when_unique():
    y = [0, 1] * 6
    assert single_column_auc([str(-v) for v in y], y)[0] == 1.0
    assert single_column_auc([f"id{n}" for n in range(12)], y) == (0.5, "every value is unique", 12)
    assert single_column_auc(["1"] * 4, [0, 1, 0, 1])[1] == "too few cells"


def real_cohort(shared_data: Path) -> pd.DataFrame:
    frame, _ = join_clinical(detect(shared_data / "sts").rows, read_table(shared_data / "sts" / "clinical.csv"))
    return frame


def test_real_scans_are_not_broken(shared_data: Path, tmp_path: Path):
    frame = real_cohort(shared_data).head(3)
    sequences = {
        name: SequenceColumns(image=f"{name}_image", mask=MaskColumn(column=f"{name}_mask"))
        for name in ("MR_T1", "PET")
    }
    roles = Roles(id="patient", sequences=sequences)
    assert errors_of(check_cohort(cohort_from_frame(frame, roles, folder=tmp_path), frame, roles)) == ()


def test_the_label_in_other_words_is_found_in_a_real_table(shared_data: Path, tmp_path: Path):
    frame = real_cohort(shared_data)
    roles = Roles(id="patient", outcome="lung_mets", positive=1, clinical=("Age", "Outcome (recurrence, mets)"))
    findings = check_cohort(cohort_from_frame(frame, roles, folder=tmp_path), frame, roles)
    assert [(f.severity, f.code) for f in findings if "'Age'" in f.message] == []
    assert {(f.severity, f.code) for f in findings if "'Outcome (rec" in f.message} == {
        ("error", "leaked-label"), ("warning", "known-too-late"), ("warning", "missing-values"),
    }  # fmt: skip
