"""Nouns: volumes, cohorts and tables, without file access."""
