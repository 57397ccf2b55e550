from __future__ import annotations

import copy
import io
import json
import os
import pickle
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from bundle_files import forged, listed, members_of, with_scorer, written, zipped

from deployed_models import BATCHES, FRESH
from glottis._errors import BundleError
from glottis.serve import archive, read_bundle
from glottis.serve.archive import packed, sealed
from glottis.serve.bundle import _scorer


def read(content: bytes, folder: Path) -> Any:
    path = folder / "x.glottis"
    path.write_bytes(content)
    return read_bundle(path)


def refuse(content: bytes, said: str, folder: Path) -> None:
    """The bundle is refused in one sentence that says this."""
    with pytest.raises(BundleError, match=said) as caught:
        read(content, folder)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("Bundle 'x.glottis' is refused: ")
    assert str(caught.value).endswith("; get the file again from where it was made.")


def test_an_unchanged_bundle_is_read(tmp_path: Path) -> None:
    assert read(written(), tmp_path).documents["card"]["title"] == "Staging"
    assert read(forged(lambda members: None), tmp_path).documents["card"]["title"] == "Staging"


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", pickle.dumps({"a": 1}), b"\x89PNG\r\n\x1a\n" * 99])
def test_a_file_that_is_no_zip_is_refused(content: bytes, tmp_path: Path) -> None:
    refuse(content, "it is no zip file", tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"Bundle '.*y.glottis' cannot be read \(No such file"):
        read_bundle(tmp_path / "y.glottis")
    with pytest.raises(BundleError, match="cannot be read"):
        read_bundle(tmp_path)


def test_another_zip_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as other:
        other.writestr("a.txt", "a")
    refuse(buffer.getvalue(), "its closing checksum is not there", tmp_path)
    refuse(zipped([("a.json", b"1")]), "it has no manifest.json", tmp_path)


@pytest.mark.parametrize("name", ["logistic_regression", "xgboost", "late"])
def test_any_changed_byte_is_noticed(name: str, tmp_path: Path) -> None:
    content = written(name)
    for place in [*range(0, len(content), 50), len(content) - 1]:
        flipped = content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]
        with pytest.raises(BundleError, match="glottis' is refused"):
            read(flipped, tmp_path)


