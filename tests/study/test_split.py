from __future__ import annotations

import numpy as np
import pytest

from glottis._errors import CohortError
from glottis.data.cohort import Case, Cohort
from glottis.study.spec import Split
from glottis.study.split import partition_digest, partitions


def cohort(n=60, *, group_size=1, centres=("1", "1", "1", "2"), prevalence=0.5, sets=()):
    by_group = np.random.default_rng(3).random(n) < prevalence
    return Cohort(
        tuple(
            Case(
                patient=f"P{i:03d}",
                group=f"G{i // group_size:03d}",
                centre=centres[(i // group_size) % len(centres)],
                outcome=int(by_group[i // group_size]),
                given_set=sets[i % len(sets)] if sets else "",
            )
            for i in range(n)
        )
    )


def test_a_random_split_holds_out_three_tenths_and_keeps_the_external_centre_apart():
    (part,) = partitions(cohort(), Split(external=("2",)), random_state=1)
    sizes = {name: len(patients) for name, patients in part.tests.items()}
    assert (len(part.training), sizes) == (31, {"internal": 14, "external": 15})


@pytest.mark.parametrize("split", [Split(), Split(method="kfold", folds=3, repeats=4), Split(external=("2",))])
def test_a_group_never_stands_on_both_sides(split):
    cases = cohort(group_size=3)
    group = {case.patient: case.group for case in cases}
    for part in partitions(cases, split, random_state=1):
        assert not {group[p] for p in part.training} & {group[p] for p in part.held_out()}


def test_every_patient_is_held_out_once_a_repeat():
    parts = partitions(cohort(), Split(method="kfold", folds=5, repeats=3), random_state=1)
    for repeat in range(3):
        held = [p for part in parts if part.repeat == repeat for p in part.tests["cross-validation"]]
        assert sorted(held) == [case.patient for case in cohort()]


def test_repeats_differ_and_the_same_seed_gives_the_same_split():
    split = Split(method="kfold", folds=5, repeats=2)
    first, again = (partitions(cohort(), split, random_state=1) for _ in range(2))
    assert first == again
    assert first[0].tests != first[5].tests


def test_the_order_of_cases_does_not_matter():
    cases = cohort()
    shuffled = Cohort(tuple(np.random.default_rng(0).permutation(np.array(cases.cases, dtype=object))))
    assert partitions(cases, Split(), random_state=1) == partitions(shuffled, Split(), random_state=1)


def test_the_digest_knows_who_is_held_out():
    cases = cohort()
    digests = {partition_digest(partitions(cases, Split(), random_state=seed), cases) for seed in (1, 1, 2)}
    assert len(digests) == 2


def test_an_unknown_external_centre_is_named_with_the_nearest():
    with pytest.raises(CohortError, match=r"centre '3', which no patient has"):
        partitions(cohort(), Split(external=("3",)), random_state=1)


def test_an_external_centre_of_one_class_is_refused():
    cases = Cohort(tuple(Case(**{**vars(c), "outcome": 1 if c.centre == "2" else c.outcome}) for c in cohort()))
    with pytest.raises(CohortError, match="external set has 15 patients of one class only"):
        partitions(cases, Split(external=("2",)), random_state=1)


def test_fewer_events_than_folds_are_refused():
    cases = Cohort(tuple(Case(**{**vars(c), "outcome": int(c.patient < "P003")}) for c in cohort()))
    with pytest.raises(CohortError, match="3 groups with the event"):
        partitions(cases, Split(method="kfold", folds=5), random_state=1)


def test_a_given_split_is_taken_as_it_is():
    cases = cohort(sets=("training", "training", "Internal", "external"))
    (part,) = partitions(cases, Split(method="given", column="set"), random_state=1)
    assert part.tests["internal"] == tuple(c.patient for c in cases if c.given_set == "Internal")


def test_a_given_split_with_an_unknown_set_is_refused():
    with pytest.raises(CohortError, match=r"set 'trainng' \(did you mean 'training'\?\)"):
        partitions(cohort(sets=("trainng",)), Split(method="given", column="set"), random_state=1)


def test_a_group_in_and_outside_an_external_centre_is_refused():
    cases = Cohort(tuple(Case(**{**vars(c), "group": "same"}) for c in cohort()))
    with pytest.raises(CohortError, match="Group 'same' has patients in an external centre and elsewhere"):
        partitions(cases, Split(external=("2",)), random_state=1)


def test_groups_that_hold_both_classes_can_be_folded():
    cases = Cohort(tuple(Case(patient=f"P{n:02d}", group=f"G{n // 2}", outcome=n % 2) for n in range(20)))
    parts = partitions(cases, Split(method="kfold", folds=5, repeats=1), random_state=1)
    assert [len(part.tests["cross-validation"]) for part in parts] == [4] * 5
