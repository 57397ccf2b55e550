from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import RFE
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.svm import LinearSVC

from glottis.selection import RFESelector
from glottis.selection._folds import splits

RNG = np.random.default_rng(3)
X = pd.DataFrame(RNG.standard_normal((80, 8)), columns=list("abcdefgh"))
Y = (2 * X["a"] - 2 * X["c"] + RNG.logistic(size=80) > 0).astype(int)


def _slow_elimination(n_features: int) -> list[str]:
    names = list(X.columns)
    while len(names) > n_features:
        weights = np.abs(LogisticRegression(max_iter=1000).fit(X[names].to_numpy(), Y).coef_[0])
        names.pop(int(weights.argmin()))
    return names


@pytest.mark.parametrize("n_features", [1, 2, 5])
def test_elimination_agrees_with_the_slow_and_obvious_one(n_features: int) -> None:
    assert RFESelector(n_features).fit(X, Y).names_kept_ == _slow_elimination(n_features)


def test_a_narrow_table_stays_whole_and_it_is_said() -> None:
    fitted = RFESelector(15).fit(X[["a"]], Y)
    assert fitted.names_kept_ == ["a"]
    assert fitted.note_ == "1 feature came in, fewer than 15: nothing to eliminate"


def test_no_feature_left_is_refused() -> None:
    with pytest.raises(ValueError, match="n_features=0"):
        RFESelector(0).fit(X, Y)


def _slow_curve(estimator: Any, y: pd.Series, folds: list[Any]) -> dict[int, float]:
    """scikit-learn's RFE at every size, each refitted; Brier score over p (1 - p), or squared error over variance."""
    found = {}
    for size in range(1, X.shape[1] + 1):
        errors = []
        for train, test in folds:
            search = RFE(estimator, n_features_to_select=size).fit(X.iloc[train], y.iloc[train])
            said = search.predict_proba(X.iloc[test])[:, 1] if y is Y else search.predict(X.iloc[test])
            errors.append(((said - y.iloc[test]) ** 2).mean() / y.var(ddof=0))
        found[size] = float(np.mean(errors))
    return found


def test_the_curve_is_that_of_the_slow_and_obvious_one() -> None:
    folds = list(StratifiedKFold(5, shuffle=True, random_state=2).split(X, Y))
    slow = _slow_curve(LogisticRegression(max_iter=1000), Y, folds)
    fitted = RFESelector("cv", random_state=2).fit(X, Y)
    assert dict(fitted.path_[["n_features", "nmse"]].to_numpy()) == pytest.approx(slow)
    assert fitted.n_features_ == min(slow, key=slow.__getitem__) == len(fitted.names_kept_)


def test_a_regression_is_judged_by_its_squared_error() -> None:
    y = X["a"] + 0.5 * pd.Series(RNG.standard_normal(80))
    groups = np.repeat(np.arange(20), 4)
    slow = _slow_curve(LinearRegression(), y, list(GroupKFold(5, shuffle=True, random_state=0).split(X, y, groups)))
    fitted = RFESelector("cv", LinearRegression()).fit(X, y, groups)
    assert dict(fitted.path_[["n_features", "nmse"]].to_numpy()) == pytest.approx(slow)


def test_noise_is_no_better_than_the_mean_and_signal_is() -> None:
    noise = RFESelector("cv").fit(X, RNG.permutation(Y)).path_["nmse"]
    assert RFESelector("cv").fit(X, Y).path_["nmse"].min() < 0.8 < 0.95 < noise.min()


def test_the_features_behind_the_outcome_are_among_the_chosen_size() -> None:
    assert {"a", "c"} <= set(RFESelector("cv").fit(X, Y).names_kept_)


def test_three_classes_and_calls_without_probabilities_have_a_curve() -> None:
    fitted = RFESelector("cv", LinearSVC(), step=2).fit(X, np.digitize(X["a"], [-0.5, 0.5]))
    assert fitted.path_["n_features"].tolist() == [1, 2, 4, 6, 8]
    assert fitted.path_["nmse"].min() < 1


def test_a_share_of_features_goes_in_the_steps_of_scikit_learn() -> None:
    fitted = RFESelector("cv", step=0.4).fit(X, Y)
    assert fitted.path_["n_features"].tolist() == [1, 2, 5, 8]
    search = RFE(LogisticRegression(max_iter=1000), n_features_to_select=fitted.n_features_, step=0.4).fit(X, Y)
    assert fitted.support_.tolist() == search.support_.tolist()


@pytest.mark.parametrize("selector", [RFESelector("cv", step=2), RFESelector(3), RFESelector(15)])
def test_the_tuned_copy_chooses_the_same_without_folds(selector: RFESelector) -> None:
    tuned = selector.fit(X, Y)
    copy = tuned.as_tuned()
    assert not hasattr(copy, "support_")
    assert copy.n_features == (tuned.n_features_ if tuned.n_features == "cv" else tuned.n_features)
    assert copy.fit(X, Y).names_kept_ == tuned.names_kept_
    assert not hasattr(copy, "path_")


def test_rows_of_a_group_stay_in_one_fold() -> None:
    groups = np.repeat(np.arange(20), 4)
    together, apart = RFESelector("cv").fit(X, Y, groups), RFESelector("cv").fit(X, Y)
    assert together.path_["nmse"].tolist() != apart.path_["nmse"].tolist()
    for train, test in splits(Y.to_numpy(), groups, 5, 0, classes=True):
        assert not set(groups[train]) & set(groups[test])


def test_groups_that_hold_a_class_each_cannot_be_folded() -> None:
    with pytest.raises(ValueError, match="got 0: the groups are too large"):
        RFESelector("cv", folds=2).fit(X, Y, Y)


def test_few_events_reduce_the_folds_and_it_is_said() -> None:
    fitted = RFESelector("cv").fit(X, (np.arange(80) < 3).astype(int))
    assert fitted.note_ == "size chosen in 3 folds instead of 5: 3 in the smaller class"


@pytest.mark.parametrize(
    ("n_features", "y", "match"),
    [("best", Y, "n_features=best"), ("cv", np.arange(80) < 1, "Elimination needs two folds with both classes; got 1")],
)
def test_a_size_that_cannot_be_chosen_is_refused(n_features: str, y: np.ndarray, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        RFESelector(n_features).fit(X, y)
