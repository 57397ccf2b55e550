"""What every selector shares: tables in, tables out, names of what stays."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from glottis.evaluation.interval import Bools, Floats


class Selector(SelectorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Base of the selectors: a subclass fits and sets ``support_``; columns keep their order.

    ``transform`` only picks columns: it hands on a missing value of a new patient, which ``fit`` refuses.

    Attributes:
        support_: (n_features,) True where a feature stays.
        names_kept_: names of the features that stay (``x0``, ``x1``, ... for arrays).
        note_: what the reader of a report must know about this fit; empty otherwise.
    """

    n_features_in_: int
    support_: Bools
    names_kept_: list[str]
    note_: str

    def _get_support_mask(self) -> Bools:
        check_is_fitted(self, "support_")
        return self.support_

    def _keep(self, support: Bools, note: str = "") -> Self:
        self.support_ = support
        self.note_ = note
        self.names_kept_ = [str(name) for name in self.get_feature_names_out()]
        return self

    def _checked(self, X: Any, y: Any = None) -> tuple[Floats, NDArray[Any] | None]:
        """Feature values and outcome, finite, float64."""
        if y is None:
            return np.asarray(validate_data(self, X, dtype=np.float64, ensure_min_samples=2)), None
        values, outcome = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        return values, outcome

    def _with_classes(self, X: Any, y: Any) -> tuple[Floats, NDArray[np.intp]]:
        """Feature values, and the class of each row counted from 0 in sorted order."""
        values, outcome = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(outcome)
        return values, np.unique(outcome, return_inverse=True)[1]

    def _names(self) -> NDArray[Any]:
        """Names of the columns that came in."""
        return np.asarray(getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)]))

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The columns that stay.

        Args:
            X: table with the columns of ``fit``, in any rows.
        """
        check_is_fitted(self, "support_")
        if isinstance(X, pd.DataFrame):  # a look at every value would cost more than the rest of a fit
            validate_data(self, X, reset=False, skip_check_array=True)
            return X.loc[:, self.support_]
        values = validate_data(self, X, dtype=None, ensure_all_finite=False, reset=False, skip_check_array=False)
        return values[:, self.support_]

    def __sklearn_tags__(self) -> Any:
        """Missing values pass through ``transform``."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def as_numbers(y: ArrayLike) -> Floats:
    """Two classes as 0 and 1 (in sorted order); any other outcome as the numbers that it holds."""
    values, codes = np.unique(np.asarray(y), return_inverse=True)
    return codes.astype(np.float64) if values.size == 2 else np.asarray(y, dtype=np.float64)
