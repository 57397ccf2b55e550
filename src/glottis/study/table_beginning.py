"""The first study file of a cohort that is a table of features."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from glottis._errors import CohortError, nearest
from glottis.io.clinical import is_missing, read_cells, read_table
from glottis.io.files import write_text_atomic
from glottis.study.beginning import CENTRE_NAMES, STUDY, clinical_columns, positive_value, proposed_split
from glottis.study.check.columns import AFTER_DECISION
from glottis.study.check.table import OUTCOME_LIKE
from glottis.study.spec_table import TableFeatures
from glottis.study.table_columns import BATCH, DIAGNOSTIC, OTHER, TableColumns, like_id, place, prefix, read_columns
from glottis.study.template import StudyTemplate, study_yaml
from glottis.study.template_table import TemplateTable

MOST_BLOCKS = 8


@dataclass(frozen=True, kw_only=True)
class TableBeginning:
    """What ``glottis init`` found in a table of features and wrote.

    Attributes:
        table: path of the table.
        study: path of the study file.
        rows: rows of the table.
        features: number of features, by block.
        notes: what a person should look at, as sentences.
    """

    table: Path
    study: Path
    rows: int
    features: Mapping[str, int]
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """For the terminal."""
        found = ", ".join(f"{name} {n}" for name, n in self.features.items())
        return [
            f"Feature table: {self.rows} rows. Features: {found}.",
            *self.notes,
            f"Written: {self.study}. Read it, then run  glottis check {self.study}",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        paths = {"table": str(self.table), "study": str(self.study)}
        return {**paths, "layout": "feature table", "rows": self.rows, "features": dict(self.features)} | {
            "notes": list(self.notes)
        }


@dataclass(frozen=True, kw_only=True)
class _Ids:
    """Id column (empty: none) and group column (empty: none) of a table."""

    id: str
    group: str


def is_feature_table(path: Path) -> bool:
    """Whether a file is a table of features, and no batch of images and masks that wait for extraction."""
    if not path.is_file():
        return False
    header, _ = read_cells(path)
    return not set(header) >= BATCH or any(place(name) != OTHER for name in header)


def begin_from_table(path: Path, out: Path, *, clinical: Path | None, outcome: str | None) -> TableBeginning:
    """Write ``study.yaml`` for a table of features, which is its own manifest unless ``clinical`` is one.

    Raises:
        CohortError: no feature, no such outcome, or no column of ``clinical`` that holds the table's ids.
    """
    table = read_table(path)
    manifest = table if clinical is None else read_table(clinical)
    if outcome is not None and outcome not in manifest.columns:
        message = f"No column '{outcome}' to predict: {nearest(outcome, [str(name) for name in manifest.columns])}."
        raise CohortError(message)
    ids = _ids(table, outcome)
    if clinical is None:
        template, features = _alone(table, path, ids, outcome)
    else:
        template, features = _beside(table, path, ids, manifest, clinical, outcome)
    placed = replace(
        template,
        title=f"{path.stem}: {outcome or 'OUTCOME'}",
        outcome=outcome or "OUTCOME",
        manifest="" if clinical is None else _relative(clinical, out),
        table=replace(template.table or TemplateTable(table=""), table=_relative(path, out)),
    )
    write_text_atomic(out / STUDY, study_yaml(placed))
    blocks = placed.table.blocks if placed.table else {}
    sizes = {name: sum(prefix(f) == name for f in features) for name in blocks} or {"features": len(features)}
    return TableBeginning(
        table=path, study=out / STUDY, rows=len(table), features=sizes, notes=tuple(_notes(placed, ids))
    )


def _alone(table: pd.DataFrame, path: Path, ids: _Ids, outcome: str | None) -> tuple[StudyTemplate, list[str]]:
    """The study of a table that holds everything, and its features."""
    columns = read_columns(table, TableFeatures(table=path), _roles(ids, outcome), name=path.name)
    centre = _centre(table)
    others = [name for name in _others(table, columns, ids, outcome) if name != centre]
    kept, left_out = clinical_columns(table, others)
    drop = {name: reason for name, reason in left_out.items() if name in columns.features} | _dropped(columns)
    features = [name for name in columns.features if name not in {*drop, *kept, centre}]
    codes, _, _ = positive_value(table, outcome)
    template = _template(table, outcome, _by_group(table, ids, codes))
    shown = TemplateTable(table="", drop=drop, blocks=_blocks(features))
    return replace(
        template, id=ids.id, group=ids.group, centre=centre, clinical=kept, left_out=left_out, table=shown
    ), features


def _beside(
    table: pd.DataFrame, path: Path, ids: _Ids, manifest: pd.DataFrame, clinical: Path, outcome: str | None
) -> tuple[StudyTemplate, list[str]]:
    """The study of a table that is joined to a manifest, and its features."""
    manifest_id = _matching(table, ids.id, manifest, clinical)
    columns = read_columns(table, TableFeatures(table=path), _roles(ids, outcome), name=path.name)
    others = _others(table, columns, ids, outcome)
    drop = {name: "not named as a feature" for name in others if name in columns.features} | _dropped(columns)
    features = [name for name in columns.features if name not in drop]
    centre = _centre(manifest)
    names = [str(name) for name in manifest.columns if name not in (manifest_id, outcome, centre)]
    kept, left_out = clinical_columns(manifest, names)
    codes, _, _ = positive_value(manifest, outcome)
    template = _template(manifest, outcome, [code for code in codes if code is not None])
    own_id = "" if manifest_id == ids.id else ids.id
    shown = TemplateTable(table="", id=own_id, drop=drop, blocks=_blocks(features))
    return replace(template, id=manifest_id, centre=centre, clinical=kept, left_out=left_out, table=shown), features


def _template(manifest: pd.DataFrame, outcome: str | None, codes: Sequence[int]) -> StudyTemplate:
    """Outcome and split of the study."""
    _, positive, note = positive_value(manifest, outcome)
    split, why, inner = proposed_split(codes, codes)
    return StudyTemplate(
        title="", manifest="", id="", outcome="", positive=positive, positive_note=note, split=split, split_note=why,
        inner_folds=inner,
    )  # fmt: skip


def _centre(manifest: pd.DataFrame) -> str:
    return next((str(name) for name in manifest.columns if str(name).lower() in CENTRE_NAMES), "")


def _ids(table: pd.DataFrame, outcome: str | None) -> _Ids:
    """The first column that is named like an id and tells rows apart, and the first that does not."""
    named = [str(name) for name in table.columns if (like_id(str(name)) or name == "patient") and name != outcome]
    named = [name for name in named if not any(is_missing(cell) for cell in table[name])]
    unique = [name for name in named if table[name].is_unique]
    repeated = [name for name in named if name not in unique and table[name].nunique() > 1]
    return _Ids(id=unique[0] if unique else "", group=repeated[0] if repeated else "")


def _matching(table: pd.DataFrame, id_column: str, manifest: pd.DataFrame, clinical: Path) -> str:
    """The manifest's column that holds most ids of the table."""
    if not id_column:
        message = "The table has no column of ids that are unique: give it one, so that it can be joined to --clinical."
        raise CohortError(message)
    ids = set(table[id_column])
    shared = {str(name): len(ids & set(manifest[name])) for name in manifest.columns}
    best = max(shared, key=lambda name: shared[name])
    if not shared[best]:
        message = (
            f"No column of '{clinical.name}' holds ids of the table's column '{id_column}' "
            f"('{table[id_column].iloc[0]}', ...): write the ids alike in both."
        )
        raise CohortError(message)
    return best


