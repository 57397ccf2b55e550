"""The run folder: one study at a time, every file written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from glottis._errors import StorageError

_REMEDY = {
    errno.ENOSPC: "the disk is full: free some space and run the same command again, finished work is kept",
    errno.EDQUOT: "the disk quota is used up: free some space and run the same command again, finished work is kept",
    errno.EFBIG: "the system's limit on file size is reached: raise it and run the same command again, "
    "finished work is kept",
    errno.EACCES: "no permission: choose another folder",
    errno.EROFS: "the file system is read-only: choose another folder",
    errno.ENOTDIR: "a part of the path is a file: choose another folder",
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's errors while ``path`` is written into one clear message."""
    try:
        yield
    except OSError as error:
        if error.errno not in _REMEDY:
            raise
        message = f"'{path}' cannot be written: {_REMEDY[error.errno]}."
        raise StorageError(message) from error


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file, flush it to disk, and put it in place in one step."""
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    with writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(temporary)
            with temporary.open("rb+") as handle:
                os.fsync(handle.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8."""
    write_file(path, lambda target: target.write_text(text, encoding="utf-8", newline="\n"))


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys; numbers keep every digit."""
    write_text(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a run.

    Raises:
        StorageError: the file is missing or broken.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = (
            f"'{path}' is missing or damaged: run  glottis run STUDY.yaml --out {path.parent}  to complete the run."
        )
        raise StorageError(message) from error


def content_key(*parts: Any) -> str:
    """SHA-256 over JSON-ready parts and bytes: the name of a cached result."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


class ResultCache:
    """Finished units of work by content key; a truncated or damaged entry counts as absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Where the entry of ``key`` lies."""
        return self.folder / key[:2] / f"{key}.json"

    def get(self, key: str) -> Any | None:
        """The stored result, or ``None``."""
        try:
            entry = json.loads(self.path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return entry["result"] if isinstance(entry, dict) and entry.get("key") == key else None

    def put(self, key: str, result: Any) -> None:
        """Store a JSON-ready result."""
        write_text(self.path(key), json.dumps({"key": key, "result": result}))


@contextmanager
def open_run(folder: Path, *, digest: str, title: str) -> Iterator[None]:
    """Hold a run folder for one study.

    Raises:
        StorageError: the folder belongs to another study, holds foreign files, or another process works in it.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    identity = folder / "identity.json"
    if identity.exists():
        owner = read_json(identity)
        if owner.get("study") != digest:
            message = (
                f"Run folder '{folder}' belongs to another study ('{owner.get('title', '?')}', settings differ): "
                "choose another --out, or delete that folder if its results are no longer wanted."
            )
            raise StorageError(message)
    elif any(not entry.name.startswith(".") for entry in folder.iterdir()):
        message = f"Folder '{folder}' is not empty and is no run of glottis: choose a new or empty folder for --out."
        raise StorageError(message)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        message = f"Another glottis works in '{folder}': wait for it, or choose another --out."
        raise StorageError(message) from error
    try:
        write_json(identity, {"study": digest, "title": title})
        yield
    finally:
        lock.release()
