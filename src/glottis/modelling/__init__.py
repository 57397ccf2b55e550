"""Classifiers and the chain from selection to a tuned model."""

from glottis.modelling.chain import fit_together
from glottis.modelling.choice import choose
from glottis.modelling.classifiers import CLASSIFIERS, RANDOM_FOREST, ClassifierSpec
from glottis.modelling.crossval import TunedChain
from glottis.modelling.fixed import FixedChain
from glottis.modelling.nested import NestedResult, SplitsResult, nested_cross_validation, repeated_splits
from glottis.modelling.scaling import LogisticCurve
from glottis.modelling.survival import SURVIVAL_MODELS, SurvivalChain
from glottis.modelling.tuning import Range, Search
from glottis.modelling.views import FitRecord

__all__ = [
    "CLASSIFIERS",
    "RANDOM_FOREST",
    "SURVIVAL_MODELS",
    "ClassifierSpec",
    "FitRecord",
    "FixedChain",
    "LogisticCurve",
    "NestedResult",
    "Range",
    "Search",
    "SplitsResult",
    "SurvivalChain",
    "TunedChain",
    "choose",
    "fit_together",
    "nested_cross_validation",
    "repeated_splits",
]
