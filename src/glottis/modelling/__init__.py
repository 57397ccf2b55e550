"""Classifiers and the chain from selection to a tuned model."""

from glottis.modelling.batches import BatchEffect, batch_effect
from glottis.modelling.blocks import BlockSelector
from glottis.modelling.classifiers import CLASSIFIERS, RANDOM_FOREST, ClassifierSpec
from glottis.modelling.confounding import Tangled, tangled
from glottis.modelling.contributions import BlockContribution, Contribution, contribution
from glottis.modelling.crossval import FitRecord, TunedChain
from glottis.modelling.fusion import LateFusion
from glottis.modelling.harmonise import ComBat
from glottis.modelling.scaling import LogisticCurve

__all__ = [
    "CLASSIFIERS",
    "RANDOM_FOREST",
    "BatchEffect",
    "BlockContribution",
    "BlockSelector",
    "ClassifierSpec",
    "ComBat",
    "Contribution",
    "FitRecord",
    "LateFusion",
    "LogisticCurve",
    "Tangled",
    "TunedChain",
    "batch_effect",
    "contribution",
    "tangled",
]
