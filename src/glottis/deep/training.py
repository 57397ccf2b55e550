"""A network as a scikit-learn classifier: trained whole, in part, or as a linear model on frozen features."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from glottis import _optional
from glottis._errors import CohortError, SettingsError, nearest
from glottis.deep.fitting import Keep, Work, fit_head, train_network
from glottis.deep.folds import groups_of
from glottis.deep.forward import Whole
from glottis.deep.images import Augmentation, Rows, as_images, in_turn
from glottis.deep.loop import Epoch, Progress
from glottis.deep.network import Backbone, chosen_device, repeatable, start_of, state_hash, with_head
from glottis.deep.settings import DEFAULT, TrainingSettings

if TYPE_CHECKING:
    from torch import nn

Mode = Literal["full", "partial", "frozen"]


def silent(stage: str, done: int, total: int, text: str) -> None:
    """Report nothing."""


class NetworkClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A pretrained backbone with a linear head for two classes.

    Equal seeds, thread counts and machines, and images in the same order, give equal bits. Every fit begins with the
    same weights.

    Args:
        backbone: a backbone, or a function without arguments that makes one; its weights are never written to.
        settings: how it is trained; ``"frozen"`` uses the class weights alone.
        mode: ``"full"`` trains all weights; ``"partial"`` those behind ``frozen_until``; ``"frozen"`` none: a logistic
            regression (scikit-learn, C = 1, on standardised features) becomes the head.
        frozen_until: the last stage that ``"partial"`` leaves as it is, statistics of batch norm included.
        cache: where ``"partial"`` keeps what leaves the frozen part, run once for each image that is not augmented:
            ``"memory"``, ``"disk"`` (in ``checkpoints``, or a temporary folder), or None: run each time.
        checkpoints: a folder for the state after every epoch; a killed training goes on there with the same bits. None:
            nothing is kept.
        device: ``"auto"`` (CUDA, MPS, CPU), or a name.
        threads: of torch, while it works; other counts give other last digits.
        random_state: seed of the head, of random weights that ``backbone`` draws, of the inner split, order and views.

    Attributes:
        classes_: the two, as they sort.
        network_: backbone and head, on the CPU.
        history_: one `Epoch` an epoch; empty when frozen.
        best_epoch_: the epoch whose weights are used; 0 when frozen.
        validation_rows_: places of the rows that early stopping watched; they did not train any weight.
        width_: number of pooled features.
        origin_: where the starting weights come from.
        start_hash_: SHA-256 of the starting weights.
        threads_: what torch used.
        device_: what it ran on.
        seconds_: spent on epochs (without filling the cache), or on embedding when frozen; over all sessions of a
            resumed training.
        images_per_second_: images that were learnt from, or embedded, in that time.
    """

    classes_: NDArray[Any]
    network_: nn.Module
    history_: tuple[Epoch, ...]
    best_epoch_: int
    validation_rows_: Rows
    width_: int
    origin_: str
    start_hash_: str
    threads_: int
    device_: str
    seconds_: float
    images_per_second_: float

    def __init__(
        self,
        backbone: Backbone,
        *,
        settings: TrainingSettings = DEFAULT,
        mode: Mode = "full",
        frozen_until: str | None = None,
        cache: Keep | None = "memory",
        checkpoints: str | Path | None = None,
        device: str = "auto",
        threads: int = 1,
        random_state: int = 0,
    ) -> None:
        self.backbone = backbone
        self.settings = settings
        self.mode = mode
        self.frozen_until = frozen_until
        self.cache = cache
        self.checkpoints = checkpoints
        self.device = device
        self.threads = threads
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None, *, progress: Progress = silent) -> Self:
        """Train on images, in the order that they come.

        Args:
            X: (n, channels, height, width) scaled intensities.
            y: (n,) two classes.
            groups: (n,) patients; the inner split keeps each whole. None: every image its own.
            progress: told ``("training", epochs done, epochs, words)`` after every batch and every epoch, or
                ``("embedding", images done, images, "")`` when frozen.

        Raises:
            SettingsError: a mode, stage, cache or device that is not known, a loss that is not finite.
            ImageError: images of another shape, or not finite.
            CohortError: not two classes, or too few patients for the inner split.
            StorageError: the checkpoint cannot be written.
        """
        self._check()
        images = as_images(X, self.settings.crop)
        self.classes_, codes = classes_of(y, len(images))
        self.device_ = chosen_device(self.device)
        with repeatable(self.random_state, self.threads, self.device_):
            start = start_of(self.backbone)
            self.threads_ = _optional.require("torch", extra="deep").get_num_threads()
            self.width_, self.origin_ = start.spec.width, start.origin
            self.start_hash_ = state_hash(start.module)
            network = placed(with_head(start.module, self.width_), self.device_)
            whole = Whole(network, images, Augmentation(self.settings), self.device_)
            work = Work(
                start=start, whole=whole, codes=codes, groups=groups_of(groups, len(images)), settings=self.settings,
                frozen_until=self.frozen_until, cache=self.cache, folder=self.checkpoints, seed=self.random_state,
                threads=self.threads,
            )  # fmt: skip
            self._learn(work, progress)
        self.network_ = whole.network.eval().cpu()
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) probabilities in the order of ``classes_``."""
        logits = self._run(X, embedding=False)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
        return shares

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """(n,) class with the higher probability."""
        labels: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def embed(self, X: ArrayLike) -> NDArray[np.float64]:
        """(n, width) pooled features of the fitted backbone."""
        return self._run(X, embedding=True)

    def _learn(self, work: Work, progress: Progress) -> None:
        if self.mode == "frozen":
            self.history_, self.best_epoch_, self.validation_rows_ = (), 0, np.arange(0)
            self.seconds_, images = fit_head(work, progress), work.codes.size
        else:
            state, self.validation_rows_ = train_network(work, progress)
            self.history_, self.best_epoch_, self.seconds_ = tuple(state.history), state.best_epoch, state.seconds
            images = (work.codes.size - self.validation_rows_.size) * len(state.history)
        self.images_per_second_ = images / self.seconds_

    def _run(self, X: ArrayLike, *, embedding: bool) -> NDArray[np.float64]:
        check_is_fitted(self, "network_")
        network: Any = self.network_
        return outputs(network.backbone if embedding else network, X, self)

    def _check(self) -> None:
        for name, value, known in (
            ("mode", self.mode, get_args(Mode)),
            ("cache", self.cache, (*get_args(Keep), None)),
        ):
            if value not in known:
                message = f"{name}={value!r} is not known: {nearest(str(value), map(str, known))}."
                raise SettingsError(message)
        if (self.mode == "partial") != (self.frozen_until is not None):
            message = (
                f"mode='{self.mode}' with frozen_until={self.frozen_until!r}: name the last frozen stage with mode "
                "'partial', and with no other."
            )
            raise SettingsError(message)
        if self.threads < 1:
            message = f"threads={self.threads} is out of range: give at least 1."
            raise SettingsError(message)


def outputs(module: nn.Module, X: ArrayLike, by: NetworkClassifier) -> NDArray[np.float64]:
    """(n, width) what a module on the CPU gives for the central views of images.

    Args:
        module: (n, c, h, w) to (n, width).
        X: (n, channels, height, width) scaled intensities.
        by: its settings, device and threads are used.
    """
    torch = _optional.require("torch", extra="deep")
    images, device = as_images(X, by.settings.crop), chosen_device(by.device)
    module.eval()
    with repeatable(by.random_state, by.threads, device), torch.no_grad():
        whole = Whole(placed(module, device), images, Augmentation(by.settings), device)
        rows = in_turn(np.arange(len(images)), by.settings.batch_size)
        found = np.concatenate([whole(batch).cpu().numpy() for batch in rows])
        module.cpu()
    return found.astype(np.float64)


def placed(module: nn.Module, device: str) -> nn.Module:
    """The module on the device, in the layout that is fastest on a CPU."""
    layout: Any = {"memory_format": _optional.require("torch", extra="deep").channels_last}  # torch's types lack it
    return module.to(device).to(**layout)


def classes_of(y: ArrayLike, n: int) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The two classes, and the place of each row's.

    Raises:
        CohortError: not one class a row, or not two classes.
    """
    labels = np.asarray(y)
    if labels.shape != (n,):
        message = f"Classes of shape {labels.shape} for {n} images: give one class an image."
        raise CohortError(message)
    classes, codes = np.unique(labels, return_inverse=True)
    if classes.size != 2:
        message = f"A network is trained on two classes; got {classes.size}: check the outcome column."
        raise CohortError(message)
    return classes, codes
