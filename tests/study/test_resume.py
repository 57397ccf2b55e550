"""A killed command goes on where it was, and ends with what an undisturbed one gives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from glottis.cli import run_command
from tiny_study import TinyStudy, contents, kill_when

STORED = (
    "features.parquet", "predictions.csv", "results.json", "fit_log.jsonl", "flow.json", "split.json", "checks.json",
    "extraction.json", "masks.npz", "study.yaml", "tables/*", "figures/*",
)  # fmt: skip
PROVENANCE = re.compile(r'<section id="provenance">.*?</section>', re.DOTALL)


def entries(folder: Path) -> dict[Path, tuple[int, int]]:
    """Finished units of work with inode and time of writing."""
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("[0-9a-f]*.json")}


def untouched(before: dict[Path, tuple[int, int]], folder: Path) -> bool:
    after = entries(folder)
    return all(after[path] == mark for path, mark in before.items())


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_extraction_redoes_no_finished_case_and_ends_with_the_same_table(tiny: TinyStudy, jobs: int):
    kept = tiny.folder / "kept"
    arguments = [*tiny.extraction(), "--cache", str(kept), "-j", str(jobs)]
    kill_when(lambda: len(entries(kept)) > 5, arguments, tiny.folder)
    finished = entries(kept)
    assert 5 < len(finished) < 48
    assert not (tiny.folder / "out.csv").exists()
    assert run_command([*arguments, "-j", "1"]) == 0
    assert untouched(finished, kept)
    assert len(entries(kept)) == 48
    assert run_command(tiny.extraction("undisturbed.csv")) == 0
    assert (tiny.folder / "out.csv").read_bytes() == (tiny.folder / "undisturbed.csv").read_bytes()


def assert_same_run(run: Path, undisturbed: Path) -> None:
    ours, theirs = contents(run, *STORED), contents(undisturbed, *STORED)
    assert sorted(ours) == sorted(theirs)
    assert [name for name in theirs if ours[name] != theirs[name]] == []
    pages = [(folder / "report.html").read_text(encoding="utf-8") for folder in (run, undisturbed)]
    assert len({PROVENANCE.sub("", page) for page in pages}) == 1
    assert all(len(PROVENANCE.findall(page)) == 1 for page in pages)


def kill_at_every_stage(study: TinyStudy, *, jobs: int) -> None:
    """Kill a run inside extraction, inside the models and inside the report, each time going on from the last."""
    run, arguments = study.run, study.arguments(jobs=jobs)
    scans, fits = run / "cache" / "scans", run / "cache" / "fits"
    kill_when(lambda: len(entries(scans)) > 5, arguments, study.folder)
    assert len(entries(scans)) < 48
    assert not (run / "features.parquet").exists()
    extracted = entries(scans)
    kill_when(lambda: len(entries(fits)) > 0, arguments, study.folder)
    assert len(entries(fits)) < len(study.settings["combinations"])
    assert not (run / "results.json").exists()
    assert untouched(extracted, scans)
    fitted = entries(scans) | entries(fits)
    kill_when(lambda: len(list(run.glob("figures/*.png"))) > 0, arguments, study.folder)
    assert not (run / "report.html").exists()
    assert untouched(fitted, scans.parent)


def small(study: TinyStudy) -> TinyStudy:
    """With two models and one test set: most of the time goes into the figures of the report."""
    study.settings |= {"split": {"method": "random"}, "combinations": [["T1"], ["T2"]]}
    return study


def test_a_run_killed_at_every_stage_ends_with_the_bytes_of_an_undisturbed_one(
    make_tiny: Callable[[str], TinyStudy], capsys: pytest.CaptureFixture[str]
):
    killed, undisturbed = small(make_tiny("killed")), small(make_tiny("undisturbed"))
    killed.write()
    kill_at_every_stage(killed, jobs=1)
    capsys.readouterr()
    assert run_command([*killed.arguments(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["report"] == str(killed.run / "report.html")
    assert_same_run(killed.run, undisturbed.finish())
    assert not list(killed.run.rglob(".writing-*"))


@pytest.mark.slow
def test_two_workers_killed_at_every_stage_end_with_the_bytes_of_an_undisturbed_run(
    make_tiny: Callable[[str], TinyStudy],
):
    killed, undisturbed = make_tiny("killed"), make_tiny("undisturbed")
    for study in (killed, undisturbed):
        study.settings["combinations"] = [["T1"], ["T2"], ["T1", "T2"]]
    killed.write()
    kill_at_every_stage(killed, jobs=2)
    assert run_command(killed.arguments(jobs=2)) == 0
    assert_same_run(killed.run, undisturbed.finish(jobs=2))


@pytest.mark.slow
def test_a_killed_phantom_study_ends_with_the_bytes_of_an_undisturbed_one(tmp_path: Path):
    cohort = tmp_path / "cohort"
    assert run_command(["phantom", "--out", str(cohort), "--patients", "100"]) == 0
    runs = {name: tmp_path / name for name in ("killed", "undisturbed")}
    arguments = {name: ["run", str(cohort / "study.yaml"), "--out", str(run), "-j", "2"] for name, run in runs.items()}
    killed = runs["killed"]
    for reached in (
        lambda: len(entries(killed / "cache" / "scans")) > 20,
        lambda: len(entries(killed / "cache" / "fits")) > 1,
        lambda: len(list(killed.glob("figures/*.png"))) > 2,
    ):
        kill_when(reached, arguments["killed"], tmp_path)
    for name in runs:
        assert run_command(arguments[name]) == 0
    assert_same_run(killed, runs["undisturbed"])
