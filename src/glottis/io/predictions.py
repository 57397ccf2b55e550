"""Tables of predictions as people have them, long or wide, read into one shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from glottis._errors import CohortError
from glottis.data.ratings import RATING_COLUMNS, TRAINING_SET, Rater, Ratings, patients, shown
from glottis.io.clinical import cell_text, is_missing, numbers, read_table
from glottis.io.prediction_columns import Columns, roles_of, score_columns

__all__ = ["Columns", "read_predictions"]

WORDS = {"yes": 1.0, "true": 1.0, "positive": 1.0, "no": 0.0, "false": 0.0, "negative": 0.0}


def read_predictions(source: Path | pd.DataFrame, columns: Columns) -> Ratings:
    """Read a long or wide table of predictions.

    Long: one row a patient and model (or reader), the columns ``patient``, ``model``, ``y_true``, ``y_score`` and,
    where known, ``set``, ``repeat``, ``fold``, ``mode``, ``centre``, ``threshold``, ``reader``, ``modality``, ``time``,
    ``event``. Wide: one row a patient (and reader), ``columns.scores`` names a column a model.

    Args:
        source: CSV, TSV, Excel or Parquet, or such a table in memory.
        columns: which column is what, where the names differ.

    Raises:
        CohortError: a column is absent, a cell cannot be read, a patient has two rows or two outcomes, or trains and
            tests.
    """
    if isinstance(source, pd.DataFrame):
        table, name = _as_text(source), "the table"
    else:
        table, name = read_table(source), f"'{source.name}'"
    roles = roles_of(table, columns, name)
    scores = score_columns(table, columns, roles, name)
    frame, raters = _long(table, scores, roles, name)
    positive, negative = "", ""
    if "outcome" in roles:
        frame["y_true"], positive, negative = _outcome(table, roles["outcome"], columns.positive, len(scores))
    frame["y_score"] = _scores(table, scores, positive, negative)
    for role in ("threshold", "time"):
        if role in roles:
            frame[role] = np.tile(_numbers(table[roles[role]], roles[role]), len(scores))
    if "event" in roles:
        frame["event"] = np.tile(_event(table[roles["event"]], roles["event"]), len(scores))
    groups = tuple(dict.fromkeys([*([roles["centre"]] if "centre" in roles else []), *columns.subgroups]))
    for group in groups:
        frame[group] = np.tile(table[group].to_numpy(dtype=object), len(scores))
    survival = "time" in roles
    kept, notes = _complete(frame, outcome="outcome" in roles, survival=survival)
    if "patient" not in roles:
        notes = (*notes, "The table names no patients: every row counts as one.")
    _check_patients(kept, groups)
    return Ratings(
        frame=kept.reset_index(drop=True),
        raters=tuple(rater for rater in raters if (kept["rater"] == rater.name).any()),
        outcome=roles.get("outcome", ""),
        positive=positive,
        negative=negative,
        groups=groups,
        has_survival=survival,
        notes=notes,
    )


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """A table in memory as one that was read: every cell text or None."""
    cells = [[None if is_missing(value) else cell_text(value) for value in row] for row in frame.to_numpy(object)]
    return pd.DataFrame(cells, columns=[str(name) for name in frame.columns], dtype=object)


def _long(
    table: pd.DataFrame, scores: tuple[str, ...], roles: dict[str, str], source: str
) -> tuple[pd.DataFrame, list[Rater]]:
    """One row a rater and patient, without scores; the score columns one below the other."""
    n = len(table)
    ids = table[roles["patient"]] if "patient" in roles else pd.Series([f"row {i + 1}" for i in range(n)])
    nameless = [str(i + 2) for i in np.flatnonzero(ids.isna())]
    if nameless:
        message = f"{source} has rows without a patient (lines {shown(nameless)}): fill in their ids."
        raise CohortError(message)
    raters = [rater for score in scores for rater in _raters(table, score, roles, wide=len(scores) > 1)]
    frame = pd.DataFrame({"rater": [rater.name for rater in raters], "patient": np.tile(ids.to_numpy(), len(scores))})
    for name, absent in (("set", ""), ("repeat", "1"), ("fold", "1")):
        own = table[roles[name]].fillna(absent) if name in roles else pd.Series([absent] * n)
        frame[name] = np.tile(own.to_numpy(dtype=object), len(scores))
    for name in ("y_true", "y_score", "threshold", "time", "event"):
        frame[name] = np.nan
    return frame[list(RATING_COLUMNS)], list(dict.fromkeys(raters))


def _raters(table: pd.DataFrame, score: str, roles: dict[str, str], *, wide: bool) -> list[Rater]:
    """The rater of each row in one column of scores."""
    modes = "mode" in roles and "model" in roles and table.groupby(roles["model"])[roles["mode"]].nunique().max() > 1

    def cells(role: str) -> list[str | None]:
        if role not in roles:
            return [None] * len(table)
        named = [None if value is None else str(value) for value in table[roles[role]]]
        return [f"{roles[role]} {value}" if value is not None and value.isdigit() else value for value in named]

    known: dict[tuple[str | None, ...], Rater] = {}
    found = []
    for model, mode, reader, modality in zip(*map(cells, ("model", "mode", "reader", "modality")), strict=True):
        key = model, mode, reader, modality
        if key not in known:
            label = f"{model} ({mode})" if modes and model is not None else model
            way = modality or (score if wide and reader is not None else None)
            name = ", ".join(word for word in (label, reader, way) if word is not None)
            known[key] = Rater(name=name or score, reader=reader, modality=way)
        found.append(known[key])
    return found


def _outcome(table: pd.DataFrame, column: str, positive: str | None, times: int) -> tuple[np.ndarray, str, str]:
    cells = table[column]
    values = sorted({str(cell) for cell in cells.dropna()})
    if len(values) != 2:
        n = f"{len(values)} value{'' if len(values) == 1 else 's'}"
        message = f"Outcome '{column}' holds {n} ({shown(values)}): it needs two, one a class."
        raise CohortError(message)
    if positive is None:
        usual = [value for value in values if WORDS.get(value.lower()) == 1 or value in ("1", "1.0")]
        if len(usual) != 1:
            message = (
                f"Outcome '{column}' holds {values[0]} and {values[1]}: say which is the positive class, "
                f"--positive {values[1]}."
            )
            raise CohortError(message)
        positive = usual[0]
    if positive not in values:
        message = f"Outcome '{column}' has no value '{positive}' (--positive): it holds {values[0]} and {values[1]}."
        raise CohortError(message)
    truth = np.array([np.nan if cell is None else float(cell == positive) for cell in cells])
    return np.tile(truth, times), positive, next(value for value in values if value != positive)


def _scores(table: pd.DataFrame, scores: tuple[str, ...], positive: str, negative: str) -> np.ndarray:
    words = WORDS | ({positive.lower(): 1.0, negative.lower(): 0.0} if positive else {})
    return np.concatenate([_numbers(table[name], name, words) for name in scores])


def _numbers(cells: pd.Series[str], name: str, words: dict[str, float] | None = None) -> np.ndarray:
    """Numbers of a column, nan where a cell is empty; ``words`` stand for numbers."""
    coded = [None if cell is None else str((words or {}).get(cell.lower(), cell)) for cell in cells]
    values = numbers(coded)
    if values is None and any(cell is not None for cell in coded):
        row = next((i for i, cell in enumerate(coded) if cell is not None and numbers([cell]) is None), 0)
        message = (
            f"Column '{name}' is no list of numbers (line {row + 2}: '{cells.iloc[row]}'): write scores and ratings as "
            "numbers, calls as yes and no."
        )
        raise CohortError(message)
    return np.array(values if values is not None else [None] * len(coded), dtype=np.float64)


def _event(cells: pd.Series[str], name: str) -> np.ndarray:
    events = _numbers(cells, name, WORDS)
    odd = sorted({f"{value:g}" for value in events[np.isfinite(events)] if value not in (0, 1)})
    if odd:
        message = f"Event '{name}' holds {shown(odd)}: write 1 for the event and 0 for censored."
        raise CohortError(message)
    return events


def _complete(frame: pd.DataFrame, *, outcome: bool, survival: bool) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rows with score, outcome and survival, and what was left out."""
    notes = []
    for column, used, what in (
        ("y_true", outcome, "outcome"), ("time", survival, "follow-up time"), ("event", survival, "event"),
        ("y_score", True, "score"),
    ):  # fmt: skip
        absent = frame[column].isna() if used else pd.Series(False, index=frame.index)
        if absent.any():
            n = frame.loc[absent, "patient"].nunique()
            of = f" ({', '.join(frame.loc[absent, 'rater'].unique())})" if column == "y_score" else ""
            notes.append(f"{patients(n)} without {what}{of} left out.")
            frame = frame[~absent]
    if frame.empty:
        message = "No row has both a score and an outcome: check the columns' names and the ids."
        raise CohortError(message)
    return frame, tuple(notes)


