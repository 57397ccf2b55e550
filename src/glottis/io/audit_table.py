"""A paper's tables as an audit reads them, the shipped examples, and the findings as files."""

from __future__ import annotations

import csv
import io
import json
from importlib import resources
from pathlib import Path

from glottis._errors import InputError, nearest
from glottis.evaluation.audit import Audit, Claim, MetricRow
from glottis.io.audit_claims import claims
from glottis.io.audit_metrics import metric_rows
from glottis.io.clinical import read_cells
from glottis.io.files import write_text_atomic


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
        return [], claims(header, rows, Path(path))
    return metric_rows(header, rows, Path(path)), []


def example_tables(name: str) -> list[Path]:
    """The tables of a shipped example, "lscc-staging-mri" or "lscc-lnm-ct".

    Raises:
        InputError: no example of that name.
    """
    folder = Path(str(resources.files("glottis.evaluation.audit") / "examples"))
    known = sorted({path.stem.rsplit("-", 1)[0] for path in folder.glob("*.csv")})
    if name not in known:
        message = f"There is no example '{name}': {nearest(name, known)}"
        raise InputError(message if message.endswith("?") else f"{message}.")
    return sorted(folder.glob(f"{name}-*.csv"))


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
