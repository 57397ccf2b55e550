"""The page of a clinical study and of a nomogram: what it shows, and what it has no word for."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from fake_run import write_fake_run
from pages import page, plain, section, table, words

from clinical_study import MARK, stored
from glottis import report
from glottis.cli import run_command
from glottis.report.final import in_sample_words
from glottis.report.page import page_environment
from glottis.report.wording import number
from glottis.study.result import StudyResult
from table_study import TableStudy

OF_CLINIC = ["Patients", "Checks and warnings", "Models", "Controls", "Clinical model and nomogram",
             "The model to take away", "Methods as they ran", "Honesty", "Provenance"]  # fmt: skip
OF_BOTH = [*OF_CLINIC[:2], "Features", *OF_CLINIC[2:4], "Selected features", *OF_CLINIC[4:]]


def titles(folder: Path) -> list[str]:
    return re.findall(r"<h2>(\d+ [^<]*)</h2>", page(folder))


@pytest.mark.parametrize(("name", "expected"), [("clinical_run", OF_CLINIC), ("nomogram_run", OF_BOTH)])
def test_sections_are_numbered_without_a_gap_and_linked(name, expected, request):
    folder = request.getfixturevalue(name).run
    assert titles(folder) == [f"{place} {title}" for place, title in enumerate(expected, start=1)]
    assert set(re.findall(r'<a href="#(\w+)"', page(folder))) <= set(re.findall(r' id="(\w+)"', page(folder)))


@pytest.mark.parametrize(("name", "models"), [("clinical_run", 1), ("nomogram_run", 2)])
def test_every_odds_ratio_stands_in_its_table(name, models, request):
    study = request.getfixturevalue(name)
    tables = stored(study, "final.json")["tables"]
    assert len(tables) == models
    for model, own in tables.items():
        shown = table(study.run, f"table-odds-{model}")
        assert shown.count("<tr>") == len(own["rows"]) + 1
        for row in own["rows"]:
            ratio = row["univariable"]["ratio"]
            limits = f"{number(ratio['low'], 2)} to {number(ratio['high'], 2)}"
            assert f"<td>{row['variable']}</td>" in shown
            assert f"{number(ratio['value'], 2)} ({limits})" in shown


def test_a_level_is_shown_against_its_reference_and_what_did_not_enter_is_dashed(clinical_run):
    shown = table(clinical_run.run, "table-odds-clinical")
    assert "<td>m against f</td>" in shown
    own = stored(clinical_run, "final.json")["tables"]["clinical"]["rows"]
    left_out = sum(row["multivariable"] is None for row in own)
    assert shown.count('<td class="n">–</td>') == 2 * left_out > 0


@pytest.mark.parametrize("name", ["clinical_run", "nomogram_run"])
def test_the_nomogram_is_drawn_with_its_table_and_how_to_read_it(name, request):
    folder = request.getfixturevalue(name).run
    shown = section(folder, "clinical")
    assert "Lay a ruler upright" in shown
    assert shown.count("<figure") == 2
    assert (folder / "figures" / "nomogram.png").read_bytes().startswith(b"\x89PNG")
    axes = pd.read_csv(folder / "tables" / "nomogram.csv")
    assert axes.loc[axes["kind"] == "predictor", "points"].agg(["min", "max"]).tolist() == [0, 100]


@pytest.mark.parametrize("name", ["clinical_run", "nomogram_run"])
def test_the_table_of_odds_ratios_keeps_every_digit(name, request):
    study = request.getfixturevalue(name)
    found = pd.read_csv(study.run / "tables" / "odds_ratios.csv")
    for model, own in stored(study, "final.json")["tables"].items():
        for kind in ("univariable", "multivariable"):
            expected = [row[kind]["ratio"]["value"] for row in own["rows"] if row[kind] is not None]
            assert found.loc[(found["model"] == model) & (found["kind"] == kind), "odds_ratio"].tolist() == expected


def test_the_page_says_what_in_sample_scores_would_have_shown(nomogram_run):
    (fit,) = stored(nomogram_run, "results.json")["models"]["features"]["fits"]
    said = (
        f"would have shown an AUC of {number(fit['in_sample']['auc'])} in place of "
        f"{number(fit['in_sample']['out_of_fold_auc'])}"
    )
    assert said in words(nomogram_run.run)


def test_a_study_without_a_nomogram_has_nothing_to_say_of_in_sample_scores(clinical_run):
    assert in_sample_words(StudyResult.load(clinical_run.run)) == ""
    assert "would have shown" not in words(clinical_run.run)


@pytest.mark.parametrize("name", ["clinical_run", "nomogram_run"])
def test_the_model_to_take_away_says_what_it_is_and_how_to_ask_it(name, request):
    study = request.getfixturevalue(name)
    shown, final = plain(section(study.run, "final")), stored(study, "final.json")
    assert f"model.glottis holds {final['name']} as fitted on {final['n_training']} training patients" in shown
    assert "what it needs to read a row, its threshold" in shown
    assert "glottis predict model.glottis --input new.csv --out predictions.csv" in shown


@pytest.mark.parametrize(
    ("classifier", "words_"), [("svm", "the support vectors of the SVM are z-scored rows"), ("mlp", "no patient's row")]
)
def test_the_page_says_whether_the_file_holds_rows(nomogram_run, classifier, words_):
    final = stored(nomogram_run, "final.json") | {"classifier": classifier}
    study = StudyResult.load(nomogram_run.run).study
    template = page_environment().get_template("final.html.j2")
    shown = template.render(
        final=final, study=study, sections={"final": "7 File"}, picture=lambda _: "", explained=[], equation=""
    )
    assert words_ in html.unescape(shown)


def test_shap_values_and_importance_are_drawn_where_there_are_features(nomogram_run, clinical_run):
    shown = section(nomogram_run.run, "final")
    assert shown.count("<figure") == 2
    assert "SHAP values of 20 patients (held-out)" in shown
    assert "No SHAP values: its answer is a regression." in section(clinical_run.run, "final")


def test_a_clinical_study_has_no_word_on_masks_images_or_selected_features(clinical_run):
    text = words(clinical_run.run).lower()
    for word in ("mask", "image", "selected features", "candidate features", "radiomics", "sequence"):
        assert word not in text, word
    assert "Imputation, screening, regression and threshold were fitted" in words(clinical_run.run)


def test_the_methods_tell_how_the_regression_was_made(clinical_run, nomogram_run):
    text = html.unescape(words(clinical_run.run))
    assert "those with p < 0.05 of any level entered the multivariable regression" in text
    assert "stage counted as steps in the order 1, 2, 3, 4" in text
    assert "the spread over 8 refits" in text
    assert "Training patients entered with out-of-fold scores" in words(nomogram_run.run)


def test_the_only_model_of_features_is_said_to_be_that(nomogram_run, clinical_run):
    assert "The primary model is features. It is the only model of features." in words(nomogram_run.run)
    assert "It is the only model." in words(clinical_run.run)


@pytest.mark.parametrize("name", ["clinical_run", "nomogram_run"])
def test_the_page_names_no_patient_and_loads_nothing(name, request):
    text = page(request.getfixturevalue(name).run)
    assert not re.search(rf"{MARK}\d", plain(text))
    assert not re.search(r'(src|href)="(?!#|data:)', text)


def copied(study: TableStudy, folder: Path) -> Path:
    return Path(shutil.copytree(study.run, folder / "run", ignore=shutil.ignore_patterns("cache")))


def test_a_run_from_before_there_were_final_models_still_has_its_report(tmp_path):
    folder = write_fake_run(tmp_path / "old")
    report.write(folder)
    assert not (folder / "final.json").exists()
    assert not [title for title in titles(folder) if "take away" in title or "Clinical model" in title]


def test_a_clinical_run_that_wrote_no_model_still_has_its_report(clinical_run, tmp_path):
    folder = copied(clinical_run, tmp_path)
    (folder / "final.json").unlink()
    assert run_command(["report", str(folder)]) == 0
    assert [title.partition(" ")[0] for title in titles(folder)] == [str(place) for place in range(1, 9)]
    assert "Final model" not in words(folder)


def test_the_report_written_anew_is_the_same(nomogram_run, tmp_path):
    folder = copied(nomogram_run, tmp_path)
    (folder / "report.html").unlink()
    assert run_command(["report", str(folder)]) == 0
    assert page(folder) == page(nomogram_run.run)
