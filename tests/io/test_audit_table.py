"""A paper's tables in the spellings that papers use."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from glottis._errors import CohortError, InputError
from glottis.evaluation.audit import Claim, MetricRow
from glottis.evaluation.audit.rows import CLAIM_KINDS
from glottis.io.audit_table import example_tables, read_audit_table


def rows_of(tmp_path: Path, text: str, name: str = "table.csv") -> list[MetricRow]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_audit_table(path)[0]


def claims_of(tmp_path: Path, text: str) -> list[Claim]:
    path = tmp_path / "tests.csv"
    path.write_text(text, encoding="utf-8")
    return read_audit_table(path)[1]


def limits(row: MetricRow, metric: str) -> tuple[float, float]:
    return tuple(number.value for number in row.intervals[metric])  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("header", "metric"),
    [
        ("AUC", "auc"), ("AUROC", "auc"), ("ROC-AUC", "auc"), ("Area under the curve", "auc"), ("Sens.", "sensitivity"),
        ("Recall", "sensitivity"), ("sensitivity (%)", "sensitivity"), ("Sensitivity (Recall)", "sensitivity"),
        ("SPE", "specificity"), ("Precision", "ppv"), ("Positive predictive value", "ppv"), ("NPV", "npv"),
        ("ACC", "accuracy"), ("F1-Score", "f1"), ("F1 score", "f1"), ("Accuracy [95% CI]", "accuracy"),
    ],
)  # fmt: skip
def test_a_column_is_known_by_its_spellings(header: str, metric: str, tmp_path: Path):
    (row,) = rows_of(tmp_path, f"Model,{header}\nLR,0.81\n")
    assert set(row.printed) == {metric}


@pytest.mark.parametrize(
    "cell",
    [
        "0.813 (0.726-0.901)", "0.813 (95% CI 0.726–0.901)", "0.813 [0.726, 0.901]", "0.813 (0.726 to 0.901)",
        ".813 (.726—.901)", "0.813 (95% CI: 0.726; 0.901)", "0.813 (0.726 - 0.901)", "81.3% (72.6%-90.1%)",
        "0,813 (0,726-0,901)", "0.813 ± 0.044 (0.726, 0.901)", "81.3 (74/91) (72.6-90.1)",
    ],
)  # fmt: skip
def test_a_cell_with_its_interval_is_understood(cell: str, tmp_path: Path):
    (row,) = rows_of(tmp_path, f'Model;AUC (95% CI)\nLR;"{cell}"\n')
    assert row.printed["auc"].value == 0.813
    assert limits(row, "auc") == (0.726, 0.901)


@pytest.mark.parametrize(
    "text",
    [
        "Model,AUC,95% CI,Sensitivity\nLR,0.813,0.726-0.901,0.7\n",
        "Model,AUC,AUC lower,AUC upper,Sensitivity\nLR,0.813,0.726,0.901,0.7\n",
        "Sensitivity,AUC high,AUC low,Model,AUC\n0.7,0.901,0.726,LR,0.813\n",
        "Model,AUC,Lower limit,Upper limit,Sensitivity\nLR,0.813,0.726,0.901,0.7\n",
        "Model,AUC,AUC 95% CI,Sensitivity\nLR,0.813,(0.726-0.901),0.7\n",
        "Model,AUC (95% CI),AUC,Sensitivity\nLR,0.726 to 0.901,0.813,0.7\n",
    ],
)
def test_limits_may_stand_in_columns_of_their_own(text: str, tmp_path: Path):
    (row,) = rows_of(tmp_path, text)
    assert (row.model, limits(row, "auc"), row.printed["sensitivity"].value) == ("LR", (0.726, 0.901), 0.7)


def test_the_level_of_the_intervals_is_read(tmp_path: Path):
    assert rows_of(tmp_path, "Model,AUC (90% CI)\nLR,0.8 (0.7-0.9)\n")[0].level == 0.9
    assert rows_of(tmp_path, "Model,AUC\nLR,0.8 (0.7-0.9)\n")[0].level == 0.95


def test_a_column_with_a_number_above_one_is_one_of_percentages(tmp_path: Path):
    row, other = rows_of(tmp_path, "Model,AUC,Sensitivity\nLR,0.81,86.5\nRF,0.79,0.9\n")
    assert (row.printed["sensitivity"].value, other.printed["sensitivity"].value) == (0.865, 0.009)
    assert row.printed["auc"].value == 0.81


def test_a_row_of_one_cell_names_the_set(tmp_path: Path):
    rows = rows_of(tmp_path, "Model,AUC\nTraining dataset,\nLR,0.91\nValidation dataset,\nLR,0.83\n")
    assert [(row.model, row.dataset) for row in rows] == [("LR", "Training dataset"), ("LR", "Validation dataset")]


def test_comments_and_unknown_columns_are_left_out(tmp_path: Path):
    (row,) = rows_of(tmp_path, "# From Table 2, 2025; doi\nModel,AUC,Colour\nLR,0.91,red\n")
    assert set(row.printed) == {"auc"}


@pytest.mark.parametrize("cell", ["", "-", "NA", "/", "–", "NR"])
def test_an_absent_value_is_no_value(cell: str, tmp_path: Path):
    (row,) = rows_of(tmp_path, f"Model,AUC,PPV\nLR,0.91,{cell}\n")
    assert set(row.printed) == {"auc"}


def test_excel_is_read_as_well(tmp_path: Path):
    pd.DataFrame({"Model": ["LR"], "AUC": [0.813], "n_positive": [52], "n": [97]}).to_excel(
        tmp_path / "t.xlsx", index=False
    )
    (row,) = read_audit_table(tmp_path / "t.xlsx")[0]
    assert (row.sizes, row.printed["auc"].text) == ((52, 45), "0.813")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Model,Colour\nLR,red\n", "has no column of a metric .*: name one AUC"),
        ("Model,AUC\nLR,high\n", "row 1: 'high' .auc. is no number: correct it or leave it empty"),
        ("Model,AUC\nLR,0.8 0.9\n", "row 1: '0.8 0.9' is not understood as auc: write a number"),
        ("Model,AUC,n\nLR,0.8,many\n", "row 1: 'many' .n. is no number of patients: write a whole number from 1"),
        ("Model,AUC,n,n_positive,n_negative\nLR,0.8,97,52,40\n", "52 and 40 patients do not make 97: correct"),
        ("kind,p\nchi,0.1\n", "unknown kind 'chi': known: best, counts"),
        ("kind,pp\ncounts,0.1\n", "unknown column 'pp' in a table of tests: "),
        ("kind,values,p\ncounts,1 2; 3 4,small\n", "'small' .p. is no number"),
        ("kind,values,p\ncounts,1 2 3,0.1\n", "'1 2 3' .values. is not what counts needs: write such as 201 12"),
        ("kind,values,p\nmeans,1 2; 3 4,0.1\n", "is not what means needs: write such as 62.2 9.1 213"),
        ("kind,values,p\nmeans,1 2 1; 3 4 9,0.1\n", "'1' .values. is no number of patients: write whole numbers"),
        ("kind,values,p\nmcnemar,5 60 52,0.1\n", "more errors than patients: write errors of a"),
        ("kind,estimate,ci\nhazard_ratio,0.4,0.2\n", "'0.2' .ci. is no interval: write 0.241-0.856"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_next_step(text: str, words: str, tmp_path: Path):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_audit_table(tmp_path / "t.csv")


def test_an_absent_table_is_refused(tmp_path: Path):
    with pytest.raises(CohortError, match="does not exist: correct the path"):
        read_audit_table(tmp_path / "absent.csv")


def test_an_unknown_example_names_the_nearest():
    with pytest.raises(InputError, match="There is no example 'lscc-staging': did you mean 'lscc-staging-mri'"):
        example_tables("lscc-staging")


def test_a_line_of_tests_is_read_whole(tmp_path: Path):
    header = "kind,label,set,source,values,estimate,ci,p,statistic,a,b,n"
    (claim,) = claims_of(
        tmp_path, f"{header}\nodds_ratio,CT,all,Table 3,69 32; 25 109,9.401,5.140-17.196,<0.001,,,,235\n"
    )
    assert [[number.scaled for number in group] for group in claim.values] == [[69, 32], [25, 109]]
    assert claim.interval is not None
    assert (claim.interval[1].value, claim.p.relation if claim.p else "", claim.n) == (17.196, "<", 235)


def test_groups_of_means_may_be_written_as_papers_do(tmp_path: Path):
    (claim,) = claims_of(tmp_path, "kind,values,p\nmeans,62.2±9.1 n=213; 62.5 ± 8.0 n=91,0.9\n")
    assert [group[2].scaled for group in claim.values] == [213, 91]


@pytest.mark.parametrize("name", ["lscc-staging-mri", "lscc-lnm-ct"])
def test_an_example_is_a_table_of_metrics_and_one_of_tests(name: str):
    (rows, no_claims), (no_rows, claims) = (read_audit_table(path) for path in example_tables(name))
    assert (no_claims, no_rows) == ([], [])
    assert len(rows) >= 20
    assert len(claims) >= 20


def test_the_tables_of_the_manual_are_read(tmp_path: Path):
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "audit.md").read_text(encoding="utf-8")
    metrics, tests = re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert rows_of(tmp_path, metrics)[0].sizes == (52, 45)
    assert {claim.kind for claim in claims_of(tmp_path, tests)} == set(CLAIM_KINDS)


def test_a_standard_error_is_not_taken_for_a_sensitivity(tmp_path: Path):
    (row,) = rows_of(tmp_path, "Model,AUC,SE\nLR,0.91,0.04\n")
    assert set(row.printed) == {"auc"}
