from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV
from sklearn.model_selection import StratifiedKFold

from glottis.selection import LassoSelector


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
    X, y = _table()
    groups = np.repeat(np.arange(20), 3)
    for train, test in LassoSelector()._splits(X.to_numpy(), y.astype(float), groups, 5):
        assert not set(groups[train]) & set(groups[test])


def test_fits_that_stop_early_are_said_and_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glottis.selection.lasso.MAX_ITERATIONS", 1)
    X, y = _table()
    correlated = X + 5 * X[["f0"]].to_numpy()
    fitted = LassoSelector().fit(correlated, y)
    assert not fitted.path_["converged"].all()


@pytest.mark.parametrize(
    ("settings", "y", "match"),
    [
        ({"rule": "best"}, np.arange(60) % 2, "'best' is not known"),
        ({"n_alphas": 1}, np.arange(60) % 2, "n_alphas=1"),
        ({}, np.zeros(60), "one value in 60 rows"),
        ({}, (np.arange(60) < 1).astype(int), "got 1 in the smaller class"),
    ],
)
def test_what_cannot_be_fitted_is_refused(settings: dict[str, object], y: np.ndarray, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        LassoSelector(**settings).fit(_table()[0], y)
