"""From the blocks of ``study.yaml`` to the steps that run on a scan."""

from __future__ import annotations

from glottis.features.discretise import FixedBinCount, FixedBinWidth
from glottis.features.extract import FeatureSettings
from glottis.features.filters import Filter, LaplacianOfGaussian, Original, Wavelet, With
from glottis.features.gradient import Gradient
from glottis.features.lbp2d import LBP2D
from glottis.features.lbp3d import LBP3D
from glottis.features.pointwise import Exponential, Logarithm, Square, SquareRoot
from glottis.preprocessing.bias import N4
from glottis.preprocessing.normalise import ReferenceRegion, WithinMaskZScore, ZScore
from glottis.preprocessing.nyul import NyulTransform
from glottis.preprocessing.resample import Resample
from glottis.preprocessing.window import Resegment, Window
from glottis.study.case import CaseSettings, ImageStep
from glottis.study.spec import Study
from glottis.study.spec_images import Bins, Features, Normalise, Preprocessing

CURVES: dict[str, Filter] = {
    "square": Square(),
    "squareroot": SquareRoot(),
    "logarithm": Logarithm(),
    "exponential": Exponential(),
}
"""Point-wise filters by their name in ``study.yaml``."""


def case_settings(study: Study, sequence: str, *, nyul: NyulTransform | None = None) -> CaseSettings:
    """The settings of one sequence.

    Args:
        study: the study.
        sequence: one of its sequences.
        nyul: the transform learnt on the training patients, where the study asks for Nyul's normalisation. Without
            it the intensities stay as the earlier steps leave them: that is what the landmarks are learnt on.
    """
    block = study.preprocessing_of(sequence)
    return CaseSettings(
        whole_image=_whole_image(block, nyul),
        resample=_resample(block),
        resegment=Resegment(range=block.resegment.range, mode=block.resegment.mode) if block.resegment else None,
        features=_features(study.image_features, block.bins),
        geometry_tolerance=study.check.geometry_tolerance,
    )


def _whole_image(block: Preprocessing, nyul: NyulTransform | None) -> tuple[ImageStep, ...]:
    steps: list[ImageStep] = []
    if block.n4 is not None:
        steps.append(N4(shrink_factor=block.n4.shrink_factor, iterations=block.n4.iterations))
    if block.window is not None:
        steps.append(Window(lower=block.window.lower, upper=block.window.upper))
    normalise = nyul if block.normalise.method == "nyul" else _normalisation(block.normalise)
    return (*steps, normalise) if normalise is not None else tuple(steps)


def _normalisation(block: Normalise) -> ImageStep | None:
    if block.method == "none":
        return None
    if block.method == "reference_region":
        return ReferenceRegion(target=block.scale)
    step = ZScore if block.method == "zscore" else WithinMaskZScore
    return step(scale=block.scale, shift=block.shift, remove_outliers=block.remove_outliers)


def _resample(block: Preprocessing) -> Resample | None:
    spec = block.resample
    if spec is None:
        return None
    return Resample(
        spacing_mm=spec.spacing_mm, interpolator=spec.interpolator, mask_interpolator=spec.mask_interpolator
    )


def _features(block: Features, bins: Bins) -> FeatureSettings:
    filters: list[Filter] = [Original()] if block.original else []
    if block.wavelet is not None:
        filters.append(Wavelet(block.wavelet.wavelet))
    if block.log is not None:
        filters.append(LaplacianOfGaussian(block.log.sigma_mm))
    filters += [CURVES[name] for name in block.curves]
    if block.gradient is not None:
        filters.append(Gradient(use_spacing=block.gradient.use_spacing))
    filters += _patterns(block)
    return FeatureSettings(
        filters=tuple(filters),
        classes=dict.fromkeys(block.classes, None),
        bins=FixedBinWidth(bins.width) if bins.width is not None else FixedBinCount(bins.count or 2),
    )


def _patterns(block: Features) -> list[Filter]:
    """Local binary patterns, with the bin width that suits their few values."""
    filters: list[Filter] = []
    flat, round_ = block.lbp2d, block.lbp3d
    if flat is not None:
        step = LBP2D(radius=flat.radius, samples=flat.samples, method=flat.method)
        filters.append(With(step, bins=FixedBinWidth(flat.bin_width)))
    if round_ is not None:
        ball = LBP3D(levels=round_.levels, radius=round_.radius, subdivision=round_.subdivision)
        filters.append(With(ball, bins=FixedBinWidth(round_.bin_width)))
    return filters
