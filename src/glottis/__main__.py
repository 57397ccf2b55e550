"""``python -m glottis``."""
