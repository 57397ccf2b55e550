"""The command line: arguments in, one call, exit code out."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from typer.exceptions import TyperException

from glottis import __version__
from glottis._errors import GlottisError, SettingsError
from glottis.data.cohort import Lesions
from glottis.io.files import REASONS, storage_error
from glottis.study.table_layout import Format, Layout, PathForm, format_of_text

if TYPE_CHECKING:
    from glottis.study.parallel import Progress
    from glottis.workflows import FinishedRun

app = typer.Typer(
    name="glottis",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Jobs = Annotated[int, typer.Option("-j", "--jobs", min=1, help="Processes at work, this one included.")]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler", metavar="tcp://HOST:PORT", help="Dask scheduler whose workers do the work in place of --jobs."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
_STREAMS = "warnings and failures go to the error stream, 2> FILE keeps them"
ELSEWHERE = dict.fromkeys(("--logging-level", "--log-file", "--verbosity", "-v"), _STREAMS)
"""Options of PyRadiomics' command line that ``extract`` has no word for, and what to do instead."""
INTERRUPTED, OUR_FAULT, USERS_INPUT = 130, 1, 2


def main() -> None:
    """Run the command line and leave with its exit code: 0 success, 1 our fault, 2 the user's input."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command.

    Args:
        arguments: what follows ``glottis`` on the command line.

    Returns:
        The exit code.
    """
    try:
        code = app(arguments or ["--help"], prog_name="glottis", standalone_mode=False)
    except GlottisError as error:
        return _say(str(error), USERS_INPUT)
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except TyperException as error:
        return _say(_usage(error), USERS_INPUT)
    except OSError as error:
        if error.errno in REASONS:
            return _say(str(storage_error(Path(error.filename or "a file"), error)), USERS_INPUT)
        return _our_fault()
    except Exception:
        return _our_fault()
    if code == INTERRUPTED:
        return _say("Stopped. The same command goes on where it was; finished work is kept.", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _usage(error: TyperException) -> str:
    """What is wrong with the arguments, and where the right ones are listed."""
    name = getattr(error, "option_name", "")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "glottis"
    if command == "glottis extract" and name in ELSEWHERE:
        return f"{name} is PyRadiomics' and not offered: {ELSEWHERE[name]}."
    text = error.format_message()
    return f"{text}{'' if text.endswith(('.', '?')) else '.'} See  {command} --help"


def _say(message: str, code: int) -> int:
    sys.stderr.write(f"glottis: {message}\n")
    return code


def _our_fault() -> int:
    traceback.print_exc()
    return _say("This is a fault of glottis, not of your data. Please report it with the lines above.", OUR_FAULT)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"glottis {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda wanted: _version(wanted=wanted), is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Radiomics studies from scans to a model one can trust.

    Example: glottis demo
    """


@app.command(short_help="Make a small synthetic cohort and run a whole study on it.")
def demo(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the cohort, the run and its report.")] = Path(
        "glottis-demo"
    ),
    jobs: Jobs = 2,
    as_json: AsJson = False,
) -> None:
    """Make a small synthetic cohort, run the whole study on it and write its report.

    Example: glottis demo --out demo
    """
    from glottis import workflows

    with _progress() as progress:
        finished = workflows.demo(out, jobs=jobs, progress=progress)
    _report_run(finished, as_json=as_json)


@app.command(short_help="Write a first study file from a folder of scans or a table of features.")
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of scans, PyRadiomics batch table, or table of features.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for manifest.csv and study.yaml.")],
    clinical: Annotated[
        Path | None, typer.Option("--clinical", help="Clinical table: CSV, TSV, Excel or Parquet.")
    ] = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="Column to predict.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find scans and masks in a folder, join the clinical table, and write a manifest and a study file to edit.

    A table of features gets a study file that starts from it, without images.

    Example: glottis init scans --clinical clinical.csv --outcome metastasis --out study

    Example: glottis init features.csv --outcome Target --out study
    """
    from glottis import workflows

    made = workflows.init(folder, out, clinical=clinical, outcome=outcome)
    if as_json:
        typer.echo(json.dumps(made.to_dict(), indent=1, ensure_ascii=False))
        return
    for line in made.lines():
        typer.echo(line)


@app.command(short_help="List every problem of a cohort before a run.")
def check(
    study: Annotated[Path, typer.Argument(help="Study file, as glottis init writes it.")],
    *,
    jobs: Jobs = 2,
    as_json: AsJson = False,
) -> None:
    """Look for every problem of a cohort: files, masks, grids, outcome, leaks. Exit code 2 where a run would stop.

    Example: glottis check study.yaml
    """
    from glottis import workflows

    with _progress() as progress:
        findings = workflows.check(study, jobs=jobs, progress=progress)
    if as_json:
        typer.echo(json.dumps([finding.to_dict() for finding in findings], indent=1, ensure_ascii=False))
    else:
        for line in workflows.finding_lines(findings):
            typer.echo(line)
    if workflows.has_errors(findings):
        raise typer.Exit(USERS_INPUT)


@app.command(short_help="Write a table of features, as PyRadiomics names them.")
def extract(
    batch: Annotated[
        Path, typer.Argument(help="Batch table with the columns Image and Mask (and any others), or an image.")
    ],
    mask: Annotated[Path | None, typer.Argument(help="Mask, where an image comes first.")] = None,
    *,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Table to write: .csv, .json, .parquet or .txt; else printed.")
    ] = None,
    param: Annotated[
        Path | None, typer.Option("-p", "--param", help="PyRadiomics parameter file, YAML or JSON.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("-s", "--setting", help="NAME:VALUE in place of the parameter file's; may be repeated."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("-l", "--label", help="Label of the mask, several (1,2) or all; one row a label.")
    ] = None,
    lesions: Annotated[
        Lesions, typer.Option("--lesions", help="Several lesions in a mask: union, largest or each.")
    ] = "union",
    table_format: Annotated[
        Format | None, typer.Option("-f", "--format", help="csv, json, parquet or txt, whatever the suffix says.")
    ] = None,
    skip_nans: Annotated[bool, typer.Option("--skip-nans", help="Leave features without a value out.")] = False,
    format_path: Annotated[
        PathForm, typer.Option("--format-path", help="Paths in the table: written, absolute, relative or basename.")
    ] = "written",
    unix_path: Annotated[bool, typer.Option("--unix-path", "-up", help="Write / between folders.")] = False,
    validate: Annotated[bool, typer.Option("--validate", help="Look for missing files and extract nothing.")] = False,
    mode: Annotated[str, typer.Option("-m", "--mode", help="segment, the only one.")] = "segment",
    out_dir: Annotated[Path | None, typer.Option("-od", "--out-dir", hidden=True)] = None,
    cache: Annotated[Path | None, typer.Option("--cache", help="Folder that keeps finished rows for good.")] = None,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Features of one image and mask, or of many, with PyRadiomics' names, values and columns.

    Example: glottis extract image.nii.gz mask.nii.gz

    Example: glottis extract batch.csv -o features.csv --param params.yaml -j 2
    """
    from glottis import workflows
    from glottis.study.feature_file import features_text
    from glottis.study.overrides import read_overrides

    _refuse_what_extract_lacks(mode, out_dir, as_json=as_json and out is None and not validate)
    given, settings = workflows.one_pair(batch, mask), read_overrides(setting or [])
    if validate:
        _report_validation(workflows.validate(given, params=param, settings=settings), as_json=as_json)
        return
    start = Path() if mask else batch.parent
    layout = Layout(format=table_format, skip_nans=skip_nans, paths=format_path, start=start, unix_paths=unix_path)
    printed = format_of_text(layout) if out is None else None
    with _progress() as progress:
        result = workflows.extract(
            given, out, params=param, settings=settings, label=label, lesions=lesions, layout=layout, jobs=jobs,
            cache=cache, scheduler=scheduler, progress=progress,
        )  # fmt: skip
    if printed is not None:
        typer.echo(features_text(result, printed, layout), nl=False)
    elif as_json:
        typer.echo(json.dumps(result.to_dict(), indent=1, ensure_ascii=False))
    else:
        whole = len(result.records) - len(result.failures)
        typer.echo(f"{whole} rows with features, {len(result.failures)} without: {out}")
    for line in result.lines():
        typer.echo(line, err=True)
    if result.failures:
        raise typer.Exit(USERS_INPUT)


def _refuse_what_extract_lacks(mode: str, out_dir: Path | None, *, as_json: bool) -> None:
    """What PyRadiomics' command line has and ``extract`` does not, beside the options of ``ELSEWHERE``."""
    if mode != "segment":
        message = (
            f"--mode {mode} is not offered, features are measured over a whole mask (segment): "
            "keep PyRadiomics for voxel-based feature maps."
        )
        raise SettingsError(message)
    if out_dir is not None:
        message = f"--out-dir is not offered: finished rows are kept with  --cache {out_dir},  the table goes to -o."
        raise SettingsError(message)
    if as_json:
        message = "--json prints what came of an extraction and needs -o: for the features as JSON use --format json."
        raise SettingsError(message)


def _report_validation(missing: list[tuple[int, str]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([{"row": row, "reason": reason} for row, reason in missing], indent=1))
    else:
        typer.echo("\n".join(f"row {row}: {reason}" for row, reason in missing) or "Every file is there.")
    if missing:
        raise typer.Exit(USERS_INPUT)


@app.command(short_help="Evaluate models and human readers on the same patients.")
def compare(
    predictions: Annotated[
        Path, typer.Argument(help="Table, a row a patient (wide) or a patient and model (long), or a run's ledger.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for compare.html, results.json, tables and figures.")],
    outcome: Annotated[str | None, typer.Option("--outcome", help="Column to predict; else y_true.")] = None,
    positive: Annotated[str | None, typer.Option("--positive", help="Value of the positive class; else 1.")] = None,
    score: Annotated[
        list[str] | None,
        typer.Option("--score", help="Column of scores, higher for positive; repeat it, else y_score."),
    ] = None,
    patient: Annotated[str | None, typer.Option("--patient", help="Column of ids; else patient.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Column naming the model of a row.")] = None,
    reader: Annotated[str | None, typer.Option("--reader", help="Column naming the human reader of a row.")] = None,
    modality: Annotated[
        str | None, typer.Option("--modality", help="Column: with what the reader read (scan, model's help).")
    ] = None,
    time: Annotated[str | None, typer.Option("--time", help="Column of follow-up times.")] = None,
    event: Annotated[str | None, typer.Option("--event", help="Column: 1 for the event, 0 for censored.")] = None,
    centre: Annotated[str | None, typer.Option("--centre", help="Column of centres.")] = None,
    subgroup: Annotated[
        list[str] | None, typer.Option("--subgroup", help="Column of prespecified groups; may be repeated.")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            "--threshold",
            help="Number, NAME=NUMBER, a column, youden (on set = training) or youden-on-same-patients (optimistic).",
        ),
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", help="Compare with this model or reader alone.")
    ] = None,
    prevalence: Annotated[
        float | None, typer.Option("--prevalence", help="Predictive values at this prevalence, 0 to 1.")
    ] = None,
    horizon: Annotated[
        list[float] | None, typer.Option("--horizon", help="Time for the AUC by a time; may be repeated.")
    ] = None,
    common: Annotated[bool, typer.Option("--common", help="Where patients differ, use those that all have.")] = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate models and human readers on the same patients: tables, figures and one page.

    Example: glottis compare markers.csv --outcome outcome --positive Poor --score s100b --score wfns --out compared

    Example: glottis compare readings.csv --patient case --outcome truth --score rating --reader reader --out compared
    """
    from glottis import workflows
    from glottis.evaluation.compare import CompareOptions
    from glottis.evaluation.cutoffs import read_rule
    from glottis.io.predictions import Columns

    rule, column = read_rule(threshold or [])
    columns = Columns(
        patient=patient, outcome=outcome, positive=positive, scores=tuple(score or ()), model=model, reader=reader,
        modality=modality, time=time, event=event, centre=centre, threshold=column, subgroups=tuple(subgroup or ()),
    )  # fmt: skip
    options = CompareOptions(
        cutoffs=rule, reference=reference, prevalence=prevalence, horizons=tuple(horizon or ()), common=common
    )
    with _progress() as progress:
        finished = workflows.compare(predictions, out, columns=columns, options=options, progress=progress)
    if as_json:
        typer.echo(json.dumps(finished.to_dict(), indent=1, ensure_ascii=False))
        return
    for line in finished.lines():
        typer.echo(line)


@app.command(short_help="Recompute a paper's printed numbers and say which cannot all be right.")
def audit(
    tables: Annotated[
        list[Path] | None, typer.Argument(help="Tables of metrics, one row a model, or of tests (a column 'kind').")
    ] = None,
    *,
    example: Annotated[
        str | None, typer.Option("--example", help="A published example: lscc-staging-mri or lscc-lnm-ct.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for findings.csv and findings.json.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find the 2x2 tables behind printed metrics, test intervals and p values, and name the cells that do not fit.

    Exit code 0 whatever is found, 2 where a table cannot be read.

    Example: glottis audit table2.csv tests.csv --out findings
    """
    from glottis import workflows

    found = workflows.audit(tables or [], example=example, out=out)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    else:
        for line in workflows.audit_lines(found):
            typer.echo(line)


@app.command(short_help="Run a study from its scans to its report.")
def run(
    study: Annotated[Path, typer.Argument(help="Study file, as glottis init writes it.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="Run folder; the same folder goes on where a run stopped.")],
    jobs: Jobs = 2,
    scheduler: Scheduler = None,
    allow_code: Annotated[
        bool,
        typer.Option("--allow-code", help="Load a classifier that the study names by import path: runs its code."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a study from its scans, or its table of features, to its report.

    Example: glottis run study.yaml --out run
    """
    from glottis import workflows

    with _progress() as progress:
        finished = workflows.run(study, out, jobs=jobs, scheduler=scheduler, allow_code=allow_code, progress=progress)
    _report_run(finished, as_json=as_json)


@app.command(short_help="Write the report of a finished run anew.")
def report(
    folder: Annotated[Path, typer.Argument(help="Run folder, as glottis run wrote it.")], *, as_json: AsJson = False
) -> None:
    """Write tables, figures and report of a finished run anew, from its stored results.

    Example: glottis report run
    """
    from glottis import workflows

    with _progress() as progress:
        finished = workflows.report(folder, progress=progress)
    _report_run(finished, as_json=as_json)


@app.command(short_help="Ask a model file about new patients.")
def predict(
    bundle: Annotated[Path, typer.Argument(help="Model file, model.glottis of a run.")],
    *,
    table: Annotated[
        Path,
        typer.Option("--input", help="Table of patients: the study's columns of images and masks, or the features."),
    ],
    out: Annotated[Path, typer.Option("--out", help="CSV to write, one row a patient.")],
    figures: Annotated[
        Path | None, typer.Option("--figures", help="Folder for a figure of every patient's SHAP values and points.")
    ] = None,
    extrapolate: Annotated[
        bool, typer.Option("--extrapolate", help="Answer also where a value is far outside the training range.")
    ] = False,
    jobs: Jobs = 2,
    as_json: AsJson = False,
) -> None:
    """Give probability, interval, class and points of every patient in a table.

    Example: glottis predict run/model.glottis --input new.csv --out predictions.csv
    """
    from glottis import workflows

    with _progress() as progress:
        found = workflows.predict(
            bundle, table, out, figures=figures, extrapolate=extrapolate, jobs=jobs, progress=progress
        )
    typer.echo(json.dumps(found.to_dict()) if as_json else "\n".join(found.lines()))


@app.command(short_help="Write a synthetic cohort as files.")
def phantom(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the cohort.")],
    patients: Annotated[int, typer.Option("--patients", min=1, help="Number of patients.")] = 60,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Seed of the population.")] = None,
    null: Annotated[bool, typer.Option("--null", help="Nothing is related to the outcome.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a synthetic cohort as files: MR of three sequences, masks, readers, clinical table, study.yaml.

    Example: glottis phantom --out phantom --patients 100
    """
    from glottis import workflows

    with _progress() as progress:
        made = workflows.phantom(out, patients=patients, seed=seed, null=null, progress=progress)
    if as_json:
        typer.echo(json.dumps(made, indent=1))
        return
    typer.echo(f"{made['patients']} patients in {out}. Next: glottis run {made['study']} --out {out / 'run'}")
    typer.echo(
        f"AUC in this cohort: ideal score {made['ideal_auc']:.2f} (known to the generator only, not a target), "
        f"volume alone {made['volume_auc']:.2f}."
    )


def _report_run(finished: FinishedRun, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(finished.to_dict(), indent=1, ensure_ascii=False))
        return
    for line in finished.lines():
        typer.echo(line)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Bars on the terminal, one a stage; on a file or pipe, one line a stage."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines
        return
    columns = (
        TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with RichProgress(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield advance


def _lines(stage: str, done: int, total: int) -> None:
    if done == total:
        sys.stderr.write(f"{stage}: {total} done\n")
    elif done == 0 and stage.startswith("compiling"):
        sys.stderr.write(f"{stage} ...\n")