@pytest.mark.parametrize("name", ["logistic_regression", "lightgbm"])
def test_any_cut_is_noticed(name: str, tmp_path: Path) -> None:
    content = written(name)
    for length in [*range(0, len(content), len(content) // 60), len(content) - 1]:
        with pytest.raises(BundleError, match="glottis' is refused"):
            read(content[:length], tmp_path)


@pytest.mark.parametrize("extra", [b"\0", b"PK\x05\x06" + bytes(18), b"x" * 5000])
def test_bytes_at_the_end_are_noticed(extra: bytes, tmp_path: Path) -> None:
    refuse(written() + extra, "its closing checksum is not there|changed or damaged", tmp_path)


def test_a_damaged_zip_with_a_right_checksum_is_refused(tmp_path: Path) -> None:
    content = written()
    for place in range(4, len(content) - 80, 41):
        flipped = sealed(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        try:
            found = read(flipped, tmp_path)
        except BundleError:
            continue
        assert found.documents["card"]["cuts"] == [0.1, 0.25]  # a date, say: what is read is what was written


@pytest.mark.parametrize(
    "name", ["model.pkl", "scorers/final.pkl", "scorers/final.joblib", "scorers/final.skops", "documents/card.npy"]
)
def test_a_pickle_inside_is_refused(name: str, tmp_path: Path) -> None:
    refuse(forged(lambda members: members.update({name: pickle.dumps(os.system)})), "never a pickle", tmp_path)


def test_a_pickle_in_the_clothes_of_json_is_refused(tmp_path: Path) -> None:
    refuse(forged(lambda m: m.update({"scorers/final.json": pickle.dumps(os.system)})), "no JSON that a", tmp_path)


def test_a_zip_inside_is_refused(tmp_path: Path) -> None:
    refuse(forged(lambda m: m.update({"documents/card.json": written()})), "no JSON that a bundle may hold", tmp_path)
    refuse(forged(lambda m: m.update({"documents/more.zip": written()})), "JSON documents and scorers alone", tmp_path)


@pytest.mark.parametrize("name", ["../card.json", "documents/../../card.json", "/etc/passwd", "C:/card.json", "..\\a"])
def test_a_path_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    refuse(zipped([(name, b"1")]), "has a path that leads out of it", tmp_path)
    assert os.listdir(tmp_path) == ["x.glottis"]


def test_a_link_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("documents/card.json")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    refuse(zipped([(info, b"/etc/passwd")]), "its member 'documents/card.json' is a link", tmp_path)


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    members = list(members_of(written()).items())
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = zipped([*members, ("documents/card.json", b"2")])
    refuse(content, "it has the member 'documents/card.json' twice", tmp_path)


def test_another_compression_is_refused(tmp_path: Path) -> None:
    refuse(zipped([("documents/card.json", b"1")], zipfile.ZIP_BZIP2), "compressed in a way", tmp_path)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped([("documents/card.json", b"1")]))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    refuse(sealed(bytes(content)), "is encrypted", tmp_path)


def test_a_bomb_is_refused_before_it_grows(tmp_path: Path) -> None:
    refuse(zipped([("documents/card.json", b"0" * (50 << 20))]), "would grow from .* zip bomb", tmp_path)


def test_many_members_that_grow_too_large_together_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_TOTAL", 1000)
    refuse(written(), "it would grow to .* bytes, more than the 1000", tmp_path)


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    refuse(zipped([(f"documents/{i}.json", b"1") for i in range(2001)]), "it has 2001 members", tmp_path)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_FILE", 100)
    refuse(written(), "bytes, more than the 100 that a bundle may have", tmp_path)


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped([("manifest.json", b"[" * 400 + b"]" * 400)]))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = (10).to_bytes(4, "little")
    refuse(sealed(bytes(content)), "damaged zip|has not the 10 bytes", tmp_path)


def test_a_missing_member_is_refused(tmp_path: Path) -> None:
    members = listed(members_of(written()))
    del members["documents/card.json"]
    refuse(packed(members), "it lacks the member 'documents/card.json'", tmp_path)


def test_a_surplus_member_is_refused(tmp_path: Path) -> None:
    members = {**listed(members_of(written())), "documents/more.json": b"1"}
    refuse(packed(members), "it has unlisted the member 'documents/more.json'", tmp_path)


def test_a_member_of_another_checksum_is_refused(tmp_path: Path) -> None:
    members = listed(members_of(written()))
    members["documents/card.json"] = members["documents/card.json"].replace(b"0.25", b"0.35")
    refuse(packed(members), "'documents/card.json' has not the checksum and size", tmp_path)


def test_a_newer_format_says_what_to_install(tmp_path: Path) -> None:
    content = forged(lambda m: m.update({"other/kind.bin": b"1"}), format_version=7, glottis_version="3.2.1")
    refuse(
        content, r"it has format 7, and glottis .* reads formats up to 1: install glottis 3\.2\.1 or newer", tmp_path
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "another"}, "does not say that it is a glottis bundle"),
        ({"format_version": "1"}, "names no versions"),
        ({"format_version": True}, "names no versions"),
        ({"format_version": 0}, "names no versions"),
        ({"glottis_version": None}, "names no versions"),
        ({"members": ["documents/card.json"]}, "lists no members"),
        ({"members": {}}, "has unlisted"),
        ({"members": {"documents/card.json": 1, "scorers/final.json": []}}, "has not the checksum"),
    ],
)
def test_a_manifest_that_does_not_suit_is_refused(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    refuse(forged(lambda members: None, **change), said, tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"NaN", "NaN is no number"),
        (b"[1e999]", "1e999 is no number"),
        (b"-Infinity", "-Infinity is no number"),
        (b'{"a":1,"a":2}', "a key occurs twice"),
        (b"\xff\xfe", "utf-8"),
        (b"{'a': 1}", "no JSON"),
        (b"", "no JSON"),
        (b"[" * 30_000 + b"]" * 30_000, "deeper than 64 levels"),
        (b"[" * 70 + b"]" * 70, "deeper than 64 levels"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "deeper than 64 levels"),
        (b"9" * 5000, "no JSON"),
    ],
)
def test_json_that_no_bundle_holds_is_refused(text: bytes, said: str, tmp_path: Path) -> None:
    refuse(forged(lambda members: members.update({"documents/card.json": text})), said, tmp_path)


