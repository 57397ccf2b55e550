"""What is wrong between patients: doubles, gaps in the table, classes, centres, sequences, and equal pictures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from glottis._errors import CohortError, nearest
from glottis.data.cohort import Case, Cohort, Roles
from glottis.io.clinical import is_missing, numbers
from glottis.io.manifest import outcome_codes, value_counts
from glottis.study.case_warnings import FEWEST_BINS, MOST_BINS
from glottis.study.check.finding import Finding, Limits, Severity, counted, in_two, named
from glottis.study.check.scans import CaseReport

EVENTS_PER_FEATURE = 10
FEWEST_PER_FOLD = 2


def check_ids(frame: pd.DataFrame, roles: Roles) -> list[Finding]:
    """Rows without an id, patients with several rows, and ids that differ only in letter case or spaces."""
    cells = ["" if is_missing(cell) else str(cell) for cell in frame[roles.id]]
    findings = []
    nameless = [str(row) for row, cell in enumerate(cells, start=2) if not cell]
    if nameless:
        message = f"Row {named(nameless)} of the manifest has no patient id."
        findings.append(_cohort_wide("error", "no-id", message, "Fill it in or delete the row."))
    for patient, count in sorted(Counter(cell for cell in cells if cell).items()):
        if count > 1:
            message = f"The patient has {count} rows in the manifest."
            findings.append(_of(patient, "error", "duplicate-patient", message, _one_row(roles)))
    alike: dict[str, set[str]] = defaultdict(set)
    for cell in cells:
        alike["".join(cell.lower().split())].add(cell)
    for group in (sorted(names) for names in alike.values() if len(names) > 1):
        message = f"The ids {named(group)} differ only in letter case or spaces."
        findings.append(_cohort_wide("warning", "similar-ids", message, "If they are one patient, merge the rows."))
    return findings


def _one_row(roles: Roles) -> str:
    if roles.sequences:
        return "Keep one row a patient."
    return f"Keep one row a patient, or write group: {roles.id} and id: null: all of them then stay on one side."


def check_joins(cohort: Cohort, frame: pd.DataFrame, roles: Roles) -> list[Finding]:
    """Patients without any scan, images without a mask or masks without an image, scans without a clinical row."""
    findings = [
        _of(
            case.patient, "warning", "no-images", "The patient has a row in the table, but no image with a mask.",
            "Correct the names so that table and folders agree, or delete the row; the patient is left out.",
        )
        for case in cohort
        if not case.scans and roles.sequences
    ]  # fmt: skip
    for row in frame.to_dict("records"):
        findings += _half_pairs({str(key): value for key, value in row.items()}, roles)
    columns = [*roles.clinical, *([roles.outcome] if roles.outcome else [])]
    for case, empty in _rows_of(cohort, frame, roles, columns):
        if case.scans and empty and len(columns) > 1:
            message = "The patient has images, but no outcome and no clinical value."
            remedy = "The clinical table probably spells the id otherwise: correct it there."
            findings.append(_of(case.patient, "warning", "no-clinical-row", message, remedy))
    return findings


def _rows_of(cohort: Cohort, frame: pd.DataFrame, roles: Roles, columns: list[str]) -> list[tuple[Case, bool]]:
    empty = {str(row[roles.id]): all(is_missing(row[column]) for column in columns) for row in frame.to_dict("records")}
    return [(case, empty.get(case.patient, False)) for case in cohort]


def _half_pairs(row: Mapping[str, object], roles: Roles) -> list[Finding]:
    findings = []
    for sequence, columns in roles.sequences.items():
        image, mask = (is_missing(_cell(row[name])) for name in (columns.image, columns.mask.column))
        if image != mask:
            has, lacks = ("a mask", "no image") if image else ("an image", "no mask")
            findings.append(
                Finding(
                    severity="warning", code="half-a-pair", message=f"There is {has} but {lacks}.",
                    remedy="Complete the pair; until then the sequence counts as missing.",
                    patient=_cell(row[roles.id]) or "", sequence=sequence,
                )
            )  # fmt: skip
    return findings


def check_sequences(cohort: Cohort, roles: Roles) -> list[Finding]:
    """Who lacks which sequence, and how many delineations serve reproducibility."""
    findings = []
    scanned = [case for case in cohort if case.scans]
    for sequence in roles.sequences:
        lacking = [case.patient for case in scanned if sequence not in case.scans]
        if len(lacking) == len(scanned):
            message, remedy = "No patient has this sequence.", "Correct the column names, or remove the sequence."
            findings.append(_of("", "error", "no-sequence", message, remedy, sequence))
        elif lacking:
            message = f"Absent in {len(lacking)} of {counted(len(scanned), 'patient')}: {named(lacking)}."
            remedy = "Models that use it are fitted without these patients."
            findings.append(_of("", "note", "sequence-missing", message, remedy, sequence))
        findings += _repeats(scanned, sequence)
    complete = sum(set(roles.sequences) <= set(case.scans) for case in scanned)
    if len(roles.sequences) > 1 and complete < len(scanned):
        message = f"{complete} of {len(scanned)} patients have all {len(roles.sequences)} sequences."
        remedy = "Models of all sequences rest on these."
        findings.append(_cohort_wide("note", "complete-patients", message, remedy))
    return findings


def _repeats(cases: list[Case], sequence: str) -> list[Finding]:
    counts = Counter(
        (repeat.reader, repeat.round)
        for case in cases
        if sequence in case.scans
        for repeat in case.scans[sequence].repeats
    )
    if not counts:
        return []
    parts = [f"reader {reader} round {round_}: {count}" for (reader, round_), count in sorted(counts.items())]
    message = f"Further masks for reproducibility, in patients: {', '.join(parts)}."
    few = any(count < 10 for count in counts.values())
    remedy = "Fewer than 10 give wide ICC intervals; 30 or more are usual." if few else ""
    return [_of("", "warning" if few else "note", "repeated-masks", message, remedy, sequence)]


def check_outcome(cohort: Cohort, frame: pd.DataFrame, roles: Roles, limits: Limits) -> list[Finding]:
    """Missing outcomes, classes that are not two, and classes too small for what is planned."""
    if roles.outcome is None:
        return []
    cells = [_cell(cell) for cell in frame[roles.outcome]]
    findings = []
    lacking = [case.patient for case, cell in _outcome_cells(cohort, frame, roles) if is_missing(cell)]
    if lacking:
        message = (
            f"No '{roles.outcome}' is known of {len(lacking)} of {counted(len(cohort), 'patient')}: {named(lacking)}."
        )
        remedy = "They are left out of every model; fill in what is known."
        findings.append(_cohort_wide("warning", "missing-outcome", message, remedy))
    try:
        outcome_codes(cells, roles.positive)
    except CohortError as error:
        message, remedy = in_two(f"The outcome '{roles.outcome}' cannot be used: {error}")
        return [*findings, _cohort_wide("error", "outcome-classes", message, remedy)]
    return findings + _class_sizes(cohort, roles, limits)


def _outcome_cells(cohort: Cohort, frame: pd.DataFrame, roles: Roles) -> list[tuple[Case, str | None]]:
    known = {str(row[roles.id]): _cell(row[roles.outcome]) for row in frame.to_dict("records")}
    return [(case, known.get(case.patient)) for case in cohort]


def _class_sizes(cohort: Cohort, roles: Roles, limits: Limits) -> list[Finding]:
    """Classes too small for what is planned, counted by group; without sequences every row of the table counts."""
    imaged = bool(roles.sequences)
    known = [case for case in cohort if case.outcome is not None and (case.scans or not imaged)]
    counts = Counter(outcome for _, outcome in {(case.group, case.outcome) for case in known})
    positive, negative = counts[1], counts[0]
    rarer = min(positive, negative)
    whom = "patients" if roles.group is None else f"groups ('{roles.group}')"
    both = f"{positive} positive and {negative} negative {whom}{' with images' if imaged else ''}"
    findings = []
    if rarer == 0:
        remedy = f"Both classes need patients{' with images' if imaged else ''}."
        return [_cohort_wide("error", "one-class", f"There are {both}.", remedy)]
    if limits.folds is not None and rarer < limits.folds:
        remedy = f"Use {rarer} folds or fewer, or more patients." if rarer > 1 else "More patients are needed."
        message = f"There are {both}: too few for {limits.folds} folds."
        findings.append(_cohort_wide("error", "class-too-small", message, remedy))
    elif limits.folds is not None and rarer < FEWEST_PER_FOLD * limits.folds:
        message = f"There are {both}: some of {limits.folds} folds hold a single patient of the rarer class."
        remedy = "Expect wide intervals; repeat the cross-validation and read it as exploratory."
        findings.append(_cohort_wide("warning", "small-class", message, remedy))
    if limits.n_candidate_features and rarer < EVENTS_PER_FEATURE * limits.n_candidate_features:
        ratio = rarer / limits.n_candidate_features
        message = (
            f"{rarer} {whom} of the rarer class for {limits.n_candidate_features:,} candidate features: {ratio:.2g} "
            f"per feature, where {EVENTS_PER_FEATURE} is the usual advice for a model without selection."
        )
        remedy = "Keep selection inside the training folds and test on patients that were never used."
        findings.append(_cohort_wide("warning", "events-per-feature", message, remedy))
    return findings


def check_survival(frame: pd.DataFrame, roles: Roles) -> list[Finding]:
    """Follow-up times that are no numbers or negative, and events other than 0 and 1."""
    findings = []
    if roles.time is not None:
        values = numbers(_cell(cell) for cell in frame[roles.time])
        if values is None or any(value is not None and value < 0 for value in values):
            message = f"The follow-up time '{roles.time}' holds text or negative numbers."
            findings.append(_cohort_wide("error", "survival-time", message, "Correct or empty these cells."))
    if roles.event is not None:
        cells = Counter(str(cell) for cell in frame[roles.event] if not is_missing(_cell(cell)))
        other = {value: count for value, count in cells.items() if value.lower() not in _EVENT_VALUES}
        if other:
            message = f"The event '{roles.event}' holds values other than 0 and 1 ({value_counts(other)})."
            findings.append(_cohort_wide("error", "survival-event", message, "Recode: 1 happened, 0 censored."))
    return findings


_EVENT_VALUES = {"0", "1", "0.0", "1.0", "true", "false", "yes", "no"}


def check_centres(cohort: Cohort, roles: Roles, limits: Limits) -> list[Finding]:
    """Centres without a name, external centres of one class, and centres that tell the outcome."""
    known = [case for case in cohort if case.outcome is not None]
    findings = []
    if roles.centre is not None:
        nameless = [case.patient for case in cohort if not case.centre]
        if nameless:
            message = f"No centre is given for {counted(len(nameless), 'patient')}: {named(nameless)}."
            findings.append(_cohort_wide("warning", "no-centre", message, "Fill in the centre."))
        findings += _confounded(known, roles.centre, limits)
    for centre in limits.external_centres:
        findings += _held_out([case for case in known if case.centre == centre], f"centre '{centre}'", cohort)
    if any(case.given_set == "external" for case in known):
        findings += _held_out([case for case in known if case.given_set == "external"], "set", cohort)
    return findings


def _held_out(cases: list[Case], what: str, cohort: Cohort) -> list[Finding]:
    classes = Counter(case.outcome for case in cases)
    if not cases:
        hint = nearest(what[8:-1], {case.centre for case in cohort if case.centre} or {"none"})
        message = f"The external {what} has no patient with a known outcome."
        return [_cohort_wide("error", "external-centre", message, f"{hint[:1].upper()}{hint[1:]}")]
    if len(classes) == 1:
        message = f"The external {what} has {counted(len(cases), 'patient')} of one class only."
        remedy = "No AUC can be measured there: choose another centre for the test, or add patients of the other class."
        return [_cohort_wide("error", "external-one-class", message, remedy)]
    return []


def _confounded(cases: list[Case], column: str, limits: Limits) -> list[Finding]:
    """Cramer's V between centre and outcome, with Fisher's exact test (two centres) or the chi-square test."""
    named_cases = [case for case in cases if case.centre]
    table = pd.crosstab(
        pd.Series([case.centre for case in named_cases], dtype=object),
        pd.Series([case.outcome for case in named_cases], dtype=object),
    )
    if min(table.shape, default=0) < 2:
        return []
    v, p, test = association(table.to_numpy())
    if v < limits.confounding_v or p >= limits.confounding_p:
        return []
    shares = ", ".join(f"{centre}: {row[1]} of {row[0] + row[1]}" for centre, row in table.iterrows())
    message = (
        f"Centre ('{column}') and outcome go together: positive are {shares}. Cramer's V {v:.2f}, {test} p {p:.2g} "
        f"(rule: V of at least {limits.confounding_v:g} and p below {limits.confounding_p:g})."
    )
    remedy = "A model may learn the scanner instead of the disease: test on a centre that was never used in training."
    return [_cohort_wide("warning", "centre-confounded", message, remedy)]


def association(table: np.ndarray) -> tuple[float, float, str]:
    """Cramer's V of a contingency table (Cramer 1946), the p value of independence, and the name of the test."""
    from scipy import stats

    chi2, p, _, _ = stats.chi2_contingency(table, correction=False)
    v = float(np.sqrt(chi2 / table.sum() / (min(table.shape) - 1)))
    if table.shape == (2, 2):
        return v, float(stats.fisher_exact(table)[1]), "Fisher's exact test"
    return v, float(p), "chi-square test"


