from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from modelling_cohorts import cohort, steps
from scipy import stats
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ParameterGrid
from sklearn.svm import SVC

from glottis._errors import MissingExtraError, SettingsError
from glottis.evaluation import roc_auc
from glottis.modelling import CLASSIFIERS, ClassifierSpec, TunedChain
from glottis.modelling.classifiers import positive_score
from glottis.modelling.imported import imported_classifier

NAMES = ["logistic_regression", "svm", "random_forest", "extra_trees", "xgboost", "lightgbm", "mlp"]
FOREST = {"n_estimators": [15], "min_samples_leaf": [3]}
QUICK: dict[str, Any] = {
    "random_forest": FOREST,
    "extra_trees": FOREST,
    "mlp": {"hidden_layer_sizes": [(4,)], "alpha": [1.0]},
}
X, Y = cohort()


class Silent(ClassifierMixin, BaseEstimator):
    """A classifier that says classes alone."""

    def fit(self, X: Any, y: Any) -> Silent:
        return self


def _chain(name: str, **settings: Any) -> TunedChain:
    return TunedChain(steps(), **{"classifier": name, "grid": QUICK.get(name), "folds": 3} | settings)


FITTED = {name: _chain(name).fit(X, Y) for name in NAMES}


def test_the_classifiers_are_those_of_the_papers() -> None:
    assert list(CLASSIFIERS) == NAMES
    assert [name for name, spec in CLASSIFIERS.items() if not spec.recalibrate] == ["logistic_regression"]


@pytest.mark.parametrize("spec", CLASSIFIERS.values(), ids=NAMES)
def test_a_default_grid_is_small_and_its_points_can_be_set(spec: ClassifierSpec) -> None:
    points = list(ParameterGrid(dict(spec.grid)))
    assert 2 <= len(points) <= 6
    for point in points:
        assert {name: spec.make(3).set_params(**point).get_params()[name] for name in point} == point


@pytest.mark.parametrize("name", NAMES)
def test_a_classifier_has_one_thread_and_the_given_seed(name: str) -> None:
    parameters = CLASSIFIERS[name].make(3).get_params()
    assert parameters["random_state"] == 3
    assert parameters.get("n_jobs", 1) in (1, None)
    assert "n_jobs" not in parameters or parameters["n_jobs"] == 1 or name == "logistic_regression"


# 60 training and 200 fresh patients; the best score has an AUC of .93, models of 60 patients about .88. The AUC on 200
# has a standard error of .025 at most, so .75 lies over five below: no choice of seeds fails a correct program.
@pytest.mark.parametrize("name", NAMES)
def test_every_classifier_learns_a_signal(name: str) -> None:
    fresh, truth = cohort(1, n=200)
    assert roc_auc(truth, FITTED[name].predict_proba(fresh)[:, 1]).value > 0.75
    assert FITTED[name].inner_auc_ > 0.7


# Mean of 6 AUCs on 60 + 60 fresh patients without signal: standard error .053 / sqrt(6) = .0216 whatever the model is;
# a correct program leaves .5 by more than .075 in .05% of choices of seeds, in any of seven classifiers in .4%.
@pytest.mark.parametrize("name", NAMES)
def test_noise_scores_half(name: str) -> None:
    error = math.sqrt(121 / (12 * 60 * 60) / 6)
    assert 7 * 2 * stats.norm.sf(0.075 / error) < 0.005
    values = []
    for seed in range(6):
        fitted = _chain(name, folds=2).fit(*cohort(100 + seed, n=30, signal=0))
        fresh, truth = cohort(200 + seed, n=120, signal=0)
        values.append(roc_auc(truth, fitted.predict_proba(fresh)[:, 1]).value)
    assert abs(np.mean(values) - 0.5) < 0.075


@pytest.mark.parametrize("name", NAMES)
def test_the_same_rows_and_seed_give_the_same_bits_in_any_order(name: str) -> None:
    again = clone(FITTED[name]).fit(X[::-1], Y)
    assert again.predict_proba(X).tolist() == FITTED[name].predict_proba(X).tolist()
    assert again.cv_results_.equals(FITTED[name].cv_results_)


@pytest.mark.parametrize("name", NAMES)
def test_one_feature_and_a_constant_one_are_enough(name: str) -> None:
    narrow = X.iloc[:, [0]].assign(constant=1.0)
    fitted = _chain(name).fit(narrow, Y)
    assert fitted.selected_ == [X.columns[0]]
    assert np.isfinite(fitted.predict_proba(narrow)).all()


@pytest.mark.parametrize("name", NAMES)
def test_equal_rows_give_equal_scores_and_half(name: str) -> None:
    flat = TunedChain([], classifier=name, grid=QUICK.get(name), folds=3).fit(X.iloc[:, [0]] * 0, Y)
    assert np.unique(flat.predict_proba(X.iloc[:, [0]] * 0)[:, 1]).size == 1
    assert flat.inner_auc_ == 0.5


