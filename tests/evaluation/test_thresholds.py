from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glottis.evaluation import sensitivity_threshold, youden_threshold
from stored import reference

PROC = reference("proc_asah")
RNG = np.random.default_rng(9)
Y = np.arange(40) % 2
S = np.round(Y + RNG.standard_normal(40), 1)


@pytest.mark.parametrize("marker", ["s100b", "ndka", "wfns"])
def test_the_youden_threshold_is_that_of_proc(asah: pd.DataFrame, marker: str) -> None:
    result, expected = youden_threshold(asah["poor"], asah[marker]), PROC[marker]
    assert result.to_dict() == pytest.approx(
        {"value": expected["threshold"], "sensitivity": expected["sensitivity"], "specificity": expected["specificity"]}
    )


def test_no_cut_off_beats_the_youden_threshold() -> None:
    chosen = youden_threshold(Y, S)
    sums = [(S[Y == 1] >= t).mean() + (S[Y == 0] < t).mean() for t in S]
    assert chosen.sensitivity + chosen.specificity == pytest.approx(max(sums))
    assert (S[Y == 1] >= chosen.value).mean() == chosen.sensitivity


def test_equally_good_cut_offs_give_the_balanced_one() -> None:
    # cutting below .2 gives sensitivity 1, specificity 1/3; below .4 gives 2/3 and 2/3: both sum to 4/3
    chosen = youden_threshold([0, 1, 0, 1, 1, 0], [0.1, 0.2, 0.3, 0.4, 0.5, 0.45])
    assert (chosen.sensitivity, chosen.specificity) == pytest.approx((2 / 3, 2 / 3))


def test_a_score_against_the_outcome_still_has_a_finite_threshold() -> None:
    assert youden_threshold([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4]).value == 0.1


def test_the_sensitivity_threshold_is_the_highest_that_reaches_it() -> None:
    chosen = sensitivity_threshold(Y, S, 0.85)
    reached = [t for t in np.unique(S) if (S[Y == 1] >= t).mean() >= 0.85]
    assert (S[Y == 1] >= chosen.value).mean() == chosen.sensitivity >= 0.85
    assert (S[Y == 0] < chosen.value).mean() == pytest.approx(chosen.specificity)
    assert chosen.specificity == pytest.approx((S[Y == 0] < max(reached)).mean())


def test_a_sensitivity_that_floats_cannot_write_is_reached_exactly() -> None:
    y, score = np.r_[np.ones(10, int), 0], np.arange(11.0)
    assert sensitivity_threshold(y, score, 0.7).sensitivity == 0.7


@pytest.mark.parametrize("sensitivity", [0, 1.2, np.nan])
def test_a_sensitivity_that_is_none_is_refused(sensitivity: float) -> None:
    with pytest.raises(ValueError, match=f"got {sensitivity}"):
        sensitivity_threshold(Y, S, sensitivity)
