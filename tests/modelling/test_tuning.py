from __future__ import annotations

import logging
import pickle
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from modelling_cohorts import cohort, steps
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import ParameterSampler

from glottis._errors import MissingExtraError, SettingsError
from glottis.modelling import Range, Search, TunedChain
from glottis.modelling.tuning import best_of, run_search

X, Y = cohort(n=45)
SPACE = {"C": Range(low=1e-3, high=10, log=True), "solver": ["lbfgs", "newton-cg"]}


def _chain(kind: str, n_trials: int = 6, grid: Any = SPACE, **settings: Any) -> TunedChain:
    search = Search(kind=kind, n_trials=n_trials, grid=grid)
    return TunedChain(steps(), "logistic_regression", folds=3, search=search, **settings)


FITTED = {kind: _chain(kind).fit(X, Y) for kind in ("random", "bayes")}


@pytest.mark.parametrize("kind", ["random", "bayes"])
def test_every_trial_is_in_the_results_and_inside_its_range(kind: str) -> None:
    table = FITTED[kind].cv_results_
    assert len(table) == 6
    assert table["C"].between(1e-3, 10).all()
    assert table["C"].nunique() == 6
    assert set(table["solver"]) <= {"lbfgs", "newton-cg"}
    np.testing.assert_allclose(table["mean_auc"], table[["auc_0", "auc_1", "auc_2"]].mean(axis=1).astype(float))


@pytest.mark.parametrize("kind", ["random", "bayes"])
def test_the_best_trial_wins_and_the_first_of_equals(kind: str) -> None:
    fitted = FITTED[kind]
    first = fitted.cv_results_.loc[fitted.cv_results_["mean_auc"] >= fitted.inner_auc_ - 1e-12].iloc[0]
    assert {"C": first["C"], "solver": first["solver"]} == fitted.best_params_
    assert fitted.inner_auc_ == fitted.cv_results_["mean_auc"].max()


@pytest.mark.parametrize("kind", ["random", "bayes"])
def test_a_seed_gives_the_same_trials_and_another_gives_others(kind: str) -> None:
    assert _chain(kind).fit(X, Y).cv_results_.equals(FITTED[kind].cv_results_)
    other = _chain(kind, random_state=1).fit(X, Y)
    assert not set(other.cv_results_["C"]) & set(FITTED[kind].cv_results_["C"])


def test_all_searches_share_the_inner_folds() -> None:
    grid = _chain("grid", grid={"C": [1.0]}).fit(X, Y)
    assert grid.fold_.equals(FITTED["random"].fold_)
    assert grid.fold_.equals(FITTED["bayes"].fold_)


def test_a_random_search_is_that_of_scikit_learn() -> None:
    space = {"C": stats.uniform(0, 1), "solver": ["lbfgs", "newton-cg"]}
    ours = Search(kind="random", n_trials=4).space({"solver": space["solver"]}, {})
    drawn, _, _ = run_search(Search(kind="random"), ours, 3, lambda points: (np.zeros((2, 1)), np.zeros((2, 1))))
    assert drawn == list(ParameterSampler({"solver": space["solver"]}, 2, random_state=3))


def test_a_list_of_few_points_is_drawn_once_each() -> None:
    fitted = _chain("random", grid={"C": [0.1, 1.0, 10.0]}, n_trials=50).fit(X, Y)
    assert sorted(fitted.cv_results_["C"]) == [0.1, 1.0, 10.0]


def test_a_bayesian_search_fits_no_point_twice() -> None:
    fitted = _chain("bayes", grid={"C": [0.1, 1.0]}, n_trials=12).fit(X, Y)
    assert sorted(fitted.cv_results_["C"]) == [0.1, 1.0]
    assert sum(record.step == "logistic_regression" for record in fitted.fit_log_) == 2 * 3 + 1


def test_a_bayesian_search_finds_the_top_of_a_hill() -> None:
    def hill(points: list[dict[str, Any]]) -> tuple[Any, Any]:
        return np.zeros((len(points), 1)), np.array([[-((point["x"] - 0.3) ** 2)] for point in points])

    points, _, results = run_search(Search(kind="bayes", n_trials=60), {"x": Range(low=0, high=1)}, 0, hill)
    # the nearest of 60 uniform draws lies farther than .05 with probability .9 ** 60 = .002
    assert points[best_of(results)]["x"] == pytest.approx(0.3, abs=0.05)
    assert np.mean([abs(point["x"] - 0.3) for point in points[30:]]) < 0.15


def test_values_that_are_tuples_can_be_proposed() -> None:
    grid = {"hidden_layer_sizes": [(2,), (3, 2)], "alpha": [1.0]}
    fitted = TunedChain(steps(), "mlp", grid=grid, folds=2, search=Search(kind="bayes", n_trials=6)).fit(X, Y)
    assert fitted.best_params_["hidden_layer_sizes"] in [(2,), (3, 2)]


