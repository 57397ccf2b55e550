"""The run folder: one study at a time, every file written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from glottis._errors import StorageError
from glottis.io.files import storage_error, write_text_atomic


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys; numbers keep every digit."""
    write_text_atomic(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a run.

    Raises:
        StorageError: the file is missing or broken.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise damaged(path) from error


def damaged(path: Path) -> StorageError:
    """The message for a file of a run that is missing or cannot be read."""
    message = f"'{path}' is missing or damaged: run  glottis run STUDY.yaml --out {path.parent}  to complete the run."
    return StorageError(message)


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
        write_text_atomic(self.path(key), json.dumps({"key": key, "result": result}))


@contextmanager
def open_run(folder: Path, *, digest: str, title: str) -> Iterator[None]:
    """Hold a run folder for one study.

    A folder in which another study went no further than its check is taken over: nothing in it is lost.

    Raises:
        StorageError: the folder belongs to another study, holds foreign files, or another process works in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    identity = folder / "identity.json"
    if identity.exists():
        owner = read_json(identity)
        if owner.get("study") != digest and (folder / "split.json").exists():
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
        _clear_leftovers(folder)
        write_json(identity, {"study": digest, "title": title})
        yield
    finally:
        lock.release()


def _clear_leftovers(folder: Path) -> None:
    """Remove what a killed run had begun to write; the lock says that nobody else writes here."""
    for temporary in folder.rglob(".writing-*"):
        temporary.unlink(missing_ok=True)
