"""The methods section, written from the resolved study: what ran, in its order, with every parameter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glottis.report.methods_table import table_sentences
from glottis.report.wording import capitalised, counted, joined, plain, set_name
from glottis.study.result import StudyResult
from glottis.study.spec import Study
from glottis.study.spec_images import DEFAULT_PREPROCESSING, Features, Preprocessing
from glottis.study.spec_models import Icc, Lasso

PROTOCOL = "Xie et al., Scientific Reports 2025, doi 10.1038/s41598-025-01270-1"
CLASS_NAMES = {
    "shape": "shape",
    "firstorder": "first-order statistics",
    "glcm": "grey-level co-occurrence (GLCM)",
    "glrlm": "run length (GLRLM)",
    "glszm": "size zone (GLSZM)",
    "gldm": "dependence (GLDM)",
    "ngtdm": "neighbourhood grey-tone difference (NGTDM)",
}
CURVE_NAMES = {
    "square": "square",
    "squareroot": "square root",
    "logarithm": "logarithm",
    "exponential": "exponential",
}
INTERPOLATORS = {"bspline": "B-spline", "linear": "linear", "nearest": "nearest-neighbour"}
MASK_INTERPOLATORS = {"nearest": "nearest neighbour", "linear": "linear interpolation, cut at 0.5"}


@dataclass(frozen=True)
class Paragraph:
    """A heading, its sentences, and the values that the published protocol leaves open and a default fills."""

    heading: str
    sentences: tuple[str, ...]
    open_values: tuple[str, ...] = ()

    @property
    def defaults(self) -> str:
        """The sentence about those values; empty without any."""
        if not self.open_values:
            return ""
        return f"Default of glottis; not stated in the published protocol: {joined(self.open_values)}."


def methods(result: StudyResult) -> list[Paragraph]:
    """Every paragraph, in the order of the work."""
    study = result.study
    if study.table is not None:
        made = [Paragraph("Features", table_sentences(result, study.table))]
    else:
        made = _from_images(study)
    return [
        *made,
        _split(result),
        _selection(result),
        _model(result),
        _statistics(result),
    ]


def _from_images(study: Study) -> list[Paragraph]:
    sequences: dict[str, list[str]] = {}
    for name, sequence in study.sequences.items():
        sequences.setdefault(sequence.modality, []).append(name)
    return [
        _masks(study),
        *(_preprocessing(study, modality, names) for modality, names in sequences.items()),
        _features(study),
    ]


def _masks(study: Study) -> Paragraph:
    sentences = []
    for name, sequence in study.sequences.items():
        lesions = "all lesions of a mask count as one" if sequence.lesions == "union" else "the largest lesion counts"
        which = ""
        if sequence.segment is not None:
            which = f"segment '{sequence.segment}' of "
        elif sequence.label is not None:
            which = f"label {sequence.label} of "
        sentences.append(
            f"{name} ({sequence.modality}): {which}the mask by reader {sequence.reader}, round {sequence.round}; "
            f"{lesions}."
        )
    return Paragraph("Images and masks", tuple(sentences))


def _preprocessing(study: Study, modality: str, names: list[str]) -> Paragraph:
    block = study.preprocessing_of(names[0])
    steps = [
        text for text in (_bias(block), _window(block), _normalise(block), _resample(block), _resegment(block)) if text
    ]
    order = [f"({i}) {text}" for i, text in enumerate(steps, start=1)]
    bins = (
        f"a fixed bin width of {plain(block.bins.width)}"
        if block.bins.width is not None
        else (f"a fixed count of {block.bins.count} bins")
    )
    first = f"In this order: {'; '.join(order)}." if order else "Images were used as they are, without any step."
    sentences = (first, f"Grey levels of texture features: {bins}.")
    return Paragraph(f"Preprocessing of {modality} ({joined(names)})", sentences, _open_in(block, modality))


def _bias(block: Preprocessing) -> str:
    if block.n4 is None:
        return ""
    levels = " x ".join(str(n) for n in block.n4.iterations)
    return f"N4 bias-field correction of the whole image (shrink factor {block.n4.shrink_factor}, iterations {levels})"


def _window(block: Preprocessing) -> str:
    if block.window is None:
        return ""
    return f"intensities clipped to {block.window.lower:g} ... {block.window.upper:g}"


def _normalise(block: Preprocessing) -> str:
    normal = block.normalise
    scaled = f"times {normal.scale:g}" + (f" plus {normal.shift:g}" if normal.shift else "")
    cut = f", values beyond {normal.remove_outliers:g} standard deviations cut" if normal.remove_outliers else ""
    return {
        "none": "",
        "zscore": f"z-score over the whole image, {scaled}{cut}",
        "within_mask": f"z-score over the tumour's mask, {scaled}{cut}",
        "reference_region": f"intensities divided by those of a reference region of the image, set to {normal.scale:g}",
        "nyul": "Nyul's histogram standardisation, landmarks learnt on the training patients of each split",
    }[normal.method]


def _resample(block: Preprocessing) -> str:
    grid = block.resample
    if grid is None:
        return ""
    spacing = " x ".join(f"{side:g}" for side in grid.spacing_mm)
    return (
        f"cropped round the mask and resampled to {spacing} mm (image: {INTERPOLATORS[grid.interpolator]}, "
        f"mask: {MASK_INTERPOLATORS[grid.mask_interpolator]})"
    )


def _resegment(block: Preprocessing) -> str:
    cut = block.resegment
    if cut is None:
        return ""
    limits = " to ".join(f"{value:g}" for value in cut.range)
    return f"voxels outside {limits} ({cut.mode}) left out of everything but shape"


def _open_in(block: Preprocessing, modality: str) -> tuple[str, ...]:
    """What the protocol, a study on MR, leaves open and this study leaves at the default."""
    if modality != "MR":
        return ()
    default = DEFAULT_PREPROCESSING["MR"]
    values = []
    if block.resample is not None and default.resample is not None:
        if block.resample.interpolator == default.resample.interpolator:
            values.append("the image's interpolator")
        if block.resample.mask_interpolator == default.resample.mask_interpolator:
            values.append("the mask's interpolator")
    if block.n4 is not None and block.n4 == default.n4:
        values.append("the settings of N4")
    if block.normalise == default.normalise:
        values.append("kind, scale and shift of the normalisation")
        if block.n4 is not None:
            values.append("the order of N4 and normalisation")
    if block.bins == default.bins:
        values.append("the bin width")
    return tuple(values)


def _features(study: Study) -> Paragraph:
    block = study.image_features
    images = ["the original image"] if block.original else []
    if block.wavelet is not None:
        images.append(f"the eight bands of an undecimated wavelet transform ({block.wavelet.wavelet}, one level)")
    if block.log is not None:
        images.append(f"Laplacian of Gaussian images (sigma {plain(block.log.sigma_mm)} mm)")
    images += [f"the {CURVE_NAMES[name]} of the intensities" for name in block.curves]
    if block.gradient is not None:
        images.append(f"the gradient magnitude (per {'mm' if block.gradient.use_spacing else 'voxel'})")
    images += _patterns(block)
    classes = joined(CLASS_NAMES[name] for name in block.classes)
    shape = " Shape is measured once, on the mask." if "shape" in block.classes else ""
    return Paragraph(
        "Features",
        (
            f"Classes: {classes}. All but shape were measured on {joined(images)}.{shape}",
            "Names and definitions are those of PyRadiomics 3.0.1.",
        ),
    )


def _patterns(block: Features) -> list[str]:
    found = []
    if block.lbp2d is not None:
        found.append(
            f"local binary patterns of slices ({block.lbp2d.method}, {counted(block.lbp2d.samples, 'sample')}, radius "
            f"in voxels {plain(block.lbp2d.radius)}, bin width {plain(block.lbp2d.bin_width)})"
        )
    if block.lbp3d is not None:
        found.append(
            f"local binary patterns on spheres ({counted(block.lbp3d.levels, 'level')}, radius in voxels "
            f"{plain(block.lbp3d.radius)}, bin width {plain(block.lbp3d.bin_width)})"
        )
    return found


def _split(result: StudyResult) -> Paragraph:
    split, study = result.study.split, result.study
    together = (
        f"Rows with the same {study.group} always stayed on one side."
        if study.group
        else "No column of groups was given: every row counted as a patient of its own."
    )
    outside = f" Patients of {joined(f'centre {name}' for name in split.external)} are the external test set."
    text = {
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


def _selection(result: StudyResult) -> Paragraph:
    study = result.study
    block = study.selection
    steps = {entry["step"] for model in result.results["models"].values() for f in model["fits"] for entry in f["kept"]}
    sentences = [
        f"Each model selected from the features of its own {_parts(study)} together, on its training patients alone; "
        "constant features, and features with a value that is not finite, went first."
    ]
    values = []
    if "icc" in steps and block.icc is not None:
        sentences.append(_icc_sentence(result, block.icc))
        if block.icc == Icc(threshold=block.icc.threshold):
            values.append("the form of the ICC")
        values.append("which of the patients drawn again are used (those in training)")
    elif block.icc is not None:
        again = "repeated masks" if study.table is None else "repeated measurements"
        sentences.append(f"No feature was judged by ICC: there are no {again}.")
    if block.spearman is not None:
        sentences.append(
            f"Of each pair with an absolute Spearman correlation above {block.spearman:g}, the feature further left in "
            "the table stayed."
        )
        values.append(f"running Spearman on the union of a model's {_parts(study)}")
    sentences.append("Features were then standardised (z-score).")
    if block.lasso is not None:
        sentences.append(_lasso_sentence(block.lasso))
        values.append("LASSO's loss" + (" and rule for the penalty" if block.lasso.rule == Lasso().rule else ""))
    if block.n_features is not None:
        sentences.append(
            "Recursive elimination with an L2-penalised logistic regression (C = 1) left at most "
            f"{block.n_features} features."
        )
        values.append("the estimator inside the recursive elimination")
    return Paragraph("Selection", tuple(sentences), tuple(values))


def _parts(study: Study) -> str:
    return "sequences" if study.table is None else "blocks"


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
    return sorted(pair for pair in pairs if pair != study.primary())


def _lasso_sentence(lasso: Lasso) -> str:
    rule = "the lowest error" if lasso.rule == "min" else "the largest penalty within one standard error of the lowest"
    return (
        f"LASSO with squared loss on the 0/1 outcome kept the features with a coefficient; penalty by "
        f"{lasso.folds}-fold cross-validation ({rule})."
    )


def _model(result: StudyResult) -> Paragraph:
    study, model = result.study, result.study.model
    sentences = [
        f"Random forest with 200 trees, tuned by {model.folds}-fold cross-validated AUC inside the training patients; "
        "every inner fold repeated the selection on its own rows.",
        f"Grid: {grid_text(result)}.",
        f"Chosen: {chosen_text(result)}.",
    ]
    if model.recalibrate:
        sentences.append("Scores were recalibrated by a logistic curve on out-of-fold training scores.")
    sentences.append(
        "Threshold: the highest sensitivity + specificity (Youden) on out-of-fold training scores, stored with the "
        "model."
    )
    names = joined(study.models())
    sentences.append(f"{capitalised(counted(len(study.models()), 'model'))}: {names}.")
    return Paragraph("Model", tuple(sentences), () if model.grid else ("the number of trees", "the grid"))


def grid_text(result: StudyResult) -> str:
    """Every parameter with the values that tuning tried, as the first fit stored them."""
    tried: dict[str, list[str]] = {}
    for point in next(iter(result.results["models"].values()))["fits"][0]["tuning"]:
        for name, value in point["params"].items():
            values = tried.setdefault(name, [])
            if _value(value) not in values:
                values.append(_value(value))
    return "; ".join(f"{_parameter(name)} {joined(values, 'or')}" for name, values in tried.items()) or "none"


def chosen_text(result: StudyResult) -> str:
    """What tuning chose: per model, or how often over all fits."""
    models = result.results["models"]
    if all(len(entry["fits"]) == 1 for entry in models.values()):
        return "; ".join(f"{name}: {params_text(entry['fits'][0]['best_params'])}" for name, entry in models.items())
    primary = result.results["primary_model"]
    counts = Counter(params_text(fit["best_params"]) for fit in models[primary]["fits"])
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return f"in model {primary}, " + "; ".join(f"{text} in {n} of {counts.total()} fits" for text, n in ordered)


def params_text(params: Mapping[str, Any]) -> str:
    """A grid point in words."""
    return ", ".join(f"{_parameter(name)} {_value(value)}" for name, value in params.items())


def _parameter(name: str) -> str:
    return {"max_depth": "depth", "min_samples_leaf": "leaf", "n_estimators": "trees"}.get(name, name)


def _value(value: Any) -> str:
    return "free" if value is None else plain(value)


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
        sentences.append(
            "Scores of different folds come from different models and were never pooled; metrics at the threshold are "
            "means over repeats with their standard deviation."
        )
    sentences.append("Where an interval would not be honest, 'not estimable' stands in its place.")
    return Paragraph("Statistics", tuple(dict.fromkeys(sentences)))
