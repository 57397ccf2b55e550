"""A scorer as JSON, its classifier among it, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glottis._errors import BundleError
from glottis.modelling.deployed import Scorer
from glottis.modelling.deployed_fusion import AnyScorer, FusedScorer
from glottis.serve.forests import extra_trees_of, forest_content, random_forest_of
from glottis.serve.lightgbm_model import lightgbm_content, lightgbm_of
from glottis.serve.plain_models import (
    Plain,
    machine_content,
    machine_of,
    network_content,
    network_of,
    regression_content,
    regression_of,
)
from glottis.serve.xgboost_model import xgboost_content, xgboost_of


@dataclass(frozen=True)
class Form:
    """How a classifier is written, and read again.

    Attributes:
        content: fitted classifier to plain values.
        model: plain values and column names to the fitted classifier.
    """

    content: Callable[[Any], Plain]
    model: Callable[[Mapping[str, Any], Sequence[str]], Any]


FORMS: Mapping[str, Form] = {
    "logistic_regression": Form(regression_content, regression_of),
    "svm": Form(machine_content, machine_of),
    "random_forest": Form(forest_content, random_forest_of),
    "extra_trees": Form(forest_content, extra_trees_of),
    "xgboost": Form(xgboost_content, xgboost_of),
    "lightgbm": Form(lightgbm_content, lightgbm_of),
    "mlp": Form(network_content, network_of),
}


def scorer_content(scorer: AnyScorer | None) -> Any:
    """Plain values of a scorer with its classifiers; None for none.

    Raises:
        BundleError: a classifier that a bundle does not hold.
    """
    if scorer is None:
        return None
    if isinstance(scorer, Scorer):
        return {**scorer.to_dict(), "classifier": _classifier_content(scorer)}
    blocks = {block: scorer_content(own) for block, own in scorer.blocks.items()}
    return {**scorer.to_dict(), "blocks": blocks}


def _classifier_content(scorer: Scorer) -> Plain:
    if scorer.model not in FORMS:
        message = (
            f"Classifier {scorer.model!r} was imported by path, and loading it from a bundle would run foreign code: "
            f"put one of {', '.join(FORMS)} in the bundle."
        )
        raise BundleError(message)
    try:
        return FORMS[scorer.model].content(scorer.classifier)
    except ValueError as error:
        message = f"Classifier {scorer.model!r} cannot be put in a bundle: {error}; fit it with its default settings."
        raise BundleError(message) from error


def scorer_from(content: Any) -> AnyScorer | None:
    """The scorer that `scorer_content` wrote.

    Raises:
        ValueError: malformed; KeyError, TypeError, AttributeError and IndexError where a part is absent or of another
            kind.
        MissingExtraError: the classifier's library is not installed.
    """
    if content is None:
        return None
    if content["kind"] == "chain":
        return Scorer.from_dict(content, _classifier_from(content))
    if content["kind"] == "fusion":
        classifiers = {block: _classifier_from(own) for block, own in content["blocks"].items()}
        return FusedScorer.from_dict(content, classifiers)
    message = f"its kind {content['kind']!r} is neither 'chain' nor 'fusion'"
    raise ValueError(message)


def _classifier_from(content: Mapping[str, Any]) -> Any:
    model, columns = content["model"], content["columns"]
    if model not in FORMS:
        message = f"its classifier {model!r} is none of {', '.join(FORMS)}"
        raise ValueError(message)
    if not columns or not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        message = "its columns are no names"
        raise ValueError(message)
    return FORMS[model].model(content["classifier"], columns)
