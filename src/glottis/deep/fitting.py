"""One fit of a network: the inner split, the cut, the cache, the key of its checkpoint."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from glottis import _optional
from glottis.deep.checkpoints import Checkpoint
from glottis.deep.cut import Cut
from glottis.deep.folds import inner_split
from glottis.deep.forward import Cached, Forward, Whole, activations
from glottis.deep.images import Rows, in_turn
from glottis.deep.loop import Job, Progress, State, train
from glottis.deep.network import Start, set_head, state_hash
from glottis.deep.settings import TrainingSettings

Keep = Literal["memory", "disk"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """What one fit is given.

    Attributes:
        start: the backbone, not yet trained.
        whole: network and images, on the device.
        codes: (n,) 0 and 1.
        groups: (n,) patients.
        settings: how.
        frozen_until: the last frozen stage; None when all is trained.
        cache: where activations are kept.
        folder: of checkpoints; None without.
        seed: of everything random.
        threads: of torch.
    """

    start: Start
    whole: Whole
    codes: NDArray[np.intp]
    groups: NDArray[Any]
    settings: TrainingSettings
    frozen_until: str | None
    cache: Keep | None
    folder: str | Path | None
    seed: int
    threads: int


def train_network(work: Work, progress: Progress) -> tuple[State, Rows]:
    """Train the network in place; where it stands, and the rows that early stopping watched."""
    everything = np.arange(work.codes.size)
    rows, held = everything, everything[:0]
    if work.settings.patience is not None:
        rows, held = inner_split(work.codes, work.groups, work.settings.validation_fraction, work.seed)
    key = _key(work, held)
    cut = None
    if work.frozen_until is not None:
        probe = work.whole.seen(everything[:1])
        cut = Cut.behind(work.start.module, work.frozen_until, work.start.stages, probe)
        cut.freeze()
    checkpoint = Checkpoint.of(work.folder, key) if work.folder is not None else None
    kept = checkpoint.read() if checkpoint else None
    finished = kept is not None and kept["finished"]
    with _forward(work, None if finished else cut, rows, held, key) as forward:
        job = Job(
            network=work.whole.network, forward=forward, cut=cut, codes=work.codes, train=rows, held=held,
            settings=work.settings, seed=work.seed, device=work.whole.device,
        )  # fmt: skip
        return train(job, checkpoint, kept, progress), held


def fit_head(work: Work, progress: Progress) -> float:
    """Embed all images once and make a logistic regression the head; the seconds that the embedding took."""
    torch = _optional.require("torch", extra="deep")
    network: Any = work.whole.network.eval()
    everything, features = np.arange(work.codes.size), []
    begun = time.perf_counter()
    with torch.no_grad():
        for batch in in_turn(everything, work.settings.batch_size):
            features.append(network.backbone(work.whole.seen(batch)).cpu().numpy())
            progress("embedding", int(batch[-1]) + 1, everything.size, "")
    seconds = time.perf_counter() - begun
    scaler = StandardScaler()
    model = LogisticRegression(class_weight=work.settings.class_weight, max_iter=5000)
    with threadpool_limits(work.threads):
        model.fit(scaler.fit_transform(np.concatenate(features).astype(float)), work.codes)
    weights = model.coef_[0] / scaler.scale_
    set_head(network, weights, float(model.intercept_[0] - weights @ scaler.mean_))
    return seconds


@contextlib.contextmanager
def _forward(work: Work, cut: Cut | None, rows: Rows, held: Rows, key: str) -> Iterator[Forward]:
    """The way from rows to logits; what it keeps on disk goes when the training ends."""
    needed = held if work.settings.random else np.concatenate([rows, held])
    if cut is None or work.cache is None or not needed.size:
        yield work.whole
        return
    with contextlib.ExitStack() as stack:
        file = None
        if work.cache == "disk":
            folder = work.folder or stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            file = Path(folder) / f"activations-{key[:24]}.npy"
            stack.callback(file.unlink, missing_ok=True)
        kept = activations(work.whole, cut, np.sort(needed), work.settings.batch_size, file)
        yield Cached(work.whole, cut, kept)


def _key(work: Work, held: Rows) -> str:
    """What the bits of a training depend on, as a hash."""
    torch = _optional.require("torch", extra="deep")
    said = (work.settings, work.frozen_until, work.cache is not None, work.seed, work.threads, work.whole.device)
    digest = hashlib.sha256(repr((said, torch.__version__, work.whole.images.shape)).encode())
    digest.update(state_hash(work.whole.network).encode())
    for values in (work.codes.astype(np.int64), held.astype(np.int64), work.whole.images):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
