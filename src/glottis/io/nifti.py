"""Is a NIfTI file whole? SimpleITK reads a truncated one without an error and fills the rest with zeros."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

from glottis._errors import ImageError

HEADER_BYTES = 348
BLOCK = 1 << 20
BROKEN = "copy or export it again"


def check_complete(path: Path, *, every_byte: bool = False) -> None:
    """Refuse a NIfTI file that ends before its voxels do.

    Args:
        path: a ``.nii`` or ``.nii.gz`` file.
        every_byte: also unpack a compressed file and compare its checksum (twice the time of reading it).

    Raises:
        ImageError: no NIfTI header, or fewer bytes than the header asks for.
    """
    packed = _starts_with_gzip(path)
    try:
        expected = _expected_bytes(path, packed=packed)
        found = _packed_size(path, expected, every_byte=every_byte) if packed else path.stat().st_size
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = f"'{path}' is damaged, its compressed data break off or fail their checksum: {BROKEN}."
        raise ImageError(message) from error
    if found < expected:
        message = f"'{path}' is truncated, it holds {found} of {expected} bytes: {BROKEN}."
        raise ImageError(message)


def _starts_with_gzip(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(2) == b"\x1f\x8b"


def _expected_bytes(path: Path, *, packed: bool) -> int:
    with gzip.open(path) if packed else path.open("rb") as handle:
        header = handle.read(HEADER_BYTES)
    for order in "<>":
        if len(header) == HEADER_BYTES and struct.unpack_from(f"{order}i", header)[0] == HEADER_BYTES:
            return _bytes_of(header, order)
        if header[4:11] in (b"n+2\0\r\n\x1a", b"ni2\0\r\n\x1a"):
            return _bytes_of_second_version(header, "<" if header[0] else ">")
    message = f"'{path}' is no NIfTI file (its header is missing): check the file, or convert it to .nii.gz."
    raise ImageError(message)


def _bytes_of(header: bytes, order: str) -> int:
    dims = struct.unpack_from(f"{order}8h", header, 40)
    (bits,) = struct.unpack_from(f"{order}h", header, 72)
    (offset,) = struct.unpack_from(f"{order}f", header, 108)
    single = header[344:347] == b"n+1"
    return int(offset if single else 0) + int(math.prod(dims[1 : 1 + dims[0]])) * int(bits) // 8


def _bytes_of_second_version(header: bytes, order: str) -> int:
    (bits,) = struct.unpack_from(f"{order}h", header, 14)
    dims = struct.unpack_from(f"{order}8q", header, 16)
    (offset,) = struct.unpack_from(f"{order}q", header, 168)
    return int(offset) + int(math.prod(dims[1 : 1 + dims[0]])) * int(bits) // 8


def _packed_size(path: Path, expected: int, *, every_byte: bool) -> int:
    """Unpacked size; the last four bytes of a gzip file tell it unless the file has several members."""
    if not every_byte:
        with path.open("rb") as handle:
            handle.seek(-4, 2)
            if struct.unpack("<I", handle.read(4))[0] == expected % (1 << 32):
                return expected
    size = 0
    with gzip.open(path) as handle:
        while block := handle.read(BLOCK):
            size += len(block)
    return size
