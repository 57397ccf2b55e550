"""Studies of tables, run whole: check, run and report without an image."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from glottis.cli import run_command
from glottis.study.fitting import fit_models
from glottis.study.result import StudyResult
from glottis.study.split import partitions
from glottis.study.units import Patients, units_of
from table_study import TableStudy, features_of

F = [f"original_glcm_F{number}" for number in range(6)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study of two blocks, repeats and gaps that has run; not to be changed."""
    study = TableStudy(tmp_path_factory.mktemp("table"), features_of(prefixes=("T1_original", "T2_original")))
    study.table.loc[[4, 9], "T1_original_glcm_F2"] = None
    again = study.table.drop(columns="Target")
    again.loc[:, again.columns[:-1]] += 0.1
    study.others["again.csv"] = again.drop(index=[4, 9])
    blocks = {"T1": "T1_*", "T2": "T2_*"}
    study = study.with_features(blocks=blocks, repeats=[{"table": "again.csv"}], impute="median", source="by hand.")
    study.settings["title"] = "Table of two blocks"
    study.finish()
    return study


@pytest.fixture(scope="module")
def result(finished):
    return StudyResult.load(finished.run)


@pytest.fixture(scope="module")
def page(finished):
    return re.sub(r"\s+", " ", (finished.run / "report.html").read_text())


def test_models_are_made_of_blocks(result):
    assert list(result.study.models()) == ["T1", "T2", "T1+T2"]
    assert result.results["primary_model"] == "T1+T2"


def test_every_row_is_scored_once_by_each_model(result):
    frame = result.predictions.frame
    assert frame.groupby("model")["patient"].nunique().tolist() == [40, 40, 40]


def test_the_features_are_stored_as_given(finished, result):
    rows = result.features.of_reader("A", 1)
    expected = finished.table.set_index("ID")[list(rows.columns)]
    np.testing.assert_array_equal(rows.to_numpy(), expected.to_numpy())


def test_the_tables_are_in_the_provenance(result):
    assert list(result.provenance["inputs"]) == ["manifest and features", "reader B, round 1"]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in result.provenance["inputs"].values())


def test_repeats_feed_the_icc(result):
    steps = {row["step"] for row in result.results["models"]["T1"]["fits"][0]["kept"]}
    selected = result.results["models"]["T1"]["fits"][0]["selected"]
    assert "icc" in steps
    assert all(row["icc_inter"] > 0.9 for row in selected)


def test_no_held_out_row_is_seen_by_the_imputation(result):
    assert result.results["held_out_seen"] == 0
    log = [json.loads(line) for line in (result.folder / "fit_log.jsonl").read_text().splitlines()]
    assert sum(row.get("step") == "impute" for row in log) == 3 * 2 * 3  # models, folds, two inner folds and the final


def test_the_report_shows_no_masks_and_numbers_its_sections(page):
    assert re.findall(r"<h2>(\d+ [^<]*)</h2>", page) == [
        "1 Patients", "2 Checks and warnings", "3 Features", "4 Models", "5 Controls", "6 Selected features",
        "7 The model to take away", "8 Methods as they ran", "9 Honesty", "10 Provenance",
    ]  # fmt: skip
    assert "mask sheet" not in page
    assert "Every mask gave its features" not in page


def test_the_report_says_that_no_image_was_read(page):
    assert "Flow of patients, from the table to the sets" in page
    assert "12 features came from the table table.csv, which also holds the outcome; no image was read." in page
    assert "The user states of their making: by hand." in page
    assert "again.csv holds the same features measured again by reader B, round 1." in page
    assert "Missing values were filled with the feature&#39;s median over the training rows" in page


def test_links_of_the_report_lead_to_its_sections(page):
    anchors = set(re.findall(r'<section id="(\w+)"', page))
    assert set(re.findall(r'<a href="#(\w+)"', page)) <= anchors


def test_an_equal_run_gives_equal_bytes(finished, tmp_path):
    other = TableStudy(tmp_path, finished.table, finished.settings, finished.others).finish()
    for name in ("results.json", "predictions.csv", "features.parquet", "study.yaml", "fit_log.jsonl"):
        assert (other / name).read_bytes() == (finished.run / name).read_bytes(), name


def test_the_order_of_rows_changes_nothing(tmp_path):
    one, other = TableStudy(tmp_path / "one"), TableStudy(tmp_path / "other")
    other.table = other.table.sample(frac=1, random_state=0)
    frames = [StudyResult.load(study.finish()).predictions.frame for study in (one, other)]
    pd.testing.assert_frame_equal(*frames)


