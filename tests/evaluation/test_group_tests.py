from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from glottis.evaluation import fisher
from glottis.evaluation.group_tests import (
    GroupTest,
    anova_from_moments,
    compare_counts,
    compare_values,
    t_test_from_moments,
)

R = json.loads((Path(__file__).parents[1] / "reference" / "group_tests.json").read_text(encoding="utf-8"))

# Xie et al., Scientific Reports 2025, doi 10.1038/s41598-025-01270-1, Table 1: training, internal test, external test
PAPER_A = {
    "gender": ([[201, 89, 94], [12, 2, 3]], "Fisher's exact", ".361"),
    "smoking": ([[189, 84, 84], [24, 7, 13]], "chi-square", ".448"),
    "drinking": ([[138, 66, 59], [75, 25, 38]], "chi-square", ".226"),
    "site": ([[41, 20, 15], [169, 70, 81], [3, 1, 1]], "Fisher's exact", ".854"),
    "differentiation": ([[32, 7, 17], [89, 47, 42], [92, 37, 38]], "chi-square", ".255"),
    "cT": ([[98, 41, 40], [115, 50, 57]], "chi-square", ".733"),
    "cN": ([[186, 79, 82], [8, 4, 3], [13, 6, 10], [6, 2, 2]], "Fisher's exact", ".910"),
    "cTNM": ([[47, 15, 18], [43, 23, 17], [89, 38, 40], [34, 15, 22]], "chi-square", ".630"),
    "pTNM": ([[115, 44, 45], [98, 47, 52]], "chi-square", ".399"),
}
# Liang et al., Frontiers in Oncology 2025, doi 10.3389/fonc.2025.1573687, Tables 1 and 2
PAPER_B = {
    "gender, sets": ([[133, 59], [31, 12]], "0.133", "0.716"),
    "CT nodes, sets": ([[73, 28], [91, 43]], "0.521", "0.470"),
    "location, sets": ([[59, 28], [105, 43]], "0.255", "0.614"),
    "T stage, sets": ([[54, 27], [110, 44]], "0.571", "0.450"),
    "gender, nodes": ([[78, 114], [16, 27]], "0.171", "0.679"),
    "CT nodes, nodes": ([[69, 32], [25, 109]], "59.178", "0.000"),
    "location, nodes": ([[6, 81], [88, 60]], "63.075", "0.000"),
    "T stage, nodes": ([[26, 55], [68, 86]], "3.215", "0.073"),
}


@pytest.mark.parametrize("row", PAPER_A)
def test_paper_a_is_reproduced_to_the_printed_digit(row: str) -> None:
    table, name, p = PAPER_A[row]
    result = compare_counts(table)
    assert (result.name, f"{result.p_value:.3f}") == (name, f"0{p}")


def test_paper_as_age_lies_within_the_rounding_of_its_means() -> None:
    sds, sizes = [9.1, 8.0, 11.8], [213, 91, 97]
    shifts = product((-0.05, 0, 0.05), repeat=3)
    ps = [anova_from_moments([62.2 + a, 62.5 + b, 62.2 + c], sds, sizes).p_value for a, b, c in shifts]
    assert min(ps) < 0.952 < max(ps)


@pytest.mark.parametrize("row", PAPER_B)
def test_paper_b_is_reproduced_to_the_printed_digit(row: str) -> None:
    table, statistic, p = PAPER_B[row]
    result = compare_counts(table)
    assert (f"{result.statistic:.3f}", f"{result.p_value:.3f}") == (statistic, p)


def test_paper_bs_ages_are_welchs_and_students() -> None:
    sets = t_test_from_moments([63.45, 62.45], [8.97, 9.085], [164, 71])
    assert (sets.name, round(sets.p_value, 3)) == ("Welch's t", 0.438)
    nodes = t_test_from_moments([62.53, 63.55], [9.558, 8.613], [94, 141], equal_variances=True)
    assert (nodes.name, nodes.p_value) == ("t", pytest.approx(0.395, abs=0.001))  # means and deviations are rounded


