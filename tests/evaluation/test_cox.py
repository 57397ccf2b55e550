from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.hazard_regression import PHReg

from glottis.evaluation.cox import CoxRegression, cox_regression

R = json.loads((Path(__file__).parents[1] / "reference" / "cox.json").read_text(encoding="utf-8"))
SETS = ["rossi", "larynx", "lung"]


def _fit(name: str, folder: Path, **options: Any) -> CoxRegression:
    table = pd.read_csv(folder / "stats" / f"{name}.csv")
    if name == "rossi":
        return cox_regression(table["week"], table["arrest"], table.drop(columns=["week", "arrest"]), **options)
    if name == "lung":
        columns = ["age", "sex", "ph.ecog", "wt.loss"]
        return cox_regression(table["time"], table["status"], table[columns], **options)
    stage = np.array(["I", "II", "III", "IV"])[table["Stage_II"] + 2 * table["Stage_III"] + 3 * table["Stage_IV"]]
    return cox_regression(table["time"], table["death"], pd.DataFrame({"age": table["age"], "stage": stage}), **options)


@pytest.mark.parametrize("name", SETS)
def test_coefficients_and_their_errors_are_those_of_r(shared_data: Path, name: str) -> None:
    result, expected = _fit(name, shared_data), R[name]
    for key, theirs in (("coefficient", "coefficient"), ("se", "se"), ("p_value", "p")):
        np.testing.assert_allclose([getattr(term, key) for term in result.terms], expected[theirs], rtol=1e-8)
    assert result.likelihood_ratio == pytest.approx(expected["likelihood_ratio"], rel=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_hazard_ratios_have_the_limits_of_r(shared_data: Path, name: str) -> None:
    result, expected = _fit(name, shared_data), R[name]
    np.testing.assert_allclose([term.hazard_ratio.low for term in result.terms], expected["low"], rtol=1e-8)
    np.testing.assert_allclose([term.hazard_ratio.high for term in result.terms], expected["high"], rtol=1e-8)


@pytest.mark.parametrize("transform", ["km", "rank", "identity", "log"])
@pytest.mark.parametrize("name", SETS)
def test_the_test_of_proportional_hazards_is_that_of_r(shared_data: Path, name: str, transform: str) -> None:
    result, expected = _fit(name, shared_data, transform=transform), R[name]["zph"][transform]
    for test in result.proportional_hazards:
        theirs = "GLOBAL" if test.variable == "global" else test.variable
        assert test.statistic == pytest.approx(expected["statistic"][theirs], rel=1e-8)
        assert test.p_value == pytest.approx(expected["p"][theirs], rel=1e-8)
        assert test.df == expected["df"][theirs]
    assert len(result.proportional_hazards) == len(expected["df"])


def _cohort(n: int, p: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    time, end = rng.exponential(np.exp(-0.5 * X[:, 0])), rng.exponential(1.5, n)
    return np.round(np.minimum(time, end), 2), time <= end, X


def test_the_fit_equals_statsmodels_with_many_ties() -> None:
    time, event, X = _cohort(200)
    theirs = PHReg(np.round(time, 1), X, event.astype(int), ties="efron").fit(disp=0)
    result = cox_regression(np.round(time, 1), event, X)
    assert [term.coefficient for term in result.terms] == pytest.approx(theirs.params, rel=1e-7)
    assert [term.se for term in result.terms] == pytest.approx(theirs.bse, rel=1e-7)


def test_the_unit_of_a_covariate_changes_only_its_own_coefficient() -> None:
    time, event, X = _cohort(100)
    plain, scaled = (cox_regression(time, event, X * [1, factor]) for factor in (1, 1e6))
    assert scaled.terms[0].coefficient == pytest.approx(plain.terms[0].coefficient, rel=1e-9)
    assert scaled.terms[1].coefficient == pytest.approx(plain.terms[1].coefficient / 1e6, rel=1e-9)
    assert scaled.proportional_hazards[1].p_value == pytest.approx(plain.proportional_hazards[1].p_value, rel=1e-7)


def test_a_reference_level_turns_the_ratio_over() -> None:
    time, event, X = _cohort(80)
    group = pd.DataFrame({"group": np.where(X[:, 0] > 0, "high", "low")})
    one, other = (cox_regression(time, event, group, reference={"group": name}).terms[0] for name in ("low", "high"))
    assert (one.level, one.reference, other.reference) == ("high", "low", "high")
    assert one.hazard_ratio.value * other.hazard_ratio.value == pytest.approx(1)


def test_a_covariate_that_orders_the_events_has_no_ratio() -> None:
    result = cox_regression([1, 2, 3, 4, 5], [1, 1, 1, 1, 1], [5, 4, 3, 2, 1])
    assert result.note.startswith("not estimable: the likelihood has no maximum")
    assert (result.terms[0].hazard_ratio.value, result.terms[0].p_value, result.proportional_hazards) == (
        None,
        None,
        (),
    )


def test_many_patients_in_order_have_no_ratio_and_no_warning() -> None:
    order = np.arange(1, 5001)
    assert cox_regression(order, np.ones(5000), -order).note.startswith("not estimable")


def test_a_group_without_events_has_no_ratio() -> None:
    time, event, X = _cohort(60)
    treated = X[:, 1] > 1
    assert cox_regression(time, event & ~treated, np.where(treated, "yes", "no")).note.startswith("not estimable")


def test_patients_with_a_missing_covariate_are_left_out_and_counted() -> None:
    time, event, X = _cohort(50)
    X[:3, 1] = np.nan
    result, without = cox_regression(time, event, X), cox_regression(time[3:], event[3:], X[3:])
    assert (result.n, result.n_left_out) == (47, 3)
    assert result.terms == without.terms


def test_a_hundred_thousand_patients_give_back_the_true_ratio() -> None:
    result = cox_regression(*_cohort(100_000, seed=4))
    assert result.terms[0].coefficient == pytest.approx(0.5, abs=0.02)
    assert result.terms[1].coefficient == pytest.approx(0, abs=0.02)


def test_a_changing_hazard_ratio_is_found() -> None:
    rng = np.random.default_rng(1)
    group = np.arange(2000) % 2
    time = np.where(group == 1, rng.weibull(2.5, 2000), rng.exponential(1, 2000))
    assert cox_regression(time, np.ones(2000), group).proportional_hazards[0].p_value < 1e-9


def test_three_patients_are_fitted() -> None:
    result = cox_regression([1, 2, 3], [1, 1, 1], [1.0, 3.0, 2.0])
    assert result.terms[0].coefficient is not None
    assert result.events_per_parameter == 3


@pytest.mark.parametrize(
    ("event", "covariates", "message"),
    [
        ([0, 0, 0], [1, 2, 3], "There is no event in 3 patients"),
        ([1, 1, 0], [1, 1, 1], "Column 'x1' does not vary"),
        ([1, 1, 0], ["a", "a", "a"], r"Column 'x1' does not vary .it holds only 'a'"),
        ([1, 1, 0], [[1, 2], [2, 4], [3, 6]], "x2 follows from the columns before it"),
        ([1, 1, 0], [1, 2], r"one row a patient .3.; got 2"),
    ],
)
def test_what_cannot_be_regressed_is_refused(event: list[int], covariates: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cox_regression([1, 2, 3], event, covariates)


def test_an_unknown_reference_is_refused() -> None:
    with pytest.raises(ValueError, match="no level 'c' to serve as reference"):
        cox_regression([1, 2, 3], [1, 1, 1], ["a", "b", "a"], reference={"x1": "c"})
    with pytest.raises(ValueError, match="A reference level is given for age, which is no categorical column"):
        cox_regression([1, 2, 3], [1, 1, 1], [1, 2, 1], reference={"age": 1})


def test_an_unknown_transform_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown transform 'sqrt'"):
        cox_regression([1, 2], [1, 1], [1, 2], transform="sqrt")  # type: ignore[arg-type]  # the mistake is meant


def test_columns_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="a occurs more than once"):
        cox_regression([1, 2], [1, 1], pd.DataFrame([[1, 2], [2, 1]], columns=["a", "a"]))


def test_large_covariates_do_not_overflow() -> None:
    time, event, X = _cohort(100)
    moved = cox_regression(time, event, 1e4 * X + 1e7)
    assert moved.terms[0].coefficient == pytest.approx(cox_regression(time, event, X).terms[0].coefficient / 1e4)


def test_the_result_is_plain_json() -> None:
    for covariates in ([1.0, 3.0, 2.0], [3.0, 2.0, 1.0]):
        json.dumps(cox_regression([1, 2, 3], [1, 1, 1], covariates).to_dict(), allow_nan=False)
