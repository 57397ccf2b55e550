"""Blocks of ``study.yaml`` for clinical use."""

from __future__ import annotations

import pytest

from glottis._errors import SettingsError
from glottis.study.spec import study_from_dict

CLINICAL = {"manifest": "m.csv", "outcome": {"column": "y"}, "clinical": ["age", "site"], "clinical_model": True}
TABLE = {"features": "table.csv", "id": "ID", "outcome": {"column": "y"}, "clinical": ["age"]}


def test_clinical_columns_alone_make_a_study_of_one_model():
    study = study_from_dict(CLINICAL)
    assert (list(study.models()), study.clinical_alone, study.chooses) == (["clinical"], True, False)


def test_a_nomogram_stands_beside_the_models_of_features():
    study = study_from_dict({**TABLE, "clinical_model": True, "nomogram": True})
    assert [design.fusion for design in study.designs()][-2:] == ["clinical", "nomogram"]


def test_a_choice_between_classifiers_leaves_the_regressions_alone():
    split = {"method": "kfold"}
    study = study_from_dict({**TABLE, "split": split, "clinical_model": True, "model": {"classifier": ["svm", "mlp"]}})
    assert [name for name in study.models() if name.endswith("(chosen)")] == ["features (chosen)"]


def test_a_clinical_model_needs_columns():
    with pytest.raises(SettingsError, match="names no clinical columns"):
        study_from_dict({**CLINICAL, "clinical": []})


def test_an_unknown_reference_comes_with_the_nearest_column():
    with pytest.raises(SettingsError, match=r"'sit' is no clinical column .*site"):
        study_from_dict({**CLINICAL, "clinical_model": {"reference": {"sit": "glottis"}}})


def test_in_sample_scores_are_refused_with_the_reason():
    with pytest.raises(SettingsError, match="needs out-of-fold scores"):
        study_from_dict({**TABLE, "clinical_model": True, "nomogram": {"scores": "in_sample"}})


def test_a_nomogram_of_the_score_alone_is_refused():
    with pytest.raises(SettingsError, match="a score alone needs none"):
        study_from_dict({**TABLE, "nomogram": True})


def test_ordered_levels_are_text_in_their_order():
    study = study_from_dict({**CLINICAL, "clinical_model": {"ordinal": {"site": [1, 2, 3]}}})
    assert study.clinical_model is not None
    assert study.clinical_model.ordinal == {"site": ("1", "2", "3")}


def test_an_ordered_column_has_no_other_reference():
    block = {"ordinal": {"site": ["a", "b"]}, "reference": {"site": "b"}}
    with pytest.raises(SettingsError, match="the first is the reference"):
        study_from_dict({**CLINICAL, "clinical_model": block})


@pytest.mark.parametrize("key", ["harmonise", "as_published"])
def test_clinical_columns_alone_refuse_what_needs_features(key):
    given = {"harmonise": {"batch": "scanner"}, "as_published": ["selection"]}[key]
    with pytest.raises(SettingsError, match=f"{key}: a study of clinical columns alone"):
        study_from_dict({**CLINICAL, key: given})


def test_a_block_may_not_be_called_as_a_model():
    with pytest.raises(SettingsError, match="a model is called 'nomogram'"):
        study_from_dict(
            {"manifest": "m.csv", "outcome": {"column": "y"}, "sequences": {"nomogram": {"image": "i", "mask": "m"}}}
        )
