from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from glottis.evaluation import hosmer_lemeshow, spiegelhalter
from stored import reference

R = reference("calibration")


@pytest.fixture(scope="module")
def cancer(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and risk of 750 patients (df_binary of dcurves), spoilt as in make_calibration.R."""
    table = pd.read_csv(shared_data / "stats" / "df_binary.csv")
    return table["cancer"].to_numpy(dtype=bool), expit(0.8 * logit(table["cancerpredmarker"].to_numpy()) + 0.4)


@pytest.mark.parametrize(("key", "groups", "held_out"), [("hosmer_10", 10, True), ("hosmer_7_fitted", 7, False)])
def test_hosmer_and_lemeshows_test_is_that_of_r(cancer: tuple, key: str, groups: int, held_out: bool) -> None:
    result, expected = hosmer_lemeshow(*cancer, n_groups=groups, held_out=held_out), R[key]
    assert (result.statistic, result.p_value) == pytest.approx((expected["chi2"], expected["p"]), rel=1e-9)
    assert result.group_n.tolist() == expected["n"]
    assert result.group_observed.tolist() == expected["observed"]
    np.testing.assert_allclose(result.group_expected, expected["expected"], rtol=1e-10)


def test_spiegelhalters_z_is_that_of_val_prob(cancer: tuple) -> None:
    result = spiegelhalter(*cancer)
    assert (result.statistic, result.p_value) == pytest.approx(tuple(R["spiegelhalter"]), rel=1e-9)


def test_both_tests_keep_their_level_under_perfect_calibration() -> None:
    # 800 sets of 300: 5% of p are below .05, standard error .8%
    rng = np.random.default_rng(2)
    p = rng.uniform(0.1, 0.9, (800, 300))
    y = rng.random(p.shape) < p
    for test in (hosmer_lemeshow, spiegelhalter):
        assert 0.025 < np.mean([test(*row).p_value < 0.05 for row in zip(y, p, strict=True)]) < 0.08


def test_tied_scores_stay_in_one_group() -> None:
    result = hosmer_lemeshow([0, 1] * 20, [0.2] * 20 + [0.4] * 10 + [0.7] * 10, n_groups=10)
    assert result.group_n.tolist() == [20, 10, 10]
    json.dumps(result.to_dict(), allow_nan=False)


def test_equal_scores_leave_nothing_to_group() -> None:
    result = hosmer_lemeshow([0, 1] * 20, [0.5] * 40)
    assert (result.statistic, result.p_value) == (None, None)
    assert "ties leave too few groups" in result.note
    assert spiegelhalter([0, 1], [0.5, 0.5]).note == "not estimable: every score is 0, 0.5 or 1"


def test_certainty_that_was_wrong_is_said() -> None:
    score = np.r_[np.zeros(10), np.full(10, 0.4), np.full(10, 0.8)]
    result = hosmer_lemeshow([1, 0] * 15, score, n_groups=3)
    assert result.note == "not estimable: a group was certain and wrong"
    right = hosmer_lemeshow([0] * 10 + [1, 0] * 10, score, n_groups=3)
    assert right.statistic == pytest.approx(2 * (1 / 4 + 1 / 6) / 2 * 2 / 2 + 9 / 8 + 9 / 2)


@pytest.mark.parametrize("test", [hosmer_lemeshow, spiegelhalter])
def test_scores_that_are_no_probabilities_are_refused(test) -> None:
    with pytest.raises(ValueError, match="needs probabilities; got scores from -1 to 2"):
        test([0, 1], [-1, 2])


def test_two_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 3 groups; got 2"):
        hosmer_lemeshow([0, 1], [0.1, 0.2], n_groups=2)
