"""How robustness was judged over perturbed scans, for the methods section."""

from __future__ import annotations

from glottis.report.wording import counted, joined
from glottis.study.result import StudyResult
from glottis.study.spec_images import PERTURBED, Perturbations


def perturbation_sentences(result: StudyResult) -> tuple[str, ...]:
    """What was perturbed, in which order, and which features stayed; nothing where no model has the step."""
    fits = [fit for model in result.results["models"].values() for fit in model["fits"]]
    steps = {entry["step"].rpartition(": ")[2] for fit in fits for entry in fit["kept"]}
    gate = result.study.selection.perturbation
    if PERTURBED not in steps or gate is None:
        return ()
    bound = "" if gate.use == "point" else " (lower 95% limit)"
    rounds = sorted({number for reader, number in _pairs(result) if reader == PERTURBED})
    kept = (
        f"A feature stayed when its {gate.form}{bound} over the measurement itself and "
        f"{counted(len(rounds), 'perturbed one')} exceeded {gate.threshold:g}, among the training patients who "
        "have all of them."
    )
    block = result.study.perturbations
    return (kept,) if block is None else (_changes(block), kept)


def _pairs(result: StudyResult) -> set[tuple[str, int]]:
    frame = result.features.frame
    return set(zip(frame["reader"], frame["round"], strict=True))


def _changes(block: Perturbations) -> str:
    moves = [f"turned in the slices by up to {block.rotate:g} degrees"] if block.rotate else []
    moves += [f"shifted by up to {block.translate:g} of a voxel along each axis"] if block.translate else []
    parts = ["noise of the image's own level added before any other step"] if block.noise else []
    parts += [f"image and mask {joined(moves)} in the one interpolation of resampling"] if moves else []
    parts += [f"the mask grown or shrunk by up to {block.volume:.0%}"] if block.volume else []
    parts += ["its outline drawn anew along supervoxels"] if block.contour else []
    return (
        f"Scans of training patients were measured {counted(block.repeats, 'more time')} after random perturbations "
        f"(Zwanenburg et al. 2019), amounts uniform within their limits: {joined(parts)}."
    )
