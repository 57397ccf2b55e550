"""Estimators that decide which features stay."""

from glottis.selection.boruta import Boruta
from glottis.selection.chain import MoreSteps, radiomics_chain
from glottis.selection.lasso import LassoSelector
from glottis.selection.mrmr import MRMR
from glottis.selection.perturbation import PerturbationFilter
from glottis.selection.redundancy import SpearmanFilter
from glottis.selection.reproducibility import ICCFilter
from glottis.selection.rfe import RFESelector
from glottis.selection.univariate import UnivariateFilter
from glottis.selection.variance import VarianceFilter

__all__ = [
    "MRMR",
    "Boruta",
    "ICCFilter",
    "LassoSelector",
    "MoreSteps",
    "PerturbationFilter",
    "RFESelector",
    "SpearmanFilter",
    "UnivariateFilter",
    "VarianceFilter",
    "radiomics_chain",
]
