"""A page with many models stays readable, and its choices never look at a test set."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from fake_run import write_fake_run
from pages import first_screen, page, plain, results, section, table, words

from glottis import report
from glottis.report.fitted_rows import proof_rows, selection_rows, stability_word, steps_of, tuning_tables
from glottis.report.groups import flow_groups, groups_of, shown_in_figures
from glottis.report.ordering import in_study_order
from glottis.report.wording import number
from glottis.study.result import StudyResult
from glottis.study.spec_models import CLASSIFIER_NAMES


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven classifiers, early and late, cross-validated: 32 models, four of them chosen in each fold."""
    folder = tmp_path_factory.mktemp("chosen")
    write_fake_run(folder, tests=(), n=30, model={"classifier": "all"}, fusion="both", pictures=False)
    report.write(folder)
    return folder


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    write_fake_run(folder, model={"classifier": "all"}, pictures=False)
    report.write(folder)
    return folder


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("late")
    write_fake_run(folder, fusion="late", pictures=False)
    report.write(folder)
    return folder


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repeated")
    write_fake_run(folder, tests=(), n=30, split={"method": "repeated", "repeats": 10}, pictures=False)
    report.write(folder)
    return folder


def models_of(folder: Path) -> dict:
    return in_study_order(StudyResult.load(folder)).results["models"]


def test_classifiers_stand_in_a_column_under_their_combination(chosen: Path) -> None:
    markup = table(chosen, "table-models")
    labels = re.findall(r'<th rowspan="(\d)" class="group">([^<]*)</th>', markup)
    assert labels == [("8", "T1WI"), ("8", "T2WI"), ("8", "T1WI+T2WI"), ("8", "T1WI+T2WI late")]
    assert markup.count('<td class="classifier">') == 32


def test_the_chosen_model_follows_those_that_it_was_chosen_from(chosen: Path) -> None:
    names = list(models_of(chosen))
    assert names[-2:] == ["T1WI+T2WI late mlp", "T1WI+T2WI late (chosen)"]
    assert len(names) == 32


def test_the_flow_shows_a_combination_once(chosen: Path) -> None:
    assert table(chosen, "table-flow").count("<tr") == 1 + 3
    assert "T1WI+T2WI late" not in table(chosen, "table-flow")


def test_models_of_a_combination_that_differ_in_their_patients_stand_apart() -> None:
    flow = {"A svm": {"n": 5}, "A mlp": {"n": 5}, "A (chosen)": {"n": 4}}
    found = flow_groups(flow, dict.fromkeys(flow, ("A",)))
    assert [(label, entry["n"]) for label, _, entry in found] == [("A svm, A mlp", 5), ("A (chosen)", 4)]


def test_figures_of_many_models_show_the_best_by_inner_auc_alone(chosen: Path) -> None:
    shown = shown_in_figures(models_of(chosen), "T1WI+T2WI late (chosen)")
    assert list(shown) == ["T1WI mlp", "T2WI mlp", "T1WI+T2WI mlp", "T1WI+T2WI late mlp", "T1WI+T2WI late (chosen)"]
    assert "the classifier with the best inner AUC" in words(chosen)


def test_the_stored_reason_stands_beside_the_primary_model(chosen: Path) -> None:
    said = f"The primary model is T1WI+T2WI late (chosen). {results(chosen)['primary_reason']}"
    assert said in first_screen(chosen)


def test_the_inner_auc_stands_beside_every_model(many: Path) -> None:
    for entry in results(many)["models"].values():
        assert f'<td class="n">{number(entry["inner_auc"])}</td>' in table(many, "table-models")


def test_above_twelve_models_the_primary_is_compared_with_each_in_a_table(many: Path, late: Path) -> None:
    markup = table(many, "table-comparison-internal")
    assert markup.count("<tr>") == 1 + 20
    matrix = results(many)["comparisons"]["internal"]["matrix"]
    i, j = matrix["models"].index(results(many)["primary_model"]), 0
    assert f"{number(matrix['difference'][i][j])}<small>" in markup
    assert not (many / "figures" / "comparison-internal.png").exists()
    assert (late / "figures" / "comparison-internal.png").exists()
    assert "table-comparison" not in page(late)


def test_patients_left_out_of_a_comparison_are_counted(late: Path) -> None:
    assert "On the 15 patients that every model scored; left out, of T1WI 2." in words(late)


