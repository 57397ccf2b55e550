from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from modelling_cohorts import Tuned, cohort, steps, survivors
from sklearn.base import clone

from glottis.evaluation import roc_auc
from glottis.modelling import Search, SurvivalChain, TunedChain, choose, fit_together
from glottis.selection import ICCFilter, radiomics_chain

X, Y = cohort(n=48)
GROUPS = pd.Series(np.arange(48) // 2, index=X.index)
GRIDS: dict[str, Any] = {
    "logistic_regression": None,
    "svm": None,
    "random_forest": {"n_estimators": [10], "max_depth": [2, None]},
    "xgboost": None,
    "lightgbm": None,
}


def _chains(**settings: Any) -> dict[str, TunedChain]:
    given = {"steps": radiomics_chain(ICCFilter({"intra": X.iloc[:20] * 1.01}), lasso_folds=3), "folds": 3} | settings
    return {name: TunedChain(classifier=name, grid=grid, **given) for name, grid in GRIDS.items()}


TOGETHER = fit_together(_chains(), X, Y)
ALONE = {name: chain.fit(X, Y) for name, chain in _chains().items()}


@pytest.mark.parametrize("name", GRIDS)
def test_chains_fitted_together_are_those_fitted_alone_bit_for_bit(name: str) -> None:
    ours, theirs = TOGETHER[name], ALONE[name]
    assert ours.predict_proba(X).tolist() == theirs.predict_proba(X).tolist()
    for what in ("cv_results_", "out_of_fold_", "out_of_fold_raw_", "fold_"):
        assert getattr(ours, what).equals(getattr(theirs, what)), what
    for what in ("best_params_", "threshold_", "inner_auc_", "recalibration_", "fit_log_", "selected_", "note_"):
        assert getattr(ours, what) == getattr(theirs, what), what


def test_groups_and_searches_are_shared_too() -> None:
    search = Search(kind="random", n_trials=2)
    together = fit_together(_chains(search=search), X, Y, GROUPS)
    for name, chain in _chains(search=search).items():
        if GRIDS[name] is None:
            alone = chain.fit(X, Y, GROUPS)
            assert alone.out_of_fold_raw_.equals(together[name].out_of_fold_raw_)
    assert (together["svm"].fold_.groupby(GROUPS).nunique() == 1).all()


def test_the_steps_are_fitted_once_a_fold_for_all() -> None:
    Tuned.fits.clear()
    chains = {name: TunedChain([("tuned", Tuned())], name, folds=3) for name in ("svm", "logistic_regression")}
    fit_together(chains, X, Y)
    assert Tuned.fits == ["tuning"] * 4


@pytest.mark.parametrize(
    ("other", "match"),
    [
        (TunedChain(steps(), folds=4), "Chain 'b' has other folds than the first"),
        (TunedChain(steps(), random_state=1), "has other random_state"),
        (TunedChain(steps()[:1]), "has other steps"),
        (TunedChain([("icc", ICCFilter({"intra": X * 2})), *steps()[1:]]), "has other steps"),
        (SurvivalChain(steps()), "is a SurvivalChain, the first a TunedChain"),
    ],
)
def test_chains_that_share_nothing_are_refused(other: Any, match: str) -> None:
    first = TunedChain([("icc", ICCFilter({"intra": X})), *steps()[1:]] if "icc" in dict(other.steps) else steps())
    with pytest.raises(ValueError, match=match):
        fit_together({"a": first, "b": other}, X, Y)


def test_no_chain_is_refused() -> None:
    with pytest.raises(ValueError, match="There is no chain to fit"):
        fit_together({}, X, Y)
    with pytest.raises(ValueError, match="There is no chain to choose from"):
        choose({})


def test_equal_steps_may_be_other_objects() -> None:
    repeats = X.iloc[:20].copy()
    a = TunedChain([("icc", ICCFilter({"intra": repeats}))], "svm", folds=2)
    b = TunedChain([("icc", ICCFilter({"intra": repeats.copy()}))], "svm", folds=2)
    assert set(fit_together({"a": a, "b": b}, X, Y)) == {"a", "b"}


def test_the_choice_is_the_highest_inner_auc() -> None:
    best = max(chain.inner_auc_ for chain in TOGETHER.values())
    assert TOGETHER[choose(TOGETHER)].inner_auc_ == pytest.approx(best, abs=1e-12)


def test_of_equals_the_first_is_chosen() -> None:
    one = TOGETHER["svm"]
    assert choose({"z": one, "a": one}) == "z"
    assert choose({"a": one, "z": one}) == "a"


def test_the_choice_depends_on_no_held_out_patient() -> None:
    held_out = X.index[::5]
    marked = X.copy()
    marked.loc[held_out] = 1e6 * Y[held_out].to_numpy()[:, None]
    rest = X.index.difference(held_out)
    chains = [fit_together(_chains(), table.loc[rest], Y) for table in (X, marked)]
    assert choose(chains[0]) == choose(chains[1])
    assert [c.inner_auc_ for c in chains[0].values()] == [c.inner_auc_ for c in chains[1].values()]


def test_chains_of_other_patients_are_not_compared() -> None:
    other = TunedChain(steps(), "svm", folds=3).fit(X.iloc[:40], Y)
    with pytest.raises(ValueError, match="Chain 'b' was tuned on other patients or folds than the first"):
        choose({"a": TOGETHER["svm"], "b": other})


def test_a_fixed_chain_is_the_final_fit_without_inner_folds() -> None:
    fixed = ALONE["svm"].as_tuned().fit(X, Y)
    assert {record.fold for record in fixed.fit_log_} == {"final"}
    assert fixed.point == ALONE["svm"].best_params_
    assert fixed.predict_proba(X)[:, 1].tolist() == ALONE["svm"]._raw(X).tolist()


def test_a_fixed_chain_takes_steps_as_they_were_tuned() -> None:
    tuned = TunedChain([("tuned", Tuned())], "svm", folds=3).fit(X, Y)
    Tuned.fits.clear()
    fixed = tuned.as_tuned().fit(X, Y)
    assert Tuned.fits == ["fixed"]
    assert dict(fixed.steps_)["tuned"].size_ == dict(tuned.steps_)["tuned"].size_


def test_a_fixed_chain_may_be_cloned_and_fitted_on_permuted_labels() -> None:
    flipped = 1 - Y
    fixed = clone(ALONE["logistic_regression"].as_tuned()).fit(X, flipped)
    assert roc_auc(flipped, fixed.raw_score(X)).value > 0.8
    assert roc_auc(Y, fixed.raw_score(X)).value < 0.2


def test_a_fixed_chain_needs_no_more_patients_than_its_model() -> None:
    few = pd.Series((np.arange(48) < 2).astype(int), index=X.index)
    assert ALONE["logistic_regression"].as_tuned().fit(X, few).classes_.tolist() == [0, 1]


def test_first_steps_that_were_begun_without_an_outcome_change_nothing() -> None:
    fixed = ALONE["logistic_regression"].as_tuned()
    n_steps = [name for name, _ in fixed.chain.steps].index("lasso")
    begun, other = clone(fixed).begin(X, n_steps), Y.sample(frac=1, random_state=1).set_axis(X.index)
    for outcome in (Y, other):
        whole, rest = clone(fixed).fit(X, outcome), clone(fixed).fit(X, outcome, begun=begun)
        assert rest.raw_score(X).tolist() == whole.raw_score(X).tolist()
        assert (rest.selected_, rest.fit_log_, rest.note_) == (whole.selected_, whole.fit_log_, whole.note_)


def test_a_step_that_needs_the_outcome_cannot_be_begun() -> None:
    with pytest.raises((TypeError, ValueError)):
        clone(ALONE["svm"].as_tuned()).begin(X, 99)


def test_what_was_begun_on_other_rows_or_with_other_steps_is_refused() -> None:
    fixed, other = ALONE["svm"].as_tuned(), TunedChain(radiomics_chain(spearman=0.5), "svm", folds=3).fit(X, Y)
    with pytest.raises(ValueError, match="The 2 steps that were fitted before are of another table or chain"):
        clone(fixed).fit(X.iloc[:40], Y, begun=clone(fixed).begin(X, 2))
    with pytest.raises(ValueError, match="begin again with the rows and the chain of this fit"):
        clone(fixed).fit(X, Y, begun=other.as_tuned().begin(X, 2))


def test_a_survival_chain_can_be_fixed_too() -> None:
    table, outcome = survivors()
    chain = SurvivalChain(steps(), "coxnet", folds=3).fit(table, outcome)
    assert chain.as_tuned().fit(table, outcome).raw_score(table).tolist() == chain.predict(table).tolist()
