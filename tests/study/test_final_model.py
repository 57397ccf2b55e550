"""The model that leaves a study: the ledger's bits from its file, anywhere, and no patient in it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from clinical_study import (
    MARK,
    asked,
    clinical_study,
    compute,
    feature_study,
    patients,
    read_answer,
    stored,
)
from glottis._errors import BundleError
from glottis.cli import run_command
from glottis.serve import deliver, interval, read_model
from glottis.study import final as final_model
from glottis.study import final_results
from glottis.study.result import StudyResult
from glottis.study.run import run as run_study
from glottis.study.spec import read_study

PLAIN = {"clinical_model": None, "nomogram": None, "controls": {"permutations": 0}}
EVENTS = int((patients()["Target"] == "yes").sum())
K_FOLD = {"method": "kfold", "folds": 3, "repeats": 1}
WITHOUT = """
import importlib.abc, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "shap", "matplotlib", "lightgbm", "xgboost"):
            raise ImportError(name)
sys.meta_path.insert(0, Absent())
"""
ASK = "from glottis.cli import run_command; raise SystemExit(run_command(sys.argv[1:]))"


def ledger(result: StudyResult, model: str) -> pd.Series:
    """Score of every held-out patient."""
    frame = result.predictions.frame
    own = frame[(frame["model"] == model) & (frame["set"] != "training") & (frame["mode"] == "rigorous")]
    return own.set_index("patient")["y_score"].sort_index()


def same_bits(answers: pd.Series, scores: pd.Series) -> None:
    assert len(scores)
    np.testing.assert_array_equal(answers.loc[scores.index].to_numpy(), scores.to_numpy())


@pytest.fixture(scope="module")
def answers(nomogram_run):
    return asked(nomogram_run, nomogram_run.table, "--extrapolate")


@pytest.fixture(scope="module")
def result(nomogram_run):
    return StudyResult.load(nomogram_run.run)


def test_the_file_gives_the_probabilities_of_the_study(answers, result):
    same_bits(answers["probability"], ledger(result, "nomogram"))
    same_bits(answers["score"], ledger(result, "features"))
    assert answers["threshold"].unique() == result.results["models"]["nomogram"]["sets"]["internal"]["threshold"]


def test_the_file_of_a_clinical_model_gives_the_probabilities_of_the_study(clinical_run):
    answers = asked(clinical_run, clinical_run.table)
    same_bits(answers["probability"], ledger(StudyResult.load(clinical_run.run), "clinical"))
    assert "score" not in answers


def test_a_class_is_the_one_at_the_stored_threshold(answers):
    assert set(answers["class"]) == {"yes", "no"}
    assert ((answers["probability"] >= answers["threshold"]) == (answers["class"] == "yes")).all()


def test_points_add_up_to_the_total_and_lead_to_the_probability(answers, nomogram_run):
    parts = [name for name in answers if name.startswith("points ")]
    total, content = answers["total points"], stored(nomogram_run, "nomogram.json")["linear_predictor"]
    np.testing.assert_allclose(answers[parts].sum(axis=1), total, rtol=1e-12)
    log_odds = content["at_0_points"] + content["per_point"] * total
    np.testing.assert_allclose(answers["probability"], 1 / (1 + np.exp(-log_odds)), rtol=1e-9)


def test_a_fresh_process_without_heavy_libraries_gives_the_same_file(answers, nomogram_run):
    out, ask = nomogram_run.folder / "fresh.csv", nomogram_run.folder / "all.csv"
    nomogram_run.table.to_csv(ask, index=False)
    files = [str(nomogram_run.run / "model.glottis"), "--input", str(ask), "--out", str(out), "--extrapolate"]
    done = subprocess.run([sys.executable, "-c", WITHOUT + ASK, "predict", *files], capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    pd.testing.assert_frame_equal(read_answer(out), answers, check_exact=True)


def test_the_order_of_rows_and_who_else_is_there_change_no_answer(answers, nomogram_run):
    turned = asked(nomogram_run, nomogram_run.table.iloc[::-1], "--extrapolate", out="turned.csv")
    assert list(turned.index) == list(answers.index[::-1])
    pd.testing.assert_frame_equal(turned.loc[answers.index], answers, check_exact=True)
    alone = asked(nomogram_run, nomogram_run.table.iloc[[17]], "--extrapolate", out="alone.csv")
    pd.testing.assert_frame_equal(alone, answers.iloc[[17]], check_exact=True)


def test_an_interval_stands_round_its_probability(answers):
    assert (answers["low"] <= answers["probability"]).all()
    assert (answers["probability"] <= answers["high"]).all()
    assert (answers["high"] - answers["low"]).min() > 0


def test_every_refit_has_its_say_whichever_columns_it_screened(clinical_run):
    model, row = read_model(clinical_run.run / "model.glottis"), clinical_run.table.iloc[[1]]
    refits = model.regression.refits
    assert len({refit.columns for refit in refits}) > 1
    given = row.assign(stage=row["stage"].astype(str))
    answer = asked(clinical_run, row, out="one.csv").iloc[0]
    spread = interval(answer["probability"], expit([refit(given)[0] for refit in refits]))
    assert (answer["low"], answer["high"]) == pytest.approx(spread, rel=1e-12)


@pytest.mark.parametrize("probability", [0.0, 1e-9, 0.3, 0.999, 1.0])
def test_the_interval_widens_with_the_spread(probability):
    spreads = [np.clip(0.5 + width * np.linspace(-1, 1, 9), 0, 1) for width in (0.0, 0.1, 0.3)]
    ends = [interval(probability, spread) for spread in spreads]
    inside = np.clip(probability, 1e-6, 1 - 1e-6)
    assert all(low <= inside + 1e-12 and inside - 1e-12 <= high for low, high in ends)
    assert ends[0][0] >= ends[1][0] >= ends[2][0]
    assert ends[0][1] <= ends[1][1] <= ends[2][1]


def test_an_interval_holds_even_a_certain_probability():
    for certain in (0.0, 1.0):
        low, high = interval(certain, np.full(9, certain))
        assert low <= certain <= high


def test_four_refits_give_no_interval():
    assert interval(0.5, np.linspace(0.4, 0.6, 4)) == (None, None)
    assert None not in interval(0.5, np.linspace(0.4, 0.6, 5))


def test_without_refits_the_answer_says_that_it_has_no_interval(tmp_path):
    study = clinical_study(tmp_path, final={"refits": 0})
    compute(study)
    row = asked(study, study.table.iloc[[1]]).iloc[0]
    assert np.isnan(row["low"])
    assert "no interval: 0 refits could score this patient, 5 are needed" in row["said"]


@pytest.fixture(scope="module")
def halves():
    """Refits of a unit whose rows come in groups of three."""
    index = [f"P{number:03d}" for number in range(90)]
    truth = pd.Series([number // 3 % 3 == 0 for number in range(90)], index=index, dtype=int)
    groups = pd.Series([f"G{number // 3}" for number in range(90)], index=index)
    study = clinical_study(Path()).settings
    unit = _Unit(pd.DataFrame(index=index), truth, groups, type("S", (), {"random_state": study.get("seed", 1)})())
    return truth, groups, final_model._halves(unit, 12)


class _Unit:
    def __init__(self, training, outcome, groups, study):
        self.training, self.outcome, self.groups, self.study = training, outcome, groups, study


def test_refits_see_half_of_the_patients_of_each_outcome(halves):
    truth, _, found = halves
    assert {len(half) for half in found} == {45}
    assert {int(truth.loc[half].sum()) for half in found} == {15}
    assert len({tuple(half) for half in found}) == 12


def test_refits_keep_groups_whole(halves):
    _, groups, found = halves
    for half in found:
        outside = groups.index.difference(half)
        assert not set(groups.loc[half]) & set(groups.loc[outside])


def test_after_a_cross_validation_the_model_is_of_all_patients(tmp_path):
    study = feature_study(tmp_path, **PLAIN, split=K_FOLD)
    final = compute(study).final
    assert (final["trained_on"], final["n_training"], final["n_positive"]) == ("all patients", 120, EVENTS)
    card = read_model(study.run / "model.glottis").card
    assert card["trained_on"] == f"120 all patients, {EVENTS} with the outcome"
    assert card["tested"].endswith("this one, fitted on all of them, is untested")
    assert list(card["performance"]) == ["cross-validation"]


@pytest.fixture
def plain(tmp_path):
    study = feature_study(tmp_path, **PLAIN)
    compute(study)
    return study


def test_a_second_run_leaves_the_model_file_untouched(plain):
    before = (plain.run / "model.glottis").stat().st_mtime_ns
    compute(plain)
    assert (plain.run / "model.glottis").stat().st_mtime_ns == before


def test_another_library_writes_the_model_anew(plain, monkeypatch):
    before, key = (plain.run / "model.glottis").read_bytes(), stored(plain, "final.json")["key"]
    stamp = (plain.run / "model.glottis").stat().st_mtime_ns
    monkeypatch.setattr(final_results, "all_versions", lambda: {"numpy": "99"})
    compute(plain)
    assert (plain.run / "model.glottis").stat().st_mtime_ns > stamp
    assert stored(plain, "final.json")["key"] != key
    assert (plain.run / "model.glottis").read_bytes() == before


def test_a_lost_model_file_is_written_again(plain):
    before = (plain.run / "model.glottis").read_bytes()
    (plain.run / "model.glottis").unlink()
    compute(plain)
    assert (plain.run / "model.glottis").read_bytes() == before


def test_a_late_fusion_leaves_the_study_with_its_bits(tmp_path):
    blocks = {"table": "table.csv", "columns": "original_*", "blocks": {"a": "*_F[012]", "b": "*_F[345]"}}
    study = feature_study(tmp_path, **PLAIN, fusion="late", combinations=[["a", "b"]])
    study.settings["features"] = blocks
    result = compute(study)
    same_bits(asked(study, study.table, "--extrapolate")["probability"], ledger(result, "a+b late"))
    assert result.final["explanation"]["absent"] == "no SHAP values: scores of several models are stacked"


def combat_study(folder, **harmonise):
    study = feature_study(folder, **PLAIN, harmonise={"batch": "scanner", "covariates": ["age"], **harmonise})
    study.table["scanner"] = ["AB"[number // 2 % 2] for number in range(len(study.table))]
    study.settings["split"] = {"method": "random", "test_fraction": 0.3}
    compute(study)
    return study


@pytest.fixture(scope="module")
def harmonised(tmp_path_factory):
    """A study with ComBat that refuses unknown scanners, and its answers."""
    study = combat_study(tmp_path_factory.mktemp("combat"))
    return study, asked(study, study.table, "--extrapolate")["probability"]


def test_a_harmonised_study_leaves_with_its_bits(harmonised):
    study, answers = harmonised
    same_bits(answers, ledger(StudyResult.load(study.run), "features"))


def test_an_unknown_scanner_is_refused_and_touches_no_other(harmonised):
    study, before = harmonised
    after = asked(study, from_scanner_z(study), "--extrapolate")
    assert after["status"].tolist().count("refused") == 1
    assert "Batch 'Z'" in after["said"].iloc[3]
    assert after["probability"].drop(after.index[3]).equals(before.drop(after.index[3]))


def from_scanner_z(study):
    return study.table.assign(scanner=["Z" if number == 3 else own for number, own in enumerate(study.table.scanner)])


def test_without_the_scanner_column_nothing_is_said(harmonised, capsys):
    study, _ = harmonised
    study.table.drop(columns="scanner").to_csv(study.folder / "ask.csv", index=False)
    files = ["--input", str(study.folder / "ask.csv"), "--out", str(study.folder / "none.csv")]
    assert run_command(["predict", str(study.run / "model.glottis"), *files]) == 2
    assert "no column 'scanner', which the harmonisation of the model needs: add it." in capsys.readouterr().err


def test_an_unknown_scanner_is_left_uncorrected_and_said_where_the_study_chose_so(tmp_path):
    study = combat_study(tmp_path, unseen="reference")
    answers = asked(study, from_scanner_z(study), "--extrapolate")
    assert "batch 'Z' is unknown to the harmonisation: left uncorrected" in answers["said"].iloc[3]
    assert answers["said"].str.contains("uncorrected").sum() == 1


def members(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize("name", ["clinical_run", "nomogram_run"])
def test_no_patient_stands_in_the_file(name, request):
    study = request.getfixturevalue(name)
    inside = members(study.run / "model.glottis")
    assert MARK.encode() not in inside
    assert MARK.encode() not in (study.run / "model.glottis").read_bytes()
    assert str(study.folder).encode() not in inside


def test_no_training_row_stands_in_the_file(nomogram_run):
    inside = members(nomogram_run.run / "model.glottis").decode()
    values = nomogram_run.table.filter(like="original_").to_numpy()
    found = sum(repr(float(value)) in inside for value in values.ravel())
    assert found <= 2 * values.shape[1]  # least and greatest of each feature


def test_no_bundle_is_written_where_none_is_wanted(tmp_path):
    study = feature_study(tmp_path, **PLAIN, final={"bundle": False})
    result = compute(study)
    assert result.final is None
    assert not (study.run / "model.glottis").exists()


def test_a_classifier_from_outside_gets_its_report_and_no_file(tmp_path, capsys):
    study = feature_study(tmp_path, **PLAIN, model={"classifier": "sklearn.naive_bayes:GaussianNB", "folds": 3})
    assert run_command(["run", str(study.write()), "--out", str(study.run), "--allow-code"]) == 0
    page = (study.run / "report.html").read_text()
    assert "No model file was written." in page
    assert "GaussianNB" in stored(study, "final.json")["absent"]
    assert not (study.run / "model.glottis").exists()


def test_a_model_that_can_no_longer_be_written_leaves_no_old_one(plain, monkeypatch):
    def fails(*_):
        raise BundleError("The disk says no: ask again.")

    monkeypatch.setattr(final_results, "all_versions", lambda: {"numpy": "99"})
    monkeypatch.setattr(final_results, "final_model", fails)
    assert compute(plain).final == {"key": "", "absent": "The disk says no: ask again."}
    assert not (plain.run / "model.glottis").exists()


def test_where_nobody_shall_be_explained_there_are_no_shap_values(tmp_path):
    result = compute(feature_study(tmp_path, **PLAIN, final={"explained": 0, "refits": 5}))
    assert result.final["explanation"]["shap"] is None


def test_fewer_are_explained_where_the_study_says_so(tmp_path):
    result = compute(feature_study(tmp_path, **PLAIN, final={"explained": 7, "refits": 0}))
    assert len(result.final["explanation"]["shap"]["rows"]) == 7


def test_rows_without_ids_are_answered_by_number(tmp_path):
    study = feature_study(tmp_path, **PLAIN, id=None)
    study.table = study.table.drop(columns="ID")
    scores = ledger(compute(study), "features")
    answers = asked(study, study.table, "--extrapolate")["probability"]
    same_bits(answers.set_axis([f"{number:03d}" for number in range(1, 121)]), scores)


def test_two_workers_write_the_file_of_one(plain, tmp_path):
    other = feature_study(tmp_path / "two", **PLAIN)
    run_study(read_study(other.write()), other.run, deliver=deliver, jobs=2)
    for name in ("model.glottis", "final.json"):
        assert (other.run / name).read_bytes() == (plain.run / name).read_bytes()


@pytest.mark.parametrize("classifier", ["svm", "logistic_regression", "xgboost", "lightgbm", "mlp"])
def test_every_classifier_leaves_the_study_with_its_bits(tmp_path, classifier):
    grid = {"svm": {"C": [1.0]}, "logistic_regression": {"C": [1.0]}, "mlp": {"alpha": [0.1]}}
    model = {"classifier": classifier, "folds": 3, "grid": grid.get(classifier, {"n_estimators": [5]})}
    study = feature_study(tmp_path, **PLAIN, model=model, final={"refits": 0, "explained": 5})
    scores = ledger(compute(study), "features")
    same_bits(asked(study, study.table, "--extrapolate")["probability"], scores)


def test_a_gap_that_the_study_fills_is_filled_by_every_refit(tmp_path):
    study = feature_study(tmp_path, **PLAIN)
    study.settings["features"] = {"table": "table.csv", "columns": "original_*", "impute": "median"}
    study.table.loc[::6, "original_glcm_F0"] = None
    scores = ledger(compute(study), "features")
    answers = asked(study, study.table, "--extrapolate")
    same_bits(answers["probability"], scores)
    assert answers["low"].notna().all()
