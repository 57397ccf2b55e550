from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from modelling_cohorts import steps, survivors
from sklearn.base import clone

from glottis._errors import MissingExtraError
from glottis.evaluation import concordance_index, cox_regression, median_cutoff, survival_youden_cutoff
from glottis.modelling import SURVIVAL_MODELS, Search, SurvivalChain, choose, fit_together
from glottis.modelling.hazards import Coxnet, RidgeCox
from glottis.modelling.survival import survival_outcome

X, Y = survivors()
NAMES = ["cox", "coxnet", "random_survival_forest"]
QUICK: dict[str, Any] = {"random_survival_forest": {"n_estimators": [20], "min_samples_leaf": [5]}}


def _chain(name: str = "cox", **settings: Any) -> SurvivalChain:
    return SurvivalChain(steps(), **{"model": name, "grid": QUICK.get(name), "folds": 3} | settings)


FITTED = {name: _chain(name).fit(X, Y) for name in NAMES}
OUTCOME = survival_outcome(Y.to_records(index=False))


def test_the_survival_models_are_these() -> None:
    assert list(SURVIVAL_MODELS) == NAMES
    forest = SURVIVAL_MODELS["random_survival_forest"].make(4)
    assert (forest.random_state, forest.n_jobs, forest.n_estimators) == (4, 1, 200)


# Log hazard 1.5 a standard deviation: the true risk has C = .80 to .85; C of 200 fresh patients has a standard error of
# about .02, so .65 lies five below what models of 80 patients reach.
@pytest.mark.parametrize("name", NAMES)
def test_every_model_learns_that_higher_risk_means_an_earlier_event(name: str) -> None:
    fresh, outcome = survivors(1, n=200)
    assert concordance_index(outcome["time"], outcome["event"], FITTED[name].predict(fresh)).value > 0.65


# Mean of 6 C indices of 100 fresh patients (about 60 events) each: standard error .04 / sqrt(6) = .016 (Kendall's null
# variance gives .034 without censoring); a correct program leaves .5 by more than .06 in .02% of choices of seeds.
@pytest.mark.parametrize("name", NAMES)
def test_noise_scores_half(name: str) -> None:
    values = []
    for seed in range(6):
        fitted = _chain(name, folds=2).fit(*survivors(100 + seed, n=40, effect=0))
        fresh, outcome = survivors(200 + seed, n=100, effect=0)
        values.append(concordance_index(outcome["time"], outcome["event"], fitted.predict(fresh)).value)
    assert abs(np.mean(values) - 0.5) < 0.06


@pytest.mark.parametrize("name", NAMES)
def test_the_inner_c_is_harrells_of_the_out_of_fold_risks(name: str) -> None:
    fitted = FITTED[name]
    of_folds = []
    for fold in range(3):
        rows = fitted.fold_.index[fitted.fold_ == fold]
        of_folds.append(concordance_index(Y.loc[rows, "time"], Y.loc[rows, "event"], fitted.out_of_fold_[rows]).value)
    assert fitted.inner_c_ == pytest.approx(np.mean(of_folds), abs=1e-12)
    assert fitted.inner_c_ == fitted.cv_results_["mean_c"].max()


def test_cut_offs_are_those_of_the_out_of_fold_risks() -> None:
    fitted, at = FITTED["cox"], float(Y["time"][Y["event"]].median())
    risk, rows = fitted.out_of_fold_, Y.loc[fitted.out_of_fold_.index]
    assert fitted.cutoffs_["median"] == median_cutoff(risk)
    assert fitted.cutoffs_["youden"] == survival_youden_cutoff(rows["time"], rows["event"], risk, at)
    assert fitted.cutoffs_["median"].value != median_cutoff(fitted.predict(X)).value


def test_a_time_of_the_cut_off_may_be_given_and_an_impossible_one_is_noted() -> None:
    assert _chain(at=0.5).fit(X, Y).cutoffs_["youden"].at == 0.5
    late = _chain(at=99.0).fit(X, Y)
    assert late.cutoffs_["youden"] is None
    assert "no Youden cut-off: A Youden cut-off at 99 needs" in late.note_


