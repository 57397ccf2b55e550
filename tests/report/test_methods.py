"""The methods section names what a study measured."""

from __future__ import annotations

from dataclasses import replace

from fake_run import write_fake_run

from glottis.report.methods import methods
from glottis.study.result import StudyResult
from glottis.study.spec_images import Features


def features_paragraph(folder, **features):
    result = StudyResult.load(write_fake_run(folder))
    study = result.study.model_copy(update={"features": Features.model_validate(features)})
    (found,) = (part for part in methods(replace(result, study=study)) if part.heading == "Features")
    return " ".join(found.sentences)


def test_every_image_type_is_named_with_its_settings(tmp_path):
    said = features_paragraph(
        tmp_path, wavelet=None, curves=["squareroot"], gradient={}, lbp2d={"samples": 12}, lbp3d={"levels": 3}
    )
    assert "the square root of the intensities, the gradient magnitude (per mm)" in said
    assert "local binary patterns of slices (uniform, 12 samples, radius in voxels 1, bin width 1)" in said
    assert "local binary patterns on spheres (3 levels, radius in voxels 1, bin width 0.5)" in said


def test_an_image_type_that_was_not_measured_is_not_named(tmp_path):
    said = features_paragraph(tmp_path)
    assert "wavelet" in said
    assert not any(word in said for word in ("binary", "gradient", "square", "Laplacian"))
