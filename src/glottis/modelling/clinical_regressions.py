"""The regressions of one training view: what separates the classes, or follows from others, leaves the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glottis._errors import StatisticsError
from glottis.evaluation.design_matrix import design_matrix
from glottis.evaluation.interval import Bools
from glottis.evaluation.logistic import Regression
from glottis.evaluation.logistic_fit import LogisticFit, fit_logistic
from glottis.modelling.clinical_columns import Ordinal


@dataclass(frozen=True, kw_only=True)
class ClinicalSettings:
    """What a fit needs to know.

    Attributes:
        screen: univariable p, of any level, below which a column enters; None lets all enter.
        forced: columns that enter whatever their p.
        reference: column to reference level.
        ordinal: column to its levels in order.
        imputations: tables that gaps are filled in.
        seed: of the imputation.
    """

    screen: float | None
    forced: tuple[str, ...]
    reference: Mapping[str, str]
    ordinal: Ordinal
    imputations: int
    seed: int


@dataclass(frozen=True)
class Regressions:
    """The regressions of one training view, and what leaves the model on the way.

    Attributes:
        settings: how.
        table: typed columns, with gaps.
        sets: imputed tables, ordered words as numbers.
        truth: (n,) outcome.
        final: what a user forced and cannot be fitted is refused; in an inner fold it is left out.
        notes: grows by what is left out.
    """

    settings: ClinicalSettings
    table: pd.DataFrame
    sets: list[pd.DataFrame]
    truth: Bools
    final: bool
    notes: list[str]

    def fits(self, names: Sequence[str]) -> list[LogisticFit]:
        """One regression an imputed table; one alone where these columns have no gap."""
        sets = self.sets if self.table[list(names)].isna().to_numpy().any() else self.sets[:1]
        own = {name: level for name, level in self.settings.reference.items() if name in names}
        if not self.final:  # a fold may lack the reference; its scores do not depend on it
            own = {name: level for name, level in own.items() if (self.table[name] == level).any()}
        return [fit_logistic(self.truth, one[list(names)], own) for one in sets]

    def not_separating(self, alone: Mapping[str, Regression], names: Sequence[str]) -> list[str]:
        """These without what separates the classes alone.

        Raises:
            ValueError: a forced column does.
        """
        for name in names:
            if alone[name].separated:
                self._leave_out_separating([name], name)
        return [name for name in names if not alone[name].separated]

    def independent(self, names: list[str]) -> list[str]:
        """Without the later of columns that say the same; forced ones count as first.

        Raises:
            ValueError: two forced ones do.
        """
        forced = [name for name in names if name in self.settings.forced]
        kept: list[str] = []
        for name in [*forced, *(name for name in names if name not in forced)]:
            same = self._follows(kept, name)
            if same and self.final and name in forced:
                message = f"Forced column {name!r} follows from {same}, so only one of them can be forced: drop it."
                raise ValueError(message)
            if same:
                self.notes.append(f"{name!r} is left out: it follows from {same}")
            else:
                kept.append(name)
        return [name for name in names if name in kept]

    def _follows(self, kept: list[str], name: str) -> str:
        if not kept or not any(self._dependent([*kept, name], one) for one in self.sets):
            return ""
        one = [other for other in kept if any(self._dependent([other, name], own) for own in self.sets)]
        if one:
            return repr(one[0])
        return f"{', '.join(map(repr, kept))} together, or {len(self.truth)} patients are too few for them"

    def _dependent(self, names: list[str], one: pd.DataFrame) -> bool:
        try:
            design_matrix(one[names])
        except StatisticsError:
            return True
        return False

    def jointly(self, names: list[str]) -> tuple[list[str], list[LogisticFit]]:
        """The columns left, and their regression, without what separates the classes together.

        Raises:
            ValueError: forced ones do.
        """
        while names:
            fits = self.fits(names)
            separated = next((fit.separated for fit in fits if fit.separated), ())
            if not separated:
                self._refuse_singular(fits, names)
                return names, fits
            free = [name for name in separated if name not in self.settings.forced]
            gone = (free or list(separated))[-1]
            self._leave_out_separating(list(separated), gone)
            names = [name for name in names if name != gone]
        return [], []

    def _leave_out_separating(self, together: list[str], gone: str) -> None:
        with_others = "" if len(together) == 1 else f" together with {', '.join(n for n in together if n != gone)}"
        pure = self._pure_level(gone) if len(together) == 1 else ""
        if self.final and gone in self.settings.forced:
            message = (
                f"Predictor {gone!r}{with_others} separates the classes completely{pure}, so no coefficient (and no "
                "nomogram) exists; in-sample scores do this: use out-of-fold scores, or do not force it."
            )
            raise ValueError(message)
        self.notes.append(f"{gone!r} is left out: it separates the classes{with_others}{pure}")

    def _pure_level(self, name: str) -> str:
        values = self.table[name]
        for level in values.dropna().unique() if values.dtype == object else ():
            own = self.truth[(values == level).to_numpy()]
            if own.all() or not own.any():
                return f" (the {own.size} with {level!r} have one outcome: join levels)"
        return ""

    def _refuse_singular(self, fits: Sequence[LogisticFit], names: Sequence[str]) -> None:
        if not all(np.isfinite(fit.errors).all() for fit in fits):
            message = (
                f"The regression on {', '.join(names)} cannot be inverted with {len(self.truth)} patients: use fewer "
                "columns, or join levels."
            )
            raise ValueError(message)
