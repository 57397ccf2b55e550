from __future__ import annotations

import pytest
import yaml

from glottis._errors import SettingsError
from glottis.study.spec import read_study, study_from_dict

SMALLEST = {
    "manifest": "manifest.csv",
    "outcome": {"column": "stage", "positive": "III-IV"},
    "sequences": {name: {"image": f"{name}_image", "mask": f"{name}_mask"} for name in ("CE", "T1", "T2")},
}


def test_three_sequences_make_seven_models_each_alone_first():
    models = study_from_dict(SMALLEST).models()
    assert list(models) == ["CE", "T1", "T2", "CE+T1", "CE+T2", "T1+T2", "CE+T1+T2"]


def test_an_unknown_key_is_named_with_the_nearest_valid_one():
    with pytest.raises(SettingsError, match=r"unknown key 'selection.icc.treshold' \(did you mean 'threshold'\?\)"):
        study_from_dict({**SMALLEST, "selection": {"icc": {"treshold": 0.8}}})


def test_every_problem_of_a_study_file_is_said_at_once():
    broken = {**SMALLEST, "split": {"method": "kfld"}, "model": {"folds": 1}}
    with pytest.raises(SettingsError, match=r"'split.method'.*'model.folds'"):
        study_from_dict(broken)


def test_a_modality_block_keeps_the_defaults_that_it_does_not_name():
    study = study_from_dict({**SMALLEST, "preprocessing": {"MR": {"bins": {"count": 32}}}})
    block = study.preprocessing_of("T1")
    assert (block.bins.count, block.normalise.method, block.n4 is not None) == (32, "zscore", True)


def test_the_resolved_study_reads_back_as_the_same_study(tmp_path):
    study = study_from_dict({**SMALLEST, "preprocessing": {"MR": {"resegment": {"range": [-3, 3], "mode": "sigma"}}}})
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study.resolved()))
    assert read_study(tmp_path / "study.yaml").digest() == study.digest()


def test_the_digest_changes_with_any_setting():
    assert study_from_dict(SMALLEST).digest() != study_from_dict({**SMALLEST, "random_state": 1}).digest()


def test_a_missing_study_file_says_how_to_write_one(tmp_path):
    with pytest.raises(SettingsError, match="glottis init"):
        read_study(tmp_path / "study.yaml")


def test_broken_yaml_names_the_line(tmp_path):
    (tmp_path / "study.yaml").write_text("manifest: m.csv\noutcome: [")
    with pytest.raises(SettingsError, match="not valid YAML at line"):
        read_study(tmp_path / "study.yaml")


def test_bins_need_exactly_one_of_width_and_count():
    with pytest.raises(SettingsError, match="exactly one of width and count"):
        study_from_dict({**SMALLEST, "preprocessing": {"MR": {"bins": {"width": 5, "count": 32}}}})


def test_a_combination_of_an_unknown_sequence_is_refused():
    with pytest.raises(SettingsError, match=r"unknown sequence 'T3'"):
        study_from_dict({**SMALLEST, "combinations": [["T1", "T3"]]})
