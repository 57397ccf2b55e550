"""Scalars of the YAML files that glottis writes."""

from __future__ import annotations

import json

_RESERVED = {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}


def quoted(text: str) -> str:
    """A YAML scalar: plain where that is safe, in double quotes otherwise.

    >>> quoted("T1WI_image"), quoted("no"), quoted("deep_*")
    ('T1WI_image', '"no"', '"deep_*"')
    """
    plain = text.replace("_", "").replace("-", "").replace(".", "").replace("+", "").replace("/", "")
    safe = text.isascii() and plain.isalnum() and text[0].isalpha()
    return text if safe and text.lower() not in _RESERVED else json.dumps(text, ensure_ascii=False)
