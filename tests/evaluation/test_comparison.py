from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from glottis.evaluation import benjamini_hochberg, delong_matrix, delong_test, holm, roc_auc
from stored import reference

PROC = reference("discrimination")
MARKERS = ["s100b", "ndka", "wfns"]
RNG = np.random.default_rng(3)
Y = np.arange(60) % 2
A, B = (np.round(Y + RNG.standard_normal(60), 1) for _ in range(2))


@pytest.mark.parametrize("pair", list(PROC["paired"]))
def test_the_paired_test_is_that_of_proc(asah: pd.DataFrame, pair: str) -> None:
    first, second = pair.split("-")
    result, expected = delong_test(asah["poor"], asah[first], asah[second]), PROC["paired"][pair]
    ours = (result.statistic, result.p_value, result.difference.low, result.difference.high)
    assert ours == pytest.approx([expected[key] for key in ("z", "p", "low", "high")], rel=1e-9)


def test_the_unpaired_test_is_that_of_proc(asah: pd.DataFrame) -> None:
    women, men = (asah[asah["gender"] == gender] for gender in ("Female", "Male"))
    result = delong_test(women["poor"], women["s100b"], men["s100b"], y_true_second=men["poor"])
    expected = PROC["women_men_s100b"]
    assert (result.statistic, result.df, result.p_value) == pytest.approx(
        [expected[k] for k in ("t", "df", "p")], rel=1e-9
    )
    assert (result.paired, result.n) == (False, (len(women), len(men)))


def test_the_matrix_holds_every_pair_and_holms_adjustment(asah: pd.DataFrame) -> None:
    result = delong_matrix(asah["poor"], asah[MARKERS])
    expected = [PROC["paired"][pair] for pair in ("s100b-ndka", "s100b-wfns", "ndka-wfns")]
    p = [pair["p"] for pair in expected]
    rows, columns = np.triu_indices(3, 1)
    np.testing.assert_allclose(result.p_value[rows, columns], p, rtol=1e-9)
    np.testing.assert_allclose(result.p_holm[rows, columns], holm(p), rtol=1e-9)
    np.testing.assert_allclose(result.covariance[0, 1:], [pair["covariance"] for pair in expected[:2]])
    np.testing.assert_allclose(result.difference, -result.difference.T)


def test_the_covariance_has_the_variance_of_each_auc() -> None:
    result = delong_matrix(Y, {"a": A, "b": B})
    assert np.sqrt(np.diag(result.covariance)).tolist() == pytest.approx([roc_auc(Y, A).se, roc_auc(Y, B).se])


def test_a_score_does_not_differ_from_a_rising_function_of_itself() -> None:
    result = delong_test(Y, A, np.exp(A))
    assert (result.statistic, result.p_value, result.difference.value) == (0, 1, 0)
    assert result.conclusion == "not shown to differ"


def test_exchanging_the_scores_changes_the_sign_alone() -> None:
    there, back = delong_test(Y, A, B), delong_test(Y, B, A)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.difference.low == pytest.approx(-back.difference.high)


def test_a_better_score_is_called_better() -> None:
    noise = RNG.standard_normal(60)
    assert delong_test(Y, Y + 0.5 * noise, noise).conclusion == "the first is better"
    assert delong_test(Y, noise, Y + 0.5 * noise).conclusion == "the second is better"


@pytest.mark.parametrize(
    ("y", "first", "reason"),
    [(Y, Y, "separated completely"), (np.r_[[1] * 3, [0] * 57], A, "3 patients in the smaller")],
)
def test_a_test_that_would_not_hold_is_not_estimable(y: np.ndarray, first: np.ndarray, reason: str) -> None:
    for result in (delong_test(y, first, B), delong_test(y, first, B, y_true_second=Y)):
        assert (result.p_value, result.statistic, result.difference.low) == (None, None, None)
        assert reason in result.note
        assert result.conclusion == "not estimable"
        json.dumps(result.to_dict(), allow_nan=False)


def test_a_hundred_thousand_patients_are_compared() -> None:
    y = np.arange(100_000) % 2
    a, b = (y + RNG.standard_normal((2, y.size))).tolist()
    small = [delong_test(y[part], a[part], b[part]).difference for part in (slice(0, 50_000), slice(50_000, None))]
    whole = delong_test(y, a, b).difference
    assert whole.value == pytest.approx(np.mean([half.value for half in small]), abs=2e-4)
    assert (whole.high - whole.low) == pytest.approx(
        np.mean([half.high - half.low for half in small]) / 2**0.5, rel=0.02
    )


def test_the_test_keeps_its_level_without_a_difference() -> None:
    # 1000 pairs of correlated scores with the same AUC: 5% of p are below .05, standard error .7%
    rng = np.random.default_rng(5)
    y = np.arange(120) % 2
    shared, own = rng.standard_normal((1000, 1, 120)), rng.standard_normal((1000, 2, 120))
    p = [delong_test(y, *row).p_value for row in y + shared + own]
    assert 0.029 < np.mean(np.array(p) < 0.05) < 0.075


def test_models_on_other_patients_are_not_paired() -> None:
    a, b = pd.Series(A, index=range(60)), pd.Series(B, index=range(5, 65))
    with pytest.raises(ValueError, match=r"5 of 60 patients of the outcome are not in it \(0, 1, 2, 3, 4\)"):
        delong_test(pd.Series(Y), a, b)
    with pytest.raises(ValueError, match="the same patients in another order"):
        delong_matrix(pd.Series(Y), {"a": a, "b": a[::-1]})
    with pytest.raises(ValueError, match=r"Cannot pair b \(59 patients\) with the outcome \(60\)"):
        delong_matrix(Y, {"a": A, "b": B[1:]})


def test_the_model_with_a_missing_score_is_named() -> None:
    with pytest.raises(ValueError, match="Model 'b': 1 of 60 scores are not finite"):
        delong_matrix(Y, {"a": A, "b": np.r_[np.nan, B[1:]]})
    with pytest.raises(ValueError, match="No scores were given"):
        delong_matrix(Y, {})


def test_both_adjustments_leave_a_matrix_of_one_model_empty() -> None:
    result = delong_matrix(Y, {"a": A})
    assert np.isnan(result.p_holm).all()
    assert benjamini_hochberg(result.p_value[0]).shape == (1,)
    json.dumps(result.to_dict(), allow_nan=False)
