"""What the doctor says of a table of features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glottis.study.check import check_table
from glottis.study.check.finding import Limits
from glottis.study.run import check_study
from table_study import TableStudy, features_of

F = [f"original_glcm_F{number}" for number in range(6)]


@pytest.fixture
def study(tmp_path):
    return TableStudy(tmp_path / "study")


def findings(study):
    return {finding.code: finding for finding in check_table(study.source(), Limits())}


def test_a_clean_table_has_one_note_on_features_and_one_on_other_columns(study):
    assert {code: f.severity for code, f in findings(study).items()} == {
        "feature-columns": "note", "columns-left-out": "note"
    }  # fmt: skip


def test_the_features_are_counted_and_named(study):
    assert findings(study)["feature-columns"].message.startswith("40 rows with 6 features: original_glcm_F0, ")


def test_columns_that_are_no_features_are_named_with_the_reason(study):
    study.table = study.table.assign(**{"diagnostics_x_N": 3, "site": "left"})
    found = findings(study)
    assert "(outcome: Target; diagnostic of PyRadiomics: diagnostics_x_N)" in found["columns-left-out"].message
    assert found["text-columns"].message == "1 column without numbers left out of the features: site."


def test_a_column_with_a_few_texts_among_numbers_is_a_warning(study):
    study.table[F[1]] = study.table[F[1]].astype(object)
    study.table.loc[3, F[1]] = "#NAME?"
    found = findings(study)["text-among-numbers"]
    assert found.severity == "warning"
    assert f"{F[1]} (1, first '#NAME?')" in found.message


def gaps(study):
    study.table.loc[[3, 5], F[1]] = None
    study.table.loc[3, F[2]] = None
    return study


def test_missing_values_stop_a_run_and_are_named(study):
    found = findings(gaps(study))["missing-values"]
    assert found.severity == "error"
    assert found.message == f"3 values missing in 2 features (rows): {F[1]} (2), {F[2]} (1); in 2 rows: N03, N05."


def test_missing_values_that_are_filled_are_a_note(study):
    found = findings(gaps(study).with_features(impute="median"))["missing-values"]
    assert (found.severity, found.remedy[:15]) == ("note", "Filled with the")


def test_a_row_that_lacks_a_whole_block_has_no_gap(study):
    study.table.loc[3, F[3:]] = None
    blocks = {"one": F[:3], "two": F[3:]}
    assert "missing-values" not in findings(study.with_features(blocks=blocks))
    assert "missing-values" in findings(study)


def test_infinite_values_stop_a_run(study):
    study.table.loc[3, F[1]] = np.inf
    found = findings(study)["infinite-values"]
    assert (found.severity, found.message) == ("error", f"Infinite values in 1 feature (rows): {F[1]} (1).")


def test_constant_and_empty_features_are_named(study):
    study.table[F[1]] = 7
    assert F[1] in findings(study)["constant-features"].message


def test_features_that_are_equal_are_named_together(study):
    study.table[F[4]] = study.table[F[1]]
    assert f"{F[1]} = {F[4]}" in findings(study)["equal-features"].message


def wide(study):
    study.table = features_of(prefixes=("original", "exponential"))
    return study


def test_a_row_twice_is_an_error_since_it_may_lie_on_both_sides(study):
    study = wide(study)
    study.table.iloc[7, :12] = study.table.iloc[4, :12]
    found = findings(study)["equal-rows"]
    assert (found.severity, found.message) == ("error", "Rows equal in all 12 features: N04 = N07.")


def test_a_row_twice_in_one_group_is_a_warning(study):
    study = wide(study)
    study.table.iloc[7, :12] = study.table.iloc[4, :12]
    study.table["dog"] = [f"D{number // 4}" for number in range(40)]
    study.settings["group"] = "dog"
    assert findings(study)["equal-rows"].severity == "warning"


def test_a_feature_that_is_the_outcome_is_an_error(study):
    study.table["original_glcm_F9"] = 5 - study.table["Target"]
    found = findings(study)["leaked-label"]
    assert found.severity == "error"
    assert found.message == "Feature 'original_glcm_F9' is the outcome in other words: AUC 1.000 over 40 rows."


def test_a_feature_that_separates_the_classes_is_a_suspect(study):
    study.table[F[2]] += 1000 * study.table["Target"]
    found = findings(study)["leak-suspect"]
    assert (found.severity, found.message) == ("warning", f"1 feature alone with an AUC above 0.95: {F[2]} (1.000).")


def test_names_of_ids_outcomes_and_others_among_features_are_warned_of(study):
    study.table = study.table.assign(scan_no=range(40), ln_label=range(40), vol=np.arange(40) % 7)
    found = findings(study)
    assert "scan_no" in found["id-among-features"].message
    assert "ln_label" in found["outcome-among-features"].message
    assert found["other-names"].message == "1 feature not named as PyRadiomics names them: vol."


def test_prefixes_that_could_be_blocks_are_shown(study):
    study.table = features_of(prefixes=("T1_original", "T2_original"))
    assert findings(study)["prefixes"].remedy == 'features.blocks: {T1: "T1_*", T2: "T2_*"} makes a model of each.'


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (lambda t: (t - t.mean()) / t.std(), "have mean 0 and standard deviation 1 over all 40 rows"),
        (lambda t: (t - t.min()) / (t.max() - t.min()), "run from 0 to 1 exactly over all 40 rows"),
    ],
)
def test_a_table_that_was_scaled_before_is_noticed(study, scale, words):
    study.table[F] = scale(study.table[F])
    found = findings(study)["scaled-before"]
    assert (found.severity, words in found.message) == ("note", True)


def test_numbered_rows_are_said_to_be_numbered(study):
    study.table = study.table.drop(columns="ID")
    study.settings["id"] = None
    found = findings(study)["numbered-rows"]
    assert found.message == "The table has no id column: its 40 rows are numbered from 01."


def test_gaps_among_repeats_are_an_error_and_few_repeats_a_warning(study):
    study.others["again.csv"] = features_of(4).head(8)
    study.others["again.csv"].loc[2, F[1]] = None
    found = findings(study.with_features(repeats=[{"table": "again.csv"}]))
    assert found["repeated-measurements"].severity == "warning"
    assert F[1] in found["repeats-missing"].message


def test_several_rows_of_a_patient_are_told_of_groups(study):
    study.table["ID"] = [f"D{number // 4}" for number in range(40)]
    found = [f for f in check_study(study.source()) if f.code == "duplicate-patient"]
    assert len(found) == 10
    assert found[0].remedy.startswith("Keep one row a patient, or write group: ID and id: null")


def test_classes_are_counted_by_group(study):
    study.table["dog"] = [f"D{number // 20}" for number in range(40)]
    study.settings["group"] = "dog"
    found = {f.code: f for f in check_study(study.source())}
    assert "2 positive and 2 negative groups ('dog')" in found["small-class"].message


def test_the_real_table_with_a_doubled_row_is_caught(shared_data, tmp_path):
    table = pd.read_csv(shared_data / "radMLBench" / "Song2020.gz", compression="gzip")
    found = findings(TableStudy(tmp_path, table))
    assert found["equal-rows"].message == "Rows equal in all 258 features: N26 = N27."
    assert "258 of 258 features have mean 0" in found["scaled-before"].message
