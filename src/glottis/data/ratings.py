"""Scores of models and human readers, and the same patients in all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glottis._errors import CohortError

TRAINING_SET = "training"
RATING_COLUMNS = ("rater", "patient", "set", "repeat", "fold", "y_true", "y_score", "threshold", "time", "event")
SHOWN_IDS = 8


@dataclass(frozen=True, kw_only=True)
class Rater:
    """Who gave scores: a model, a marker, or a human reader.

    Attributes:
        name: unique among the raters.
        reader: the reader; None for a model.
        modality: with what the reader read; None where there is one way only.
    """

    name: str
    reader: str | None = None
    modality: str | None = None


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """A table of scores, one row a rater, patient and repeat.

    Attributes:
        frame: columns ``RATING_COLUMNS`` and ``groups``; ``set`` is "" where the table has none, ``y_true``, ``time``
            and ``event`` are nan where it has none.
        raters: in the order of the table.
        outcome: name of the outcome's column; "" where only survival is known.
        positive: value of the positive class, as the table writes it.
        negative: value of the other class.
        groups: columns of centre and subgroups.
        has_survival: whether time and event are there.
        notes: what was left out at reading, and how much.
    """

    frame: pd.DataFrame
    raters: tuple[Rater, ...]
    outcome: str
    positive: str
    negative: str
    groups: tuple[str, ...] = ()
    has_survival: bool = False
    notes: tuple[str, ...] = ()

    @property
    def sets(self) -> list[str]:
        """Sets that are no training set, in the order of the table."""
        return [str(name) for name in self.frame["set"].unique() if name != TRAINING_SET]

    def rows(self, rater: str, set_: str) -> pd.DataFrame:
        """A rater's rows in one set."""
        return self.frame[(self.frame["rater"] == rater) & (self.frame["set"] == set_)]


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Raters on the same patients of one set, in the same order.

    Attributes:
        y_true: (n,) outcome 0 or 1; None where only survival is known.
        scores: rater to its (n,) scores.
        thresholds: rater to its cut-off in the table; None where it has none.
        time: (n,) follow-up; None where there is none.
        event: (n,) 1 for the event, 0 for censored.
        groups: name of a variable to its (n,) groups.
        n_dropped: rater to how many of its patients others lack, left out.
    """

    y_true: NDArray[np.int64] | None
    scores: dict[str, NDArray[np.float64]]
    thresholds: dict[str, float | None]
    time: NDArray[np.float64] | None
    event: NDArray[np.float64] | None
    groups: dict[str, NDArray[Any]]
    n_dropped: dict[str, int] = field(default_factory=dict)


def paired(ratings: Ratings, set_: str, *, common: bool) -> Paired:
    """The raters of one set on the same patients.

    Args:
        ratings: the table; the set holds one row a rater and patient.
        set_: the set.
        common: leave out patients that a rater lacks; otherwise they are refused.

    Raises:
        CohortError: raters on different patients without ``common``, no patient that all have, a threshold that
            differs between the patients of a rater.
    """
    found = {rater.name: ratings.rows(rater.name, set_).set_index("patient") for rater in ratings.raters}
    tables = {name: rows for name, rows in found.items() if len(rows)}
    shared, dropped = same_patients({name: rows.index for name, rows in tables.items()}, set_, common=common)
    tables = {name: rows.loc[shared] for name, rows in tables.items()}
    first = next(iter(tables.values()))
    return Paired(
        y_true=first["y_true"].to_numpy(dtype=np.int64) if ratings.outcome else None,
        scores={name: rows["y_score"].to_numpy(dtype=np.float64) for name, rows in tables.items()},
        thresholds={name: _one_threshold(name, rows["threshold"]) for name, rows in tables.items()},
        time=first["time"].to_numpy(dtype=np.float64) if ratings.has_survival else None,
        event=first["event"].to_numpy(dtype=np.float64) if ratings.has_survival else None,
        groups={name: first[name].to_numpy(dtype=object) for name in ratings.groups},
        n_dropped=dropped,
    )


def same_patients(of_rater: dict[str, Iterable[str]], set_: str, *, common: bool) -> tuple[list[str], dict[str, int]]:
    """Patients whom every rater has, sorted, and how many of each rater's are left out.

    Raises:
        CohortError: raters on different patients without ``common``, or no patient that all have.
    """
    own = {name: set(ids) for name, ids in of_rater.items()}
    everybody, shared = set().union(*own.values()), set.intersection(*own.values())
    where = f" in the set '{set_}'" if set_ else ""
    if everybody != shared and not common:
        name = min(own, key=lambda rater: len(own[rater]))
        absent = sorted(everybody - own[name])
        others = sum(ids != everybody for ids in own.values()) - 1
        more = f" (and {others} other{'s' if others > 1 else ''} lack patients)" if others else ""
        message = (
            f"The raters have different patients{where}: '{name}' lacks {len(absent)} of {len(everybody)} "
            f"({shown(absent)}){more}. Add their scores, or compare on the {patients(len(shared))} that all have: "
            "--common."
        )
        raise CohortError(message)
    if not shared:
        message = f"No patient has a score from every rater{where}: leave a rater out, or check the patients' ids."
        raise CohortError(message)
    return sorted(shared), {name: len(ids - shared) for name, ids in own.items() if ids - shared}


def shown(ids: Sequence[str]) -> str:
    """At most eight ids, and how many more there are."""
    more = len(ids) - SHOWN_IDS
    return ", ".join(ids[:SHOWN_IDS]) + (f" and {more} more" if more > 0 else "")


def patients(n: int) -> str:
    """``1 patient``, ``2 patients``."""
    return f"{n} patient{'' if n == 1 else 's'}"


def _one_threshold(name: str, thresholds: pd.Series[float]) -> float | None:
    values = thresholds.dropna().unique()
    if len(values) > 1:
        message = (
            f"'{name}' has {len(values)} thresholds in one set ({min(values):g} to {max(values):g}): a held-out set is "
            "read at one, give it with --threshold."
        )
        raise CohortError(message)
    return float(values[0]) if len(values) else None
