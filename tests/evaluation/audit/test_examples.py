"""The shipped examples: every contradiction of two published papers that follows from their printed numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glottis.evaluation.audit import Audit, Finding, Printed
from glottis.evaluation.audit.contingency import results_of_counts
from glottis.evaluation.audit.counts import Table2x2, tables_of_sizes
from glottis.evaluation.audit.means import ANOVA, STUDENT, WELCH
from glottis.workflows import audit

NAMES = {"acc": "accuracy", "sens": "sensitivity", "spec": "specificity", "ppv": "ppv", "npv": "npv", "f1": "f1"}
A_OFF = {
    "Radiomics-CE-T1WI": ("f1",),
    "Radiomics-T1WI": ("f1",),
    "Radiomics-CE-T1WI+T1WI": ("ppv", "f1"),
    "Radiomics-CE-T1WI+T2WI": ("ppv", "accuracy"),
    "Radiomics-T1WI+T2WI": ("f1",),
    "DL model": ("sensitivity",),
    "Doctor 1": ("accuracy",),
    "Doctor 2": ("accuracy", "f1"),
}


@pytest.fixture(scope="module")
def mri() -> Audit:
    return audit(example="lscc-staging-mri")


@pytest.fixture(scope="module")
def ct() -> Audit:
    return audit(example="lscc-lnm-ct")


@pytest.fixture(scope="module")
def published(shared_data: Path) -> dict[str, Any]:
    """Both papers' printed metrics beside the recomputed ones, worked out independently of glottis."""
    path = shared_data.parent / "spec" / "published-arithmetic.json"
    if not path.is_file():
        pytest.skip("published-arithmetic.json absent")
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def those(found: Audit, check: str, *verdicts: Any, dataset: str = "") -> dict[str, Finding]:
    return {
        item.row: item
        for item in found.of(*(verdicts or ("differs", "unusual")))
        if item.check == check and (not dataset or item.dataset == dataset)
    }


def test_the_external_cells_that_cannot_be_are_named(mri: Audit):
    found = those(mri, "2x2 table", dataset="external")
    assert {row: item.cells for row, item in found.items()} == A_OFF


def test_no_internal_row_has_the_stated_classes(mri: Audit):
    assert len(those(mri, "2x2 table", "differs", dataset="internal")) == 9
    (finding,) = those(mri, "same patients", "differs").values()
    positives = {number for numbers in finding.details["n_positive"].values() for number in numbers}
    assert positives == {38, 44, 46, 50}


def test_the_intervals_of_internal_rows_are_those_of_the_implied_classes(mri: Audit):
    found = those(mri, "AUC interval", "unusual", dataset="internal")
    assert len(found) == 6
    assert "for 38 and 53 patients" in found["Radiomics-T1WI+T2WI"].message


def test_the_interval_that_is_too_short_is_found(mri: Audit):
    (finding,) = those(mri, "AUC interval", "differs").values()
    assert (finding.row, finding.dataset) == ("Radiomics-T1WI", "internal")
    assert "not symmetric around 0.807 and is too short" in finding.message


def test_the_external_intervals_are_hanley_mcneils_and_do_not_suit_the_readers(mri: Audit):
    fitting = those(mri, "AUC interval", "agrees", dataset="external")
    assert {tuple(item.details["methods"]) for item in fitting.values()} == {("Hanley-McNeil",)}
    assert len(fitting) == 9
    assert set(those(mri, "AUC interval", dataset="external")) == {"Doctor 1", "Doctor 2"}


def test_the_correlations_behind_the_delong_tests_are_found(mri: Audit):
    found = those(mri, "DeLong test")
    middles = {row: round(sum(item.details["correlation"]) / 2, 2) for row, item in found.items()}
    assert middles == pytest.approx(
        {
            "Combined model against Doctor 1": -0.15,
            "Combined model against Doctor 2": -0.16,
            "Radiomics-ALL against DL model": 0.96,
        },
        abs=0.011,
    )


def test_the_readers_p_values_look_exchanged(mri: Audit):
    found = those(mri, "order of p values")
    assert {item.row.split()[-1] for item in found.values()} == {"1", "2"}
    for item in found.values():
        lower, about = item.details["exchanged"]
        assert 0.39 < lower[0] < 0.43
        assert 0.42 < sum(about) / 2 < 0.46


def test_a_higher_area_without_better_decisions_is_noted(mri: Audit):
    (finding,) = those(mri, "decisions", "noted").values()
    assert "0.814 against 0.814; sensitivity 0.904 against 0.923" in finding.message


def test_the_hazard_ratios_p_value_is_asked_about(mri: Audit):
    (finding,) = those(mri, "hazard ratio").values()
    assert finding.details["p_implied"] == pytest.approx(0.0146, abs=5e-5)


def test_significance_in_the_internal_set_has_no_p_value(mri: Audit):
    assert len(those(mri, "DeLong test", "unchecked", dataset="internal")) == 2


def test_nothing_else_is_asked_of_the_mri_paper(mri: Audit):
    checks = {"2x2 table": 17, "AUC interval": 9, "same patients": 1, "DeLong test": 3, "order of p values": 2}
    found = [item.check for item in mri.of("differs", "unusual")]
    assert {check: found.count(check) for check in set(found)} == checks | {"hazard ratio": 1}


