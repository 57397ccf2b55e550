"""Optional libraries: loaded on use, with one clear message where they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from glottis._errors import MissingExtraError


def require(module: str, *, extra: str) -> ModuleType:
    """Import ``module`` or say which extra brings it.

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        message = f"This step needs '{package}', which is not installed: run  python -m pip install 'glottis[{extra}]'"
        raise MissingExtraError(message) from error
