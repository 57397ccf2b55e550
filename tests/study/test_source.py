"""From a table to a cohort and its features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from glottis._errors import CohortError
from glottis.study.source import digests
from glottis.study.spec import read_study
from table_study import TableStudy, features_of

F = [f"original_glcm_F{number}" for number in range(6)]


@pytest.fixture
def study(tmp_path):
    return TableStudy(tmp_path / "study")


def test_columns_of_numbers_without_a_role_are_features(study):
    study.table["note"] = "text"
    given = study.source().given
    assert list(given.columns.features) == F
    assert given.columns.left_out == {"Target": "outcome"}
    assert given.columns.text == {"note": "text"}


def test_values_come_through_bit_by_bit(study):
    rows = study.source().given.values.of_reader("A", 1)
    np.testing.assert_array_equal(rows[F].to_numpy(), study.table[F].to_numpy())


def test_every_role_keeps_its_column_out(study):
    study.table = study.table.assign(hospital=range(40), age=range(40), days=range(40), dead=1, dog=range(40))
    study.settings |= {
        "centre": "hospital", "clinical": ["age"], "group": "dog", "survival": {"time": "days", "event": "dead"}
    }  # fmt: skip
    assert list(study.source().given.columns.features) == F


def test_a_pyradiomics_batch_works_as_it_is(study):
    batch = {"Image": "i.nrrd", "Mask": "m.nrrd", "Label": 1, "diagnostics_Mask-original_VoxelNum": 12}
    study.table = study.table.assign(**batch)
    given = study.source().given
    assert list(given.columns.features) == F
    assert given.columns.left_out["diagnostics_Mask-original_VoxelNum"] == "diagnostic of PyRadiomics"


@pytest.mark.parametrize("name", ["table.tsv", "table.xlsx", "table.parquet"])
def test_every_kind_of_table_gives_the_same(study, name):
    expected = study.source().given.values.frame
    write = {"tsv": lambda t, p: t.to_csv(p, sep="\t", index=False), "xlsx": lambda t, p: t.to_excel(p, index=False)}
    write.get(name[6:], lambda t, p: t.to_parquet(p))(study.table, study.folder / name)
    study.settings["features"] = name
    pd.testing.assert_frame_equal(study.source().given.values.frame, expected)


def test_columns_and_drop_narrow_the_features(study):
    given = study.with_features(columns=["original_glcm_F[0-3]"], drop="*F2").source().given
    assert list(given.columns.features) == [F[0], F[1], F[3]]
    assert given.columns.left_out[F[2]] == "features.drop"


def test_rows_without_ids_are_numbered_in_their_order(study):
    study.table = study.table.drop(columns="ID")
    study.settings["id"] = None
    source = study.source()
    assert [case.patient for case in source.cohort][:2] == ["01", "02"]
    assert source.given.first[F[0]].tolist() == study.table[F[0]].tolist()


def test_a_table_without_id_is_numbered_by_default_and_says_so_in_its_settings(study):
    study.table = study.table.drop(columns="ID")
    del study.settings["id"]
    source = study.source()
    assert source.given.numbered
    assert source.study.id is None


def test_a_column_that_may_be_the_id_is_not_numbered_over(study):
    del study.settings["id"]
    with pytest.raises(CohortError, match=r"no column 'patient', and 'ID' may be its id: write id: ID"):
        study.source()


def joined(study, **block):
    """The same study with its outcome in a manifest of its own."""
    study.others["clinical.csv"] = study.table[["ID", "Target"]].rename(columns={"ID": "patient"})
    study.table = study.table.drop(columns="Target")
    study.settings |= {"manifest": "clinical.csv", "id": "patient"}
    return study.with_features(id="ID", **block)


def test_a_table_is_joined_to_the_manifest_by_id(study):
    expected = study.source().given.values.frame
    study.table = study.table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(joined(study).source().given.values.frame, expected)


def test_ids_of_one_side_are_known(study):
    study = joined(study)
    study.table.loc[0, "ID"] = "stranger"
    source = study.source()
    assert source.given.strangers == ("stranger",)
    assert [c.patient for c in source.cohort if source.why_absent(c)] == ["N00"]


def test_repeats_stand_beside_the_first_measurement(study):
    study.others["again.csv"] = features_of(4).head(12)
    source = study.with_features(repeats=[{"table": "again.csv", "reader": "B"}]).source()
    assert len(source.given.values.of_reader("B", 1)) == 12


def test_a_table_of_glottis_itself_tells_reader_and_round(study):
    study = joined(study)
    first = study.table.rename(columns={"ID": "patient"}).assign(reader="A", round=1)
    study.table = pd.concat([first, first.head(9).assign(reader="B")])
    study.settings["features"] = "table.csv"
    table = study.source().given.values
    assert (len(table.of_reader("A", 1)), len(table.of_reader("B", 1))) == (40, 9)


def test_a_column_in_no_block_is_left_out(study):
    given = study.with_features(blocks={"one": F[:2], "two": "*F[23]"}).source().given
    assert list(given.columns.features) == F[:4]
    assert given.columns.left_out[F[5]] == "in no block"


def test_the_digests_name_every_table(study):
    study.others["again.csv"] = study.table
    study = study.with_features(repeats=[{"table": "again.csv"}])
    assert list(digests(read_study(study.write()))) == ["manifest and features", "reader B, round 1"]


def cut(study):
    study.table = study.table[["ID", "Target"]]
    return study


def without_ids(study):
    study = joined(study)
    study.settings["id"] = None
    return study


def twice(study):
    study = joined(study)
    study.table.loc[1, "ID"] = "N00"
    return study


def foreign(study):
    study = joined(study)
    study.table["ID"] = "X" + study.table["ID"]
    return study


def again(study, table, **more):
    study.others["again.csv"] = table
    return study.with_features(repeats=[{"table": "again.csv"}], **more)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda s: s.with_features(columns="orginal_*"),
            "features.columns: no column of table '.*' fits 'orginal_",
        ),
        (lambda s: s.with_features(drop=["original_glcm_F9"]), "features.drop: .*did you mean 'original_glcm_F"),
        (lambda s: s.with_features(blocks={"a": "*F0", "b": "*F?"}), "stands in the blocks a and b: narrow"),
        (lambda s: s.with_features(blocks={"a": "Target"}), "has no column of features"),
        (cut, "Table 'table.csv' has no column of features: give columns of numbers"),
        (without_ids, "can only be joined to a manifest with ids: name its column"),
        (twice, r"several rows of 1 patients \(N00\): keep one row a patient"),
        (foreign, r"No id of table 'table.csv' \('XN00', ...\) stands in the manifest \('N00'"),
        (lambda s: again(s, features_of().drop(columns=F[3])), "lacks the feature 'original_glcm_F3': measure it"),
        (
            lambda s: again(s, features_of().assign(**{F[1]: "a"})),
            "_F1' of table 'again.csv' holds text",
        ),
        (lambda s: again(s, features_of().drop(columns="ID")), "Table 'again.csv' has no id column 'ID'"),
    ],
)
def test_what_cannot_be_read_is_refused(study, change, message):
    changed = change(study)
    with pytest.raises(CohortError, match=message):
        changed.source()


def test_a_feature_named_in_columns_must_hold_numbers(study):
    study.table["extra"] = "high"
    with pytest.raises(CohortError, match=r"Feature 'extra' of table 'table.csv' holds text \('high'\): correct it"):
        study.with_features(columns=["extra", "*F0"]).source()


def test_rows_of_another_reader_alone_are_refused(study):
    study = joined(study)
    study.table = study.table.assign(reader="B", round=2)
    with pytest.raises(CohortError, match=r"no row of reader A, round 1 \(reader B round 2\): set features.reader"):
        study.source()


def test_a_round_that_is_no_number_is_refused(study):
    study = joined(study)
    study.table = study.table.assign(reader="A", round="first")
    with pytest.raises(CohortError, match=r"Column 'round' of table 'table.csv' must hold whole numbers, found 'f"):
        study.source()


def test_repeats_of_numbered_rows_are_refused(study):
    study.others["again.csv"] = study.table
    study.settings["id"] = None
    study.table = study.table.drop(columns="ID")
    with pytest.raises(CohortError, match=r"Repeated measurements \('again.csv'\) are matched by id: name the id"):
        study.with_features(repeats=[{"table": "again.csv"}]).source()
