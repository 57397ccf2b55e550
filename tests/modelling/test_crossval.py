from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.metrics import roc_auc_score

from glottis.evaluation import youden_threshold
from glottis.modelling import CLASSIFIERS, TunedChain
from glottis.selection import ICCFilter, RFESelector, VarianceFilter, radiomics_chain

RNG = np.random.default_rng(21)
PATIENTS = pd.Index([f"P{i:02d}" for i in range(45)], name="patient")
X = pd.DataFrame(RNG.standard_normal((45, 10)), index=PATIENTS, columns=[f"f{i}" for i in range(10)])
Y = pd.Series((X["f0"] + 0.5 * RNG.logistic(size=45) > 0).astype(int), index=PATIENTS)
GRID = {"n_estimators": [8], "max_depth": [1, 3]}


def _chain(**settings: Any) -> TunedChain:
    return TunedChain(
        [("variance", VarianceFilter()), ("rfe", RFESelector(4))], **{"grid": GRID, "folds": 3} | settings
    )


FITTED = _chain().fit(X, Y)


def test_the_default_forest_is_that_of_the_study() -> None:
    spec = CLASSIFIERS["random_forest"]
    assert spec.make(0).n_estimators == 200
    assert spec.grid == {"max_depth": (3, 6, None), "min_samples_leaf": (1, 5)}
    assert spec.make(0).n_jobs == 1


def test_the_grid_point_with_the_highest_mean_auc_wins() -> None:
    table = FITTED.cv_results_
    assert FITTED.best_params_ == {"max_depth": table.loc[table["mean_auc"].idxmax(), "max_depth"], "n_estimators": 8}
    np.testing.assert_allclose(table["mean_auc"], table[["auc_0", "auc_1", "auc_2"]].mean(axis=1))


def test_the_fold_aucs_are_those_of_the_out_of_fold_scores() -> None:
    best = FITTED.cv_results_.loc[FITTED.cv_results_["mean_auc"].idxmax()]
    for fold in range(3):
        rows = FITTED.fold_ == fold
        assert best[f"auc_{fold}"] == pytest.approx(roc_auc_score(Y[rows], FITTED.out_of_fold_raw_[rows]))


def test_equal_grid_points_give_the_first() -> None:
    twins = _chain(grid={"n_estimators": [8], "max_depth": [3], "min_samples_leaf": [2, 2]}).fit(X, Y)
    assert twins.cv_results_["mean_auc"].nunique() == 1
    best_of_unknown = _chain(grid={"n_estimators": [8], "max_depth": [None, 40]}).fit(X, Y)
    assert best_of_unknown.best_params_["max_depth"] is None


def test_the_threshold_is_youdens_on_the_out_of_fold_scores() -> None:
    assert FITTED.threshold_ == youden_threshold(Y, FITTED.out_of_fold_).value
    np.testing.assert_array_equal(FITTED.predict(X), (FITTED.predict_proba(X)[:, 1] >= FITTED.threshold_).astype(int))


def test_out_of_fold_scores_are_those_of_a_chain_fitted_by_hand() -> None:
    held_out = FITTED.fold_ == 1
    view, rest = X[~held_out], X[held_out]
    for _, step in _chain().steps:
        fitted = clone(step).fit(view, Y[view.index])
        view, rest = fitted.transform(view), fitted.transform(rest)
    forest = CLASSIFIERS["random_forest"].make(0).set_params(**FITTED.best_params_).fit(view, Y[view.index])
    np.testing.assert_array_equal(forest.predict_proba(rest)[:, 1], FITTED.out_of_fold_raw_[held_out])


def test_recalibration_changes_no_order_of_patients() -> None:
    raw = _chain(recalibrate=False).fit(X, Y)
    assert raw.recalibration_ is None
    assert FITTED.recalibration_ is not None
    pd.testing.assert_series_equal(FITTED.out_of_fold_raw_.rank(), FITTED.out_of_fold_.rank())
    np.testing.assert_array_equal(raw.predict_proba(X)[:, 1].argsort(), FITTED.predict_proba(X)[:, 1].argsort())


def test_a_patient_alone_gets_the_score_it_gets_among_others() -> None:
    batch = FITTED.predict_proba(X)
    for number in range(len(X)):
        assert FITTED.predict_proba(X.iloc[[number]])[0].tolist() == batch[number].tolist()


def test_the_names_after_each_step_are_kept() -> None:
    assert len(FITTED.kept_["variance"]) == 10
    assert FITTED.kept_["rfe"] == FITTED.selected_ == list(FITTED.feature_importances_.index)


def test_two_words_are_an_outcome_too() -> None:
    words = Y.map({0: "I-II", 1: "III-IV"})
    named = _chain().fit(X, words)
    assert named.classes_.tolist() == ["I-II", "III-IV"]
    np.testing.assert_array_equal(named.predict_proba(X), FITTED.predict_proba(X))
    assert set(named.predict(X)) <= {"I-II", "III-IV"}