def test_the_csv_of_comparisons_has_every_pair_with_every_digit(late: Path) -> None:
    rows = pd.read_csv(late / "tables" / "comparisons.csv").set_index(["set", "model", "against"])
    matrix = results(late)["comparisons"]["external"]["matrix"]
    assert len(rows) == 2 * 3
    assert rows.loc[("external", "T1WI", "T2WI"), "difference"] == matrix["difference"][0][1]


def test_late_fusion_shows_the_weight_of_each_block(late: Path) -> None:
    cells = re.findall(r"<td>(T\dWI)</td>.*?<td class=\"n\">([^<]*)</td></tr>", table(late, "table-blocks"))
    assert [block for block, _ in cells] == ["T1WI", "T2WI"]
    assert table(late, "table-blocks").count('<td class="n">0.75</td>') == 1
    rows = pd.read_csv(late / "tables" / "blocks.csv").set_index(["model", "block"])
    assert rows.loc[("T1WI+T2WI late", "T2WI"), "weight"] == 0.25


def test_steps_of_a_late_fusion_stand_by_block(late: Path) -> None:
    rows = selection_rows(models_of(late))
    labels = ["T1WI", "T2WI", "T1WI+T2WI late: T1WI", "T1WI+T2WI late: T2WI"]
    assert [row["label"] for row in rows] == labels
    assert steps_of(rows) == ["candidates", "variance", "icc", "spearman", "lasso", "rfe"]


def test_steps_that_only_some_models_have_keep_their_order() -> None:
    fits = [
        [{"step": s, "n": 1} for s in steps] for steps in (("candidates", "lasso"), ("candidates", "mrmr", "lasso"))
    ]
    assert steps_of([{"fits": [{"kept": kept}]} for kept in fits]) == ["candidates", "mrmr", "lasso"]


def test_a_late_fusion_has_no_table_of_tuning_of_its_own(late: Path) -> None:
    (tuning,) = tuning_tables(models_of(late))
    assert list(tuning["fits"]) == ["T1WI", "T2WI"]


def test_nogueiras_index_stands_with_its_interval_and_its_meaning(chosen: Path) -> None:
    index = results(chosen)["models"]["T1WI+T2WI late (chosen)"]["stability_index"]["index"]
    text = plain(section(chosen, "selected"))
    limits = f"(95% interval {number(index['low'], 2)} to {number(index['high'], 2)})"
    assert f"{number(index['value'], 2)} {limits}: {stability_word(index['value'])}." in text
    assert "J Mach Learn Res 2018;18(174):1-54" in text


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.39, "poor"), (0.4, "intermediate to good"), (0.75, "intermediate to good"), (0.76, "excellent")],
)
def test_fleiss_scale_holds_its_ends(value: float, word: str) -> None:
    assert stability_word(value) == word


def test_equal_selections_of_seven_classifiers_stand_in_one_table(many: Path) -> None:
    markup = section(many, "selected")
    assert markup.count("<details") == 3
    assert markup.count("Importance<small>") == 3 * 5  # SVM and MLP give none


def test_the_lasso_of_the_primary_model_is_drawn_where_it_has_one(many: Path, late: Path) -> None:
    assert (many / "figures" / "lasso.png").exists()
    assert not (late / "figures" / "lasso.png").exists()


def test_repeated_splits_are_called_splits(repeated: Path) -> None:
    text = first_screen(repeated)
    assert "On 10 random splits: each time 30% of the patients were held out" in text
    assert "Mean AUC over 15 splits" in text  # the fake has 3 repeats of 5
    assert "fold cross-validation" not in text


def test_rows_of_the_proof_that_differ_in_what_they_saw_give_the_range() -> None:
    row = {"mode": "rigorous", "step": "A: lasso", "n_fits": 5, "hidden": [9, 9], "overlap": 0}
    rows = [{**row, "model": "one", "saw": [20, 25]}, {**row, "model": "two", "saw": [18, 24], "step": "lasso"}]
    (found,) = proof_rows(rows)
    assert (found["step"], found["models"], found["saw"]) == ("lasso", ["one", "two"], (18, 25))


def test_models_are_grouped_by_blocks_and_fusion(chosen: Path) -> None:
    sizes = {group.label: len(group.models) for group in groups_of(models_of(chosen))}
    assert sizes == {"T1WI": 8, "T2WI": 8, "T1WI+T2WI": 8, "T1WI+T2WI late": 8}
    assert len(CLASSIFIER_NAMES) == 7
