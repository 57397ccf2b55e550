"""Finds weights that an ONNX model keeps in another file, from its bytes alone, without the package onnx."""

from __future__ import annotations

from collections.abc import Iterator

from glottis._errors import BundleError

# Message to its fields that hold messages: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (numbers are fixed).
INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
EXTERNAL_DATA, DATA_LOCATION = 13, 14
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def refuse_external_data(content: bytes) -> None:
    """Refuse a model that would make its reader open another file.

    Raises:
        BundleError: weights lie outside, or the bytes are no ONNX model.
    """
    try:
        outside = _outside(memoryview(content), "model")
    except (IndexError, ValueError) as error:
        message = f"This is no ONNX model ({len(content)} bytes): export the network again."
        raise BundleError(message) from error
    if outside:
        message = "The ONNX model keeps weights in another file: export it with external_data=False."
        raise BundleError(message)


def _outside(content: memoryview, kind: str) -> bool:
    for field, value in _fields(content):
        if kind == "tensor" and (field == EXTERNAL_DATA or (field == DATA_LOCATION and value == 1)):
            return True
        inner = INSIDE[kind].get(field)
        if inner is not None and isinstance(value, memoryview) and _outside(value, inner):
            return True
    return False


def _fields(content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of a protobuf message."""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        field, wire = tag >> 3, tag & 7
        value: int | memoryview
        if wire == VARINT:
            value, at = _varint(content, at)
        elif wire == BYTES:
            size, at = _varint(content, at)
            value, at = content[at : at + size], at + size
        elif wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
            value, at = content[at : at + size], at + size
        else:
            message = f"wire type {wire}"
            raise ValueError(message)
        if at > len(content) or field == 0:
            message = "cut off"
            raise ValueError(message)
        yield field, value


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            message = "a number of more than ten bytes"
            raise ValueError(message)
