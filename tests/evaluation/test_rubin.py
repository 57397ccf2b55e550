from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from glottis.evaluation.logistic import regression_of
from glottis.evaluation.logistic_fit import LogisticFit, fit_logistic
from glottis.evaluation.rubin import pool, pool_fits, pooled_regression
from stored import reference

CASES = reference("clinical")["pooled"]


def _fits(m: int = 5, *, n: int = 80) -> list[LogisticFit]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(n)
    y = rng.random(n) < 1 / (1 + np.exp(-x))
    return [fit_logistic(y, pd.DataFrame({"x": x + 0.3 * rng.standard_normal(n)})) for _ in range(m)]


@pytest.mark.parametrize("case", CASES)
def test_pooled_values_are_those_of_mice(case: dict[str, Any]) -> None:
    estimates, variances = np.array(case["estimates"])[:, None], np.array(case["variances"])[:, None, None]
    own = pool(estimates, variances, df_complete=case["n"] - case["k"])
    found = [own.estimate[0], own.covariance[0, 0], own.df[0]]
    assert found == pytest.approx([case["estimate"], case["total"], case["df"]], rel=1e-12)
    p = 2 * stats.t.sf(abs(own.estimate[0]) / own.errors[0], own.df[0])
    assert p == pytest.approx(case["p"], rel=1e-12)


def test_a_pooled_odds_ratio_has_limits_and_p_of_students_t() -> None:
    fits = _fits()
    pooled, ratio = pool_fits(fits), pooled_regression(fits).ratios[0]
    half = stats.t.ppf(0.975, pooled.df[1]) * pooled.errors[1]
    assert np.log([ratio.ratio.low, ratio.ratio.high]) == pytest.approx(pooled.estimate[1] + half * np.array([-1, 1]))
    assert ratio.p_value == pytest.approx(2 * stats.t.sf(abs(pooled.estimate[1] / pooled.errors[1]), pooled.df[1]))


def test_pooling_is_wider_than_the_mean_of_the_tables() -> None:
    fits = _fits()
    assert pool_fits(fits).errors[1] > np.mean([fit.errors[1] for fit in fits])


def test_a_single_table_stays_as_it_is() -> None:
    fit = _fits(1)[0]
    assert pool_fits([fit]).estimate.tolist() == fit.coefficients.tolist()
    assert regression_of(fit).ratios[0].se == pytest.approx(pool_fits([fit]).errors[1], rel=1e-12)


def test_one_separated_table_leaves_no_ratio() -> None:
    fits, y = _fits(), np.arange(80) > 40
    regression = pooled_regression([*fits[:4], fit_logistic(y, pd.DataFrame({"x": np.arange(80.0)}))])
    assert regression.ratios[0].coefficient is None
    assert "separated by x" in regression.ratios[0].ratio.note


def test_one_table_cannot_be_pooled() -> None:
    with pytest.raises(ValueError, match=r"two imputed tables or more.*impute more often"):
        pool([[0.1]], [[[0.1]]], df_complete=10)
