"""Fixtures that every test may use."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from clinical_study import MARK, clinical_study, compute, feature_study, finish
from table_study import TableStudy
from tiny_study import SETTINGS, TinyStudy, write_scans

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


@pytest.fixture(scope="session")
def tiny_manifest(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Manifest of the small cohort, its scans written once; their files are not to be changed."""
    return write_scans(tmp_path_factory.mktemp("scans"))


@pytest.fixture
def make_tiny(tiny_manifest: pd.DataFrame, tmp_path: Path) -> Callable[[str], TinyStudy]:
    """A small study in a folder of the given name, to be changed and run."""
    return lambda name: TinyStudy(tmp_path / name, tiny_manifest.copy(), copy.deepcopy(SETTINGS))


@pytest.fixture
def tiny(make_tiny: Callable[[str], TinyStudy]) -> TinyStudy:
    """A small study, to be changed and run."""
    return make_tiny("tiny")


@pytest.fixture(scope="session")
def computed(tiny_manifest: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> TinyStudy:
    """A small study that has run, without its report; not to be changed."""
    study = TinyStudy(tmp_path_factory.mktemp("computed"), tiny_manifest.copy(), copy.deepcopy(SETTINGS))
    study.compute()
    return study


@pytest.fixture(scope="session")
def clinical_run(tmp_path_factory: pytest.TempPathFactory) -> TableStudy:
    """A study of clinical columns alone with a held-out test, run to its report; not to be changed."""
    return finish(clinical_study(tmp_path_factory.mktemp("clinical")))


@pytest.fixture(scope="session")
def nomogram_run(tmp_path_factory: pytest.TempPathFactory) -> TableStudy:
    """A study of features, clinical columns and nomogram with a held-out test, run to its report; not to be changed."""
    return finish(feature_study(tmp_path_factory.mktemp("nomogram")))


@pytest.fixture(scope="session")
def image_model(tiny_manifest: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> TinyStudy:
    """A small study from images, Nyul's landmarks included, that wrote its model file; not to be changed."""
    table = tiny_manifest.assign(patient=MARK + tiny_manifest["patient"])
    study = TinyStudy(tmp_path_factory.mktemp("images"), table, copy.deepcopy(SETTINGS))
    own = study.settings["preprocessing"]["MR"] | {"normalise": {"method": "nyul", "scale": 100}, "bins": {"width": 5}}
    study.settings |= {"preprocessing": {"MR": own}, "combinations": [["T1", "T2"]], "final": {"refits": 6}}
    study.settings |= {"controls": {"permutations": 0}, "clinical_model": {"screen": None}, "nomogram": True}
    compute(study)
    return study
