"""A feature table as a file or text: CSV, JSON, Parquet, or PyRadiomics' lines of text."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from glottis.io.files import write_atomic, write_text_atomic
from glottis.study.batch import Extraction
from glottis.study.table_layout import Format, Layout, format_of

PATHS = ("Image", "Mask")


def write_features(extraction: Extraction, path: Path, layout: Layout) -> None:
    """Write the table whole or not at all.

    Raises:
        SettingsError: the suffix names no format and the layout none.
        StorageError: the file cannot be written.
    """
    kind = format_of(path, layout)
    if kind == "parquet":
        write_atomic(path, lambda temporary: _write_parquet(extraction, temporary, layout))
    else:
        write_text_atomic(path, features_text(extraction, kind, layout))


def features_text(extraction: Extraction, kind: Format, layout: Layout) -> str:
    """The table as text.

    - ``csv``: a header and a row a mask; lists and settings as Python writes them, as PyRadiomics does.
    - ``json``: a list of rows; NaN stands as ``NaN``.
    - ``txt``: a line a value, ``Case-1_NAME: VALUE``, numbered by rows of the table.
    """
    rows = list(_rows(extraction, layout))
    if kind == "json":
        return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    if kind == "txt":
        lines = (f"Case-{n}_{name}: {_cell(row[name])}\n" for n, row in enumerate(rows, start=1) for name in row)
        return "".join(lines)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, extraction.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _rows(extraction: Extraction, layout: Layout) -> Iterator[dict[str, Any]]:
    """Records with their columns in the order of the table."""
    for record in extraction.records:
        row = {name: record[name] for name in extraction.columns if name in record}
        if layout.skip_nans:
            row = {name: value for name, value in row.items() if value == value}
        yield row | {name: _path(row[name], layout) for name in PATHS if name in row}


def _path(written: str, layout: Layout) -> str:
    if layout.paths == "absolute":
        written = os.path.abspath(layout.start / written)
    elif layout.paths == "relative":
        written = os.path.relpath(layout.start / written, layout.start)
    elif layout.paths == "basename":
        written = Path(written).name
    return written.replace(os.sep, "/") if layout.unix_paths else written


def _cell(value: Any) -> Any:
    """Lists as tuples: PyRadiomics' table holds the text of Python's tuples."""
    return tuple(value) if isinstance(value, list) else value


def _write_parquet(extraction: Extraction, path: Path, layout: Layout) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = list(_rows(extraction, layout))
    columns = {name: [_parquet_cell(row.get(name)) for row in rows] for name in extraction.columns}
    parquet.write_table(pa.table(columns), path)


def _parquet_cell(value: Any) -> Any:
    """Settings become JSON text: a column has one type."""
    return json.dumps(value) if isinstance(value, Mapping) else value
