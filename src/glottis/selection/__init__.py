"""Estimators that decide which features stay."""

from glottis.selection.chain import radiomics_chain
from glottis.selection.lasso import LassoSelector
from glottis.selection.redundancy import SpearmanFilter
from glottis.selection.reproducibility import ICCFilter
from glottis.selection.rfe import RFESelector
from glottis.selection.variance import VarianceFilter

__all__ = ["ICCFilter", "LassoSelector", "RFESelector", "SpearmanFilter", "VarianceFilter", "radiomics_chain"]
