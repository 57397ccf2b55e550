"""The versions on which values depend."""

from __future__ import annotations

import platform
from importlib import metadata

from glottis import __version__

LIBRARIES = (
    "joblib", "numba", "numpy", "pandas", "pyarrow", "PyWavelets", "scikit-learn", "scipy", "SimpleITK", "statsmodels",
)  # fmt: skip


def library_versions() -> dict[str, str]:
    """Installed version of every library that computes or stores values."""
    return {name: metadata.version(name) for name in LIBRARIES}


def all_versions() -> dict[str, str]:
    """Python (to its minor version), glottis and the libraries."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"Python": python, "glottis": __version__, **library_versions()}
