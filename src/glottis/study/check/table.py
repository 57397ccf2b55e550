"""What is wrong with a table of features, and what was made of its columns."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from glottis.study.check.columns import AFTER_DECISION
from glottis.study.check.finding import Finding, Limits, Severity, counted, named
from glottis.study.check.table_values import check_values
from glottis.study.given_table import GivenTable
from glottis.study.source import Source
from glottis.study.spec_table import TableFeatures
from glottis.study.table_columns import OTHER, like_id, place, prefix

OUTCOME_LIKE = re.compile(
    r"^(?:y|target|label|class|outcome|event|status|diagnosis|grade|stage|response|group)s?$"
    r"|(?:^|[-_ ])(?:label|target|outcome|diagnosis|metasta\w*|malignan\w*)(?:$|[-_ ])",
    re.IGNORECASE,
)
FEW_REPEATS = 10


def check_table(source: Source, limits: Limits) -> list[Finding]:
    """Findings on the feature table of a study; none where it starts from images."""
    given, block = source.given, source.study.table
    if given is None or block is None:
        return []
    findings = [*_columns(given), *_ids(source, given), *_names(given, block), *_repeats(given, block)]
    return [*findings, *check_values(source, given, block, limits)]


def _columns(given: GivenTable) -> Iterator[Finding]:
    """Which columns are features, and which were left out and why."""
    columns = given.columns
    names = list(columns.features)
    message = f"{counted(len(given.first), 'row')} with {counted(len(names), 'feature')}: {named(names)}."
    yield _finding("note", "feature-columns", message, "Narrow them by features.columns or features.drop.")
    reasons: dict[str, list[str]] = defaultdict(list)
    for name, reason in columns.left_out.items():
        if not (given.numbered and reason == "id"):
            reasons[reason].append(name)
    if reasons:
        parts = "; ".join(f"{reason}: {named(found)}" for reason, found in reasons.items())
        message = f"{counted(sum(map(len, reasons.values())), 'column')} of numbers left out of the features ({parts})."
        yield _finding("note", "columns-left-out", message, "features.columns takes what it names.")
    text = [name for name in columns.text if name not in columns.nearly]
    if text:
        message = f"{counted(len(text), 'column')} without numbers left out of the features: {named(text)}."
        yield _finding("note", "text-columns", message, "Recode them as numbers if they are features.")
    if columns.nearly:
        odd = [f"{name} ({n}, first '{columns.text[name]}')" for name, n in columns.nearly.items()]
        message = f"{counted(len(odd), 'column')} left out for a few cells that are no number: {named(odd)}."
        yield _finding("warning", "text-among-numbers", message, "Correct or empty these cells.")


def _ids(source: Source, given: GivenTable) -> Iterator[Finding]:
    """Numbered rows, and ids of one side only."""
    if given.numbered:
        alone = "" if source.roles.group else "; name a group column if a patient has several rows"
        message = f"The table has no id column: its {len(given.first)} rows are numbered from {given.first.index[0]}."
        yield _finding("note", "numbered-rows", message, f"Row 1 stands under the header{alone}.")
    if given.strangers:
        message = f"{counted(len(given.strangers), 'id')} of the feature tables stand in no row of the manifest: "
        yield _finding(
            "warning", "unknown-ids", f"{message}{named(given.strangers)}.", "They are left out; write ids alike."
        )
    absent = [case.patient for case in source.cohort if source.why_absent(case)]
    if absent:
        message = f"{len(absent)} of {counted(len(source.cohort), 'patient')} have no feature: {named(absent)}."
        yield _finding("warning", "no-features", message, "They are left out of every model.")


def _names(given: GivenTable, block: TableFeatures) -> Iterator[Finding]:
    """Features whose names say that they are something else, and prefixes that could be blocks."""
    names = list(given.columns.features)
    ids = [name for name in names if like_id(name)]
    if ids:
        message = f"Named like an id, and a feature: {named(ids)}."
        yield _finding("warning", "id-among-features", message, "Give it a role (id, group), or drop it.")
    others = [name for name in names if place(name) == OTHER and name not in ids]
    told = [name for name in others if OUTCOME_LIKE.search(name) or AFTER_DECISION.search(name)]
    if told:
        message = f"Named like an outcome or something known only later, and a feature: {named(told)}."
        yield _finding("warning", "outcome-among-features", message, "Drop it (features.drop), if it is one.")
    rest = [name for name in others if name not in told]
    if rest and 2 * len(others) < len(names):
        message = f"{counted(len(rest), 'feature')} not named as PyRadiomics names them: {named(rest)}."
        yield _finding("warning", "other-names", message, "Drop what is no image feature (features.drop).")
    prefixes = list(dict.fromkeys(found for name in names if (found := prefix(name))))
    if not block.blocks and 1 < len(prefixes) <= 8:
        shown = ", ".join(f'{name}: "{name}_*"' for name in prefixes)
        message = f"The features have {len(prefixes)} prefixes: {named(prefixes)}."
        yield _finding("note", "prefixes", message, f"features.blocks: {{{shown}}} makes a model of each.")


def _repeats(given: GivenTable, block: TableFeatures) -> Iterator[Finding]:
    """How many rows were measured again, and gaps among them."""
    frame = given.values.frame
    for (reader, number), rows in frame.groupby(["reader", "round"], sort=True):
        if (reader, number) == (block.reader, block.round):
            continue
        again = rows["patient"].isin(given.measured)
        message = f"Measured again by reader {reader}, round {number}: {counted(int(again.sum()), 'patient')}."
        few = again.sum() < FEW_REPEATS
        remedy = "Fewer than 10 give wide ICC intervals; 30 or more are usual." if few else ""
        yield _finding("warning" if few else "note", "repeated-measurements", message, remedy)
        values = rows[given.values.features]
        holed = _listed(list(values.columns[~np.isfinite(values.to_numpy(dtype=float)).all(axis=0)]))
        if holed:
            message = f"Values of reader {reader}, round {number} are missing or infinite in {holed}."
            yield _finding("error", "repeats-missing", message, "Complete them, or leave the rows or features out.")


def _listed(names: Sequence[str]) -> str:
    return f"{counted(len(names), 'feature')}: {named(names)}" if names else ""


def _finding(severity: Severity, code: str, message: str, remedy: str) -> Finding:
    return Finding(severity=severity, code=code, message=message, remedy=remedy)
