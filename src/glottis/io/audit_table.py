"""A paper's tables as an audit reads them: metrics of models in any spelling, and a long table of tests."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from glottis._errors import InputError, nearest
from glottis.evaluation.audit import Audit, Claim, MetricRow, Printed
from glottis.evaluation.audit.rows import CLAIM_KINDS, Pair
from glottis.io.clinical import is_missing, read_cells
from glottis.io.files import write_text_atomic

SPELLINGS: dict[str, tuple[str, ...]] = {
    "model": ("model", "models", "name", "classifier", "method", "algorithm", "reader", "variable"),
    "dataset": ("set", "dataset", "data set", "cohort"),
    "source": ("source", "table", "page"),
    "n_positive": ("n positive", "n pos", "positives", "positive", "cases", "events"),
    "n_negative": ("n negative", "n neg", "negatives", "negative", "controls"),
    "n": ("n", "total", "n total", "patients"),
    "auc": ("auc", "auroc", "roc auc", "auc roc", "area under the curve"),
    "sensitivity": ("sensitivity", "sens", "sen", "recall", "tpr", "sensitivity recall", "true positive rate"),
    "specificity": ("specificity", "spec", "spe", "tnr", "true negative rate"),
    "ppv": ("ppv", "precision", "positive predictive value"),
    "npv": ("npv", "negative predictive value"),
    "accuracy": ("accuracy", "acc"),
    "f1": ("f1", "f1 score", "f1score", "f score", "f measure"),
}
SIZES = ("n_positive", "n_negative", "n")
METRIC_NAMES = ("auc", "sensitivity", "specificity", "ppv", "npv", "accuracy", "f1")
CLAIM_COLUMNS = ("kind", "label", "set", "source", "values", "estimate", "ci", "p", "statistic", "a", "b", "n")
NOT_GIVEN = frozenset({"-", "\N{EN DASH}", "\N{MINUS SIGN}", "/", "nr", "ns"})
LEVEL = re.compile(r"(\d{2}(?:\.\d+)?)\s*%\s*(?:ci|confidence interval)\b", re.IGNORECASE)
INTERVAL_WORDS = re.compile(r"\b(?:ci|confidence interval|confidence interval s)\b", re.IGNORECASE)
LIMITS = {"low": 0, "lower": 0, "lcl": 0, "high": 1, "upper": 1, "ucl": 1}
NUMBER = re.compile(r"\d*\.?\d+(?:[eE][+-]?\d+)?\s*%?")
COUNTS = re.compile(r"\(?\s*\b\d+\s*/\s*\d+\b\s*\)?")
SPREAD = re.compile(r"(?:±|\+/-)\s*\d*\.?\d+")
DASH = re.compile(r"(?<=[\d%])\s*[-\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}~]\s*(?=[\d.])")


def read_audit_table(path: Path) -> tuple[list[MetricRow], list[Claim]]:
    """A table of metrics, or a long table of tests where it has a column ``kind``.

    Columns of metrics may stand in any order and usual spelling, as fractions or percentages (a column with a percent
    sign or a number above 1 is one of percentages); an interval may stand in the metric's cell, in a column "95% CI"
    right of it, or in columns such as "AUC lower" and "AUC upper". A row whose first cell alone is filled names the set
    of patients of the rows below it. Lines that start with "#" are comments. Columns that are not known are left out.

    Args:
        path: CSV, TSV, Excel or Parquet.

    Returns:
        Rows of metrics and claims; one of the two is empty.

    Raises:
        InputError: no such file, no known column, a cell that is no number.
    """
    header, rows = read_cells(Path(path), comments=True)
    if "kind" in [name.strip().lower() for name in header]:
        return [], _claims(header, rows, Path(path))
    return _metric_rows(header, rows, Path(path)), []


def example_tables(name: str) -> list[Path]:
    """The tables of a shipped example, "lscc-staging-mri" or "lscc-lnm-ct".

    Raises:
        InputError: no example of that name.
    """
    folder = Path(str(resources.files("glottis.evaluation.audit") / "examples"))
    found = sorted(folder.glob(f"{name}-*.csv")) if re.fullmatch(r"[\w-]+", name) else []
    known = sorted({path.stem.rsplit("-", 1)[0] for path in folder.glob("*.csv")})
    if name not in known:
        message = f"There is no example '{name}': {nearest(name, known)}"
        raise InputError(message)
    return found


def write_findings(found: Audit, folder: Path) -> None:
    """Write ``findings.csv``, a row a finding, and ``findings.json``, with the numbers behind them.

    Raises:
        StorageError: the folder cannot be written.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("verdict", "row", "set", "source", "check", "message", "cells"))
    for item in found.findings:
        cells = "; ".join(item.cells)
        table.writerow((item.verdict, item.row, item.dataset, item.source, item.check, item.message, cells))
    write_text_atomic(folder / "findings.csv", text.getvalue())
    write_text_atomic(folder / "findings.json", json.dumps(found.to_dict(), indent=1, ensure_ascii=False) + "\n")


