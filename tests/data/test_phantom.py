"""Laws of the synthetic cohorts. Bars follow from the design's probabilities, with the size of the draw beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glottis._errors import SettingsError
from glottis.data.phantom import (
    CENTRE_1,
    CENTRE_2,
    SEQUENCES,
    PhantomDesign,
    cohort_truth,
    draw_patient,
    draw_truth,
    fresh_patients,
    ideal_auc,
)

SMALL = PhantomDesign(n_patients=3, size=(12, 96, 96), seed=3)
MANY = 4000  # the standard error of an AUC near .5 is then .009, of a correlation .016


@pytest.fixture(scope="module")
def large():
    return cohort_truth(PhantomDesign(n_patients=MANY, seed=11))


@pytest.fixture(scope="module")
def patient():
    return draw_patient(SMALL, 0)


def test_a_patient_is_the_same_in_every_cohort(patient):
    again = draw_patient(PhantomDesign(n_patients=200, size=(12, 96, 96), seed=3), 0)
    assert again.truth == patient.truth
    for sequence in SEQUENCES:
        np.testing.assert_array_equal(again.scans[sequence][0].voxels, patient.scans[sequence][0].voxels)
        np.testing.assert_array_equal(again.scans[sequence][1].voxels, patient.scans[sequence][1].voxels)


def test_another_seed_gives_other_patients(patient):
    other = draw_truth(PhantomDesign(seed=4), 0)
    assert other.severity != patient.truth.severity


def test_fresh_patients_follow_the_cohort_and_keep_to_their_centre():
    fresh = list(fresh_patients(SMALL, 2, centre="2"))
    assert all(one.truth.index >= SMALL.n_patients and one.case.centre == "2" for one in fresh)
    assert fresh[0].truth.patient != fresh[1].truth.patient


def test_fresh_patients_of_an_unknown_centre_are_refused():
    with pytest.raises(SettingsError, match="no patients of centre '9': choose one of 1, 2"):
        next(fresh_patients(SMALL, 1, centre="9"))


def test_the_ideal_score_is_good_and_not_perfect(large):
    assert 0.80 < ideal_auc(large) < 0.90


def test_volume_alone_is_weak(large):
    assert 0.55 < ideal_auc(large, "volume_mm3") < 0.65


def test_texture_does_not_follow_volume(large):
    assert abs(np.corrcoef(large["severity"], np.log(large["volume_mm3"]))[0, 1]) < 0.1


@pytest.mark.parametrize("n_patients", [60, 200, 401])
def test_the_default_seed_keeps_the_promises_in_small_cohorts_too(n_patients):
    truth = cohort_truth(PhantomDesign(n_patients=n_patients))
    assert 0.80 < ideal_auc(truth) < 0.90
    assert 0.55 < ideal_auc(truth, "volume_mm3") < 0.65
    assert abs(np.corrcoef(truth["severity"], truth["volume_mm3"])[0, 1]) < 0.1


def test_every_sequence_knows_less_than_all_together(large):
    alone = [ideal_auc(large, f"texture_{sequence}") for sequence in SEQUENCES]
    assert max(alone) + 0.02 < ideal_auc(large, "severity")


def test_both_stages_are_about_as_frequent(large):
    assert 0.45 < large["outcome"].mean() < 0.55


def test_the_clinical_stage_is_weakly_informative():
    truths = [draw_truth(PhantomDesign(seed=5), index) for index in range(MANY)]
    assert 0.66 < _clinical_stage_auc(truths) < 0.74


def test_progression_comes_earlier_with_severity():
    truths = [draw_truth(PhantomDesign(seed=5), index) for index in range(MANY)]
    severe = np.array([truth.severity > 0 for truth in truths])
    events = np.array([truth.pfs_event for truth in truths])
    assert events[severe].mean() > events[~severe].mean() + 0.1


def test_a_null_cohort_has_no_signal_anywhere():
    design = PhantomDesign(n_patients=MANY, seed=12, null=True)
    truth = cohort_truth(design)
    truths = [draw_truth(design, index) for index in range(MANY)]
    aucs = [ideal_auc(truth, name) for name in ("score", "severity", "volume_mm3")] + [_clinical_stage_auc(truths)]
    np.testing.assert_allclose(aucs, 0.5, atol=0.035)  # 3.8 standard errors
    for seen in ("pfs_months", "pfs_event"):
        values = [getattr(one, seen) for one in truths]
        for hidden in ("severity", "outcome"):
            assert abs(np.corrcoef(truth[hidden], values)[0, 1]) < 0.06  # 3.8 standard errors


def test_a_null_patient_looks_like_any_other(patient):
    null = draw_patient(PhantomDesign(n_patients=3, size=(12, 96, 96), seed=3, null=True), 0)
    assert null.truth.textures == patient.truth.textures
    assert null.truth.volume_mm3 == patient.truth.volume_mm3


def test_a_quarter_of_the_patients_comes_from_the_second_centre():
    assert (cohort_truth(PhantomDesign(n_patients=60))["centre"] == "2").sum() == 15
    shape = PhantomDesign(n_patients=401, centre_fraction=97 / 401)
    assert (cohort_truth(shape)["centre"] == "2").sum() == 97


def test_masks_lie_on_the_grid_of_their_image(patient):
    for sequence, (image, mask) in patient.scans.items():
        for one in (mask, *patient.repeats[sequence].values()):
            assert one.n_voxels > 50
            assert image.grid_difference(one) == ""


def test_only_the_first_patients_are_read_again():
    design = PhantomDesign(n_patients=3, readers=1, size=(12, 96, 96))
    assert [set(draw_patient(design, index).repeats["CE"]) for index in (0, 1)] == [{"A2", "B1"}, set()]


def test_another_reader_differs_more_than_a_second_reading(patient):
    same, other = [], []
    for sequence, (_, mask) in patient.scans.items():
        same.append(_dice(mask, patient.repeats[sequence]["A2"]))
        other.append(_dice(mask, patient.repeats[sequence]["B1"]))
    assert 0.75 < np.mean(other) < np.mean(same) < 1


def test_the_second_scanner_changes_the_intensities():
    first, second = (_median_of_first_image((scanner,)) for scanner in (CENTRE_1, CENTRE_2))
    assert second > 1.5 * first


def test_a_tumour_with_a_higher_latent_is_more_heterogeneous():
    design = PhantomDesign(n_patients=40, size=(12, 96, 96), seed=8, centres=(CENTRE_1,), readers=0)
    by_latent = sorted(range(40), key=lambda index: draw_truth(design, index).textures["CE"])
    calm, rough = (np.mean([_roughness(design, index) for index in part]) for part in (by_latent[:4], by_latent[-4:]))
    assert rough > 1.5 * calm


def test_a_phantom_outside_its_limits_is_refused():
    with pytest.raises(SettingsError, match="at least 1 patient"):
        PhantomDesign(n_patients=0)
    with pytest.raises(SettingsError, match="12-24 x 96-128"):
        PhantomDesign(size=(8, 64, 64))
    with pytest.raises(SettingsError, match="centre_fraction=2"):
        PhantomDesign(centre_fraction=2)


def _clinical_stage_auc(truths):
    order = {"I": 1, "II": 2, "III": 3, "IV": 4}
    rows = [{"stage": order[one.clinical["cTNM"]], "outcome": one.outcome} for one in truths]
    return ideal_auc(pd.DataFrame(rows), "stage")


def _dice(one, other):
    return 2 * np.count_nonzero(one.voxels & other.voxels) / (one.n_voxels + other.n_voxels)


def _median_of_first_image(centres):
    image, mask = draw_patient(PhantomDesign(size=(12, 96, 96), centres=centres, readers=0), 0).scans["CE"]
    return np.median(image.voxels[mask.voxels])


def _roughness(design, index):
    image, mask = draw_patient(design, index).scans["CE"]
    steps = np.diff(image.voxels.astype(float), axis=2)
    inside = mask.voxels[:, :, 1:] & mask.voxels[:, :, :-1]
    return np.abs(steps[inside]).mean()
