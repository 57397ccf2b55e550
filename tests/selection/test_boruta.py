from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from glottis._errors import MissingExtraError
from glottis.selection import Boruta

RNG = np.random.default_rng(6)
X = pd.DataFrame(RNG.standard_normal((90, 8)), columns=list("abcdefgh"))
Y = (X["a"] - X["c"] + 0.3 * RNG.logistic(size=90) > 0).astype(int)
NOISE = RNG.permutation(np.arange(90) % 2)
QUICK = {"n_trees": 30, "max_rounds": 20}


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boruta", None)
    with pytest.raises(MissingExtraError, match=r"glottis\[boruta\]"):
        Boruta().fit(X, Y)


class TestWithTheLibrary:
    @pytest.fixture(autouse=True)
    def _library(self) -> None:
        pytest.importorskip("boruta", reason="the extra boruta is not installed")

    def test_the_features_behind_the_outcome_stay(self) -> None:
        assert Boruta(**QUICK).fit(X, Y).names_kept_ == ["a", "c"]

    def test_ranks_are_those_of_the_library(self) -> None:
        from boruta import BorutaPy

        forest = RandomForestClassifier(max_depth=5, class_weight="balanced")
        theirs = BorutaPy(forest, n_estimators=30, max_iter=20, random_state=3).fit(X.to_numpy(), Y.to_numpy())
        assert Boruta(random_state=3, **QUICK).fit(X, Y).ranking_.tolist() == theirs.ranking_.tolist()

    def test_the_seed_decides_everything(self) -> None:
        first, second = (Boruta(random_state=4, **QUICK).fit(X, NOISE) for _ in range(2))
        assert first.ranking_.tolist() == second.ranking_.tolist()

    def test_noise_leaves_the_feature_ranked_highest_and_it_is_said(self) -> None:
        fitted = Boruta(**QUICK).fit(X, NOISE)
        assert len(fitted.names_kept_) == 1
        assert fitted.note_ == f"no feature was confirmed: took {fitted.names_kept_[0]}, ranked highest"

    def test_undecided_features_stay_on_request(self) -> None:
        few = {"n_trees": 30, "max_rounds": 4}
        fitted = Boruta(tentative=True, **few).fit(X, Y)
        assert fitted.tentative_.any()
        assert fitted.support_.tolist() == ((fitted.ranking_ == 1) | fitted.tentative_).tolist()