def _metric_rows(header: Sequence[str], rows: Sequence[Sequence[str]], path: Path) -> list[MetricRow]:
    places = _places(header, path)
    level = next((float(match[1]) / 100 for name in header if (match := LEVEL.search(name))), 0.95)
    percent = {index for index in range(len(header)) if _is_percent(header[index], [row[index] for row in rows])}
    dataset = ""
    found = []
    for number, row in enumerate(rows, start=1):
        filled = [index for index, cell in enumerate(row) if not _is_empty(cell)]
        if filled == [0] and places.get("model") == 0:
            dataset = row[0]
            continue
        found.append(_metric_row(row, places, percent, path, number, dataset, level))
    return found


def _metric_row(
    row: Sequence[str],
    places: Mapping[str, int],
    percent: set[int],
    path: Path,
    number: int,
    dataset: str,
    level: float,
) -> MetricRow:
    printed: dict[str, Printed] = {}
    intervals: dict[str, Pair] = {}
    for metric in METRIC_NAMES:
        numbers: list[Printed] = []
        for key in (metric, f"{metric} interval", f"{metric} 0", f"{metric} 1"):
            if key in places and not _is_empty(row[places[key]]):
                numbers += _numbers(row[places[key]], path, number, key, percent=places[key] in percent)
        if len(numbers) not in (0, 1, 3):
            cells = " ".join(row[places[key]] for key in places if key.split(" ")[0] == metric)
            message = (
                f"Table '{path}', row {number}: '{cells}' is not understood as {metric}: write a number, or a number "
                "and its interval, 0.81 (0.73-0.90)."
            )
            raise InputError(message)
        if numbers:
            printed[metric] = numbers[0]
        if len(numbers) == 3:
            intervals[metric] = (numbers[1], numbers[2])

    def text(key: str) -> str:
        return row[places[key]] if key in places and not _is_empty(row[places[key]]) else ""

    sizes = {key: _whole(text(key), path, number, key) for key in SIZES}
    _check_sizes(sizes, path, number)
    return MetricRow(
        model=text("model") or f"row {number}", dataset=text("dataset") or dataset, source=text("source"),
        printed=printed, intervals=intervals, level=level, **sizes,
    )  # fmt: skip


def _check_sizes(sizes: Mapping[str, int | None], path: Path, number: int) -> None:
    positive, negative, total = (sizes[key] for key in SIZES)
    known = [size for size in (positive, negative) if size is not None]
    if total is not None and (sum(known) > total or (len(known) == 2 and sum(known) != total)):
        message = (
            f"Table '{path}', row {number}: {' and '.join(map(str, known))} patients do not make {total}: correct the "
            "group sizes, or leave out those that are not printed."
        )
        raise InputError(message)


def _places(header: Sequence[str], path: Path) -> dict[str, int]:
    """What each known column is: a key of `SPELLINGS`, or a metric's interval or limit."""
    keys: list[str] = []
    for name in header:
        before = keys[-1].split(" ")[0] if keys else ""
        keys.append(_column(name, before if before in METRIC_NAMES else ""))
    places: dict[str, int] = {}
    for index, key in enumerate(keys):
        twice = key in METRIC_NAMES and keys.count(key) > 1 and LEVEL.search(header[index])
        places.setdefault(f"{key} interval" if twice else key, index)
    places.pop("", None)
    if not any(metric in places for metric in METRIC_NAMES):
        message = (
            f"Table '{path}' has no column of a metric (columns: {', '.join(header)}): name one AUC, Sensitivity, "
            "Specificity, PPV, NPV, Accuracy or F1, or give a column 'kind' for tests."
        )
        raise InputError(message)
    return places


def _column(name: str, before: str) -> str:
    words = re.sub(r"[^a-z0-9]+", " ", LEVEL.sub(" CI ", name.lower().replace("%", " % ")).lower()).strip()
    words = re.sub(r"\b(\d{2}) (?=ci\b)", "", words)
    bare = " ".join(INTERVAL_WORDS.sub(" ", words).split())
    limit = next((LIMITS[word] for word in bare.split() if word in LIMITS), None)
    bare = " ".join(word for word in bare.split() if word not in LIMITS and word not in ("limit", "bound"))
    key = next((key for key, spellings in SPELLINGS.items() if bare in spellings), "" if bare else before)
    if limit is not None:
        return f"{key or before} {limit}" if key in METRIC_NAMES or before else ""
    return f"{key} interval" if key == before and not bare and key else key


def _is_empty(cell: str | None) -> bool:
    return is_missing(cell) or str(cell).strip().lower() in NOT_GIVEN


def _is_percent(name: str, cells: Sequence[str]) -> bool:
    values = [float(text.strip("% ")) for cell in cells for text in NUMBER.findall(_cleaned(cell))]
    sign = "%" in LEVEL.sub("", name) or any("%" in LEVEL.sub("", cell) for cell in cells)
    return sign or any(value > 1 for value in values)


def _cleaned(cell: str) -> str:
    """A cell with its interval's words, counts and standard deviations taken out and one decimal mark."""
    text = SPREAD.sub("", COUNTS.sub(" ", LEVEL.sub(" ", cell)))
    if "." not in text:
        text = re.sub(r"(?<=\d),(?=\d)", ".", text)
    return DASH.sub(" to ", text)