def check_pictures(cohort: Cohort, reports: Sequence[CaseReport]) -> list[Finding]:
    """Equal pictures: of two patients, or as two sequences of one."""
    groups = {case.patient: case.group for case in cohort}
    owners: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for report in reports:
        for sequence, pixels in report.pixel_hashes.items():
            owners[pixels].append((report.patient, sequence))
    findings = []
    for places in owners.values():
        for (first, one), (second, other) in combinations(sorted(set(places)), 2):
            findings.append(_equal(first, one, second, other, same_group=groups[first] == groups[second]))
    return findings


def _equal(first: str, one: str, second: str, other: str, *, same_group: bool) -> Finding:
    if first == second:
        message = f"{one} and {other} of the patient are the same image, voxel by voxel."
        remedy = "Give each sequence its own image."
        return _of(first, "warning", "duplicate-image", message, remedy)
    message = f"{first} ({one}) and {second} ({other}) have the same image, voxel by voxel."
    if same_group:
        return _of(second, "warning", "duplicate-image", message, "Keep one row a patient.")
    remedy = (
        "If it is one patient, delete one row, else bring the right image: it must not be on both sides of a split."
    )
    return _of(second, "error", "duplicate-image", message, remedy)


def check_levels(reports: Sequence[CaseReport], sequences: Sequence[str]) -> list[Finding]:
    """Textures that are flat or have almost one grey level a voxel, gathered by sequence."""
    findings = []
    limits: tuple[tuple[str, str, Callable[[int], bool], str], ...] = (
        ("flat-texture", f"Fewer than {FEWEST_BINS}", lambda n: n < FEWEST_BINS, "Make the bins narrower"),
        ("too-many-levels", f"More than {MOST_BINS}", lambda n: n > MOST_BINS, "Make the bins wider"),
    )
    for sequence in sequences:
        counts = {r.patient: r.grey_levels[sequence] for r in reports if sequence in r.grey_levels}
        for code, words, beyond, remedy in limits:
            who = [f"{patient} ({n})" for patient, n in sorted(counts.items()) if beyond(n)]
            if who:
                median = int(np.median(list(counts.values())))
                message = (
                    f"{words} grey levels in the tumours of {len(who)} of {counted(len(counts), 'patient')} "
                    f"(median of all {median}): {named(who)}."
                )
                advice = f"{remedy} (bins in study.yaml); 16 to 128 levels are usual."
                findings.append(_of("", "warning", code, message, advice, sequence))
    return findings