def _groups(name: str, folder: Path) -> list[Any]:
    groups = R["two"][name]["groups"]
    if groups is None or groups == {}:
        table = pd.read_csv(folder / "stats" / "aSAH.csv")
        return [part[name].to_numpy() for _, part in table.groupby("outcome")]
    return list(groups)


def _agrees(result: GroupTest, expected: dict[str, Any]) -> bool:
    same = result.p_value == pytest.approx(expected["p"], rel=1e-9)
    same &= result.statistic == pytest.approx(expected["statistic"], rel=1e-9)
    return bool(same and list(result.df) == pytest.approx(expected["df"], rel=1e-9))


@pytest.mark.parametrize("test", ["t", "welch", "mann-whitney"])
@pytest.mark.parametrize("name", ["sleep", "mtcars", "s100b", "age", "untied"])
def test_tests_of_two_groups_are_those_of_r(shared_data: Path, name: str, test: Any) -> None:
    assert _agrees(compare_values(_groups(name, shared_data), test=test), R["two"][name][test])


@pytest.mark.parametrize("test", ["anova", "welch-anova", "kruskal"])
@pytest.mark.parametrize("name", ["PlantGrowth", "airquality", "InsectSprays"])
def test_tests_of_many_groups_are_those_of_r(name: str, test: Any) -> None:
    assert _agrees(compare_values(R["many"][name]["groups"], test=test), R["many"][name][test])


@pytest.mark.parametrize("name", ["Titanic", "tea", "Job", "hair", "rare", "zero"])
def test_chi_square_is_that_of_r(name: str) -> None:
    assert _agrees(compare_counts(R["tables"][name]["table"], test="chi-square"), R["tables"][name]["chisq"])


@pytest.mark.parametrize("name", ["tea", "rare", "zero"])
def test_fishers_test_is_that_of_r(name: str) -> None:
    table = R["tables"][name]["table"]
    for turned in (table, np.transpose(table), np.flip(table)):
        assert compare_counts(turned).p_value == pytest.approx(R["tables"][name]["fisher"], rel=1e-9)
    assert compare_counts(table).name == "Fisher's exact"


def test_fishers_test_of_two_rows_is_that_of_scipy() -> None:
    for table in ([[8, 2], [1, 5]], [[0, 9], [3, 4]], [[30, 2], [100, 1]]):
        assert compare_counts(table, test="fisher").p_value == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-9)


def test_above_the_cap_random_tables_come_close_and_repeat() -> None:
    table = R["tables"]["Job"]["table"]
    first, again = compare_counts(table), compare_counts(table)
    assert first == again
    assert first.name == "Fisher's, Monte Carlo"
    assert first.p_value == pytest.approx(R["tables"]["Job"]["fisher"], abs=0.01)
    assert "20,000 random tables" in first.note


def test_all_tables_together_are_certain() -> None:
    counts = np.array([[2, 0, 1], [0, 2, 2], [3, 0, 3]])
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    log_factorial = fisher.gammaln(np.arange(counts.sum() + 1) + 1.0)
    constant = float(log_factorial[rows].sum() + log_factorial[columns].sum() - log_factorial[counts.sum()])
    lists = fisher._lists(counts)
    assert lists is not None
    every, extreme = fisher._likelihoods(lists, columns, log_factorial, -constant)
    assert (every, extreme) == pytest.approx((1, 1), rel=1e-12)