def _numbers(cell: str, path: Path, number: int, column: str, *, percent: bool) -> list[Printed]:
    cleaned = _cleaned(cell)
    if not re.fullmatch(r"(?:[\s()\[\],;:=]|to|ci|" + NUMBER.pattern + ")*", cleaned, re.IGNORECASE):
        message = f"Table '{path}', row {number}: '{cell}' ({column}) is no number: correct it or leave it empty."
        raise InputError(message)
    return [_printed(text, path, number, column, percent=percent) for text in NUMBER.findall(cleaned)]


def _printed(text: str, path: Path, number: int, column: str, *, percent: bool = False) -> Printed:
    try:
        return Printed.parse(text, percent=percent)
    except ValueError as error:
        message = f"Table '{path}', row {number}: '{text}' ({column}) is no number: correct it or leave it empty."
        raise InputError(message) from error


def _whole(text: str, path: Path, number: int, column: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"\d{1,7}(\.0+)?", text) or float(text) == 0:
        message = (
            f"Table '{path}', row {number}: '{text}' ({column}) is no number of patients: write a whole number above 0."
        )
        raise InputError(message)
    return int(float(text))


def _claims(header: Sequence[str], rows: Sequence[Sequence[str]], path: Path) -> list[Claim]:
    names = [name.strip().lower() for name in header]
    unknown = [name for name in names if name not in CLAIM_COLUMNS]
    if unknown:
        message = (
            f"Table '{path}': unknown column '{unknown[0]}' in a table of tests: {nearest(unknown[0], CLAIM_COLUMNS)}"
        )
        raise InputError(message)
    return [_claim(dict(zip(names, row, strict=True)), path, number) for number, row in enumerate(rows, start=1)]


def _claim(cells: Mapping[str, str], path: Path, number: int) -> Claim:
    text = {name: "" if _is_empty(cells.get(name)) else cells[name] for name in CLAIM_COLUMNS}
    kind = text["kind"].lower().replace(" ", "_")
    if kind not in CLAIM_KINDS:
        message = f"Table '{path}', row {number}: unknown kind '{text['kind']}': {nearest(kind, CLAIM_KINDS)}"
        raise InputError(message)

    def one(name: str) -> Printed | None:
        return _printed(text[name], path, number, name) if text[name] else None

    limits = _numbers(text["ci"], path, number, "ci", percent=False) if text["ci"] else []
    if limits and len(limits) != 2:
        message = f"Table '{path}', row {number}: '{text['ci']}' (ci) is no interval: write 0.241-0.856."
        raise InputError(message)
    return Claim(
        kind=kind,  # type: ignore[arg-type]  # one of CLAIM_KINDS, as checked above
        label=text["label"] or " against ".join(part for part in (text["a"], text["b"]) if part) or f"row {number}",
        dataset=text["set"], source=text["source"], values=_groups(kind, text["values"], path, number),
        estimate=one("estimate"), interval=(limits[0], limits[1]) if limits else None, p=one("p"),
        statistic=one("statistic"), a=text["a"], b=text["b"], n=_whole(text["n"], path, number, "n"),
    )  # fmt: skip


def _groups(kind: str, text: str, path: Path, number: int) -> tuple[tuple[Printed, ...], ...]:
    """The cell ``values``: groups between semicolons, numbers between spaces."""
    groups = tuple(
        tuple(_printed(word.removeprefix("n="), path, number, "values") for word in group.replace("±", " ").split())
        for group in text.split(";")
        if group.strip()
    )
    widths = {len(group) for group in groups}
    wrong = {
        "counts": len(groups) < 2 or len(widths) != 1 or widths == {1},
        "means": len(groups) < 2 or widths != {3},
        "mcnemar": len(groups) != 1 or widths != {3},
        "odds_ratio": bool(groups) and (len(groups) != 2 or widths != {2}),
    }
    form = {
        "counts": "201 12; 89 2; 94 3", "means": "62.2 9.1 213; 62.5 8.0 91", "mcnemar": "5 18 52",
        "odds_ratio": "69 32; 25 109",
    }  # fmt: skip
    if wrong.get(kind, False):
        message = (
            f"Table '{path}', row {number}: '{text}' (values) is not what {kind} needs: write such as {form[kind]}."
        )
        raise InputError(message)
    _check_counts(kind, groups, path, number)
    return groups


def _check_counts(kind: str, groups: tuple[tuple[Printed, ...], ...], path: Path, number: int) -> None:
    counts = [group[2:] if kind == "means" else group for group in groups]
    for count in (count for group in counts for count in group):
        if count.digits or count.scaled < (2 if kind == "means" else 0) or count.relation != "=":
            message = (
                f"Table '{path}', row {number}: '{count.text}' (values) is no number of patients: write whole numbers."
            )
            raise InputError(message)
    if kind == "mcnemar" and groups and max(groups[0][0].value, groups[0][1].value) > groups[0][2].value:
        message = f"Table '{path}', row {number}: more errors than patients: write errors of a, errors of b, patients."
        raise InputError(message)