def test_a_group_never_lies_on_both_sides_of_a_fold() -> None:
    groups = pd.Series(np.arange(45) // 3, index=PATIENTS)
    fitted = _chain().fit(X, Y, groups)
    assert (fitted.fold_.groupby(groups).nunique() == 1).all()


def test_a_series_is_matched_by_its_labels() -> None:
    np.testing.assert_array_equal(_chain().fit(X, Y.iloc[::-1]).predict_proba(X), FITTED.predict_proba(X))


def test_columns_may_come_in_any_order_later() -> None:
    np.testing.assert_array_equal(FITTED.predict_proba(X[X.columns[::-1]]), FITTED.predict_proba(X))


def test_a_hole_in_a_feature_that_is_not_used_does_not_matter() -> None:
    unused = next(name for name in X if name not in FITTED.selected_)
    holed = X.assign(**{unused: np.nan})
    np.testing.assert_array_equal(FITTED.predict_proba(holed), FITTED.predict_proba(X))


def test_a_hole_in_a_feature_that_is_used_names_patient_and_feature() -> None:
    used = FITTED.selected_[0]
    holed = X.copy()
    holed.loc["P07", used] = np.inf
    with pytest.raises(ValueError, match=f"Feature '{used}' of 'P07' is not finite"):
        FITTED.predict_proba(holed)


def test_a_missing_feature_is_named() -> None:
    with pytest.raises(ValueError, match="1 features of the training table are missing, for example 'f3'"):
        FITTED.predict_proba(X.drop(columns="f3"))


def test_it_can_be_cloned_and_fitted_anew() -> None:
    again = clone(FITTED).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), FITTED.predict_proba(X))


def test_notes_of_the_steps_are_handed_on() -> None:
    wide = TunedChain([("rfe", RFESelector(50))], grid=GRID, folds=3).fit(X, Y)
    assert wide.note_.startswith("rfe: 10 features came in, fewer than 50")


@pytest.mark.filterwarnings("error")
def test_seven_events_are_enough_for_the_whole_chain() -> None:
    rare = pd.Series((np.arange(45) % 6 == 0).astype(int), index=PATIENTS)
    fitted = TunedChain(radiomics_chain(ICCFilter({"intra": X.iloc[:20]}), n_features=3), grid=GRID).fit(X, rare)
    assert fitted.out_of_fold_.notna().all()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"y": Y * 0}, r"got 1 \(0\)"),
        ({"y": Y + (np.arange(45) % 3 == 0)}, "got 3"),
        ({"y": (np.arange(45) < 2).astype(int)}, "the smaller class has 2: set folds to at most 2"),
        ({"y": np.ones(3)}, r"one entry a row \(45\)"),
        ({"y": Y.iloc[:40]}, "5 are missing"),
        ({"X": X.iloc[[0, *range(44)]]}, "'P00' occurs twice"),
        ({"groups": np.where(Y == 1, "a", "b")}, "as many groups of each class as folds; the smaller class has 1"),
        ({"classifier": "random_forrest"}, "did you mean 'random_forest'"),
    ],
)
def test_what_cannot_be_fitted_is_refused(change: dict[str, Any], match: str) -> None:
    settings = {key: value for key, value in change.items() if key == "classifier"}
    with pytest.raises(ValueError, match=match):
        _chain(**settings).fit(change.get("X", X), change.get("y", Y), change.get("groups"))


def test_an_array_without_patients_is_refused() -> None:
    with pytest.raises(TypeError, match="indexed by patient"):
        _chain().fit(X.to_numpy(), Y.to_numpy())


class _Witness(TransformerMixin, BaseEstimator):
    """Passes a table through and remembers, outside itself, the rows that it was fitted on."""

    seen: list[tuple[str, ...]] = []  # noqa: RUF012  clones must share it

    def fit(self, X: pd.DataFrame, y: Any = None) -> _Witness:
        self.seen.append(tuple(X.index))
        self.names_ = list(X.columns)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X

    def get_feature_names_out(self, names: Any = None) -> list[str]:
        return self.names_


def test_the_log_tells_what_the_fits_saw() -> None:
    _Witness.seen.clear()
    fitted = TunedChain([("witness", _Witness())], grid=GRID, folds=3).fit(X, Y)
    logged = [record.rows for record in fitted.fit_log_ if record.step == "witness"]
    assert logged == _Witness.seen
    assert len(logged) == 4


def test_a_forest_that_no_depth_limit_binds_is_not_grown_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = {"n_estimators": [8], "max_depth": [2, 12, None], "min_samples_leaf": [1, 5]}
    short = _chain(grid=grid).fit(X, Y)
    spec = replace(CLASSIFIERS["random_forest"], same=lambda fitted, parameters: False)
    monkeypatch.setitem(CLASSIFIERS, "random_forest", spec)
    long = _chain(grid=grid).fit(X, Y)
    pd.testing.assert_frame_equal(short.cv_results_, long.cv_results_)
    pd.testing.assert_series_equal(short.out_of_fold_, long.out_of_fold_)
    assert len(short.fit_log_) < len(long.fit_log_)
