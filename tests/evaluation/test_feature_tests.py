from __future__ import annotations

import numpy as np
import pytest

from glottis.evaluation.feature_tests import FEATURE_TESTS, compare_features
from glottis.evaluation.group_tests import compare_values

RNG = np.random.default_rng(21)
VALUES = RNG.standard_normal((70, 12)) * np.arange(1, 13)
VALUES[:, 3:6] = VALUES[:, 3:6].round()  # ties
SMALL = slice(0, 44)  # below 50 a class: Mann-Whitney is exact where there are no ties


@pytest.mark.parametrize("rows", [SMALL, slice(0, 70)], ids=["exact", "large"])
@pytest.mark.parametrize("test", FEATURE_TESTS)
def test_every_feature_has_the_numbers_of_the_test_of_one(test: str, rows: slice) -> None:
    values, codes = VALUES[rows], (np.arange(70) % 7 > 0).astype(int)[rows]
    found = compare_features(values, codes, test)
    alone = [compare_values([column[codes == 0], column[codes == 1]], test=test) for column in values.T]
    np.testing.assert_allclose(found.statistic, [one.statistic for one in alone], rtol=1e-12)
    np.testing.assert_allclose(found.p_value, [one.p_value for one in alone], rtol=1e-10)


def test_analysis_of_variance_takes_three_classes() -> None:
    codes = np.arange(70) % 3
    found = compare_features(VALUES, codes, "anova")
    alone = [compare_values([column[codes == k] for k in range(3)], test="anova") for column in VALUES.T]
    np.testing.assert_allclose(found.p_value, [one.p_value for one in alone], rtol=1e-10)


@pytest.mark.parametrize("test", FEATURE_TESTS)
def test_a_constant_feature_has_no_p(test: str) -> None:
    values = np.column_stack([np.full(70, 0.1), VALUES[:, 0]])
    assert np.isnan(compare_features(values, np.arange(70) % 2, test).p_value).tolist() == [True, False]


@pytest.mark.parametrize("test", ["t", "welch", "anova"])
def test_classes_that_differ_without_any_spread_have_p_0(test: str) -> None:
    codes = np.arange(70) % 2
    assert compare_features(codes[:, None] * 2.0, codes, test).p_value.tolist() == [0.0]


@pytest.mark.parametrize(
    ("test", "codes", "match"),
    [
        ("z", np.arange(70) % 2, "Unknown test 'z'"),
        ("t", np.arange(70) % 3, "got 3: use 'anova'"),
        ("t", np.arange(70) // 69, r"got classes of \[69, 1\] rows"),
        ("anova", np.zeros(70, dtype=int), r"got classes of \[70\] rows"),
    ],
)
def test_what_cannot_be_tested_is_refused(test: str, codes: np.ndarray, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        compare_features(VALUES, codes, test)