def test_cox_equals_our_own_regression_after_r() -> None:
    scaled = dict(FITTED["cox"].steps_)["z-score"].transform(X)
    ours = cox_regression(Y["time"], Y["event"], scaled)
    theirs = FITTED["cox"].classifier_.coef_
    np.testing.assert_allclose(theirs, [term.coefficient for term in ours.terms], atol=1e-4)


def test_a_weak_elastic_net_comes_near_plain_cox() -> None:
    scaled = dict(FITTED["cox"].steps_)["z-score"].transform(X).to_numpy()
    weak = Coxnet(strength=1e-4).fit(scaled, OUTCOME)
    plain = RidgeCox().fit(scaled, OUTCOME)
    np.testing.assert_allclose(weak.coef_, plain.coef_, atol=0.02)


def test_a_strong_elastic_net_keeps_few_features() -> None:
    scaled = dict(FITTED["cox"].steps_)["z-score"].transform(X).to_numpy()
    counts = [np.count_nonzero(Coxnet(strength=s, l1_ratio=1.0).fit(scaled, OUTCOME).coef_) for s in (0.9, 1e-4)]
    assert counts == [1, 4]


def test_a_penalty_that_leaves_nothing_is_noted() -> None:
    empty = Coxnet(strength=1 - 1e-12).fit(X.to_numpy(), OUTCOME)
    assert empty.note_ == "the penalty leaves no feature: all risks are equal"
    assert np.unique(empty.predict(X.to_numpy())).tolist() == [0.0]


@pytest.mark.parametrize("name", NAMES)
def test_one_feature_and_a_constant_one_are_enough(name: str) -> None:
    fitted = _chain(name).fit(X[["f0"]].assign(constant=1.0), Y)
    assert fitted.selected_ == ["f0"]
    assert fitted.inner_c_ > 0.6


@pytest.mark.parametrize("name", NAMES)
def test_a_table_that_says_nothing_scores_half(name: str) -> None:
    flat = SurvivalChain([], model=name, grid=QUICK.get(name), folds=3).fit(X[["f0"]] * 0, Y)
    assert flat.inner_c_ == 0.5
    assert np.unique(flat.predict(X[["f0"]] * 0)).size == 1


def _separated() -> pd.DataFrame:
    return pd.DataFrame({"event": True, "time": (-X["f0"]).rank()}, index=X.index)


def test_separation_brings_a_ridge_and_it_is_said() -> None:
    fitted = _chain().fit(X, _separated())
    assert "cox: ridge penalty 1, since the plain fit has no maximum" in fitted.note_
    assert fitted.inner_c_ > 0.95
    assert np.isfinite(fitted.classifier_.coef_).all()


def test_equal_columns_bring_a_ridge_that_shares_the_effect() -> None:
    twins = X[["f0"]].assign(twin=X["f0"])
    fitted = _chain().fit(twins, Y)
    assert "repeat each other" in fitted.note_
    assert fitted.classifier_.coef_[0] == pytest.approx(fitted.classifier_.coef_[1], rel=1e-6)


def test_a_plain_fit_has_no_note() -> None:
    assert FITTED["cox"].note_ == ""
    assert FITTED["cox"].classifier_.alpha_ == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_rows_changes_no_bit(name: str) -> None:
    again = clone(FITTED[name]).fit(X[::-1], Y)
    assert again.predict(X).tolist() == FITTED[name].predict(X).tolist()
    assert again.out_of_fold_.equals(FITTED[name].out_of_fold_)


def test_an_array_of_event_and_time_is_the_same_outcome() -> None:
    assert _chain().fit(X, OUTCOME).predict(X).tolist() == FITTED["cox"].predict(X).tolist()


