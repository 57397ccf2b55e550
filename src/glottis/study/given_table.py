"""A table of features that was made elsewhere: its rows and columns, matched with the patients of the cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from glottis._errors import CohortError, nearest
from glottis.data.cohort import Cohort
from glottis.data.tables import KEY_COLUMNS, FeatureTable
from glottis.io.clinical import is_missing, read_table
from glottis.study.spec_table import RepeatedTable, TableFeatures
from glottis.study.table_columns import TableColumns, held, numeric, read_columns

NAMED = 8


@dataclass(frozen=True, kw_only=True)
class GivenTable:
    """A table of features that was made elsewhere.

    Attributes:
        values: its features, and those of repeated measurements, for patients of the cohort.
        columns: what was made of each column.
        first: features of the measurement that feeds the models, for every row of the table, by id.
        measured: ids with at least one value.
        numbered: whether the rows have numbers for ids.
        joined: whether the cohort stands in a manifest of its own.
        strangers: ids of the table that the manifest does not have.
    """

    values: FeatureTable
    columns: TableColumns
    first: pd.DataFrame
    measured: frozenset[str]
    numbered: bool
    joined: bool
    strangers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OpenedTable:
    """A table whose columns are sorted, before its rows meet the cohort.

    Attributes:
        block: what the study says of it.
        frame: every cell as text.
        id: its id column.
        columns: what was made of each column.
        numbered: whether the ids are numbers of rows.
        joined: whether the cohort stands in a manifest of its own.
    """

    block: TableFeatures
    frame: pd.DataFrame
    id: str
    columns: TableColumns
    numbered: bool
    joined: bool


def open_table(
    block: TableFeatures, manifest: pd.DataFrame | None, id_column: str, taken: Mapping[str, str], *, numbered: bool
) -> OpenedTable:
    """Read a table and find out which of its columns are features.

    Args:
        block: what the study says of it.
        manifest: the table itself, where it is its own manifest; ``None`` reads it from its file, to be joined by id.
        id_column: id column of the manifest.
        taken: columns that have a role, with the role in words.
        numbered: whether the ids are numbers of rows.

    Raises:
        CohortError: the table cannot be read, has no id column or no features.
    """
    if manifest is None:
        frame, own_id = _joined_table(block, id_column, numbered=numbered)
        taken = {column: role for column, role in taken.items() if column != id_column} | {own_id: "id"}
    else:
        frame, own_id = manifest, id_column
    columns = read_columns(frame, block, taken, name=block.table.name)
    joined = manifest is None
    return OpenedTable(block=block, frame=frame, id=own_id, columns=columns, numbered=numbered, joined=joined)


def match_cohort(opened: OpenedTable, cohort: Cohort) -> GivenTable:
    """The features of the cohort's patients, and of their repeated measurements.

    Raises:
        CohortError: no row of the reader that is asked for, ids twice or without a match, or repeats that lack a
            feature.
    """
    rows, block = _rows(opened), opened.block
    is_first = (rows["reader"] == block.reader) & (rows["round"] == block.round)
    first = rows[is_first].drop(columns=["reader", "round"]).set_index("patient")
    _require_rows(rows, first, cohort, block, joined=opened.joined)
    further = [_repeat(repeat, opened) for repeat in block.repeats]
    known = {case.patient for case in cohort}
    frame = pd.concat([rows, *further], ignore_index=True)
    frame = frame[frame["patient"].isin(known)].sort_values(list(KEY_COLUMNS), kind="stable", ignore_index=True)
    return GivenTable(
        values=FeatureTable(frame),
        columns=opened.columns,
        first=first,
        measured=frozenset(first.index[first.notna().any(axis=1)]),
        numbered=opened.numbered,
        joined=opened.joined,
        strangers=tuple(sorted({*first.index, *(p for part in further for p in part["patient"])} - known)),
    )


def _joined_table(block: TableFeatures, id_column: str, *, numbered: bool) -> tuple[pd.DataFrame, str]:
    """A table beside the manifest, and its id column."""
    if numbered:
        message = f"Table '{block.table.name}' can only be joined to a manifest with ids: name its column (id: COLUMN)."
        raise CohortError(message)
    table = read_table(block.table)
    return table, _id_in(table, block, block.table, id_column)


def _id_in(table: pd.DataFrame, block: TableFeatures, path: Path, id_column: str) -> str:
    own = block.id or id_column
    if own not in table.columns:
        hint = nearest(own, [str(name) for name in table.columns][:30])
        message = f"Table '{path.name}' has no id column '{own}' (features.id names another): {hint}"
        raise CohortError(message)
    return own


def _rows(opened: OpenedTable) -> pd.DataFrame:
    """Keys and features of every row that has an id; a table of glottis' own says reader and round of each row."""
    table, block, columns = opened.frame, opened.block, opened.columns
    keys = pd.DataFrame({"patient": _ids(table[opened.id])})
    if {"reader", "round"} <= set(table.columns) and opened.id not in ("reader", "round"):
        keys["reader"] = [str(cell) for cell in table["reader"]]
        rounds, sample, _ = numeric(table["round"])
        if rounds is None or not np.isfinite(rounds).all():
            message = (
                f"Column 'round' of table '{block.table.name}' must hold whole numbers, found '{sample}': correct it."
            )
            raise CohortError(message)
        keys["round"] = rounds.astype(int)
    else:
        keys["reader"], keys["round"] = block.reader, block.round
    rows = pd.concat([keys, pd.DataFrame(dict(columns.features))], axis=1)
    return rows[rows["patient"] != ""]


