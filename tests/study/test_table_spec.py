"""What ``study.yaml`` may say of a table of features."""

from __future__ import annotations

from pathlib import Path

import pytest

from glottis._errors import SettingsError
from glottis.study.spec import read_study, study_from_dict

BASE = {"outcome": {"column": "Target"}, "features": "table.csv"}
IMAGES = {"outcome": {"column": "y"}, "manifest": "m.csv", "sequences": {"T1": {"image": "i", "mask": "m"}}}


def table(**block):
    return study_from_dict(BASE | {"features": {"table": "table.csv", **block}})


def test_the_path_alone_means_the_block_with_the_path():
    assert study_from_dict(BASE) == study_from_dict(BASE | {"features": {"table": "table.csv"}})


def test_a_table_without_a_manifest_is_its_own():
    assert study_from_dict(BASE).manifest == Path("table.csv")


def test_a_study_of_images_still_is_one():
    assert study_from_dict(IMAGES | {"features": {"classes": ["shape"]}}).table is None


def test_blocks_make_models_as_sequences_do():
    assert list(table(blocks={"A": "a_*", "B": ["b_*", "c"]}).models()) == ["A", "B", "A+B"]


def test_without_blocks_the_table_is_one_model():
    assert study_from_dict(BASE).models() == {"features": ("features",)}


def test_one_pattern_is_a_list_of_one():
    assert table(columns="a_*", drop="a_1").features.columns == ("a_*",)


def test_paths_are_relative_to_the_study_file(tmp_path):
    (tmp_path / "study.yaml").write_text(
        "outcome: {column: y}\nfeatures: {table: t.csv, repeats: [{table: r.csv, reader: B}]}\n"
    )
    block = read_study(tmp_path / "study.yaml").table
    assert (block.table, block.repeats[0].table) == (tmp_path / "t.csv", tmp_path / "r.csv")


def test_the_resolved_study_names_no_folder_and_reads_back(tmp_path):
    resolved = study_from_dict(BASE | {"features": str(tmp_path / "table.csv")}).resolved()
    assert str(tmp_path) not in str(resolved)
    assert study_from_dict(resolved).resolved() == resolved


def test_two_tables_of_one_name_stay_two():
    study = study_from_dict(BASE | {"manifest": "a/table.csv", "features": "b/table.csv"})
    assert study_from_dict(study.resolved()).table.table != Path(study.resolved()["manifest"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            BASE | {"features": {"table": "t.csv", "colums": "a"}},
            "key 'features.colums' .did you mean 'columns'",
        ),
        (BASE | {"sequences": IMAGES["sequences"]}, "sequences: a study that starts from a table has none"),
        (BASE | {"preprocessing": {"CT": {}}}, "preprocessing: a study that starts from a table has none"),
        (IMAGES | {"sequences": {}}, "'sequences' is missing: add it, or start from a table"),
        (IMAGES | {"id": None}, "id: a study of images needs an id column"),
        (BASE | {"combinations": [["B"]]}, "combinations: unknown block 'B'"),
        (BASE | {"features": {"table": "t.csv", "blocks": {"a b": "x"}}}, "features.blocks: 'a b' must have no space"),
        (BASE | {"features": {"columns": "a"}}, "'features.table' is missing: add it"),
        (BASE | {"features": {"table": "t.csv", "impute": "mean"}}, "'features.impute'.*median"),
        (
            BASE | {"features": {"table": "t.csv", "repeats": [{"table": "r.csv", "reader": "A"}]}},
            "reader A, round 1 stands there twice",
        ),
    ],
)
def test_what_cannot_be_is_refused(content, message):
    with pytest.raises(SettingsError, match=message):
        study_from_dict(content)


def test_no_image_feature_is_asked_of_a_table():
    with pytest.raises(SettingsError, match=r"starts from the table 'table.csv': no feature is computed"):
        _ = study_from_dict(BASE).image_features