def check_spacings(reports: Sequence[CaseReport], sequences: Sequence[str]) -> list[Finding]:
    """How far voxel sizes differ between patients."""
    findings = []
    for sequence in sequences:
        sizes = np.array([r.spacings_mm[sequence] for r in reports if sequence in r.spacings_mm])
        if len(sizes) and (sizes.max(axis=0) > 1.01 * sizes.min(axis=0)).any():
            low, high = sizes.min(axis=0), sizes.max(axis=0)
            message = (
                f"Voxel sizes differ between patients: {_span(low[2], high[2])} in plane, "
                f"{_span(low[0], high[0])} between slices."
            )
            findings.append(
                _of("", "note", "voxel-sizes", message, "Resampling to one size makes features comparable.", sequence)
            )
    return findings


def _span(low: float, high: float) -> str:
    return f"{low:.2f} mm" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f} mm"


def _cell(value: object) -> str | None:
    return None if value is None or value != value else str(value)


def _cohort_wide(severity: Severity, code: str, message: str, remedy: str) -> Finding:
    return Finding(severity=severity, code=code, message=message, remedy=remedy)


def _of(patient: str, severity: Severity, code: str, message: str, remedy: str, sequence: str = "") -> Finding:
    return Finding(severity=severity, code=code, message=message, remedy=remedy, patient=patient, sequence=sequence)
