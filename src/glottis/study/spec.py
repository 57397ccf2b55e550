"""What a study is: the contents of ``study.yaml``, checked, with every default in one place.

Each class is one block of the file; those of images stand in ``spec_images``, those of a table in ``spec_table``,
those of models in ``spec_models``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, Discriminator, Field, Tag, ValidationError, field_validator, model_validator

from glottis._errors import InputError, SettingsError, nearest
from glottis.data.cohort import Roles
from glottis.study.spec_block import Block
from glottis.study.spec_clinical import ClinicalModel, Final, Nomogram
from glottis.study.spec_images import DEFAULT_PREPROCESSING, Features, Modality, Perturbations, Preprocessing, Sequence
from glottis.study.spec_models import Controls, Harmonise, Model, Selection
from glottis.study.spec_table import TableFeatures

TABLE_KEYS = frozenset(TableFeatures.model_fields) - frozenset(Features.model_fields)


class Outcome(Block):
    """The column to predict, and the value that counts as the event."""

    column: str
    positive: str | int | float | None = None


class Survival(Block):
    """Columns of follow-up time and event (1 happened, 0 censored)."""

    time: str
    event: str


class Split(Block):
    """Who trains and who tests; rows of one group always stay on one side.

    ``random`` holds out ``test_fraction`` as internal test; centres in ``external`` are an external test.
    ``centre`` trains on every other centre and tests on ``external``. ``given`` reads training, internal or external
    from ``column``. ``kfold`` repeats a stratified k-fold: for cohorts too small to hold a test set out. ``repeated``
    holds out ``test_fraction`` at random again and again, so that one lucky split shows.
    """

    method: Literal["random", "centre", "given", "kfold", "repeated"] = "random"
    test_fraction: float = Field(default=0.3, gt=0, lt=1)
    stratify: bool = True
    external: tuple[str, ...] = ()
    column: str | None = None
    folds: int = Field(default=5, ge=2)
    repeats: int = Field(default=5, ge=1)

    @property
    def crossed(self) -> bool:
        """Whether every patient may be held out in one fit and train in another."""
        return self.method in ("kfold", "repeated")

    @field_validator("external", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return tuple(str(v) for v in value) if isinstance(value, (list, tuple)) else value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.method == "centre" and not self.external:
            message = "method centre needs external: [CENTRE, ...]"
            raise ValueError(message)
        if self.method == "repeated" and self.external:
            message = "method repeated holds patients out at random: leave external out, or take random or centre"
            raise ValueError(message)
        if self.method == "given" and self.column is None:
            message = "method given needs column: the manifest column that says training, internal or external"
            raise ValueError(message)
        return self


Fusion = Literal["early", "late", "clinical", "nomogram"]
CLINICAL_MODEL, NOMOGRAM = "clinical", "nomogram"


@dataclass(frozen=True, kw_only=True)
class Design:
    """Models that are fitted together.

    Attributes:
        name: of the combination and its fusion.
        blocks: its sequences or blocks.
        fusion: ``early`` sets features side by side, ``late`` stacks the scores of a model for each block;
            ``clinical`` is the regression of the clinical columns, ``nomogram`` that of scores and clinical columns.
        models: classifier to the model's name.
    """

    name: str
    blocks: tuple[str, ...]
    fusion: Fusion
    models: Mapping[str, str]

    @property
    def of_features(self) -> bool:
        """Whether its models see features; the others see clinical columns or scores."""
        return self.fusion in ("early", "late")

    @property
    def chosen(self) -> str:
        """The model that is, in each fold, the one with the best inner AUC."""
        return f"{self.name} (chosen)"


class Check(Block):
    """Limits of ``glottis check``."""

    minimum_diameter_mm: float = Field(default=5.0, ge=0)
    geometry_tolerance: float = Field(default=1e-4, gt=0)
    timing: Literal["preoperative", "any"] = "preoperative"


def _start(value: Any) -> str:
    """What a ``features`` block starts from: a table, or images."""
    if isinstance(value, TableFeatures) or (isinstance(value, dict) and TABLE_KEYS & set(value)):
        return "<table>"
    return "<images>"


FeatureBlock = Annotated[
    Annotated[Features, Tag("<images>")] | Annotated[TableFeatures, Tag("<table>")], Discriminator(_start)
]


class Study(Block):
    """A whole study, as ``study.yaml`` states it.

    It starts from images (``sequences``), or from a table of features (``features: table.csv``), which may be the
    manifest itself. Without an id column the rows of such a table are numbered (``id: null``). With neither it is a
    study of the clinical columns alone (``clinical_model``).
    """

    title: str = "Radiomics study"
    manifest: Path
    id: str | None = "patient"
    outcome: Outcome
    group: str | None = None
    centre: str | None = None
    survival: Survival | None = None
    clinical: tuple[str, ...] = ()
    sequences: dict[str, Sequence] = Field(default_factory=dict)
    preprocessing: dict[Modality, Preprocessing] = Field(default_factory=dict)
    features: FeatureBlock = Features()
    perturbations: Perturbations | None = None
    split: Split = Split()
    selection: Selection = Selection()
    model: Model = Model()
    combinations: Literal["all", "single"] | tuple[tuple[str, ...], ...] = "all"
    fusion: Literal["early", "late", "both"] = "early"
    harmonise: Harmonise | None = None
    controls: Controls = Controls()
    as_published: tuple[Literal["selection", "threshold"], ...] = ()
    clinical_model: ClinicalModel | None = None
    nomogram: Nomogram | None = None
    final: Final = Final()
    check: Check = Check()
    random_state: int = Field(default=2025, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, content: Any) -> Any:
        """``features: table.csv`` is a block, and a table without a manifest is its own manifest."""
        if not isinstance(content, dict):
            return content
        features = content.get("features")
        if isinstance(features, (str, Path)):
            content = {**content, "features": {"table": features}}
        elif not isinstance(features, dict):
            return content
        table = content["features"].get("table")
        return content if table is None or "manifest" in content else {**content, "manifest": table}

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

    @field_validator("perturbations", "clinical_model", "nomogram", mode="before")
    @classmethod
    def _switch(cls, value: Any) -> Any:
        return ({} if value else None) if isinstance(value, bool) else value

    @model_validator(mode="after")
    def _perturbations_used(self) -> Self:
        if self.perturbations is None:
            return self
        if self.table is not None:
            message = (
                "perturbations: a study that starts from a table has no image to perturb; leave it out, or give "
                "what was measured on perturbed images as features.repeats with reader: perturbation"
            )
            raise ValueError(message)
        if self.selection.perturbation is None:
            message = (
                "perturbations: nothing would use them, since selection.perturbation is null: leave one of them out"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if self.table is None and not self.sequences and self.clinical_model is None:
            message = (
                "'sequences' is missing: add it, or start from a table of features (features: table.csv), or from "
                "clinical columns alone (clinical_model: true)"
            )
            raise ValueError(message)
        if self.table is None and self.id is None:
            what = "images" if self.sequences else "clinical columns"
            message = f"id: a study of {what} needs an id column (only rows of a feature table can be numbered)"
            raise ValueError(message)
        if self.table is not None:
            for key in ("sequences", "preprocessing"):
                if getattr(self, key):
                    message = f"{key}: a study that starts from a table has none; leave it out, or the table"
                    raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _known_clinical(self) -> Self:
        own = self.clinical_model
        if own is not None:
            if not self.clinical:
                message = "clinical_model: the study names no clinical columns: add clinical: [COLUMN, ...]"
                raise ValueError(message)
            for name in [*own.forced, *own.reference, *own.ordinal, *own.labels, *own.units]:
                if name not in self.clinical:
                    message = f"clinical_model: '{name}' is no clinical column ({nearest(name, self.clinical)})"
                    raise ValueError(message)
        if self.nomogram is not None and own is None and not self.nomogram.features:
            message = (
                "nomogram: a score alone needs none: add clinical_model: true, or nomogram.features: [COLUMN, ...]"
            )
            raise ValueError(message)
        if self.clinical_alone:
            features = {"nomogram.features": self.nomogram is not None and self.nomogram.features}
            for key, given in (features | {"harmonise": self.harmonise, "as_published": self.as_published}).items():
                if given:
                    message = f"{key}: a study of clinical columns alone has no features; leave it out"
                    raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _outcome_stays_out(self) -> Self:
        if self.harmonise is not None:
            hidden = {self.outcome.column, *(vars(self.survival).values() if self.survival else ())}
            for name in hidden & {self.harmonise.batch, *self.harmonise.covariates}:
                message = f"harmonise: '{name}' is the outcome, which no correction may know: leave it out"
                raise ValueError(message)
            if self.harmonise.batch == "centre" and self.centre is None:
                message = "harmonise: batch is the centre, and the study names no centre column: add centre or batch"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _known_blocks(self) -> Self:
        where = "sequences" if self.table is None else "features.blocks"
        for name in self.block_names():
            if not name or any(c in name for c in "+/\\ "):
                message = f"{where}: '{name}' must have no space, plus sign or slash"
                raise ValueError(message)
            if name in (CLINICAL_MODEL, NOMOGRAM):
                message = f"{where}: a model is called '{name}': take another name"
                raise ValueError(message)
        if len({(sequence.reader, sequence.round) for sequence in self.sequences.values()}) > 1:
            message = "sequences: the primary masks of all sequences must name the same reader and round"
            raise ValueError(message)
        if not isinstance(self.combinations, str):
            what = "sequence" if self.table is None else "block"
            for name in {n for combination in self.combinations for n in combination} - set(self.block_names()):
                message = f"combinations: unknown {what} '{name}' ({nearest(name, self.block_names())})"
                raise ValueError(message)
        return self

    @property
    def table(self) -> TableFeatures | None:
        """The block of the table that the study starts from; ``None`` where it starts from images."""
        return self.features if isinstance(self.features, TableFeatures) else None

    @property
    def clinical_alone(self) -> bool:
        """Whether the study has clinical columns and no features."""
        return self.table is None and not self.sequences

    @property
    def image_features(self) -> Features:
        """The features that are computed from images.

        Raises:
            SettingsError: the study starts from a table.
        """
        if isinstance(self.features, TableFeatures):
            message = f"The study starts from the table '{self.features.table.name}': no feature is computed."
            raise SettingsError(message)
        return self.features

    def block_names(self) -> tuple[str, ...]:
        """What models are made of: the sequences, or the blocks of the table."""
        return tuple(self.sequences) if self.table is None else self.table.block_names()

    def block_of(self, feature: str) -> str:
        """The sequence in a feature's name (``SEQUENCE_filter_class_Name``), or its block of the table; empty for none.

        >>> images = {"T2_fat": {"image": "image", "mask": "mask"}}
        >>> study = Study(manifest="m.csv", outcome={"column": "y"}, sequences=images)
        >>> study.block_of("T2_fat_wavelet-LLH_glcm_Contrast")
        'T2_fat'
        """
        if self.table is None:
            return feature.rsplit("_", 3)[0]
        return next(iter(self.table.blocks_of(feature)), "")

    def primary(self) -> tuple[str, int]:
        """Reader and round of the measurement that feeds the models; of clinical columns there is none."""
        if self.clinical_alone:
            return "", 0
        first = self.table or next(iter(self.sequences.values()))
        return first.reader, first.round

    def preprocessing_of(self, sequence: str) -> Preprocessing:
        """The preprocessing of a sequence: its modality's block, or that modality's default."""
        modality = self.sequences[sequence].modality
        return self.preprocessing.get(modality, DEFAULT_PREPROCESSING[modality])

    def combined(self) -> list[tuple[str, ...]]:
        """Sequences or blocks of each combination: each alone, then all together (seven for three sequences)."""
        names = list(self.block_names())
        if self.combinations == "single":
            return [(name,) for name in names]
        if self.combinations == "all":
            picks = [tuple(n for i, n in enumerate(names) if bits >> i & 1) for bits in range(1, 2 ** len(names))]
            return sorted(picks, key=lambda pick: (len(pick), [names.index(n) for n in pick]))
        return list(dict.fromkeys(self.combinations))

    def designs(self) -> tuple[Design, ...]:
        """What is fitted together: a combination and a way of fusion, with a model for every classifier."""
        found = []
        for blocks in self.combined():
            kinds: tuple[Fusion, ...] = ("early", "late") if self.fusion == "both" else (self.fusion,)
            for kind in kinds if len(blocks) > 1 else ("early",):
                name = "+".join(blocks) + (" late" if kind == "late" else "")
                several = len(self.model.classifier) > 1
                models = {own: f"{name} {own}" if several else name for own in self.model.classifier}
                found.append(Design(name=name, blocks=blocks, fusion=kind, models=models))
        return (*found, *self._regressions(max(found, key=lambda item: len(item.blocks)).blocks if found else ()))

    def _regressions(self, blocks: tuple[str, ...]) -> list[Design]:
        """The clinical model, and the nomogram of the scores of these blocks."""
        wanted: list[tuple[str, Fusion, tuple[str, ...]]] = []
        if self.clinical_model is not None:
            wanted.append((CLINICAL_MODEL, "clinical", ()))
        if self.nomogram is not None and not self.clinical_alone:
            wanted.append((NOMOGRAM, "nomogram", blocks))
        return [Design(name=name, blocks=own, fusion=kind, models={"regression": name}) for name, kind, own in wanted]

    def models(self) -> dict[str, tuple[str, ...]]:
        """Model names and their sequences or blocks, in the order of the report."""
        found: dict[str, tuple[str, ...]] = {}
        for design in self.designs():
            found |= dict.fromkeys(design.models.values(), design.blocks)
            if self.chooses and design.of_features:
                found[design.chosen] = design.blocks
        return found

    @property
    def chooses(self) -> bool:
        """Whether each fold of a cross-validation chooses between several classifiers."""
        return self.split.crossed and len(self.model.classifier) > 1

    def roles(self) -> Roles:
        """What the manifest's columns mean."""
        return Roles(
            id=self.id or "",
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
        """Every setting with its value, defaults included, without the place of its tables on this machine."""
        content = self.model_dump(mode="json")
        content["manifest"] = self.manifest.name
        if self.table is not None:
            return _without_places(content, self.table, self.manifest)
        content["preprocessing"] = {
            modality: self.preprocessing.get(modality, DEFAULT_PREPROCESSING[modality]).model_dump(mode="json")
            for modality in sorted({sequence.modality for sequence in self.sequences.values()})
        }
        return content

    def digest(self) -> str:
        """SHA-256 of the resolved settings: two studies with the same digest ask the same question."""
        return hashlib.sha256(json.dumps(self.resolved(), sort_keys=True).encode()).hexdigest()


def _without_places(content: dict[str, Any], table: TableFeatures, manifest: Path) -> dict[str, Any]:
    """Resolved settings of a study of a table; a table that only shares the manifest's name keeps its folder."""
    another = table.table != manifest and table.table.name == manifest.name
    content["features"]["table"] = f"{table.table.parent.name}/{table.table.name}" if another else table.table.name
    for stored, repeat in zip(content["features"]["repeats"], table.repeats, strict=True):
        stored["table"] = repeat.table.name
    return content


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
        message = (
            f"Study file '{path.name}' holds no settings: it needs at least outcome and, for images, manifest "
            "and sequences, or features: table.csv."
        )
        raise SettingsError(message)
    study = study_from_dict(content, name=path.name)
    return _placed(study, path.parent)


def _placed(study: Study, folder: Path) -> Study:
    """The study with its tables beside its file; an absolute path stays."""
    update: dict[str, Any] = {"manifest": folder / study.manifest}
    if study.table is not None:
        repeats = tuple(r.model_copy(update={"table": folder / r.table}) for r in study.table.repeats)
        update["features"] = study.table.model_copy(update={"table": folder / study.table.table, "repeats": repeats})
    return study.model_copy(update=update)


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
    where = ".".join(str(part) for part in problem["loc"] if not str(part).startswith(("tuple[", "literal[", "<")))
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
        if part == "<table>":
            block = TableFeatures
        elif part in fields:
            block = _inner_block(fields[part].annotation)
        else:
            block = _inner_block(block)
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
