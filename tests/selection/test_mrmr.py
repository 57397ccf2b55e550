from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import f_classif

from glottis.selection import MRMR
from stored import reference

STORED = reference("mrmr")["orders"]


def _table(n_classes: int) -> tuple[pd.DataFrame, np.ndarray]:
    """As make_mrmr.py makes it."""
    i, j = np.arange(1, 73)[:, None], np.arange(1, 31)
    y = (np.arange(72) * 5) % 7 % n_classes
    X = np.sin(0.9 * j + 0.37 * i**1.1 * (1 + j % 6)) + 0.4 * y[:, None] / j + 0.3 * np.cos(0.7 * i * j)
    return pd.DataFrame(X, columns=[f"f{k}" for k in range(30)]), y


@pytest.mark.parametrize("n_classes", [2, 3])
def test_features_come_in_the_order_of_mrmr_selection(n_classes: int) -> None:
    assert MRMR(12).fit(*_table(n_classes)).order_ == STORED[str(n_classes)]


def test_the_table_keeps_its_order_of_columns() -> None:
    X, y = _table(2)
    fitted = MRMR(12).fit(X, y)
    assert fitted.transform(X).columns.tolist() == [name for name in X if name in STORED["2"]]


def test_relevance_is_the_f_of_scikit_learn() -> None:
    X, y = _table(3)
    np.testing.assert_allclose(MRMR(1).fit(X, y).relevance_, f_classif(X, y)[0], rtol=1e-10)


def test_a_copy_of_the_best_feature_comes_late() -> None:
    rng = np.random.default_rng(4)
    y = np.arange(60) % 2
    best = y + rng.standard_normal(60)
    X = pd.DataFrame({"best": best, "copy": best + 0.01 * rng.standard_normal(60)})
    X["other"] = y + 1.5 * rng.standard_normal(60)
    assert MRMR(3).fit(X, y).order_[1] == "other"


def test_fewer_features_than_asked_for_all_stay_and_it_is_said() -> None:
    X, y = _table(2)
    fitted = MRMR(15).fit(X[["f0", "f1"]].assign(flat=1.0), y)
    assert fitted.names_kept_ == ["f0", "f1"]
    assert fitted.note_ == "2 features differ between classes, fewer than 15: all stay"


@pytest.mark.parametrize(
    ("n_features", "factor", "match"), [(0, 1, "got n_features=0"), (5, 0, "None of the 30 features differs")]
)
def test_nothing_to_keep_is_refused(n_features: int, factor: float, match: str) -> None:
    X, y = _table(2)
    with pytest.raises(ValueError, match=match):
        MRMR(n_features).fit(X * factor, y)
