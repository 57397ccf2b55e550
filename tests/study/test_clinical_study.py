"""Studies of clinical columns alone: nothing fitted knows a held-out patient, and every design comes out as stated."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from clinical_study import CLINICAL, MARK, clinical_study, compute, stored
from glottis.cli import run_command
from glottis.evaluation import logistic_table
from glottis.study.result import StudyResult

ALL_ENTER = {"screen": None, "ordinal": {"stage": [1, 2, 3, 4]}}
K_FOLD = {"method": "kfold", "folds": 3, "repeats": 2}


@pytest.fixture(scope="module")
def result(clinical_run):
    return StudyResult.load(clinical_run.run)


@pytest.fixture(scope="module")
def training(clinical_run, result):
    """The training rows as a regression reads them."""
    rows = clinical_run.table.set_index("ID").loc[sorted(result.split["partitions"][0]["training"])]
    return rows.assign(stage=rows["stage"] - 1)


def held_out(result: StudyResult) -> list[str]:
    return [patient for held in result.split["partitions"][0]["tests"].values() for patient in held]


def test_the_one_model_is_the_clinical_one(result):
    assert list(result.results["models"]) == [result.results["primary_model"]] == ["clinical"]
    assert result.results["primary_reason"] == "It is the only model."
    assert result.results["models"]["clinical"]["classifier"] == "regression"


def test_every_patient_stands_in_the_ledger_in_the_set_that_it_belongs_to(result):
    rows = result.predictions.frame
    part = result.split["partitions"][0]
    for name, members in {"training": part["training"], **part["tests"]}.items():
        own = rows[(rows["set"] == name) & (rows["model"] == "clinical")]
        assert sorted(own["patient"]) == sorted(members)
    assert set(rows.loc[rows["set"] == "training", "fold"]) == {0, 1, 2}


def test_odds_ratios_are_those_of_the_training_rows(result, training):
    expected = logistic_table(training["Target"] == "yes", training[list(CLINICAL)], enter=0.05)
    found = result.final["tables"]["clinical"]
    assert found["entered"] == list(expected.entered)
    for own, row in zip(found["rows"], expected.rows, strict=True):
        assert own["variable"] == row.variable
        assert own["univariable"]["ratio"]["value"] == pytest.approx(row.univariable.ratio.value, rel=1e-9)
        together = row.multivariable and row.multivariable.ratio.value
        assert (own["multivariable"] or {"ratio": {"value": None}})["ratio"]["value"] == pytest.approx(together)


def test_the_final_model_is_the_one_that_was_tested(result):
    (fit,) = result.results["models"]["clinical"]["fits"]
    assert result.final["tables"]["clinical"] == fit["regression"]["table"]
    assert (result.final["trained_on"], result.final["refits"]) == ("training patients", 8)


def test_the_log_of_a_regression_holds_no_held_out_patient(result):
    rows = [json.loads(line) for line in (result.folder / "fit_log.jsonl").read_text().splitlines()]
    views = [set(row["patients"]) for row in rows if row["kind"] == "view"]
    assert len(set.union(*views)) == len(result.split["partitions"][0]["training"])
    assert {row.get("step") for row in rows} >= {"imputation", "univariable", "regression", "threshold"}
    assert result.results["held_out_seen"] == 0
    assert MARK not in (result.folder / "fit_log.jsonl").read_text()


def test_shuffled_outcomes_are_the_control_and_volume_is_said_to_be_none(result):
    controls = result.results["controls"]
    assert [len(own["values"]) for own in controls["permutation"]["sets"].values()] == [2, 2]
    reasons = {row["name"]: row["reason"] for row in controls["absent"]}
    assert reasons["volume alone"] == "the study has no features"
    assert reasons["clinical alone"] == "the primary model is the clinical one"


def test_no_feature_is_stored_and_none_is_missing(result):
    assert result.features.features == []
    assert result.flow["models"]["clinical"]["missing"] == []
    assert result.flow["excluded"] == []


def test_held_out_values_change_nothing_that_is_fitted(clinical_run, result, tmp_path):
    study, held = clinical_study(tmp_path), clinical_run.table["ID"].isin(held_out(result))
    study.table.loc[held, "age"] = 999.0
    study.table.loc[held, "stage"] = 4
    study.table.loc[held, ["sex", "site"]] = "unheard of"
    other = compute(study)
    assert other.results["models"]["clinical"]["fits"] == result.results["models"]["clinical"]["fits"]
    ours = {"key": "", "counts": []}  # counts are of all patients, and fitted to none
    assert {**other.final, **ours} == {**result.final, **ours}
    ledgers = [own.predictions.frame.query("set == 'training' and mode == 'rigorous'") for own in (other, result)]
    pd.testing.assert_frame_equal(*ledgers, check_exact=True)


def test_a_level_without_training_patients_is_unscored(result, tmp_path):
    patient = held_out(result)[0]
    study = clinical_study(tmp_path, clinical_model=ALL_ENTER)
    study.table.loc[study.table["ID"] == patient, "site"] = "trachea"
    other = compute(study, final=False)
    assert [row["patient"] for row in other.results["models"]["clinical"]["unscored"]] == [patient]
    assert patient not in set(other.predictions.frame.query("mode == 'rigorous'")["patient"])


def test_gaps_are_imputed_in_training_and_filled_in_held_out_patients(tmp_path):
    study = clinical_study(tmp_path, clinical_model=ALL_ENTER)
    study.table.loc[::5, "age"] = np.nan
    study.table.loc[1::7, "site"] = None
    study.table.loc[3::9, "stage"] = np.nan
    other = compute(study, final=False)
    assert any("imputed 5 times" in note for note in other.results["models"]["clinical"]["fits"][0]["notes"])
    assert other.results["models"]["clinical"]["unscored"] == []
    assert other.results["models"]["clinical"]["n_patients"] == len(study.table)


def test_numbers_that_have_an_order_become_one_coefficient_a_step(result):
    (fit,) = result.results["models"]["clinical"]["fits"]
    (stage,) = (term for term in fit["regression"]["predictor"]["terms"] if term["column"] == "stage")
    assert stage["levels"] == ["1", "2", "3", "4"]
    assert stage["coefficients"] == pytest.approx([stage["coefficients"][0] * step for step in (1, 2, 3)])


def test_a_number_whose_reference_is_named_is_compared_level_by_level(tmp_path):
    study = clinical_study(tmp_path, clinical_model={"screen": None, "reference": {"stage": 2}})
    rows = compute(study, final=False).results["models"]["clinical"]["fits"][0]["regression"]["table"]["rows"]
    levels = [(row["level"], row["reference"]) for row in rows if row["variable"] == "stage"]
    assert sorted(levels) == [("1", "2"), ("3", "2"), ("4", "2")]


def test_a_cross_validation_scores_every_patient_once_a_repeat(tmp_path):
    result = compute(clinical_study(tmp_path, split=K_FOLD, controls={"permutations": 0}))
    own = result.predictions.frame.query("mode == 'rigorous'")
    assert own.groupby(["patient", "repeat"]).size().tolist() == [1] * 240
    assert len(result.results["models"]["clinical"]["fits"]) == 6
    assert (result.final["trained_on"], result.final["n_training"]) == ("all patients", 120)
    assert result.results["held_out_seen"] == 0


def test_repeated_splits_fit_once_a_repeat(tmp_path):
    split = {"method": "repeated", "repeats": 3, "test_fraction": 0.3}
    result = compute(clinical_study(tmp_path, split=split), final=False)
    assert len(result.results["models"]["clinical"]["sets"]["cross-validation"]["auc"]["fold_values"]) == 3
    assert result.final is None


def test_the_order_of_patients_changes_no_clinical_number(clinical_run, tmp_path):
    study = clinical_study(tmp_path)
    study.table = study.table.sample(frac=1, random_state=1)
    compute(study)
    for name in ("predictions.csv", "results.json", "nomogram.json"):
        assert (study.run / name).read_bytes() == (clinical_run.run / name).read_bytes(), name


def test_a_constant_column_is_refused_by_name(tmp_path, capsys):
    study = clinical_study(tmp_path, clinical=[*CLINICAL, "consensus"])
    study.table["consensus"] = "False"
    assert run_command(["run", str(study.write()), "--out", str(study.run)]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "Column 'consensus' is 'False' throughout" in said
    assert "check whether it is a placeholder" in said


def test_a_level_that_the_order_lacks_is_refused(tmp_path, capsys):
    study = clinical_study(tmp_path, clinical_model={"ordinal": {"stage": [1, 2, 3]}})
    assert run_command(["run", str(study.write()), "--out", str(study.run)]) == 2
    assert "Column 'stage' holds '4', which its order ['1', '2', '3'] lacks" in capsys.readouterr().err


def test_a_nomogram_for_a_ruler_is_stored(clinical_run, result):
    points = stored(clinical_run, "nomogram.json")
    assert points == result.final["nomogram"]["points"]
    assert result.final["nomogram"]["kind"] == "clinical"
    assert {axis["column"] for axis in points["predictors"]} == set(result.final["tables"]["clinical"]["entered"])


def test_a_check_of_clinical_columns_asks_for_no_image(clinical_run, capsys):
    assert run_command(["check", str(clinical_run.folder / "study.yaml")]) == 0
    said = capsys.readouterr().out
    assert "No errors: the study can run." in said
    assert "image" not in said
