"""Voxels of NIfTI and NRRD files read directly: unpacked once, by libdeflate, without ITK's copies.

Only the plain layouts are read here: one volume of one number a voxel, stored as it is or as one gzip stream, not
rescaled. For every other file the answer is None, and SimpleITK reads it. Geometry always comes from SimpleITK.
"""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import deflate
import numpy as np
from numpy.typing import NDArray

from glottis.io.nifti import damage_as_error, require_bytes

NIFTI_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
"""Data type codes of NIfTI."""
NRRD_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_NRRD_TYPE = {word: code for code, words in NRRD_TYPES.items() for word in words}
_PLAIN_NRRD = {"type", "dimension", "space", "sizes", "space directions", "kinds", "endian", "encoding", "space origin"}
GZIP = b"\x1f\x8b"
NIFTI_START = 352
"""Bytes before the first voxel of a NIfTI file without extensions."""


def read_voxels(path: Path, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Voxels of a plain NIfTI or NRRD file.

    Args:
        path: the file.
        shape: its size ``(z, y, x)``, as its header says.
        dtype: its pixel type, as SimpleITK reads it.

    Returns:
        ``(z, y, x)`` in that pixel type, or None where the file is not laid out plainly. As ITK has it, voxels of
        a NIfTI file that are not finite become 0.

    Raises:
        ImageError: the compressed data break off or fail their checksum, or the file is shorter than its header says.
    """
    name = path.name.lower()
    count = shape[0] * shape[1] * shape[2]
    least = count * dtype.itemsize
    if name.endswith((".nii", ".nii.gz")):
        stored = path.read_bytes()
        content = _unpacked(stored, path, least + NIFTI_START) if stored[:2] == GZIP else stored
        found = _nifti_layout(content)
    elif name.endswith(".nrrd"):
        content, found = _nrrd_layout(path.read_bytes(), path, least)
    else:
        return None
    if found is None or np.dtype(found[0]).newbyteorder("=") != dtype:
        return None
    kind, offset = found
    require_bytes(len(content), offset + least, path)
    voxels = np.frombuffer(content, dtype=kind, count=count, offset=offset).astype(dtype, copy=False).reshape(shape)
    if name.endswith(".nrrd") or dtype.kind != "f" or np.isfinite(voxels).all():
        return voxels
    return np.where(np.isfinite(voxels), voxels, dtype.type(0))


def _unpacked(packed: bytes, path: Path, least: int) -> bytes | bytearray:
    """A gzip stream unpacked, its checksum compared; fewer than ``least`` bytes mean that more members follow."""
    try:
        content: bytes | bytearray = deflate.gzip_decompress(packed)
        if len(content) >= least:
            return content
    except deflate.DeflateError:  # several members, or damage
        pass
    with damage_as_error(path):
        return gzip.decompress(packed)


def _nifti_layout(content: bytes | bytearray) -> tuple[str, int] | None:
    """Type and offset of the voxels; None where they are rescaled, of another type, or in a file of their own."""
    for order in "<>":
        if (
            len(content) >= NIFTI_START
            and struct.unpack_from(f"{order}i", content)[0] == 348
            and content[344:347] == b"n+1"
        ):
            code = struct.unpack_from(f"{order}h", content, 70)[0]
            offset, slope, intercept = struct.unpack_from(f"{order}3f", content, 108)
            as_stored = slope == 0 or (slope == 1 and intercept == 0)
            if code in NIFTI_TYPES and as_stored and offset >= 348:  # ITK has a way of its own with offsets below
                return f"{order}{NIFTI_TYPES[code]}", int(offset)
    return None


def _nrrd_layout(content: bytes, path: Path, least: int) -> tuple[bytes | bytearray, tuple[str, int] | None]:
    """The bytes that hold the voxels, unpacked, with their type and offset; None where a field asks for more."""
    end = content.find(b"\n\n")
    lines = content[:end].decode("latin-1").splitlines()
    if end < 0 or not lines[0].startswith("NRRD000"):
        return content, None
    pairs = [line.partition(": ") for line in lines[1:] if not line.startswith("#") and ":=" not in line]
    fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
    kind = _NRRD_TYPE.get(fields.get("type", "").lower())
    encoding = fields.get("encoding", "").lower()
    if kind is None or not fields.keys() <= _PLAIN_NRRD or fields.get("dimension") != "3":
        return content, None
    if encoding not in ("raw", "gzip", "gz"):
        return content, None
    order = ">" if fields.get("endian", "").lower() == "big" else "<"
    if encoding == "raw":
        return content, (f"{order}{kind}", end + 2)
    return _unpacked(content[end + 2 :], path, least), (f"{order}{kind}", 0)