def _roles(ids: _Ids, outcome: str | None) -> dict[str, str]:
    roles = {"id": ids.id, "group": ids.group, "outcome": outcome}
    return {column: role for role, column in roles.items() if column}


def _others(table: pd.DataFrame, columns: TableColumns, ids: _Ids, outcome: str | None) -> list[str]:
    """Columns that are no image features: text, and other names where most are PyRadiomics'."""
    strange = [name for name in columns.features if place(name) == OTHER]
    few = 2 * len(strange) < len(columns.features)
    text = [name for name in columns.text if name not in BATCH and not DIAGNOSTIC.search(name)]
    found = {*(strange if few else ()), *text} - {ids.id, ids.group, outcome, *_suspects(columns)}
    return [str(name) for name in table.columns if name in found]


def _dropped(columns: TableColumns) -> dict[str, str]:
    """Columns of numbers that must not become features, with the reason."""
    return dict.fromkeys(_suspects(columns), "named like an id or an outcome")


def _suspects(columns: TableColumns) -> list[str]:
    """Columns of numbers that are named like an id, an outcome, or something known only later."""
    strange = [name for name in columns.features if place(name) == OTHER]
    return [n for n in strange if OUTCOME_LIKE.search(n) or AFTER_DECISION.search(n) or like_id(n)]


def _blocks(features: Sequence[str]) -> dict[str, str]:
    """A block for each prefix, where every feature has one and their patterns keep apart."""
    names = list(dict.fromkeys(prefix(name) for name in features))
    if not 1 < len(names) <= MOST_BLOCKS or any(not name or set(name) & set("+/\\ *?[") for name in names):
        return {}
    blocks = {name: f"{name}_*" for name in names}
    block = TableFeatures.model_validate({"table": "-", "blocks": blocks})
    return blocks if all(len(block.blocks_of(name)) == 1 for name in features) else {}


def _by_group(table: pd.DataFrame, ids: _Ids, codes: Sequence[int | None]) -> list[int]:
    """Outcomes counted once a group."""
    groups = list(table[ids.group]) if ids.group else list(range(len(table)))
    pairs = {(group, code) for group, code in zip(groups, codes, strict=False) if code is not None}
    return [code for _, code in sorted(pairs, key=str)]


def _relative(path: Path, out: Path) -> str:
    try:
        return Path(os.path.relpath(path.resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return path.resolve().as_posix()


def _notes(template: StudyTemplate, ids: _Ids) -> list[str]:
    notes = []
    if not template.id:
        notes.append("No column of unique ids: rows are numbered.")
    if template.group:
        notes.append(f"Rows with the same '{ids.group}' stay together.")
    if template.clinical:
        notes.append(f"Taken as clinical variables, not as features: {', '.join(template.clinical)}.")
    if template.table is not None:
        notes += [f"Dropped from the features: {name} ({reason})." for name, reason in template.table.drop.items()]
    return [
        *notes,
        f"Split: {template.split_note}."
        if template.split_note
        else "No outcome yet: fill in 'outcome' in the study file.",
    ]
