"""Studies of features, clinical columns and nomogram: whose score enters where."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from clinical_study import CLINICAL, OF_FEATURES, compute, feature_study
from glottis.cli import run_command
from glottis.data.tables import FeatureTable
from glottis.evaluation import logistic_table
from glottis.modelling import LinearPredictor
from glottis.serve import read_model
from glottis.study.clinical import nomogram_units
from glottis.study.result import StudyResult
from glottis.study.spec_clinical import SCORE
from glottis.study.split import partitions
from glottis.study.units import Patients

F1 = "original_glcm_F1"
GRIDS = {"random_forest": {"n_estimators": [5], "max_depth": [2]}, "logistic_regression": {"C": [0.1]}}
TWO = {"classifier": list(GRIDS), "folds": 3, "grid": GRIDS}
K_FOLD = {"method": "kfold", "folds": 3, "repeats": 1}


@pytest.fixture(scope="module")
def result(nomogram_run):
    return StudyResult.load(nomogram_run.run)


@pytest.fixture(scope="module")
def crossed(tmp_path_factory):
    """A k-fold that chooses between two classifiers in every fold, with a feature in the nomogram."""
    settings = {"split": K_FOLD, "model": TWO, "nomogram": {"features": [F1], "score": "probability"}}
    study = feature_study(tmp_path_factory.mktemp("crossed"), **settings, controls={"permutations": 0})
    compute(study)
    return study


def scores(result, model, *sets, fold=None) -> pd.Series:
    frame = result.predictions.frame
    own = frame[(frame["model"] == model) & frame["set"].isin(sets) & (frame["mode"] == "rigorous")]
    return (own if fold is None else own[own["fold"] == fold]).set_index("patient")["y_score"].sort_index()


def rows_of(study, score: pd.Series, name: str = SCORE) -> pd.DataFrame:
    """What the nomogram reads of these patients."""
    table = study.table.set_index("ID").loc[score.index, [*CLINICAL, F1]]
    return table.assign(stage=table["stage"].astype(str), **{name: score})


def test_the_models_are_features_clinic_and_both(result):
    assert list(result.results["models"]) == ["clinical", "features", "nomogram"]
    assert result.results["primary_model"] == "features"
    assert result.results["held_out_seen"] == 0


def test_training_patients_enter_with_their_out_of_fold_score(nomogram_run, result):
    score = pd.Series(logit(scores(result, "features", "training")))
    rows = nomogram_run.table.set_index("ID").loc[score.index]
    expected = logistic_table(rows["Target"] == "yes", score.to_frame(SCORE)).rows[0].univariable.ratio
    found = result.final["tables"]["nomogram"]["rows"][0]
    assert found["variable"] == SCORE
    assert found["univariable"]["ratio"]["value"] == pytest.approx(expected.value, rel=1e-9)
    assert found["univariable"]["ratio"]["high"] == pytest.approx(expected.high, rel=1e-9)


def test_held_out_patients_enter_with_the_score_of_the_finished_model(nomogram_run, result):
    (fit,) = result.results["models"]["nomogram"]["fits"]
    rows = rows_of(nomogram_run, logit(scores(result, "features", "internal", "external")))
    expected = expit(LinearPredictor.from_dict(fit["regression"]["predictor"])(rows))
    np.testing.assert_array_equal(scores(result, "nomogram", "internal", "external"), expected)


def test_the_score_is_forced_into_the_nomogram(result):
    table = result.final["tables"]["nomogram"]
    assert table["entered"][0] == SCORE
    assert table == result.results["models"]["nomogram"]["fits"][0]["regression"]["table"]
    assert result.final["nomogram"]["kind"] == "nomogram"


def test_in_sample_scores_are_better_than_they_should_be(result):
    (fit,) = result.results["models"]["features"]["fits"]
    assert fit["in_sample"]["auc"] > fit["in_sample"]["out_of_fold_auc"] + 0.05
    training = result.predictions.frame.query("model == 'features' and set == 'training'")
    honest = share_in_order(training["y_true"], training["y_score"])
    assert fit["in_sample"]["out_of_fold_auc"] == pytest.approx(honest)
    assert result.results["models"]["clinical"]["fits"][0]["in_sample"] is None


def share_in_order(truth: pd.Series, score: pd.Series) -> float:
    """Share of pairs in their order."""
    positive, negative = score[truth == 1].to_numpy()[:, None], score[truth == 0].to_numpy()
    return float(np.mean((positive > negative) + 0.5 * (positive == negative)))


def test_boosted_trees_separate_their_own_patients(tmp_path):
    model = {"classifier": "xgboost", "folds": 3, "grid": {"n_estimators": [60], "max_depth": [6]}}
    study = feature_study(tmp_path, model=model, controls={"permutations": 0})
    (fit,) = compute(study, final=False).results["models"]["features"]["fits"]
    assert (fit["in_sample"]["auc"], fit["in_sample"]["separates"]) == (1.0, True)


def test_other_features_of_held_out_patients_change_no_fit(nomogram_run, result, tmp_path):
    study, held = feature_study(tmp_path), scores(result, "features", "internal", "external").index
    study.table.loc[study.table["ID"].isin(held), [f"original_glcm_F{number}" for number in range(6)]] += 1000
    other = compute(study, final=False)
    models = [{name: own["fits"] for name, own in each.results["models"].items()} for each in (other, result)]
    assert models[0] == models[1]
    assert not scores(other, "nomogram", "internal").equals(scores(result, "nomogram", "internal"))


def test_a_feature_may_enter_as_it_is(crossed):
    result = StudyResult.load(crossed.run)
    table = result.final["tables"]["nomogram"]
    assert {SCORE, F1} <= set(table["entered"])
    assert F1 in {axis["column"] for axis in result.final["nomogram"]["points"]["predictors"]}


def test_in_every_fold_the_nomogram_reads_the_chosen_classifier(crossed):
    result = StudyResult.load(crossed.run)
    assert result.results["primary_model"] == "features (chosen)"
    for fit in result.results["models"]["nomogram"]["fits"]:
        own = [scores(result, name, "cross-validation", fold=fit["fold"]) for name in ("features (chosen)", "nomogram")]
        predictor = LinearPredictor.from_dict(fit["regression"]["predictor"])
        np.testing.assert_array_equal(own[1], expit(predictor(rows_of(crossed, own[0]))))


def test_after_a_choice_the_final_model_has_one_classifier(crossed):
    final = StudyResult.load(crossed.run).final
    assert final["name"] == "features (chosen)"
    assert final["classifier"] == read_model(crossed.run / "model.glottis").scorer.model in GRIDS
    assert (final["trained_on"], final["n_training"]) == ("all patients", 120)


def test_an_unknown_feature_of_the_nomogram_is_refused_before_anything_is_fitted(tmp_path, capsys):
    study = feature_study(tmp_path, nomogram={"features": ["original_glcm_F9"]})
    assert run_command(["run", str(study.write()), "--out", str(study.run)]) == 2
    said = capsys.readouterr().err
    assert "nomogram.features: there is no feature 'original_glcm_F9': did you mean 'original_glcm_F" in said
    assert not (study.run / "cache" / "fits").exists()


def test_a_nomogram_of_score_and_feature_needs_no_clinical_column(tmp_path):
    settings = {"clinical": [], "clinical_model": None, "nomogram": {"features": [F1]}, "model": OF_FEATURES["model"]}
    result = compute(feature_study(tmp_path, **settings, controls={"permutations": 0}))
    assert result.final["tables"]["nomogram"]["entered"] == [SCORE, F1]
    assert list(result.results["models"]) == ["features", "nomogram"]


def test_a_feature_of_the_nomogram_comes_from_the_table_of_its_own_partition(tmp_path):
    """Nyul's landmarks of another fold know this fold's held-out patients."""
    source = feature_study(tmp_path, split=K_FOLD, nomogram={"features": [F1]}).source()
    parts, cohort = partitions(source.cohort, source.study.split, random_state=1), list(source.cohort)
    frame = source.given.values.frame
    tables = [FeatureTable(frame.assign(**{F1: frame[F1] + fold})) for fold in range(3)]
    people = Patients(outcome=series(cohort, "outcome"), groups=series(cohort, "group"), batches=None)
    rows = [{"patient": case.patient, "set": "training", "y_score": 0.5} for case in cohort]
    fits = [{"fit": {"repeat": 0, "fold": fold}, "scores": rows} for fold in range(3)]
    design = source.study.designs()[-1]
    units = nomogram_units(source.study, design, cohort, parts, people, tmp_path, fits=fits, tables=tables)
    own = frame.set_index("patient")[F1]
    assert all((unit.training[F1] == own.loc[unit.training.index] + unit.fold).all() for unit in units)


def series(cohort, name):
    return pd.Series({case.patient: getattr(case, name) for case in cohort})
