"""One file that holds a model for the next patient: JSON in a zip, nothing in it that could run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glottis import __version__
from glottis._errors import BundleError
from glottis.io.files import write_bytes_atomic
from glottis.modelling.deployed_fusion import AnyScorer
from glottis.serve.archive import packed, unpacked
from glottis.serve.scorers import scorer_content, scorer_from
from glottis.serve.strict_json import from_json, to_json

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
_FORMAT = "glottis bundle"
_NAME = r"[A-Za-z0-9][A-Za-z0-9 ._+=-]{0,99}"
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError)


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What a bundle holds.

    Attributes:
        documents: name to content, as JSON gives it.
        scorers: name to scorer; None where a model is a document alone.
        format_version: of the file.
        glottis_version: that wrote it.
    """

    documents: Mapping[str, Any]
    scorers: Mapping[str, AnyScorer | None]
    format_version: int
    glottis_version: str


def write_bundle(path: Path, *, documents: Mapping[str, Any], scorers: Mapping[str, AnyScorer | None]) -> None:
    """Write a bundle whole or not at all; the same content gives the same bytes.

    Args:
        path: the file, ``.glottis`` by habit.
        documents: name to what JSON can hold: no nan, keys that are text.
        scorers: name to scorer, or None where a model is a document alone.

    Raises:
        BundleError: a name or document that a bundle cannot hold, or a classifier from outside glottis.
        StorageError: the file cannot be written.
    """
    contents = {f"documents/{name}.json": content for name, content in documents.items()}
    contents |= {f"scorers/{name}.json": scorer_content(scorer) for name, scorer in scorers.items()}
    members = {name: _member(name, content) for name, content in contents.items()}
    listed = {name: {"sha256": hashlib.sha256(text).hexdigest(), "bytes": len(text)} for name, text in members.items()}
    head = {"format": _FORMAT, "format_version": FORMAT_VERSION, "glottis_version": __version__}
    members[MANIFEST] = to_json({**head, "members": dict(sorted(listed.items()))})
    content = packed(members)
    try:
        _bundle(content)
    except ValueError as error:
        message = f"Bundle '{path}' is not written, since it could not be read again: {error}; give less content."
        raise BundleError(message) from error
    write_bytes_atomic(Path(path), content)


def read_bundle(path: Path) -> Bundle:
    """Read a bundle, or refuse it: nothing is unpacked to disk and nothing in it is run.

    Raises:
        BundleError: the file cannot be read, is no bundle, was changed, is of a newer format, or holds what no bundle
            holds.
        MissingExtraError: it holds a boosted model and XGBoost or LightGBM is not installed.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"Bundle '{path}' cannot be read ({error.strerror or error}): check the path."
        raise BundleError(message) from error
    try:
        return _bundle(content)
    except ValueError as error:
        message = f"Bundle '{path.name}' is refused: {error}; get the file again from where it was made."
        raise BundleError(message) from error


def _bundle(content: bytes) -> Bundle:
    members = unpacked(content)
    if MANIFEST not in members:
        message = f"it has no {MANIFEST}"
        raise ValueError(message)
    manifest = _manifest(members.pop(MANIFEST))
    _check_members(members, manifest["members"])
    documents, scorers = {}, {}
    for name, text in members.items():
        folder, _, file = name.partition("/")
        found = _parsed(name, text)
        if folder == "documents":
            documents[file.removesuffix(".json")] = found
        else:
            scorers[file.removesuffix(".json")] = _scorer(name, found)
    return Bundle(
        documents=documents,
        scorers=scorers,
        format_version=manifest["format_version"],
        glottis_version=manifest["glottis_version"],
    )


def _manifest(text: bytes) -> dict[str, Any]:
    manifest = _parsed(MANIFEST, text)
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        message = f"its {MANIFEST} does not say that it is a {_FORMAT}"
        raise ValueError(message)
    version, writer = manifest.get("format_version"), manifest.get("glottis_version")
    if type(version) is not int or not isinstance(writer, str) or version < 1:
        message = f"its {MANIFEST} names no versions"
        raise ValueError(message)
    if version > FORMAT_VERSION:
        message = (
            f"it has format {version}, and glottis {__version__} reads formats up to {FORMAT_VERSION}: install glottis "
            f"{writer[:20]} or newer"
        )
        raise ValueError(message)
    if not isinstance(manifest.get("members"), dict):
        message = f"its {MANIFEST} lists no members"
        raise ValueError(message)
    return manifest


def _check_members(members: Mapping[str, bytes], listed: Mapping[str, Any]) -> None:
    for name in members:
        if not re.fullmatch(f"(documents|scorers)/{_NAME}\\.json", name):
            message = f"it holds {name!r}, and a bundle holds JSON documents and scorers alone, never a pickle"
            raise ValueError(message)
    for what, names in (("lacks", listed.keys() - members.keys()), ("has unlisted", members.keys() - listed.keys())):
        if names:
            message = f"it {what} the member {min(names)!r}"
            raise ValueError(message)
    for name, text in members.items():
        if listed[name] != {"sha256": hashlib.sha256(text).hexdigest(), "bytes": len(text)}:
            message = f"its member {name!r} has not the checksum and size that {MANIFEST} lists"
            raise ValueError(message)


def _parsed(name: str, text: bytes) -> Any:
    try:
        return from_json(text)
    except ValueError as error:
        message = f"of its member {name!r}, {error}"
        raise ValueError(message) from error


def _scorer(name: str, content: Any) -> AnyScorer | None:
    try:
        return scorer_from(content)
    except _MALFORMED as error:
        said = f"{error} is absent" if isinstance(error, KeyError) else str(error)
        message = f"its member {name!r} is no scorer that can be used ({said.rstrip('.')})"
        raise ValueError(message) from error


def _member(name: str, content: Any) -> bytes:
    folder, _, file = name.partition("/")
    if not re.fullmatch(f"{_NAME}\\.json", file):
        message = (
            f"{file.removesuffix('.json')!r} cannot name a part of a bundle ({folder}): use letters, digits, "
            "blanks and . _ + = -, at most 100."
        )
        raise BundleError(message)
    try:
        return to_json(content)
    except ValueError as error:
        message = f"Bundle member {name!r} cannot be written: {error}; give plain values."
        raise BundleError(message) from error
