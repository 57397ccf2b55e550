"""Predictions with what each feature added to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from glottis.modelling.deployed import Scorer
from glottis.modelling.explain import Explanation, explain
from glottis.serve.model_file import Model
from glottis.serve.predict import Prediction


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A prediction, and what each feature added to the score.

    Attributes:
        prediction: the prediction.
        explanation: SHAP values of this patient; ``None`` where no classifier saw features.
    """

    prediction: Prediction
    explanation: Explanation | None


def explained(predictions: Sequence[Prediction], model: Model) -> tuple[Explained, ...]:
    """Predictions that were made, each with its SHAP values; those refused are left out.

    Raises:
        MissingExtraError: trees, and shap is not installed.
    """
    found = []
    for prediction in predictions:
        if prediction.refused:
            continue
        own = None
        if prediction.seen is not None and model.background is not None and isinstance(model.scorer, Scorer):
            seen = pd.DataFrame([prediction.seen], index=[prediction.patient])[list(model.background.columns)]
            values = pd.DataFrame([prediction.features], index=[prediction.patient])
            own = explain(model.scorer.classifier, seen, model.background).shown_as(values)
        found.append(Explained(prediction=prediction, explanation=own))
    return tuple(found)
