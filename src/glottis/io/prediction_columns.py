"""Which column of a table of predictions is what."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from glottis._errors import CohortError, nearest

USUAL_NAMES = {"outcome": "y_true"}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column is what; None takes the column of the ledger's name where it is there.

    Attributes:
        patient: id of the patient; a wide table without one has a patient a row.
        outcome: what is predicted (``y_true``).
        positive: value of the positive class; needed unless the outcome is 0/1 or yes/no.
        scores: one column of a long table (``y_score``), or one a model in a wide table.
        model: name of the model, in a long table.
        reader: name of the human reader, empty in the rows of a model.
        modality: with what the reader read.
        time: follow-up.
        event: 1 where it ended with the event.
        centre: where the patient was seen.
        threshold: cut-off of the score, chosen elsewhere.
        subgroups: further groups of patients.
    """

    patient: str | None = None
    outcome: str | None = None
    positive: str | None = None
    scores: tuple[str, ...] = ()
    model: str | None = None
    reader: str | None = None
    modality: str | None = None
    time: str | None = None
    event: str | None = None
    centre: str | None = None
    threshold: str | None = None
    subgroups: tuple[str, ...] = ()


def roles_of(table: pd.DataFrame, columns: Columns, source: str) -> dict[str, str]:
    """Role to column, for every role that the table fills; a column that is named for one role has no other.

    Raises:
        CohortError: a named column is absent, time without event, neither outcome nor survival.
    """
    roles = {}
    taken = {*columns.scores, *columns.subgroups, *(name for name in vars(columns).values() if isinstance(name, str))}
    for role in ("patient", "outcome", "model", "reader", "modality", "time", "event", "centre", "threshold"):
        named = getattr(columns, role)
        if named is not None:
            roles[role] = _known(table, named, f"--{role}", source)
        elif (usual := USUAL_NAMES.get(role, role)) in table.columns and usual not in taken:
            roles[role] = usual
    for name in columns.subgroups:
        _known(table, name, "--subgroup", source)
    roles |= {role: role for role in ("set", "repeat", "fold", "mode") if role in table.columns and role not in taken}
    if ("time" in roles) != ("event" in roles):
        there, absent = ("time", "event") if "time" in roles else ("event", "time")
        if getattr(columns, there) is not None:
            message = f"Survival needs time and event, and {source} has --{there} alone: name --{absent} too."
            raise CohortError(message)
        del roles[there]
    if "outcome" not in roles and "time" not in roles:
        message = (
            f"{source} has no column y_true: name the outcome with --outcome, or time and event with --time and "
            f"--event. Columns: {', '.join(table.columns)}."
        )
        raise CohortError(message)
    return roles


def _known(table: pd.DataFrame, name: str, option: str, source: str) -> str:
    if name not in table.columns:
        message = f"{source} has no column '{name}' ({option}): {nearest(name, table.columns)}."
        raise CohortError(message.replace("?.", "?"))
    return name


def score_columns(table: pd.DataFrame, columns: Columns, roles: dict[str, str], source: str) -> tuple[str, ...]:
    """Columns of scores.

    Raises:
        CohortError: none, one that is absent, several beside a column of models, or no ids where they are needed.
    """
    given = tuple(dict.fromkeys(columns.scores))
    for name in given:
        _known(table, name, "--score", source)
    scores = given or (("y_score",) if "y_score" in table.columns else ())
    if not scores:
        message = (
            f"{source} has no column y_score: name the scores, --score A --score B in a wide table. "
            f"Columns: {', '.join(table.columns)}."
        )
        raise CohortError(message)
    if len(scores) > 1 and "model" in roles:
        message = (
            f"{source} has a column of models ('{roles['model']}') and {len(scores)} columns of scores: a long "
            "table has one --score, a wide one no model."
        )
        raise CohortError(message)
    if "patient" not in roles and {"model", "reader"} & roles.keys():
        message = f"{source} has several rows a patient and no column patient: name it with --patient."
        raise CohortError(message)
    return scores
