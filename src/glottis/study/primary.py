"""Which model counts as the result of the study; no held-out patient has a say in it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glottis.modelling.tuning import TIE
from glottis.study.spec import Design, Study


@dataclass(frozen=True, kw_only=True)
class Primary:
    """The primary model.

    Attributes:
        design: its combination and fusion.
        model: its name.
        reason: why it is this one, as a sentence.
    """

    design: Design
    model: str
    reason: str


def primary_model(study: Study, fits: Mapping[str, Sequence[Mapping[str, Any]]]) -> Primary:
    """The combination with most sequences or blocks, early fusion first; among its classifiers by inner AUC alone.

    Args:
        study: the settings.
        fits: what ``fit_unit`` gave, by model.
    """
    fitted = [design for design in study.designs() if any(name in fits for name in design.models.values())]
    usable = [design for design in fitted if design.of_features] or fitted
    design = max(usable, key=lambda item: len(item.blocks))  # the first of equals: early comes before late
    names = [name for name in design.models.values() if name in fits]
    most = f"{design.name} has the most {'sequences' if study.table is None else 'blocks'}" if len(usable) > 1 else ""
    if len(names) == 1:
        only = "It is the only model" if len(fitted) == 1 else "It is the only model of features"
        return Primary(design=design, model=names[0], reason=f"{most or only}.")
    if study.chooses:
        how = "in each fold the classifier with the best inner AUC counts, chosen without that fold's test patients"
        return Primary(
            design=design, model=design.chosen, reason=f"{most}; {how}." if most else f"{how[0].upper()}{how[1:]}."
        )
    best = best_of({name: float(np.mean([r["fit"]["inner_auc"] for r in fits[name]])) for name in names})
    how = f"of its {len(names)} classifiers this one has the best inner AUC on training patients"
    return Primary(design=design, model=best, reason=_sentence(most, how))


def _sentence(most: str, how: str) -> str:
    return f"{most}; {how}." if most else f"{how[0].upper()}{how[1:]}."


def best_of(areas: Mapping[str, float]) -> str:
    """The name with the highest AUC, the first of equals."""
    highest = max(areas.values())
    return next(name for name, value in areas.items() if value >= highest - TIE)


def chosen_fits(design: Design, fits: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Of every partition the fit of the classifier with the best inner AUC, under the name of the chosen model.

    Its steps are logged with the classifier that it is.
    """
    found = []
    for results in zip(*(fits[name] for name in design.models.values()), strict=True):
        by_name = dict(zip(design.models.values(), results, strict=True))
        best = by_name[best_of({name: result["fit"]["inner_auc"] for name, result in by_name.items()})]
        own = copy.deepcopy(dict(best))
        own["scores"] = [{**row, "model": design.chosen} for row in own["scores"]]
        own["log"] = []
        found.append(own)
    return found
