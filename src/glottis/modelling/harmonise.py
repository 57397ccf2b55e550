"""ComBat as an estimator: the effect of scanner or centre is learnt on training rows and taken off new ones."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from glottis.evaluation.design_matrix import levels_of
from glottis.evaluation.interval import Bools, Floats
from glottis.modelling.covariates import Coding, batch_of, learn_coding, shown
from glottis.modelling.location_scale import CommonScale, Prior, batch_effect_of, common_scale

Unseen = Literal["refuse", "reference", "transductive"]


class ComBat(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Empirical Bayes correction of batches (Johnson, Li and Rabinovic 2007), fitted on some rows, applied to others.

    Values are those of R's sva 3.46 and neuroCombat for the rows of ``fit``; the parametric iteration stops where
    theirs does. ``fit`` and ``transform`` look up batch and covariates by row label, so the tables given here may
    hold every patient: only those of the rows passed to ``fit`` are learnt from. A feature that is constant within
    a training batch is left as it is, as in sva, and ``note_`` names it. With one training batch nothing is changed.

    Args:
        batch: batch (centre, scanner, kernel ...) of every row, indexed by row label.
        covariates: what is to be preserved, indexed likewise; text, booleans and Categoricals count level by level.
            Never the outcome, nor what is known only with it: a correction that was told the outcome shows it later.
        prior: ``"parametric"``, ``"nonparametric"``, or ``"none"`` (location and scale of each feature by itself).
        mean_only: correct the mean and leave the spread; needed where a batch has one row.
        reference: batch to which the others are drawn, itself unchanged; None draws all to their weighted mean.
        unseen: what ``transform`` does with a batch that ``fit`` did not see: ``"refuse"``; ``"reference"`` leaves it
            uncorrected; ``"transductive"`` estimates it from the rows passed to ``transform``, without any outcome, so
            that a row's values depend on the rows that come with it.
        minimum_rows: rows that an unseen batch needs to be estimated.

    Attributes:
        batches_: training batch to its number of rows.
        shift_: (batches, corrected features) in residual standard deviations.
        spread_: (batches, corrected features) ratio of standard deviations.
        scale_: expected value and residual standard deviation of the corrected features.
        unadjusted_: features left as they are.
        unseen_: unseen batch to its rows in the last ``transform``; ``unseen_note_`` says what was done with them.
        note_: what a report must say, of the fit and of the last ``transform``; empty otherwise.

    >>> X = pd.DataFrame({"a": [1.0, 2, 3, 11, 12, 13], "b": [2.0, 1, 3, 13, 11, 12]}, index=list("pqrstu"))
    >>> scanner = pd.Series(["one"] * 3 + ["two"] * 3, index=X.index)
    >>> ComBat(scanner, mean_only=True, prior="none", reference="one").fit_transform(X)["a"].round(6).tolist()
    [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]
    """

    def __init__(
        self,
        batch: pd.Series[Any],
        covariates: pd.DataFrame | None = None,
        prior: Prior = "parametric",
        mean_only: bool = False,
        reference: Any = None,
        unseen: Unseen = "refuse",
        minimum_rows: int = 10,
    ) -> None:
        self.batch = batch
        self.covariates = covariates
        self.prior = prior
        self.mean_only = mean_only
        self.reference = reference
        self.unseen = unseen
        self.minimum_rows = minimum_rows

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the common scale and every batch's effect from these rows.

        Args:
            X: (rows, features) without missing values, indexed as ``batch``.
            y: not used.

        Raises:
            TypeError: X is not a DataFrame.
            ValueError: a row without batch or covariate, a missing value, a batch of one row (unless ``mean_only``),
                covariates that follow from the batch, an unknown setting or reference.
        """
        self._check_settings()
        values = feature_values(X)
        refuse_missing(X, values)
        labels = batch_of(self.batch, X.index)
        levels = levels_of(labels)
        codes = pd.Categorical(labels, categories=levels).codes.astype(np.intp)
        self._check_batches(levels, np.bincount(codes, minlength=len(levels)))
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self.unseen_: dict[Any, int] = {}
        varies = np.all([_varies(values[codes == code]) for code in range(len(levels))], axis=0)
        self.adjusted_: Bools = varies & (np.ptp(values, axis=0) > 0)
        self.unadjusted_ = [str(name) for name in X.columns[~self.adjusted_]]
        self.coding_: Coding = learn_coding(self.covariates, X.index, codes)
        covariates = self.coding_.matrix(self.covariates, X.index)
        self._learn(values[:, self.adjusted_], codes, covariates, levels)
        return self

    def _check_settings(self) -> None:
        for name, value, known in (
            ("prior", self.prior, get_args(Prior)),
            ("unseen", self.unseen, get_args(Unseen)),
        ):
            if value not in known:
                message = f"{name}={value!r} is not known: give one of {', '.join(map(repr, known))}."
                raise ValueError(message)

    def _check_batches(self, levels: list[Any], counts: NDArray[np.intp]) -> None:
        self.batches_ = {level: int(count) for level, count in zip(levels, counts, strict=True)}
        if self.reference is not None and self.reference not in self.batches_:
            message = f"The reference batch {self.reference!r} has no training row: use one of {shown(levels)}."
            raise ValueError(message)
        alone = [level for level, count in self.batches_.items() if count == 1]
        if alone and len(levels) > 1 and not self.mean_only:
            message = (
                f"Batch {alone[0]!r} has 1 training row, so its spread cannot be estimated: set mean_only=True, join "
                "it with another batch, or leave it out."
            )
            raise ValueError(message)

    def _learn(self, values: Floats, codes: NDArray[np.intp], covariates: Floats, levels: list[Any]) -> None:
        fixed = levels[0] if len(levels) == 1 else self.reference
        number = None if fixed is None else levels.index(fixed)
        self._check_enough(values.shape[1])
        self.scale_: CommonScale = common_scale(values, codes, covariates, number)
        self._check_spread(self.scale_.sd, values)
        standard = self.scale_.standardise(values, covariates)
        shift, spread = np.zeros((len(levels), values.shape[1])), np.ones((len(levels), values.shape[1]))
        for code, level in enumerate(levels):
            if level != fixed:
                of_batch = standard[codes == code]
                shift[code], spread[code] = batch_effect_of(of_batch, self.prior, mean_only=self.mean_only)
        names = self.feature_names_in_[self.adjusted_]
        self.shift_ = pd.DataFrame(shift, index=levels, columns=names)
        self.spread_ = pd.DataFrame(spread, index=levels, columns=names)
        self.fixed_ = fixed

    def _check_spread(self, sd: Floats, values: Floats) -> None:
        if (sd <= 1e-9 * np.ptp(values, axis=0)).any():
            message = (
                f"Batches and covariates explain a feature of the {len(values)} training rows completely, so nothing "
                "is left to scale by: give fewer covariates or more rows."
            )
            raise ValueError(message)

    def _check_enough(self, n_features: int) -> None:
        if n_features < 2 and self.prior != "none":
            message = (
                f"prior={self.prior!r} learns from the spread over features; {n_features} can be corrected, 2 are "
                "needed: set prior='none', or give more features."
            )
            raise ValueError(message)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The rows as they would be without their batch; a missing value stays missing.

        Args:
            X: table with the features of ``fit``; of the batches of ``fit``, or others as ``unseen`` says.

        Raises:
            ValueError: an unseen batch that is refused or has too few rows, a missing feature, batch or covariate.
        """
        check_is_fitted(self, "scale_")
        missing = [name for name in self.feature_names_in_ if name not in X.columns]
        if missing:
            message = (
                f"{len(missing)} features of the training table are missing, for example {missing[0]!r}: give the "
                "columns of the training table."
            )
            raise ValueError(message)
        X = X.loc[:, list(self.feature_names_in_)]
        values = feature_values(X)
        labels = batch_of(self.batch, X.index)
        self.unseen_ = {
            level: int((labels == level).sum()) for level in levels_of(labels) if level not in self.batches_
        }
        if self.unseen == "refuse":
            self._refuse_unseen()
        for level in levels_of(labels):
            rows = (labels == level).to_numpy()
            if level == self.fixed_ or (level in self.unseen_ and self.unseen == "reference"):
                continue
            covariates = self.coding_.matrix(self.covariates, X.index[rows])
            block = values[np.ix_(rows, self.adjusted_)]
            values[np.ix_(rows, self.adjusted_)] = self._corrected(block, covariates, level, X[rows])
        return pd.DataFrame(values, index=X.index, columns=X.columns)

    def _corrected(self, block: Floats, covariates: Floats, level: Any, X: pd.DataFrame) -> Floats:
        standard = self.scale_.standardise(block, covariates)
        if level in self.unseen_:
            shift, spread = self._estimated(standard, level, X)
        else:
            shift, spread = self.shift_.loc[level].to_numpy(), self.spread_.loc[level].to_numpy()
        return self.scale_.restore((standard - shift) / spread, covariates)

    def _refuse_unseen(self) -> None:
        for level, n in self.unseen_.items():
            message = (
                f"Batch {level!r} ({n} rows) is not among the training batches {shown(self.batches_)}: train with rows "
                "of it, or set unseen='reference' (left uncorrected) or unseen='transductive' (estimated from its own "
                f"rows, at least {self.minimum_rows})."
            )
            raise ValueError(message)

    def _estimated(self, standard: Floats, level: Any, X: pd.DataFrame) -> tuple[Floats, Floats]:
        if len(standard) < max(2, self.minimum_rows):
            message = (
                f"Unseen batch {level!r} has {len(standard)} rows; {max(2, self.minimum_rows)} are needed to estimate "
                "it: give more of its rows at once, or set unseen='reference'."
            )
            raise ValueError(message)
        refuse_missing(X, X.to_numpy(dtype=np.float64))
        varies = _varies(standard)
        self._check_enough(int(varies.sum()))
        shift, spread = np.zeros(standard.shape[1]), np.ones(standard.shape[1])
        shift[varies], spread[varies] = batch_effect_of(standard[:, varies], self.prior, mean_only=self.mean_only)
        return shift, spread

    @property
    def note_(self) -> str:
        """Notes of the fit and of the last ``transform``."""
        check_is_fitted(self, "scale_")
        notes = []
        if len(self.batches_) == 1:
            notes.append(f"one training batch ({next(iter(self.batches_))!r}): its rows are not changed")
        if self.unadjusted_:
            notes.append(
                f"{len(self.unadjusted_)} features constant within a batch are left as they are "
                f"(first: {self.unadjusted_[0]})"
            )
        return "; ".join([*notes, *([self.unseen_note_] if self.unseen_note_ else [])])

    @property
    def unseen_note_(self) -> str:
        """What the last ``transform`` did with batches that ``fit`` did not see; empty where it met none."""
        done = {
            "reference": "left uncorrected, as if it were the reference",
            "transductive": "transductive: estimated from its own rows, without outcomes",
        }
        said = [f"batch {level!r} ({n} rows), unseen in training, {done[self.unseen]}" for level, n in self._said()]
        return "; ".join(said)

    def _said(self) -> list[tuple[Any, int]]:
        return [] if self.unseen == "refuse" else list(self.unseen_.items())

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """The names that came in."""
        check_is_fitted(self, "scale_")
        return self.feature_names_in_


