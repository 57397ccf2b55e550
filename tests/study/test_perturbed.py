"""Perturbed scans in a study: drawn from its seed, measured for training patients, and no second reader."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glottis._errors import SettingsError
from glottis.data.cohort import MaskSource
from glottis.data.tables import FeatureTable
from glottis.data.volume import Mask, Volume
from glottis.features.discretise import FixedBinWidth
from glottis.features.extract import FeatureSettings
from glottis.features.filters import Original, Wavelet
from glottis.io.images import write_volume
from glottis.preprocessing.perturb import AddNoise, ChangeVolume, RandomiseContour
from glottis.preprocessing.resample import Resample
from glottis.preprocessing.window import Window
from glottis.report.methods_perturbation import perturbation_sentences
from glottis.study.case import CaseSettings, extract_case
from glottis.study.extraction import ScanTask, extract_scans
from glottis.study.fitting import fit_unit
from glottis.study.perturbation import Perturbation, drawn_perturbation
from glottis.study.result import StudyResult
from glottis.study.run import run as run_study
from glottis.study.spec import Study, read_study, study_from_dict
from glottis.study.spec_images import PERTURBED, Perturbations
from glottis.study.split import Partition
from glottis.study.tabulate import perturbed_tasks
from glottis.study.units import FitUnit, Patients, repeat_tables, units_of
from table_study import TableStudy, features_of
from tiny_study import SETTINGS, TinyStudy, contents, image, mask

MILD = {"repeats": 2, "rotate": 4, "translate": 0.2, "volume": 0.05, "noise": False, "contour": False}
GATE = {"threshold": 0.3, "use": "point"}
TEXTURE = FeatureSettings(filters=(Original(), Wavelet("coif1")), classes={"firstorder": None, "shape": None})
RESAMPLED = CaseSettings(features=replace(TEXTURE, bins=FixedBinWidth(5)), resample=Resample(spacing_mm=(1, 1, 1)))
AS_IT_IS = replace(RESAMPLED, resample=None)


def stored(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def perturbing(study: TinyStudy, block: Any = None) -> TinyStudy:
    """Without a second reader, one model."""
    study.settings["perturbations"] = MILD if block is None else block
    study.settings["selection"] = {**study.settings["selection"], "perturbation": GATE}
    study.settings["combinations"] = [["T1", "T2"]]
    for sequence in study.settings["sequences"].values():
        sequence.pop("repeats")
    return study


@pytest.fixture(scope="module")
def run(tiny_manifest: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> TinyStudy:
    """A study with two perturbations that has run; not to be changed."""
    study = TinyStudy(tmp_path_factory.mktemp("perturbed"), tiny_manifest.copy(), json.loads(json.dumps(SETTINGS)))
    perturbing(study).compute()
    return study


# what the study file says


def test_nothing_is_perturbed_unless_asked_and_true_takes_the_defaults() -> None:
    assert study_from_dict(SETTINGS).perturbations is None
    assert study_from_dict({**SETTINGS, "perturbations": False}).perturbations is None
    assert study_from_dict({**SETTINGS, "perturbations": True}).perturbations == Perturbations()


def test_a_block_that_perturbs_nothing_is_refused() -> None:
    nothing = {"rotate": 0, "translate": 0, "volume": 0, "noise": False, "contour": False}
    with pytest.raises(SettingsError, match="nothing is perturbed: keep at least one of rotate"):
        study_from_dict({**SETTINGS, "perturbations": nothing})


def test_perturbations_that_no_step_would_use_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"nothing would use them, .* leave one of them out"):
        study_from_dict({**SETTINGS, "perturbations": True, "selection": {"perturbation": None}})


def test_a_table_has_nothing_to_perturb_and_may_bring_its_own_repeats() -> None:
    table = {"outcome": {"column": "y"}, "features": "t.csv", "perturbations": True}
    with pytest.raises(SettingsError, match=r"has no image to perturb.*features.repeats with reader: perturbation"):
        study_from_dict(table)


@pytest.mark.parametrize("where", [{"reader": PERTURBED}, {"repeats": [{"mask": "B", "reader": PERTURBED}]}], ids=str)
def test_no_person_is_called_perturbation(where: dict[str, Any]) -> None:
    sequences = {"T1": {"image": "a", "mask": "b", **where}}
    with pytest.raises(SettingsError, match=r"stands for perturbed scans .* give the reader another name"):
        study_from_dict({**SETTINGS, "sequences": sequences})


# what is drawn


def draw(**changes: Any) -> Perturbation:
    place = {"random_state": 1, "patient": "P1", "sequence": "T1", "round_": 1}
    return drawn_perturbation(Perturbations(**changes.pop("block", {})), **place | changes)


@pytest.mark.parametrize("change", [{"random_state": 2}, {"patient": "P2"}, {"sequence": "T2"}, {"round_": 2}], ids=str)
def test_equal_places_draw_alike_and_others_differently(change: dict[str, Any]) -> None:
    assert draw() == draw()
    first, other = draw(), draw(**change)
    assert first.degrees != other.degrees
    assert first.noise != other.noise
    assert first.outline != other.outline


def test_a_kind_that_is_switched_off_leaves_the_others_as_they_are() -> None:
    fewer = draw(block={"noise": False, "volume": 0})
    assert (fewer.degrees, fewer.fraction, fewer.outline) == (draw().degrees, draw().fraction, draw().outline[1:])
    assert fewer.noise is None


def test_amounts_fill_their_limits_evenly_either_way() -> None:
    many = [draw(patient=f"P{n}", block={"rotate": 8, "translate": 0.4, "volume": 0.2}) for n in range(400)]
    for values, limit in (
        ([one.degrees for one in many], 8),
        ([part for one in many for part in one.fraction], 0.4),
        ([one.outline[0].fraction for one in many], 0.2),  # type: ignore[union-attr]  # volume comes first
    ):
        assert max(map(abs, values)) <= limit
        np.testing.assert_allclose(
            np.quantile(values, [0.05, 0.5, 0.95]), [-0.9 * limit, 0, 0.9 * limit], atol=limit / 6
        )


# where it happens


@pytest.mark.parametrize("settings", [RESAMPLED, AS_IT_IS], ids=["resampled", "as it is"])
def test_a_perturbation_that_changes_nothing_changes_no_feature(settings: CaseSettings) -> None:
    plain = extract_case(image(1), mask(1), settings).features
    assert extract_case(image(1), mask(1), replace(settings, perturbation=Perturbation())).features == plain


@pytest.mark.parametrize("settings", [RESAMPLED, AS_IT_IS], ids=["resampled", "as it is"])
@pytest.mark.parametrize("change", [{"degrees": 5.0}, {"fraction": (0.3, 0.3, 0.3)}, {"noise": AddNoise()}], ids=str)
def test_every_kind_reaches_the_features(settings: CaseSettings, change: dict[str, Any]) -> None:
    plain = extract_case(image(1), mask(1), settings).features
    changed = extract_case(image(1), mask(1), replace(settings, perturbation=Perturbation(**change))).features
    assert changed.keys() == plain.keys()
    assert changed["wavelet-LLH_firstorder_Entropy"] != plain["wavelet-LLH_firstorder_Entropy"]
    assert changed["original_firstorder_Mean"] == pytest.approx(plain["original_firstorder_Mean"], rel=0.05)


def test_noise_comes_with_the_image_so_that_a_window_clips_it() -> None:
    settings = replace(RESAMPLED, whole_image=(Window(lower=90, upper=110),), resample=None)
    noisy = extract_case(image(1), mask(1), replace(settings, perturbation=Perturbation(noise=AddNoise(sd=50))))
    assert (noisy.features["original_firstorder_Minimum"], noisy.features["original_firstorder_Maximum"]) == (90, 110)


@pytest.mark.parametrize("settings", [RESAMPLED, AS_IT_IS], ids=["resampled", "as it is"])
def test_the_outline_is_changed_on_the_voxels_that_are_measured(settings: CaseSettings) -> None:
    volume = "original_shape_VoxelVolume"
    plain = extract_case(image(1), mask(1), settings).features[volume]
    grown = Perturbation(outline=(ChangeVolume(fraction=0.1),))
    assert extract_case(image(1), mask(1), replace(settings, perturbation=grown)).features[volume] == pytest.approx(
        1.1 * plain, rel=0.002
    )


def test_a_long_lesion_is_not_cut_by_the_crop_when_it_turns() -> None:
    z, y, x = np.mgrid[:12, :90, :150]
    long = Mask(voxels=(abs(z - 6) < 3) & (abs(y - 45) < 4) & (abs(x - 75) < 60), spacing_mm=(1, 1, 1))
    scan = Volume(voxels=np.random.default_rng(0).normal(100 + 60 * long.voxels, 5), spacing_mm=(1, 1, 1))
    turned = replace(RESAMPLED, perturbation=Perturbation(degrees=25, outline=(RandomiseContour(),)))
    moved = replace(turned, perturbation=Perturbation(degrees=25))
    length = "original_shape_Maximum3DDiameter"
    plain = extract_case(scan, long, RESAMPLED).features
    assert extract_case(scan, long, moved).features[length] == pytest.approx(plain[length], rel=0.02)
    assert extract_case(scan, long, turned).features[length] == pytest.approx(plain[length], rel=0.15)


# extraction


def test_each_perturbation_is_kept_by_itself_and_not_measured_twice(tmp_path: Path) -> None:
    study = study_from_dict({**SETTINGS, "perturbations": MILD})
    source = MaskSource(source=mask(1))
    scan = ScanTask(
        patient="P1", sequence="T1", image=image(1), masks=(source,), settings=AS_IT_IS, cache=tmp_path, picture=True
    )
    tasks = [scan, *perturbed_tasks(study, [scan])]
    first = extract_scans(tasks)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    assert len(kept) == 3
    assert [(r.rows[0].reader, r.rows[0].round) for r in first] == [("A", 1), (PERTURBED, 1), (PERTURBED, 2)]
    assert [r.rows for r in extract_scans(tasks)] == [r.rows for r in first]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == kept
    assert [r.picture is None for r in first] == [False, True, True]


def test_training_patients_alone_are_perturbed(run: TinyStudy) -> None:
    (part,) = stored(run.run, "split.json")["partitions"]
    table = pd.read_parquet(run.run / "features.parquet")
    own = table[table["reader"] == PERTURBED]
    assert sorted(own["patient"]) == sorted(part["training"] * 2)
    assert set(own["round"]) == {1, 2}
    assert own.notna().all(axis=None)
    assert stored(run.run, "provenance.json")["inputs"]["scans"] == 48


def test_the_perturbations_are_a_step_of_their_own_and_no_reader(run: TinyStudy) -> None:
    results = stored(run.run, "results.json")
    (fit,) = results["models"]["T1+T2"]["fits"]
    assert [entry["step"] for entry in fit["kept"]][:4] == ["candidates", "variance", "perturbation", "spearman"]
    kept = {entry["step"]: entry["n"] for entry in fit["kept"]}
    assert 0 < kept["perturbation"] < kept["variance"]
    assert "perturbation" in {row["step"] for row in results["proof"]}
    assert results["held_out_seen"] == 0


def test_the_summary_counts_scans_as_they_are(run: TinyStudy, computed: TinyStudy) -> None:
    assert stored(run.run, "extraction.json")["bins"] == stored(computed.run, "extraction.json")["bins"]


def test_two_workers_and_another_order_give_the_same_numbers(tiny: TinyStudy, run: TinyStudy) -> None:
    numbers = ("features.parquet", "predictions.csv", "results.json")
    perturbing(tiny).table = tiny.table.sample(frac=1, random_state=5)
    assert contents(tiny.compute(jobs=2), *numbers) == contents(run.run, *numbers)


def test_a_run_that_stopped_takes_up_the_perturbations_that_it_had(tiny: TinyStudy, run: TinyStudy) -> None:
    cache = perturbing(tiny).compute() / "cache" / "scans"
    finished = {path: path.stat().st_mtime_ns for path in cache.rglob("*.json")}
    lost = sorted(finished)[0]
    lost.unlink()
    (tiny.run / "features.parquet").unlink()
    tiny.compute()
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.json") if path != lost} == {
        path: time for path, time in finished.items() if path != lost
    }
    assert contents(tiny.run, "features.parquet") == contents(run.run, "features.parquet")


def test_a_perturbation_that_fails_is_listed_and_costs_nothing_else(tiny: TinyStudy, run: TinyStudy) -> None:
    """An image that is mostly padding has no noise level."""
    (part,) = stored(run.run, "split.json")["partitions"]
    patient = part["training"][0]
    padded = np.zeros((12, 48, 48), dtype=np.float32)
    padded[:, :24, :24] = image(2 * int(patient[1:])).voxels
    drawn = np.zeros(padded.shape, dtype=bool)
    drawn[:, :24, :24] = mask(1).voxels
    for name, part_ in (("T1_image", Volume(voxels=padded, spacing_mm=(3, 1, 1))),
                        ("T1_mask", Mask(voxels=drawn, spacing_mm=(3, 1, 1)))):  # fmt: skip
        write_volume(part_, tiny.own(patient, name))
    failures = stored(perturbing(tiny, {**MILD, "noise": True}).compute(), "extraction.json")["failures"]
    assert [(f["patient"], f["sequence"], f["reader"], f["round"]) for f in failures] == [
        (patient, "T1", PERTURBED, 1),
        (patient, "T1", PERTURBED, 2),
    ]
    assert all("estimated as 0" in f["reason"] and "noise: false" in f["reason"] for f in failures)
    assert stored(tiny.run, "results.json")["models"]["T1+T2"]["fits"][0]["n_training"] == len(part["training"])


# what a fit sees


def fits_of(study: Study, frame: pd.DataFrame, parts: tuple[Partition, ...], cache: Path) -> list[FitUnit]:
    ids = sorted(frame["patient"].unique())
    patients = Patients(
        outcome=pd.Series({name: int(name[1:]) % 2 for name in ids}),
        groups=pd.Series({name: name for name in ids}),
        batches=None,
    )
    return units_of(study, FeatureTable(frame), parts, study.designs()[0], patients, cache=cache)


def test_perturbed_rows_of_held_out_patients_change_nothing_that_is_fitted(tiny: TinyStudy, tmp_path: Path) -> None:
    perturbing(tiny).settings["split"] = {"method": "kfold", "folds": 2, "repeats": 1}
    part = stored(tiny.compute(), "split.json")["partitions"][0]
    held = part["tests"]["cross-validation"]
    frame = pd.read_parquet(tiny.run / "features.parquet")
    assert set(frame.loc[frame["reader"] == PERTURBED, "patient"]) == {*held, *part["training"]}
    marked = frame.copy()
    theirs = (marked["reader"] == PERTURBED) & marked["patient"].isin(held)
    marked.loc[theirs, marked.columns[3:]] = -1e6
    parts = (Partition(repeat=0, fold=0, training=tuple(part["training"]), tests={"cross-validation": tuple(held)}),)
    study = read_study(tiny.study)
    fits = [
        fit_unit(fits_of(study, own, parts, tmp_path / name)[0])["T1+T2"]
        for own, name in ((frame, "clean"), (marked, "marked"))
    ]
    assert fits[0] == fits[1]
    (step,) = [row for row in fits[0]["fit"]["kept"] if row["step"] == "perturbation"]
    assert step["n"] > 0


def test_perturbed_rows_of_training_patients_decide(run: TinyStudy, tmp_path: Path) -> None:
    part = stored(run.run, "split.json")["partitions"][0]
    frame = pd.read_parquet(run.run / "features.parquet")
    marked = frame.copy()
    theirs = marked["reader"] == PERTURBED
    name = "T1_original_firstorder_Mean"
    marked.loc[theirs, name] = marked.loc[theirs, name].sample(frac=1, random_state=1).to_numpy() + 1e3
    parts = (Partition(repeat=0, fold=0, training=tuple(part["training"]), tests={"internal": ()}),)
    kept = [
        fit_unit(fits_of(read_study(run.study), own, parts, tmp_path / which)[0])["T1+T2"]["fit"]["kept"][2]["n"]
        for own, which in ((frame, "clean"), (marked, "marked"))
    ]
    assert kept[1] == kept[0] - 1


def test_readers_and_perturbations_are_told_apart() -> None:
    drawn = [("A", 1, 1.0), ("A", 2, 2.0), ("B", 1, 3.0), (PERTURBED, 1, 4.0), (PERTURBED, 2, 5.0)]
    columns = ["patient", "reader", "round", "T1_original_glcm_F"]
    frame = pd.DataFrame([("P1", *row) for row in drawn], columns=columns)
    tables = repeat_tables(FeatureTable(frame), study_from_dict(SETTINGS), ("T1",))
    assert {kind: rows.iloc[0, 0] for kind, rows in tables.items()} == {
        "intra": 2, "inter": 3, "perturbation 1": 4, "perturbation 2": 5,
    }  # fmt: skip


def test_a_table_brings_its_own_perturbed_rows(tmp_path: Path) -> None:
    study = TableStudy(tmp_path / "table")
    noise = np.random.default_rng(0).normal(0, 0.5, (len(study.table), 6))
    again = study.table.copy()
    again.iloc[:, :6] += noise
    again["original_glcm_F3"] = features_of(9)["original_glcm_F3"]
    study.others = {"p1.csv": again}
    study = study.with_features(repeats=[{"table": "p1.csv", "reader": PERTURBED, "round": 1}])
    (model,) = stored(run_study(read_study(study.write()), study.run), "results.json")["models"].values()
    assert {row["n"] for fit in model["fits"] for row in fit["kept"] if row["step"] == "perturbation"} == {5}
    assert not [row for fit in model["fits"] for row in fit["kept"] if row["step"] == "icc"]


# what the report says


def test_the_methods_name_every_perturbation_in_its_order(run: TinyStudy) -> None:
    result = StudyResult.load(run.run)
    what, gate = perturbation_sentences(result)
    assert "measured 2 more times" in what
    assert what.index("turned in the slices by up to 4 degrees") < what.index("grown or shrunk by up to 5%")
    assert "noise" not in what
    assert "ICC(1,1) over the measurement itself and 2 perturbed ones exceeded 0.3" in gate
    every = replace(result, study=result.study.model_copy(update={"perturbations": Perturbations()}))
    assert "noise of the image's own level added before" in perturbation_sentences(every)[0]
    assert "drawn anew along supervoxels" in perturbation_sentences(every)[0]


def test_the_methods_are_silent_where_nothing_was_perturbed(computed: TinyStudy) -> None:
    assert perturbation_sentences(StudyResult.load(computed.run)) == ()
