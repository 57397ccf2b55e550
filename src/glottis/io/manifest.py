"""The manifest: one row a patient, columns with roles; and PyRadiomics' batch table, one row an image and mask."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from glottis._errors import CohortError, nearest
from glottis.data.cohort import Case, Cohort, Lesions, MaskColumn, MaskSource, Roles, Scan
from glottis.data.volume import Volume
from glottis.io.clinical import is_missing, numbers, read_cells, read_table

if TYPE_CHECKING:
    import pandas as pd

YES = {"1", "1.0", "true", "yes"}
NO = {"0", "0.0", "false", "no"}
MAX_NAMED = 8
Labels = tuple[int, ...] | Literal["all"]
"""Labels of a mask file: those named, or every one above 0."""


@dataclass(frozen=True, kw_only=True)
class BatchRow:
    """One row of a PyRadiomics batch table.

    Attributes:
        number: position in the table, from 1.
        image: absolute or relative to the table's folder in the file, resolved here; or in memory.
        mask: likewise.
        labels: the row's ``Label``: one, several or ``"all"``; ``None`` where the table has none.
        channel: the row's ``Label_channel``, likewise.
        columns: every cell of the row as it is written, in the order of the table.
    """

    number: int
    image: Path | Volume
    mask: Path | Volume
    labels: Labels | None = None
    channel: int | None = None
    columns: Mapping[str, str]


def read_manifest(path: Path | str, roles: Roles, *, strict: bool = True) -> Cohort:
    """Read the cohort that a manifest describes.

    Args:
        path: CSV, TSV, Excel or Parquet; image and mask paths are relative to its folder.
        roles: what the columns mean.
        strict: refuse doubled patients, an outcome with one class or a third value, and unreadable times. Without
            it such cells count as missing (``glottis check`` then names them all at once).

    Raises:
        CohortError: a column that is absent, and with ``strict`` the values above.
    """
    path = Path(path)
    return cohort_from_frame(read_table(path), roles, folder=path.parent, strict=strict)


def cohort_from_frame(frame: pd.DataFrame, roles: Roles, *, folder: Path, strict: bool = True) -> Cohort:
    """The cohort of a table that was read before; see :func:`read_manifest`."""
    require_columns(frame, roles)
    ids = [_text(cell) for cell in frame[roles.id]]
    if strict:
        _require_ids(ids, roles.id)
    outcome = _outcome(frame, roles, strict=strict)
    times = _times(frame, roles, strict=strict)
    events = _events(frame, roles, strict=strict)
    clinical = {name: _clinical(frame[name]) for name in roles.clinical}
    cases = []
    for row, patient in enumerate(ids):
        if patient:
            cells = frame.iloc[row]
            cases.append(
                Case(
                    patient=patient,
                    group=_cell(cells, roles.group) or patient,
                    centre=_cell(cells, roles.centre),
                    outcome=outcome[row],
                    time=times[row],
                    event=events[row],
                    clinical={name: column[row] for name, column in clinical.items()},
                    scans=_scans(cells, roles, folder),
                    given_set=_cell(cells, roles.given_set),
                )
            )
    return Cohort(tuple(cases))


def require_columns(frame: pd.DataFrame, roles: Roles) -> None:
    """Refuse a role whose column the table does not have.

    Raises:
        CohortError: names the column and the nearest that exists.
    """
    for role, column in role_columns(roles):
        if column not in frame.columns:
            hint = nearest(column, [str(name) for name in frame.columns])
            message = f"The manifest has no column '{column}' ({role}): {hint}."
            raise CohortError(message)


def role_columns(roles: Roles) -> list[tuple[str, str]]:
    """Every column that a role names, with the role in words."""
    single = {
        "id": roles.id, "group": roles.group, "centre": roles.centre, "outcome": roles.outcome, "time": roles.time,
        "event": roles.event, "set": roles.given_set,
    }  # fmt: skip
    pairs = [(role, column) for role, column in single.items() if column is not None]
    pairs += [("clinical variable", column) for column in roles.clinical]
    for sequence, columns in roles.sequences.items():
        pairs += [(f"image of {sequence}", columns.image), (f"mask of {sequence}", columns.mask.column)]
        pairs += [(f"further mask of {sequence}", repeat.column) for repeat in columns.repeats]
    return pairs


def outcome_codes(cells: Sequence[str | None], positive: str | int | float | None) -> list[int | None]:
    """1 for the positive class, 0 for the other, ``None`` where the cell is missing.

    Args:
        cells: the outcome column as text.
        positive: the value of the positive class; ``None`` asks for a column of 0 and 1.

    Raises:
        CohortError: one class, or a third value, with every value and its count.
    """
    keys = [None if is_missing(cell) else _key(str(cell)) for cell in cells]
    counts = Counter(key for key in keys if key is not None)
    wanted = "1" if positive is None else _key(str(positive))
    listed = value_counts(counts)
    if positive is None and not set(counts) <= {"0", "1"}:
        message = f"its values are not 0 and 1 ({listed}): name the positive class (positive: VALUE)."
        raise CohortError(message)
    if not counts:
        message = "the column is empty: fill it in, or name another column."
        raise CohortError(message)
    if wanted not in counts:
        hint = nearest(wanted, counts)
        remedy = hint if hint.startswith("did") else "name one of the values that do"
        message = f"the positive class '{wanted}' does not occur ({listed}): {remedy}."
        raise CohortError(message)
    if len(counts) == 1:
        message = f"it has one class only ({listed}), two are needed: add patients of the other class."
        raise CohortError(message)
    if len(counts) > 2:
        message = f"it has {len(counts)} values ({listed}), two are needed: recode or empty the others."
        raise CohortError(message)
    return [None if key is None else int(key == wanted) for key in keys]


def value_counts(counts: Mapping[str, int]) -> str:
    """Values with their counts, the most frequent first: ``'I': 40, 'II': 38``."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"'{value}': {count}" for value, count in ordered[:MAX_NAMED])
    return shown + (f" and {len(ordered) - MAX_NAMED} more values" if len(ordered) > MAX_NAMED else "")


