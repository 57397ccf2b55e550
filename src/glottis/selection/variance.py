"""Removes features that carry nothing: constant, or not finite for some patient."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import validate_data

from glottis.selection._base import Selector


class VarianceFilter(Selector):
    """Drops columns that are constant or hold a value that is not finite in the training patients.

    A column counts as constant when its range is at most ``1e-12`` of its largest absolute value.

    Attributes:
        dropped_: why each dropped feature went: ``"constant"`` or ``"not finite in 3 patients"``.
        names_kept_: names that stay.

    >>> import pandas as pd
    >>> VarianceFilter().fit(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 3.0]})).dropped_
    {'b': 'constant'}
    """

    dropped_: dict[str, str]

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn which columns vary.

        Args:
            X: (patients, features).
            y: not used.

        Raises:
            ValueError: no column is left.
        """
        values = np.asarray(validate_data(self, X, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=2))
        n_bad = (~np.isfinite(values)).sum(axis=0)
        safe = np.where(np.isfinite(values), values, 0.0)
        constant = np.ptp(safe, axis=0) <= 1e-12 * np.abs(safe).max(axis=0)
        support = (n_bad == 0) & ~constant
        if not support.any():
            message = (
                f"None of the {values.shape[1]} features varies and is finite over the {values.shape[0]} training "
                "samples: check the feature table."
            )
            raise ValueError(message)
        names = self._names()
        self.dropped_ = {
            str(names[i]): f"not finite in {n_bad[i]} patients" if n_bad[i] else "constant"
            for i in np.flatnonzero(~support)
        }
        return self._keep(support)
