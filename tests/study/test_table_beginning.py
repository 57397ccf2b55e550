"""The study file that ``glottis init TABLE.csv`` writes."""

from __future__ import annotations

import json

import pytest

from glottis._errors import CohortError, StorageError
from glottis.cli import run_command
from glottis.study.spec import read_study
from glottis.workflows import init
from table_study import features_of


@pytest.fixture
def table(tmp_path):
    return features_of(n=80)


def begin(table, tmp_path, **options):
    table.to_csv(tmp_path / "features.csv", index=False)
    made = init(tmp_path / "features.csv", tmp_path / "study", **options)
    return made, read_study(tmp_path / "study" / "study.yaml")


def test_the_table_is_its_own_manifest_and_keeps_its_place(table, tmp_path):
    _, study = begin(table, tmp_path, outcome="Target")
    assert study.manifest == study.table.table
    assert study.table.table.resolve() == (tmp_path / "features.csv").resolve()
    assert (study.id, study.outcome.column, study.sequences) == ("ID", "Target", {})


def test_what_init_writes_can_be_run(table, tmp_path):
    begin(table, tmp_path, outcome="Target")
    assert run_command(["check", str(tmp_path / "study" / "study.yaml")]) == 0


def test_rows_of_a_patient_become_a_group_and_are_numbered(table, tmp_path):
    table = table.drop(columns="ID").assign(patient_id=[f"D{n // 4}" for n in range(80)])
    made, study = begin(table, tmp_path, outcome="Target")
    assert (study.id, study.group) == (None, "patient_id")
    assert "No column of unique ids: rows are numbered." in made.notes


def test_prefixes_become_blocks(tmp_path):
    made, study = begin(features_of(prefixes=("T1_original", "T2_original"), n=80), tmp_path, outcome="Target")
    assert list(study.models()) == ["T1", "T2", "T1+T2"]
    assert made.features == {"T1": 6, "T2": 6}


def test_other_columns_become_clinical_and_outcome_like_ones_are_dropped(table, tmp_path):
    made, study = begin(table.assign(age=range(80), ln_label=range(80), sex="m"), tmp_path, outcome="Target")
    assert (study.clinical, study.table.drop) == (("age",), ("ln_label",))
    assert "Dropped from the features: ln_label (named like an id or an outcome)." in made.lines()


def test_a_centre_is_found_whatever_the_features_are_called(tmp_path):
    table = features_of(n=80).rename(columns=lambda name: name.replace("original_glcm", "deep"))
    made, study = begin(table.assign(centre=[n % 3 for n in range(80)]), tmp_path, outcome="Target")
    assert (study.centre, made.features) == ("centre", {"features": 6})


def test_a_clinical_table_becomes_the_manifest(table, tmp_path):
    table[["ID", "Target"]].rename(columns={"ID": "case"}).to_csv(tmp_path / "clinical.csv", index=False)
    clinical = tmp_path / "clinical.csv"
    _, study = begin(table.drop(columns="Target"), tmp_path, outcome="Target", clinical=clinical)
    assert (study.id, study.table.id, study.manifest.name) == ("case", "ID", "clinical.csv")


def test_ids_that_match_nowhere_are_refused(table, tmp_path):
    table[["ID", "Target"]].assign(ID="other").to_csv(tmp_path / "clinical.csv", index=False)
    with pytest.raises(CohortError, match=r"No column of 'clinical.csv' holds ids of the table's column 'ID' \('N00'"):
        begin(table.drop(columns="Target"), tmp_path, outcome="Target", clinical=tmp_path / "clinical.csv")


def test_a_table_without_ids_cannot_be_joined(table, tmp_path):
    table[["ID", "Target"]].to_csv(tmp_path / "clinical.csv", index=False)
    with pytest.raises(CohortError, match="no column of ids that are unique: give it one"):
        begin(table.drop(columns=["ID", "Target"]), tmp_path, outcome="Target", clinical=tmp_path / "clinical.csv")


def test_an_outcome_that_is_no_column_is_refused(table, tmp_path):
    with pytest.raises(CohortError, match="No column 'target' to predict: did you mean 'Target'"):
        begin(table, tmp_path, outcome="target")


def test_a_study_file_that_is_there_stays(table, tmp_path):
    begin(table, tmp_path, outcome="Target")
    with pytest.raises(StorageError, match=r"study.yaml' exists already: choose another --out"):
        begin(table, tmp_path, outcome="Target")


def test_without_an_outcome_there_is_a_line_to_fill_in(table, tmp_path):
    made, study = begin(table, tmp_path)
    assert study.outcome.column == "OUTCOME"
    assert made.notes[-1].startswith("No outcome yet")


def test_the_command_prints_its_findings_as_json(table, tmp_path, capsys):
    table.to_csv(tmp_path / "features.csv", index=False)
    arguments = ["init", str(tmp_path / "features.csv"), "--outcome", "Target", "--out", str(tmp_path / "s"), "--json"]
    assert run_command(arguments) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 80
