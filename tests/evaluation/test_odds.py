from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glottis.evaluation.logistic import logistic_table
from glottis.evaluation.odds import OddsRatio, odds_ratio

R = json.loads((Path(__file__).parents[1] / "reference" / "odds.json").read_text(encoding="utf-8"))

# Liang et al., Frontiers in Oncology 2025, doi 10.3389/fonc.2025.1573687, Tables 2 and 3: level and reference, each
# with and without node metastasis; odds ratio, limits, p
PAPER_B = {
    "gender": ([[78, 114], [16, 27]], "1.155 (0.584-2.284)", "0.680"),
    "CT-reported nodes": ([[69, 32], [25, 109]], "9.401 (5.140-17.196)", "0.000"),
    "location": ([[88, 60], [6, 81]], "19.800 (8.116-48.303)", "0.000"),
    "T stage": ([[68, 86], [26, 55]], "1.673 (0.951-2.942)", "0.074"),
}


def _data(name: str, folder: Path) -> tuple[Any, pd.DataFrame]:
    if name == "birthwt":
        table = pd.DataFrame(R["birthwt"]["data"])
        return table["low"], table.drop(columns="low")
    table = pd.read_csv(folder / "stats" / "df_binary.csv")
    return table["cancer"], table[["age", "famhistory", "marker", "risk_group"]]


def _agrees(ratios: list[OddsRatio], expected: dict[str, list[float]]) -> bool:
    own = {key: [getattr(ratio, key) for ratio in ratios] for key in ("coefficient", "se")}
    own["p"] = [ratio.p_value for ratio in ratios]
    limits = {key: [getattr(ratio.ratio, key) for ratio in ratios] for key in ("low", "high")}
    return all((own | limits)[key] == pytest.approx(values, rel=1e-8, abs=1e-300) for key, values in expected.items())


@pytest.mark.parametrize("name", ["cancer", "birthwt"])
def test_univariable_ratios_are_those_of_r(shared_data: Path, name: str) -> None:
    result = logistic_table(*_data(name, shared_data))
    for variable, expected in R[name]["univariable"].items():
        assert _agrees([row.univariable for row in result.rows if row.variable == variable], expected)


@pytest.mark.parametrize("name", ["cancer", "birthwt"])
def test_multivariable_ratios_are_those_of_r(shared_data: Path, name: str) -> None:
    result = logistic_table(*_data(name, shared_data))
    assert _agrees([row.multivariable for row in result.rows], R[name]["multivariable"])


def _text(result: OddsRatio) -> tuple[str, str]:
    return f"{result.ratio.value:.3f} ({result.ratio.low:.3f}-{result.ratio.high:.3f})", f"{result.p_value:.3f}"


@pytest.mark.parametrize("row", PAPER_B)
def test_paper_b_is_reproduced_to_the_printed_digit(row: str) -> None:
    table, ratio, p = PAPER_B[row]
    assert _text(odds_ratio(table)) == (ratio, p)


@pytest.mark.parametrize("row", PAPER_B)
def test_the_regression_of_paper_bs_patients_says_the_same(row: str) -> None:
    (a, b), (c, d) = PAPER_B[row][0]
    level, y = np.repeat(["yes", "no"], [a + b, c + d]), np.repeat([1, 0, 1, 0], [a, b, c, d])
    result = logistic_table(y, level).rows[0]
    assert (result.level, result.reference) == ("yes", "no")
    assert _text(result.univariable) == PAPER_B[row][1:]


def _patients(n: int = 200) -> tuple[np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 3))
    y = rng.random(n) < 1 / (1 + np.exp(-X[:, 0]))
    return y, pd.DataFrame(X, columns=["a", "b", "c"])


def test_a_reference_level_turns_the_ratio_over() -> None:
    y, table = _patients()
    site = pd.DataFrame({"site": np.where(table["a"] > 0, "glottis", "supraglottis")})
    one, other = (logistic_table(y, site, reference={"site": name}).rows[0] for name in ("glottis", "supraglottis"))
    assert (one.level, one.reference, other.reference) == ("supraglottis", "glottis", "supraglottis")
    assert one.univariable.ratio.value * other.univariable.ratio.value == pytest.approx(1)


def test_only_covariates_below_the_p_enter() -> None:
    result = logistic_table(*_patients(), enter=0.001)
    assert (result.entered, result.rule) == (("a",), "univariable p < 0.001 of any level, or separated")
    assert [row.multivariable is None for row in result.rows] == [False, True, True]
    assert result.rows[0].multivariable == result.rows[0].univariable


def test_named_covariates_enter() -> None:
    result = logistic_table(*_patients(), enter=["c", "b"])
    assert (result.entered, result.rule) == (("b", "c"), "named beforehand")


def test_nothing_may_enter() -> None:
    result = logistic_table(*_patients(), enter=[])
    assert (result.events_per_parameter, result.n_multivariable) == (None, 0)


def test_a_sign_that_flips_is_flagged() -> None:
    rng = np.random.default_rng(3)
    a = rng.standard_normal(600)
    b = a + 0.5 * rng.standard_normal(600)
    y = rng.random(600) < 1 / (1 + np.exp(-(3 * a - 1.5 * b)))
    result = logistic_table(y, pd.DataFrame({"a": a, "b": b}))
    assert [row.sign_flips for row in result.rows] == [False, True]
    assert result.notes == ("b lies on the other side of 1 once the other covariates are there",)