@pytest.mark.parametrize("name", NAMES)
def test_balanced_weights_say_the_rarer_class_more_often_before_recalibration(name: str) -> None:
    data, outcome = cohort(4, n=80, signal=0.6)
    rare = data[(outcome == 0) | (np.arange(80) % 4 == 1)]
    raw = [_chain(name, class_weight=how).fit(rare, outcome[rare.index]).out_of_fold_raw_ for how in (None, "balanced")]
    assert raw[1].mean() > raw[0].mean() + 0.02


@pytest.mark.parametrize("name", NAMES)
def test_class_weighted_scores_are_recalibrated_to_the_prevalence(name: str) -> None:
    data, outcome = cohort(4, n=80)
    rare = data[(outcome == 0) | (np.arange(80) % 3 == 1)]
    fitted = _chain(name, class_weight="balanced").fit(rare, outcome[rare.index])
    assert fitted.recalibration_ is not None
    assert fitted.out_of_fold_.mean() == pytest.approx(outcome[rare.index].mean(), abs=0.03)


@pytest.mark.parametrize("name", NAMES)
def test_a_marker_in_a_validation_patient_moves_no_other_score_of_its_fold(name: str) -> None:
    grid = {key: values[:1] for key, values in (QUICK.get(name) or CLASSIFIERS[name].grid).items()}
    before = _chain(name, grid=grid, class_weight="balanced").fit(X, Y)
    patients = before.fold_.index[before.fold_ == 1]
    marked = X.copy()
    marked.loc[patients[0]] = 1e6 * np.arange(1, 6)
    after = _chain(name, grid=grid, class_weight="balanced").fit(marked, Y)
    assert after.out_of_fold_raw_[patients[1:]].equals(before.out_of_fold_raw_[patients[1:]])
    assert not after.out_of_fold_raw_.equals(before.out_of_fold_raw_)


def test_a_weight_in_the_grid_is_recalibrated_too() -> None:
    grid = {"class_weight": ["balanced"]}
    assert _chain("logistic_regression", grid=grid).fit(X, Y).recalibration_ is not None
    raw = _chain("logistic_regression", grid=grid, recalibrate=False).fit(X, Y)
    assert raw.note_ == "not recalibrated although class-weighted: scores are no probabilities"


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    data, outcome = cohort(4, n=80)
    rare = data[(outcome == 0) | (np.arange(80) % 3 == 1)].sort_index()
    ours = _chain("logistic_regression", grid={"C": [1.0]}, class_weight="balanced").fit(rare, outcome)
    scaled = (rare - rare.mean()) / rare.std(ddof=0)
    theirs = LogisticRegression(class_weight="balanced").fit(scaled, outcome[rare.index])
    np.testing.assert_allclose(ours.classifier_.coef_, theirs.coef_, atol=1e-4)


@pytest.mark.parametrize("name", ["logistic_regression", "svm"])
def test_importances_of_a_linear_model_are_sizes_of_its_coefficients(name: str) -> None:
    fitted = _chain(name, grid={"kernel": ["linear"]} if name == "svm" else {}).fit(X, Y)
    assert fitted.feature_importances_.tolist() == np.abs(fitted.classifier_.coef_[0]).tolist()
    assert list(fitted.feature_importances_.index) == fitted.selected_


def test_a_curved_machine_has_no_importances() -> None:
    assert _chain("svm", grid={"kernel": ["rbf"]}).fit(X, Y).feature_importances_ is None
    assert FITTED["mlp"].feature_importances_ is None
    assert len(FITTED["xgboost"].feature_importances_) == len(FITTED["lightgbm"].feature_importances_) == 5


def test_the_score_of_a_machine_is_its_distance_drawn_in() -> None:
    machine = SVC().fit(X, Y)
    np.testing.assert_array_equal(positive_score(machine, X), expit(machine.decision_function(X)))


def test_a_recalibrated_machine_is_platts_curve_of_its_distances() -> None:
    fitted = FITTED["svm"]
    assert fitted.recalibration_ is not None
    assert fitted.out_of_fold_.rank().equals(fitted.out_of_fold_raw_.rank())
    assert fitted.out_of_fold_.mean() == pytest.approx(Y.mean(), abs=0.02)


def test_a_fit_that_does_not_converge_is_noted_and_not_printed() -> None:
    fitted = _chain("mlp", grid={"max_iter": [1]}).fit(X, Y)
    assert fitted.note_ == "mlp: 4 of 4 fits did not converge, the final one among them"


def test_a_tree_that_no_depth_limit_binds_is_the_same_in_extra_trees_too() -> None:
    free = ExtraTreesClassifier(8, min_samples_leaf=10, random_state=0).fit(X, Y)
    bound = ExtraTreesClassifier(8, min_samples_leaf=10, max_depth=30, random_state=0).fit(X, Y)
    assert CLASSIFIERS["extra_trees"].same(free, {"min_samples_leaf": 10, "max_depth": 30})
    assert free.predict_proba(X).tolist() == bound.predict_proba(X).tolist()


