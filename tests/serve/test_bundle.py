from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from bundle_files import packed_as, written

import glottis
from deployed_models import BATCHES, FRESH, MARK, NAMES, X, Y, chain, fitted, fused, scorer
from glottis._errors import BundleError, StorageError
from glottis.modelling.deploying import scorer_of
from glottis.serve import read_bundle, write_bundle
from glottis.serve.scorers import FORMS

READ = """
import sys
import pandas as pd
from pathlib import Path
from glottis.serve import read_bundle
folder = Path(sys.argv[1])
rows, batches = pd.read_pickle(folder / "rows.pkl"), pd.read_pickle(folder / "batches.pkl")
for name, scorer in read_bundle(folder / "x.glottis").scorers.items():
    print(name, *[value.hex() for value in scorer.probability(rows, batches).tolist()])
print(sorted({"torch", "matplotlib", "skops"} & set(sys.modules)))
"""
DOCUMENTS = {"card": {"title": "分期", "values": [0.1, 1e-300, -0.0, None, True]}, "schema": []}


def test_documents_come_back_as_they_were(tmp_path: Path) -> None:
    write_bundle(tmp_path / "x.glottis", documents=DOCUMENTS, scorers={"clinical": None})
    found = read_bundle(tmp_path / "x.glottis")
    assert found.documents == DOCUMENTS
    assert found.scorers == {"clinical": None}
    assert (found.format_version, found.glottis_version) == (1, glottis.__version__)


@pytest.mark.parametrize("kind", ["combat", "weighted", "seed"])
@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_was_read_scores_to_the_last_bit(name: str, kind: str, tmp_path: Path) -> None:
    made = scorer(name, "combat" if (name, kind) == ("mlp", "weighted") else kind)
    write_bundle(tmp_path / "x.glottis", documents={}, scorers={"final": made})
    found = read_bundle(tmp_path / "x.glottis").scorers["final"]
    np.testing.assert_array_equal(found.probability(FRESH, BATCHES), made.probability(FRESH, BATCHES))
    assert replace(found, classifier=None) == replace(made, classifier=None)


def test_a_fresh_process_scores_to_the_last_bit(tmp_path: Path) -> None:
    models = {name: fitted(name, "combat") for name in NAMES} | {f"late {n}": fitted(n, "late") for n in NAMES}
    scorers = {name: scorer_of(model) for name, model in models.items()}
    write_bundle(tmp_path / "x.glottis", documents={}, scorers=scorers)
    FRESH.to_pickle(tmp_path / "rows.pkl")
    BATCHES.to_pickle(tmp_path / "batches.pkl")
    said = subprocess.run([sys.executable, "-c", READ, tmp_path], check=True, capture_output=True, text=True).stdout
    *lines, loaded = said.splitlines()
    expected = {n: [v.hex() for v in m.predict_proba(FRESH)[:, 1].tolist()] for n, m in models.items()}
    assert sorted(lines) == sorted(" ".join([name, *values]) for name, values in expected.items())
    assert loaded == "[]"


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, order in (("a", ["svm", "mlp"]), ("b", ["mlp", "svm"])):
        write_bundle(tmp_path / name, documents={}, scorers={model: scorer(model) for model in order})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_bundle_is_a_zip_of_json_with_sorted_members_of_one_date() -> None:
    with zipfile.ZipFile(io.BytesIO(written())) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["documents/card.json", "manifest.json", "scorers/final.json"]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert all(json.loads(archive.read(name)) for name in archive.namelist())


@pytest.mark.parametrize("name", [*NAMES, "late"])
def test_a_bundle_knows_no_training_patient(name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(written(name))) as archive:
        texts = [archive.read(member) for member in archive.namelist()]
    assert MARK in X.index[0]
    assert not [text for text in [written(name), *texts] if MARK.encode() in text]


def test_a_bundle_of_a_forest_is_a_fraction_of_its_pickle() -> None:
    made = scorer_of(chain("random_forest", grid={"n_estimators": [100]}).fit(X, Y))
    assert len(packed_as(made)) < 0.2 * len(pickle.dumps(made.classifier))


def test_a_failed_write_leaves_the_old_bundle(tmp_path: Path) -> None:
    path = tmp_path / "x.glottis"
    write_bundle(path, documents={"card": 1}, scorers={})
    before = path.read_bytes()
    with pytest.raises(BundleError, match=r"Bundle member 'documents/card.json' cannot be written: .* plain values"):
        write_bundle(path, documents={"card": float("nan")}, scorers={})
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["x.glottis"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Cannot write"):
        write_bundle(tmp_path / "file" / "x.glottis", documents={}, scorers={})


@pytest.mark.parametrize("content", [float("inf"), {1: 2}, {"a": {("b",): 1}}, object(), np.float64(1), b"bytes"])
def test_what_json_cannot_hold_is_not_written(content: Any, tmp_path: Path) -> None:
    content = [np.arange(2)] if isinstance(content, np.floating) else content
    with pytest.raises(BundleError, match="it is no plain JSON"):
        write_bundle(tmp_path / "x.glottis", documents={"card": content}, scorers={})


def test_a_document_deeper_than_any_reader_follows_is_not_written(tmp_path: Path) -> None:
    deep: list[Any] = []
    for _ in range(70):
        deep = [deep]
    with pytest.raises(BundleError, match="deeper than 64 levels"):
        write_bundle(tmp_path / "x.glottis", documents={"card": deep}, scorers={})


def test_a_bundle_that_would_be_refused_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"is not written, since it could not be read again: .* zip bomb"):
        write_bundle(tmp_path / "x.glottis", documents={"card": [0] * 1_000_000}, scorers={})


