"""The report says what is stored, nothing more, and needs nothing beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from fake_run import write_fake_run
from pages import page, results, words

from glottis import report
from glottis._errors import StorageError
from glottis.report.failures import failed_words
from glottis.report.summary import summarise
from glottis.report.wording import number, percent
from glottis.study.result import StudyResult
from glottis.study.spec_images import PERTURBED


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_fake_run(tmp_path_factory.mktemp("held-out"), title="喉癌 <script>alert('x')</script> $x$ & co")
    report.write(folder)
    return folder


@pytest.fixture(scope="module")
def k_fold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_fake_run(tmp_path_factory.mktemp("k-fold"), tests=(), sequences=("PET",), n=24, signal=0.0)
    report.write(folder)
    return folder


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small external test set; nothing selected, recalibrated, failed or pictured; a report was killed here."""
    folder = tmp_path_factory.mktemp("bare")
    write_fake_run(
        folder, sequences=("CT",), tests=("external",), n=16, selected=0, failures=0, recalibrate=False, pictures=False
    )
    (folder / "figures").mkdir()
    (folder / "figures" / ".writing-1-2-flow.png").write_bytes(b"half")
    report.write(folder)
    return folder


def test_every_number_of_the_models_table_is_the_stored_one(held_out: Path) -> None:
    table = page(held_out).partition('<table id="table-models">')[2].partition("</table>")[0]
    for model in results(held_out)["models"].values():
        for name, stored in model["sets"].items():
            interval = stored["auc"]["interval"]
            assert f"{number(interval['value'])}<small>{number(interval['low'])} to {number(interval['high'])}" in table
            for metric, value in stored["metrics"].items():
                show = number if metric == "f1" else percent
                limits = "" if name == "training" else f"<small>{show(value['low'])} to {show(value['high'])}</small>"
                assert f"{show(value['value'])}{limits}" in table


def test_the_csv_keeps_every_digit(held_out: Path) -> None:
    table = pd.read_csv(held_out / "tables" / "models.csv").set_index(["model", "set"])
    for model, entry in results(held_out)["models"].items():
        for name, stored in entry["sets"].items():
            assert table.loc[(model, name), "auc"] == stored["auc"]["interval"]["value"]
            assert table.loc[(model, name), "sensitivity"] == stored["metrics"]["sensitivity"]["value"]


def test_the_page_needs_nothing_from_outside(held_out: Path) -> None:
    text = page(held_out)
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(sources) > 10
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources)
    assert "url(" not in text
    assert "<script" not in text


def test_no_path_of_the_machine_is_in_the_report(held_out: Path) -> None:
    files = [held_out / "report.html", *(held_out / "tables").iterdir()]
    assert not [file.name for file in files if str(held_out.parent) in file.read_text(encoding="utf-8")]


def test_a_hostile_title_stays_text(held_out: Path) -> None:
    assert "喉癌 &lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; $x$ &amp; co</h1>" in page(held_out)


def test_writing_again_gives_the_same_bytes(k_fold: Path) -> None:
    files = [k_fold / "report.html", *sorted((k_fold / "figures").iterdir()), *sorted((k_fold / "tables").iterdir())]
    before = {file: file.read_bytes() for file in files}
    report.write(k_fold)
    assert [file.name for file in files if file.read_bytes() != before[file]] == []


def test_times_and_host_change_the_provenance_alone(tmp_path: Path, k_fold: Path) -> None:
    write_fake_run(tmp_path, tests=(), sequences=("PET",), n=24, signal=0.0)
    provenance = json.loads((tmp_path / "provenance.json").read_text())
    provenance |= {"platform": "elsewhere", "finished": "2031-12-24T18:00:00", "jobs": 1, "seconds": {"features": 3.0}}
    (tmp_path / "provenance.json").write_text(json.dumps(provenance))
    report.write(tmp_path)
    here, there = (re.split(r'<section id="provenance">|</section>\s*</main>', page(f)) for f in (k_fold, tmp_path))
    assert (here[0], here[2]) == (there[0], there[2])
    assert "2031-12-24T18:00:00" in there[1]


def test_every_figure_is_there_for_print_in_two_formats(held_out: Path) -> None:
    figures = sorted(file.name for file in (held_out / "figures").iterdir())
    names = {Path(name).stem for name in figures}
    assert figures == sorted(f"{name}.{kind}" for name in names for kind in ("pdf", "png"))
    assert names >= {"flow", "masks-01", "roc-primary", "roc-internal", "calibration-external", "confusion-internal"}


def test_cross_validation_claims_no_delong_and_no_test_set(k_fold: Path) -> None:
    text = words(k_fold)
    assert "DeLong" not in text
    assert "Mean AUC over" in text
    assert "No separate test set was held out." in text
    assert "corrected resampled t" in text


def test_an_interval_around_one_half_is_not_called_better_than_chance(k_fold: Path) -> None:
    interval = results(k_fold)["models"]["PET"]["sets"]["cross-validation"]["auc"]["interval"]
    assert interval["low"] < 0.5 < interval["high"]
    assert "The interval includes 0.5: the model is not shown to be better than chance, and no signal" in words(k_fold)


def test_without_events_enough_no_interval_is_claimed(bare: Path) -> None:
    interval = results(bare)["models"]["CT"]["sets"]["external"]["auc"]["interval"]
    assert interval["low"] is None
    assert f"No confidence interval can be given: {interval['note'].removeprefix('not estimable: ')}" in words(bare)


def test_scores_that_are_no_probabilities_get_no_calibration(bare: Path) -> None:
    assert not list((bare / "figures").glob("calibration*"))
    assert "they are no probabilities" in words(bare)


def test_a_model_without_features_failures_or_pictures_still_has_a_report(bare: Path) -> None:
    text = words(bare)
    assert "No feature was selected." in text
    assert "Every mask gave its features." in text
    assert "This run stored no pictures." in text


@pytest.mark.parametrize(
    ("readers", "said"),
    [
        ([], "every mask gave its features"),
        (["A", "B"], "2 masks gave no features"),
        ([PERTURBED], "every mask gave its features; 1 perturbed measurement failed"),
        (["A", PERTURBED, PERTURBED], "1 mask gave no features; 2 perturbed measurements failed"),
    ],
)
def test_a_perturbed_measurement_that_failed_is_no_mask_without_features(tmp_path, readers, said) -> None:
    folder = write_fake_run(tmp_path, pictures=False)
    place = {"patient": "P000", "sequence": "T2WI", "round": 1, "reason": "The mask is empty."}
    stored = json.loads((folder / "extraction.json").read_text())
    failures = [{**place, "reader": reader} for reader in readers]
    (folder / "extraction.json").write_text(json.dumps(stored | {"failures": failures}))
    assert f"; {said} (section" in " ".join(summarise(StudyResult.load(folder)).trust)
    assert failed_words(failures) == said


def test_defaults_that_the_protocol_leaves_open_are_named_for_mr(held_out: Path) -> None:
    text = words(held_out)
    assert "Default of glottis; not stated in the published protocol: the image&#39;s interpolator" in text
    assert "LASSO&#39;s loss and rule for the penalty" in text


def test_a_looked_at_test_set_is_counted_on_the_first_screen(held_out: Path) -> None:
    first_screen = page(held_out).partition("<nav")[0]
    assert "analysis number 2 of this test set" in first_screen
    assert "Research use only." in first_screen


def test_left_overs_of_a_killed_report_go(bare: Path) -> None:
    assert not list(bare.rglob(".writing-*"))


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no run folder"):
        report.write(tmp_path)