def test_models_fitted_together_are_those_fitted_alone() -> None:
    together = fit_together({name: _chain(name) for name in NAMES}, X, Y)
    for name in NAMES:
        assert together[name].predict(X).tolist() == FITTED[name].predict(X).tolist()
        assert together[name].fit_log_ == FITTED[name].fit_log_
    assert together[choose(together)].inner_c_ == max(chain.inner_c_ for chain in FITTED.values())


def test_groups_stay_together() -> None:
    groups = pd.Series(np.arange(80) // 2, index=X.index)
    assert (_chain().fit(X, Y, groups).fold_.groupby(groups).nunique() == 1).all()


def test_everybody_may_have_the_event() -> None:
    assert _chain().fit(X, Y.assign(event=True)).inner_c_ > 0.6


def test_one_patient_without_the_event_is_no_stratum() -> None:
    assert _chain().fit(X, Y.assign(event=np.arange(80) > 0)).inner_c_ > 0.6


def test_a_marker_in_a_validation_patient_moves_no_other_risk_of_its_fold() -> None:
    before = _chain("coxnet", grid={"strength": [0.1]}).fit(X, Y)
    patients = before.fold_.index[before.fold_ == 1]
    marked = X.copy()
    marked.loc[patients[0]] = 1e3
    after = _chain("coxnet", grid={"strength": [0.1]}).fit(marked, Y)
    assert after.out_of_fold_[patients[1:]].equals(before.out_of_fold_[patients[1:]])
    assert after.out_of_fold_[patients[0]] != before.out_of_fold_[patients[0]]


def test_the_log_holds_each_folds_training_patients() -> None:
    for record in FITTED["cox"].fit_log_:
        if record.fold != "final":
            assert set(record.rows) == set(X.index[FITTED["cox"].fold_[X.index] != record.fold])


@pytest.mark.parametrize("kind", ["random", "bayes"])
def test_other_searches_tune_survival_too(kind: str) -> None:
    fitted = _chain("coxnet", search=Search(kind=kind, n_trials=4)).fit(X, Y)
    assert len(fitted.cv_results_) == 4
    assert fitted.best_params_["strength"] in fitted.cv_results_["strength"].to_numpy()


def test_importances_are_sizes_of_coefficients_and_the_forest_has_none() -> None:
    assert FITTED["cox"].feature_importances_.idxmax() == "f0"
    assert FITTED["random_survival_forest"].feature_importances_ is None


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"y": Y["time"]}, "has the fields event and time; got none"),
        ({"y": Y.rename(columns={"event": "dead"})}, "has the fields event and time; got dead, time"),
        ({"y": Y.assign(event=False)}, "There is no event in 80 training patients"),
        ({"y": Y.assign(event=np.arange(80) < 2)}, "as many events as folds; there are 2: set folds to at most 2"),
        ({"y": Y.assign(time=Y["time"] - Y["time"].min())}, "A time is 0: survival models need times above 0"),
        ({"y": Y.assign(time=-Y["time"])}, "A time is negative"),
        ({"y": Y.iloc[:70]}, "10 are missing"),
        ({"model": "coxnett"}, "Unknown survival model 'coxnett': did you mean 'coxnet'"),
        ({"model": "coxnet", "grid": {"strength": [2.0]}}, r"A strength lies above 0 and below 1; got 2"),
    ],
)
def test_what_cannot_be_fitted_is_refused(change: dict[str, Any], match: str) -> None:
    settings = {key: value for key, value in change.items() if key != "y"}
    with pytest.raises(ValueError, match=match):
        _chain(**{"name": settings.pop("model", "cox"), **settings}).fit(X, change.get("y", Y))


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_library_is_named_with_its_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sksurv", "sksurv.ensemble", "sksurv.linear_model"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"needs 'sksurv'.*glottis\[survival\]"):
        _chain(name).fit(X, Y)


def test_a_ridge_that_does_not_help_is_an_error() -> None:
    huge = np.column_stack([X["f0"] * 1e200, X["f1"]])
    with pytest.raises(ValueError, match="fails even with a ridge penalty of 1"):
        RidgeCox().fit(huge, OUTCOME)
