"""Permutations of one partition share what sees no outcome, and change no result by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glottis._errors import GlottisError
from glottis.evaluation.discrimination import area
from glottis.modelling.fixed import FixedChain
from glottis.selection import SpearmanFilter, VarianceFilter
from glottis.study import permutations
from glottis.study.chains import chains_of, with_tuned
from glottis.study.fitting import fit_unit, table_digests, unit_key
from glottis.study.parallel import silent
from glottis.study.permutations import ShuffledGroup, fit_group, fitted_shuffles, shuffled, shuffled_units
from glottis.study.spec import study_from_dict
from glottis.study.split import Partition
from glottis.study.units import Patients, unit_of

N = 60
PATIENTS = [f"P{number:02d}" for number in range(N)]
OUTCOME = pd.Series([number % 2 for number in range(N)], index=PATIENTS)
ALONE = pd.Series(PATIENTS, index=PATIENTS)
BLOCKS = {"mr": "mr_*", "ct": "ct_*"}
SMALL = {"folds": 2, "grid": {"n_estimators": [5], "max_depth": [2]}}
UNIVARIATE = {"univariate": {"test": "welch", "p": 0.9}}


def features(*, hole: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    names = [f"{block}_F{number}" for block in BLOCKS for number in range(8)]
    values = rng.normal(size=(N, len(names))) + 0.5 * OUTCOME.to_numpy()[:, None]
    values[:, 1] = values[:, 0] + 0.01 * rng.normal(size=N)
    table = pd.DataFrame(values, index=PATIENTS, columns=names)
    if hole:
        table.iloc[-1, :] = np.nan
        table.iloc[-1, 3] = 1.0
    return table


def batches(n_new: int) -> pd.DataFrame:
    return pd.DataFrame({"batch": ["AB"[i // 2 % 2] if i < N - n_new else "C" for i in range(N)]}, index=PATIENTS)


def partitions(folds: int = 1) -> list[Partition]:
    """One split into 40 and 20, or a k-fold."""
    held = [PATIENTS[40:]] if folds == 1 else [PATIENTS[fold::folds] for fold in range(folds)]
    kept = [tuple(patient for patient in PATIENTS if patient not in own) for own in held]
    return [
        Partition(repeat=0, fold=fold, training=training, tests={"internal": tuple(own)})
        for fold, (training, own) in enumerate(zip(kept, held, strict=True))
    ]


def units(tmp_path, *, table=None, folds=1, batch=None, repeats=None, impute=None, **settings):
    split = {"method": "random"} if folds == 1 else {"method": "kfold", "folds": folds, "repeats": 1}
    features_block = {"table": "t.csv", "blocks": BLOCKS, "impute": impute}
    given = {"outcome": {"column": "y"}, "features": features_block, "split": split, "model": SMALL, **settings}
    study = study_from_dict(given | {"combinations": [["mr", "ct"]]})
    patients = Patients(outcome=OUTCOME, groups=ALONE, batches=batch)
    return [
        unit_of(study, features() if table is None else table, part, study.designs()[0], patients,
                repeats=repeats or {}, cache=tmp_path)
        for part in partitions(folds)
    ]  # fmt: skip


def shuffles_of(own, n=4):
    (name,) = own[0].design.models.values()
    return shuffled_units(own, [fit_unit(unit)[name] for unit in own], n=n, groups=ALONE)


def areas_alone(shuffle):
    """The same with every step fitted anew."""
    unit = shuffle.unit
    model = with_tuned(chains_of(unit)[shuffle.model], shuffle.tuned)
    if unit.design.fusion == "early":
        model = FixedChain(model, {name: values[0] for name, values in model.grid.items()})
    model.fit(unit.training, unit.outcome.loc[unit.training.index])
    found = {}
    for name, view in unit.tests.items():
        usable = view if unit.study.features.impute else view[view[model.selected_].notna().all(axis=1)]
        found[name] = area(unit.outcome.loc[usable.index].to_numpy(dtype=bool), model.predict_proba(usable)[:, 1])
    return found


CASES = {
    "default": {},
    "ICC": {"repeats": {"intra": features().iloc[:30] + 0.01}},
    "perturbation": {"repeats": {"perturbation 1": features().iloc[:30] * 1.01}},
    "univariate filter early": {"selection": UNIVARIATE},
    "no LASSO": {"selection": {"lasso": None, "spearman": None}},
    "gaps": {"table": features(hole=True)},
    "gaps filled": {"table": features(hole=True), "impute": "median"},
    "ComBat": {"harmonise": {"batch": "scanner"}, "batch": batches(0)},
    "ComBat of an unseen scanner": {
        "table": features(hole=True).iloc[[*range(39), 59, *range(40, 59), 39]].set_axis(PATIENTS),
        "harmonise": {"batch": "scanner", "unseen": "transductive"},
        "batch": batches(12),
        "impute": "median",
    },
    "selection in each block": {"selection": {"per_block": True}},
    "late fusion": {"fusion": "late"},
}


@pytest.mark.parametrize("case", CASES)
def test_areas_with_shared_steps_are_those_of_fits_alone_bit_for_bit(tmp_path, case):
    shuffles = shuffles_of(units(tmp_path, **CASES[case]))
    together = fit_group(ShuffledGroup(shuffles=tuple(shuffles)))
    assert together == [areas_alone(shuffle) for shuffle in shuffles]
    assert len({found["internal"] for found in together}) > 1


def test_the_folds_of_a_permutation_and_the_number_of_workers_change_nothing(tmp_path):
    shuffles = shuffles_of(units(tmp_path / "models", folds=3))
    elsewhere = [replace(s, unit=replace(s.unit, cache=tmp_path / "two")) for s in shuffles]
    one = fitted_shuffles(shuffles, jobs=1, progress=silent)
    assert one == [areas_alone(shuffle) for shuffle in shuffles]
    assert fitted_shuffles(elsewhere, jobs=2, progress=silent) == one


@pytest.fixture
def fits(monkeypatch) -> list[str]:
    """What is fitted of variance and Spearman, by name."""
    found: list[str] = []

    def counted(step):
        fit = step.fit
        monkeypatch.setattr(step, "fit", lambda self, X, y=None: found.append(step.__name__) or fit(self, X, y))

    counted(VarianceFilter)
    counted(SpearmanFilter)
    return found


@pytest.mark.parametrize(("selection", "spearman"), [({}, 1), (UNIVARIATE, 4)])
def test_steps_before_the_first_that_looks_at_the_outcome_are_fitted_once(tmp_path, fits, selection, spearman):
    shuffles = shuffles_of(units(tmp_path, selection=selection))
    fits.clear()
    fit_group(ShuffledGroup(shuffles=tuple(shuffles)))
    assert fits.count("VarianceFilter") == 1
    assert fits.count("SpearmanFilter") == spearman


def test_permutations_that_were_finished_are_not_fitted_again(tmp_path, fits, monkeypatch):
    shuffles = shuffles_of(units(tmp_path))
    first = fit_group(ShuffledGroup(shuffles=tuple(shuffles[:3])))
    fitted: list[int] = []
    fit = FixedChain.fit
    monkeypatch.setattr(FixedChain, "fit", lambda self, *a, **k: fitted.append(1) or fit(self, *a, **k))
    whole = fit_group(ShuffledGroup(shuffles=tuple(shuffles)))
    assert (whole[:3], len(fitted)) == (first, 1)
    fits.clear()
    assert fit_group(ShuffledGroup(shuffles=tuple(shuffles))) == whole
    assert not fits


@pytest.mark.parametrize(("folds", "n_workers", "sizes"), [(1, 1, [2, 2, 2]), (1, 4, [1] * 6), (3, 2, [3] * 6)])
def test_groups_are_of_one_partition_and_enough_for_the_workers(tmp_path, folds, n_workers, sizes):
    shuffles = shuffles_of(units(tmp_path, folds=folds), n=6)
    groups = permutations._grouped(shuffles, n_workers)
    assert sorted(place for own in groups for place in own) == list(range(6 * folds))
    assert [len(own) for own in groups] == sizes
    assert all(len({shuffles[place].unit.fold for place in own}) == 1 for own in groups)


def test_a_permutation_that_saw_a_held_out_patient_is_refused(tmp_path):
    (shuffle,) = shuffles_of(units(tmp_path), n=1)
    unit = shuffle.unit
    wider = replace(unit, training=pd.concat([unit.training, unit.tests["internal"].iloc[:1]]), cache=tmp_path / "wide")
    with pytest.raises(GlottisError, match="saw 1 held-out patients: results refused"):
        fit_group(ShuffledGroup(shuffles=(replace(shuffle, unit=wider),)))


def test_shuffling_keeps_the_outcomes_and_their_patients():
    other = shuffled(OUTCOME, ALONE, np.random.default_rng(0))
    assert list(other.index) == PATIENTS
    assert other.sum() == OUTCOME.sum()
    assert not other.equals(OUTCOME)


def test_the_rows_of_a_group_change_places_together():
    outcome = pd.Series([int(i // 4 % 2) for i in range(N)], index=PATIENTS)
    groups = pd.Series([f"G{i // 4}" for i in range(N)], index=PATIENTS)
    other = shuffled(outcome, groups, np.random.default_rng(0))
    assert other.groupby(groups).nunique().eq(1).all()
    assert not other.equals(outcome)


def test_digests_that_are_known_give_the_same_key(tmp_path):
    (unit,) = units(tmp_path, repeats={"intra": features().iloc[:30]})
    assert unit_key(unit, "shuffled", tables=table_digests(unit)) == unit_key(unit, "shuffled")
    other = replace(unit, training=unit.training + 1e-12)
    assert unit_key(unit, tables=table_digests(other)) == unit_key(other) != unit_key(unit)
