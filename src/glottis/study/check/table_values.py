"""What is wrong with the values of a feature table: gaps, repetitions, and features that tell too much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from glottis.study.check.columns import FEWEST_CASES, FEWEST_PER_CLASS
from glottis.study.check.finding import Finding, Limits, Severity, counted, named
from glottis.study.given_table import GivenTable
from glottis.study.source import Source
from glottis.study.spec_table import TableFeatures

MOST_MISSING = 0.2
FEWEST_FOR_TWINS = 10
SCALED = 0.9
NEAR = 0.05
SETS_SHOWN = 3


def check_values(source: Source, given: GivenTable, block: TableFeatures, limits: Limits) -> Iterator[Finding]:
    """Findings on the values of a table."""
    yield from _missing(given, block)
    yield from _constants(given)
    yield from _twins(given)
    yield from _double_rows(source, given)
    yield from _scaled(given)
    yield from _leaks(source, given, limits)


def _missing(given: GivenTable, block: TableFeatures) -> Iterator[Finding]:
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
    suspects: list[tuple[float, str]] = []
    for name in frame.columns:
        values = frame[name].to_numpy(dtype=float)
        known = np.isfinite(values)
        area = _area(values[known], y[known])
        if area == 1 and np.unique(values[known]).size == 2:
            message = f"Feature '{name}' is the outcome in other words: AUC {area:.3f} over {known.sum()} rows."
            yield _finding("error", "leaked-label", message, "Drop it (features.drop).")
        elif area > limits.leak_auc:
            suspects.append((-area, name))
    if suspects:
        told = [f"{name} ({-area:.3f})" for area, name in sorted(suspects)]
        message = f"{counted(len(told), 'feature')} alone with an AUC above {limits.leak_auc:g}: {named(told)}."
        remedy = "Suspect a leak: find out how each was made, and drop it if it knew the outcome."
        yield _finding("warning", "leak-suspect", message, remedy)


def _area(values: NDArray[np.float64], y: NDArray[np.int_]) -> float:
    """AUC in the better direction; 0.5 where too few are known."""
    positive = int(y.sum())
    negative = len(y) - positive
    if len(y) < FEWEST_CASES or min(positive, negative) < FEWEST_PER_CLASS:
        return 0.5
    area = float((rankdata(values)[y == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))
    return max(area, 1 - area)


def _finding(severity: Severity, code: str, message: str, remedy: str) -> Finding:
    return Finding(severity=severity, code=code, message=message, remedy=remedy)