def read_batch(path: Path | str) -> list[BatchRow]:
    """Read a PyRadiomics batch table.

    Columns ``Image`` and ``Mask``, optionally ``Label`` (one, several such as "1,2", or "all") and ``Label_channel``;
    any others are kept.

    Raises:
        CohortError: a missing column, a row without image or mask, a label that is no whole number above 0.
    """
    path = Path(path)
    header, rows = read_cells(path)
    for name in ("Image", "Mask"):
        if name not in header:
            message = f"Batch table '{path.name}' has no column '{name}': {nearest(name, header)}."
            raise CohortError(message)
    return [_batch_row(dict(zip(header, row, strict=True)), number, path) for number, row in enumerate(rows, start=1)]


def resolve(cell: str, folder: Path) -> Path:
    """A path cell relative to the table's folder; backslashes of Windows are understood."""
    path = folder / cell
    return path if "\\" not in cell or path.exists() else folder / cell.replace("\\", "/")


def _batch_row(cells: dict[str, str], number: int, path: Path) -> BatchRow:
    for name in ("Image", "Mask"):
        if is_missing(cells[name]):
            message = f"Batch table '{path.name}', row {number}: '{name}' is empty: give a file."
            raise CohortError(message)
    where = f"Batch table '{path.name}', row {number}"
    label, channel = cells.get("Label"), cells.get("Label_channel")
    return BatchRow(
        number=number,
        image=resolve(cells["Image"], path.parent),
        mask=resolve(cells["Mask"], path.parent),
        labels=None if label is None or is_missing(label) else parse_labels(label, where=f"{where}: Label"),
        channel=None if channel is None or is_missing(channel) else _channel(channel, where),
        columns=cells,
    )


def parse_labels(text: str, *, where: str) -> Labels:
    """One label, several, or all.

    Args:
        text: "2", "1,2" (comma, semicolon or space) or "all".
        where: what messages call it.

    Raises:
        CohortError: no whole number above 0.

    >>> parse_labels("1, 2", where="--label"), parse_labels("all", where="--label")
    ((1, 2), 'all')
    """
    words = re.split(r"[,;\s]+", text.strip())
    if words == ["all"]:
        return "all"
    if not all(re.fullmatch(r"0*[1-9]\d*(\.0*)?", word) for word in words):
        message = f"{where} '{text}' is no whole number above 0: write one, several as 1,2 or all (0 lies outside)."
        raise CohortError(message)
    return tuple(dict.fromkeys(int(float(word)) for word in words))


def _channel(text: str, where: str) -> int:
    if not re.fullmatch(r"\d+(\.0*)?", text):
        message = f"{where}: Label_channel '{text}' is no whole number: the first component is 0."
        raise CohortError(message)
    return int(float(text))


