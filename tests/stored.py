"""Expected values that the scripts ``tests/reference/make_*.R`` stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def reference(name: str) -> dict[str, Any]:
    """Values of ``tests/reference/<name>.json``."""
    return json.loads((Path(__file__).parent / "reference" / f"{name}.json").read_text(encoding="utf-8"))