@pytest.mark.parametrize("shift", [0, 1])
def test_separation_by_a_number_is_said(shift: int) -> None:
    x = np.array([1.0, 2, 3, 4, 4 + shift, 6, 7, 8])  # with a tie across the classes, and without
    result = logistic_table([0, 0, 0, 0, 1, 1, 1, 1], pd.DataFrame({"x": x}))
    assert result.notes[0] == "x alone separates the classes: no odds ratio"
    assert result.rows[0].univariable.ratio.note == "not estimable: the classes are separated by x"
    assert result.rows[0].univariable.coefficient is None


def test_a_zero_cell_is_separation() -> None:
    y, table = _patients()
    table["site"] = np.where(~y & (table["b"] > 0.5), "x", "y")
    result = logistic_table(y, table)
    assert "site alone separates the classes: no odds ratio" in result.notes
    assert "together, site separate the classes: no multivariable odds ratios" in result.notes
    assert all(row.multivariable.p_value is None for row in result.rows)
    assert result.rows[0].univariable.p_value is not None


def test_separation_by_two_together_is_said() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 60))
    result = logistic_table(a + b > 0, pd.DataFrame({"a": a, "b": b}))
    assert result.notes == ("together, a, b separate the classes: no multivariable odds ratios",)


def test_only_covariates_that_are_needed_for_separation_are_named() -> None:
    _, table = _patients()
    result = logistic_table(table["b"] > 0, table)
    assert "together, b separate the classes: no multivariable odds ratios" in result.notes


def test_near_copies_are_not_called_separation() -> None:
    y, table = _patients()
    table["d"] = table["a"] + 1e-3 * table["b"]
    result = logistic_table(y, table[["a", "d"]])
    assert result.rows[0].multivariable.se > 10
    assert not any("separate" in note for note in result.notes)


def test_patients_with_a_missing_covariate_are_left_out_where_it_is_used() -> None:
    y, table = _patients()
    table.loc[:4, "b"] = np.nan
    result = logistic_table(y, table)
    assert [row.n_univariable for row in result.rows] == [200, 195, 200]
    assert result.n_multivariable == 195


def test_events_per_parameter_count_the_smaller_class() -> None:
    y, table = _patients()
    assert logistic_table(y, table).events_per_parameter == min(y.sum(), (~y).sum()) / 3


def test_a_hundred_thousand_patients_give_back_the_true_ratio() -> None:
    result = logistic_table(*_patients(100_000))
    assert result.rows[0].multivariable.coefficient == pytest.approx(1, abs=0.03)


def test_three_patients_are_separated_or_not() -> None:
    assert logistic_table([0, 1, 1], [1.0, 2.0, 3.0]).notes
    assert logistic_table([0, 1, 0], [1.0, 2.0, 3.0]).rows[0].univariable.coefficient == pytest.approx(0, abs=1e-9)


def test_a_zero_cell_has_no_odds_ratio() -> None:
    result = odds_ratio([[3, 0], [4, 5]])
    assert (result.ratio.value, result.ratio.note) == (None, "not estimable: a cell of the table is 0")


@pytest.mark.parametrize("table", [[1, 2], [[1, 2, 3], [4, 5, 6]], [[1, -2], [3, 4]], [[1, 0.5], [3, 4]]])
def test_what_is_no_two_by_two_table_is_refused(table: Any) -> None:
    with pytest.raises(ValueError, match="needs a 2x2 table of counts"):
        odds_ratio(table)


@pytest.mark.parametrize(
    ("covariates", "options", "message"),
    [
        ({"x": [1, 1, 1, 1]}, {}, "Column 'x' does not vary"),
        ({"x": [1, 2, 3, 5], "z": [2, 4, 6, 10]}, {}, "z follows from the columns before it"),
        ({"x": [1, 2, 3, 5]}, {"enter": ["y"]}, "There is no covariate 'y'"),
        ({"x": [1, 2, 3, 5]}, {"reference": {"y": 1}}, "There is no covariate 'y'"),
        ({"x": [1, 2, 3, None]}, {}, r"The 3 patients with x hold 0 with the outcome"),
    ],
)
def test_what_cannot_be_regressed_is_refused(covariates: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        logistic_table([0, 0, 0, 1], pd.DataFrame(covariates), **options)


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="The outcome must hold both classes"):
        logistic_table([1, 1], [1, 2])


def test_the_result_is_plain_json() -> None:
    for x in ([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0]):
        json.dumps(logistic_table([0, 0, 1, 1], x).to_dict(), allow_nan=False)


def test_half_a_patient_in_each_cell_gives_an_empty_cell_a_ratio_and_says_so() -> None:
    result = odds_ratio([[8, 2], [0, 5]], added=0.5)
    se = np.sqrt(1 / 8.5 + 1 / 2.5 + 1 / 0.5 + 1 / 5.5)
    assert (result.ratio.value, result.se) == pytest.approx((8.5 * 5.5 / (2.5 * 0.5), se), rel=1e-12)
    assert result.ratio.method == "Woolf, 0.5 added to each cell"


def test_nothing_negative_is_added_to_counts() -> None:
    with pytest.raises(ValueError, match=r"nothing negative added to them; got .* and -1: check"):
        odds_ratio([[8, 2], [1, 5]], added=-1)


def test_covariates_may_be_a_mapping_from_name_to_values() -> None:
    age, outcome = np.arange(40.0), np.tile([0, 1, 1, 0], 10)
    assert logistic_table(outcome, {"age": age}) == logistic_table(outcome, pd.DataFrame({"age": age}))


@pytest.mark.parametrize(
    ("covariates", "match"),
    [
        ({"age": [1, 2, 3, 4], "sex": [1, 2]}, "equal length; got age 4, sex 2: give one value a patient"),
        (np.zeros((4, 2, 2)), r"got the shape \(4, 2, 2\): give a table"),
    ],
)
def test_covariates_that_are_no_table_are_refused(covariates: object, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        logistic_table([0, 1, 0, 1], covariates)
