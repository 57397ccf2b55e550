"""What a reader must know of a model file before it is used on anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glottis.study.final import FinalModel

RESEARCH_ONLY = (
    "For research. It is no medical device, has no approval, and no decision about a patient may rest on it alone."
)


def model_card(final: FinalModel, results: Mapping[str, Any]) -> dict[str, Any]:
    """The model card, from stored results alone.

    Args:
        final: the model.
        results: the contents of ``results.json``.
    """
    answering = "nomogram" if final.regression is not None and final.scorer is not None else final.name
    entry = results["models"].get(answering, results["models"][final.name])
    study = final.study
    return {
        "title": study.title,
        "predicts": f"{final.outcome['column']} = {final.outcome['positive']}",
        "answers": _answers(final),
        "use": RESEARCH_ONLY,
        "trained_on": f"{final.n_training} {final.trained_on}, {final.n_positive} with the outcome",
        "centres": list(final.centres),
        "sequences": list(study.sequences),
        "design": results["design"],
        "performance": {
            name: {
                "n": stored["n"],
                "n_positive": stored["n_positive"],
                "auc": {key: stored["auc"]["interval"][key] for key in ("value", "low", "high", "method")},
            }
            for name, stored in entry["sets"].items()
            if name != "training"
        },
        "tested": "this very model"
        if not study.split.crossed
        else "models fitted the same way on parts of these patients; this one, fitted on all of them, is untested",
        "interval": (
            f"spread over {_n_refits(final)} refits, each on a random half of the training patients, as 1.96 standard "
            "deviations on the logit scale; it holds no bias that all refits share"
        ),
        "limits": [
            "Features depend on scanner, protocol and who draws the mask: outside the training ranges it refuses or "
            "says so, inside them it may still be wrong.",
            *final.notes,
        ],
    }


def _n_refits(final: FinalModel) -> int:
    refits = final.refits if final.scorer is not None else final.regression.refits if final.regression else ()
    return sum(own is not None for own in refits)


def _answers(final: FinalModel) -> str:
    if final.scorer is None:
        return "logistic regression of clinical columns"
    if final.regression is None:
        return f"{final.classifier} of image features" if final.study.sequences else f"{final.classifier} of features"
    return f"nomogram of the {final.classifier} score and clinical columns"