@pytest.mark.parametrize("name", ["../card", "a/b", "", "分期", ".hidden", "a" * 101])
def test_a_name_that_no_member_can_have_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot name a part of a bundle"):
        write_bundle(tmp_path / "x.glottis", documents={name: 1}, scorers={})


def test_a_classifier_imported_by_path_is_not_written(tmp_path: Path) -> None:
    model = chain("sklearn.naive_bayes:GaussianNB", allow_code=True).fit(X, Y)
    with pytest.raises(BundleError, match=r"'sklearn.naive_bayes:GaussianNB' was imported by path, .* foreign code"):
        write_bundle(tmp_path / "x.glottis", documents={}, scorers={"final": scorer_of(model)})


@pytest.mark.parametrize(
    ("name", "grid", "said"),
    [
        ("xgboost", {"booster": ["dart"]}, "its booster is 'dart'"),
        ("xgboost", {"num_parallel_tree": [2]}, "several trees a round"),
    ],
)
def test_a_model_without_a_plain_form_is_not_written(name: str, grid: Any, said: str, tmp_path: Path) -> None:
    model = chain(name, grid=grid | {"n_estimators": [3]}).fit(X, Y)
    with pytest.raises(BundleError, match=said):
        write_bundle(tmp_path / "x.glottis", documents={}, scorers={"final": scorer_of(model)})


@pytest.mark.parametrize(
    ("name", "grid"),
    [
        ("xgboost", {"gamma": [3.0]}),
        ("xgboost", {"gamma": [100.0]}),
        ("xgboost", {"grow_policy": ["lossguide"], "max_leaves": [5], "gamma": [1.0]}),
        ("lightgbm", {"min_child_samples": [70]}),
        ("lightgbm", {"boosting_type": ["dart"]}),
        ("svm", {"kernel": ["linear"]}),
        ("svm", {"kernel": ["poly"], "degree": [2], "coef0": [0.5]}),
        ("svm", {"kernel": ["sigmoid"], "gamma": [0.05]}),
        ("random_forest", {"max_leaf_nodes": [4], "criterion": ["entropy"], "n_estimators": [5]}),
        ("mlp", {"activation": ["tanh"], "hidden_layer_sizes": [(5, 4, 3)]}),
        ("logistic_regression", {"fit_intercept": [False]}),
    ],
)
def test_whatever_a_study_can_set_comes_back_to_the_last_bit(name: str, grid: Any, tmp_path: Path) -> None:
    model = chain(name, grid=grid).fit(X, Y)
    write_bundle(tmp_path / "x.glottis", documents={}, scorers={"final": scorer_of(model)})
    found = read_bundle(tmp_path / "x.glottis").scorers["final"]
    np.testing.assert_array_equal(found.probability(FRESH), model.predict_proba(FRESH)[:, 1])


@pytest.mark.parametrize("name", NAMES)
def test_a_classifier_that_was_read_is_one_of_its_library(name: str, tmp_path: Path) -> None:
    made = scorer(name)
    found = FORMS[name].model(FORMS[name].content(made.classifier), made.columns)
    assert type(found) is type(made.classifier)
    seen = made.prepared(FRESH) if chain(name)._spec().named else made.prepared(FRESH).to_numpy()
    score = "predict_proba" if hasattr(found, "predict_proba") else "decision_function"
    np.testing.assert_allclose(getattr(found, score)(seen), getattr(made.classifier, score)(seen), rtol=1e-6)


@pytest.mark.parametrize("name", ["random_forest", "extra_trees"])
def test_a_tree_that_was_read_has_its_nodes(name: str) -> None:
    made = scorer(name)
    found = FORMS[name].model(FORMS[name].content(made.classifier), made.columns)
    for mine, own in zip(found.estimators_, made.classifier.estimators_, strict=True):
        for what in ("children_left", "children_right", "feature", "threshold", "weighted_n_node_samples", "max_depth"):
            np.testing.assert_array_equal(getattr(mine.tree_, what), getattr(own.tree_, what))


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_contributions_of_a_boosted_model_that_was_read_are_those_of_the_study(name: str) -> None:
    made = scorer(name)
    found = FORMS[name].model(FORMS[name].content(made.classifier), made.columns)
    rows = made.prepared(FRESH).to_numpy()
    np.testing.assert_array_equal(_contributions(found, rows), _contributions(made.classifier, rows))


def _contributions(model: Any, rows: np.ndarray) -> np.ndarray:
    if hasattr(model, "booster_"):
        return np.asarray(model.predict(rows, pred_contrib=True))
    return np.asarray(model.get_booster().predict(xgboost.DMatrix(rows), pred_contribs=True))


def test_a_late_fusion_keeps_its_weights(tmp_path: Path) -> None:
    made = fused("svm")
    write_bundle(tmp_path / "x.glottis", documents={}, scorers={"final": made})
    found = read_bundle(tmp_path / "x.glottis").scorers["final"]
    assert found.to_dict() == made.to_dict()
