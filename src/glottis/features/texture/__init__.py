"""Texture matrices and their features."""
