"""Estimators that decide which features stay."""
