"""The whole examination of a cohort: its table, its files one patient at a time, and what patients have in common."""

from __future__ import annotations

import pandas as pd

from glottis.data.cohort import Cohort, Roles
from glottis.io.manifest import require_columns
from glottis.study.check.columns import check_columns
from glottis.study.check.finding import Finding, Limits, in_order
from glottis.study.check.rows import (
    check_centres,
    check_ids,
    check_joins,
    check_levels,
    check_outcome,
    check_pictures,
    check_sequences,
    check_spacings,
    check_survival,
)
from glottis.study.check.scans import CaseReport, CaseTask, GreyLevels, check_case
from glottis.study.parallel import Progress, map_units, silent


def check_cohort(
    cohort: Cohort,
    frame: pd.DataFrame,
    roles: Roles,
    *,
    limits: Limits | None = None,
    grey_levels: GreyLevels | None = None,
    jobs: int = 1,
    progress: Progress = silent,
) -> tuple[Finding, ...]:
    """Say everything that is wrong with a cohort.

    Args:
        cohort: from ``read_manifest(..., strict=False)``, so that no problem hides another.
        frame: the manifest itself, as ``read_table`` gives it.
        roles: what its columns mean.
        limits: beyond which the doctor speaks; the defaults of :class:`Limits`.
        grey_levels: number of grey levels of an image inside its mask, for the check of flat textures
            (``StudyGreyLevels`` for a study's own preprocessing); ``None`` leaves that check out.
        jobs: worker processes; patients are independent.
        progress: told after every patient, as stage ``check``.

    Returns:
        Findings, errors first.

    Raises:
        CohortError: a role names a column that the manifest lacks.
    """
    require_columns(frame, roles)
    limits = limits or Limits()
    imaged = cohort if roles.sequences else ()
    tasks = [CaseTask(case=case, limits=limits, grey_levels=grey_levels) for case in imaged]
    reports: list[CaseReport] = []
    if tasks:
        reports = map_units(check_case, tasks, jobs=jobs, stage="check", progress=progress)
    sequences = list(roles.sequences)
    findings = [finding for report in reports for finding in report.findings]
    findings += check_ids(frame, roles) + check_joins(cohort, frame, roles) + check_sequences(cohort, roles)
    findings += check_outcome(cohort, frame, roles, limits) + check_survival(frame, roles)
    findings += check_centres(cohort, roles, limits) + check_columns(cohort, frame, roles, limits)
    findings += check_pictures(cohort, reports)
    findings += check_levels(reports, sequences) + check_spacings(reports, sequences)
    return in_order(dict.fromkeys(findings))
