"""Classifiers and survival models, the chain from selection to a tuned one, fusion and harmonisation."""

from glottis.modelling.background import background_of
from glottis.modelling.batches import BatchEffect, batch_effect
from glottis.modelling.blocks import BlockSelector
from glottis.modelling.chain import fit_together
from glottis.modelling.choice import choose
from glottis.modelling.classifiers import CLASSIFIERS, RANDOM_FOREST, ClassifierSpec
from glottis.modelling.clinical import ClinicalChain
from glottis.modelling.clinical_fixed import FixedClinical
from glottis.modelling.confounding import Tangled, tangled
from glottis.modelling.contributions import BlockContribution, Contribution, contribution
from glottis.modelling.crossval import TunedChain
from glottis.modelling.deployed import Scorer
from glottis.modelling.deployed_fusion import FusedScorer
from glottis.modelling.deploying import scorer_of
from glottis.modelling.equation import Equation, equation
from glottis.modelling.explain import Explanation, explain
from glottis.modelling.fixed import FixedChain
from glottis.modelling.fusion import LateFusion
from glottis.modelling.harmonise import ComBat
from glottis.modelling.nested import NestedResult, SplitsResult, nested_cross_validation, repeated_splits
from glottis.modelling.nomogram import Nomogram
from glottis.modelling.nomogram_axes import Outcome
from glottis.modelling.regression_nomogram import CoxNomogram, LogisticNomogram, cox_nomogram, logistic_nomogram
from glottis.modelling.scaling import LogisticCurve
from glottis.modelling.survival import SURVIVAL_MODELS, SurvivalChain
from glottis.modelling.terms import LinearPredictor, Term
from glottis.modelling.tuning import Range, Search
from glottis.modelling.views import FitRecord

__all__ = [
    "CLASSIFIERS",
    "RANDOM_FOREST",
    "SURVIVAL_MODELS",
    "BatchEffect",
    "BlockContribution",
    "BlockSelector",
    "ClassifierSpec",
    "ClinicalChain",
    "ComBat",
    "Contribution",
    "CoxNomogram",
    "Equation",
    "Explanation",
    "FitRecord",
    "FixedChain",
    "FixedClinical",
    "FusedScorer",
    "LateFusion",
    "LinearPredictor",
    "LogisticCurve",
    "LogisticNomogram",
    "NestedResult",
    "Nomogram",
    "Outcome",
    "Range",
    "Scorer",
    "Search",
    "SplitsResult",
    "SurvivalChain",
    "Tangled",
    "Term",
    "TunedChain",
    "background_of",
    "batch_effect",
    "choose",
    "contribution",
    "cox_nomogram",
    "equation",
    "explain",
    "fit_together",
    "logistic_nomogram",
    "nested_cross_validation",
    "repeated_splits",
    "scorer_of",
    "tangled",
]