def _require_rows(
    rows: pd.DataFrame, first: pd.DataFrame, cohort: Cohort, block: TableFeatures, *, joined: bool
) -> None:
    name = block.table.name
    if not len(first):
        pairs = Counter(zip(rows["reader"], rows["round"], strict=True))
        listed = ", ".join(f"reader {reader} round {number}" for reader, number in sorted(pairs))
        message = (
            f"Table '{name}' has no row of reader {block.reader}, round {block.round} "
            f"({listed or 'no row has an id'}): set features.reader and features.round."
        )
        raise CohortError(message)
    if joined:
        _once(first.index, name)
        ids = [case.patient for case in cohort]
        if not set(ids) & set(first.index):
            message = (
                f"No id of table '{name}' ('{first.index[0]}', ...) stands in the manifest ('{ids[0]}', ...): "
                "name the right columns (id, features.id), or write the ids alike."
            )
            raise CohortError(message)


def _once(ids: Sequence[str] | pd.Index[str], name: str) -> None:
    double = sorted(patient for patient, count in Counter(ids).items() if count > 1)
    if double:
        message = (
            f"Table '{name}' has several rows of {len(double)} patients ({', '.join(double[:NAMED])}): keep one row a "
            "patient; further measurements go into features.repeats."
        )
        raise CohortError(message)


def _repeat(repeat: RepeatedTable, opened: OpenedTable) -> pd.DataFrame:
    """A further measurement with the features of the first."""
    path = repeat.table
    if opened.numbered:
        message = f"Repeated measurements ('{path.name}') are matched by id: name the id column (id: COLUMN)."
        raise CohortError(message)
    table = read_table(path)
    ids = _ids(table[_id_in(table, opened.block, path, opened.id)])
    _once([patient for patient in ids if patient], path.name)
    values = {name: _repeated_values(table, name, path) for name in opened.columns.features}
    keys = pd.DataFrame({"patient": ids, "reader": repeat.reader, "round": repeat.round})
    rows = pd.concat([keys, pd.DataFrame(values)], axis=1)
    return rows[rows["patient"] != ""]


def _repeated_values(table: pd.DataFrame, name: str, path: Path) -> np.ndarray:
    if name not in table.columns:
        message = (
            f"Table '{path.name}' of repeated measurements lacks the feature '{name}': measure it, or leave it out "
            "(features.drop)."
        )
        raise CohortError(message)
    values, sample, _ = numeric(table[name])
    if values is None:
        message = f"Feature '{name}' of table '{path.name}' holds {held(sample)}: correct it, or leave it out."
        raise CohortError(message)
    return values


def _ids(cells: pd.Series) -> list[str]:
    return ["" if is_missing(cell) else str(cell).strip() for cell in cells]