def _check_patients(frame: pd.DataFrame, groups: tuple[str, ...]) -> None:
    double = frame.duplicated(["rater", "set", "repeat", "fold", "patient"])
    if double.any():
        row = frame[double].iloc[0]
        ids = sorted(frame.loc[double & (frame["rater"] == row["rater"]), "patient"].unique())
        message = (
            f"'{row['rater']}' has more than one score for {patients(len(ids))} "
            f"({shown(ids)}): keep one row, or name the column that tells them apart (--model, --reader, --modality)."
        )
        raise CohortError(message)
    for column in ("y_true", "time", "event", *groups):
        differing = frame.groupby("patient", sort=True)[column].nunique()
        ids = [str(patient) for patient in differing.index[differing > 1]]
        if ids:
            what = "outcomes" if column == "y_true" else f"values of '{column}'"
            message = f"{patients(len(ids))} with two {what} in different rows ({shown(ids)}): correct the table."
            raise CohortError(message)
    trained = set(frame.loc[frame["set"] == TRAINING_SET, "patient"])
    leaked = sorted(trained & set(frame.loc[frame["set"] != TRAINING_SET, "patient"]))
    if leaked:
        message = (
            f"{patients(len(leaked))} both in the training set and in a test set ({shown(leaked)}): a test holds "
            "none of the training patients."
        )
        raise CohortError(message)