def feature_values(X: Any) -> Floats:
    """A copy of the features as numbers.

    Raises:
        TypeError: not a DataFrame.
        ValueError: a column holds no numbers.
    """
    if not isinstance(X, pd.DataFrame):
        message = f"Features must be a DataFrame indexed by row label; got {type(X).__name__}: give the feature table."
        raise TypeError(message)
    try:
        return X.to_numpy(dtype=np.float64, copy=True)
    except (TypeError, ValueError) as error:
        words = [name for name in X.columns if not pd.api.types.is_numeric_dtype(X[name])]
        message = f"Columns {shown(words)} hold no numbers: harmonise features alone."
        raise ValueError(message) from error


def refuse_missing(X: pd.DataFrame, values: Floats) -> None:
    """Refuse features that nothing can be learnt from.

    Raises:
        ValueError: a value is missing or infinite.
    """
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        message = (
            f"Feature {X.columns[column]!r} of {X.index[row]!r} is not finite ({bad.any(axis=1).sum()} rows "
            "concerned): leave out this feature or these rows."
        )
        raise ValueError(message)


def _varies(values: Floats) -> Bools:
    """False for a feature that is constant in a batch; one row alone tells nothing."""
    return np.ptp(values, axis=0) > 0 if len(values) > 1 else np.ones(values.shape[1], dtype=bool)
