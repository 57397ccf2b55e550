"""A paper's table of metrics, its columns in any order and usual spelling."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from glottis._errors import InputError
from glottis.evaluation.audit import MetricRow, Printed
from glottis.evaluation.audit.rows import Pair
from glottis.io.audit_cells import LEVEL, Line, is_empty, is_percent

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
INTERVAL_WORDS = re.compile(r"\b(?:ci|confidence interval|confidence interval s)\b", re.IGNORECASE)
LIMITS = {"low": 0, "lower": 0, "lcl": 0, "high": 1, "upper": 1, "ucl": 1}
Cells = Mapping[str, tuple[str, bool]]


def metric_rows(header: Sequence[str], rows: Sequence[Sequence[str]], path: Path) -> list[MetricRow]:
    """The rows of metrics of a table.

    Args:
        header: column names.
        rows: cells as text.
        path: for messages.

    Raises:
        InputError: no column of a metric, a cell that is no number, sizes that do not add up.
    """
    places = _places(header, path)
    level = next((float(match[1]) / 100 for name in header if (match := LEVEL.search(name))), 0.95)
    percent = [is_percent(name, [row[index] for row in rows]) for index, name in enumerate(header)]
    dataset = ""
    found = []
    for number, row in enumerate(rows, start=1):
        filled = [index for index, cell in enumerate(row) if not is_empty(cell)]
        if filled == [0] and places.get("model") == 0:
            dataset = row[0]
            continue
        cells = {key: (row[at], percent[at]) for key, at in places.items() if not is_empty(row[at])}
        found.append(_metric_row(cells, Line(path, number), dataset, level))
    return found


def _metric_row(cells: Cells, line: Line, dataset: str, level: float) -> MetricRow:
    printed: dict[str, Printed] = {}
    intervals: dict[str, Pair] = {}
    for metric in METRIC_NAMES:
        numbers = _metric(metric, cells, line)
        if numbers:
            printed[metric] = numbers[0]
        if len(numbers) == 3:
            intervals[metric] = (numbers[1], numbers[2])
    text = {key: cell for key, (cell, _) in cells.items()}
    sizes = {key: line.whole(text.get(key, ""), key) for key in SIZES}
    _check_sizes(sizes, line)
    return MetricRow(
        model=text.get("model", f"row {line.number}"),
        dataset=text.get("dataset", dataset),
        source=text.get("source", ""),
        printed=printed,
        intervals=intervals,
        level=level,
        **sizes,
    )


def _metric(metric: str, cells: Cells, line: Line) -> list[Printed]:
    """Nothing, a value, or a value and its two limits."""
    keys = [key for key in (metric, f"{metric} interval", f"{metric} 0", f"{metric} 1") if key in cells]
    numbers = [number for key in keys for number in line.numbers(cells[key][0], key, percent=cells[key][1])]
    if len(numbers) not in (0, 1, 3):
        shown = " ".join(cells[key][0] for key in keys)
        what = f"'{shown}' is not understood as {metric}: write a number, or one with its interval, 0.81 (0.73-0.90)."
        raise line.error(what)
    return numbers


def _check_sizes(sizes: Mapping[str, int | None], line: Line) -> None:
    positive, negative, total = (sizes[key] for key in SIZES)
    known = [size for size in (positive, negative) if size is not None]
    if total is not None and (sum(known) > total or (len(known) == 2 and sum(known) != total)):
        what = (
            f"{' and '.join(map(str, known))} patients do not make {total}: correct the group sizes, or leave out some."
        )
        raise line.error(what)


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
    """What a column is, given the metric of the column left of it."""
    words = re.sub(r"[^a-z0-9]+", " ", LEVEL.sub(" CI ", name).lower()).strip()
    bare = " ".join(INTERVAL_WORDS.sub(" ", words).split())
    limit = next((LIMITS[word] for word in bare.split() if word in LIMITS), None)
    bare = " ".join(word for word in bare.split() if word not in LIMITS and word not in ("limit", "bound"))
    key = next((key for key, spellings in SPELLINGS.items() if bare in spellings), "" if bare else before)
    if limit is not None:
        return f"{key or before} {limit}" if key in METRIC_NAMES or before else ""
    return f"{key} interval" if key and not bare else key
