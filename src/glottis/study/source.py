"""What a study starts from: a manifest that names images, or a table of features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from glottis._errors import CohortError, nearest
from glottis.data.cohort import Case, Cohort, Roles
from glottis.data.tables import KEY_COLUMNS, FeatureTable
from glottis.features.extract import feature_names
from glottis.io.clinical import is_missing, read_table
from glottis.io.files import sha256_file
from glottis.io.manifest import cohort_from_frame, require_columns, role_columns
from glottis.study.settings import case_settings
from glottis.study.spec import Study
from glottis.study.spec_table import TableFeatures
from glottis.study.table_columns import TableColumns, held, like_id, numeric, read_columns

ROW_COLUMNS = ("row", "row_number")
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
class Source:
    """A study with its cohort, and with its features where they come from a table.

    Attributes:
        study: the study.
        frame: the manifest, without the columns that are features.
        roles: what its columns mean.
        cohort: its cases.
        given: the table; ``None`` where features are computed from images.
    """

    study: Study
    frame: pd.DataFrame
    roles: Roles
    cohort: Cohort
    given: GivenTable | None

    def why_absent(self, case: Case) -> str:
        """Why nothing was measured of a patient; empty where something was."""
        if self.given is None:
            return "" if case.scans else "no image with a mask"
        return "" if case.patient in self.given.measured else "no value in the feature table"

    def n_candidates(self) -> int:
        """Features that the model of all sequences or blocks starts from."""
        if self.given is not None:
            return len(self.given.columns.features)
        return sum(len(feature_names(case_settings(self.study, name).features)) for name in self.study.sequences)


def read_source(study: Study, *, strict: bool = True) -> Source:
    """Read the manifest, and the table where there is one.

    Args:
        study: the study.
        strict: refuse what ``glottis check`` lists otherwise; see `glottis.io.manifest.read_manifest`.

    Raises:
        CohortError: a table that cannot be read, a column that is absent, ids that do not match.
    """
    frame = read_table(study.manifest)
    if study.table is None:
        roles = study.roles()
        cohort = cohort_from_frame(frame, roles, folder=study.manifest.parent, strict=strict)
        return Source(study=study, frame=frame, roles=roles, cohort=cohort, given=None)
    frame, roles, numbered = _with_ids(frame, study)
    require_columns(frame, roles)
    taken = {column: role for role, column in role_columns(roles)}
    joined = study.table.table != study.manifest
    if joined:
        table, own_id = _joined_table(study.table, roles.id, numbered=numbered)
        taken = {column: role for column, role in taken.items() if column != roles.id} | {own_id: "id"}
    else:
        table, own_id = frame, roles.id
    columns = read_columns(table, study.table, taken, name=study.table.table.name)
    rest = frame if joined else frame.drop(columns=list(columns.features))
    cohort = cohort_from_frame(rest, roles, folder=study.manifest.parent, strict=strict)
    rows = _rows(table, own_id, columns, study.table)
    given = _given(rows, columns, study.table, own_id, cohort, numbered=numbered, joined=joined)
    study = study.model_copy(update={"id": None}) if numbered else study
    return Source(study=study, frame=rest, roles=roles, cohort=cohort, given=given)


def digests(study: Study) -> dict[str, str]:
    """SHA-256 of every table that a study names, by what it is."""
    if study.table is None:
        return {"manifest": sha256_file(study.manifest)}
    files = {"manifest": study.manifest, "feature table": study.table.table}
    if study.table.table == study.manifest:
        files = {"manifest and features": study.manifest}
    files |= {f"reader {r.reader}, round {r.round}": r.table for r in study.table.repeats}
    return {name: sha256_file(path) for name, path in files.items()}


def _with_ids(frame: pd.DataFrame, study: Study) -> tuple[pd.DataFrame, Roles, bool]:
    """The manifest with an id column, its roles, and whether the ids are numbers of rows."""
    roles = study.roles()
    by_default = "id" not in study.model_fields_set
    if study.id is not None and (study.id in frame.columns or not by_default):
        return frame, roles, False
    taken = {column for role, column in role_columns(roles) if role != "id"}
    names = [str(name) for name in frame.columns]
    candidates = [name for name in names if like_id(name) and name not in taken]
    if by_default and candidates:
        message = (
            f"Table '{study.manifest.name}' has no column 'patient', and '{candidates[0]}' may be its id: write "
            f"id: {candidates[0]} (or group: {candidates[0]} and id: null, for several rows of a patient), or id: null "
            "to number the rows."
        )
        raise CohortError(message)
    row = next(name for name in (*ROW_COLUMNS, "_".join(names)) if name not in names)
    width = len(str(len(frame)))
    numbered = frame.assign(**{row: [f"{number:0{width}d}" for number in range(1, len(frame) + 1)]})
    return numbered, replace(roles, id=row), True


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


def _rows(table: pd.DataFrame, own_id: str, columns: TableColumns, block: TableFeatures) -> pd.DataFrame:
    """Keys and features of every row that has an id; a table of glottis' own says reader and round of each row."""
    keys = pd.DataFrame({"patient": _ids(table[own_id])})
    if {"reader", "round"} <= set(table.columns) and own_id not in ("reader", "round"):
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


def _given(
    rows: pd.DataFrame,
    columns: TableColumns,
    block: TableFeatures,
    own_id: str,
    cohort: Cohort,
    *,
    numbered: bool,
    joined: bool,
) -> GivenTable:
    is_first = (rows["reader"] == block.reader) & (rows["round"] == block.round)
    first = rows[is_first].drop(columns=["reader", "round"]).set_index("patient")
    _require_rows(rows, first, cohort, block, joined=joined)
    further = [_repeat(r.table, r.reader, r.round, columns, block, own_id, numbered) for r in block.repeats]
    known = {case.patient for case in cohort}
    frame = pd.concat([rows, *further], ignore_index=True)
    frame = frame[frame["patient"].isin(known)].sort_values(list(KEY_COLUMNS), kind="stable", ignore_index=True)
    return GivenTable(
        values=FeatureTable(frame),
        columns=columns,
        first=first,
        measured=frozenset(first.index[first.notna().any(axis=1)]),
        numbered=numbered,
        joined=joined,
        strangers=tuple(sorted({*first.index, *(p for part in further for p in part["patient"])} - known)),
    )


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


def _repeat(
    path: Path, reader: str, number: int, columns: TableColumns, block: TableFeatures, own_id: str, numbered: bool
) -> pd.DataFrame:
    """A further measurement with the features of the first."""
    if numbered:
        message = f"Repeated measurements ('{path.name}') are matched by id: name the id column (id: COLUMN)."
        raise CohortError(message)
    table = read_table(path)
    ids = _ids(table[_id_in(table, block, path, own_id)])
    _once([patient for patient in ids if patient], path.name)
    values = {name: _repeated_values(table, name, path) for name in columns.features}
    rows = pd.concat([pd.DataFrame({"patient": ids, "reader": reader, "round": number}), pd.DataFrame(values)], axis=1)
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
