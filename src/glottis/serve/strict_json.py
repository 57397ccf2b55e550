"""JSON that says nothing twice, holds finite numbers and is no deeper than a reader can follow."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

MAX_DEPTH = 64


def to_json(content: Any) -> bytes:
    """UTF-8 text, without blanks.

    Raises:
        ValueError: nan, infinity, a key that is no text, a kind of value that JSON has not, or too deep.
    """
    try:
        _check_keys(content)
        _check_depth(content)
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError, RecursionError) as error:
        message = f"it is no plain JSON ({error})"
        raise ValueError(message) from error


def from_json(text: bytes) -> Any:
    """What the text says.

    Raises:
        ValueError: not UTF-8, not JSON, nan or infinity, a key twice, or deeper than 64 levels.
    """
    try:
        found = json.loads(text.decode(), parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_each_once)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    except ValueError as error:
        message = f"it is no JSON that a bundle may hold ({error})"
        raise ValueError(message) from error
    _check_depth(found)
    return found


_TOO_DEEP = f"its JSON is deeper than {MAX_DEPTH} levels"


def _refuse(word: str) -> None:
    message = f"{word} is no number"
    raise ValueError(message)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        _refuse(text[:20])
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        message = "a key occurs twice in one object"
        raise ValueError(message)
    return found


def _check_depth(content: Any) -> None:
    if sum(1 for _ in _levels(content)) > MAX_DEPTH:
        raise ValueError(_TOO_DEEP)


def _check_keys(content: Any) -> None:
    for level in _levels(content):
        for item in level:
            if isinstance(item, dict) and not all(isinstance(key, str) for key in item):
                message = f"a key of {list(item)[:3]} is no text"
                raise ValueError(message)


def _levels(content: Any) -> Iterator[list[Any]]:
    """Objects and lists, level by level, one level more than is allowed at most."""
    level = [content]
    for _ in range(MAX_DEPTH + 1):
        level = [item for item in level if isinstance(item, dict | list | tuple)]
        if not level:
            return
        yield level
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
