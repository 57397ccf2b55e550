"""The paragraphs of the methods on the clinical model, the nomogram and the final model."""

from __future__ import annotations

from glottis.report.methods_paragraph import Paragraph
from glottis.report.wording import counted, joined
from glottis.study.result import StudyResult
from glottis.study.spec import Study
from glottis.study.spec_clinical import ClinicalModel


def clinical_paragraph(result: StudyResult) -> Paragraph | None:
    """Clinical model and nomogram; ``None`` without them."""
    study, own = result.study, result.study.clinical_model
    if own is None and study.nomogram is None:
        return None
    sentences, open_values = [], []
    if own is not None:
        sentences += _screening(own)
        sentences += _levels(own)
        sentences.append(
            f"Missing values of training patients were completed {counted(own.imputations, 'time')} by chained "
            "equations with predictive mean matching, with the training outcome among the predictors; coefficients are "
            "means over the completed tables, their intervals follow Rubin's rules. A held-out patient's missing value "
            "became the training median or most frequent level."
        )
        open_values += ["the multiple imputation"]
    if study.nomogram is not None and not study.clinical_alone:
        sentences += _nomogram(study)
        open_values += ["the scale of the score", "out-of-fold scores of training patients"]
    return Paragraph("Clinical model and nomogram", tuple(sentences), tuple(open_values))


def _screening(own: ClinicalModel) -> list[str]:
    if own.screen is None:
        return ["Clinical model: logistic regression of all clinical columns."]
    always = f" ({joined(own.forced)} entered in any case)" if own.forced else ""
    return [
        "Clinical model: every clinical column was tested alone by logistic regression on training patients; those "
        f"with p < {own.screen:g} of any level entered the multivariable regression{always}."
    ]


def _levels(own: ClinicalModel) -> list[str]:
    found = []
    if own.reference:
        levels = joined(f"{level} for {name}" for name, level in own.reference.items())
        found.append(f"Reference levels: {levels}.")
    for name, steps in own.ordinal.items():
        found.append(f"{name} counted as steps in the order {', '.join(steps)}, one coefficient a step.")
    return found


def _nomogram(study: Study) -> list[str]:
    assert study.nomogram is not None
    scale = "logit of the score" if study.nomogram.score == "logit" else "score (a probability)"
    beside = [*study.nomogram.features, *(["the clinical columns, screened as above"] if study.clinical_model else [])]
    return [
        f"Nomogram: logistic regression of the {scale} of the primary model, and {joined(beside)}. Training patients "
        "entered with out-of-fold scores, so that no score came from a model that had seen the patient; held-out "
        "patients with the score of the finished model."
    ]


def final_paragraph(result: StudyResult) -> Paragraph | None:
    """The model file; ``None`` where none was made."""
    final = result.final
    if final is None or final["absent"]:
        return None
    tested = (
        "It is the model whose test results stand above."
        if final["trained_on"] == "training patients"
        else "The cross-validation above estimates how such a model does; this one itself is untested."
    )
    return Paragraph(
        "Final model",
        (
            f"The primary model, {final['name']}, was fitted on {final['n_training']} {final['trained_on']}. {tested}",
            f"Its interval for a patient is the spread over {counted(final['refits'], 'refit')}, each on a random half "
            "of these patients with hyper-parameters as tuned (delete-half jackknife, Shao and Wu 1989): 1.96 standard "
            "deviations on the logit scale.",
        ),
    )
