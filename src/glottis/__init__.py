"""Radiomics studies from scans to a model one can trust."""

__version__ = "0.1.0"
