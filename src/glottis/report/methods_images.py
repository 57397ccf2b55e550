"""The paragraphs of the methods on images: masks, preprocessing, features."""

from __future__ import annotations

from glottis.report.methods_paragraph import Paragraph
from glottis.report.wording import counted, joined, plain
from glottis.study.spec import Study
from glottis.study.spec_images import DEFAULT_PREPROCESSING, Features, Preprocessing

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


def image_paragraphs(study: Study) -> list[Paragraph]:
    """Masks, preprocessing of each modality, features."""
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
