"""The versions on which values depend."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata

from glottis import __version__

LIBRARIES = (
    "joblib", "numba", "numpy", "pandas", "pyarrow", "PyWavelets", "scikit-learn", "scipy", "SimpleITK", "statsmodels",
)  # fmt: skip
OF_EXTRAS = ("boruta", "lightgbm", "optuna", "shap", "xgboost", "xgboost-cpu")


@cache
def _installed() -> dict[str, str]:
    """Looked up once a process, since every key of a cached result asks."""
    found = {name: metadata.version(name) for name in LIBRARIES}
    for name in OF_EXTRAS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def library_versions() -> dict[str, str]:
    """Installed version of every library that computes or stores values, those of extras where they are installed."""
    return dict(_installed())


def all_versions() -> dict[str, str]:
    """Python (to its minor version), glottis and the libraries."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"Python": python, "glottis": __version__, **library_versions()}
