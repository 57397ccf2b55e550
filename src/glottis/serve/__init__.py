"""A model that is used on the next patient: the file that holds it."""

from glottis.serve.bundle import FORMAT_VERSION, Bundle, read_bundle, write_bundle

__all__ = ["FORMAT_VERSION", "Bundle", "read_bundle", "write_bundle"]
