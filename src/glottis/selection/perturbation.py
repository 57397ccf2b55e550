"""Keeps the features that small changes of image and mask leave as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import pandas as pd

from glottis.evaluation.agreement import IccForm
from glottis.selection.reproducibility import RepeatsFilter

KIND = "perturbations"


class PerturbationFilter(RepeatsFilter):
    """Keeps features whose intraclass correlation over perturbed images exceeds a threshold.

    For cohorts with no second reader (Zwanenburg et al., Sci Rep 2019;9:614, who ask for an ICC(1,1) of 0.9). The
    training row and the rows of all perturbations are the measurements of a patient. Rows of patients outside the
    training table are never read; a patient who lacks a perturbation is left out.

    Args:
        tables: perturbation to a table indexed by patient with the training columns; or one table of all, indexed by
            patient and perturbation.
        form: form of the ICC; ICC(1,1) since no perturbation is more than one random change.
        threshold: an ICC must exceed this.
        use: ``"lower"`` compares the lower 95% limit, ``"point"`` the estimate.

    Attributes:
        icc_: table, feature x (``"perturbations"``, value | low | high).
        n_patients_: ``"perturbations"`` to the number of patients that were compared.
        names_kept_: names that stay.
        note_: says when there were too few patients to judge, or some lacked a perturbation.
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame] | pd.DataFrame,
        form: IccForm = "ICC(1,1)",
        threshold: float = 0.75,
        use: Literal["point", "lower"] = "lower",
    ) -> None:
        self.tables = tables
        self.form = form
        self.threshold = threshold
        self.use = use

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Compare the training rows with their perturbations.

        Args:
            X: (patients, features), indexed by patient.
            y: not used.

        Raises:
            TypeError: X is not a table indexed by patient.
            ValueError: no table, one that lacks a feature or names a patient twice, or no feature passes.
        """
        self._check(X)
        tables = self._by_perturbation(X.index)
        self._decide(X, {KIND: tables})
        somewhere = X.index.isin([patient for table in tables.values() for patient in table.index]).sum()
        absent = int(somewhere) - self.n_patients_[KIND]
        if absent:
            lacking = f"{absent} of {somewhere} training patients lack a perturbation and were left out"
            self.note_ = "; ".join(part for part in (lacking, self.note_) if part)
        return self

    def _by_perturbation(self, patients: pd.Index[Any]) -> dict[str, pd.DataFrame]:
        """Rows of the training patients, a table a perturbation."""
        if not isinstance(self.tables, pd.DataFrame):
            found = {str(name): table[table.index.isin(patients)] for name, table in self.tables.items()}
        elif self.tables.index.nlevels != 2:
            message = (
                "One table of all perturbations is indexed by patient and perturbation; got an index of "
                f"{self.tables.index.nlevels} level: set both columns as the index, or give a mapping of tables."
            )
            raise ValueError(message)
        else:
            rows = self.tables[self.tables.index.get_level_values(0).isin(patients)]
            found = {str(name): part.droplevel(1) for name, part in rows.groupby(level=1)}
        if not found:
            message = "No perturbation of a training patient was given: check that both tables name the same patients."
            raise ValueError(message)
        return found
