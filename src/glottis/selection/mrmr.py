"""Keeps features that tell the classes apart and do not repeat one another."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glottis.evaluation.feature_tests import compare_features
from glottis.evaluation.interval import Floats
from glottis.selection._base import Selector

FLOOR = 0.001
"""Smallest redundancy with one feature, as the package mrmr-selection has it."""


class MRMR(Selector):
    """Minimum redundancy, maximum relevance: the quotient FCQ of Zhao et al. 2019 (arXiv 1908.05376).

    The first feature has the highest F of a one-way ANOVA; each further one the highest F over its mean absolute
    Pearson correlation (at least 0.001 each) with those chosen before. A constant feature is never chosen.

    Args:
        n_features: features to keep; where fewer vary, all of these stay and ``note_`` says so.

    Attributes:
        order_: names in the order in which they were chosen.
        relevance_: (n_features,) F; nan for a constant feature.
    """

    order_: list[str]
    relevance_: Floats

    def __init__(self, n_features: int = 15) -> None:
        self.n_features = n_features

    def fit(self, X: pd.DataFrame, y: Any) -> Self:
        """Choose feature after feature.

        Args:
            X: (patients, features).
            y: (patients,) class, two or more.

        Raises:
            ValueError: fewer than one feature asked for, a class of fewer than two patients, or no feature that varies.
        """
        if self.n_features < 1:
            message = f"MRMR must keep a feature; got n_features={self.n_features}: the usual number is 15."
            raise ValueError(message)
        values, codes = self._with_classes(X, y)
        self.relevance_ = compare_features(values, codes, "anova").statistic
        chosen = self._choose(values)
        if not chosen.size:
            message = f"None of the {values.shape[1]} features differs between classes: run VarianceFilter first."
            raise ValueError(message)
        self.order_ = [str(name) for name in self._names()[chosen]]
        support = np.zeros(values.shape[1], dtype=bool)
        support[chosen] = True
        few = f"{chosen.size} features differ between classes, fewer than {self.n_features}: all stay"
        return self._keep(support, few if chosen.size < self.n_features else "")

    def _choose(self, values: Floats) -> NDArray[np.intp]:
        scaled = values - values.mean(axis=0)
        norm = np.sqrt((scaled**2).sum(axis=0))
        scaled /= np.where(norm > 0, norm, 1.0)
        left = self.relevance_ > 0
        redundancy = np.zeros(left.size)
        chosen: list[int] = []
        while left.any() and len(chosen) < self.n_features:
            score = self.relevance_ / (redundancy / len(chosen) if chosen else 1.0)
            best = int(np.argmax(np.where(left, score, -np.inf)))
            chosen.append(best)
            left[best] = False
            redundancy += np.maximum(np.abs(scaled[:, best] @ scaled), FLOOR)
        return np.array(chosen, dtype=np.intp)

    def __sklearn_tags__(self) -> Any:
        """An outcome is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
