"""Classifiers and the chain from selection to a tuned model."""

from glottis.modelling.classifiers import CLASSIFIERS, RANDOM_FOREST, ClassifierSpec
from glottis.modelling.crossval import FitRecord, TunedChain
from glottis.modelling.harmonise import ComBat
from glottis.modelling.scaling import LogisticCurve

__all__ = ["CLASSIFIERS", "RANDOM_FOREST", "ClassifierSpec", "ComBat", "FitRecord", "LogisticCurve", "TunedChain"]
