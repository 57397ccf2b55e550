"""The files of a comparison: one self-contained page, tables with every digit, figures, no patient's id."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glottis import compare
from glottis.evaluation.compare import CompareOptions
from glottis.evaluation.cutoffs import CutoffRule
from glottis.io.predictions import Columns
from glottis.workflows import FinishedComparison
from tiny_study import TinyStudy

N = 60


def scores() -> pd.DataFrame:
    """A model, a marker and a reader of 60 patients from two centres, with survival."""
    rng = np.random.default_rng(3)
    ill = np.arange(N) % 2
    model = 1 / (1 + np.exp(-(1.6 * ill - 0.8 + rng.standard_normal(N))))
    return pd.DataFrame(
        {
            "patient": [f"ID-{i:03d}" for i in range(N)],
            "y_true": ill,
            "model": model,
            "marker": 5 * model + rng.standard_normal(N),
            "doctor": np.where(model + rng.random(N) > 1, "yes", "no"),
            "centre": np.where(np.arange(N) < 30, "A & B", "C"),
            "time": np.round(rng.exponential(20 - 10 * model), 1) + 0.1,
            "event": (rng.random(N) < 0.7).astype(int),
        }
    )


COLUMNS = Columns(scores=("model", "marker", "doctor"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> FinishedComparison:
    rule = CutoffRule(by_rater={"model": 0.5})
    options = CompareOptions(cutoffs=rule, prevalence=0.1, horizons=(10.0,))
    return compare(scores(), tmp_path_factory.mktemp("compared"), columns=COLUMNS, options=options)


@pytest.fixture(scope="module")
def page(finished: FinishedComparison) -> str:
    return finished.page.read_text(encoding="utf-8")


def test_the_page_needs_nothing_beside_it(page: str) -> None:
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page) == []
    assert "<script" not in page


def test_no_patient_is_named_in_any_file(finished: FinishedComparison) -> None:
    texts = [path.read_text(encoding="utf-8") for path in finished.page.parent.rglob("*.[chj]s*")]
    texts.append(finished.page.read_text(encoding="utf-8"))
    assert len(texts) > 5
    assert not any("ID-0" in text for text in texts)


def test_the_stored_results_are_those_that_are_returned(finished: FinishedComparison) -> None:
    stored = json.loads((finished.page.parent / "results.json").read_text(encoding="utf-8"))
    assert stored == finished.results


def test_tables_keep_every_digit(finished: FinishedComparison) -> None:
    table = pd.read_csv(finished.page.parent / "tables" / "raters.csv", index_col="rater")
    raters = finished.results["sets"][0]["raters"]
    assert table["auc"].to_dict() == {name: rater["auc"]["value"] for name, rater in raters.items()}


def test_every_part_that_was_computed_has_its_table(finished: FinishedComparison) -> None:
    names = {path.stem for path in (finished.page.parent / "tables").iterdir()}
    assert names == {"raters", "auc_differences", "call_differences", "agreement", "groups", "survival"}


def test_every_figure_is_stored_as_png_and_pdf_and_shown(finished: FinishedComparison, page: str) -> None:
    folder = finished.page.parent / "figures"
    pictures = sorted(path.stem for path in folder.glob("*.png"))
    assert pictures == sorted(path.stem for path in folder.glob("*.pdf"))
    curves = {"roc-1-1", "precision-recall-1-1", "calibration-1-1", "decision-1-1", "survival-1-decision-1"}
    others = {"confusion-1-1", "delong-1", "delong-1-matrix", "groups-1-auc", "groups-1-c"}
    assert set(pictures) == curves | others | {"survival-1-1", "survival-1-2", "survival-1-3"}
    assert page.count("<img") == len(pictures)


def test_the_page_escapes_what_the_table_says(page: str) -> None:
    assert "A &amp; B" in page


def test_differences_that_are_not_shown_are_called_so(finished: FinishedComparison, page: str) -> None:
    areas = finished.results["sets"][0]["pairs"]["areas"]
    assert any(area["p_holm"] >= 0.05 for area in areas)
    assert "not shown to differ" in page
    assert "does not differ" not in page


def test_calibration_is_shown_for_probabilities_alone(page: str) -> None:
    assert "marker: No calibration or decision curve: the score is not between 0 and 1, no probability." in page
    assert "doctor: No calibration or decision curve: the score is yes/no, no probability." in page


def test_an_optimistic_threshold_is_stamped(tmp_path: Path) -> None:
    options = CompareOptions(cutoffs=CutoffRule(youden="same-patients"))
    found = compare(scores(), tmp_path, columns=COLUMNS, options=options)
    assert "<strong>Optimistic.</strong> The threshold of model and marker was chosen" in found.page.read_text("utf-8")
    assert "OPTIMISTIC" in "\n".join(found.lines())
    assert pd.read_csv(tmp_path / "tables" / "raters.csv")["threshold_optimistic"].tolist() == [True, True, False]


def test_equal_tables_give_equal_bytes(finished: FinishedComparison, tmp_path: Path) -> None:
    rule = CutoffRule(by_rater={"model": 0.5})
    options = CompareOptions(cutoffs=rule, prevalence=0.1, horizons=(10.0,))
    again = compare(scores().sample(frac=1, random_state=1), tmp_path, columns=COLUMNS, options=options)
    assert again.page.read_bytes() == finished.page.read_bytes()


def test_a_cross_validated_ledger_says_that_nothing_is_pooled(tmp_path: Path) -> None:
    ledger = scores().rename(columns={"model": "y_score"})[["patient", "y_true", "y_score"]]
    found = compare(ledger.assign(model="m", set="cross-validation", fold=np.arange(N) // 12), tmp_path)
    page = found.page.read_text("utf-8")
    assert "mean AUC over folds" in page
    assert "No DeLong test, calibration or decision curve is made from pooled scores." in page
    assert "DeLong's paired test" not in page


def test_readers_in_two_modalities_are_analysed_together(shared_data: Path, tmp_path: Path) -> None:
    columns = Columns(patient="case", outcome="truth", scores=("rating",), reader="reader", modality="treatment")
    found = compare(shared_data / "stats" / "VanDyke.csv", tmp_path, columns=columns)
    sentence = (
        "mean AUC with treatment 1 less treatment 2 −0.044 (95% CI −0.088 to 0.000), p = 0.051: not shown to differ"
    )
    assert sentence in found.page.read_text("utf-8")
    assert sentence in "\n".join(found.lines())


def test_survival_alone_has_a_page(tmp_path: Path) -> None:
    table = scores().drop(columns="y_true")
    found = compare(table, tmp_path, columns=Columns(scores=("model", "marker")))
    assert "model and marker compared for survival" in found.page.read_text("utf-8")
    assert [path.stem for path in (tmp_path / "tables").iterdir()] != []


def test_the_ledger_of_a_run_gives_the_aucs_of_the_run(computed: TinyStudy, tmp_path: Path) -> None:
    found = compare(computed.run / "predictions.csv", tmp_path, options=CompareOptions(common=True))
    models = json.loads((computed.run / "results.json").read_text("utf-8"))["models"]
    assert {set_["name"] for set_ in found.results["sets"]} == {"internal", "external"}
    for set_ in found.results["sets"]:
        for name, rater in set_["raters"].items():
            if name in models and name not in set_["n_dropped"]:
                assert rater["auc"] == models[name]["sets"][set_["name"]]["auc"]