def test_training_scores_of_boosted_noise_separate_and_are_no_result() -> None:
    data, outcome = cohort(7, n=60, signal=0, n_features=20)
    fitted = _chain("xgboost", grid={"max_depth": [6], "learning_rate": [0.3]}).fit(data, outcome)
    assert roc_auc(outcome, fitted.predict_proba(data)[:, 1]).value == 1
    assert fitted.inner_auc_ < 0.8
    assert roc_auc(outcome[fitted.out_of_fold_.index], fitted.out_of_fold_).value < 0.8


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_a_missing_library_is_named_with_its_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=rf"needs '{name}'.*glottis\[boosting\]"):
        _chain(name).fit(X, Y)


def test_importing_the_models_loads_no_optional_library() -> None:
    code = (
        "import sys, glottis, glottis.modelling; "
        "print(sorted({'xgboost', 'lightgbm', 'optuna', 'sksurv', 'sklearn.neural_network'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_any_classifier_comes_by_its_path_when_allowed() -> None:
    fitted = _chain("sklearn.svm:LinearSVC", allow_code=True).fit(X, Y)
    assert fitted.inner_auc_ > 0.7
    assert fitted.best_params_ == {}
    assert fitted.classifier_.random_state == 0
    assert fitted.fit_log_[-1].step == "sklearn.svm:LinearSVC"


def test_a_path_takes_a_grid_of_the_user() -> None:
    path = "sklearn.neighbors:KNeighborsClassifier"
    fitted = _chain(path, grid={"n_neighbors": [1, 15]}, allow_code=True).fit(X, Y)
    assert fitted.cv_results_["n_neighbors"].tolist() == [1, 15]
    assert fitted.classifier_.n_jobs == 1


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("sklearn.svm:Nope", "cannot be imported .*give 'package.module:Class' of what is installed"),
        ("nowhere_at_all:X", "cannot be imported"),
        (":X", "cannot be imported"),
        ("os:getcwd", "is no scikit-learn estimator class"),
        ("sklearn.cluster:KMeans", "is no scikit-learn classifier: take one that learns two classes"),
        ("sklearn.ensemble:IsolationForest", "is no scikit-learn classifier"),
        ("sklearn.ensemble:RandomForestRegressor", "is no scikit-learn classifier"),
        (f"{__name__}:Silent", "gives no scores"),
        ("sklearn.ensemble:VotingClassifier", "cannot be made without arguments"),
    ],
)
def test_a_path_to_no_classifier_is_refused(path: str, match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        imported_classifier(path, allow_code=True).make(0)


def test_code_from_outside_is_refused_unless_allowed() -> None:
    with pytest.raises(SettingsError, match=r"runs code from outside glottis: allow it with --allow-code"):
        _chain("sklearn.svm:LinearSVC").fit(X, Y)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"class_weight": "even"}, "class_weight='even' is not known: give 'balanced'"),
        (
            {"classifier": "sklearn.neighbors:KNeighborsClassifier", "allow_code": True, "class_weight": "balanced"},
            "takes no weights",
        ),
    ],
)
def test_weights_that_cannot_be_used_are_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        _chain("svm", **settings).fit(X, Y)


@pytest.mark.parametrize(
    ("name", "parameter", "match"),
    [
        ("xgboost", "max_dept", "xgboost has no parameter 'max_dept': did you mean 'max_depth'"),
        ("lightgbm", "num_leafs", "lightgbm has no parameter 'num_leafs': did you mean 'num_leaves'"),
        ("svm", "c_", "svm has no parameter 'c_': did you mean 'C'"),
    ],
)
def test_a_parameter_that_a_model_lacks_is_refused(name: str, parameter: str, match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        _chain(name, grid={parameter: [1]}).fit(X, Y)


@pytest.mark.parametrize("name", NAMES)
def test_a_hole_that_reaches_a_model_is_named(name: str) -> None:
    holed = X.copy()
    holed.iloc[7, 1] = np.nan
    with pytest.raises(ValueError, match=rf"Feature .* of '{X.index[7]}' is not finite \(1 rows concerned\)"):
        TunedChain([], name, folds=3).fit(holed, Y)


@pytest.mark.parametrize("name", NAMES)
def test_only_forests_score_a_validation_patient_with_a_hole(name: str) -> None:
    holed = X.copy()
    holed.iloc[7, 1] = np.nan  # the variance step drops the feature where the patient is for training
    if CLASSIFIERS[name].holes:
        assert _chain(name).fit(holed, Y).out_of_fold_.notna().all()
    else:
        with pytest.raises(ValueError, match=rf"of '{X.index[7]}' is not finite"):
            _chain(name).fit(holed, Y)


def test_a_frame_of_strange_names_is_handed_on_without_them() -> None:
    assert isinstance(CLASSIFIERS["xgboost"].given(X), np.ndarray)
    assert isinstance(CLASSIFIERS["svm"].given(X), pd.DataFrame)
