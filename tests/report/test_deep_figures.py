from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from glottis._errors import InputError
from glottis.data.volume import Mask, Volume
from glottis.deep.crops import Crop
from glottis.report import figures
from glottis.report.figures.crops import crop_pages
from glottis.report.figures.gradcam import Overlay, gradcam_pages

HEAT = np.eye(7, dtype=np.float32)


def picture(seed: int = 0) -> np.ndarray:
    voxels = np.random.default_rng(seed).normal(size=(3, 30, 30))
    mask = np.zeros(voxels.shape, dtype=bool)
    mask[1, 10 : 16 + seed % 3, 12:20] = True
    place = {"spacing_mm": (3.0, 1.0, 1.0)}
    return Crop()(Volume(voxels=voxels, **place), Mask(voxels=mask, **place)).picture()


def overlays(n: int) -> list[Overlay]:
    same = {"sequence": "T2", "picture": picture(), "heat": HEAT, "note": "0.83"}
    return [Overlay(patient=f"P{i:02d}", label=["III-IV", "I-II"][i % 2], **same) for i in reversed(range(n))]


def words(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_a_picture_spans_black_to_white_and_holds_the_mask():
    grey, mask = picture()
    assert (grey.min(), grey.max()) == (0, 255)
    assert set(np.unique(mask)) == {0, 1}


def test_the_sheet_shows_every_patient_with_its_sequences():
    pictures = {f"P{i:02d}/{name}": picture(i) for i in range(30) for name in ("T1", "T2")}
    del pictures["P07/T2"]
    made = figures.crops_figures(pictures, ["T1", "T2"])
    shown = [word for figure in made for word in words(figure)]
    assert [word for word in shown if word.startswith("P")] == [f"P{i:02d}" for i in range(30)]
    assert shown.count("no picture") == 1
    assert len(made) == 2


def test_heat_maps_stand_by_class_then_patient():
    pages = list(gradcam_pages(overlays(30), whose="linear head"))
    order = [each.patient for page in pages for each in page.overlays]
    assert order == [f"P{i:02d}" for i in range(1, 30, 2)] + [f"P{i:02d}" for i in range(0, 30, 2)]
    assert [len(page.overlays) for page in pages] == [24, 6]


def test_the_figure_says_whose_map_it_is():
    (figure,) = figures.gradcam_figures(overlays(3), whose="linear head of the frozen EfficientNet-Lite0")
    assert "Grad-CAM of the linear head of the frozen EfficientNet-Lite0" in words(figure)
    assert {"P00 T2", "III-IV  0.83", "I-II  0.83"} <= set(words(figure))


@pytest.mark.parametrize("n", [1, 5])
def test_figures_of_crops_and_heat_are_stored_with_the_same_bytes_twice(tmp_path: Path, n):
    for name in ("a", "b"):
        figures.save_figure(figures.gradcam_figures(overlays(n), whose="head")[0], tmp_path, f"heat-{name}")
        figures.save_figure(figures.crops_figures({"P1/T1": picture()}, ["T1"])[0], tmp_path, f"crop-{name}")
    for kind in ("heat-{}.png", "crop-{}.png", "heat-{}.pdf", "crop-{}.pdf"):
        assert (tmp_path / kind.format("a")).read_bytes() == (tmp_path / kind.format("b")).read_bytes()


def test_an_overlay_is_hot_where_the_map_is():
    from glottis.report.figures.gradcam import _enlarged

    drawn = _enlarged(HEAT, 7)
    np.testing.assert_allclose(drawn, HEAT)
    assert _enlarged(HEAT)[:16, :16].mean() > 2 * _enlarged(HEAT)[:16, -16:].mean()


@pytest.mark.parametrize(("pictures", "sequences", "message"), [
    ({}, ["T1"], "got 0 crops of 1 sequences"),
    ({"P1/T1": np.zeros((3, 8, 8))}, ["T1"], r"of 'P1/T1' has shape \(3, 8, 8\)"),
    ({"P1/T2": np.zeros((2, 8, 8))}, ["T1"], "'P1/T2' is of none of the sequences"),
])  # fmt: skip
def test_pictures_that_make_no_sheet_are_refused(pictures, sequences, message):
    with pytest.raises(InputError, match=message):
        crop_pages(pictures, sequences)


def test_heat_maps_need_a_map_and_a_word_on_whose_it_is():
    with pytest.raises(InputError, match="got 0 maps of 'head'"):
        gradcam_pages([], whose="head")
    with pytest.raises(InputError, match="say whose score"):
        gradcam_pages(overlays(1), whose=" ")


def test_maps_that_are_no_heat_are_refused():
    (good,) = overlays(1)
    with pytest.raises(InputError, match="leaves 0 to 1: give HeatMap"):
        replace(good, heat=HEAT * 3)
    with pytest.raises(InputError, match="have shapes"):
        replace(good, heat=HEAT[0])
