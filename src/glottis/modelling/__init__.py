"""Classifiers and the chain from selection to a tuned model."""

from glottis.modelling.chain import fit_together
from glottis.modelling.choice import choose
from glottis.modelling.classifiers import CLASSIFIERS, RANDOM_FOREST, ClassifierSpec
from glottis.modelling.crossval import TunedChain
from glottis.modelling.fixed import FixedChain
from glottis.modelling.scaling import LogisticCurve
from glottis.modelling.tuning import Range, Search
from glottis.modelling.views import FitRecord

__all__ = [
    "CLASSIFIERS",
    "RANDOM_FOREST",
    "ClassifierSpec",
    "FitRecord",
    "FixedChain",
    "LogisticCurve",
    "Range",
    "Search",
    "TunedChain",
    "choose",
    "fit_together",
]
