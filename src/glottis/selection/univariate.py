"""Keeps the features that a test of each alone finds related to the outcome."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd
from sklearn.utils import ClassifierTags

from glottis.evaluation.feature_tests import FEATURE_TESTS, FeatureTests, compare_features
from glottis.evaluation.interval import Bools, Floats
from glottis.evaluation.multiplicity import benjamini_hochberg, holm
from glottis.evaluation.univariable_cox import UnivariableCox, cox_score_tests, cox_wald_tests, survival_fields
from glottis.selection._base import Selector

UnivariateTest = Literal["t", "welch", "mann-whitney", "anova", "cox", "cox-score"]
Adjust = Literal["benjamini_hochberg", "holm"]
UNIVARIATE_TESTS: tuple[str, ...] = get_args(UnivariateTest)
ADJUSTMENTS = {"benjamini_hochberg": benjamini_hochberg, "holm": holm}


class UnivariateFilter(Selector):
    """Keeps features whose p value lies below a level; where none does, the one with the smallest.

    A constant feature has no test and goes. The tests are those of `compare_values` and `cox_regression`, for all
    features at once.

    Args:
        test: ``"t"`` (equal variances), ``"welch"`` or ``"mann-whitney"`` for two classes, ``"anova"`` for any number,
            ``"cox"`` (Wald) or ``"cox-score"`` for a survival outcome. Cox's Wald test has no value for a feature that
            names the next event every time; the score test has.
        p: a feature stays with a p value below this.
        adjust: ``"benjamini_hochberg"`` or ``"holm"`` over all features; None takes p values as they are.

    Attributes:
        statistic_: (n_features,) t (above 0 where the first class is higher), U of the first class, F, Wald's z or the
            chi-square of the score test; nan where there is no test.
        p_: (n_features,) p values, nan where there is no test.
        p_adjusted_: (n_features,) p values that were compared; those of ``p_`` without adjustment.
        note_: says when no feature passed, and how many have no test.
    """

    statistic_: Floats
    p_: Floats
    p_adjusted_: Floats

    def __init__(self, test: UnivariateTest = "t", p: float = 0.05, adjust: Adjust | None = None) -> None:
        self.test = test
        self.p = p
        self.adjust = adjust

    def fit(self, X: pd.DataFrame, y: Any) -> Self:
        """Test every feature.

        Args:
            X: (patients, features).
            y: (patients,) class, or a structured array with the fields ``event`` and ``time`` for Cox.

        Raises:
            ValueError: an unknown test or adjustment, a level outside 0 to 1, an outcome that the test does not take,
                or no feature with a test.
        """
        self._check_settings()
        result: FeatureTests | UnivariableCox
        result = self._survival(X, y) if self.test.startswith("cox") else self._classes(X, y)
        self.statistic_, self.p_ = result.statistic, result.p_value
        self.p_adjusted_ = self.p_ if self.adjust is None else ADJUSTMENTS[self.adjust](self.p_)
        if np.isnan(self.p_).all():
            message = f"None of the {self.p_.size} features has a p value by {self.test!r}: run VarianceFilter first."
            raise ValueError(message)
        support = self.p_adjusted_ < self.p
        notes = [] if support.any() else [self._smallest(support)]
        untested = int(np.isnan(self.p_).sum())
        if untested:
            notes.append(f"{untested} of {self.p_.size} features have no p value and went")
        return self._keep(support, "; ".join(notes))

    def _check_settings(self) -> None:
        if self.test not in UNIVARIATE_TESTS:
            message = f"test={self.test!r} is not known: give one of {', '.join(UNIVARIATE_TESTS)}."
            raise ValueError(message)
        if self.adjust is not None and self.adjust not in ADJUSTMENTS:
            message = f"adjust={self.adjust!r} is not known: give {' or '.join(map(repr, ADJUSTMENTS))}, or None."
            raise ValueError(message)
        if not 0 < self.p <= 1:
            message = f"The level of p must lie between 0 and 1; got {self.p}: the usual value is 0.05."
            raise ValueError(message)

    def _classes(self, X: Any, y: Any) -> FeatureTests:
        values, codes = self._with_classes(X, y)
        return compare_features(values, codes, self.test)  # type: ignore[arg-type]  # Cox has gone another way

    def _survival(self, X: Any, y: Any) -> UnivariableCox:
        time, event = survival_fields(y)
        values, _ = self._checked(X)
        return (cox_wald_tests if self.test == "cox" else cox_score_tests)(time, event, values)

    def _smallest(self, support: Bools) -> str:
        best = int(np.nanargmin(self.p_))
        support[best] = True
        adjusted = f" ({self.adjust.replace('_', '-')})" if self.adjust else ""
        return (
            f"no feature has p{adjusted} below {self.p:g}: took {self._names()[best]} with the smallest, "
            f"p = {self.p_adjusted_[best]:.3g}"
        )

    def __sklearn_tags__(self) -> Any:
        """An outcome is needed, and most tests take two classes."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        if self.test in FEATURE_TESTS and self.test != "anova":
            tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags
