from __future__ import annotations

import numpy as np
import pytest

from glottis.evaluation import baseline_survival, cox_regression, kaplan_meier

RNG = np.random.default_rng(2)
TIME, EVENT, X = RNG.exponential(9, 80).round(0) + 1, np.arange(80) % 3 > 0, RNG.standard_normal(80)


def efron_by_hand(lp: np.ndarray, at: float) -> float:
    """The sum over events, one after the other."""
    hazard, weight = 0.0, np.exp(lp)
    for time in np.unique(TIME[EVENT & (at >= TIME)]):
        dead = EVENT & (time == TIME)
        d = int(dead.sum())
        hazard += sum(1 / (weight[time <= TIME].sum() - k / d * weight[dead].sum()) for k in range(d))
    return float(np.exp(-hazard))


def test_ties_are_efrons() -> None:
    made = baseline_survival(TIME, EVENT, 0.7 * X)
    assert [made.at(t) for t in (1, 5.5, 20)] == pytest.approx(
        [efron_by_hand(0.7 * X, t) for t in (1, 5.5, 20)], rel=1e-13
    )


def test_without_ties_and_effect_it_is_the_exponential_of_nelson_and_aalen() -> None:
    made = baseline_survival([1, 2, 3, 4], [1, 1, 0, 1], np.zeros(4))
    assert made.cumulative_hazard.tolist() == pytest.approx([1 / 4, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3 + 1])


def test_it_lies_near_kaplan_meier_where_nothing_matters() -> None:
    made, curve = baseline_survival(TIME, EVENT, np.zeros(80)), kaplan_meier(TIME, EVENT)["all"]
    assert made.at(8) == pytest.approx(curve.survival_at(8).value, abs=0.01)


def test_moving_the_linear_predictor_moves_the_hazard_alone() -> None:
    one, other = baseline_survival(TIME, EVENT, X), baseline_survival(TIME, EVENT, X + 300)
    np.testing.assert_allclose(other.cumulative_hazard * np.exp(300), one.cumulative_hazard, rtol=1e-12)


def test_mean_martingale_residual_is_zero() -> None:
    b = cox_regression(TIME, EVENT, X).terms[0].coefficient
    made = baseline_survival(TIME, EVENT, b * X)
    expected = made.cumulative_hazard[np.searchsorted(made.times, TIME, side="right") - 1] * (made.times[0] <= TIME)
    # Efron's own residuals share a tie's hazard; this sum counts it whole, so it is a little high
    assert (expected * np.exp(b * X)).sum() == pytest.approx(EVENT.sum(), rel=0.1)


@pytest.mark.parametrize("time", [0.5, 1e4])
def test_a_time_outside_follow_up_is_refused(time: float) -> None:
    with pytest.raises(ValueError, match=f"Survival at {time:g} cannot be told: the first event is at"):
        baseline_survival(TIME, EVENT, X).at(time)


def test_no_event_is_refused() -> None:
    with pytest.raises(ValueError, match="no event in 3 patients: a baseline survival needs"):
        baseline_survival([1, 2, 3], [0, 0, 0], [0, 0, 0])
