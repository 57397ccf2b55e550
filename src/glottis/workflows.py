"""One function a command: what ``glottis COMMAND`` does, callable from Python.

What only one command needs is imported by that command, so that ``glottis extract`` starts without the study.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glottis._errors import ImageError, InputError, SettingsError, StorageError
from glottis.data.cohort import Lesions
from glottis.data.volume import Mask, Volume
from glottis.io.files import write_text_atomic
from glottis.io.images import is_image_name, label_map_of, volume_of
from glottis.io.manifest import BatchRow, parse_labels, read_batch
from glottis.study.batch import Extraction, drop_cache, extract_batch
from glottis.study.cluster import on_cluster
from glottis.study.feature_file import write_features
from glottis.study.parallel import Progress, silent
from glottis.study.parameters import Parameters, parameters_from_dict, read_parameters
from glottis.study.store import read_json
from glottis.study.table_layout import Layout, format_of

if TYPE_CHECKING:
    import pandas as pd

    from glottis.evaluation.audit import Audit
    from glottis.evaluation.compare import CompareOptions
    from glottis.io.predictions import Columns
    from glottis.study.beginning import Beginning
    from glottis.study.check import Finding
    from glottis.study.table_beginning import TableBeginning

PathLike = str | Path
Pair = tuple[Any, Any]
"""Image and mask: paths, ``Volume`` and ``Mask``, or ``SimpleITK.Image``."""
AS_THE_SUFFIX_SAYS = Layout()
TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")


def extract(
    batch: PathLike | Sequence[Pair],
    out: PathLike | None = None,
    *,
    params: PathLike | Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    label: int | Sequence[int] | str | None = None,
    lesions: Lesions = "union",
    layout: Layout = AS_THE_SUFFIX_SAYS,
    jobs: int = 1,
    cache: PathLike | None = None,
    scheduler: str | None = None,
    progress: Progress = silent,
) -> Extraction:
    """Features of many images and masks, with PyRadiomics' names, values and columns.

    Args:
        batch: a batch table (columns ``Image`` and ``Mask``, optionally ``Label`` and ``Label_channel``, and any
            others, which are kept), or pairs of image and mask: paths, ``glottis.Volume`` and ``glottis.Mask``, or
            ``SimpleITK.Image``.
        out: CSV, JSON, Parquet or text file to write. Finished rows are kept beside it until all have succeeded, so
            that an extraction that was stopped goes on where it was.
        params: a PyRadiomics parameter file (YAML or JSON) or its contents; ``None`` takes PyRadiomics' defaults.
        settings: what replaces single values of the parameters' section ``setting``.
        label: label of the mask, several (``[1, 2]`` or ``"1,2"``), or ``"all"``; a row's own ``Label`` goes before
            it, and it before the parameters' ``label``. Several give a row each, with a column ``Label``.
        lesions: several lesions in a mask count as one (``union``), only the ``largest`` counts, or ``each`` is a row.
        layout: format, paths and NaN of ``out``.
        jobs: worker processes.
        cache: folder where finished rows are kept for good.
        scheduler: address of a Dask scheduler (``tcp://HOST:PORT``) whose workers extract in place of ``jobs``.
        progress: told after every image.

    Returns:
        The table, the rows that failed with their reasons, and warnings (a feature without a value is named).

    Raises:
        InputError: the batch or the parameters cannot be used; a row that fails is part of the result instead.
        ClusterError: no cluster that can be used at ``scheduler``.
        StorageError: ``out`` cannot be written.

    >>> import numpy as np
    >>> from glottis import Mask, Volume, extract
    >>> ramp = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    >>> image = Volume(voxels=ramp, spacing_mm=(3.0, 1.0, 1.0))
    >>> mask = Mask(voxels=ramp > 59, spacing_mm=(3.0, 1.0, 1.0))
    >>> found = extract([(image, mask)], params={"featureClass": {"firstorder": ["Mean"]}}, settings={"binWidth": 10})
    >>> float(found.table["original_firstorder_Mean"].iloc[0]), found.failures
    (89.5, ())
    """
    place = _place_for(scheduler)
    target = None if out is None else place(out)
    if target is not None:
        format_of(target, layout)
    parameters = _parameters(params, settings)
    rows = read_batch(place(batch)) if isinstance(batch, str | Path) else _pairs(batch, parameters.label_channel, place)
    if label is not None:
        text = label if isinstance(label, str) else ",".join(str(n) for n in np.atleast_1d(label).tolist())
        wanted = parse_labels(text, where="label")
        rows = [row if row.labels is not None else replace(row, labels=wanted) for row in rows]
    kept = place(cache) if cache is not None else None if target is None else target.with_name(f"{target.name}.cache")
    with on_cluster(scheduler, seen=place(batch) if isinstance(batch, str | Path) else None):
        result = extract_batch(rows, parameters, lesions=lesions, cache=kept, jobs=jobs, progress=progress)
    if target is not None:
        write_features(result, target, layout)
        if cache is None and kept is not None and not result.failures:
            drop_cache(kept)
    return result


def _place_for(scheduler: str | None) -> Callable[[PathLike], Path]:
    """How a path is understood: workers of a cluster stand in other folders, so theirs are absolute."""
    return Path if scheduler is None else lambda path: Path(path).absolute()


def one_pair(image: PathLike, mask: PathLike | None) -> PathLike | list[Pair]:
    """What ``extract`` takes for the command line's arguments: a batch table, or one image and its mask.

    Raises:
        SettingsError: an image without a mask, or a table with one.
    """
    if mask is None:
        if is_image_name(Path(image).name) or Path(image).is_dir():
            message = f"'{image}' is an image: give its mask as second argument, or a batch table (.csv) alone."
            raise SettingsError(message)
        return image
    if Path(image).suffix.lower() in TABLES:
        message = f"'{image}' is a batch table, its masks stand in it: leave '{mask}' out."
        raise SettingsError(message)
    return [(image, mask)]


def validate(
    batch: PathLike | Sequence[Pair],
    *,
    params: PathLike | Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> list[tuple[int, str]]:
    """Which rows of a batch name files that do not exist, without reading one; the parameters are read too.

    Returns:
        (row of the batch from 1, sentence); empty where all files are there.

    Raises:
        InputError: the batch or the parameters cannot be used.
    """
    parameters = _parameters(params, settings)
    rows = read_batch(batch) if isinstance(batch, str | Path) else _pairs(batch, parameters.label_channel, Path)
    return [
        (row.number, f"{name} '{path}' does not exist: correct the path.")
        for row in rows
        for name, path in (("Image", row.image), ("Mask", row.mask))
        if isinstance(path, Path) and not path.exists()
    ]


def _parameters(params: PathLike | Mapping[str, Any] | None, settings: Mapping[str, Any] | None) -> Parameters:
    if settings:
        parameters_from_dict({"setting": settings})  # a mistake in them is not the file's
    if isinstance(params, Mapping) or params is None:
        return parameters_from_dict(params or {}, settings=settings)
    return read_parameters(Path(params), settings=settings)


def _pairs(pairs: Sequence[Pair], channel: int, place: Callable[[PathLike], Path]) -> list[BatchRow]:
    return [
        BatchRow(
            number=number,
            image=_source(image, place),
            mask=_source(mask, place, channel=channel),
            labels=(1,) if isinstance(mask, Mask) else None,
            columns={"Image": _written(image), "Mask": _written(mask)},
        )
        for number, (image, mask) in enumerate(pairs, start=1)
    ]


def _source(given: Any, place: Callable[[PathLike], Path], *, channel: int | None = None) -> Path | Volume:
    """A path as ``place`` has it, what is in memory as a volume; ``channel`` says that it is a mask.

    Raises:
        ImageError: neither a path nor an image.
    """
    if isinstance(given, str | Path):
        return place(given)
    if isinstance(given, Volume):
        return given
    if type(given).__module__.startswith("SimpleITK"):
        return volume_of(given) if channel is None else label_map_of(given, channel=channel)
    message = f"A pair holds a {type(given).__name__}: give paths, glottis.Volume and Mask, or SimpleITK images."
    raise ImageError(message)


def _written(given: Any) -> str:
    return str(given) if isinstance(given, str | Path) else "in memory"


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """A finished run, in few words.

    Attributes:
        report: the report's HTML file.
        results: the contents of ``results.json``.
    """

    report: Path
    results: Mapping[str, Any]

    def lines(self) -> list[str]:
        """The AUC of the model with all sequences in every test set, and where the report is."""
        name = self.results["primary_model"]
        sets = self.results["models"][name]["sets"]
        return [
            *(f"{name}, {set_} set: {_auc_words(entry)}" for set_, entry in sets.items() if set_ != "training"),
            f"Report: {self.report}",
        ]

    def to_dict(self) -> dict[str, Any]:
        """AUC of every model and set, and the report's path."""
        aucs = {
            name: {set_: entry["auc"]["interval"] for set_, entry in model["sets"].items()}
            for name, model in self.results["models"].items()
        }
        return {"report": str(self.report), "auc": aucs}


def _auc_words(entry: Mapping[str, Any]) -> str:
    interval = entry["auc"]["interval"]
    limits = "CI not estimable"
    if interval["low"] is not None:
        limits = f"{interval['level']:.0%} CI {interval['low']:.3f} to {interval['high']:.3f}"
    size = f"{entry['n']} patients, {entry['n_positive']} with the event"
    return f"AUC {interval['value']:.3f} ({limits}), {size}"


def init(
    folder: PathLike, out: PathLike, *, clinical: PathLike | None = None, outcome: str | None = None
) -> Beginning | TableBeginning:
    """Find scans and masks, join the clinical table, and write ``manifest.csv`` and a commented ``study.yaml``.

    A table of features gets a ``study.yaml`` alone, which names the table, and ``clinical`` as its manifest.

    Args:
        folder: of scans, in one of the usual layouts, a PyRadiomics batch table, or a table of features.
        out: folder for both files; files that are there are not overwritten.
        clinical: CSV, TSV, Excel or Parquet with any id column that matches.
        outcome: column to predict; without it the study file has a line to fill in.

    Returns:
        What was found, and what a person should look at.

    Raises:
        CohortError: no known layout, no matching id column, or no such outcome.
        StorageError: a study is already there, or the folder cannot be written.
    """
    from glottis.study.beginning import begin_study
    from glottis.study.table_beginning import begin_from_table, is_feature_table

    target, is_table = Path(out), is_feature_table(Path(folder))
    for name in ("study.yaml",) if is_table else ("manifest.csv", "study.yaml"):
        if (target / name).exists():
            message = f"'{target / name}' exists already: choose another --out, or delete it first."
            raise StorageError(message)
    begin = begin_from_table if is_table else begin_study
    return begin(Path(folder), target, clinical=None if clinical is None else Path(clinical), outcome=outcome)


def check(study: PathLike, *, jobs: int = 1, progress: Progress = silent) -> tuple[Finding, ...]:
    """Everything that is wrong with a cohort, errors first.

    Raises:
        InputError: the study file or the manifest cannot be read at all.
    """
    from glottis.study.run import check_study
    from glottis.study.source import read_source
    from glottis.study.spec import read_study

    source = read_source(read_study(Path(study)), strict=False)
    return check_study(source, jobs=jobs, progress=progress)


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether a run would stop."""
    from glottis.study.check import errors_of

    return bool(errors_of(findings))


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """The findings as a person reads them: by severity, one line each, and what follows."""
    from glottis.study.check import errors_of

    lines = []
    for severity in ("error", "warning", "note"):
        own = [finding for finding in findings if finding.severity == severity]
        if own:
            lines.append(f"{severity.upper()}S ({len(own)})")
            lines += [f"  {finding.sentence()}" for finding in own]
    n_errors = len(errors_of(findings))
    if n_errors:
        lines.append(f"A run would stop: {n_errors} error{'s' if n_errors > 1 else ''} to mend first.")
    else:
        lines.append("No errors: the study can run. Warnings and notes go into its report.")
    return lines


@dataclass(frozen=True, kw_only=True)
class FinishedComparison:
    """A finished comparison.

    Attributes:
        page: the HTML file.
        results: the contents of ``results.json``.
    """

    page: Path
    results: Mapping[str, Any]

    def lines(self) -> list[str]:
        """Every rater and every comparison in a line, then what was left out, and where the page is."""
        from glottis.report.compare_words import lines

        return [*lines(self.results), f"Page: {self.page}"]

    def to_dict(self) -> dict[str, Any]:
        """The results and the page's path."""
        return {"page": str(self.page), **self.results}


def compare(
    predictions: PathLike | pd.DataFrame,
    out: PathLike,
    *,
    columns: Columns | None = None,
    options: CompareOptions | None = None,
    progress: Progress = silent,
) -> FinishedComparison:
    """Evaluate models and human readers on the same patients: tables, figures and one page.

    Args:
        predictions: long or wide table, or the ledger of a run (``predictions.csv``); see ``docs/how-to/compare.md``.
        out: folder for ``results.json``, ``compare.html``, ``tables/`` and ``figures/``.
        columns: which column is what, where the names are not the ledger's.
        options: thresholds, reference, prevalence, horizons, common patients.
        progress: told of every figure.

    Returns:
        The results and the page's path.

    Raises:
        InputError: the table cannot be used, raters have different patients, or an option does not fit.
        StorageError: ``out`` cannot be written.
    """
    from glottis.evaluation.compare import compare as compare_ratings
    from glottis.io.predictions import Columns, read_predictions
    from glottis.report import write_comparison

    source = Path(predictions) if isinstance(predictions, str | Path) else predictions
    found = compare_ratings(read_predictions(source, columns or Columns()), options)
    return FinishedComparison(page=write_comparison(found, Path(out), progress=progress), results=found.to_dict())


def audit(tables: Sequence[PathLike] = (), *, example: str | None = None, out: PathLike | None = None) -> Audit:
    """Recompute what a paper's printed tables allow to recompute, and say which numbers cannot all be right.

    Args:
        tables: tables of metrics (one row a model) and of tests (a column ``kind``); see ``docs/how-to/audit.md``.
        example: a shipped example, "lscc-staging-mri" or "lscc-lnm-ct", instead of or beside ``tables``.
        out: folder for ``findings.csv`` and ``findings.json``.

    Returns:
        The findings.

    Raises:
        InputError: no table, a table without known columns, a cell that is no number, or no such example.
        StorageError: ``out`` cannot be written.

    >>> from glottis import audit
    >>> len(audit(example="lscc-lnm-ct").of("differs"))
    1
    """
    from glottis.evaluation.audit import audit as audit_rows
    from glottis.io.audit_table import example_tables, read_audit_table, write_findings

    paths = [*(Path(table) for table in tables), *(example_tables(example) if example is not None else [])]
    if not paths:
        message = "No table to audit: name one or more, or take --example lscc-staging-mri."
        raise InputError(message)
    read = [read_audit_table(path) for path in paths]
    found = audit_rows([row for rows, _ in read for row in rows], [claim for _, claims in read for claim in claims])
    if out is not None:
        write_findings(found, Path(out))
    return found


def audit_lines(found: Audit) -> list[str]:
    """The findings as a person reads them: by verdict, one line each, and what they mean."""
    from glottis.evaluation.audit.finding import MEANING, VERDICTS

    lines = []
    for verdict in VERDICTS:
        own = found.of(verdict)
        if own:
            lines.append(f"{verdict.upper()} ({len(own)}): {MEANING[verdict]}")
            lines += [f"  {finding.sentence()}" for finding in own]
    if found.silent and found.of("agrees", "noted"):
        lines.append("Nothing to ask: what could be recomputed agrees.")
    elif found.silent:
        lines.append("Nothing could be recomputed: not enough is printed.")
    else:
        lines.append(
            "A misprint, another threshold or other patients explain most such differences: the authors can tell."
        )
    return lines


def run(
    study: PathLike,
    out: PathLike,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    allow_code: bool = False,
    progress: Progress = silent,
) -> FinishedRun:
    """Run a study from its scans to its report; a run that was stopped goes on where it was.

    Args:
        study: the study file.
        out: the run folder.
        jobs: worker processes.
        scheduler: address of a Dask scheduler (``tcp://HOST:PORT``) whose workers check, extract and fit in place of
            ``jobs``.
        allow_code: a classifier that the study names by import path may be loaded, which runs its code.
        progress: told after every unit of work.

    Raises:
        InputError: the study, the cohort or a file cannot be used.
        ClusterError: no cluster that can be used at ``scheduler``.
        StorageError: the run folder belongs to another study, is in use, or cannot be written.
    """
    from glottis.serve import deliver
    from glottis.study.run import run as run_study
    from glottis.study.spec import read_study

    place = _place_for(scheduler)
    settings = read_study(place(study))
    with on_cluster(scheduler, seen=settings.manifest):
        folder = run_study(settings, place(out), jobs=jobs, progress=progress, allow_code=allow_code, deliver=deliver)
    return report(folder, progress=progress)


def report(folder: PathLike, *, progress: Progress = silent) -> FinishedRun:
    """Write tables, figures and report of a finished run from its stored results.

    Raises:
        StorageError: the folder is no finished run, or cannot be written.
    """
    from glottis.report import write

    path = write(Path(folder), progress=progress)
    return FinishedRun(report=path, results=read_json(Path(folder) / "results.json"))


@dataclass(frozen=True, kw_only=True)
class FinishedPredictions:
    """What a model said of the patients of a table.

    Attributes:
        table: one row a patient.
        out: where it was written; ``None`` where it was not.
        figures: figures of patients, in the order of the table.
        model: name of the model, and what it predicts.
    """

    table: pd.DataFrame
    out: Path | None
    figures: tuple[Path, ...]
    model: str

    def lines(self) -> list[str]:
        """A line a patient, then where the table is."""
        lines = [self.model, *(_prediction_words(dict(row)) for _, row in self.table.iterrows())]
        return [*lines, *([f"Table: {self.out}"] if self.out is not None else [])]

    def to_dict(self) -> dict[str, Any]:
        """The rows, with None where there is no value."""
        rows = self.table.astype(object).where(self.table.notna(), None).to_dict(orient="records")
        return {"model": self.model, "patients": rows, "figures": [str(path) for path in self.figures]}


def _prediction_words(row: Mapping[Any, Any]) -> str:
    if row["status"] == "refused":
        return f"{row['patient']}: refused: {row['said']}"
    span = "" if row["low"] is None or row["low"] != row["low"] else f" ({row['low']:.3f} to {row['high']:.3f})"
    said = f"; {row['said']}" if row["said"] else ""
    return f"{row['patient']}: {row['probability']:.3f}{span}, {row['class']}{said}"


def predict(
    bundle: PathLike,
    table: PathLike,
    out: PathLike | None = None,
    *,
    figures: PathLike | None = None,
    extrapolate: bool = False,
    jobs: int = 1,
    progress: Progress = silent,
) -> FinishedPredictions:
    """Ask a model file about the patients of a table.

    Args:
        bundle: the model file, ``model.glottis`` of a run.
        table: with the study's columns for id, images, masks and clinical values, or with the features themselves.
        out: CSV to write.
        figures: folder for figures of every patient: SHAP values, and the nomogram with the patient's points.
        extrapolate: answer also where a value lies far outside the training range.
        jobs: worker processes for images.
        progress: told of every finished scan.

    Returns:
        A row a patient: probability, interval (the spread over refits), class at the stored threshold, points, and
        what lies outside of what the model knows.

    Raises:
        InputError: the model file is damaged, or the table lacks what the model reads.
        StorageError: ``out`` cannot be written.
    """
    from glottis.serve import predict as ask
    from glottis.serve import read_model, to_table

    model = read_model(Path(bundle))
    found = ask(model, Path(table), extrapolate=extrapolate, jobs=jobs, progress=progress)
    rows = to_table(found, model)
    if out is not None:
        write_text_atomic(Path(out), rows.to_csv(index=False, lineterminator="\n"))
    outcome = model.facts["outcome"]
    event = f"{outcome['column']} = {outcome['positive']}"
    drawn: tuple[Path, ...] = ()
    if figures is not None:
        from glottis.report.predictions import Shown, draw_predictions
        from glottis.serve import explained

        shown = [
            Shown(
                patient=own.prediction.patient,
                explanation=own.explanation,
                score=own.prediction.probability if own.prediction.score is None else own.prediction.score,
                values=own.prediction.values,
            )
            for own in explained(found, model)
        ]
        drawn = draw_predictions(shown, model.nomogram, Path(figures), event=event, progress=progress)
    name = f"{model.facts['name']}: probability of {event}"
    return FinishedPredictions(table=rows, out=None if out is None else Path(out), figures=drawn, model=name)


def phantom(
    out: PathLike,
    *,
    patients: int = 60,
    seed: int | None = None,
    null: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write a synthetic cohort as files, with a study file; a folder with the same seed is completed.

    Args:
        out: the folder.
        patients: number of patients.
        seed: of the population; ``None`` takes that of ``PhantomDesign``.
        null: nothing is related to the outcome.
        progress: told after every patient.

    Returns:
        ``patients``, ``manifest``, ``study``, and the AUC of the ideal score and of volume alone in this cohort.

    Raises:
        SettingsError: a number is out of range.
        StorageError: the folder holds another phantom or cannot be written.
    """
    from glottis.data.phantom import PhantomDesign
    from glottis.io.phantom_files import write_phantom
    from glottis.study.beginning import phantom_template
    from glottis.study.template import study_yaml

    folder = Path(out)
    design = PhantomDesign(n_patients=patients, seed=PhantomDesign.seed if seed is None else seed, null=null)
    made = write_phantom(design, folder, progress=lambda done, total: progress("phantom", done, total))
    study = folder / "study.yaml"
    if not study.exists():
        write_text_atomic(study, study_yaml(phantom_template(design)))
    return {
        "patients": made.n_patients,
        "manifest": str(made.manifest),
        "study": str(study),
        "ideal_auc": made.ideal_auc,
        "volume_auc": made.volume_auc,
    }


def demo(out: PathLike, *, jobs: int = 1, progress: Progress = silent) -> FinishedRun:
    """Make a synthetic cohort of 60 patients in ``out/cohort`` and run its study in ``out/run``.

    Raises:
        StorageError: the folder is in use or cannot be written.
    """
    made = phantom(Path(out) / "cohort", progress=progress)
    return run(made["study"], Path(out) / "run", jobs=jobs, progress=progress)
