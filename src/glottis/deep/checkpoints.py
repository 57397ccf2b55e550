"""Where a training stands, kept after every epoch so that a killed one goes on with the same bits."""

from __future__ import annotations

import contextlib
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glottis import _optional
from glottis._errors import StorageError


@dataclass(frozen=True)
class Checkpoint:
    """The file of one training.

    Its name holds the key of what the training depends on (images, classes, split, start, settings, seed, threads,
    device, version of torch), so that trainings share a folder and none goes on from another's weights.

    Attributes:
        file: where it is.
    """

    file: Path

    @classmethod
    def of(cls, folder: str | Path, key: str) -> Checkpoint:
        """The checkpoint of the training with this key."""
        return cls(Path(folder) / f"training-{key[:24]}.pt")

    def read(self) -> dict[str, Any] | None:
        """What was kept, tensors and plain values alone; None where nothing was, or what is there is broken."""
        torch = _optional.require("torch", extra="deep")
        try:
            kept: dict[str, Any] = torch.load(self.file, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError):
            return None
        return kept

    def write(self, state: dict[str, Any]) -> None:
        """Keep this state, whole or not at all: temporary name, fsync, rename.

        Raises:
            StorageError: the folder cannot be written.
        """
        torch = _optional.require("torch", extra="deep")
        temporary = self.file.with_name(f".writing-{os.getpid()}-{self.file.name}")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as handle:
                torch.save(state, handle)
                handle.flush()
                os.fsync(handle.fileno())
            temporary.replace(self.file)
        except (OSError, RuntimeError) as error:  # torch turns a full disk into a RuntimeError
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            message = f"Cannot write the checkpoint '{self.file}': {error}; free some space or choose another folder."
            raise StorageError(message) from error
