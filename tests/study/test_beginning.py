"""``glottis init``: what is proposed for a cohort, and that the study file it writes can be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glottis._errors import CohortError
from glottis.data.volume import Mask, Volume
from glottis.io.images import write_volume
from glottis.study.beginning import Beginning, begin_study
from glottis.study.spec import Study, read_study

GRID = {"spacing_mm": (1.0, 1.0, 1.0)}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seventy patients, T1 of all and PET of the first twenty."""
    folder = tmp_path_factory.mktemp("cohort") / "scans"
    for number in range(70):
        for name in ("T1", "PET")[: 2 if number < 20 else 1]:
            place = folder / f"P{number:02d}"
            place.mkdir(parents=True, exist_ok=True)
            write_volume(Volume(voxels=np.zeros((2, 2, 2), np.int16), **GRID), place / f"{name}_image.nii")
            write_volume(Mask(voxels=np.ones((2, 2, 2), bool), **GRID), place / f"{name}_mask.nii")
    return folder


def begin(scans: Path, out: Path, outcome: str | None, **columns: object) -> tuple[Beginning, Study]:
    table = pd.DataFrame({"id": [f"P{number:02d}" for number in range(70)], **columns})
    out.mkdir(exist_ok=True)
    table.to_csv(out / "clinical.csv", index=False)
    made = begin_study(scans, out / "study", clinical=out / "clinical.csv", outcome=outcome)
    return made, read_study(made.study)


def first(n: int, yes: object, no: object) -> list[object]:
    return [yes if number < n else no for number in range(70)]


def test_zeros_and_ones_need_no_positive_class(scans, tmp_path):
    made, study = begin(scans, tmp_path, "event", event=first(35, 1, 0))
    assert study.outcome.positive is None
    assert (study.split.method, study.model.folds) == ("random", 5)
    assert made.patients == {"PET": 20, "T1": 70}
    assert {name: block.modality for name, block in study.sequences.items()} == {"PET": "PET", "T1": "MR"}


def test_the_rarer_of_two_texts_is_taken_as_the_event_and_the_file_says_so(scans, tmp_path):
    made, study = begin(scans, tmp_path, "stage", stage=first(31, "III-IV", "I-II"))
    assert study.outcome.positive == "III-IV"
    assert "the rarer value was taken as the event" in made.study.read_text()


def test_too_few_events_for_a_test_set_give_a_repeated_k_fold(scans, tmp_path):
    made, study = begin(scans, tmp_path, "event", event=first(8, 1, 0))
    assert (study.split.method, study.split.folds) == ("kfold", 5)
    assert any("8 patients in the smaller class are too few to hold a test set out" in note for note in made.notes)


def test_inner_folds_fit_the_model_of_all_sequences(scans, tmp_path):
    event = [1 if number in (0, 1, 2, 3, 30, 31, 32, 33) else 0 for number in range(70)]
    _, study = begin(scans, tmp_path, "event", event=event)
    assert study.model.folds == 2  # 4 events have PET, and an outer fold of 5 can take 2 of them


def test_a_centre_is_recognised_and_is_no_clinical_variable(scans, tmp_path):
    _, study = begin(scans, tmp_path, "event", event=first(35, 1, 0), Hospital=["A", "B"] * 35, age=range(70))
    assert study.centre == "Hospital"
    assert study.clinical == ("age",)


@pytest.mark.parametrize(
    ("column", "values", "reason"),
    [
        ("name", [f"Ann {number % 60}" for number in range(70)], "looks like personal data"),
        ("pT", ["T1", "T2"] * 35, "known only after the decision"),
        ("scanner", ["Y"] * 70, "one value only"),
        ("remark", [f"text {number % 20}" for number in range(70)], "20 different texts"),
    ],
)
def test_a_column_that_cannot_serve_is_left_out_with_the_reason(scans, tmp_path, column, values, reason):
    made, study = begin(scans, tmp_path, "event", event=first(35, 1, 0), sex=["f", "m"] * 35, **{column: values})
    assert study.clinical == ("sex",)
    assert any(note.startswith(f"Left out of the clinical variables: {column} (") for note in made.notes)
    assert reason in made.study.read_text()


def test_without_an_outcome_the_file_has_a_line_to_fill_in(scans, tmp_path):
    made, study = begin(scans, tmp_path, None, age=range(70))
    assert study.outcome.column == "OUTCOME"
    assert "No outcome yet: fill in 'outcome' in the study file." in made.lines()


def test_an_unknown_outcome_comes_with_the_nearest_column(scans, tmp_path):
    with pytest.raises(CohortError, match="No column 'evnt' to predict: did you mean 'event'"):
        begin(scans, tmp_path, "evnt", event=first(35, 1, 0))


def test_the_manifest_names_every_file_that_is_there(scans, tmp_path):
    made, _ = begin(scans, tmp_path, "event", event=first(35, 1, 0))
    manifest = pd.read_csv(made.manifest, dtype=str, keep_default_na=False)
    assert len(manifest) == 70
    cells = [cell for name in ("T1_image", "T1_mask", "PET_image", "PET_mask") for cell in manifest[name] if cell]
    assert len(cells) == 180
    assert all((made.manifest.parent / cell).exists() for cell in cells)
