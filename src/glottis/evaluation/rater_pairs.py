"""Raters against each other on the same patients: AUCs, calls, agreement, reclassification, readers in modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from glottis.data.ratings import Paired, Rater
from glottis.evaluation.comparison import DelongMatrix, DelongTest, delong_matrix, delong_test
from glottis.evaluation.cutoffs import Cutoff
from glottis.evaluation.interval import plain
from glottis.evaluation.kappa import Kappa, cohen_kappa, fleiss_kappa
from glottis.evaluation.mcnemar import Among, McNemar, mcnemar_test
from glottis.evaluation.multiplicity import holm
from glottis.evaluation.rater import Scale
from glottis.evaluation.readers import ReaderStudy, obuchowski_rockette
from glottis.evaluation.reclassification import (
    IntegratedDiscrimination,
    Reclassification,
    integrated_discrimination,
    net_reclassification,
)

Pair = tuple[str, str]
MISSING_P = float("nan")
AMONG: dict[str, Among] = {"accuracy": "all", "sensitivity": "positives", "specificity": "negatives"}


@dataclass(frozen=True, kw_only=True)
class AreaTest:
    """Two AUCs; ``p_holm`` is adjusted over all pairs of the set."""

    first: str
    second: str
    test: DelongTest
    p_holm: float | None
    conclusion: str


@dataclass(frozen=True, kw_only=True)
class CallTest:
    """Two raters' calls: McNemar on all patients, on the positives, on the negatives; each adjusted over all pairs."""

    first: str
    second: str
    accuracy: McNemar
    sensitivity: McNemar
    specificity: McNemar
    p_holm: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Kappa of two raters, or of all readers of a modality (``second`` None), on calls or ratings."""

    first: str
    second: str | None
    of: str
    kappa: Kappa


@dataclass(frozen=True, kw_only=True)
class Reclassified:
    """A model's probabilities against those of another."""

    model: str
    reference: str
    nri: Reclassification
    idi: IntegratedDiscrimination


@dataclass(frozen=True, kw_only=True)
class RaterPairs:
    """All comparisons of a set.

    Attributes:
        areas: paired DeLong tests, Holm-adjusted over them.
        matrix: the same as a matrix; None where only some pairs are compared.
        calls: McNemar's tests at the cut-offs.
        agreement: kappas between readers, or between raters' calls where no reader is named.
        reclassification: NRI and IDI against the reference, of probabilities.
        readers: Obuchowski-Rockette analysis; None without several modalities.
        which: which pairs are compared, in words.
        notes: what was not done, and why.
    """

    areas: tuple[AreaTest, ...]
    matrix: DelongMatrix | None
    calls: tuple[CallTest, ...]
    agreement: tuple[Agreement, ...]
    reclassification: tuple[Reclassified, ...]
    readers: ReaderStudy | None
    which: str
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self)) | {"readers": None if self.readers is None else self.readers.to_dict()}


def compare_raters(
    raters: Sequence[Rater],
    on: Paired,
    scales: Mapping[str, Scale],
    cutoffs: Mapping[str, Cutoff | None],
    *,
    reference: str | None,
    level: float,
) -> RaterPairs | None:
    """Compare raters on the same patients; None with a single one.

    Args:
        raters: those of the set.
        on: their patients, whose outcome holds both classes.
        scales: kind of each rater's scores.
        cutoffs: each rater's cut-off.
        reference: compare with this rater alone; None compares all pairs.
        level: confidence level.
    """
    if len(raters) < 2 or on.y_true is None:
        return None
    pairs, which = _pairs(raters, reference)
    readers, note = _reader_study(raters, on, level)
    every = len(pairs) == len(raters) * (len(raters) - 1) // 2
    return RaterPairs(
        areas=_areas(pairs, on, level),
        matrix=delong_matrix(on.y_true, on.scores, level=level) if every else None,
        calls=_calls(pairs, on, cutoffs, level),
        agreement=_agreement(raters, on, scales, cutoffs, level),
        reclassification=_reclassified(pairs, on, scales, level) if reference is not None else (),
        readers=readers,
        which=which,
        notes=(note,) if note else (),
    )


def _pairs(raters: Sequence[Rater], reference: str | None) -> tuple[list[Pair], str]:
    names = [rater.name for rater in raters]
    if reference is not None and reference in names:
        return [(name, reference) for name in names if name != reference], f"each with {reference}"
    if len({rater.modality for rater in raters if rater.reader is not None}) > 1:
        own = [(a.name, b.name) for a, b in combinations(raters, 2) if a.reader is not None and a.reader == b.reader]
        models = [rater for rater in raters if rater.reader is None]
        own += [(a.name, b.name) for a, b in combinations(raters, 2) if a in models or b in models]
        return own, "each reader with itself, between modalities" + (", and models with all" if models else "")
    return list(combinations(names, 2)), "all pairs"


def _areas(pairs: Sequence[Pair], on: Paired, level: float) -> tuple[AreaTest, ...]:
    tests = [delong_test(_truth(on), on.scores[a], on.scores[b], level=level) for a, b in pairs]
    adjusted: Any = holm([MISSING_P if test.p_value is None else test.p_value for test in tests]) if tests else []
    return tuple(
        AreaTest(
            first=a,
            second=b,
            test=test,
            p_holm=None if test.p_value is None else float(p),
            conclusion=_conclusion(a, b, test, float(p), level),
        )
        for (a, b), test, p in zip(pairs, tests, adjusted, strict=True)
    )