def test_gaps_are_filled_with_the_median_of_the_training_rows_alone(tmp_path):
    study = TableStudy(tmp_path)
    study.table.loc[::5, F[1]] = None
    source = study.with_features(impute="median").source()
    parts = partitions(source.cohort, source.study.split, random_state=1)
    outcome = pd.Series({case.patient: case.outcome for case in source.cohort})
    groups = pd.Series({case.patient: case.group for case in source.cohort})
    patients = Patients(outcome=outcome, groups=groups, batches=None)
    (design,) = source.study.designs()
    unit = units_of(source.study, source.given.values, parts, design, patients, cache=tmp_path / "fits")[0]
    filled = fit_models(unit)["features"].steps_[0][1].statistics_[1]
    assert filled == study.table.set_index("ID").loc[list(parts[0].training), F[1]].median()


def test_rows_of_one_group_stay_on_one_side(tmp_path):
    study = TableStudy(tmp_path)
    dogs = [f"D{number // 2 % 10}" for number in range(40)]  # each has rows of both classes
    study.table = study.table.drop(columns="ID").assign(dog=dogs)
    study.settings |= {"id": None, "group": "dog"}
    result = StudyResult.load(study.finish())
    dog = dict(zip([f"{number:02d}" for number in range(1, 41)], dogs, strict=True))
    for part in result.split["partitions"]:
        held_out = {dog[patient] for patients in part["tests"].values() for patient in patients}
        assert not held_out & {dog[patient] for patient in part["training"]}
    assert (
        "40 rows, 20 of them with Target = 1. They belong to 10 groups (dog)" in (study.run / "report.html").read_text()
    )


def test_a_patient_that_the_table_lacks_is_left_out_and_named(tmp_path):
    study = TableStudy(tmp_path)
    study.others["clinical.csv"] = study.table[["ID", "Target"]]
    study.table = study.table.drop(columns="Target").drop(index=3)
    study.settings["manifest"] = "clinical.csv"
    result = StudyResult.load(study.finish())
    assert result.flow["excluded"] == [{"patient": "N03", "reason": "no value in the feature table"}]


def test_a_gap_stops_a_run_with_its_name_and_a_remedy(tmp_path, capsys):
    study = TableStudy(tmp_path)
    study.table.loc[3, F[1]] = None
    assert run_command(["run", str(study.write()), "--out", str(study.run)]) == 2
    assert f"1 value missing in 1 feature (rows): {F[1]} (1); in 1 row: N03." in capsys.readouterr().err


def test_check_lists_what_a_run_would_say(tmp_path, capsys):
    study = TableStudy(tmp_path)
    assert run_command(["check", str(study.write())]) == 0
    assert "40 rows with 6 features" in capsys.readouterr().out
    study.table.loc[3, F[1]] = np.inf
    assert run_command(["check", str(study.write())]) == 2


def test_a_changed_table_is_another_study(tmp_path, capsys):
    study = TableStudy(tmp_path)
    study.finish()
    study.table.loc[3, F[1]] += 1
    assert run_command(["run", str(study.write()), "--out", str(study.run)]) == 2
    assert "belongs to another study ('A table', settings differ)" in capsys.readouterr().err


def test_a_real_table_runs(shared_data, tmp_path):
    table = pd.read_csv(shared_data / "radMLBench" / "QIN-HEADNECK.gz", compression="gzip")
    study = TableStudy(tmp_path, table).with_features(blocks={"manual": "manual_*", "semiauto": "semiauto_*"})
    study.settings["combinations"] = "single"
    results = StudyResult.load(study.finish()).results
    assert {name: entry["n_candidates"] for name, entry in results["models"].items()} == {
        "manual": 105,
        "semiauto": 105,
    }


def test_real_nodes_of_a_dog_stay_together(shared_data, tmp_path):
    table = pd.read_csv(shared_data / "SLN_ML" / "radiomics_features.csv")
    study = TableStudy(tmp_path, table).with_features(drop="ln_label")
    study.settings |= {"id": None, "group": "patient_id", "outcome": {"column": "metastatic"}}
    results = StudyResult.load(study.finish()).results
    assert (results["n_patients"], results["n_groups"], results["n_positive"]) == (195, 49, 18)


def test_real_repeated_visits_gate_by_icc(shared_data, tmp_path):
    folder = shared_data / "qin_prostate"
    table = pd.read_csv(next(folder.glob("*.csv")), sep=";")
    table = table[table["segmentedStructure"].isin(["PeripheralZone", "WholeGland"])].copy()
    patient, structure = table["study"].str[:15], table["segmentedStructure"]
    features = table[[name for name in table.columns if name.startswith("original_glcm_")]]
    roles = {"ID": patient + structure, "patient": patient, "Target": (structure == "WholeGland").astype(int)}
    table = pd.concat([pd.DataFrame(roles), features], axis=1)
    visit = table.groupby("ID").cumcount()
    study = TableStudy(tmp_path, table[visit == 0])
    study.others["again.csv"] = table[visit == 1]
    study = study.with_features(repeats=[{"table": "again.csv", "reader": "A", "round": 2}])
    study.settings["group"] = "patient"
    results = StudyResult.load(study.finish()).results
    steps = {row["step"]: row["n"] for row in results["models"]["features"]["fits"][0]["kept"]}
    assert 0 < steps["icc"] < steps["variance"]