def _text(cell: object) -> str:
    return "" if cell is None or is_missing(str(cell)) else str(cell).strip()


def _cell(cells: pd.Series, column: str | None) -> str:
    return "" if column is None else _text(cells[column])


def _key(value: str) -> str:
    """One spelling of a class: whole numbers without a decimal part."""
    parsed = numbers([value])
    return f"{parsed[0]:g}" if parsed is not None and parsed[0] is not None else value.strip()


def _require_ids(ids: list[str], column: str) -> None:
    empty = [str(row + 2) for row, patient in enumerate(ids) if not patient]
    if empty:
        message = f"Column '{column}' is empty in row {', '.join(empty[:MAX_NAMED])}: give every row a patient id."
        raise CohortError(message)
    double = [patient for patient, count in Counter(ids).items() if count > 1]
    if double:
        who = "1 patient has" if len(double) == 1 else f"{len(double)} patients have"
        message = f"{who} several rows ({', '.join(double[:MAX_NAMED])}): keep one row a patient."
        raise CohortError(message)


def _outcome(frame: pd.DataFrame, roles: Roles, *, strict: bool) -> list[int | None]:
    if roles.outcome is None:
        return [None] * len(frame)
    cells = list(frame[roles.outcome])
    try:
        return outcome_codes(cells, roles.positive)
    except CohortError as error:
        if strict:
            message = f"The outcome '{roles.outcome}' cannot be used: {error}"
            raise CohortError(message) from error
        return _lenient_outcome(cells, roles.positive)


def _lenient_outcome(cells: Sequence[str | None], positive: str | int | float | None) -> list[int | None]:
    """The positive class and, as negative class, the most frequent other value."""
    keys = [None if is_missing(cell) else _key(str(cell)) for cell in cells]
    wanted = "1" if positive is None else _key(str(positive))
    others = Counter(key for key in keys if key not in (None, wanted))
    negative = "0" if positive is None else min(others, key=lambda key: (-others[key], str(key)), default=None)
    codes = {wanted: 1, negative: 0}
    return [None if key is None else codes.get(key) for key in keys]


def _times(frame: pd.DataFrame, roles: Roles, *, strict: bool) -> list[float | None]:
    if roles.time is None:
        return [None] * len(frame)
    values = numbers(frame[roles.time])
    bad = values is None or any(value is not None and value < 0 for value in values)
    if bad and strict:
        message = f"The follow-up time '{roles.time}' must hold numbers from 0 upwards: correct the cells that do not."
        raise CohortError(message)
    if values is None:
        return [None] * len(frame)
    return [None if value is None or value < 0 else value for value in values]


def _events(frame: pd.DataFrame, roles: Roles, *, strict: bool) -> list[int | None]:
    if roles.event is None:
        return [None] * len(frame)
    cells = [_text(cell).lower() for cell in frame[roles.event]]
    unknown = Counter(cell for cell in cells if cell and cell not in YES | NO)
    if unknown and strict:
        message = (
            f"The event '{roles.event}' must be 1 (happened) or 0 (censored), found {value_counts(unknown)}: recode it."
        )
        raise CohortError(message)
    return [1 if cell in YES else 0 if cell in NO else None for cell in cells]


def _clinical(column: Iterable[str | None]) -> list[str | float | None]:
    cells = list(column)
    parsed = numbers(cells)
    return [_text(cell) or None for cell in cells] if parsed is None else list(parsed)


def _scans(cells: pd.Series, roles: Roles, folder: Path) -> dict[str, Scan]:
    """Scans of one patient; a sequence without an image or without a mask is absent."""
    scans = {}
    for sequence, columns in roles.sequences.items():
        image = _cell(cells, columns.image)
        mask = _mask(cells, columns.mask, folder, columns.lesions)
        if image and mask is not None:
            repeats = (_mask(cells, column, folder, columns.lesions) for column in columns.repeats)
            scans[sequence] = Scan(
                sequence=sequence,
                image=resolve(image, folder),
                mask=mask,
                repeats=tuple(repeat for repeat in repeats if repeat is not None),
            )
    return scans


def _mask(cells: pd.Series, column: MaskColumn, folder: Path, lesions: Lesions) -> MaskSource | None:
    cell = _cell(cells, column.column)
    if not cell:
        return None
    return MaskSource(
        source=resolve(cell, folder), label=column.label, segment=column.segment, lesions=lesions,
        reader=column.reader, round=column.round,
    )  # fmt: skip