def _conclusion(first: str, second: str, test: DelongTest, p_holm: float, level: float) -> str:
    """After adjustment, in words that claim no more than was shown."""
    if test.p_value is None:
        return "not estimable"
    if p_holm >= 1 - level:
        return "not shown to differ"
    better, worse = (first, second) if test.first > test.second else (second, first)
    return f"{better} has the higher AUC than {worse}"


def _calls(
    pairs: Sequence[Pair], on: Paired, cutoffs: Mapping[str, Cutoff | None], level: float
) -> tuple[CallTest, ...]:
    called = _called(on, cutoffs)
    truth, usable = _truth(on), [pair for pair in pairs if pair[0] in called and pair[1] in called]
    if not usable:
        return ()
    tests = {
        metric: [mcnemar_test(truth, called[a], called[b], among=among, level=level) for a, b in usable]
        for metric, among in AMONG.items()
    }
    adjusted = {metric: holm([test.p_value for test in own]) for metric, own in tests.items()}
    return tuple(
        CallTest(
            first=a,
            second=b,
            accuracy=tests["accuracy"][i],
            sensitivity=tests["sensitivity"][i],
            specificity=tests["specificity"][i],
            p_holm={metric: float(p[i]) for metric, p in adjusted.items()},
        )
        for i, (a, b) in enumerate(usable)
    )


def _called(on: Paired, cutoffs: Mapping[str, Cutoff | None]) -> dict[str, Any]:
    return {name: (on.scores[name] >= cut.value).astype(int) for name, cut in cutoffs.items() if cut is not None}


def _agreement(
    raters: Sequence[Rater],
    on: Paired,
    scales: Mapping[str, Scale],
    cutoffs: Mapping[str, Cutoff | None],
    level: float,
) -> tuple[Agreement, ...]:
    """Between the readers of each modality; between all raters' calls where no two readers are named."""
    called = _called(on, cutoffs)
    readers = [rater for rater in raters if rater.reader is not None]
    if len(readers) < 2:
        return tuple(
            Agreement(first=a, second=b, of="calls", kappa=cohen_kappa(called[a], called[b], level=level))
            for a, b in combinations(called, 2)
        )
    found = []
    for modality in dict.fromkeys(rater.modality for rater in readers):
        names = [rater.name for rater in readers if rater.modality == modality]
        where = modality or "all readers"
        if len(names) > 1 and all(name in called for name in names):
            table = np.array([called[name] for name in names]).T
            found += [Agreement(first=where, second=None, of="calls", kappa=fleiss_kappa(table, level=level))]
            found += [
                Agreement(first=a, second=b, of="calls", kappa=cohen_kappa(called[a], called[b], level=level))
                for a, b in combinations(names, 2)
            ]
        if len(names) > 1 and all(scales[name] == "ordinal" for name in names):
            levels = sorted({float(value) for name in names for value in on.scores[name]})
            found += [
                Agreement(
                    first=a,
                    second=b,
                    of="ratings",
                    kappa=cohen_kappa(on.scores[a], on.scores[b], weights="quadratic", categories=levels, level=level),
                )
                for a, b in combinations(names, 2)
            ]
    return tuple(found)


def _reclassified(
    pairs: Sequence[Pair], on: Paired, scales: Mapping[str, Scale], level: float
) -> tuple[Reclassified, ...]:
    truth = _truth(on)
    return tuple(
        Reclassified(
            model=new,
            reference=old,
            nri=net_reclassification(truth, on.scores[old], on.scores[new], level=level),
            idi=integrated_discrimination(truth, on.scores[old], on.scores[new], level=level),
        )
        for new, old in pairs
        if scales[new] == scales[old] == "probability"
    )


def _reader_study(raters: Sequence[Rater], on: Paired, level: float) -> tuple[ReaderStudy | None, str]:
    """Obuchowski-Rockette, where every reader read in every modality; otherwise why not."""
    at = {(rater.modality, rater.reader): rater.name for rater in raters if rater.reader and rater.modality}
    modalities = list(dict.fromkeys(modality for modality, _ in at))
    readers = list(dict.fromkeys(reader for _, reader in at))
    if len(modalities) < 2:
        return None, ""
    absent = [
        f"{reader} in {modality}" for modality in modalities for reader in readers if (modality, reader) not in at
    ]
    if absent:
        note = f"No Obuchowski-Rockette analysis: not every reader read in every modality ({', '.join(absent[:8])})."
        return None, note
    if min(int(_truth(on).sum()), int((1 - _truth(on)).sum())) < 2:
        return None, "No Obuchowski-Rockette analysis: it needs two patients of each class."
    scores = np.array([[on.scores[at[modality, reader]] for reader in readers] for modality in modalities])
    factor: Any = "random" if len(readers) > 1 else "fixed"
    study = obuchowski_rockette(
        _truth(on),
        scores,
        modalities=[str(modality) for modality in modalities],
        readers=[str(reader) for reader in readers],
        reader_factor=factor,
        level=level,
    )
    return study, "" if len(readers) > 1 else "One reader: the analysis of modalities speaks of this reader alone."


def _truth(on: Paired) -> Any:
    if on.y_true is None:
        message = "Raters are compared on an outcome."
        raise ValueError(message)
    return on.y_true
