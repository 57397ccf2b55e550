"""What a study starts from: a manifest that names images, or a table of features."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from glottis._errors import CohortError
from glottis.data.cohort import Case, Cohort, Roles
from glottis.features.extract import feature_names
from glottis.io.clinical import read_table
from glottis.io.files import sha256_file
from glottis.io.manifest import cohort_from_frame, require_columns, role_columns
from glottis.study.given_table import GivenTable, match_cohort, open_table
from glottis.study.settings import case_settings
from glottis.study.spec import Study
from glottis.study.table_columns import like_id

ROW_COLUMNS = ("row", "row_number")


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
        if self.study.clinical_alone:
            return ""
        if self.given is None:
            return "" if case.scans else "no image with a mask"
        return "" if case.patient in self.given.measured else "no value in the feature table"

    def n_candidates(self) -> int:
        """Features that the model of all sequences or blocks starts from."""
        if self.given is not None:
            return len(self.given.columns.features)
        if self.study.clinical_alone:
            return len(self.study.clinical)
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
    itself = frame if study.table.table == study.manifest else None
    opened = open_table(study.table, itself, roles.id, taken, numbered=numbered)
    rest = frame if itself is None else frame.drop(columns=list(opened.columns.features))
    cohort = cohort_from_frame(rest, roles, folder=study.manifest.parent, strict=strict)
    given = match_cohort(opened, cohort)
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
