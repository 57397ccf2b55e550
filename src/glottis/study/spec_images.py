"""Blocks of ``study.yaml`` for a study that starts from images: sequences, preprocessing, features.

Values that the two published protocols leave open carry their reason here.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from glottis.data.cohort import MaskColumn, SequenceColumns
from glottis.study.spec_block import Block

Modality = Literal["MR", "CT", "PET"]
PERTURBED = "perturbation"
"""Reader of the rows that were measured on perturbed scans; their rounds are numbered from 1."""


class RepeatedMask(Block):
    """A further delineation of the same lesion, for reproducibility."""

    mask: str
    reader: str
    round: int = 1

    @field_validator("reader")
    @classmethod
    def _a_person(cls, value: str) -> str:
        return _reader(value)


def _reader(name: str) -> str:
    if name == PERTURBED:
        message = f"'{PERTURBED}' stands for perturbed scans (perturbations: true): give the reader another name"
        raise ValueError(message)
    return name


class Sequence(Block):
    """One sequence: its manifest columns, its modality and how its mask is read."""

    image: str
    mask: str
    modality: Modality = "MR"
    label: int | None = None
    segment: str | None = None
    lesions: Literal["union", "largest"] = "union"
    reader: str = "A"
    round: int = 1
    repeats: tuple[RepeatedMask, ...] = ()

    @field_validator("reader")
    @classmethod
    def _a_person(cls, value: str) -> str:
        return _reader(value)

    def columns(self) -> SequenceColumns:
        """The same as roles of manifest columns."""

        def column(name: str, reader: str, round_: int) -> MaskColumn:
            return MaskColumn(column=name, reader=reader, round=round_, label=self.label, segment=self.segment)

        return SequenceColumns(
            image=self.image,
            mask=column(self.mask, self.reader, self.round),
            repeats=tuple(column(r.mask, r.reader, r.round) for r in self.repeats),
            lesions=self.lesions,
        )


class BiasField(Block):
    """N4 bias-field correction."""

    shrink_factor: int = Field(default=4, ge=1)
    iterations: tuple[int, ...] = (50, 50, 50, 50)


class Normalise(Block):
    """Intensity normalisation.

    ``zscore`` uses the whole image as PyRadiomics does, ``within_mask`` the tumour, ``reference_region`` a band of
    the image's own intensities, ``nyul`` landmarks learnt on the training patients of each split.
    """

    method: Literal["zscore", "within_mask", "reference_region", "nyul", "none"] = "zscore"
    scale: float = Field(default=100.0, gt=0)
    shift: float = 0.0
    remove_outliers: float | None = Field(default=None, gt=0)


class IntensityWindow(Block):
    """Clip intensities to ``lower`` ... ``upper`` (HU for CT)."""

    lower: float
    upper: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lower >= self.upper:
            message = f"lower ({self.lower:g}) must be below upper ({self.upper:g})"
            raise ValueError(message)
        return self


class ResampleSpec(Block):
    """The common grid; ``spacing_mm`` is x, y, z."""

    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    interpolator: Literal["bspline", "linear", "nearest"] = "bspline"
    mask_interpolator: Literal["nearest", "linear"] = "nearest"

    @field_validator("spacing_mm")
    @classmethod
    def _positive(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        if min(value) <= 0:
            message = f"every spacing must be above 0 mm, got {value}"
            raise ValueError(message)
        return value


class ResegmentSpec(Block):
    """Leave voxels outside a range of intensities out of everything but shape."""

    range: tuple[float, ...] = Field(min_length=1, max_length=2)
    mode: Literal["absolute", "relative", "sigma"] = "absolute"


class Bins(Block):
    """Grey levels of the texture features: a fixed ``width``, or a fixed ``count``."""

    width: float | None = Field(default=None, gt=0)
    count: int | None = Field(default=None, ge=2)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.width is None) == (self.count is None):
            message = "give exactly one of width and count"
            raise ValueError(message)
        return self


class Preprocessing(Block):
    """Everything between the file and the features, for one modality, in the order in which it runs."""

    n4: BiasField | None = None
    normalise: Normalise = Normalise(method="none")
    window: IntensityWindow | None = None
    resample: ResampleSpec | None = ResampleSpec()
    resegment: ResegmentSpec | None = None
    bins: Bins


# MR has no absolute unit: z-score x 100 with bins of 5 gives about 30-130 grey levels in a tumour. CT in HU keeps its
# unit and PyRadiomics' width of 25. SUVs of a tumour span about 2-30, so bins of 0.25 give 8-128 levels.
DEFAULT_PREPROCESSING: dict[Modality, Preprocessing] = {
    "MR": Preprocessing(n4=BiasField(), normalise=Normalise(shift=300.0), bins=Bins(width=5)),
    "CT": Preprocessing(resample=ResampleSpec(interpolator="linear"), bins=Bins(width=25)),
    "PET": Preprocessing(resample=ResampleSpec(interpolator="linear"), bins=Bins(width=0.25)),
}


class Wavelet(Block):
    """Undecimated separable wavelet, one level, eight bands."""

    wavelet: str = "coif1"


class Log(Block):
    """Laplacian of Gaussian at these widths in mm."""

    sigma_mm: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0, 5.0)


class Gradient(Block):
    """Gradient magnitude, per mm or per voxel."""

    use_spacing: bool = True


class LBP2D(Block):
    """Local binary patterns of slices; they are whole numbers, so that bins of 1 keep them apart."""

    radius: float = Field(default=1.0, gt=0)
    samples: int = Field(default=8, ge=1)
    method: Literal["default", "ror", "uniform", "var"] = "uniform"
    bin_width: float = Field(default=1.0, gt=0)


class LBP3D(Block):
    """Local binary patterns on spheres; with 42 points they run from 0 to about 22, 44 bins of 0.5."""

    levels: int = Field(default=2, ge=1)
    radius: float = Field(default=1.0, gt=0)
    subdivision: int = Field(default=1, ge=0, le=6)
    bin_width: float = Field(default=0.5, gt=0)


class Features(Block):
    """Which features are computed."""

    classes: tuple[Literal["shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"], ...] = (
        "shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm",
    )  # fmt: skip
    original: bool = True
    wavelet: Wavelet | None = Wavelet()
    log: Log | None = None
    curves: tuple[Literal["square", "squareroot", "logarithm", "exponential"], ...] = ()
    gradient: Gradient | None = None
    lbp2d: LBP2D | None = None
    lbp3d: LBP3D | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        images = (self.original, self.wavelet, self.log, self.curves, self.gradient, self.lbp2d, self.lbp3d)
        if not self.classes or not any(images):
            message = (
                "no feature is left: keep at least one class and one of original, wavelet, log, curves, gradient, "
                "lbp2d, lbp3d"
            )
            raise ValueError(message)
        return self


class Perturbations(Block):
    """Measure every training scan again after small random changes, for those with no second reader.

    Each repeat draws its amounts at random within these limits, either way, from the study's seed. The kinds are those
    of Zwanenburg et al., Sci Rep 2019;9:614; 0 or false leaves a kind out.

    Attributes:
        repeats: further extractions of a scan; each takes as long as the scan itself.
        rotate: at most so many degrees in the slices.
        translate: at most this part of a (resampled) voxel along each axis.
        volume: the mask grows or shrinks by at most this part.
        noise: as much noise again as the image has.
        contour: the outline is drawn anew along borders in the image (supervoxels).
    """

    repeats: int = Field(default=3, ge=1, le=50)
    rotate: float = Field(default=10.0, ge=0, le=45)
    translate: float = Field(default=0.5, ge=0, lt=1)
    volume: float = Field(default=0.15, ge=0, lt=1)
    noise: bool = True
    contour: bool = True

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any((self.rotate, self.translate, self.volume, self.noise, self.contour)):
            message = "nothing is perturbed: keep at least one of rotate, translate, volume, noise, contour"
            raise ValueError(message)
        return self
