from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from glottis.selection import RFESelector

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