def test_the_searcher_prints_nothing_and_keeps_its_level(capfd: pytest.CaptureFixture[str]) -> None:
    import optuna

    optuna.logging.set_verbosity(logging.ERROR)
    _chain("bayes").fit(X, Y)
    assert optuna.logging.get_verbosity() == logging.ERROR
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["random", "bayes"])
def test_a_default_search_uses_the_classifiers_ranges(kind: str) -> None:
    search = Search(kind=kind, n_trials=4)
    fitted = TunedChain(steps(), "svm", folds=2, search=search).fit(X, Y)
    assert list(fitted.cv_results_.columns[:3].sort_values()) == ["C", "gamma", "kernel"]


@pytest.mark.parametrize("kind", ["grid", "random", "bayes"])
def test_a_model_with_nothing_to_tune_is_one_point(kind: str) -> None:
    search = Search(kind=kind, n_trials=3)
    path = "sklearn.naive_bayes:GaussianNB"
    fitted = TunedChain(steps(), path, folds=2, search=search, allow_code=True).fit(X, Y)
    assert len(fitted.cv_results_) == 1
    assert fitted.best_params_ == {}


def test_a_chain_with_a_search_can_be_cloned_and_stored() -> None:
    again = pickle.loads(pickle.dumps(clone(FITTED["bayes"]).fit(X, Y)))
    assert again.predict_proba(X).tolist() == FITTED["bayes"].predict_proba(X).tolist()


def test_a_word_is_a_search_too() -> None:
    short = TunedChain(steps(), "logistic_regression", folds=2, search="random", grid={"C": [0.1, 1.0]}).fit(X, Y)
    assert len(short.cv_results_) == 2


@pytest.mark.parametrize(
    "bounds", [Range(low=2, high=5, integer=True), Range(low=2, high=5, integer=True, log=True), Range(low=2, high=5)]
)
def test_draws_stay_in_their_range_and_reach_its_ends(bounds: Range) -> None:
    drawn = [bounds.rvs(seed) for seed in range(300)]
    assert 2 <= min(drawn) < 2.2
    assert 4.8 < max(drawn) <= 5
    assert isinstance(drawn[0], int) == bounds.integer


def test_a_log_range_is_even_on_the_log_scale() -> None:
    drawn = np.log10([Range(low=0.01, high=100, log=True).rvs(seed) for seed in range(400)])
    assert stats.kstest(drawn, "uniform", (-2, 4)).pvalue > 0.001


def test_ends_as_a_mapping_make_a_range() -> None:
    space = Search(kind="random").space({"C": {"low": 1, "high": 2}}, {})
    assert space == {"C": Range(low=1, high=2)}


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Search(kind="gird"), "Unknown search 'gird': did you mean 'grid'"),
        (lambda: Search(n_trials=0), "at least one point; got n_trials=0"),
        (lambda: Range(low=2, high=1), "from a lower to a higher number; got 2 to 1"),
        (lambda: Range(low=0, high=1, log=True), "starts above 0; got 0"),
        (lambda: Range(low=1.5, high=4, integer=True), "has whole ends; got 1.5 to 4"),
        (lambda: Search(kind="bayes").space({"C": {"low": 1, "hihg": 2}}, {}), "C needs 'low' and 'high'"),
        (lambda: Search().space({"C": Range(low=1, high=2)}, {}), "C is a range, which a grid cannot hold"),
        (lambda: Search().space({"C": 3}, {}), "C needs a list of values to try; got 3"),
        (lambda: Search().space({"kernel": "rbf"}, {}), "kernel needs a list of values to try; got 'rbf'"),
        (lambda: Search().space({"C": []}, {}), r"C needs a list of values to try; got \[\]"),
        (lambda: TunedChain([], search="bayesian").fit(X, Y), "Unknown search 'bayesian': did you mean 'bayes'"),
    ],
)
def test_a_search_that_cannot_be_run_is_refused(make: Any, match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        make()


def test_a_missing_searcher_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"needs 'optuna'.*glottis\[search\]"):
        _chain("bayes").fit(X, Y)


@pytest.mark.parametrize("kind", ["random", "bayes"])
def test_a_marker_in_a_validation_patient_moves_no_other_score_of_its_fold(kind: str) -> None:
    before = _chain(kind, n_trials=1).fit(X, Y)
    patients = before.fold_.index[before.fold_ == 1]
    marked = X.copy()
    marked.loc[patients[0]] = 1e6
    after = _chain(kind, n_trials=1).fit(marked, Y)
    assert after.out_of_fold_raw_[patients[1:]].equals(before.out_of_fold_raw_[patients[1:]])
    assert not after.out_of_fold_raw_.equals(before.out_of_fold_raw_)
    assert isinstance(after.cv_results_, pd.DataFrame)
