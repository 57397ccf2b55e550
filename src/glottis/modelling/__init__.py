"""Classifiers and the chain from selection to a tuned model."""
