"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

collect_ignore_glob = ["reference/make_*.py"]  # they make the reference values, in environments of their own


def _data_folder() -> Path:
    return Path(os.environ.get("GLOTTIS_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; skips where it is absent, fails there when GLOTTIS_REQUIRE_DATA=1."""
    folder = _data_folder()
    if not folder.is_dir():
        message = "real data absent: set GLOTTIS_DATA to the folder that holds sts/ and pyradiomics/"
        if os.environ.get("GLOTTIS_REQUIRE_DATA") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return folder
