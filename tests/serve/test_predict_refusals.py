"""What ``glottis predict`` refuses and what it says: every row of the table in docs/how-to/predict.md."""

from __future__ import annotations

import copy
import json
from importlib import import_module
from typing import Any

import pandas as pd
import pytest

from clinical_study import MARK, OF_FEATURES, asked, compute, feature_study, question
from glottis import predict
from glottis.cli import run_command
from glottis.study.result import StudyResult
from table_study import TableStudy

F1 = "original_glcm_F1"
NUMBER, WHO = 17, f"{MARK}017"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> TableStudy:
    """A nomogram into which every clinical column and a feature enter."""
    own = {"screen": None, "ordinal": {"stage": [1, 2, 3, 4]}}
    study = feature_study(tmp_path_factory.mktemp("both"), clinical_model=own, nomogram={"features": [F1]})
    study.settings |= {"controls": {"permutations": 0}, **copy.deepcopy(OF_FEATURES)}
    compute(study)
    return study


@pytest.fixture(scope="module")
def few(both: TableStudy) -> pd.DataFrame:
    """Rows of six patients."""
    return both.table.iloc[NUMBER - 3 : NUMBER + 3]


@pytest.fixture(scope="module")
def before(both: TableStudy, few: pd.DataFrame) -> pd.DataFrame:
    return asked(both, few)


def changed(study: TableStudy, column: str, value: Any) -> pd.DataFrame:
    table = study.table.astype({column: object})
    table.loc[NUMBER, column] = value
    return table.iloc[NUMBER - 3 : NUMBER + 3]


