"""Named bytes in a zip that ends with its own checksum; whatever else a zip can hold is refused."""

from __future__ import annotations

import hashlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping

DATE = (1980, 1, 1, 0, 0, 0)
SEAL = b"glottis sha256 "
DIGEST = 64
MAX_FILE = 256 << 20
MAX_MEMBER = 256 << 20
MAX_TOTAL = 1 << 30
MAX_MEMBERS = 2000
MAX_RATIO = 200
SMALL = 1 << 16  # bytes to which any ratio is harmless
_START = b"PK\x03\x04"
_UNREADABLE = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, EOFError, RuntimeError, KeyError)


def packed(members: Mapping[str, bytes]) -> bytes:
    """A zip of these members, sorted by name, the same bytes for the same members.

    The last 64 bytes, at the end of the zip's comment, are the SHA-256 of all before them.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, DATE)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(info, members[name], compresslevel=9)
        archive.comment = SEAL + b"0" * DIGEST
    return sealed(buffer.getvalue())


def sealed(content: bytes) -> bytes:
    """The zip with its last 64 bytes made the checksum of those before."""
    body = content[:-DIGEST]
    return body + hashlib.sha256(body).hexdigest().encode()


def unpacked(content: bytes) -> dict[str, bytes]:
    """The members of a zip that `packed` made.

    Raises:
        ValueError: why it is none, or why it is not safe to look into.
    """
    _check_seal(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            _check_names(infos)
            _check_sizes(infos)
            return {info.filename: _read(archive, info) for info in infos}
    except MemberError:
        raise
    except _UNREADABLE as error:
        message = f"it is a damaged zip ({error})"
        raise ValueError(message) from error


class MemberError(ValueError):
    """A member that is not looked into."""


def _check_seal(content: bytes) -> None:
    if len(content) > MAX_FILE:
        message = f"it has {len(content)} bytes, more than the {MAX_FILE} that a bundle may have"
        raise ValueError(message)
    if not content.startswith(_START):
        message = "it is no zip file"
        raise ValueError(message)
    body, digest = content[:-DIGEST], content[-DIGEST:]
    if not body.endswith(SEAL):
        message = "its closing checksum is not there, so it is cut short or was not written by glottis"
        raise ValueError(message)
    if hashlib.sha256(body).hexdigest().encode() != digest:
        message = "its bytes do not have the checksum that it closes with, so it was changed or damaged"
        raise ValueError(message)


def _check_names(infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > MAX_MEMBERS:
        message = f"it has {len(infos)} members, more than the {MAX_MEMBERS} that a bundle may have"
        raise MemberError(message)
    for info in infos:
        name = info.orig_filename
        if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or ".." in re.split(r"[/\\]", name):
            message = f"its member {name!r} has a path that leads out of it"
            raise MemberError(message)
        if stat.S_ISLNK(info.external_attr >> 16):
            message = f"its member {name!r} is a link"
            raise MemberError(message)
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            message = f"its member {name!r} is encrypted or compressed in a way that bundles are not"
            raise MemberError(message)
    twice = [name for name, count in Counter(info.filename for info in infos).items() if count > 1]
    if twice:
        message = f"it has the member {twice[0]!r} twice"
        raise MemberError(message)


def _check_sizes(infos: list[zipfile.ZipInfo]) -> None:
    total = sum(info.file_size for info in infos)
    if total > MAX_TOTAL:
        message = f"it would grow to {total} bytes, more than the {MAX_TOTAL} that a bundle may have (a zip bomb?)"
        raise MemberError(message)
    for info in infos:
        ratio = info.file_size / max(info.compress_size, 1)
        if info.file_size > MAX_MEMBER or (info.file_size > SMALL and ratio > MAX_RATIO):
            message = (
                f"its member {info.filename!r} would grow from {info.compress_size} to {info.file_size} bytes, more "
                "than the content of a bundle does (a zip bomb?)"
            )
            raise MemberError(message)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as handle:
        content = handle.read(info.file_size + 1)
    if len(content) != info.file_size:
        message = f"its member {info.filename!r} has not the {info.file_size} bytes that it declares"
        raise MemberError(message)
    return content
