"""Every line of the first study file that stands there as a comment is one that the study accepts."""

from __future__ import annotations

import re

import pytest

from glottis.study.spec import read_study
from glottis.study.template import StudyTemplate, TemplateSequence, study_yaml
from glottis.study.template_table import TemplateTable

SEQUENCES = {"T1": TemplateSequence(image="T1_image", mask="T1_mask", modality="MR")}
GIVEN = {"title": "A study", "id": "ID", "outcome": "Target"}
TEMPLATES = {
    "images": StudyTemplate(**GIVEN, manifest="manifest.csv", sequences=SEQUENCES),
    "images of centres": StudyTemplate(**GIVEN, manifest="manifest.csv", sequences=SEQUENCES, centre="hospital"),
    "a table": StudyTemplate(**GIVEN, manifest="", table=TemplateTable(table="features.csv")),
}
COMMENTED = re.compile(r"^( *)# (\w+): (.+)$", re.MULTILINE)


def with_line(text: str, indent: str, key: str, rest: str) -> str:
    """The file with a comment made a setting, in place of the one that stood there."""
    others = re.sub(rf"^{indent}{key}: .*\n", "", text, flags=re.MULTILINE)
    return others.replace(f"{indent}# {key}: {rest}", f"{indent}{key}: {rest}")


CASES = [(kind, *line) for kind, own in TEMPLATES.items() for line in COMMENTED.findall(study_yaml(own))]


@pytest.mark.parametrize(("kind", "indent", "key", "rest"), CASES, ids=[f"{case[0]}-{case[2]}" for case in CASES])
def test_a_commented_line_is_a_setting_that_the_study_accepts(tmp_path, kind, indent, key, rest):
    path = tmp_path / "study.yaml"
    text = study_yaml(TEMPLATES[kind])
    path.write_text(text)
    before = read_study(path)
    path.write_text(with_line(text, indent, key, rest))
    assert key in path.read_text()
    assert read_study(path) != before or key == "controls"


@pytest.mark.parametrize("kind", TEMPLATES)
def test_the_settings_that_came_later_are_named(kind):
    keys = {key for own, _, key, _ in CASES if own == kind}
    assert keys >= {"classifier", "harmonise", "controls"}
    assert ("perturbations" in keys) == (kind != "a table")


def test_all_means_the_seven_classifiers_and_the_controls_shown_are_the_defaults(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(study_yaml(TEMPLATES["images"]))
    plain = read_study(path)
    text = path.read_text().replace("# controls:", "controls:")
    path.write_text(re.sub(r"^  classifier: .*\n  # ", "  ", text, flags=re.MULTILINE))
    changed = read_study(path)
    assert (len(plain.model.classifier), len(changed.model.classifier)) == (1, 7)
    assert changed.controls == plain.controls
