from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glottis.evaluation.descriptive import baseline_table
from glottis.evaluation.group_tests import compare_counts, compare_values


def _patients(n: int = 90) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": np.round(rng.normal(62, 9, n)),
            "volume": np.exp(rng.normal(1, 1, n)),
            "site": rng.choice(["glottis", "supraglottis", "subglottis"], n, p=[0.6, 0.35, 0.05]),
            "smoker": rng.random(n) < 0.8,
            "grade": rng.choice([1, 2, 3], n),
            "centre": np.repeat(["a", "b", "c"], n // 3),
        }
    )


def test_every_row_names_the_test_that_its_values_call_for() -> None:
    patients = _patients()
    result = baseline_table(patients.drop(columns="centre"), patients["centre"], categorical=["grade"])
    names = {row.variable: (row.test.name, row.summary) for row in result.rows}
    assert names == {
        "age": ("one-way ANOVA", "mean (SD)"),
        "volume": ("Kruskal-Wallis", "median (Q1, Q3)"),
        "site": ("Fisher's exact", "n (%)"),
        "smoker": ("chi-square", "n (%)"),
        "grade": ("chi-square", "n (%)"),
    }


def test_rows_hold_what_the_tests_alone_give() -> None:
    patients = _patients()
    result = baseline_table(patients, patients["centre"])
    ages = [part["age"].to_numpy() for _, part in patients.groupby("centre")]
    assert result["age"].test == compare_values(ages)
    assert result["site"].test == compare_counts(pd.crosstab(patients["site"], patients["centre"]).to_numpy())


def test_patients_counted_as_in_paper_a_give_its_table() -> None:
    # Xie et al., Scientific Reports 2025, doi 10.1038/s41598-025-01270-1, Table 1: clinical N
    counts = np.array([[186, 79, 82], [8, 4, 3], [13, 6, 10], [6, 2, 2]])
    cell = np.repeat(np.arange(12), counts.ravel())
    n_stage, centre = np.array(["N0", "N1", "N2", "N3"])[cell // 3], np.array(["1", "2", "3"])[cell % 3]
    printed = baseline_table({"cN": n_stage}, centre).to_frame()
    assert (printed["p"][0], printed["test"][0], printed["1"][0]) == ("0.910", "Fisher's exact", "186 (87.3)")


def test_a_missing_value_is_left_out_of_its_own_row_and_counted() -> None:
    table = pd.DataFrame({"age": [1.0, np.nan, 3.0, 4.0, np.inf, 7.0], "sex": ["m", "f", None, "m", "f", "f"]})
    result = baseline_table(table, [0, 0, 0, 1, 1, 1])
    assert [(group.n, group.n_missing) for group in result["age"].groups] == [(2, 1), (2, 1), (4, 2)]
    assert [group.counts for group in result["sex"].groups] == [(1, 1), (2, 1), (3, 2)]
    assert [group.n_missing for group in result["sex"].groups] == [1, 0, 1]


def test_the_summary_of_a_group_is_that_of_numpy(shared_data: Path) -> None:
    asah = pd.read_csv(shared_data / "stats" / "aSAH.csv")
    poor = baseline_table(asah[["s100b"]], asah["outcome"])["s100b"].groups[1]
    values = asah.loc[asah["outcome"] == "Poor", "s100b"]
    assert (poor.mean, poor.sd, poor.median) == pytest.approx((values.mean(), values.std(), values.median()))
    assert (poor.q1, poor.q3) == pytest.approx(tuple(values.quantile([0.25, 0.75])))


def test_a_test_can_be_asked_for() -> None:
    patients = _patients()
    result = baseline_table(patients, patients["centre"], tests={"age": "kruskal", "smoker": "fisher"})
    assert (result["age"].test.name, result["age"].summary) == ("Kruskal-Wallis", "median (Q1, Q3)")
    assert result["smoker"].test.name == "Fisher's exact"


def test_the_order_of_patients_does_not_matter() -> None:
    patients = _patients()
    mixed = patients.sample(frac=1, random_state=1)
    one, other = (baseline_table(part, part["centre"]).to_frame() for part in (patients, mixed))
    pd.testing.assert_frame_equal(one, other)


def test_levels_keep_the_order_of_a_categorical() -> None:
    stage = pd.Series(pd.Categorical(["II", "I", "II", "I"], categories=["II", "I", "III"], ordered=True), name="stage")
    assert baseline_table(stage, [0, 0, 1, 1])["stage"].levels == ("II", "I")


def test_the_printed_table_reads_as_in_a_paper() -> None:
    table = pd.DataFrame({"sex": ["m"] * 6 + ["f"] * 4, "age": [60.0, 62, 64, 66, 61, 63, 65, 67, 62, np.nan]})
    printed = baseline_table(table, [0, 1] * 5).to_frame()
    assert printed["characteristic"].tolist() == ["sex, n (%)", "", "age, mean (SD)", ""]
    assert printed["level"].tolist() == ["f", "m", "", "missing"]
    assert printed["0"].tolist() == ["2 (40.0)", "3 (60.0)", "62.4 (2.1)", "0"]
    assert printed["p"].tolist() == ["1.000", "", "0.200", ""]
    assert printed["test"].tolist() == ["Fisher's exact", "", "t", ""]


def test_one_group_is_described_without_a_test() -> None:
    result = baseline_table({"age": [1, 2, 3], "sex": ["m", "f", "m"]}, ["all"] * 3)
    assert [row.test.p_value for row in result.rows] == [None, None]
    assert result.to_frame()["p"].tolist() == ["–", "–", ""]


def test_a_column_without_values_is_described_as_such() -> None:
    result = baseline_table(pd.DataFrame({"age": [np.nan, np.nan], "sex": [None, None]}), [0, 1])
    assert [row.test.name for row in result.rows] == ["none", "none"]
    assert result.rows[0].groups[-1].n_missing == 2


def test_three_patients_are_described() -> None:
    result = baseline_table({"age": [50, 60, 70]}, ["a", "a", "b"])
    assert result["age"].test.name == "Mann-Whitney, exact"
    assert result["age"].groups[1].sd is None


def test_a_hundred_thousand_patients_are_described() -> None:
    rng = np.random.default_rng(0)
    table = {"marker": rng.exponential(1, 100_000), "site": rng.choice(list("abc"), 100_000)}
    result = baseline_table(table, rng.integers(0, 3, 100_000))
    assert result["marker"].test.name in ("one-way ANOVA", "Welch's ANOVA")
    assert result["site"].test.name == "chi-square"


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(ValueError, match="There is no column 'wieght'"):
        baseline_table({"weight": [1, 2]}, [0, 1], tests={"wieght": "t"})


def test_groups_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one entry a patient .2.; got"):
        baseline_table({"weight": [1, 2]}, [0, 1, 1])


def test_the_result_is_plain_json() -> None:
    patients = _patients()
    patients.loc[:29, "volume"] = np.nan
    json.dumps(baseline_table(patients, patients["centre"]).to_dict(), allow_nan=False)
