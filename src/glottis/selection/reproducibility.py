"""Keeps the features that repeated delineations reproduce."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from glottis.evaluation.agreement import ICC, IccForm, icc
from glottis.selection._base import Selector

MINIMUM_PATIENTS = 5


class ICCFilter(Selector):
    """Keeps features whose intraclass correlation exceeds a threshold in every table of repeats.

    Each table pairs a second delineation with the row of the same patient in the training table. Rows of patients
    outside the training table are never read. A feature without variation among these patients has no ICC and goes.

    Args:
        repeats: kind of repeat (``"intra"``, ``"inter"``) to a table indexed by patient with the training columns.
        form: form of the ICC; ICC(2,1) is absolute agreement of single measurements.
        threshold: an ICC must exceed this.
        use: ``"point"`` compares the estimate, ``"lower"`` the lower 95% limit.

    Attributes:
        icc_: table, feature x (kind, value | low | high).
        n_patients_: kind to number of patients that were compared.
        names_kept_: names that stay.
        note_: says when a table held too few patients to judge; it is then left out.
    """

    icc_: pd.DataFrame
    n_patients_: dict[str, int]

    def __init__(
        self,
        repeats: Mapping[str, pd.DataFrame],
        form: IccForm = "ICC(2,1)",
        threshold: float = 0.75,
        use: Literal["point", "lower"] = "point",
    ) -> None:
        self.repeats = repeats
        self.form = form
        self.threshold = threshold
        self.use = use

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Compare the training rows with their repeats.

        Args:
            X: (patients, features), indexed by patient.
            y: not used.

        Raises:
            TypeError: X is not a table indexed by patient.
            ValueError: a repeats table lacks a feature, names a patient twice, or no feature passes.
        """
        if not isinstance(X, pd.DataFrame):
            message = f"The ICC filter needs a table indexed by patient; got {type(X).__name__}: give a DataFrame."
            raise TypeError(message)
        if self.use not in ("point", "lower"):
            message = f"use={self.use!r} is not known: give 'point' or 'lower'."
            raise ValueError(message)
        self._checked(X)
        results = {kind: self._compare(X, kind, table) for kind, table in self.repeats.items()}
        self.n_patients_ = {kind: n for kind, (n, _) in results.items()}
        judged = {kind: result for kind, (_, result) in results.items() if result is not None}
        self.icc_ = _as_table(judged, X.columns)
        support = np.ones(X.shape[1], dtype=bool)
        for result in judged.values():
            support &= (result.value if self.use == "point" else result.low) > self.threshold
        if not support.any():
            message = (
                f"No feature of {X.shape[1]} has an ICC above {self.threshold:g} in {' and '.join(judged)}: "
                "lower the threshold, or check that the repeats belong to these patients."
            )
            raise ValueError(message)
        return self._keep(support, self._note(judged))

    def _compare(self, X: pd.DataFrame, kind: str, table: pd.DataFrame) -> tuple[int, ICC | None]:
        common = X.index.intersection(table.index).sort_values()
        if not table.loc[common].index.is_unique or not X.index.is_unique:
            message = f"The repeats table {kind!r} or the training table names a patient twice: give one row a patient."
            raise ValueError(message)
        missing = X.columns.difference(table.columns)
        if len(missing):
            message = (
                f"The repeats table {kind!r} lacks {len(missing)} features, for example {missing[0]!r}: extract it "
                "with the settings of the training table."
            )
            raise ValueError(message)
        if len(common) < MINIMUM_PATIENTS:
            return len(common), None
        pair = (X.loc[common], table.loc[common, X.columns])
        stacked = np.stack([part.to_numpy(dtype=np.float64).T for part in pair], axis=2)
        return len(common), icc(stacked, form=self.form)

    def _note(self, judged: Mapping[str, ICC]) -> str:
        short = [f"{kind} ({n})" for kind, n in self.n_patients_.items() if kind not in judged]
        if not short:
            return ""
        effect = "that table decides nothing" if judged else "every feature stays"
        return f"fewer than {MINIMUM_PATIENTS} training patients with repeats: {', '.join(short)}; {effect}"


def _as_table(judged: Mapping[str, ICC], features: pd.Index[Any]) -> pd.DataFrame:
    columns = {(kind, part): getattr(result, part) for kind, result in judged.items() for part in _PARTS}
    names = pd.MultiIndex.from_tuples(list(columns), names=["kind", "part"]) if columns else None
    return pd.DataFrame(np.array(list(columns.values())).T if columns else None, index=features, columns=names)


_PARTS = ("value", "low", "high")