def refused(study: TableStudy, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command line says, in one line, of a table that it does not answer at all."""
    assert run_command(question(study, table, out="never.csv")) == 2
    assert not (study.folder / "never.csv").exists()
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("glottis: ")]
    assert len(said) == 1
    return said[0]


def untouched(found: pd.DataFrame, before: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found.drop(index=WHO), before.drop(index=WHO), check_exact=True)


def test_training_patients_are_answered_without_a_remark(both):
    training = StudyResult.load(both.run).split["partitions"][0]["training"]
    found = asked(both, both.table[both.table["ID"].isin(training)])
    assert set(found["status"]) == {"ok"}
    assert set(found["said"]) == {""}


@pytest.mark.parametrize("column", ["age", "site", F1])
def test_a_missing_column_is_named_with_the_nearest(both, few, column, capsys):
    table = few.rename(columns={column: f"{column}s"})
    said = refused(both, table, capsys)
    assert f"no column '{column}'" in said
    assert f"did you mean '{column}s'?" in said


def test_a_table_without_ids_is_refused(both, capsys):
    said = refused(both, both.table.rename(columns={"ID": "IDs"}), capsys)
    assert "The table has no column 'ID', which names the patients: did you mean 'IDs'?" in said


def test_a_patient_who_stands_twice_is_refused(both, capsys):
    table = pd.concat([both.table, both.table.iloc[[NUMBER]]])
    assert f"Patient '{WHO}' stands twice in the table: give one row a patient." in refused(both, table, capsys)


def test_a_patient_without_an_id_is_refused(both, capsys):
    said = refused(both, changed(both, "ID", None), capsys)
    assert "Row 5 of the table has no 'ID': give every patient an id." in said


@pytest.mark.parametrize("column", ["age", F1])
def test_a_word_where_a_number_is_needed_is_refused(both, column, capsys):
    said = refused(both, changed(both, column, "old"), capsys)
    assert f"Column '{column}' holds 'old', where the model needs a number: correct the table." in said


def test_decimal_points_beside_commas_are_refused(both, few, capsys):
    table = few.assign(age=["61,5", "60.5", "50", "51", "52", "53"])
    assert "Column 'age' mixes decimal points and commas: write all its numbers alike." in refused(both, table, capsys)


def test_decimal_commas_are_read(both, few):
    points, commas = few.assign(age="61.5"), few.assign(age="61,5")
    pd.testing.assert_frame_equal(asked(both, points), asked(both, commas), check_exact=True)


def test_a_table_that_is_not_there_is_named(both, capsys):
    files = ["--input", str(both.folder / "nowhere.csv"), "--out", str(both.folder / "never.csv")]
    assert run_command(["predict", str(both.run / "model.glottis"), *files]) == 2
    assert "nowhere.csv" in capsys.readouterr().err


def test_an_unknown_level_is_refused_and_touches_no_other(both, before):
    found = asked(both, changed(both, "site", "trachea"))
    assert found.loc[WHO, "status"] == "refused"
    assert "holds 'trachea', which no training patient had: it has glottis, larynx" in found.loc[WHO, "said"]
    assert found.loc[[WHO], ["probability", "low", "high", "total points"]].isna().all(axis=None)
    assert found.loc[WHO, "class"] == ""
    untouched(found, before)


def test_a_level_written_as_a_decimal_is_the_same_level(both, few, before):
    found = asked(both, few.assign(stage=few["stage"].astype(float).astype(str)))
    pd.testing.assert_frame_equal(found, before, check_exact=True)


@pytest.mark.parametrize("column", ["age", "original_glcm_F0", F1])
def test_a_value_far_outside_is_refused_or_extrapolated_and_said(both, before, column):
    table = changed(both, column, 1000)
    found = asked(both, table)
    assert found.loc[WHO, "status"] == "refused"
    assert found.loc[WHO, "said"].startswith(f"far outside the training range: {column} is 1000, training ")
    untouched(found, before)
    answered = asked(both, table, "--extrapolate").loc[WHO]
    assert answered["status"] == "remarks"
    assert f"far outside the training range: {column} is 1000" in answered["said"]
    assert 0 <= answered["probability"] <= 1


@pytest.mark.parametrize("column", ["age", F1])
def test_a_value_outside_is_answered_and_said(both, before, column):
    highest = both.table[column].max()
    found = asked(both, changed(both, column, highest + 1))
    assert found.loc[WHO, "status"] == "remarks"
    assert f"; outside the training range: {column} is" in f"; {found.loc[WHO, 'said']}"
    untouched(found, before)


def test_of_several_values_outside_the_farthest_is_named_and_the_others_counted(both):
    table = changed(both, "age", 1000).copy()
    table.loc[NUMBER, F1] = both.table[F1].max() + 1
    said = asked(both, table).loc[WHO, "said"]
    assert said.startswith("far outside the training range: age is 1000")
    assert "(and 1 more outside)" in said


def test_a_missing_feature_is_refused_and_touches_no_other(both, before):
    found = asked(both, changed(both, "original_glcm_F0", None))
    assert found.loc[WHO, "status"] == "refused"
    assert "original_glcm_F0" in found.loc[WHO, "said"]
    untouched(found, before)


@pytest.mark.parametrize(("column", "words"), [("age", "age is not known: "), ("site", "site is not known: ")])
def test_a_missing_clinical_value_is_filled_and_said(both, before, column, words):
    training = StudyResult.load(both.run).split["partitions"][0]["training"]
    known = both.table.set_index("ID").loc[training, column]
    fill = known.median() if column == "age" else known.mode()[0]
    found, given = (asked(both, changed(both, column, value)) for value in (None, fill))
    assert words in found.loc[WHO, "said"]
    assert found.loc[WHO, "probability"] == given.loc[WHO, "probability"]
    untouched(found, before)


@pytest.mark.parametrize("column", ["age", "site", "stage"])
def test_one_patient_whose_value_is_missing_is_answered_as_among_others(both, column):
    table = changed(both, column, None)
    found = asked(both, table[table["ID"] == WHO])
    pd.testing.assert_frame_equal(found, asked(both, table).loc[[WHO]], check_exact=True)
    assert f"{column} is not known: " in found.loc[WHO, "said"]


def test_a_centre_without_training_patients_is_said(both, before):
    found = asked(both, changed(both, "hospital", "Z"))
    assert "centre 'Z' had no training patient: performance there is not known" in found.loc[WHO, "said"]
    assert found.loc[WHO, "probability"] == before.loc[WHO, "probability"]
    untouched(found, before)


def test_without_a_column_of_centres_nothing_is_said_of_them(both, few):
    assert not asked(both, few.drop(columns="hospital"))["said"].str.contains("centre").any()


def test_the_outcome_is_not_asked_for(both, few, before):
    pd.testing.assert_frame_equal(asked(both, few.drop(columns="Target")), before, check_exact=True)


def test_another_version_is_said_of_everybody(both, few, before, monkeypatch):
    monkeypatch.setattr(import_module("glottis.serve.predict"), "__version__", "9.9.9")
    found = asked(both, few)
    assert found["said"].str.contains(r"written by glottis .*, read by 9\.9\.9").all()
    pd.testing.assert_series_equal(found["probability"], before["probability"], check_exact=True)


@pytest.mark.parametrize("harm", ["a changed byte", "half of it", "a pickle", "nothing"])
def test_a_damaged_file_is_refused_in_one_line(both, harm, capsys):
    content = bytearray((both.run / "model.glottis").read_bytes())
    content[len(content) // 2] ^= 1
    given = {"a changed byte": bytes(content), "half of it": bytes(content[: len(content) // 2])}
    given |= {"a pickle": b"\x80\x04N.", "nothing": b""}
    (both.folder / "harmed.glottis").write_bytes(given[harm])
    files = ["--input", str(both.folder / "table.csv"), "--out", str(both.folder / "never.csv")]
    assert run_command(["predict", str(both.folder / "harmed.glottis"), *files]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("glottis: Bundle 'harmed.glottis' is refused: ")


def test_json_has_null_where_there_is_nothing(both, capsys):
    table = changed(both, "site", "trachea").iloc[2:]
    capsys.readouterr()
    assert run_command(question(both, table, "--json")) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found["model"] == "features: probability of Target = yes"
    who = found["patients"][1]
    assert (who["patient"], who["status"], who["probability"], who["class"]) == (WHO, "refused", None, None)
    assert isinstance(found["patients"][0]["probability"], float)


def test_figures_of_every_answered_patient_are_drawn(both, tmp_path):
    table = changed(both, "site", "trachea").iloc[3:5]
    asked(both, table, "--figures", str(tmp_path / "figures"), "--extrapolate")
    names = sorted(path.name for path in (tmp_path / "figures").glob("*.png"))
    assert names == [f"001-{MARK}018-nomogram.png", f"001-{MARK}018-shap.png"]
    assert all((tmp_path / "figures" / name).read_bytes().startswith(b"\x89PNG") for name in names)


def test_python_gives_the_table_of_the_command_line(both, few, before):
    few.to_csv(both.folder / "python.csv", index=False)
    found = predict(both.run / "model.glottis", both.folder / "python.csv")
    pd.testing.assert_series_equal(
        found.table.set_index("patient")["probability"], before["probability"], check_exact=True
    )
    assert found.out is None


def test_a_clinical_model_refuses_and_says_likewise(clinical_run):
    table = changed(clinical_run, "stage", 7)
    found = asked(clinical_run, table)
    assert "holds '7', which no training patient had: it has 1, 2, 3, 4" in found.loc[WHO, "said"]
    assert (found["status"] == "refused").sum() == 1


def test_a_clinical_model_has_a_nomogram_and_no_shap_values(clinical_run, tmp_path):
    asked(clinical_run, clinical_run.table.iloc[[1]], "--figures", str(tmp_path / "figures"))
    assert [path.name for path in (tmp_path / "figures").glob("*.png")] == [f"001-{MARK}001-nomogram.png"]


def test_an_id_that_is_no_file_name_is_drawn_under_one_that_is(clinical_run, tmp_path):
    table = clinical_run.table.iloc[[1]].assign(ID="../a b/喉")
    asked(clinical_run, table, "--figures", str(tmp_path / "figures"))
    assert [path.name for path in (tmp_path / "figures").glob("*.png")] == ["001-.._a_b_喉-nomogram.png"]
