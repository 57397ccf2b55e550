"""What is wrong with single columns: constant, half empty, telling the outcome, known too late, or naming a person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from glottis.data.cohort import Cohort, Roles
from glottis.io.clinical import is_missing, numbers
from glottis.io.manifest import role_columns
from glottis.study.check.finding import Finding, Limits, Severity

FEWEST_CASES = 10
FEWEST_PER_CLASS = 3
MOST_MISSING = 0.2
AFTER_DECISION = re.compile(
    r"^y?p[TNM](?![a-z])|pTNM|(?<![A-Za-z])(?:PFS|OS|DFS|RFS|NED|AWD|LVI|PNI)(?![A-Za-z])"
    r"|(?i:^path[-_ ]|patholog|(?<![a-z])p[-_ ]?stage|post[-_ ]?op|follow[-_ ]?up|recurren|relapse|surviv|death"
    r"|deceased|progression|(?<![a-z])margins?(?![a-z])|(?<!neo)adjuvant|(?<![a-z])outcome|^treatment|^therapy)"
    r"|术后|病理|复发|随访|生存"
)
PERSON = re.compile(
    r"^(?:(?:patient|sur|last|first|full)[-_ ]?)?name$|birth|(?<![a-z])dob(?![a-z])|姓名|身份证|出生", re.I
)


def check_columns(cohort: Cohort, frame: pd.DataFrame, roles: Roles, limits: Limits) -> list[Finding]:
    """Findings on the clinical variables of the study, and notes on columns that it does not use."""
    used = {column for _, column in role_columns(roles)}
    findings: list[Finding] = []
    for column in roles.clinical:
        findings += _variable(frame[column], column, limits)
    findings += [
        _finding(
            "warning", "personal-data", f"Column '{column}' looks like a name or a birth date.",
            "Remove it: a manifest needs neither.",
        )
        for column in map(str, frame.columns)
        if PERSON.search(column)
    ]  # fmt: skip
    return findings + _leaks(cohort, frame, roles, limits, used)


def _variable(cells: pd.Series, column: str, limits: Limits) -> list[Finding]:
    present = [str(cell) for cell in cells if not is_missing(cell)]
    findings = []
    if len(set(present)) < 2:
        what = f"has one value only ('{present[0]}')" if present else "is empty"
        remedy = "It cannot help any model: remove it from the clinical variables."
        findings.append(_finding("warning", "constant-column", f"Clinical variable '{column}' {what}.", remedy))
    missing = len(cells) - len(present)
    if present and missing > MOST_MISSING * len(cells):
        message = f"Clinical variable '{column}' is missing for {missing} of {len(cells)} patients."
        findings.append(_finding("warning", "missing-values", message, "Complete it, or leave it out."))
    if limits.timing == "preoperative" and AFTER_DECISION.search(column):
        message = f"Clinical variable '{column}' sounds like something known only after the decision."
        remedy = "A preoperative model must not use it: remove it, or set timing: any if this is not one."
        findings.append(_finding("warning", "known-too-late", message, remedy))
    return findings


def _leaks(cohort: Cohort, frame: pd.DataFrame, roles: Roles, limits: Limits, used: set[str]) -> list[Finding]:
    """Columns that tell the outcome on their own."""
    codes = {case.patient: case.outcome for case in cohort}
    y = [codes.get(str(patient)) for patient in frame[roles.id]]
    skipped = used - set(roles.clinical)
    findings = []
    for column in map(str, frame.columns):
        if column in skipped:
            continue
        auc, how, n = single_column_auc(list(frame[column]), y)
        if auc <= limits.leak_auc:
            continue
        message = f"Column '{column}' alone tells the outcome: AUC {auc:.2f} over {n} patients ({how})."
        if column in roles.clinical:
            remedy = "This is probably the label in other words: remove it from the clinical variables."
            findings.append(_finding("error", "leaked-label", message, remedy))
        else:
            remedy = "The study does not use it; keep it out of the clinical variables."
            findings.append(_finding("note", "leaked-label", message, remedy))
    return findings


def single_column_auc(cells: Sequence[str | None], y: Sequence[int | None]) -> tuple[float, str, int]:
    """The best AUC of a column in either direction, how it was read, and over how many patients.

    A column of numbers is taken as it is, any other one by its single values (one against the rest). Columns with
    fewer than ``FEWEST_CASES`` cells, or ``FEWEST_PER_CLASS`` in a class, are not judged (AUC 0.5); values that occur
    once are not either.
    """
    rows = [
        (cell, outcome) for cell, outcome in zip(cells, y, strict=True) if outcome is not None and not is_missing(cell)
    ]
    outcomes = np.array([outcome for _, outcome in rows], dtype=int)
    n_positive = int(outcomes.sum())
    if len(rows) < FEWEST_CASES or min(n_positive, len(rows) - n_positive) < FEWEST_PER_CLASS:
        return 0.5, "too few cells", len(rows)
    values = numbers(cell for cell, _ in rows)
    if values is not None:
        return _auc(np.array(values, dtype=float), outcomes), "as a number", len(rows)
    text = np.array([str(cell) for cell, _ in rows], dtype=object)
    levels = [value for value, count in sorted(Counter(text).items()) if count > 1]
    scored = [(_auc((text == value).astype(float), outcomes), f"value '{value}' against the rest") for value in levels]
    best = max(scored, default=(0.5, "every value is unique"))
    return best[0], best[1], len(rows)


def _auc(score: np.ndarray, outcomes: np.ndarray) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney), ties counted half, in the better direction."""
    from scipy.stats import rankdata

    n_positive = int(outcomes.sum())
    ranks = rankdata(score)[outcomes == 1].sum() - n_positive * (n_positive + 1) / 2
    area = float(ranks / (n_positive * (len(outcomes) - n_positive)))
    return max(area, 1 - area)


def _finding(severity: Severity, code: str, message: str, remedy: str) -> Finding:
    return Finding(severity=severity, code=code, message=message, remedy=remedy)
