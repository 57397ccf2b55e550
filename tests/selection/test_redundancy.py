from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from glottis.selection import SpearmanFilter

RNG = np.random.default_rng(7)


def _table(n_patients: int = 30, n_features: int = 25) -> pd.DataFrame:
    hidden = RNG.standard_normal((n_patients, 4))
    values = hidden @ RNG.standard_normal((4, n_features)) + 0.2 * RNG.standard_normal((n_patients, n_features))
    return pd.DataFrame(values.round(1), columns=[f"f{i}" for i in range(n_features)])


def _slow_greedy(X: pd.DataFrame, threshold: float) -> dict[str, str]:
    kept: list[str] = []
    dropped = {}
    for name in X.columns:
        twin = next((other for other in kept if abs(stats.spearmanr(X[name], X[other])[0]) > threshold), None)
        if twin is None:
            kept.append(name)
        else:
            dropped[name] = twin
    return dropped


@pytest.mark.parametrize("threshold", [0.3, 0.7, 0.9])
def test_the_filter_agrees_with_the_slow_and_obvious_one(threshold: float) -> None:
    X = _table()
    assert SpearmanFilter(threshold).fit(X).dropped_ == _slow_greedy(X, threshold)


def test_a_table_wider_than_one_block_agrees_with_scipy() -> None:
    X = _table(20, 600)
    rho = np.abs(stats.spearmanr(X.to_numpy()).statistic)
    kept = [int(name[1:]) for name in SpearmanFilter(0.8).fit(X).names_kept_]
    pairs = rho[np.ix_(kept, kept)] - np.eye(len(kept))
    assert pairs.max() <= 0.8 + 1e-12


def test_of_a_pair_the_stronger_one_stays_on_request() -> None:
    y = np.arange(40) % 2
    strong = y + 0.3 * RNG.standard_normal(40)
    X = pd.DataFrame({"weak": strong + 0.1 * RNG.standard_normal(40), "strong": strong})
    rho = [abs(stats.spearmanr(X[name], y)[0]) for name in X]
    better = X.columns[int(np.argmax(rho))]
    assert SpearmanFilter(0.8, keep="univariate").fit(X, y).names_kept_ == [better]
    assert SpearmanFilter(0.8).fit(X).dropped_ == {"strong": "weak"}


def test_the_stronger_one_needs_an_outcome() -> None:
    with pytest.raises(ValueError, match="needs the outcome"):
        SpearmanFilter(keep="univariate").fit(_table())


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(30)))
def test_the_order_of_patients_changes_nothing(order: list[int]) -> None:
    X = pd.DataFrame(np.sin(np.outer(np.arange(30), np.arange(1, 9)) ** 1.5), columns=list("abcdefgh"))
    assert SpearmanFilter(0.2).fit(X.iloc[order]).dropped_ == SpearmanFilter(0.2).fit(X).dropped_


@pytest.mark.parametrize(("setting", "match"), [({"keep": "best"}, "'best' is not known"), ({"threshold": 2}, "got 2")])
def test_unknown_settings_are_refused(setting: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        SpearmanFilter(**setting).fit(_table())
