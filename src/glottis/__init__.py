"""Radiomics studies from scans to a model one can trust.

The names here are loaded on first use, so that ``import glottis`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Volume": "glottis.data.volume",
    "Mask": "glottis.data.volume",
    "Study": "glottis.study.spec",
    "read_study": "glottis.study.spec",
    "StudyResult": "glottis.study.result",
    "audit": "glottis.workflows",
    "check": "glottis.workflows",
    "compare": "glottis.workflows",
    "demo": "glottis.workflows",
    "extract": "glottis.workflows",
    "init": "glottis.workflows",
    "phantom": "glottis.workflows",
    "predict": "glottis.workflows",
    "run": "glottis.workflows",
    "GlottisError": "glottis._errors",
    "InputError": "glottis._errors",
    "StorageError": "glottis._errors",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    message = f"module 'glottis' has no attribute '{name}'"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
