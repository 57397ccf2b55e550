"""The first page claims no more than controls, permutations and honest modes allow."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fake_run import write_fake_run
from pages import first_screen, page, plain, results, section, table, words

from glottis import report
from glottis.report.controls import as_published_words, controls_paragraph, verdict
from glottis.report.wording import number

ABOVE = {"value": 0.75, "low": 0.6, "high": 0.88, "level": 0.95, "note": ""}
AROUND = {**ABOVE, "low": 0.45}
BELOW = {**ABOVE, "value": 0.36, "low": 0.25, "high": 0.47}


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As published beside honest, harmonised on tangled scanners."""
    folder = tmp_path_factory.mktemp("held")
    write_fake_run(folder, as_published=["selection", "threshold"], harmonise={"batch": "centre"}, pictures=False)
    report.write(folder)
    return folder


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("no-controls")
    write_fake_run(folder, controls=False, sequences=("CT",), pictures=False)
    report.write(folder)
    return folder


def rewritten(folder: Path, **changes: Any) -> Path:
    """A fake run whose results hold these."""
    write_fake_run(folder, pictures=False)
    stored = results(folder)
    stored["controls"] |= changes
    (folder / "results.json").write_text(json.dumps(stored))
    report.write(folder)
    return folder


@pytest.mark.parametrize(
    ("interval", "p", "said"),
    [
        (ABOVE, 0.048, "better than chance"),
        (ABOVE, None, "better than chance"),
        (ABOVE, 0.051, "no signal is claimed: permutation p = 0.051"),
        (AROUND, 0.01, "no signal is claimed: not shown to be better than chance"),
        (BELOW, 0.9, "no signal is claimed: below chance"),
        (BELOW, None, "no signal is claimed: below chance"),
        ({**ABOVE, "low": None, "high": None}, 0.01, "no signal is claimed: not shown to be better than chance"),
    ],
)
def test_the_headline_claims_what_interval_and_permutations_both_allow(interval: Any, p: Any, said: str) -> None:
    permutation = None if p is None else {"p_value": p}
    assert verdict(interval, permutation, approximate=False) == said


def test_a_permutation_p_above_the_level_takes_the_claim_from_the_first_page(tmp_path: Path) -> None:
    write_fake_run(tmp_path / "read", pictures=False, signal=4.0)
    stored = results(tmp_path / "read")
    for entry in stored["controls"]["permutation"]["sets"].values():
        entry["p_value"] = 0.214
    (tmp_path / "read" / "results.json").write_text(json.dumps(stored))
    report.write(tmp_path / "read")
    text = first_screen(tmp_path / "read")
    assert "better than chance" not in text.replace("not shown to be better than chance", "")
    assert "No signal is claimed" in text
    assert "permutation p = 0.214" in text


def test_the_first_page_says_the_stored_verdict_with_its_difference(held: Path) -> None:
    (volume, clinical) = results(held)["controls"]["alone"]
    text = first_screen(held)
    for control in (volume, clinical):
        for stored in control["differences"].values():
            low, high = stored["difference"]["low"], stored["difference"]["high"]
            assert stored["verdict"] in text
            assert f"(95% CI {number(low)} to {number(high)})" in text
    assert "Not shown to beat volume alone (n = 15)" in text


def test_a_control_that_did_not_run_is_named_on_the_first_page_with_its_reason(bare: Path) -> None:
    assert "Not run: site alone (the study names no centre column), volume alone (no column" in first_screen(bare)
    assert "No control ran" in words(bare)
    assert "no column of the table is a volume" in plain(table(bare, "table-absent")).replace("No column", "no column")


def test_without_permutations_there_is_no_figure_of_them(bare: Path, held: Path) -> None:
    assert (held / "figures" / "permutations.png").exists()
    assert not (bare / "figures" / "permutations.png").exists()


def test_few_permutations_are_said_to_show_little() -> None:
    stored = {"n": 9, "sets": {"internal": {"mean": 0.5, "p_value": 0.1}}, "note": ""}
    (line,) = controls_paragraph({"controls": {"permutation": stored, "alone": [], "absent": []}}, ["internal"])
    assert "no signal is claimed. So few permutations cannot show a p below 0.1." in line


def test_the_table_of_controls_has_every_stored_number(held: Path) -> None:
    cells = plain(table(held, "table-controls"))
    for control in results(held)["controls"]["alone"]:
        for name, entry in control["sets"].items():
            stored = control["differences"][name]
            for value in (entry["auc"]["interval"]["value"], stored["difference"]["value"], stored["p_value"]):
                assert number(value) in cells
            assert stored["verdict"] in cells


