"""What a model must beat: the volume, the site or the clinic alone, and the p of shuffled outcomes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glottis.data.cohort import Case, Cohort
from glottis.data.tables import Predictions
from glottis.study.against import difference, permutation_results
from glottis.study.controls import controls_of
from glottis.study.spec import study_from_dict
from glottis.study.split import Partition

PATIENTS = [f"P{number:02d}" for number in range(40)]
PART = Partition(repeat=0, fold=0, training=tuple(PATIENTS[:28]), tests={"internal": tuple(PATIENTS[28:])})


def study(**settings):
    return study_from_dict({"outcome": {"column": "y"}, "features": "table.csv", **settings})


def cohort(*, centres="AB", clinical=None) -> Cohort:
    return Cohort(
        tuple(
            Case(
                patient=p,
                group=p,
                centre=centres[i % len(centres)],
                outcome=i % 2,
                clinical=(clinical or {}).get(p, {}),
            )
            for i, p in enumerate(PATIENTS)
        )
    )


def features(*names) -> pd.DataFrame:
    values = np.random.default_rng(1).normal(size=(len(PATIENTS), len(names)))
    return pd.DataFrame(values, index=PATIENTS, columns=list(names))


def found(own, *, settings=None, table=None, parts=(PART,)):
    controls, absent = controls_of(study(**(settings or {})), own, features("F1") if table is None else table, parts)
    return {c.name: c.columns for c in controls}, {row["name"]: row["reason"] for row in absent}


@pytest.mark.parametrize(
    ("names", "column"),
    [
        (("T1_original_shape_VoxelVolume", "T1_original_shape_MeshVolume"), "T1_original_shape_MeshVolume"),
        (("F1", "original_shape_VoxelVolume"), "original_shape_VoxelVolume"),
        (("F1", "tumour_volume"), "tumour_volume"),
    ],
)
def test_the_volume_is_found_by_its_usual_names(names, column):
    assert found(cohort(), table=features(*names))[0]["volume alone"] == (column,)


def test_without_a_volume_the_report_is_told_how_to_name_one():
    assert "controls.volume names it" in found(cohort())[1]["volume alone"]
    assert found(cohort(), settings={"controls": {"volume": "F1"}})[0]["volume alone"] == ("F1",)


def test_a_control_that_is_switched_off_is_said_to_be():
    reasons = found(cohort(), settings={"controls": {"volume": False}})[1]
    assert reasons["volume alone"] == "switched off in the study file"


def test_the_site_alone_needs_two_centres_in_training_that_the_test_has_too():
    settings = {"centre": "hospital"}
    assert found(cohort(), settings=settings)[0]["site alone"] == ("hospital",)
    assert found(cohort(centres="A"), settings=settings)[1]["site alone"] == "the training patients are of one centre"
    elsewhere = Cohort(tuple(Case(patient=c.patient, group=c.group, outcome=c.outcome,
                                  centre=c.centre if c.patient < "P28" else "C") for c in cohort()))  # fmt: skip
    assert "no training patient has" in found(elsewhere, settings=settings)[1]["site alone"]


def test_clinical_numbers_are_numbers_and_a_gap_among_words_is_a_level():
    clinical = {p: {"age": str(50 + i), "sex": "mf"[i % 2] if i else None} for i, p in enumerate(PATIENTS)}
    (control,), _ = controls_of(
        study(clinical=["age", "sex"], controls={"volume": False, "site": False}), cohort(clinical=clinical),
        features("F1"), (PART,),
    )  # fmt: skip
    assert control.frame["age"].tolist() == [50.0 + i for i in range(40)]
    assert control.frame["sex"].tolist()[:2] == ["not stated", "f"]


def ledger(first, second, *, folds=1, set_="internal") -> Predictions:
    rng = np.random.default_rng(2)
    rows = []
    for i, patient in enumerate(PATIENTS):
        place = {"patient": patient, "centre": "", "set": set_, "repeat": 0, "fold": i // 2 % folds, "threshold": 0.5}
        for model, mode, signal in (("M", "rigorous", first), ("volume alone", "control", second)):
            score = signal * (i % 2) + rng.normal()
            rows.append({**place, "model": model, "mode": mode, "y_true": i % 2, "y_score": score})
    return Predictions.from_rows(rows)


def test_only_a_lower_limit_above_0_beats_the_volume():
    clear = difference(ledger(3, 0), "M", "volume alone", "internal", test_share=None)
    unclear = difference(ledger(0.8, 1), "M", "volume alone", "internal", test_share=None)
    assert clear["verdict"] == "beats volume alone"
    assert clear["difference"]["low"] > 0
    assert unclear["verdict"] == "not shown to beat volume alone (n = 40)"
    assert unclear["difference"]["low"] <= 0


def test_in_cross_validation_the_difference_is_of_folds_and_has_no_delong_test():
    set_ = "cross-validation"
    row = difference(ledger(6, 0, folds=4, set_=set_), "M", "volume alone", set_, test_share=None)
    assert row["p_value"] is None
    assert "Nadeau and Bengio" in row["difference"]["method"]


def test_the_p_of_permutations_counts_those_that_reach_the_model():
    rows = ledger(6, 0)
    areas = [(number, {"internal": 0.3 + 0.02 * number}) for number in range(20)]
    own = permutation_results(rows, "M", areas, {(0, 0)})["sets"]["internal"]
    assert own["p_value"] == 1 / 21
    assert own["mean"] == pytest.approx(0.49)
    reached = permutation_results(rows, "M", [(n, {"internal": 1.0}) for n in range(20)], {(0, 0)})
    assert reached["sets"]["internal"]["p_value"] == 1.0
