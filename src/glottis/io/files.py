"""Writing files so that a full disk or a killed process never leaves a broken one, and hashing them."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

from glottis._errors import StorageError

BLOCK = 1 << 20
REASONS = {
    errno.ENOSPC: "the disk is full: free some space and start the same command again, finished work is kept",
    errno.EDQUOT: "the disk quota is used up: free some space and start the same command again, finished work is kept",
    errno.EFBIG: "the file exceeds the allowed size: raise the limit (ulimit -f) or write to another disk",
    errno.EACCES: "permission denied: choose a folder that you may write to",
    errno.EPERM: "permission denied: choose a folder that you may write to",
    errno.EROFS: "the disk is read-only: choose another folder",
    errno.ENOENT: "the folder does not exist: create it or choose another",
    errno.ENOTDIR: "a part of the path is a file: choose another folder",
    errno.EISDIR: "a folder of that name is in the way: choose another name",
}


def write_atomic(path: Path, writer: Callable[[Path], object]) -> None:
    """Write ``path`` whole or not at all: temporary name, fsync, rename.

    Args:
        path: the file to write; its folder is created.
        writer: called with the temporary path, which ends like ``path`` (writers that look at suffixes work).

    Raises:
        StorageError: the disk is full, the folder not writable, the file too large.
    """
    temporary = path.with_name(f".writing-{os.getpid()}-{threading.get_ident()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer(temporary)
        _sync(temporary)
        temporary.replace(path)
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        _remove(temporary)


def write_bytes_atomic(path: Path, content: bytes) -> None:
    """Write bytes whole or not at all.

    Raises:
        StorageError: see :func:`write_atomic`.
    """
    write_atomic(path, lambda temporary: temporary.write_bytes(content))


def write_text_atomic(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all, with its line ends as they are.

    Raises:
        StorageError: see :func:`write_atomic`.
    """
    write_bytes_atomic(path, text.encode("utf-8"))


def storage_error(path: Path, error: OSError) -> StorageError:
    """The message for an operating-system error while writing ``path``."""
    reason = REASONS.get(error.errno or 0, f"{error.strerror or error}: check the disk and the folder")
    return StorageError(f"Cannot write '{path}': {reason}.")


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sha256_path(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files in the order of their names (a DICOM series)."""
    if not path.is_dir():
        return sha256_file(path)
    digest = hashlib.sha256()
    for file in sorted(entry for entry in path.iterdir() if entry.is_file()):
        digest.update(f"{file.name}\0{sha256_file(file)}\n".encode())
    return digest.hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    """Remove a left-over; where even its folder is unusable the error under way says more."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
