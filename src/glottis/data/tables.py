"""Tables that stages hand on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

LEDGER_COLUMNS = (
    "patient", "centre", "set", "repeat", "fold", "mode", "model", "y_true", "y_score", "threshold",
)  # fmt: skip
KEY_COLUMNS = ("patient", "reader", "round")


@dataclass(frozen=True)
class FeatureTable:
    """Features of a cohort.

    Attributes:
        frame: one row a delineation: ``patient``, ``reader``, ``round``, then the features, prefixed by their
            sequence (``T1WI_original_glcm_Contrast``). Sorted by these keys. The first delineation of a patient
            (``primary`` in the study) feeds the models; the others serve reproducibility only.
    """

    frame: pd.DataFrame

    @property
    def features(self) -> list[str]:
        """Names of the feature columns."""
        return [name for name in self.frame.columns if name not in KEY_COLUMNS]

    def of_reader(self, reader: str, round_: int) -> pd.DataFrame:
        """Features of one reader's round, indexed by patient."""
        rows = self.frame[(self.frame["reader"] == reader) & (self.frame["round"] == round_)]
        return rows.drop(columns=["reader", "round"]).set_index("patient").sort_index()


@dataclass(frozen=True)
class Predictions:
    """The ledger of scores: one row a patient, model, repeat and set.

    Attributes:
        frame: columns ``LEDGER_COLUMNS``. ``y_score`` is the probability of the positive class and ``threshold``
            the cut-off chosen on that model's out-of-fold training scores.
    """

    frame: pd.DataFrame

    def __post_init__(self) -> None:
        missing = [name for name in LEDGER_COLUMNS if name not in self.frame.columns]
        if missing:
            message = f"A ledger needs the columns {', '.join(LEDGER_COLUMNS)}; missing: {', '.join(missing)}."
            raise ValueError(message)

    @classmethod
    def from_rows(cls, rows: Iterable[dict[str, Any]]) -> Predictions:
        """Build the ledger from dictionaries, in a fixed order of rows."""
        frame = pd.DataFrame(list(rows), columns=list(LEDGER_COLUMNS))
        order = ["model", "mode", "set", "repeat", "fold", "patient"]
        return cls(frame.sort_values(order, kind="stable", ignore_index=True))