def put(*path: Any, value: Any) -> Callable[[Any], None]:
    """Sets a value deep inside a scorer's plain values."""

    def change(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


def drop(*path: Any) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


TREES = ("classifier", "trees")
REFUSED = [
    ("logistic_regression", put("kind", value="code"), "neither 'chain' nor 'fusion'"),
    ("logistic_regression", put("model", value="os:system"), "'os:system' is none of"),
    ("logistic_regression", put("columns", value="ab"), "its columns are no names"),
    ("logistic_regression", put("columns", 0, value=3), "its columns are no names"),
    ("logistic_regression", drop("classifier"), "'classifier' is absent"),
    ("logistic_regression", put("classes", value=[1]), "no scorer that can be used"),
    ("logistic_regression", put("threshold", value="0.5"), "finite numbers; got '0.5'"),
    ("logistic_regression", put("classifier", "coefficients", 0, value=None), "something else than numbers"),
    ("logistic_regression", put("classifier", "coefficients", value=[1.0]), "finite numbers, and is not"),
    ("logistic_regression", put("classifier", "intercept", value="1"), "the intercept holds something else"),
    ("logistic_regression", put("steps", 0, "kind", value="exec"), "Step 'exec' is not known"),
    ("svm", put("classifier", "kernel", value="precomputed"), "its kernel 'precomputed' is none of"),
    ("svm", put("classifier", "degree", value=10**9), "the degree should be 1 whole numbers from 0 to 20"),
    ("svm", put("classifier", "gamma", value=-1.0), "gamma lies outside"),
    ("svm", put("classifier", "per_class", value=[1, 1]), "coefficients for .* support vectors"),
    ("svm", put("classifier", "vectors", 0, value=[1.0]), "the support vectors holds something else than numbers"),
    ("mlp", put("classifier", "activation", value="softmax"), "its activation 'softmax' is none of"),
    ("mlp", put("classifier", "layers", value=[]), "the last layer of the perceptron gives"),
    ("mlp", put("classifier", "layers", 0, "weights", value=[[1.0]]), "the weights of a layer"),
    ("random_forest", put("classifier", "left", 0, value=10**6), "the left children should be"),
    ("random_forest", put("classifier", "left", 0, value=0), "points outside its tree, back, or to another"),
    ("random_forest", put("classifier", "right", 0, value=1), "points outside its tree, back, or to another"),
    ("random_forest", put("classifier", "right", 0, value=-1), "points outside its tree, back, or to another"),
    ("random_forest", put("classifier", "feature", 0, value=99), "the split features should be"),
    ("random_forest", put("classifier", "feature", 0, value=-2), "the split features should be"),
    ("random_forest", put("classifier", "feature", 0, value=0.5), "the split features holds something else"),
    ("random_forest", put("classifier", "threshold", 0, value=[1]), "no scorer that can be used"),
    ("random_forest", put("classifier", "value", 0, value=1.5), "share of the positive class outside 0 to 1"),
    ("random_forest", put("classifier", "weight", 0, value=-1.0), "a weight below 0"),
    (
        "random_forest",
        put("classifier", "nodes", 0, value=10**9),
        "outside what a bundle may hold|whole numbers from 1",
    ),
    ("random_forest", put("classifier", "nodes", value=[]), "outside what a bundle may hold"),
    ("extra_trees", put("classifier", "left", value=[]), "the left children should be"),
    ("xgboost", put(*TREES, "right", 0, value=2**31 - 1), "the right children should be"),
    ("xgboost", put(*TREES, "left", 0, value=0), "points outside its tree, back, or to another"),
    ("xgboost", put(*TREES, "feature", 0, value=-1), "the split features should be"),
    ("xgboost", put(*TREES, "value", 0, value=1e300), "too large for XGBoost"),
    ("xgboost", put("classifier", "base_score", value=7.0), "the base score lies outside 0 to 1"),
    ("late", put("stacker", "weights", value=[1.0]), "one weight a block"),
    ("late", put("stacker", "kind", value="max"), "one weight a block"),
    ("late", put("stacker", "more", value=1), "no scorer that can be used"),
    ("late", put("blocks", value={}), "one weight a block"),
]


@pytest.mark.parametrize(("name", "change", "said"), REFUSED)
def test_a_scorer_that_does_not_suit_is_refused(name: str, change: Any, said: str, tmp_path: Path) -> None:
    refuse(with_scorer(name, change), said, tmp_path)


@pytest.mark.parametrize("name", ["logistic_regression", "svm", "random_forest", "xgboost", "lightgbm", "mlp", "late"])
def test_a_scorer_with_anything_changed_is_refused_or_gives_probabilities(name: str) -> None:
    random, original = Random(5), json.loads(members_of(written(name))["scorers/final.json"])
    outcomes = []
    for _ in range(150):
        content = copy.deepcopy(original)
        spoil(content, random)
        try:
            with np.errstate(all="ignore"):  # a forged 1e300 overflows
                score = _scorer("scorers/final.json", content).probability(FRESH, BATCHES)
            outcomes.append(bool((score >= 0).all() and (score <= 1).all()))
        except ValueError as error:
            outcomes.append("\n" not in str(error))
    assert all(outcomes)


def spoil(content: Any, random: Random) -> None:
    """Changes one value, wherever it lies."""
    keys: list[Any] = list(content) if isinstance(content, dict) else list(range(len(content)))
    key = random.choice(keys)
    if isinstance(content[key], dict | list) and content[key] and random.random() < 0.9:
        spoil(content[key], random)
    elif isinstance(content[key], str) and content[key] and random.random() < 0.7:
        place = random.randrange(len(content[key]))
        content[key] = content[key][:place] + random.choice("0123456789-= .e\nT") + content[key][place + 1 :]
    else:
        content[key] = random.choice([-1, 0, 1, 2, 7, 2**31 - 1, 2**40, 10**30, -0.5, 1e300, "", None, True, [], {}])


def line(name: str, value: str) -> Callable[[Any], None]:
    """Sets the first line of this name in LightGBM's text, and the sizes of trees where they change."""

    def change(content: Any) -> None:
        lines = content["classifier"]["lightgbm"]
        place = next(i for i, text in enumerate(lines) if text.startswith(f"{name}="))
        lines[place] = f"{name}={value}" if name in value or name != "Tree" else value
        trees = "\n".join(lines).removesuffix("end of trees\n").split("Tree=")[1:]
        sizes = next(i for i, text in enumerate(lines) if text.startswith("tree_sizes="))
        if name != "tree_sizes":
            lines[sizes] = "tree_sizes=" + " ".join(str(len("Tree=" + tree)) for tree in trees)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (line("split_feature", "99 0 0"), "split_feature of tree 0|the split features of tree 0"),
        (line("left_child", "0 -2"), "left_child of tree 0|points back"),
        (line("num_leaves", "500"), "of tree 0 should be"),
        (line("num_cat", "1"), "tree 0 has categories"),
        (line("is_linear", "1"), "tree 0 has categories or linear leaves"),
        (line("leaf_value", "nan"), "tree 0 holds 'nan', no finite number"),
        (line("leaf_value", "1e999 1"), "tree 0 holds '1e999', no finite number"),
        (line("shrinkage", "1 1"), "the shrinkage of tree 0"),
        (line("tree_sizes", "999999999"), "the sizes of its trees are not those that it declares"),
        (line("objective", "multiclass num_class:3"), "its header says"),
        (line("max_feature_idx", "0"), "max_feature_idx"),
        (line("feature_names", "a b"), "it names its features"),
        (line("feature_infos", "[0:1"), "the ranges of its features are no ranges"),
        (lambda c: c["classifier"]["lightgbm"].insert(1, "more=1"), "its header has a line twice, lacks one"),
        (lambda c: c["classifier"]["lightgbm"].pop(), "do not end as LightGBM ends them"),
        (lambda c: c["classifier"].update(lightgbm=["tree", "", "", "end of trees", ""]), "lacks one or has one"),
    ],
)
def test_text_that_lightgbm_does_not_write_is_refused(change: Any, said: str, tmp_path: Path) -> None:
    refuse(with_scorer("lightgbm", change), said, tmp_path)


def test_a_forged_number_that_is_valid_is_scored_as_it_says(tmp_path: Path) -> None:
    change = put("classifier", "intercept", value=50.0)
    found = read(with_scorer("logistic_regression", change), tmp_path).scorers["final"]
    assert (found.probability(FRESH, BATCHES) > 0.999).all()


def test_every_refusal_names_the_file_alone(tmp_path: Path) -> None:
    with pytest.raises(BundleError) as caught:
        read(json.dumps({}).encode(), tmp_path)
    assert str(tmp_path) not in str(caught.value)
