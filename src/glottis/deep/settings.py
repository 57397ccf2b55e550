"""How a network is trained: one noun, and the settings of the two published studies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from glottis._errors import SettingsError, nearest

Optimiser = Literal["sgd", "adam"]
Flip = Literal["horizontal", "vertical"]
ClassWeight = Literal["balanced"]


def _known(name: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        hint = nearest(str(value), [str(word) for word in known])
        message = f"{name}={value!r} is not known: {hint}."
        raise SettingsError(message)


def _require(name: str, value: object, fine: bool, wanted: str) -> None:
    if not fine:
        message = f"{name}={value!r} is out of range: give a value {wanted}."
        raise SettingsError(message)


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a network is trained with cross-entropy.

    Attributes:
        optimiser: ``"sgd"`` or ``"adam"``.
        learning_rate: step size, above 0.
        momentum: of ``"sgd"``, from 0 to below 1; Adam has its own.
        weight_decay: L2 penalty on all weights that are trained, added to the gradient.
        batch_size: images a step; a last batch of one image joins the one before.
        epochs: passes over the training images, at most.
        class_weight: ``"balanced"`` weighs each class by n / (2 n_class); None weighs every image alike.
        flips: axes along which a training image is mirrored with probability 1/2 each.
        crop: side in pixels of the random square of a training image; otherwise the central one is taken. None: whole.
        patience: epochs without a lower validation loss before training stops and the best weights return. None: no
            inner split, all epochs on all rows.
        validation_fraction: share of the training rows (whole groups) that early stopping watches, up to 1/2.

    Raises:
        SettingsError: a value out of range.
    """

    optimiser: Optimiser = "adam"
    learning_rate: float = 1e-4
    momentum: float = 0.9
    weight_decay: float = 1e-4
    batch_size: int = 32
    epochs: int = 50
    class_weight: ClassWeight | None = None
    flips: tuple[Flip, ...] = ()
    crop: int | None = None
    patience: int | None = 10
    validation_fraction: float = 0.2

    def __post_init__(self) -> None:
        _known("optimiser", self.optimiser, get_args(Optimiser))
        _known("class_weight", self.class_weight, (*get_args(ClassWeight), None))
        for flip in self.flips:
            _known("flips", flip, get_args(Flip))
        _require("learning_rate", self.learning_rate, self.learning_rate > 0, "above 0")
        _require("momentum", self.momentum, 0 <= self.momentum < 1, "from 0 to below 1")
        _require("weight_decay", self.weight_decay, self.weight_decay >= 0, "at least 0")
        _require("batch_size", self.batch_size, self.batch_size >= 2, "at least 2")
        _require("epochs", self.epochs, self.epochs >= 1, "at least 1")
        _require("crop", self.crop, self.crop is None or self.crop >= 1, "at least 1, or None")
        _require("patience", self.patience, self.patience is None or self.patience >= 1, "at least 1, or None")
        fraction = self.validation_fraction
        _require("validation_fraction", fraction, 0 < fraction <= 0.5, "above 0 and at most 0.5")

    @property
    def random(self) -> bool:
        """Whether a training image looks different each time."""
        return bool(self.flips) or self.crop is not None


DEFAULT = TrainingSettings()
STUDY_A = TrainingSettings(
    optimiser="sgd",  # Methods of 10.1038/s41598-025-01270-1, as are flips and random crop
    learning_rate=1e-3,  # not stated
    momentum=0.9,  # not stated
    weight_decay=1e-4,  # not stated
    batch_size=32,  # not stated
    epochs=50,  # not stated
    flips=("horizontal", "vertical"),
    crop=224,  # of 256: the size before the crop is not stated
    patience=None,  # early stopping is not named
)
"""Training of ResNet-18 in the staging study (spec A10)."""

STUDY_B = TrainingSettings(
    optimiser="adam",
    learning_rate=1e-4,
    weight_decay=1e-4,  # "L2": its strength is not stated
    batch_size=64,
    epochs=100,  # not stated
    flips=("horizontal",),  # "random flips": the axes are not stated
    crop=224,  # of 256
    patience=10,  # early stopping is named with neither patience nor an inner validation set
    validation_fraction=0.2,  # see patience
)
"""Training of ResNet-50 in the lymph-node study (spec B7)."""
