"""The paragraphs of the methods on harmonisation and on controls."""

from __future__ import annotations

from glottis.report.controls import how_published
from glottis.report.methods_paragraph import Paragraph
from glottis.report.wording import capitalised, counted, joined
from glottis.study.result import StudyResult
from glottis.study.spec_models import Harmonise

PRIORS = {
    "parametric": "parametric empirical Bayes",
    "nonparametric": "non-parametric empirical Bayes",
    "none": "location and scale of each feature by itself, without empirical Bayes",
}


def harmonisation_paragraph(result: StudyResult) -> Paragraph | None:
    """How batches were corrected; ``None`` where they were not."""
    block = result.study.harmonise
    if block is None:
        return None
    spread = "means alone" if block.mean_only else "means and spreads"
    kept = joined(block.covariates)
    drawn = (
        f"All batches were drawn to batch {block.reference}, itself unchanged."
        if block.reference is not None
        else "All batches were drawn to their weighted mean."
    )
    return Paragraph(
        "Harmonisation",
        (
            f"ComBat (Johnson, Li and Rabinovic 2007; {PRIORS[block.prior]}) corrected {spread} by {block.batch}. It "
            "was fitted on training patients, anew in every fold, and applied to the others.",
            drawn,
            f"The effect of {kept} was kept." if block.covariates else "No covariate was kept.",
            "The outcome had no part in it.",
            _unseen(block),
        ),
    )


def _unseen(block: Harmonise) -> str:
    if block.unseen == "refuse":
        return "A batch that no training patient had would have been refused."
    if block.unseen == "reference":
        return "Patients of a batch that no training patient had were left uncorrected."
    return (
        "A batch that no training patient had was estimated from its own unlabelled patients, of whom it needs "
        f"{block.minimum_rows} (transductive: a patient's values depend on those who came along)."
    )


def controls_paragraph(result: StudyResult) -> Paragraph:
    """Against what the primary model was held, and what was let leak on purpose."""
    stored = result.results["controls"]
    sentences = []
    if stored["permutation"] is not None:
        sentences.append(
            f"Permutations: outcomes were shuffled {counted(stored['permutation']['n'], 'time')} and the primary model "
            "was fitted anew, selection included, with its hyper-parameters as tuned; p is one-sided, and counts the "
            "observed result among the shuffled ones."
        )
    sentences += [f"{capitalised(control['name'])}: {_columns(control['columns'])}." for control in stored["alone"]]
    if stored["alone"]:
        sentences.append(
            "Each of these was a logistic regression (C = 1) on the same training patients, without selection; words "
            "were coded a column a level, gaps of numbers filled with the median. A control counts as beaten where the "
            "lower limit of the paired difference of AUCs is above 0."
        )
    missing = [row["name"] for row in stored["absent"]]
    if missing:
        sentences.append(f"Not run: {joined(missing)}.")
    if result.results["as_published"] is not None:
        sentences.append(
            f"As published: the primary model once more with {how_published(result.results)}; every number from it is "
            "called OPTIMISTIC."
        )
    return Paragraph("Controls", tuple(sentences))


def _columns(names: list[str]) -> str:
    shown = [str(name) for name in names]
    if len(shown) == 1:
        return f"column {shown[0]}"
    return f"columns {joined(shown)}" if len(shown) <= 8 else f"{len(shown)} columns, {', '.join(shown[:6])} among them"
