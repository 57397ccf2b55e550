"""The methods section, written from the resolved study: what ran, in its order, with every parameter."""

from __future__ import annotations

from glottis.report.methods_clinical import clinical_paragraph, final_paragraph
from glottis.report.methods_controls import controls_paragraph, harmonisation_paragraph
from glottis.report.methods_images import image_paragraphs
from glottis.report.methods_models import fusion_paragraph, model_paragraph
from glottis.report.methods_paragraph import Paragraph
from glottis.report.methods_selection import selection_paragraph
from glottis.report.methods_table import table_sentences
from glottis.report.wording import counted, joined, set_name
from glottis.study.result import StudyResult

PROTOCOL = "Xie et al., Scientific Reports 2025, doi 10.1038/s41598-025-01270-1"


def methods(result: StudyResult) -> list[Paragraph]:
    """Every paragraph, in the order of the work."""
    study = result.study
    if study.table is not None:
        made = [Paragraph("Features", table_sentences(result, study.table))]
    else:
        made = image_paragraphs(study) if study.sequences else []
    written = [
        *made,
        _split(result),
        harmonisation_paragraph(result),
        None if study.clinical_alone else selection_paragraph(result),
        None if study.clinical_alone else model_paragraph(result),
        fusion_paragraph(result),
        clinical_paragraph(result),
        controls_paragraph(result),
        final_paragraph(result),
        _statistics(result),
    ]
    return [paragraph for paragraph in written if paragraph is not None]


def _split(result: StudyResult) -> Paragraph:
    split, study = result.study.split, result.study
    together = (
        f"Rows with the same {study.group} always stayed on one side."
        if study.group
        else "No column of groups was given: every row counted as a patient of its own."
    )
    outside = f" Patients of {joined(f'centre {name}' for name in split.external)} are the external test set."
    text = {
        "repeated": (
            f"{counted(split.repeats, 'random split')}, {split.test_fraction:.0%} of the patients held out each time"
            f"{', stratified by outcome' if split.stratify else ''}; everything was fitted anew in each."
        ),
        "kfold": f"Stratified {split.folds}-fold cross-validation, {counted(split.repeats, 'repeat')}.",
        "given": f"Training and test sets as given in column {split.column}.",
        "centre": f"Training on every other centre.{outside}",
        "random": (
            f"{split.test_fraction:.0%} of the {'other ' if split.external else ''}patients held out at random as "
            "internal test"
            f"{', stratified by outcome' if split.stratify else ''}.{outside if split.external else ''}"
        ),
    }[split.method]
    return Paragraph("Split", (text, together, f"Seed {study.random_state}."))


def _statistics(result: StudyResult) -> Paragraph:
    entry = result.results["models"][result.results["primary_model"]]
    sentences = []
    for name, values in entry["sets"].items():
        if result.results["design"] == "cross-validation" and name == "training":
            continue
        interval = values["auc"]["interval"]
        sentences.append(f"Interval of the AUC, {set_name(name)}: {interval['method']}.")
        methods_ = {values["metrics"][m].get("method") for m in ("accuracy", "f1")} - {None}
        if methods_:
            f1 = values["metrics"]["f1"].get("method")
            sentences.append(f"Proportions: {values['metrics']['accuracy']['method']} intervals; F1: {f1}.")
    if result.results["design"] == "cross-validation":
        parts = "splits" if result.study.split.method == "repeated" else "folds"
        sentences.append(
            f"Scores of different {parts} come from different models and were never pooled; metrics at the threshold "
            "are means over repeats with their standard deviation."
        )
    if result.results["comparisons"]:
        sentences.append(
            "Models were compared on the patients that all of them scored, by DeLong's test for paired AUCs with "
            "Holm's adjustment over all pairs."
        )
    if any(entry["stability"] for entry in result.results["models"].values()):
        sentences.append(
            "Stability of the selection over the fits: the index of Nogueira, Sechidis and Brown (2018) with its "
            "asymptotic interval."
        )
    sentences.append("Where an interval would not be honest, 'not estimable' stands in its place.")
    return Paragraph("Statistics", tuple(dict.fromkeys(sentences)))
