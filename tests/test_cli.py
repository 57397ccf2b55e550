"""The command line: help, JSON, and one clear message for every mistake."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glottis.cli import app, run_command
from glottis.data.volume import Mask
from glottis.io.images import write_volume
from tiny_study import SHAPE, TinyStudy, contents, image, mask

COMMANDS = [str(command.name or command.callback.__name__) for command in app.registered_commands if command.callback]
Capture = pytest.CaptureFixture[str]
Damage = Callable[[TinyStudy], object]


def refused(capsys: Capture, arguments: list[str]) -> str:
    """The one message of a command that the user's input stops."""
    capsys.readouterr()
    assert run_command(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert not any("Traceback" in line for line in lines)
    messages = [line for line in lines if line.startswith("glottis: ")]
    assert len(messages) == 1
    assert lines[-1] == messages[0]
    return messages[0]


def setting(*path: str, value: Any) -> Damage:
    def damage(tiny: TinyStudy) -> None:
        block = tiny.settings
        for name in path[:-1]:
            block = block.setdefault(name, {})
        block[path[-1]] = value

    return damage


def cells(column: str, value: str, *, where: str = "patient", equals: str = "P05") -> Damage:
    def damage(tiny: TinyStudy) -> None:
        tiny.table.loc[tiny.table[where] == equals, column] = value

    return damage


def moved_mask(tiny: TinyStudy) -> None:
    voxels = np.ones(SHAPE, dtype=bool)
    write_volume(Mask(voxels=voxels, spacing_mm=(3.0, 1.0, 1.1)), tiny.own("P05", "T1_mask"))


BAD_STUDIES: dict[str, tuple[Damage, list[str]]] = {
    "a wrong column": (
        setting("outcome", "column", value="stag"),
        ["no column 'stag' (outcome)", "did you mean 'stage'?"],
    ),
    "a wrong role": (
        setting("outcome", "column", value="patient"),
        ["The outcome 'patient' cannot be used", "'late' does not occur ('P00': 1", "name one of the values"],
    ),
    "a missing image": (
        cells("T1_image", "gone.nii"),
        ["P05 T1", "gone.nii does not exist", "Correct its path in the manifest"],
    ),
    "another grid": (moved_mask, ["P05 T1", "spacing by 0.1 mm (tolerance 0.0001)", "Draw or export the mask"]),
    "an unreadable image": (
        lambda tiny: tiny.own("P05", "T2_image").write_bytes(b"no image at all"),
        ["P05 T2", "P05_T2_image.nii' is no NIfTI file", "Check the file"],
    ),
    "an unknown key": (setting("splitt", value={}), ["study.yaml: unknown key 'splitt'", "did you mean 'split'?"]),
    "an unknown inner key": (
        setting("selection", "lasso", "fold", value=3),
        ["unknown key 'selection.lasso.fold'", "did you mean 'folds'?"],
    ),
    "a value that cannot be": (
        setting("split", "test_fraction", value=1.5),
        ["'split.test_fraction'", "less than 1 (got 1.5)"],
    ),
    "one class": (
        cells("stage", "late", where="stage", equals="early"),
        ["The outcome 'stage'", "one class only ('late': 24)", "add patients of the other class"],
    ),
    "a third value": (
        cells("stage", "unclear"),
        ["The outcome 'stage'", "3 values ('early': 12, 'late': 11, 'unclear': 1)", "recode or empty the others"],
    ),
    "an external centre of one class": (
        cells("stage", "early", where="centre", equals="B"),
        ["external centre 'B' has 8 patients of one class only", "choose another centre"],
    ),
    "an unknown external centre": (
        setting("split", "external", value=["C"]),
        ["external centre 'C' has no patient", "Known: A, B"],
    ),
    "fewer events than folds": (
        setting("model", "folds", value=13),
        ["12 positive and 12 negative", "too few for 13 folds", "Use 12 folds or fewer"],
    ),
    "fewer events than folds of the split": (
        setting("split", value={"method": "kfold", "folds": 13}),
        ["too few for 13 folds", "Use 12 folds or fewer"],
    ),
    "two rows of a patient": (
        cells("patient", "P06"),
        ["1 patient has several rows (P06)", "keep one row a patient"],
    ),
}


@pytest.mark.parametrize("kind", BAD_STUDIES)
def test_a_run_stops_with_one_message_at(kind: str, tiny: TinyStudy, capsys: Capture):
    damage, words = BAD_STUDIES[kind]
    damage(tiny)
    tiny.write()
    message = refused(capsys, tiny.arguments())
    assert [part for part in words if part not in message] == [], message
    assert not (tiny.run / "split.json").exists()


def test_a_run_folder_is_free_again_once_the_manifest_is_mended(tiny: TinyStudy, capsys: Capture):
    image_file = tiny.table.loc[5, "T1_image"]
    tiny.set("P05", "T1_image", "gone.nii")
    tiny.write()
    refused(capsys, tiny.arguments())
    tiny.set("P05", "T1_image", image_file)
    tiny.compute()
    assert (tiny.run / "results.json").exists()


def test_a_run_folder_of_another_study_is_left_alone(computed: TinyStudy, tiny: TinyStudy, capsys: Capture):
    tiny.settings["random_state"] = 7
    before = contents(computed.run, "*")
    message = refused(capsys, ["run", str(tiny.write()), "--out", str(computed.run)])
    assert "belongs to another study ('Tiny study', settings differ): choose another --out" in message
    assert contents(computed.run, "*") == before


def test_a_folder_of_other_files_is_no_place_for_a_run(tiny: TinyStudy, capsys: Capture):
    tiny.write()
    assert "is not empty and is no run" in refused(capsys, ["run", str(tiny.study), "--out", str(tiny.folder)])


@pytest.mark.parametrize("where", ["", "absent"])
def test_report_refuses_a_folder_that_is_no_run(where: str, tmp_path: Path, capsys: Capture):
    assert "is no run folder of glottis: give the folder" in refused(capsys, ["report", str(tmp_path / where)])


@pytest.mark.parametrize("name", ["results.json", "features.parquet", "predictions.csv", "masks.npz", "flow.json"])
def test_report_names_a_damaged_file_and_how_to_mend_it(
    name: str, computed: TinyStudy, tiny: TinyStudy, capsys: Capture
):
    for path, content in contents(computed.run, "*").items():
        tiny.run.mkdir(parents=True, exist_ok=True)
        (tiny.run / path).write_bytes(content[: len(content) // 2] if path == name else content)
    message = refused(capsys, ["report", str(tiny.run)])
    assert f"{name}' is missing or damaged: run  glottis run STUDY.yaml --out" in message


def test_report_of_an_unfinished_run_says_how_to_complete_it(tiny: TinyStudy, computed: TinyStudy, capsys: Capture):
    tiny.run.mkdir(parents=True)
    (tiny.run / "identity.json").write_bytes((computed.run / "identity.json").read_bytes())
    assert "results.json' is missing or damaged: run  glottis run" in refused(capsys, ["report", str(tiny.run)])


def test_init_overwrites_no_study(tiny: TinyStudy, capsys: Capture):
    tiny.write()
    message = refused(capsys, ["init", str(tiny.folder), "--out", str(tiny.folder)])
    assert "manifest.csv' exists already: choose another --out, or delete it first" in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rum"], ["No such command 'rum'", "glottis --help"]),
        (["run", "--jobs", "2"], ["Missing argument 'study'", "glottis run --help"]),
        (["run", "study.yaml", "--outt", "run"], ["No such option: --outt", "--out", "glottis run --help"]),
        (
            ["run", "study.yaml", "--out", "run", "-j", "0"],
            ["'--jobs'", "greater than or equal to 1", "glottis run --help"],
        ),
        (["run", "absent.yaml", "--out", "run"], ["There is no study file 'absent.yaml'", "glottis init"]),
        (["compare", "absent.csv", "--out", "out"], ["Table 'absent.csv' does not exist: correct the path"]),
        (["compare", "a.csv"], ["Missing option '--out'", "glottis compare --help"]),
        (["compare", "a.csv", "--out", "o", "--threshold", "m=x"], ["--threshold m=x names no number: write"]),
        (["audit"], ["No table to audit: name one or more, or take --example lscc-staging-mri"]),
        (["audit", "--example", "lscc"], ["There is no example 'lscc'", "lscc-lnm-ct, lscc-staging-mri"]),
        (["audit", "absent.csv"], ["Table 'absent.csv' does not exist: correct the path"]),
        (["extract", "absent.csv", "-o", "out.csv"], ["Table 'absent.csv' does not exist: correct the path"]),
        (["extract", "absent.csv", "-o", "out.xls"], ["Cannot write a table as 'out.xls'", "use .csv, .json"]),
        (["extract", "a.nii"], ["'a.nii' is an image: give its mask as second argument, or a batch table"]),
        (["extract", "a.csv", "m.nii"], ["'a.csv' is a batch table, its masks stand in it: leave 'm.nii' out"]),
        (["extract", "a.nii", "m.nii", "-m", "voxel"], ["--mode voxel is not offered", "keep PyRadiomics for voxel"]),
        (["extract", "a.csv", "-od", "rows"], ["--out-dir is not offered", "--cache rows"]),
        (["extract", "a.csv", "--log-file", "log"], ["--log-file is PyRadiomics' and not offered", "2> FILE"]),
        (["extract", "a.csv", "-v", "5"], ["-v is PyRadiomics' and not offered", "error stream"]),
        (["extract", "a.csv", "--json"], ["--json prints what came", "needs -o", "use --format json"]),
        (["extract", "a.csv", "-f", "parquet"], ["Parquet is no text to print", "with -o"]),
        (["extract", "a.csv", "-s", "binWith:5"], ["'binWith' is no setting", "did you mean 'binWidth'?"]),
        (["extract", "a.csv", "--lable", "2"], ["No such option: --lable", "glottis extract --help"]),
        (
            ["phantom", "--out", "x", "--patients", "0"],
            ["'--patients'", "greater than or equal to 1", "glottis phantom --help"],
        ),
    ],
)
def test_a_slip_on_the_command_line_is_named(
    arguments: list[str], words: list[str], capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    message = refused(capsys, arguments)
    assert [part for part in words if part not in message] == [], message
    assert not list(tmp_path.iterdir())


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk that is full for every file larger than ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_extraction_on_a_full_disk_keeps_its_finished_rows(tiny: TinyStudy, capsys: Capture):
    arguments = tiny.extraction()
    with files_of_at_most(20_000):
        message = refused(capsys, arguments)
    assert f"Cannot write '{tiny.folder / 'out.csv'}': the file exceeds the allowed size: raise the limit" in message
    kept = contents(tiny.folder / "out.csv.cache", "*/*")
    assert len(kept) == 48
    assert run_command(arguments) == 0
    assert (tiny.folder / "out.csv").stat().st_size > 20_000
    assert not (tiny.folder / "out.csv.cache").exists()


def test_a_run_on_a_full_disk_keeps_what_it_has_computed(tiny: TinyStudy, computed: TinyStudy, capsys: Capture):
    tiny.write()
    with files_of_at_most((computed.run / "features.parquet").stat().st_size - 1):
        message = refused(capsys, tiny.arguments())
    assert f"Cannot write '{tiny.run / 'features.parquet'}': the file exceeds the allowed size" in message
    scans = contents(tiny.run, "cache/scans/*/*")
    assert len(scans) == 48
    with files_of_at_most(max(path.stat().st_size for path in computed.run.rglob("*") if path.is_file())):
        message = refused(capsys, tiny.arguments())
    assert f"Cannot write '{tiny.run / 'figures'}" in message
    assert contents(tiny.run, "cache/scans/*/*") == scans
    tiny.compute()
    for name in ("features.parquet", "predictions.csv", "results.json"):
        assert (tiny.run / name).read_bytes() == (computed.run / name).read_bytes()


def test_the_commands_are_those_of_the_manual():
    assert COMMANDS == ["demo", "init", "check", "extract", "compare", "audit", "run", "report", "predict", "phantom"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_an_example_on_a_line_of_its_own(command: str, capsys: Capture):
    assert run_command([command, "--help"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith(f"Example: glottis {command}") for line in lines)
    assert lines[0].startswith(f"Usage: glottis {command}")


def test_the_list_of_commands_cuts_no_sentence(capsys: Capture):
    assert run_command(["--help"]) == 0
    text = capsys.readouterr().out
    assert "..." not in text.split("Commands:")[1]
    assert "Example: glottis demo" in text


def test_glottis_alone_shows_the_help(capsys: Capture):
    assert run_command([]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_the_version_is_that_of_the_package(capsys: Capture):
    from glottis import __version__

    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out == f"glottis {__version__}\n"


def test_check_answers_in_json_and_by_exit_code(tiny: TinyStudy, capsys: Capture):
    assert run_command(["check", str(tiny.write()), "-j", "1", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert {finding["severity"] for finding in findings} <= {"warning", "note"}
    tiny.set("P05", "T1_image", "gone.nii")
    assert run_command(["check", str(tiny.write()), "-j", "1", "--json"]) == 2
    first = json.loads(capsys.readouterr().out)[0]
    assert (first["severity"], first["patient"], first["sequence"]) == ("error", "P05", "T1")


def test_init_answers_in_json(tmp_path: Path, capsys: Capture):
    for patient in ("P1", "P2"):
        write_volume(image(1), tmp_path / "scans" / patient / "T1_image.nii")
        write_volume(mask(1), tmp_path / "scans" / patient / "T1_mask.nii")
    assert run_command(["init", str(tmp_path / "scans"), "--out", str(tmp_path / "study"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["patients"] == {"T1": 2}


def test_phantom_answers_in_json(tmp_path: Path, capsys: Capture):
    assert run_command(["phantom", "--out", str(tmp_path), "--patients", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["patients"] == 1


def test_an_interrupted_command_says_so_in_one_line(tiny: TinyStudy, capsys: Capture, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("glottis.study.run.run", interrupt)
    tiny.write()
    assert run_command(tiny.arguments()) == 130
    assert capsys.readouterr().err.splitlines() == [
        "glottis: Stopped. The same command goes on where it was; finished work is kept."
    ]


def one_scan(folder: Path) -> list[str]:
    """Arguments for one image and its mask, first-order features alone."""
    write_volume(image(1), folder / "image.nii")
    write_volume(mask(1), folder / "mask.nii")
    (folder / "params.yaml").write_text("featureClass: {firstorder: [Mean, Entropy]}\n")
    return ["extract", str(folder / "image.nii"), str(folder / "mask.nii"), "-p", str(folder / "params.yaml")]


def test_one_image_and_mask_are_printed_as_pyradiomics_prints_them(tmp_path: Path, capsys: Capture):
    assert run_command(one_scan(tmp_path)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Case-1_Image: {tmp_path / 'image.nii'}"
    assert len(lines) == 2 + 22 + 2
    assert lines[-1].startswith("Case-1_original_firstorder_Entropy: ")


def test_a_table_may_be_printed_as_json_with_options_of_pyradiomics(tmp_path: Path, capsys: Capture):
    options = ["-f", "json", "-s", "additionalInfo:false", "--format-path", "basename", "-l", "1", "-m", "segment"]
    assert run_command([*one_scan(tmp_path), *options]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert list(row) == ["Image", "Mask", "original_firstorder_Mean", "original_firstorder_Entropy"]
    assert (row["Image"], row["Mask"]) == ("image.nii", "mask.nii")


def test_the_format_may_differ_from_the_suffix(tmp_path: Path):
    assert run_command([*one_scan(tmp_path), "-o", str(tmp_path / "out.dat"), "-f", "csv"]) == 0
    assert (tmp_path / "out.dat").read_text().startswith("Image,Mask,diagnostics_Versions_PyRadiomics,")


def test_a_batch_is_validated_without_extraction(tiny: TinyStudy, capsys: Capture):
    tiny.set("P03", "T2_image", "gone.nii")
    assert run_command([*tiny.extraction(), "--validate"]) == 2
    assert capsys.readouterr().out.splitlines() == [
        f"row 8: Image '{tiny.folder / 'gone.nii'}' does not exist: correct the path."
    ]
    tiny.set("P03", "T2_image", tiny.table.loc[0, "T2_image"])
    assert run_command([*tiny.extraction(), "--validate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert not (tiny.folder / "out.csv").exists()


def test_warnings_of_an_extraction_reach_the_error_stream(tmp_path: Path, capsys: Capture):
    assert run_command([*one_scan(tmp_path), "-s", "binWidth:500", "-s", "binCount:8"]) == 0
    assert "binWidth changes nothing: binCount is given." in capsys.readouterr().err
    assert run_command([*one_scan(tmp_path), "-s", "binWidth:500"]) == 0
    assert "warning, row 1: Flat textures: a bin width of 500" in capsys.readouterr().err


WIDE = "id,ill,model,doctor\n" + "".join(
    f"p{i},{i % 2},{(i * 7 % 10 + 3 * (i % 2)) / 13},{i % 3 % 2}\n" for i in range(20)
)


def comparison(folder: Path, *options: str, table: str = WIDE) -> list[str]:
    path = folder / "scores.csv"
    path.write_text(table, encoding="utf-8")
    columns = ["--patient", "id", "--outcome", "ill", "--score", "model", "--score", "doctor"]
    return ["compare", str(path), *columns, "--out", str(folder / "out"), *options]


def test_a_comparison_says_what_it_finds_and_writes_it(tmp_path: Path, capsys: Capture):
    assert run_command(comparison(tmp_path, "--threshold", "0.5")) == 0
    printed = capsys.readouterr().out
    assert "model: AUC 0." in printed
    assert "model less doctor: difference of AUC" in printed
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"compare.html", "results.json", "tables", "figures"}


def test_a_comparison_answers_in_json(tmp_path: Path, capsys: Capture):
    assert run_command(comparison(tmp_path, "--json")) == 0
    assert list(json.loads(capsys.readouterr().out)["sets"][0]["raters"]) == ["model", "doctor"]


def test_a_comparison_of_different_patients_offers_the_common_ones(tmp_path: Path, capsys: Capture):
    table = WIDE.replace("p1,1,", "p1,1,NA,1\np99,1,")
    message = refused(capsys, comparison(tmp_path, table=table))
    assert (
        "'model' lacks 1 of 21 (p1). Add their scores, or compare on the 20 patients that all have: --common."
        in message
    )
    assert run_command(comparison(tmp_path, "--common", table=table)) == 0
    assert "left out: 1 of doctor" in capsys.readouterr().out


def test_an_audit_answers_in_json(tmp_path: Path, capsys: Capture):
    table = tmp_path / "table.csv"
    table.write_text("Model,Sensitivity,Specificity,PPV,n_positive,n_negative\nA,0.865,0.533,0.682,52,45\n")
    assert run_command(["audit", str(table), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["agrees"] == 1
    table.write_text(table.read_text().replace("0.682", "0.592"))
    assert run_command(["audit", str(table), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"][0]["cells"] == ["ppv"]


def test_an_audit_of_an_example_says_what_it_finds_and_writes_it(tmp_path: Path, capsys: Capture):
    assert run_command(["audit", "--example", "lscc-lnm-ct", "--out", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "DIFFERS (1): cannot all be right as printed"
    assert lines[1].endswith("0.864 is also the value of Nomogram.")
    assert lines[-1].endswith("the authors can tell.")
    table = (tmp_path / "out" / "findings.csv").read_text(encoding="utf-8").splitlines()
    found = json.loads((tmp_path / "out" / "findings.json").read_text(encoding="utf-8"))
    assert table[0] == "verdict,row,set,source,check,message,cells"
    assert len(table) - 1 == len(found["findings"]) == sum(found["counts"].values())


def test_an_audit_of_too_little_says_so(tmp_path: Path, capsys: Capture):
    (tmp_path / "table.csv").write_text("model,n,auc\nX,90,0.8\n")
    assert run_command(["audit", str(tmp_path / "table.csv")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing could be recomputed: not enough is printed."


def test_an_audit_with_nothing_to_ask_says_so(tmp_path: Path, capsys: Capture):
    (tmp_path / "tests.csv").write_text("kind,values,p\ncounts,78 114; 16 27,0.679\n")
    assert run_command(["audit", str(tmp_path / "tests.csv")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing to ask: what could be recomputed agrees."


def test_data_that_a_statistic_refuses_are_no_fault_of_glottis(tmp_path: Path, capsys: Capture):
    rows = "\n".join(f"P{i},m,{i % 2},{i / 20},1,{i % 2 + 1}" for i in range(20))  # a class a fold
    (tmp_path / "folds.csv").write_text(f"patient,model,y_true,y_score,repeat,fold\n{rows}\n")
    assert run_command(["compare", str(tmp_path / "folds.csv"), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "glottis: None of the 2 folds holds both classes: use fewer folds, or stratify them by outcome."
    ]