@pytest.mark.parametrize(
    ("groups", "name"),
    [
        (R["many"]["PlantGrowth"]["groups"], "one-way ANOVA"),
        (R["many"]["PlantGrowth"]["groups"][:2], "t"),
        (R["many"]["airquality"]["groups"], "Kruskal-Wallis"),
        ([stats.norm.ppf(np.arange(1, 40) / 40), 20 * stats.norm.ppf(np.arange(1, 40) / 40) + 3], "Welch's t"),
        ([stats.norm.ppf(np.arange(1, 40) / 40) * scale for scale in (1, 5, 20)], "Welch's ANOVA"),
        ([np.exp(np.arange(30) / 4), np.exp(np.arange(30) / 4) + 0.1], "Mann-Whitney, exact"),
        ([[1, 2], [2, 3, 4]], "Mann-Whitney"),
        ([[5, 5, 5, 5], [1, 2, 3, 4.5]], "Mann-Whitney"),
    ],
)
def test_shapiro_and_brown_forsythe_choose_the_test(groups: list[Any], name: str) -> None:
    assert compare_values(groups).name == name


def test_a_hundred_thousand_values_are_compared_by_their_means() -> None:
    values = np.random.default_rng(0).exponential(1, (2, 50_000))
    assert compare_values(list(values)).name in ("t", "Welch's t")


@pytest.mark.parametrize(
    ("groups", "note"),
    [
        ([[1, 2], []], "fewer than two groups have values"),
        ([[3, 3], [3, 3, 3]], "all values are equal"),
    ],
)
def test_where_nothing_can_be_tested_there_is_no_p(groups: list[Any], note: str) -> None:
    result = compare_values(groups)
    assert (result.p_value, result.name) == (None, "none")
    assert note in result.note


def test_groups_that_do_not_vary_have_no_t_test() -> None:
    assert compare_values([[1, 1], [2, 2]], test="t").p_value is None
    assert compare_values([[1], [2, 3]], test="welch").p_value is None
    assert compare_values([[1, 1], [2, 3], [3, 4]], test="welch-anova").p_value is None


def test_levels_and_groups_without_patients_are_left_out() -> None:
    assert compare_counts([[133, 59, 0], [0, 0, 0], [31, 12, 0]]) == compare_counts([[133, 59], [31, 12]])
    assert compare_counts([[3, 4], [0, 0]]).note.startswith("nothing to test")


@pytest.mark.parametrize("table", [[1, 2], [[1, -1], [2, 3]], [[1.5, 2], [2, 3]], [[np.nan, 2], [2, 3]]])
def test_what_is_no_table_of_counts_is_refused(table: Any) -> None:
    with pytest.raises(ValueError, match="A table of counts holds whole numbers"):
        compare_counts(table)


def test_unknown_tests_are_refused() -> None:
    with pytest.raises(ValueError, match="Unknown test 'yates' of counts"):
        compare_counts([[1, 2], [3, 4]], test="yates")  # type: ignore[arg-type]  # the mistake is meant
    with pytest.raises(ValueError, match="Unknown test 'z' of values"):
        compare_values([[1, 2], [3, 4]], test="z")  # type: ignore[arg-type]  # the mistake is meant
    with pytest.raises(ValueError, match="Test 't' compares two groups; got 3"):
        compare_values([[1, 2], [3, 4], [5, 6]], test="t")


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="A value is not finite"):
        compare_values([[1, np.nan], [2, 3]])


@pytest.mark.parametrize(
    ("means", "sds", "sizes", "message"),
    [
        ([1, 2], [1, 1], [3], "two or more groups are needed; got 2, 2 and 1"),
        ([1, 2], [0, 0], [3, 3], "must vary"),
        ([1, 2], [1, 1], [1, 3], "need 2 patients or more"),
    ],
)
def test_moments_that_cannot_be_tested_are_refused(means: Any, sds: Any, sizes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        anova_from_moments(means, sds, sizes)
    with pytest.raises(ValueError, match="two groups are needed; got 3"):
        t_test_from_moments([1, 2, 3], [1, 1, 1], [2, 2, 2])


def test_the_result_is_plain_json() -> None:
    json.dumps(compare_values([[1, 2, 3], [2, 3, 4]]).to_dict(), allow_nan=False)
