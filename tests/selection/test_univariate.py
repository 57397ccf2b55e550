from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from glottis.evaluation import benjamini_hochberg, holm
from glottis.selection import UnivariateFilter

RNG = np.random.default_rng(13)
Y = np.repeat(["no", "yes"], 40)
X = pd.DataFrame(RNG.standard_normal((80, 30)), columns=[f"f{i}" for i in range(30)])
X["f3"] += 1.5 * (Y == "yes")
X["f7"] -= 0.6 * (Y == "yes")
SURVIVAL = np.array(
    [(i % 3 > 0, t) for i, t in enumerate(RNG.exponential(np.exp(-X["f3"])))], dtype=[("event", bool), ("time", float)]
)


def test_features_below_the_level_stay() -> None:
    fitted = UnivariateFilter().fit(X, Y)
    expected = stats.ttest_ind(X[Y == "no"], X[Y == "yes"])
    np.testing.assert_allclose(fitted.p_, expected.pvalue, rtol=1e-10)
    np.testing.assert_allclose(fitted.statistic_, expected.statistic, rtol=1e-10)
    assert fitted.names_kept_ == X.columns[expected.pvalue < 0.05].tolist()
    assert fitted.note_ == ""


@pytest.mark.parametrize(("name", "function"), [("benjamini_hochberg", benjamini_hochberg), ("holm", holm)])
def test_adjusted_p_values_decide_on_request(name: str, function: object) -> None:
    fitted = UnivariateFilter("welch", adjust=name).fit(X, Y)
    np.testing.assert_array_equal(fitted.p_adjusted_, function(fitted.p_))
    assert fitted.names_kept_ == X.columns[fitted.p_adjusted_ < 0.05].tolist()
    assert {"f3"} <= set(fitted.names_kept_) < set(UnivariateFilter("welch").fit(X, Y).names_kept_)


def test_the_smallest_p_stays_where_none_passes_and_it_is_said() -> None:
    fitted = UnivariateFilter("mann-whitney", p=1e-12, adjust="holm").fit(X, Y)
    assert fitted.names_kept_ == ["f3"]
    assert fitted.note_.startswith("no feature has p (holm) below 1e-12: took f3 with the smallest, p = ")


def test_a_constant_feature_goes_and_it_is_said() -> None:
    fitted = UnivariateFilter().fit(X.assign(flat=1.0), Y)
    assert "flat" not in fitted.names_kept_
    assert fitted.note_ == "1 of 31 features have no p value and went"


@pytest.mark.parametrize("test", ["cox", "cox-score"])
def test_survival_comes_as_the_array_of_scikit_survival(test: str) -> None:
    fitted = UnivariateFilter(test, adjust="holm").fit(X, SURVIVAL)
    assert fitted.names_kept_ == ["f3"]


def test_higher_values_that_bring_the_event_earlier_have_a_positive_z() -> None:
    assert UnivariateFilter("cox").fit(X, SURVIVAL).statistic_[3] > 3


def test_three_classes_are_compared_by_analysis_of_variance() -> None:
    fitted = UnivariateFilter("anova").fit(X.assign(f5=np.arange(80) % 3 + X["f5"] / 3), np.arange(80) % 3)
    assert fitted.p_[5] < 1e-10


@pytest.mark.parametrize("test", ["t", "welch", "mann-whitney", "anova", "cox", "cox-score"])
def test_2600_features_take_well_under_a_second(test: str) -> None:
    values, y = RNG.standard_normal((213, 2600)), np.arange(213) % 2
    outcome = np.zeros(213, dtype=SURVIVAL.dtype)
    outcome["event"], outcome["time"] = y, RNG.exponential(size=213)
    start = time.process_time()
    UnivariateFilter(test, adjust="benjamini_hochberg").fit(values, outcome if test.startswith("cox") else y)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("setting", "y", "match"),
    [
        ({"test": "z"}, Y, "test='z' is not known"),
        ({"adjust": "bonferroni"}, Y, "adjust='bonferroni' is not known"),
        ({"p": 0}, Y, "got 0: the usual value is 0.05"),
        ({"test": "t"}, np.arange(80) % 3, "got 3: use 'anova'"),
        ({"test": "cox"}, Y, "fields event and time"),
        ({"test": "cox"}, SURVIVAL[:79], r"one row a patient \(79\)"),
    ],
)
def test_what_cannot_be_tested_is_refused(setting: dict[str, object], y: np.ndarray, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        UnivariateFilter(**setting).fit(X, y)


def test_a_table_without_variation_is_refused() -> None:
    with pytest.raises(ValueError, match="None of the 1 features has a p value by 't'"):
        UnivariateFilter().fit(X[["f1"]] * 0, Y)
