"""Is a NIfTI file whole? SimpleITK fills a truncated one with zeros, and turns NaN into zero, without a word."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glottis._errors import ImageError

HEADER_BYTES = 348
BLOCK = 1 << 20
FLOATS = {16: "f4", 64: "f8"}
"""NIfTI data type codes of floating-point voxels."""


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where the voxels lie in the unpacked file, and of which type they are."""

    offset: int
    n_voxels: int
    bits: int
    data_type: int
    order: str

    @property
    def end(self) -> int:
        return self.offset + self.n_voxels * self.bits // 8


def check_complete(path: Path) -> None:
    """Refuse a NIfTI file that ends before its voxels do; a compressed one is not unpacked unless it looks wrong.

    Args:
        path: a ``.nii`` or ``.nii.gz`` file.

    Raises:
        ImageError: no NIfTI header, or fewer bytes than the header asks for.
    """
    packed = _starts_with_gzip(path)
    with damage_as_error(path):
        expected = _layout(path, packed=packed).end
        found = _packed_size(path, expected) if packed else path.stat().st_size
    require_bytes(found, expected, path)


def check_every_voxel(path: Path) -> None:
    """Unpack a NIfTI file whole: its checksum must hold and its voxels be finite (twice the time of reading it).

    Args:
        path: a ``.nii`` or ``.nii.gz`` file.

    Raises:
        ImageError: truncated, a wrong checksum, or voxels that are NaN or infinite.
    """
    packed = _starts_with_gzip(path)
    with damage_as_error(path):
        layout = _layout(path, packed=packed)
        content = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    require_bytes(len(content), layout.end, path)
    if layout.data_type in FLOATS:
        kind = f"{layout.order}{FLOATS[layout.data_type]}"
        voxels = np.frombuffer(content, dtype=kind, count=layout.n_voxels, offset=layout.offset)
        require_finite(voxels.size - int(np.count_nonzero(np.isfinite(voxels))), path)


def require_finite(n_bad: int, path: Path) -> None:
    """Refuse an image with ``n_bad`` voxels that are NaN or infinite.

    Raises:
        ImageError: ``n_bad`` is above zero.
    """
    if n_bad:
        message = (
            f"'{path}' holds {n_bad} voxels that are not finite (NaN or infinite): "
            "replace them by the background value and save the image again."
        )
        raise ImageError(message)


def require_bytes(found: int, expected: int, path: Path) -> None:
    """Refuse a file that ends before its voxels do.

    Raises:
        ImageError: ``found`` is below ``expected``.
    """
    if found < expected:
        message = f"'{path}' is truncated, it holds {found} of {expected} bytes: copy or export it again."
        raise ImageError(message)


@contextmanager
def damage_as_error(path: Path) -> Iterator[None]:
    """Say of a gzip stream that cannot be unpacked that its file is damaged."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = f"'{path}' is damaged, its compressed data break off or fail their checksum: copy or export it again."
        raise ImageError(message) from error


def _starts_with_gzip(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(2) == b"\x1f\x8b"


def _layout(path: Path, *, packed: bool) -> _Layout:
    with gzip.open(path) if packed else path.open("rb") as handle:
        header = handle.read(HEADER_BYTES)
    if header[4:11] in (b"n+2\0\r\n\x1a", b"ni2\0\r\n\x1a"):
        order = "<" if header[0] else ">"
        return _from_fields(
            header, order, dims="8q", at=(16, 12, 14), offset=struct.unpack_from(f"{order}q", header, 168)
        )
    for order in "<>":
        if len(header) == HEADER_BYTES and struct.unpack_from(f"{order}i", header)[0] == HEADER_BYTES:
            offset = struct.unpack_from(f"{order}f", header, 108) if header[344:347] == b"n+1" else (0,)
            return _from_fields(header, order, dims="8h", at=(40, 70, 72), offset=offset)
    message = f"'{path}' is no NIfTI file (its header is missing): check the file, or convert it to .nii.gz."
    raise ImageError(message)


def _from_fields(
    header: bytes, order: str, *, dims: str, at: tuple[int, int, int], offset: tuple[float, ...]
) -> _Layout:
    """Read the fields of either NIfTI version; ``at`` is where dimensions, data type and bits a voxel begin."""
    n, *sizes = struct.unpack_from(f"{order}{dims}", header, at[0])
    return _Layout(
        offset=int(offset[0]),
        n_voxels=math.prod(sizes[:n]),
        data_type=struct.unpack_from(f"{order}h", header, at[1])[0],
        bits=struct.unpack_from(f"{order}h", header, at[2])[0],
        order=order,
    )


def _packed_size(path: Path, expected: int) -> int:
    """Unpacked size; the last four bytes of a gzip file tell it unless the file has several members."""
    with path.open("rb") as handle:
        handle.seek(-4, 2)
        if struct.unpack("<I", handle.read(4))[0] == expected % (1 << 32):
            return expected
    size = 0
    with gzip.open(path) as handle:
        while block := handle.read(BLOCK):
            size += len(block)
    return size