def test_the_value_of_the_abstract_is_the_nomograms(ct: Audit):
    (finding,) = those(ct, "repeated value", "differs").values()
    assert finding.details["values"] == {"Table 4": 0.832, "Table 5": 0.832, "Abstract": 0.864}
    assert finding.message.endswith("0.864 is also the value of Nomogram.")


def test_the_training_area_differs_by_a_digit(ct: Audit):
    (finding,) = those(ct, "repeated value", "unusual").values()
    assert finding.details["values"] == {"Table 4": 0.913, "Table 5": 0.914, "Abstract": 0.913}


def test_the_best_model_of_the_ct_paper_was_chosen_on_training(ct: Audit):
    assert those(ct, "best model")["XGBoost called best"].details["higher"] == ["MLP"]
    assert those(ct, "best model", "agrees")["XGBoost called best"].dataset == "training"


def test_the_odds_ratios_are_those_of_all_patients_and_change_direction(ct: Audit):
    assert {item.details["counted"] for item in those(ct, "patients").values()} == {235}
    directions = those(ct, "direction")
    assert "1 / 0.210 is 4.76" in directions["CT feature"].message
    assert "1 / 0.092 is 10.87" in directions["Location"].message


def test_a_better_nomogram_would_need_scores_of_high_correlation(ct: Audit):
    found = those(ct, "DeLong test", "unchecked")
    lower = {row.split()[2].rstrip(","): round(item.details["correlation"][0], 2) for row, item in found.items()}
    assert lower == {"DLR": 0.94, "Clinical": 0.85}


def test_nothing_else_is_asked_of_the_ct_paper(ct: Audit):
    found = [item.check for item in ct.of("differs", "unusual")]
    assert {check: found.count(check) for check in set(found)} == {
        "repeated value": 2, "2x2 table": 1, "best model": 1, "patients": 4, "direction": 2,
    }  # fmt: skip
    assert those(ct, "2x2 table")["LR"].cells == ("ppv",)


def test_external_rows_have_the_tables_worked_out_before(mri: Audit, published: dict[str, Any]):
    found = those(mri, "2x2 table", "differs", "agrees", dataset="external")
    for name, row in published["A"]["external"].items():
        table = found[name].details.get("nearest") or found[name].details["tables"][0]
        assert table == {key: row[key] for key in ("tp", "fn", "tn", "fp")}
        assert set(found[name].cells) == {NAMES[cell] for cell in row["fields_off"]}


def test_internal_rows_imply_the_classes_worked_out_before(mri: Audit, published: dict[str, Any]):
    found = those(mri, "2x2 table", "differs", dataset="internal")
    for name, row in published["A"]["internal"].items():
        best, other = row["best_over_prevalence"], found[name].details["elsewhere"]
        assert (other["tp"] + other["fn"], other["tp"], other["tn"]) == (best["positives"], best["tp"], best["tn"])


@pytest.mark.parametrize(
    ("block", "sizes"), [("train4", (67, 97)), ("val4", (27, 44)), ("train5", (67, 97)), ("val5", (27, 44))]
)
def test_rows_of_the_ct_paper_have_the_tables_worked_out_before(
    block: str, sizes: tuple[int, int], published: dict[str, Any]
):
    for row in published["B"][block].values():
        printed = {NAMES[name]: Printed.parse(f"{value:.3f}") for name, value in row["published"].items()}
        found = tables_of_sizes(printed, *sizes)
        table = found.nearest or found.tables[0]
        assert table == Table2x2(row["tp"], row["fn"], row["tn"], row["fp"])
        assert set(found.off) == {NAMES[cell] for cell in row["fields_off"]}


def test_baseline_tables_have_the_tests_worked_out_before(mri: Audit, ct: Audit):
    fisher = {row for row, item in those(mri, "test of counts", "agrees").items() if len(item.details["tests"]) == 1}
    exact = {
        row for row in fisher if those(mri, "test of counts", "agrees")[row].details["tests"][0].startswith("Fisher")
    }
    assert exact == {"Gender", "Tumor site", "Clinic N stage"}
    assert those(mri, "test of means", "agrees")["Age"].details["tests"] == [ANOVA]
    plain = {tuple(item.details["tests"]) for item in ct.of("agrees") if item.check == "test of counts"}
    assert plain == {("chi-square without correction",)}
    ages = [item.details["tests"] for item in ct.of("agrees") if item.check == "test of means"]
    assert ages == [[STUDENT, WELCH], [STUDENT]]


@pytest.mark.parametrize("table", ["Gender", "Smoking", "Drinking", "Differentiation", "cT", "cTNM", "pTNM"])
def test_chi_squares_are_those_worked_out_before(table: str, published: dict[str, Any]):
    known = published["A"]["table1"][table]
    statistic, p = results_of_counts(np.array(known["table"]))["chi-square without correction"]
    assert (statistic, p) == pytest.approx((known["chi2"], known["p"]), rel=1e-12)


def test_mcnemar_holds_for_every_overlap(mri: Audit, published: dict[str, Any]):
    found = those(mri, "McNemar's test", "agrees")
    for doctor, known in published["A"]["mcnemar_missed_advanced"].items():
        (item,) = (item for row, item in found.items() if row.endswith(doctor))
        assert item.details["exact_p"] == pytest.approx(known["exact_p_by_overlap"], rel=1e-9)
        assert len(item.details["overlaps"]) == len(known["exact_p_by_overlap"])
