"""A batch of images and masks to one table: what ``glottis extract`` does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from glottis._errors import SettingsError, nearest
from glottis.data.cohort import Lesions, MaskSource
from glottis.io.files import write_atomic, write_text_atomic
from glottis.io.manifest import BatchRow
from glottis.study.extraction import ScanResult, ScanTask, extract_scans
from glottis.study.parallel import Progress, silent
from glottis.study.parameters import Parameters

FORMATS = (".csv", ".json", ".parquet")


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """Features of a batch.

    Attributes:
        table: one row a mask (or lesion), in the order of the batch: its columns, ``diagnostics_*``, then the
            features; a row that failed has its own columns only.
        failures: (row of the batch from 1, reason).
        warnings: (row of the batch from 1, sentence).
    """

    table: pd.DataFrame
    failures: tuple[tuple[int, str], ...]
    warnings: tuple[tuple[int, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """Counts, failures and warnings as plain values; the features are in the table."""
        return {
            "rows": len(self.table),
            "failures": [{"row": row, "reason": reason} for row, reason in self.failures],
            "warnings": [{"row": row, "text": text} for row, text in self.warnings],
        }


def extract_batch(
    rows: Sequence[BatchRow],
    parameters: Parameters,
    *,
    lesions: Lesions = "union",
    cache: Path | None = None,
    jobs: int = 1,
    progress: Progress = silent,
) -> Extraction:
    """Extract every row of a batch; a row that fails leaves the others running.

    Args:
        rows: what to extract.
        parameters: a parameter file, read.
        lesions: how several lesions in a mask count.
        cache: folder of finished rows; ``None`` keeps nothing.
        jobs: worker processes.
        progress: told after every row.
    """
    if parameters.label_channel != 0:
        message = f"label_channel {parameters.label_channel} is not offered: give a mask file with one component."
        raise SettingsError(message)
    tasks = [
        ScanTask(
            patient=str(row.number),
            sequence="",
            image=row.image,
            masks=(_mask(row, parameters, lesions),),
            settings=parameters.case,
            cache=cache,
        )
        for row in rows
    ]
    results = extract_scans(tasks, jobs=jobs, progress=progress)
    pairs = list(zip(rows, results, strict=True))
    return Extraction(
        table=_table(pairs),
        failures=tuple((row.number, line.error) for row, result in pairs for line in result.rows if line.error),
        warnings=tuple((row.number, text) for row, result in pairs for line in result.rows for text in line.warnings),
    )


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a feature table as CSV, JSON (a list of rows) or Parquet, by the suffix.

    Raises:
        SettingsError: another suffix.
        StorageError: the file cannot be written.
    """
    require_format(path)
    suffix = path.suffix.lower()
    if suffix == ".csv":
        write_text_atomic(path, table.to_csv(index=False, lineterminator="\n"))
    elif suffix == ".json":
        rows = [{k: v for k, v in row.items() if v == v} for row in table.to_dict(orient="records")]
        write_text_atomic(path, json.dumps(rows, indent=1) + "\n")
    else:
        write_atomic(path, lambda temporary: table.to_parquet(temporary, index=False))


def require_format(path: Path) -> None:
    """Refuse a table format that cannot be written, before any work is done."""
    if path.suffix.lower() not in FORMATS:
        message = (
            f"Cannot write a table as '{path.name}' ({nearest(path.suffix, FORMATS)}): use .csv, .json or .parquet."
        )
        raise SettingsError(message)


def drop_cache(folder: Path) -> None:
    """Remove the folder of finished rows, once the table that they went into is written."""
    shutil.rmtree(folder, ignore_errors=True)


def _mask(row: BatchRow, parameters: Parameters, lesions: Lesions) -> MaskSource:
    return MaskSource(source=row.mask, label=parameters.label if row.label is None else row.label, lesions=lesions)


def _table(pairs: Sequence[tuple[BatchRow, ScanResult]]) -> pd.DataFrame:
    several = any(len(result.rows) > 1 for _, result in pairs)
    records: list[dict[str, Any]] = []
    for row, result in pairs:
        for line in result.rows:
            lesion = {"Lesion": line.lesion + 1} if several else {}
            records.append({**row.columns, **lesion, **line.diagnostics, **line.features})
    names = {name: None for record in records for name in record}
    own = [name for row, _ in pairs[:1] for name in row.columns] + (["Lesion"] if several else [])
    diagnostics = [name for name in names if name.startswith("diagnostics_") and name not in own]
    features = [name for name in names if name not in own and name not in diagnostics]
    return pd.DataFrame(records, columns=[*own, *diagnostics, *features])