def test_a_tangled_batch_is_warned_of_on_the_first_page(held: Path, bare: Path) -> None:
    warning = results(held)["harmonisation"]["tangled"]["warning"]
    assert warning
    assert warning in first_screen(held)
    assert 'id="tangled"' not in page(bare)


def test_harmonisation_shows_what_is_left_of_the_batch(held: Path, bare: Path) -> None:
    stored = results(held)["harmonisation"]
    cells = plain(table(held, "table-harmonisation"))
    assert number(stored["before"]["auc"]) in cells
    assert number(stored["after"]["auc"]) in cells
    assert "Harmonisation" not in plain(page(bare).partition("<nav")[2].partition("</nav>")[0])


def test_an_optimistic_number_never_stands_without_the_word_and_the_honest_one(held: Path) -> None:
    stored = results(held)["as_published"]
    honest = results(held)["models"][stored["model"]]["sets"]
    for name in ("internal", "external"):
        leaked, true = (entry[name]["auc"]["interval"]["value"] for entry in (stored["sets"], honest))
        assert f"OPTIMISTIC AUC {number(leaked)}, honest {number(true)}" in first_screen(held)
        row = re.search(rf"<tr><td>{name.capitalize()} test</td>.*?</tr>", table(held, "table-published"), re.DOTALL)
        assert row
        assert re.search(rf"OPTIMISTIC {number(leaked)}.*{number(true)}", plain(row[0]))


def test_an_optimistic_number_stands_nowhere_else(tmp_path: Path) -> None:
    write_fake_run(tmp_path, as_published=["selection"], pictures=False)
    stored = results(tmp_path)
    for entry in stored["as_published"]["sets"].values():
        entry["auc"]["interval"] |= {"value": 0.98765, "low": 0.97531, "high": 0.99887}
    (tmp_path / "results.json").write_text(json.dumps(stored))
    report.write(tmp_path)
    text = words(tmp_path)
    assert text.count("0.988") == text.count("OPTIMISTIC AUC 0.988") + text.count("OPTIMISTIC 0.988") == 4
    for file in (tmp_path / "tables").iterdir():
        assert ("0.98765" in file.read_text()) == (file.name == "as_published.csv")


def test_an_honest_run_has_no_optimistic_word(bare: Path) -> None:
    assert "OPTIMISTIC" not in page(bare)
    assert as_published_words(results(bare)) == ""


def test_the_proof_marks_the_step_that_saw_held_out_patients(held: Path, bare: Path) -> None:
    rows = re.findall(r'<tr class="leak">(.*?)</tr>', table(held, "table-proof"), re.DOTALL)
    assert [plain(row).split()[:2] for row in rows] == [["as", "published"]]
    assert 'class="leak"' not in table(bare, "table-proof")


def test_equal_rows_of_the_proof_stand_together_and_the_csv_keeps_all(held: Path) -> None:
    stored = results(held)["proof"]
    assert table(held, "table-proof").count("<tr") == 1 + 5 + 1  # head, five steps, the leak
    assert "3 models" in table(held, "table-proof")
    assert len(pd.read_csv(held / "tables" / "proof.csv")) == len(stored) == 16


def test_the_csv_of_controls_keeps_every_digit(held: Path) -> None:
    rows = pd.read_csv(held / "tables" / "controls.csv").set_index(["control", "set"])
    for control in results(held)["controls"]["alone"]:
        for name, stored in control["differences"].items():
            assert rows.loc[(control["name"], name), "difference_low"] == stored["difference"]["low"]
            assert rows.loc[(control["name"], name), "verdict"] == stored["verdict"]


def test_the_csv_of_harmonisation_has_every_feature(held: Path, bare: Path) -> None:
    stored = results(held)["harmonisation"]["before"]
    rows = pd.read_csv(held / "tables" / "harmonisation.csv")
    rows = rows[(rows["when"] == "before") & (rows["measure"] == "eta_squared")].set_index("feature")["value"]
    assert rows.to_dict() == stored["eta_squared"]
    assert not (bare / "tables" / "harmonisation.csv").exists()


def test_a_control_without_a_difference_has_a_dash(tmp_path: Path) -> None:
    write_fake_run(tmp_path / "one", pictures=False)
    alone = results(tmp_path / "one")["controls"]["alone"]
    folder = rewritten(tmp_path / "two", alone=[{**alone[0], "differences": {}, "notes": ["Too few patients."]}])
    assert "Volume alone has no result in a test set." in first_screen(folder)
    assert "Too few patients." in plain(section(folder, "controls"))
