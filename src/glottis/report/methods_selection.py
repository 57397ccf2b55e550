"""The paragraph of the methods on selection: every step in its order, with its settings."""

from __future__ import annotations

from glottis.report.methods_paragraph import Paragraph, parts
from glottis.report.methods_perturbation import perturbation_sentences
from glottis.report.wording import counted, joined
from glottis.study.result import StudyResult
from glottis.study.spec import Study
from glottis.study.spec_images import PERTURBED
from glottis.study.spec_models import Icc, Lasso, Univariate

TESTS = {
    "t": "Student's t test",
    "welch": "Welch's t test",
    "mann-whitney": "a Mann-Whitney test",
    "anova": "an analysis of variance",
}
ADJUSTED = {"benjamini_hochberg": "Benjamini and Hochberg", "holm": "Holm"}


def selection_paragraph(result: StudyResult) -> Paragraph:
    """What selected the features."""
    study, block = result.study, result.study.selection
    sentences, values = [_scope(study), *perturbation_sentences(result)], []
    said, open_values = _icc(result)
    sentences += said
    values += open_values
    if block.univariate is not None:
        sentences.append(_univariate_sentence(block.univariate))
    if block.spearman is not None:
        sentences.append(
            f"Of each pair with an absolute Spearman correlation above {block.spearman:g}, the feature further left in "
            "the table stayed."
        )
        if not block.per_block and study.fusion != "late":
            values.append(f"running Spearman on the union of a model's {parts(study)}")
    sentences.append("Features were then standardised (z-score).")
    sentences += _more(study)
    if block.lasso is not None:
        sentences.append(_lasso_sentence(block.lasso))
        values.append("LASSO's loss" + (" and rule for the penalty" if block.lasso.rule == Lasso().rule else ""))
    if block.n_features is not None:
        sentences.append(_elimination(block.n_features))
        values.append("the estimator inside the recursive elimination")
    return Paragraph("Selection", tuple(sentences), tuple(values))


def _scope(study: Study) -> str:
    each = parts(study).removesuffix("s")
    if study.selection.per_block:
        how = f"Each model selected in every {each} by itself, and set side by side what was left"
    elif study.fusion == "late":
        how = f"Selection ran in every {each} by itself, as scores were fused and not features"
    else:
        how = f"Each model selected from the features of its own {parts(study)} together"
    late = f" (in late fusion, from each {each} by itself)" if study.fusion == "both" else ""
    return (
        f"{how}{late}, on its training patients alone; constant features, and features with a value that is not "
        "finite, went first."
    )


def _icc(result: StudyResult) -> tuple[list[str], list[str]]:
    """Sentences on the reproducibility gate, and the values that the protocol leaves open."""
    icc = result.study.selection.icc
    models = result.results["models"].values()
    steps = {entry["step"].rpartition(": ")[2] for m in models for fit in m["fits"] for entry in fit["kept"]}
    if icc is None:
        return [], []
    if "icc" not in steps and not (result.study.selection.per_block and _drawn(result)):
        again = "repeated masks" if result.study.table is None else "repeated measurements"
        return [f"No feature was judged by ICC: there are no {again}."], []
    form = ["the form of the ICC"] if icc == Icc(threshold=icc.threshold) else []
    return [_icc_sentence(result, icc)], [*form, "which of the patients drawn again are used (those in training)"]


def _univariate_sentence(block: Univariate) -> str:
    p = f"p below {block.p:g}"
    if block.adjust is not None:
        p = f"p, adjusted after {ADJUSTED[block.adjust]} over all features, below {block.p:g}"
    return f"Each feature was tested alone ({TESTS[block.test]} between the classes); features with {p} stayed."


def _more(study: Study) -> list[str]:
    """Boruta and mRMR, in this order."""
    block, said = study.selection, []
    if block.boruta:
        said.append(
            "Boruta (Kursa and Rudnicki 2010; a class-balanced random forest, level 0.05, at most 100 rounds) kept the "
            "features that were more important than the best of their shuffled copies."
        )
    if block.mrmr is not None:
        said.append(
            f"mRMR kept {counted(block.mrmr, 'feature')}: the highest F of an analysis of variance over the mean "
            "absolute Pearson correlation with those chosen before (the quotient FCQ of Zhao et al. 2019)."
        )
    return said


def _elimination(n_features: int | str) -> str:
    how = "Recursive elimination with an L2-penalised logistic regression (C = 1)"
    if n_features == "cv":
        return (
            f"{how} ran down to one feature in 5-fold cross-validation; the number with the lowest normalised mean "
            "squared error was left."
        )
    return f"{how} left at most {n_features} features."


def _icc_sentence(result: StudyResult, icc: Icc) -> str:
    first, _ = result.study.primary()
    drawn = _drawn(result)
    what = "masks" if result.study.table is None else "values"
    who = joined(f"reader {reader}, round {number}" for reader, number in drawn)
    bound = "" if icc.use == "point" else " (lower 95% limit)"
    kinds = sorted({"the same reader again" if reader == first else "another reader" for reader, _ in drawn})
    return (
        f"A feature stayed when its {icc.form}{bound} exceeded {icc.threshold:g} in every comparison of the first "
        f"{what} (reader {first}) with those of {who} ({joined(kinds)}), over the training patients who have them."
    )


def _drawn(result: StudyResult) -> list[tuple[str, int]]:
    """Reader and round of every further measurement."""
    study = result.study
    if study.table is None:
        return sorted({(r.reader, r.round) for s in study.sequences.values() for r in s.repeats})
    pairs = result.features.frame[["reader", "round"]].drop_duplicates().itertuples(index=False, name=None)
    return sorted(pair for pair in pairs if pair != study.primary() and pair[0] != PERTURBED)


def _lasso_sentence(lasso: Lasso) -> str:
    rule = "the lowest error" if lasso.rule == "min" else "the largest penalty within one standard error of the lowest"
    return (
        f"LASSO with squared loss on the 0/1 outcome kept the features with a coefficient; penalty by "
        f"{lasso.folds}-fold cross-validation ({rule})."
    )
