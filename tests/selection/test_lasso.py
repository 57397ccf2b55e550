from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso, LassoCV
from sklearn.model_selection import StratifiedKFold

from glottis.selection import LassoSelector
from glottis.selection._folds import splits


def _table(n: int = 60, p: int = 40, strength: float = 1.5) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(11)
    values = rng.standard_normal((n, p))
    y = (strength * (values[:, 0] - values[:, 1]) + rng.logistic(size=n) > 0).astype(int)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    return pd.DataFrame(values, columns=[f"f{i}" for i in range(p)]), y


def test_penalty_and_coefficients_are_those_of_scikit_learn() -> None:
    X, y = _table()
    ours = LassoSelector(random_state=3).fit(X, y)
    folds = list(StratifiedKFold(5, shuffle=True, random_state=3).split(X, y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # its path is not cut off where the error has risen
        theirs = LassoCV(alphas=ours.path_["alpha"].to_numpy(), cv=folds, tol=1e-4, max_iter=10_000).fit(X, y)
    assert ours.alpha_ == pytest.approx(theirs.alpha_)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, atol=1e-4)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-2)


def test_the_informative_features_stay() -> None:
    X, y = _table(strength=4.0)
    assert {"f0", "f1"} <= set(LassoSelector().fit(X, y).names_kept_)


def test_one_standard_error_keeps_fewer_features() -> None:
    X, y = _table()
    lowest, sparse = LassoSelector().fit(X, y), LassoSelector(rule="1se").fit(X, y)
    assert sparse.alpha_ > lowest.alpha_
    assert len(sparse.names_kept_) < len(lowest.names_kept_)
    row = sparse.path_.set_index("alpha").loc[sparse.alpha_]
    minimum = lowest.path_.loc[lowest.path_["mse"].idxmin()]
    assert row["mse"] <= minimum["mse"] + minimum["se"]


def test_the_path_ends_only_after_its_minimum() -> None:
    X, y = _table()
    path = LassoSelector().fit(X, y).path_
    assert path["mse"].idxmin() < len(path) - 1 < 99
    assert path["mse"].iloc[-1] > path["mse"].min() + path["se"].iloc[path["mse"].idxmin()]


def test_noise_alone_falls_back_to_the_first_feature_and_says_so() -> None:
    X, _ = _table()
    y = np.random.default_rng(2).permutation(np.arange(60) % 2)
    fitted = LassoSelector(rule="1se").fit(X, y)
    assert len(fitted.names_kept_) == 1
    assert fitted.note_ == "cross-validation keeps no feature: took the 1 feature first on the path"


def test_few_events_reduce_the_folds_and_it_is_said() -> None:
    X, _ = _table()
    fitted = LassoSelector().fit(X, (np.arange(60) < 3).astype(int))
    assert fitted.mse_path_.shape[1] == 3
    assert "in 3 folds instead of 5" in fitted.note_


def test_groups_stay_together_in_a_fold() -> None:
    _, y = _table()
    groups = np.repeat(np.arange(20), 3)
    for train, test in splits(y, groups, 5, 0, classes=True):
        assert not set(groups[train]) & set(groups[test])


def test_groups_of_a_measured_outcome_stay_together_too() -> None:
    X, _ = _table()
    y = (X["f0"] + np.random.default_rng(1).standard_normal(60)).to_numpy()
    groups = np.repeat(np.arange(20), 3)
    for train, test in splits(y, groups, 5, 0, classes=False):
        assert not set(groups[train]) & set(groups[test])
    assert LassoSelector().fit(X, y, groups).mse_path_[0].tolist() != LassoSelector().fit(X, y).mse_path_[0].tolist()


def test_fits_that_stop_early_are_said_and_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glottis.selection.lasso.MAX_ITERATIONS", 1)
    X, y = _table()
    correlated = X + 5 * X[["f0"]].to_numpy()
    fitted = LassoSelector().fit(correlated, y)
    assert not fitted.path_["converged"].all()


@pytest.mark.parametrize("rule", ["min", "1se"])
@pytest.mark.parametrize(("n", "p"), [(60, 40), (50, 200)])
def test_the_tuned_copy_has_the_same_coefficients_without_folds(rule: str, n: int, p: int) -> None:
    X, y = _table(n, p)
    tuned = LassoSelector(rule=rule).fit(X, y)
    copy = tuned.as_tuned()
    assert (copy.alpha, hasattr(copy, "support_")) == (tuned.alpha_, False)
    assert copy.fit(X, y).coef_.tolist() == tuned.coef_.tolist()
    assert copy.path_["mse"].isna().all()
    assert copy.path_["alpha"].iloc[-1] == tuned.alpha_


def test_a_fixed_penalty_is_that_of_scikit_learn() -> None:
    X, y = _table()
    theirs = Lasso(0.07, tol=1e-10).fit(X, y)
    ours = LassoSelector(alpha=0.07).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=2e-3)
    assert ours.names_kept_ == X.columns[theirs.coef_ != 0].tolist()


def test_a_fixed_penalty_on_another_outcome_may_keep_nothing_and_falls_back() -> None:
    X, y = _table()
    fitted = LassoSelector(alpha=2.0).fit(X, np.random.default_rng(2).permutation(y))
    assert len(fitted.names_kept_) == 1
    assert fitted.note_ == "the penalty 2 keeps no feature: took the 1 feature first on the path"


def test_the_copy_of_a_fall_back_takes_the_same_feature() -> None:
    X, _ = _table()
    y = np.random.default_rng(2).permutation(np.arange(60) % 2)
    tuned = LassoSelector(rule="1se").fit(X, y)
    assert tuned.as_tuned().fit(X, y).names_kept_ == tuned.names_kept_


@pytest.mark.parametrize(
    ("settings", "y", "match"),
    [
        ({"rule": "best"}, np.arange(60) % 2, "'best' is not known"),
        ({"alpha": 0.0}, np.arange(60) % 2, "alpha=0.0"),
        ({"n_alphas": 1}, np.arange(60) % 2, "n_alphas=1"),
        ({}, np.zeros(60), "one value in 60 rows"),
        ({}, (np.arange(60) < 1).astype(int), "got 1 in the smaller class"),
    ],
)
def test_what_cannot_be_fitted_is_refused(settings: dict[str, object], y: np.ndarray, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        LassoSelector(**settings).fit(_table()[0], y)
