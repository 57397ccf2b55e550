"""What a study is: the contents of ``study.yaml``, checked, with every default in one place.

Each class is one block of the file. Values that the two published protocols leave open carry their reason here.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from glottis._errors import InputError, SettingsError, nearest
from glottis.data.cohort import MaskColumn, Roles, SequenceColumns

Modality = Literal["MR", "CT", "PET"]


class Block(BaseModel):
    """A part of ``study.yaml``: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Outcome(Block):
    """The column to predict, and the value that counts as the event."""

    column: str
    positive: str | int | float | None = None


class Survival(Block):
    """Columns of follow-up time and event (1 happened, 0 censored)."""

    time: str
    event: str


class RepeatedMask(Block):
    """A further delineation of the same lesion, for reproducibility."""

    mask: str
    reader: str
    round: int = 1


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


class Split(Block):
    """Who trains and who tests; rows of one group always stay on one side.

    ``random`` holds out ``test_fraction`` as internal test; centres in ``external`` are an external test.
    ``centre`` trains on every other centre and tests on ``external``. ``given`` reads training, internal or external
    from ``column``. ``kfold`` repeats a stratified k-fold: for cohorts too small to hold a test set out.
    """

    method: Literal["random", "centre", "given", "kfold"] = "random"
    test_fraction: float = Field(default=0.3, gt=0, lt=1)
    stratify: bool = True
    external: tuple[str, ...] = ()
    column: str | None = None
    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=5, ge=1)

    @field_validator("external", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return tuple(str(v) for v in value) if isinstance(value, (list, tuple)) else value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.method == "centre" and not self.external:
            message = "method centre needs external: [CENTRE, ...]"
            raise ValueError(message)
        if self.method == "given" and self.column is None:
            message = "method given needs column: the manifest column that says training, internal or external"
            raise ValueError(message)
        return self


class Icc(Block):
    """Reproducibility gate; ``use: lower`` asks the lower CI bound to pass."""

    threshold: float = Field(default=0.75, ge=0, le=1)
    form: Literal["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"] = "ICC(2,1)"
    use: Literal["point", "lower"] = "point"


class Lasso(Block):
    """LASSO with squared loss; ``min`` takes the penalty of least error, ``1se`` the sparser one within one SE."""

    folds: int = Field(default=5, ge=3)
    rule: Literal["min", "1se"] = "min"


class Selection(Block):
    """Feature selection, always inside the training patients."""

    icc: Icc | None = Icc()
    spearman: float | None = Field(default=0.9, gt=0, le=1)
    lasso: Lasso | None = Lasso()
    n_features: int | None = Field(default=15, ge=1)


class Model(Block):
    """The classifier and its tuning."""

    classifier: Literal["random_forest"] = "random_forest"
    folds: int = Field(default=5, ge=2)
    grid: dict[str, tuple[Any, ...]] | None = None
    recalibrate: bool = True


class Check(Block):
    """Limits of ``glottis check``."""

    minimum_diameter_mm: float = Field(default=5.0, ge=0)
    geometry_tolerance: float = Field(default=1e-4, gt=0)
    timing: Literal["preoperative", "any"] = "preoperative"


class Study(Block):
    """A whole study, as ``study.yaml`` states it."""

    title: str = "Radiomics study"
    manifest: Path
    id: str = "patient"
    outcome: Outcome
    group: str | None = None
    centre: str | None = None
    survival: Survival | None = None
    clinical: tuple[str, ...] = ()
    sequences: dict[str, Sequence] = Field(min_length=1)
    preprocessing: dict[Modality, Preprocessing] = Field(default_factory=dict)
    features: Features = Features()
    split: Split = Split()
    selection: Selection = Selection()
    model: Model = Model()
    combinations: Literal["all", "single"] | tuple[tuple[str, ...], ...] = "all"
    check: Check = Check()
    random_state: int = Field(default=2025, ge=0)

    @field_validator("preprocessing", mode="before")
    @classmethod
    def _over_defaults(cls, value: Any) -> Any:
        """What a modality's block leaves out keeps that modality's default."""
        if not isinstance(value, dict):
            return value
        defaults = {str(name): block for name, block in DEFAULT_PREPROCESSING.items()}
        return {
            modality: {**defaults[modality].model_dump(), **block}
            if modality in defaults and isinstance(block, dict)
            else block
            for modality, block in value.items()
        }

    @model_validator(mode="after")
    def _known_sequences(self) -> Self:
        for name in self.sequences:
            if not name or any(c in name for c in "+/\\ "):
                message = f"sequences: '{name}' must have no space, plus sign or slash"
                raise ValueError(message)
        if len({(sequence.reader, sequence.round) for sequence in self.sequences.values()}) > 1:
            message = "sequences: the primary masks of all sequences must name the same reader and round"
            raise ValueError(message)
        if not isinstance(self.combinations, str):
            for name in {n for combination in self.combinations for n in combination} - set(self.sequences):
                message = f"combinations: unknown sequence '{name}' ({nearest(name, self.sequences)})"
                raise ValueError(message)
        return self

    def preprocessing_of(self, sequence: str) -> Preprocessing:
        """The preprocessing of a sequence: its modality's block, or that modality's default."""
        modality = self.sequences[sequence].modality
        return self.preprocessing.get(modality, DEFAULT_PREPROCESSING[modality])

    def models(self) -> dict[str, tuple[str, ...]]:
        """Model names and their sequences: each alone, then every combination (seven for three sequences)."""
        names = list(self.sequences)
        if self.combinations == "single":
            sets: list[tuple[str, ...]] = [(name,) for name in names]
        elif self.combinations == "all":
            picks = [tuple(n for i, n in enumerate(names) if bits >> i & 1) for bits in range(1, 2 ** len(names))]
            sets = sorted(picks, key=lambda pick: (len(pick), [names.index(n) for n in pick]))
        else:
            sets = list(dict.fromkeys(self.combinations))
        return {"+".join(pick): pick for pick in sets}

    def roles(self) -> Roles:
        """What the manifest's columns mean."""
        return Roles(
            id=self.id,
            sequences={name: sequence.columns() for name, sequence in self.sequences.items()},
            group=self.group,
            centre=self.centre,
            outcome=self.outcome.column,
            positive=self.outcome.positive,
            time=self.survival.time if self.survival else None,
            event=self.survival.event if self.survival else None,
            given_set=self.split.column if self.split.method == "given" else None,
            clinical=self.clinical,
        )

    def resolved(self) -> dict[str, Any]:
        """Every setting with its value, defaults included, without the place of the manifest on this machine."""
        content = self.model_dump(mode="json")
        content["manifest"] = self.manifest.name
        content["preprocessing"] = {
            modality: self.preprocessing.get(modality, DEFAULT_PREPROCESSING[modality]).model_dump(mode="json")
            for modality in sorted({sequence.modality for sequence in self.sequences.values()})
        }
        return content

    def digest(self) -> str:
        """SHA-256 of the resolved settings: two studies with the same digest ask the same question."""
        return hashlib.sha256(json.dumps(self.resolved(), sort_keys=True).encode()).hexdigest()


def read_study(path: Path) -> Study:
    """Read ``study.yaml``.

    Raises:
        SettingsError: the file is missing, is not YAML, has an unknown key or a value that cannot be.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        message = f"There is no study file '{path}': write one with  glottis init FOLDER --out DIR"
        raise SettingsError(message) from error
    except (OSError, UnicodeDecodeError) as error:
        message = f"Study file '{path}' cannot be read ({error}): give a UTF-8 text file."
        raise SettingsError(message) from error
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f" at line {place.line + 1}" if place is not None else ""
        message = f"Study file '{path.name}' is not valid YAML{where}: check indentation, colons and quotes there."
        raise SettingsError(message) from error
    if not isinstance(content, dict):
        message = f"Study file '{path.name}' holds no settings: it needs at least manifest, outcome and sequences."
        raise SettingsError(message)
    study = study_from_dict(content, name=path.name)
    manifest = study.manifest if study.manifest.is_absolute() else path.parent / study.manifest
    return study.model_copy(update={"manifest": manifest})


def study_from_dict(content: dict[str, Any], *, name: str = "study") -> Study:
    """Check the settings of a study.

    Raises:
        SettingsError: one line per problem; an unknown key comes with the nearest valid one.
    """
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        lines = [_plain(problem) for problem in error.errors()]
        message = f"{name}: " + "; ".join(dict.fromkeys(lines))
        raise SettingsError(message) from error
    except InputError as error:
        message = f"{name}: {error}"
        raise SettingsError(message) from error


def _plain(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"] if not str(part).startswith(("tuple[", "literal[")))
    if problem["type"] == "extra_forbidden":
        key = str(problem["loc"][-1])
        return f"unknown key '{where}' ({nearest(key, _keys_at(problem['loc'][:-1]))})"
    if problem["type"] == "missing":
        return f"'{where}' is missing: add it"
    reason = problem["msg"].removeprefix("Value error, ")
    given = problem["input"]
    shown = f" (got {given!r})" if isinstance(given, (str, int, float, bool)) else ""
    return f"'{where}': {reason}{shown}" if where else reason


def _keys_at(place: tuple[Any, ...]) -> list[str]:
    """Valid keys of the block at ``place`` of a study file."""
    block: Any = Study
    for part in place:
        fields = getattr(block, "model_fields", {})
        annotation = fields[part].annotation if part in fields else block
        block = _inner_block(annotation)
    return list(getattr(block, "model_fields", {}))


def _inner_block(annotation: Any) -> Any:
    """The block class inside an annotation such as ``BiasField | None`` or ``dict[str, Sequence]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _inner_block(inner)
        if found is not None:
            return found
    return None
