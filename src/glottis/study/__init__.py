"""The study: what it is, and how its stages follow one another."""
