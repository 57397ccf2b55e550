from __future__ import annotations

import json

import numpy as np
import pytest

from glottis.evaluation import bland_altman
from stored import reference

R = reference("agreement")["sleep"]
# R's data set sleep: hours of sleep gained by ten patients on two drugs
SECOND = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
FIRST = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
# Bland and Altman, Lancet 1986;1:307-310, table 1: peak flow by a large and a mini meter, first readings, l/min
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_bias_limits_and_slope_are_those_of_r() -> None:
    result = bland_altman(FIRST, SECOND)
    assert (result.bias.value, result.sd) == pytest.approx((R["bias"], R["sd"]), rel=1e-12)
    assert (result.bias.low, result.bias.high) == pytest.approx(tuple(R["ci"]), rel=1e-10)
    for name in ("lower", "upper"):
        item = getattr(result, name)
        assert [item.value, item.low, item.high] == pytest.approx(R[name], rel=1e-10)
    assert (result.proportional.value, result.proportional_p_value) == pytest.approx((R["slope"], R["p"]), rel=1e-9)


def test_peak_flow_has_the_published_bias_and_spread() -> None:
    # published: mean difference -2.1 with SD 38.8, 95% interval of the bias -22.0 to 17.8 (t 2.12)
    result = bland_altman(LARGE, MINI)
    assert (result.bias.value, result.sd) == pytest.approx((-2.1, 38.8), abs=0.05)
    assert (result.bias.low, result.bias.high) == pytest.approx((-22.0, 17.8), abs=0.1)


def test_the_limits_hold_the_share_that_they_name() -> None:
    rng = np.random.default_rng(1)
    truth = rng.standard_normal(100_000)
    first, second = truth + 0.1 * rng.standard_normal((2, truth.size))
    result = bland_altman(first, second, share=0.9)
    inside = (result.differences > result.lower.value) & (result.differences < result.upper.value)
    assert inside.mean() == pytest.approx(0.9, abs=0.004)


def test_a_missing_measurement_leaves_out_its_patient() -> None:
    result = bland_altman([*FIRST, np.nan], [*SECOND, 1.0])
    assert (result.n, result.n_left_out) == (10, 1)
    assert result.bias == bland_altman(FIRST, SECOND).bias


def test_equal_measurements_have_no_bias_and_no_slope() -> None:
    result = bland_altman([1, 2, 3], [1, 2, 3])
    assert (result.bias.low, result.lower.value, result.upper.value) == (0, 0, 0)
    assert (result.proportional.value, result.proportional_p_value) == (None, None)
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("first", "second", "match"),
    [
        ([1, 2], [1, 2], "at least 3 patients with both measurements; got 2"),
        ([1, 2, 3], [1, 2], r"Cannot pair the second measurement \(2 patients\)"),
    ],
)
def test_measurements_that_give_no_limits_are_refused(first: list, second: list, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        bland_altman(first, second)
