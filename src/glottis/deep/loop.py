"""The training loop: epochs, early stopping, and a state that can be kept and taken up again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glottis import _optional
from glottis._errors import SettingsError
from glottis.deep.checkpoints import Checkpoint
from glottis.deep.cut import Cut
from glottis.deep.forward import Forward
from glottis.deep.images import Rows, epoch_generator, in_turn, shuffled
from glottis.deep.settings import TrainingSettings
from glottis.evaluation.discrimination import area

if TYPE_CHECKING:
    from torch import Tensor, nn

Progress = Callable[[str, int, int, str], None]
"""Called with a stage's name, its finished units, their total and a few words."""


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass over the training rows.

    Attributes:
        epoch: from 1.
        train_loss: mean cross-entropy over the pass, weighted by class where asked.
        validation_loss: of the rows that early stopping watches; None without such rows.
        validation_auc: of the same rows.
    """

    epoch: int
    train_loss: float
    validation_loss: float | None
    validation_auc: float | None

    def __str__(self) -> str:
        words = f"epoch {self.epoch}: loss {self.train_loss:.4f}"
        if self.validation_loss is None:
            return words
        return f"{words}, validation loss {self.validation_loss:.4f}, AUC {self.validation_auc:.3f}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """What is trained, on what, how.

    Attributes:
        network: backbone and head, on the device.
        forward: rows to logits.
        cut: where its frozen part ends; None when all is trained.
        codes: (n,) class of each row, 0 or 1.
        train: rows to learn from.
        held: rows that early stopping watches; empty without it.
        settings: how.
        seed: of order and views.
        device: where the network is.
    """

    network: nn.Module
    forward: Forward
    cut: Cut | None
    codes: NDArray[np.intp]
    train: Rows
    held: Rows
    settings: TrainingSettings
    seed: int
    device: str


@dataclass(kw_only=True, eq=False)
class State:
    """Where a training stands.

    Attributes:
        optimiser: torch's.
        history: one entry an epoch.
        best_epoch: whose weights count.
        best: these weights, the frozen ones aside.
        seconds: spent so far, over all sessions.
        finished: no epoch is left.
    """

    optimiser: Any
    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)
    seconds: float = 0.0
    finished: bool = False


def train(job: Job, checkpoint: Checkpoint | None, kept: dict[str, Any] | None, progress: Progress) -> State:
    """Train until the epochs or the patience are used up; the network ends with the best epoch's weights.

    Args:
        job: what is trained.
        checkpoint: where every epoch's state is kept; None without.
        kept: a state to go on from; None from the start.
        progress: told after every batch and epoch.
    """
    state = State(optimiser=_optimiser(job))
    if kept is not None:
        _take_up(job, state, kept)
    loss = _loss(job)
    while not state.finished:
        begun = time.perf_counter()
        _epoch(job, state, loss, progress)
        state.seconds += time.perf_counter() - begun
        if checkpoint:
            checkpoint.write(_kept(job, state))
        progress("training", len(state.history), job.settings.epochs, str(state.history[-1]))
    _load(job.network, state.best)
    return state


def _epoch(job: Job, state: State, loss: Any, progress: Progress) -> None:
    number, settings = len(state.history) + 1, job.settings
    train_loss = _pass(job, state.optimiser, loss, number, progress)
    held_loss, auc = _validation(job, loss) if job.held.size else (None, None)
    if not math.isfinite(train_loss if held_loss is None else held_loss):
        message = f"The loss is not finite in epoch {number}: lower the learning rate ({settings.learning_rate:g})."
        raise SettingsError(message)
    if held_loss is None or held_loss < _lowest(state.history):
        state.best_epoch, state.best = number, _trained(job.network)
    state.history.append(Epoch(epoch=number, train_loss=train_loss, validation_loss=held_loss, validation_auc=auc))
    impatient = settings.patience is not None and number - state.best_epoch >= settings.patience
    state.finished = number == settings.epochs or impatient


def _lowest(history: list[Epoch]) -> float:
    known = [epoch.validation_loss for epoch in history if epoch.validation_loss is not None]
    return min(known, default=math.inf)


def _pass(job: Job, optimiser: Any, loss: Any, number: int, progress: Progress) -> float:
    """Learn from every training row once; the mean loss."""
    rng = epoch_generator(job.seed, number)
    job.network.train()
    if job.cut:
        job.cut.train()
    total = 0.0
    batches = shuffled(job.train, job.settings.batch_size, rng)
    for done, batch in enumerate(batches, start=1):
        optimiser.zero_grad(set_to_none=True)
        value = loss(job.forward(batch, rng), _codes(job, batch))
        value.backward()
        optimiser.step()
        total += float(value.detach()) * batch.size
        progress("training", number - 1, job.settings.epochs, f"epoch {number}: batch {done} of {len(batches)}")
    return total / job.train.size


def _validation(job: Job, loss: Any) -> tuple[float, float]:
    """Loss and AUC of the rows that early stopping watches."""
    torch = _optional.require("torch", extra="deep")
    job.network.eval()
    with torch.no_grad():
        logits = torch.cat([job.forward(batch) for batch in in_turn(job.held, job.settings.batch_size)])
        value = float(loss(logits, _codes(job, job.held)))
    score = (logits[:, 1] - logits[:, 0]).cpu().numpy().astype(float)
    return value, area(job.codes[job.held] == 1, score)


def _optimiser(job: Job) -> Any:
    optim = _optional.require("torch.optim", extra="deep")
    settings = job.settings
    trained = [weights for weights in job.network.parameters() if weights.requires_grad]
    named = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    if settings.optimiser == "adam":
        return optim.Adam(trained, **named)
    return optim.SGD(trained, momentum=settings.momentum, **named)


def _loss(job: Job) -> Any:
    torch = _optional.require("torch", extra="deep")
    if job.settings.class_weight is None:
        return torch.nn.CrossEntropyLoss()
    counts = np.bincount(job.codes[job.train], minlength=2)
    weight = torch.as_tensor(job.train.size / (2 * counts), dtype=torch.float32, device=job.device)
    return torch.nn.CrossEntropyLoss(weight=weight)


def _codes(job: Job, rows: Rows) -> Tensor:
    torch = _optional.require("torch", extra="deep")
    codes: Tensor = torch.from_numpy(job.codes[rows].astype(np.int64)).to(job.device)
    return codes


def _trained(network: nn.Module) -> dict[str, Tensor]:
    """A copy of the weights that are trained, and of all buffers."""
    frozen = {name for name, weights in network.named_parameters() if not weights.requires_grad}
    return {name: value.detach().clone() for name, value in network.state_dict().items() if name not in frozen}


def _load(network: nn.Module, trained: dict[str, Tensor]) -> None:
    network.load_state_dict({**network.state_dict(), **trained})


def _kept(job: Job, state: State) -> dict[str, Any]:
    """The state as tensors and plain values; a finished training needs no more than its best weights."""
    torch = _optional.require("torch", extra="deep")
    kept: dict[str, Any] = {
        "best": state.best,
        "best_epoch": state.best_epoch,
        "history": [asdict(epoch) for epoch in state.history],
        "seconds": state.seconds,
        "finished": state.finished,
    }
    if not state.finished:
        kept["network"] = _trained(job.network)
        kept["optimiser"] = state.optimiser.state_dict()
        kept["generator"] = torch.get_rng_state()
        kept["generators_cuda"] = torch.cuda.get_rng_state_all() if job.device.startswith("cuda") else []
    return kept


def _take_up(job: Job, state: State, kept: dict[str, Any]) -> None:
    torch = _optional.require("torch", extra="deep")
    state.best, state.best_epoch = kept["best"], kept["best_epoch"]
    state.history = [Epoch(**epoch) for epoch in kept["history"]]
    state.seconds, state.finished = kept["seconds"], kept["finished"]
    if not state.finished:
        _load(job.network, kept["network"])
        state.optimiser.load_state_dict(kept["optimiser"])
        torch.set_rng_state(kept["generator"])
        for card, generator in enumerate(kept["generators_cuda"]):
            torch.cuda.set_rng_state(generator, card)
