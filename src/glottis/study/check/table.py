"""What is wrong with a table of features, and what was made of its columns."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from glottis.study.check.columns import AFTER_DECISION, FEWEST_CASES, FEWEST_PER_CLASS
from glottis.study.check.finding import Finding, Limits, Severity, counted, named
from glottis.study.source import GivenTable, Source
from glottis.study.spec_table import TableFeatures
from glottis.study.table_columns import OTHER, like_id, place, prefix

OUTCOME_LIKE = re.compile(
    r"^(?:y|target|label|class|outcome|event|status|diagnosis|grade|stage|response|group)s?$"
    r"|(?:^|[-_ ])(?:label|target|outcome|diagnosis|metasta\w*|malignan\w*)(?:$|[-_ ])",
    re.IGNORECASE,
)
MOST_MISSING = 0.2
FEWEST_FOR_TWINS = 10
SCALED = 0.9
NEAR = 0.05
FEW_REPEATS = 10
SETS_SHOWN = 3


def check_table(source: Source, limits: Limits) -> list[Finding]:
    """Findings on the feature table of a study; none where it starts from images."""
    given, block = source.given, source.study.table
    if given is None or block is None:
        return []
    findings = [*_columns(given), *_ids(source, given), *_names(given, block), *_values(given, block)]
    findings += [*_constants(given), *_twins(given), *_double_rows(source, given), *_scaled(given)]
    return [*findings, *_leaks(source, given, limits), *_repeats(given, block)]


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


def _values(given: GivenTable, block: TableFeatures) -> Iterator[Finding]:
    """Gaps and infinite values; a row without any value of a block lacks the block, as a patient lacks a sequence."""
    endless = [f"{name} ({n})" for name, n in np.isinf(given.first).sum().items() if n]
    if endless:
        message = f"Infinite values in {counted(len(endless), 'feature')} (rows): {named(endless)}."
        yield _finding("error", "infinite-values", message, "Correct or empty the cells, or drop the features.")
    gaps = _gaps(given.first, block)
    counts = gaps.sum()
    holed = [f"{name} ({n})" for name, n in counts.items() if n]
    rows = list(given.first.index[gaps.any(axis=1)])
    if holed:
        message = (
            f"{counted(int(counts.sum()), 'value')} missing in {counted(len(holed), 'feature')} (rows): "
            f"{named(holed)}; in {counted(len(rows), 'row')}: {named(rows)}."
        )
        if block.impute:
            remedy = f"Filled with the {block.impute} of the training rows, inside every training view."
            many = counts.max() > MOST_MISSING * len(given.first)
            yield _finding("warning" if many else "note", "missing-values", message, remedy)
        else:
            remedy = "Complete them, drop features or rows, or ask for features.impute: median."
            yield _finding("error", "missing-values", message, remedy)


def _gaps(frame: pd.DataFrame, block: TableFeatures) -> pd.DataFrame:
    """True where a value is missing in a row that has others of the same block."""
    missing = frame.isna()
    owners = np.array([block.blocks_of(name)[0] for name in frame.columns])
    for owner in dict.fromkeys(owners):
        own = owners == owner
        missing.loc[missing.loc[:, own].all(axis=1), own] = False
    return missing


def _constants(given: GivenTable) -> Iterator[Finding]:
    values = given.first.nunique(dropna=True)
    constant, empty = list(values.index[values == 1]), list(values.index[values == 0])
    if constant:
        message = f"{counted(len(constant), 'feature')} with one value only: {named(constant)}."
        yield _finding("note", "constant-features", message, "The selection drops them.")
    if empty:
        message = f"{counted(len(empty), 'feature')} without any value: {named(empty)}."
        yield _finding("warning", "empty-features", message, "Drop them (features.drop).")


def _twins(given: GivenTable) -> Iterator[Finding]:
    """Features that repeat another one, value by value."""
    groups: dict[bytes, list[str]] = defaultdict(list)
    for name in given.first.columns[given.first.nunique() > 1]:
        groups[given.first[name].to_numpy(dtype=float).tobytes()].append(name)
    twins = [" = ".join(names) for names in groups.values() if len(names) > 1]
    if twins:
        more = f" and {len(twins) - SETS_SHOWN} more" if len(twins) > SETS_SHOWN else ""
        message = f"{counted(len(twins), 'set')} of features equal in every row: {named(twins[:SETS_SHOWN])}{more}."
        yield _finding("note", "equal-features", message, "The first of each stays where Spearman is asked for.")


def _double_rows(source: Source, given: GivenTable) -> Iterator[Finding]:
    """Rows that repeat another one in every feature."""
    frame = given.first.dropna(how="all")
    groups = {case.patient: case.group for case in source.cohort}
    owners: dict[bytes, list[str]] = defaultdict(list)
    for patient, row in zip(frame.index, frame.to_numpy(dtype=float), strict=True):
        owners[row.tobytes()].append(patient)
    doubles = [patients for patients in owners.values() if len(patients) > 1]
    apart = [" = ".join(p) for p in doubles if len({groups.get(patient, patient) for patient in p}) > 1]
    together = [" = ".join(p) for p in doubles if len({groups.get(patient, patient) for patient in p}) == 1]
    if apart:
        message = f"Rows equal in all {frame.shape[1]} features: {named(apart)}."
        remedy = (
            "If it is one patient, delete the copy or name a group column: it must not be on both sides of a split."
        )
        severity: Severity = "error" if frame.shape[1] >= FEWEST_FOR_TWINS else "warning"
        yield _finding(severity, "equal-rows", message, remedy)
    if together:
        message = f"Rows of one group equal in all {frame.shape[1]} features: {named(together)}."
        yield _finding("warning", "equal-rows", message, "Delete the copy, if it is one.")


def _scaled(given: GivenTable) -> Iterator[Finding]:
    """Features that have mean 0 and standard deviation 1, or run from 0 to 1, over all rows."""
    values = given.first.to_numpy(dtype=float)
    values = values[:, np.isfinite(values).all(axis=0)]
    values = values[:, np.ptp(values, axis=0) > 0] if values.size else values
    if values.shape[0] < FEWEST_CASES or not values.size:
        return
    n = values.shape[1]
    standard = (np.abs(values.mean(axis=0)) < NEAR) & (np.abs(values.std(axis=0) - 1) < NEAR)
    unit = (values.min(axis=0) == 0) & (values.max(axis=0) == 1)
    for hits, words in ((standard, "have mean 0 and standard deviation 1"), (unit, "run from 0 to 1 exactly")):
        if hits.sum() >= SCALED * n:
            message = (
                f"{hits.sum()} of {counted(n, 'feature')} {words} over all {len(values)} rows: they were probably "
                "scaled on all patients, test patients included, before glottis saw the table."
            )
            yield _finding("note", "scaled-before", message, "Take the unscaled table, if there is one, and say so.")


def _leaks(source: Source, given: GivenTable, limits: Limits) -> Iterator[Finding]:
    """Features that tell the outcome on their own, or are the outcome."""
    outcome = {case.patient: case.outcome for case in source.cohort if case.outcome is not None}
    frame = given.first[given.first.index.isin(list(outcome))]
    y = np.array([outcome[patient] for patient in frame.index], dtype=int)
    for name in frame.columns:
        values = frame[name].to_numpy(dtype=float)
        known = np.isfinite(values)
        area = _area(values[known], y[known])
        if area <= limits.leak_auc:
            continue
        same = area == 1 and np.unique(values[known]).size == 2
        what = "is the outcome in other words" if same else "alone tells the outcome"
        message = f"Feature '{name}' {what}: AUC {area:.3f} over {known.sum()} patients."
        if same:
            yield _finding("error", "leaked-label", message, "Drop it (features.drop).")
        else:
            remedy = "Suspect a leak: find out how it was made, and drop it if it knew the outcome."
            yield _finding("warning", "leak-suspect", message, remedy)


def _area(values: NDArray[np.float64], y: NDArray[np.int_]) -> float:
    """AUC in the better direction; 0.5 where too few are known."""
    positive = int(y.sum())
    negative = len(y) - positive
    if len(y) < FEWEST_CASES or min(positive, negative) < FEWEST_PER_CLASS:
        return 0.5
    area = float((rankdata(values)[y == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))
    return max(area, 1 - area)


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
