"""A batch of images and masks to one table: what ``glottis extract`` does."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glottis.data.cohort import Lesions
from glottis.io.manifest import BatchRow
from glottis.study.diagnostics import PREFIX
from glottis.study.parallel import Progress, map_units, silent
from glottis.study.parameters import Parameters
from glottis.study.shared_image import Line, SharedImage, extract_shared
from glottis.study.warmup import compile_kernels

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """Features of a batch.

    Attributes:
        columns: of the table: those of the batch, ``diagnostics_*``, then the features.
        records: one a mask (label, lesion), in the order of the batch; one that failed has its own columns only.
        failures: (row of the batch from 1, reason).
        warnings: (row of the batch from 1, sentence).
        notes: what the settings said that changes nothing.
    """

    columns: tuple[str, ...]
    records: tuple[Mapping[str, Any], ...]
    failures: tuple[tuple[int, str], ...] = ()
    warnings: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def table(self) -> pd.DataFrame:
        """The records as a table; what a record lacks, and a feature without a value, is NaN."""
        import pandas as pd

        return pd.DataFrame(list(self.records), columns=list(self.columns))

    def lines(self) -> list[str]:
        """Notes, warnings and failures, equal warnings of several rows in one line."""
        rows_of: dict[str, list[int]] = {}
        for row, text in self.warnings:
            rows_of.setdefault(text, []).append(row)
        warned = [f"warning, row {_ranges(rows)}: {text}" for text, rows in rows_of.items()]
        return [*self.notes, *warned, *(f"row {row}: {reason}" for row, reason in self.failures)]

    def to_dict(self) -> dict[str, Any]:
        """Counts, failures and warnings as plain values; the features are in the table."""
        return {
            "rows": len(self.records),
            "failures": [{"row": row, "reason": reason} for row, reason in self.failures],
            "warnings": [{"row": row, "text": text} for row, text in self.warnings],
            "notes": list(self.notes),
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
        progress: told after every image.
    """
    compile_kernels([parameters.case], progress=progress)
    groups: dict[tuple[object, object], list[BatchRow]] = {}
    for row in rows:
        groups.setdefault((_key(row.image), _key(row.mask)), []).append(row)
    tasks = [
        SharedImage(rows=tuple(group), parameters=parameters, lesions=lesions, cache=cache) for group in groups.values()
    ]
    found = map_units(extract_shared, tasks, jobs=jobs, stage="features", progress=progress)
    lines = sorted((line for group in found for line in group), key=lambda line: line.row.number)
    columns, records = _records(lines)
    several = _several_labels(lines)
    return Extraction(
        columns=columns,
        records=records,
        failures=tuple((line.row.number, _said(line, line.error, several=several)) for line in lines if line.error),
        warnings=tuple(
            (line.row.number, _said(line, text, several=several)) for line in lines for text in line.warnings
        ),
        notes=parameters.ignored,
    )


def drop_cache(folder: Path) -> None:
    """Remove the folder of finished rows, once the table that they went into is written."""
    shutil.rmtree(folder, ignore_errors=True)


def _ranges(numbers: Sequence[int]) -> str:
    """Row numbers with runs closed up.

    >>> _ranges([1, 2, 3, 7])
    '1-3, 7'
    """
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(str(end) for end in run) for run in runs)


def _key(source: object) -> object:
    """What is the same file, or the same object in memory."""
    return source if isinstance(source, Path) else id(source)


def _records(lines: Sequence[Line]) -> tuple[tuple[str, ...], tuple[dict[str, Any], ...]]:
    own = {name: None for line in lines[:1] for name in line.row.columns}
    several = {"Label": _several_labels(lines), "Lesion": any(line.lesion for line in lines)}
    own |= {name: None for name, wanted in several.items() if wanted}
    records = []
    for line in lines:
        record: dict[str, Any] = dict(line.row.columns)
        if "Label" in own and line.label is not None:
            record["Label"] = str(line.label)
        if "Lesion" in own:
            record["Lesion"] = line.lesion + 1
        records.append({**record, **line.diagnostics, **line.features})
    names = {name: None for record in records for name in record if name not in own}
    diagnostics = [name for name in names if name.startswith(PREFIX)]
    features = [name for name in names if not name.startswith(PREFIX)]
    return (*own, *diagnostics, *features), tuple(records)


def _said(line: Line, text: str, *, several: bool) -> str:
    return f"label {line.label}: {text}" if several and line.label is not None else text


def _several_labels(lines: Sequence[Line]) -> bool:
    """Whether a row asks for more than one label, so that lines must say which is theirs."""
    return any(line.row.labels == "all" or len(line.row.labels or ()) > 1 for line in lines)
