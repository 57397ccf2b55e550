"""What a fit is given: its training patients and no other row, and reproducibility tables by kind."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest

from glottis.data.tables import FeatureTable
from glottis.study.extraction import Delineation, ScanResult
from glottis.study.fitting import fit_unit
from glottis.study.spec import study_from_dict
from glottis.study.split import Partition
from glottis.study.tabulate import count_ledger, extraction_summary, feature_table
from glottis.study.units import FitUnit, Patients, columns_of, repeat_tables, units_of
from tiny_study import SETTINGS

PATIENTS = [f"P{number:02d}" for number in range(36)]
PART = Partition(repeat=0, fold=0, training=tuple(PATIENTS[:28]), tests={"internal": tuple(PATIENTS[28:])})
HELD_OUT = set(PATIENTS[28:])
OUTCOME = pd.Series([number % 2 for number in range(36)], index=PATIENTS)
FEATURES = [f"{name}_original_glcm_F{number}" for name in ("T1", "T2_fat") for number in range(6)]


def study(repeats=(("B", 1),)):
    settings = copy.deepcopy(SETTINGS)
    further = [{"mask": f"m{reader}{number}", "reader": reader, "round": number} for reader, number in repeats]
    block = {"image": "i", "mask": "m", "repeats": further}
    return study_from_dict(settings | {"sequences": {"T1": block, "T2_fat": block}})


def table(readers=(("A", 1), ("B", 1))) -> FeatureTable:
    rng = np.random.default_rng(4)
    truth = rng.normal(size=(36, len(FEATURES))) + OUTCOME.to_numpy()[:, None]
    parts = []
    for reader, number in readers:
        values = truth + rng.normal(0, 0.1, truth.shape)
        frame = pd.DataFrame(values, columns=FEATURES)
        parts.append(pd.concat([pd.DataFrame({"patient": PATIENTS, "reader": reader, "round": number}), frame], axis=1))
    return FeatureTable(pd.concat(parts, ignore_index=True))


def units(features: FeatureTable, tmp_path, model="T1+T2_fat", groups=None):
    groups = pd.Series(PATIENTS, index=PATIENTS) if groups is None else groups
    design = next(own for own in study().designs() if own.name == model)
    patients = Patients(outcome=OUTCOME, groups=groups, batches=None)
    return units_of(study(), features, (PART,), design, patients, cache=tmp_path)


def fitted(unit: FitUnit):
    """What became of the only model of a unit."""
    (result,) = fit_unit(unit).values()
    return result


def marked(features: FeatureTable) -> FeatureTable:
    """Held-out rows of every reader hold nothing but huge values that tell the outcome."""
    frame = features.frame.copy()
    hit = frame["patient"].isin(HELD_OUT)
    signs = 2.0 * OUTCOME[frame.loc[hit, "patient"]].to_numpy() - 1.0
    frame.loc[hit, FEATURES] = 1e6 * np.outer(signs, np.ones(len(FEATURES)))
    return FeatureTable(frame)


def test_a_fit_is_given_its_training_rows_and_no_other(tmp_path):
    (unit,) = units(table(), tmp_path)
    assert list(unit.training.index) == PATIENTS[:28]
    assert set(unit.repeats) == {"inter"}
    assert not any(HELD_OUT & set(rows.index) for rows in unit.repeats.values())
    assert set(unit.tests["internal"].index) == HELD_OUT
    assert unit.groups is None


def test_a_marker_in_held_out_rows_changes_nothing_that_is_fitted(tmp_path):
    (clean,), (dirty,) = units(table(), tmp_path), units(marked(table()), tmp_path)
    first, second = fitted(clean), fitted(dirty)
    assert first["fit"] == second["fit"]
    assert first["log"] == second["log"]
    scores = [{row["patient"]: row["y_score"] for row in result["scores"]} for result in (first, second)]
    assert {p: scores[0][p] for p in PART.training} == {p: scores[1][p] for p in PART.training}
    assert {p: scores[0][p] for p in HELD_OUT} != {p: scores[1][p] for p in HELD_OUT}


def test_no_logged_step_saw_a_held_out_patient(tmp_path):
    (unit,) = units(table(), tmp_path)
    seen = {patient for record in fitted(unit)["log"] for patient in record["patients"]}
    assert seen == set(PART.training)


def test_a_kept_fit_is_taken_as_it_is_and_other_values_are_fitted_anew(tmp_path):
    (unit,) = units(table(), tmp_path)
    first = fit_unit(unit)
    assert fit_unit(unit) == first
    assert len(list(tmp_path.rglob("*.json"))) == 1
    fit_unit(units(marked(table()), tmp_path)[0])
    assert len(list(tmp_path.rglob("*.json"))) == 2


def test_groups_travel_with_the_training_rows_where_a_group_has_several(tmp_path):
    groups = pd.Series([f"G{number // 2}" for number in range(36)], index=PATIENTS)
    (unit,) = units(table(), tmp_path, groups=groups)
    assert list(unit.groups.index) == PATIENTS[:28]


def test_a_patient_without_a_sequence_is_in_no_model_that_uses_it(tmp_path):
    features = table()
    features.frame.loc[features.frame["patient"] == "P03", FEATURES[6:]] = np.nan
    assert "P03" not in units(features, tmp_path)[0].training.index
    assert "P03" in units(features, tmp_path, model="T1")[0].training.index


@pytest.mark.parametrize(
    ("further", "names"),
    [
        ([("A", 2)], {"intra"}),
        ([("B", 1)], {"inter"}),
        ([("A", 2), ("B", 1)], {"intra", "inter"}),
        ([("A", 2), ("B", 1), ("C", 1)], {"intra", "inter B1", "inter C1"}),
        ([("A", 2), ("A", 3), ("B", 1)], {"intra A2", "intra A3", "inter"}),
    ],
)
def test_redrawn_masks_are_named_by_who_drew_them(further, names):
    features = table([("A", 1), *further])
    found = repeat_tables(features, study(further), ("T1",))
    assert set(found) == names
    assert all(list(rows.columns) == FEATURES[:6] for rows in found.values())


def test_a_kind_without_rows_is_no_table():
    assert repeat_tables(table([("A", 1)]), study(), ("T1",)) == {}


def test_the_sequence_of_a_feature_may_hold_an_underscore():
    assert study().block_of("T2_fat_wavelet-LLH_glcm_Contrast") == "T2_fat"
    assert columns_of(table(), study(), ("T2_fat",)) == FEATURES[6:]


def scan(patient: str, sequence: str, *rows: Delineation) -> ScanResult:
    return ScanResult(patient=patient, sequence=sequence, rows=rows)


def row(value: float, reader: str = "A", *, error: str = "", bins: int = 10) -> Delineation:
    content = {} if error else {"features": {"original_glcm_F": value}}
    return Delineation(reader=reader, round=1, lesion=0, error=error, n_bins={"original": bins}, **content)


def test_sequences_stand_side_by_side_and_what_is_missing_is_empty():
    results = [scan("P2", "T1", row(1.0)), scan("P1", "T1", row(2.0), row(3.0, "B")), scan("P1", "T2", row(4.0))]
    frame = feature_table(results).frame
    assert frame[["patient", "reader"]].to_numpy().tolist() == [["P1", "A"], ["P1", "B"], ["P2", "A"]]
    assert frame["T1_original_glcm_F"].tolist() == [2.0, 3.0, 1.0]
    assert frame["T2_original_glcm_F"].isna().tolist() == [False, True, True]


def test_the_summary_names_failures_and_counts_features_and_grey_levels():
    results = [scan("P1", "T1", row(1.0, bins=9), row(0.0, "B", error="empty mask")), scan("P2", "T1", row(2.0))]
    summary = extraction_summary(results, feature_table(results))
    where = {"patient": "P1", "sequence": "T1", "reader": "B", "round": 1}
    assert summary["failures"] == [{**where, "reason": "empty mask"}]
    assert summary["counts"] == [{"sequence": "T1", "filter": "original", "class": "glcm", "n": 1}]
    assert summary["bins"] == {"T1": {"original": [9, 9.5, 10]}}


def test_the_count_ledger_adds_up_to_all_features():
    places = [tuple(name.rsplit("_", 3)[:3]) for name in FEATURES]
    assert sum(entry["n"] for entry in count_ledger(places)) == len(FEATURES)
