"""Classifiers and the chain from selection to a tuned model."""

from glottis.modelling.batches import BatchEffect, batch_effect
from glottis.modelling.classifiers import CLASSIFIERS, RANDOM_FOREST, ClassifierSpec
from glottis.modelling.confounding import Tangled, tangled
from glottis.modelling.crossval import FitRecord, TunedChain
from glottis.modelling.harmonise import ComBat
from glottis.modelling.scaling import LogisticCurve

__all__ = [
    "CLASSIFIERS",
    "RANDOM_FOREST",
    "BatchEffect",
    "ClassifierSpec",
    "ComBat",
    "FitRecord",
    "LogisticCurve",
    "Tangled",
    "TunedChain",
    "batch_effect",
    "tangled",
]
