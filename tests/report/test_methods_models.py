"""The methods section says how models were selected, tuned, fused and held against controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_run import write_fake_run

from glottis.report.methods import methods
from glottis.study.result import StudyResult


def said(folder: Path, heading: str, **blocks: Any) -> str:
    """The paragraph of that heading, empty where there is none."""
    result = StudyResult.load(write_fake_run(folder, pictures=False, **blocks))
    return " ".join(s for part in methods(result) if part.heading == heading for s in part.sentences)


def test_every_selector_is_named_in_its_order_with_its_settings(tmp_path: Path) -> None:
    univariate = {"test": "mann-whitney", "p": 0.1, "adjust": "benjamini_hochberg"}
    block = {"univariate": univariate, "boruta": True, "mrmr": 30, "n_features": "cv"}
    text = said(tmp_path, "Selection", selection=block)
    parts = [
        "tested alone (a Mann-Whitney test between the classes); features with p, adjusted after Benjamini and "
        "Hochberg over all features, below 0.1 stayed",
        "Spearman correlation above 0.9",
        "Boruta",
        "mRMR kept 30 features",
        "LASSO",
        "the number with the lowest normalised mean squared error was left",
    ]
    places = [text.find(part) for part in parts]
    assert places == sorted(places)
    assert places[0] > 0


def test_a_raw_p_is_not_called_adjusted(tmp_path: Path) -> None:
    text = said(tmp_path, "Selection", selection={"univariate": {}})
    assert "Student's t test between the classes); features with p below 0.05 stayed." in text
    assert "adjusted" not in text


def test_selection_by_block_is_said(tmp_path: Path) -> None:
    text = said(tmp_path, "Selection", selection={"per_block": True})
    assert "Each model selected in every sequence by itself, and set side by side what was left" in text


def test_seven_classifiers_are_named_with_their_grids(tmp_path: Path) -> None:
    text = said(tmp_path, "Model", tests=(), n=20, model={"classifier": "all"})
    for name in ("logistic regression", "SVM", "random forest", "extra trees", "XGBoost", "LightGBM", "MLP"):
        assert f"{name} (" in text
    assert "Between classifiers the inner AUC chose, anew in each fit" in text
    assert "of 15 fits" in text


def test_a_held_out_choice_of_classifier_uses_no_test_set(tmp_path: Path) -> None:
    text = said(tmp_path, "Model", model={"classifier": ["svm", "mlp"]})
    assert (
        "Between classifiers the inner AUC chose, the mean over inner folds of training patients; no test set." in text
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [("random", "tuned over 7 random points"), ("bayes", "tuned over 7 points of a Bayesian search")],
)
def test_a_search_is_named_with_its_trials_and_ranges(tmp_path: Path, kind: str, words: str) -> None:
    model = {"classifier": "logistic_regression", "search": {"kind": kind, "n_trials": 7}}
    text = said(tmp_path, "Model", model=model)
    assert words in text
    assert "Searched: C 0.001 to 100 on the log scale." in text


def test_a_grid_of_the_study_file_is_given_where_no_fit_stored_points(tmp_path: Path) -> None:
    model = {"classifier": "svm", "grid": {"C": [2, 8]}}
    text = said(tmp_path, "Model", fusion="late", combinations=[["T1WI", "T2WI"]], model=model)
    assert "Grid: C 2 or 8." in text
    assert "Chosen" not in text


def test_class_weights_and_their_recalibration_are_said(tmp_path: Path) -> None:
    text = said(tmp_path, "Model", model={"classifier": "logistic_regression", "class_weight": "balanced"})
    assert "Both classes weighed the same" in text
    assert "Scores were recalibrated by a logistic curve" in text


def test_a_likelihood_is_not_said_to_be_recalibrated(tmp_path: Path) -> None:
    text = said(tmp_path, "Model", model={"classifier": "logistic_regression"})
    assert "taken as they are" in text
    assert "were recalibrated" not in text


def test_a_classifier_from_outside_is_called_so(tmp_path: Path) -> None:
    text = said(tmp_path, "Model", model={"classifier": "sklearn.naive_bayes:GaussianNB"})
    assert "the classifier sklearn.naive_bayes:GaussianNB (loaded from outside glottis)" in text.replace(
        "The c", "the c"
    )


def test_late_fusion_says_what_the_stacker_learnt_from(tmp_path: Path) -> None:
    text = said(tmp_path, "Fusion", fusion="late")
    assert "learnt from out-of-fold training scores alone" in text
    assert "Early fusion" not in text


def test_models_of_one_block_have_no_fusion(tmp_path: Path) -> None:
    assert said(tmp_path, "Fusion", sequences=("CT",)) == ""


@pytest.mark.parametrize(
    ("unseen", "words"),
    [
        ("refuse", "would have been refused"),
        ("reference", "were left uncorrected"),
        ("transductive", "estimated from its own unlabelled patients, of whom it needs 12"),
    ],
)
def test_combat_is_said_with_variant_covariates_and_unseen_rule(tmp_path: Path, unseen: str, words: str) -> None:
    block = {"batch": "scanner", "covariates": ["age"], "prior": "nonparametric", "mean_only": True, "minimum_rows": 12}
    text = said(tmp_path, "Harmonisation", harmonise={**block, "unseen": unseen})
    assert "non-parametric empirical Bayes) corrected means alone by scanner" in text
    assert "The effect of age was kept." in text
    assert words in text


def test_a_reference_batch_is_named(tmp_path: Path) -> None:
    text = said(tmp_path, "Harmonisation", harmonise={"batch": "centre", "reference": "A"})
    assert "All batches were drawn to batch A, itself unchanged. No covariate was kept." in text


def test_a_run_without_harmonisation_says_nothing_of_it(tmp_path: Path) -> None:
    assert said(tmp_path, "Harmonisation") == ""


def test_repeated_splits_are_said(tmp_path: Path) -> None:
    text = said(tmp_path, "Split", tests=(), split={"method": "repeated", "repeats": 10, "test_fraction": 0.25})
    assert "10 random splits, 25% of the patients held out each time, stratified by outcome" in text


def test_permutations_are_said_with_their_hyper_parameters(tmp_path: Path) -> None:
    text = said(tmp_path, "Controls", as_published=["threshold"])
    assert "shuffled 20 times and the primary model was fitted anew, selection included" in text
    assert "with its hyper-parameters as tuned" in text
    assert "the threshold chosen on the test patients; every number from it is called OPTIMISTIC" in text


def test_controls_that_did_not_run_are_not_claimed(tmp_path: Path) -> None:
    text = said(tmp_path, "Controls", controls=False)
    assert text == "Not run: site alone, volume alone and clinical alone."
