"""A model of images asked about images: the study's bits, and what is said of those that differ."""

from __future__ import annotations

import zipfile

import numpy as np
import pandas as pd
import pytest

from clinical_study import MARK, asked, question
from glottis.cli import run_command
from glottis.data.volume import Mask, Volume
from glottis.io.images import write_volume
from glottis.serve import read_model
from glottis.study.result import StudyResult
from tiny_study import SPACING, TinyStudy, image, mask

WHO = f"{MARK}P03"


@pytest.fixture(scope="module")
def answers(image_model: TinyStudy) -> pd.DataFrame:
    return asked(image_model, image_model.table, "--extrapolate")


@pytest.fixture(scope="module")
def read(image_model: TinyStudy) -> str:
    """A sequence that the model reads."""
    model = read_model(image_model.run / "model.glottis")
    assert model.scorer is not None
    return model.study.block_of(model.scorer.columns[0])


def changed(study: TinyStudy, column: str, value: object) -> pd.DataFrame:
    table = study.table.copy()
    table.loc[table["patient"] == WHO, column] = value
    return table


def untouched(found: pd.DataFrame, before: pd.DataFrame) -> None:
    """All other patients are answered as before."""
    pd.testing.assert_frame_equal(found.drop(index=WHO), before.drop(index=WHO), check_exact=True)


def test_images_give_the_probabilities_of_the_study(image_model: TinyStudy, answers: pd.DataFrame) -> None:
    frame = StudyResult.load(image_model.run).predictions.frame
    held = frame[frame["set"].isin(["internal", "external"]) & (frame["mode"] == "rigorous")]
    for model, column in (("nomogram", "probability"), ("T1+T2", "score")):
        own = held[held["model"] == model].set_index("patient")["y_score"]
        assert len(own) == 8 + 5
        np.testing.assert_array_equal(answers.loc[own.index, column], own)


def test_features_in_place_of_images_give_the_same_answer(image_model: TinyStudy, answers: pd.DataFrame) -> None:
    rows = StudyResult.load(image_model.run).features.of_reader("A", 1)
    table = image_model.table[["patient", "centre", "age"]].merge(rows.reset_index(), on="patient")
    found = asked(image_model, table, "--extrapolate", out="features.csv")
    pd.testing.assert_frame_equal(found, answers, check_exact=True)


def test_one_image_alone_gives_the_same_answer(image_model: TinyStudy, answers: pd.DataFrame) -> None:
    alone = asked(image_model, image_model.table.iloc[[3]], "--extrapolate", out="alone.csv")
    pd.testing.assert_frame_equal(alone, answers.loc[[WHO]], check_exact=True)


def test_no_patient_of_the_images_stands_in_the_file(image_model: TinyStudy) -> None:
    with zipfile.ZipFile(image_model.run / "model.glottis") as archive:
        inside = b"\n".join(archive.read(name) for name in archive.namelist())
    assert set(read_model(image_model.run / "model.glottis").landmarks) == {"T1", "T2"}
    assert MARK.encode() not in inside
    assert str(image_model.folder).encode() not in inside


@pytest.mark.parametrize("part", ["image", "mask"])
def test_a_missing_cell_is_refused_by_sequence(
    image_model: TinyStudy, answers: pd.DataFrame, read: str, part: str
) -> None:
    found = asked(image_model, changed(image_model, f"{read}_{part}", ""), "--extrapolate", out="cell.csv")
    assert found.loc[WHO, "status"] == "refused"
    assert f"no {read}: the model reads features of" in found.loc[WHO, "said"]
    untouched(found, answers)


@pytest.mark.parametrize("part", ["image", "mask"])
def test_a_missing_file_is_refused_by_name(image_model: TinyStudy, answers: pd.DataFrame, read: str, part: str) -> None:
    found = asked(image_model, changed(image_model, f"{read}_{part}", "nowhere.nii"), "--extrapolate", out="file.csv")
    assert found.loc[WHO, "status"] == "refused"
    assert found.loc[WHO, "said"].startswith(f"{read}: ")
    assert "nowhere.nii" in found.loc[WHO, "said"]
    untouched(found, answers)


@pytest.mark.parametrize("part", ["image", "mask"])
def test_a_file_that_cannot_be_read_is_refused(
    image_model: TinyStudy, answers: pd.DataFrame, read: str, part: str
) -> None:
    (image_model.folder / "broken.nii").write_bytes(b"no image at all")
    found = asked(image_model, changed(image_model, f"{read}_{part}", "broken.nii"), "--extrapolate", out="broken.csv")
    assert found.loc[WHO, "status"] == "refused"
    assert "broken.nii" in found.loc[WHO, "said"]
    untouched(found, answers)


def test_an_empty_mask_is_refused(image_model: TinyStudy, answers: pd.DataFrame, read: str) -> None:
    empty = Mask(voxels=np.zeros_like(mask(1).voxels), spacing_mm=SPACING)
    write_volume(empty, image_model.folder / "empty.nii")
    found = asked(image_model, changed(image_model, f"{read}_mask", "empty.nii"), "--extrapolate", out="empty.csv")
    assert found.loc[WHO, "status"] == "refused"
    untouched(found, answers)


def spaced(study: TinyStudy, sequence: str, factor: float) -> pd.DataFrame:
    """The manifest with a patient whose voxels are wider by a factor."""
    spacing = (SPACING[0], SPACING[1] * factor, SPACING[2] * factor)
    write_volume(Volume(voxels=image(7).voxels, spacing_mm=spacing), study.folder / "wide.nii")
    write_volume(Mask(voxels=mask(1).voxels, spacing_mm=spacing), study.folder / "wide_mask.nii")
    table = changed(study, f"{sequence}_image", "wide.nii")
    table.loc[table["patient"] == WHO, f"{sequence}_mask"] = "wide_mask.nii"
    return table


def test_voxels_of_another_size_are_said(image_model: TinyStudy, answers: pd.DataFrame, read: str) -> None:
    found = asked(image_model, spaced(image_model, read, 1.2), "--extrapolate", out="wide.csv")
    said = f"{read} has voxels of 1.2 x 1.2 x 3 mm, and the training images had 1 x 1 x 3 to 1 x 1 x 3: its features"
    assert said in found.loc[WHO, "said"]
    assert found.loc[WHO, "status"] == "remarks"
    untouched(found, answers)


def test_voxels_that_differ_by_less_than_a_twentieth_are_not_worth_a_word(image_model: TinyStudy, read: str) -> None:
    found = asked(image_model, spaced(image_model, read, 1.04), "--extrapolate", out="near.csv")
    assert "voxels" not in found.loc[WHO, "said"]


def test_without_a_column_of_images_nobody_is_answered(
    image_model: TinyStudy, read: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(question(image_model, image_model.table.drop(columns=f"{read}_image"))) == 2
    assert f"no column '{read}_image' (image of {read})" in capsys.readouterr().err
