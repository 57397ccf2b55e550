"""Tables as hospitals keep them: CSV, TSV, Excel or Parquet, in several encodings, with every cell kept as text."""

from __future__ import annotations

import csv
import datetime
import io
import math
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glottis._errors import CohortError

if TYPE_CHECKING:
    import pandas as pd

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "--", "---", "—", "."})
DELIMITERS = (",", ";", "\t")
TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
ENCODINGS = ("utf-8-sig", "gb18030")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")


def read_table(path: Path | str) -> pd.DataFrame:
    """Read a table with every cell as text.

    Ids stay as they are written ("007"), whole numbers of Excel lose their ".0", and missing-value marks (empty, NA,
    n/a, NaN, null, "--", ".") become ``None``. Rows without any value are left out.

    Args:
        path: ``.csv``, ``.tsv``, ``.txt`` (comma, semicolon or tab; UTF-8, UTF-16 with a byte-order mark, GB 18030),
            ``.xlsx`` (first sheet) or ``.parquet``.

    Raises:
        CohortError: absent, empty, in another encoding, or with two columns of one name.
    """
    import pandas as pd

    header, rows = read_cells(Path(path))
    cells = [[None if is_missing(cell) else cell for cell in row] for row in rows]
    return pd.DataFrame([row for row in cells if any(row)], columns=header, dtype=object)


def read_cells(path: Path, *, comments: bool = False) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table as they are written, short rows filled up with empty cells.

    Args:
        path: see :func:`read_table`.
        comments: lines of a text file that start with "#" are left out.

    Raises:
        CohortError: see :func:`read_table`.
    """
    if not path.is_file():
        message = f"Table '{path}' does not exist: correct the path."
        raise CohortError(message)
    try:
        grid = _grid(path, comments=comments)
    except OSError as error:
        message = f"Table '{path}' cannot be opened ({error.strerror or error}): check the disk and its permissions."
        raise CohortError(message) from error
    return _header_and_rows(grid, path)


def is_missing(cell: object) -> bool:
    """Whether a cell holds nothing, NaN or a mark for a missing value."""
    return cell is None or cell != cell or str(cell).strip().lower() in MISSING


def numbers(column: Iterable[str | None]) -> list[float | None] | None:
    """The column as numbers, or ``None`` where one cell is no number.

    A decimal comma is understood when every comma in the column can only be one: "1,5" yes, "1,500" (which might be
    one thousand five hundred) no.

    >>> numbers(["1,5", "2", None])
    [1.5, 2.0, None]
    """
    cells = [None if is_missing(cell) else str(cell).strip() for cell in column]
    present = [cell for cell in cells if cell is not None]
    if not present:
        return None
    if any("," in cell for cell in present):
        commas = [cell for cell in present if "," in cell]
        if not all(DECIMAL_COMMA.fullmatch(cell) for cell in commas) or any("." in cell for cell in present):
            return None
        if all(THOUSANDS.fullmatch(cell) for cell in commas):
            return None
        cells = [cell if cell is None else cell.replace(",", ".") for cell in cells]
    if not all(NUMBER.fullmatch(cell) for cell in cells if cell is not None):
        return None
    values = [None if cell is None else float(cell) for cell in cells]
    return values if all(value is None or math.isfinite(value) for value in values) else None


def _grid(path: Path, *, comments: bool) -> list[list[str]]:
    suffix = path.suffix.lower()
    if suffix in TEXT_SUFFIXES:
        return _text_grid(path, comments=comments)
    if suffix in (".xlsx", ".xlsm"):
        return _excel_grid(path)
    if suffix in (".parquet", ".pq"):
        return _parquet_grid(path)
    message = f"Table '{path.name}' is of an unknown kind: save it as .csv, .tsv, .xlsx or .parquet."
    raise CohortError(message)


def _text_grid(path: Path, *, comments: bool) -> list[list[str]]:
    text = _decode(path)
    if comments:
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    if not text.strip():
        return []
    if "\0" in text:
        message = f"Table '{path}' holds binary data: save it as CSV (UTF-8) or .xlsx."
        raise CohortError(message)
    return _parse(text, "\t" if path.suffix.lower() == ".tsv" else _delimiter(text))


def _decode(path: Path) -> str:
    content = path.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    message = f"Table '{path}' is neither UTF-8, UTF-16 nor GB 18030: save it as CSV (UTF-8)."
    raise CohortError(message)


def _delimiter(text: str) -> str:
    """The delimiter that splits the header and the most rows into the same number of cells, above one."""

    def fit(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in _parse(text, delimiter)[:200] if row]
        return (sum(width == widths[0] for width in widths) / len(widths), widths[0]) if widths[0] > 1 else (0.0, 1)

    return max(DELIMITERS, key=fit)


def _parse(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _excel_grid(path: Path) -> list[list[str]]:
    import pandas as pd

    try:
        frame = pd.read_excel(path, header=None, dtype=object, keep_default_na=False, engine="openpyxl")
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        message = f"Table '{path}' cannot be read as Excel: open it in Excel and save it again as .xlsx."
        raise CohortError(message) from error
    return [[cell_text(value) for value in row] for row in frame.to_numpy().tolist()]


def _parquet_grid(path: Path) -> list[list[str]]:
    import pandas as pd
    import pyarrow

    try:
        frame = pd.read_parquet(path)
    except (ValueError, pyarrow.ArrowException) as error:
        message = f"Table '{path}' cannot be read as Parquet: write it again."
        raise CohortError(message) from error
    rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return [[str(name) for name in frame.columns], *([cell_text(value) for value in row] for row in rows)]


def cell_text(value: Any) -> str:
    """A cell as a person would write it: whole numbers without ".0", dates without midnight, nothing as ""."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)


def _header_and_rows(grid: Sequence[Sequence[str]], path: Path) -> tuple[list[str], list[list[str]]]:
    lines = [list(line) for line in grid if any(cell.strip() for cell in line)]
    if len(lines) < 2:
        message = f"Table '{path}' holds no row under a header: save the table with its column names and rows."
        raise CohortError(message)
    header = [cell.strip() for cell in lines[0]]
    width = max(index for index, name in enumerate(header, start=1) if name)
    for number, line in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in line[width:]):
            message = (
                f"Table '{path}', row {number}: {len(line)} cells under {width} column names: put quotes round "
                "cells that hold the delimiter, and give every column a name."
            )
            raise CohortError(message)
    header = _named(header[:width], path)
    return header, [[cell.strip() for cell in (line + [""] * width)[:width]] for line in lines[1:]]


def _named(header: list[str], path: Path) -> list[str]:
    """Column names, the nameless ones numbered (an index that was saved along); doubles are refused."""
    names = [name or f"unnamed_{number}" for number, name in enumerate(header, start=1)]
    double = [name for name, count in Counter(names).items() if count > 1]
    if double:
        message = f"Table '{path}' has several columns named '{double[0]}': rename them so that each is unique."
        raise CohortError(message)
    return names
