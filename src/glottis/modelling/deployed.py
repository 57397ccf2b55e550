"""A fitted model as it is used on the next patient: what it does to a row, and nothing of the rows it learnt from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from glottis.evaluation.interval import Floats, plain
from glottis.modelling.classifiers import CLASSIFIERS, positive_score
from glottis.modelling.plain_steps import Correction, PlainStep, step_of
from glottis.modelling.scaling import LogisticCurve
from glottis.modelling.views import check_table, refuse_holes

Classes = tuple[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """A fitted chain without its training rows; a row's probability depends on no other row, to the last bit.

    Attributes:
        columns: features that are read, in the order in which the classifier sees them.
        steps: what is done to them first, in order.
        model: name of the classifier, as in a study file.
        classifier: the fitted classifier.
        recalibration: curve from score to probability; None where the score is the probability.
        threshold: positive when the probability is at least this; None where none was learnt.
        classes: the two outcomes, the second is the positive one.
    """

    columns: tuple[str, ...]
    steps: tuple[PlainStep, ...]
    model: str
    classifier: Any
    recalibration: LogisticCurve | None = None
    threshold: float | None = None
    classes: Classes = (0, 1)

    def __post_init__(self) -> None:
        """Refuse steps of other columns, and numbers that are none."""
        alien = [name for step in self.steps for name in step.columns if name not in self.columns]
        if not self.columns or len(set(self.columns)) < len(self.columns) or alien:
            message = f"A scorer reads columns, each once, and steps change these; got {[*self.columns, *alien][:5]}."
            raise ValueError(message)
        curve = self.recalibration
        refuse_no_numbers(self.threshold, *(() if curve is None else (curve.slope, curve.intercept)))

    @property
    def batch_columns(self) -> tuple[str, ...]:
        """What is needed beside the features: ``batch`` and covariates; empty where no batch is corrected."""
        covariates = [name for step in self._corrections() for name in step.covariates]
        return tuple(dict.fromkeys(["batch", *covariates])) if self._corrections() else ()

    @property
    def known_batches(self) -> tuple[str, ...]:
        """Batches that the corrections were trained on."""
        return tuple(dict.fromkeys(label for step in self._corrections() for label in step.trained))

    def _corrections(self) -> list[Correction]:
        return [step for step in self.steps if isinstance(step, Correction)]

    def prepared(self, X: pd.DataFrame, batches: pd.DataFrame | None = None) -> pd.DataFrame:
        """The rows as the classifier sees them.

        Args:
            X: (n, features) indexed by patient, with every feature of ``columns``; others are not looked at.
            batches: indexed likewise, with ``batch_columns``.

        Raises:
            TypeError: X is not a DataFrame.
            ValueError: a feature is missing, holds no number or is not finite where nothing fills it, or a batch or
                covariate that the correction refuses.
        """
        values = _numbers(X, self.columns)
        for step in self.steps:
            places = [self.columns.index(name) for name in step.columns]
            values[:, places] = step(values[:, places], X.index, batches)
        seen = pd.DataFrame(values, index=X.index, columns=list(self.columns))
        refuse_holes(seen)
        return seen

    def raw(self, X: pd.DataFrame, batches: pd.DataFrame | None = None) -> Floats:
        """(n,) scores of the classifier, before recalibration; arguments and errors as of `prepared`."""
        seen = self.prepared(X, batches)
        spec = CLASSIFIERS.get(self.model)
        with threadpool_limits(1):
            score = positive_score(self.classifier, seen.to_numpy() if spec is None else spec.given(seen))
        if not np.isfinite(score).all():
            message = (
                f"The model gives no number for {X.index[int(np.argmin(np.isfinite(score)))]!r}: check its values."
            )
            raise ValueError(message)
        return score

    def probability(self, X: pd.DataFrame, batches: pd.DataFrame | None = None) -> Floats:
        """(n,) probabilities of the second class; arguments and errors as of `prepared`."""
        score = self.raw(X, batches)
        return score if self.recalibration is None else self.recalibration(score)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the classifier."""
        return {
            "kind": "chain",
            "columns": list(self.columns),
            "steps": [step.to_dict() for step in self.steps],
            "model": self.model,
            "recalibration": None if self.recalibration is None else self.recalibration.to_dict(),
            "threshold": self.threshold,
            "classes": plain(list(self.classes)),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], classifier: Any) -> Self:
        """The scorer that ``to_dict`` wrote, with its classifier.

        Raises:
            ValueError: malformed.
        """
        curve = content["recalibration"]
        return cls(
            columns=tuple(content["columns"]),
            steps=tuple(map(step_of, content["steps"])),
            model=content["model"],
            classifier=classifier,
            recalibration=None if curve is None else LogisticCurve(slope=curve["slope"], intercept=curve["intercept"]),
            threshold=content["threshold"],
            classes=two_classes(content["classes"]),
        )


def _numbers(X: pd.DataFrame, columns: tuple[str, ...]) -> Floats:
    check_table(X)
    missing = [name for name in columns if name not in X.columns]
    if missing:
        message = (
            f"{len(missing)} of the {len(columns)} features that the model reads are missing, for example "
            f"{missing[0]!r}: extract them with the settings of the model."
        )
        raise ValueError(message)
    chosen = X.loc[:, list(columns)]
    words = [name for name, kind in chosen.dtypes.items() if kind.kind not in "fiub"]
    if words:
        message = f"Feature {words[0]!r} holds no numbers: correct the table."
        raise ValueError(message)
    return chosen.to_numpy(dtype=np.float64, copy=True)


def two_classes(classes: list[Any]) -> Classes:
    """A list of two as a pair."""
    negative, positive = classes
    return negative, positive


def refuse_no_numbers(threshold: Any, *values: Any) -> None:
    """Refuse what is no finite number; a threshold may be None.

    Raises:
        ValueError: naming the value.
    """
    for value in values if threshold is None else (threshold, *values):
        if type(value) not in (int, float) or not math.isfinite(value):
            message = f"Threshold, recalibration and weights are finite numbers; got {value!r}."
            raise ValueError(message)
