"""The lines of a first ``study.yaml`` that are about selection, models and controls."""

from __future__ import annotations


def model_lines(*, from_table: bool, centre: bool, inner_folds: int) -> list[str]:
    """The blocks of selection and models; what is off by default stands there as a comment.

    Args:
        from_table: whether the study starts from a table of features.
        centre: whether it names a centre column.
        inner_folds: folds of the tuning.
    """
    part = "block" if from_table else "sequence"
    return [
        "selection:               # always inside the training patients, in this order",
        "  icc: {threshold: 0.75, form: 'ICC(2,1)', use: point}   # only where repeats are given",
        "  spearman: 0.9          # of a pair that correlates more, the first stays",
        "  lasso: {folds: 5, rule: min}",
        "  n_features: 15         # recursive elimination down to this many",
        "model:",
        "  classifier: random_forest",
        "  # classifier: all      # the seven, or a list as [logistic_regression, svm]: inner folds choose among them",
        f"  folds: {inner_folds}               # of the tuning",
        f"combinations: all        # every {part} alone and every combination; or single; or [[A], [A, B]]",
        *_optional(from_table=from_table, centre=centre),
        "random_state: 2025",
    ]


def _optional(*, from_table: bool, centre: bool) -> list[str]:
    perturbations = "# perturbations: {repeats: 3}   # without a second reader: keep features that small changes leave"
    batch = "centre" if centre else "COLUMN"
    return [
        *([] if from_table else [perturbations]),
        f"# harmonise: {{batch: {batch}, unseen: refuse}}   # ComBat by centre, scanner or any column",
        "# controls: {permutations: 20, volume: true, site: true, clinical: true}   # the defaults: what to beat",
    ]
