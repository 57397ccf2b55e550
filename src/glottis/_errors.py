"""The exception tree.

::

    GlottisError                 every error that glottis raises on purpose
    ├── InputError (exit 2)      what the user gave cannot be used: file, column, setting, cohort
    │   ├── ImageError           one image or mask: unreadable, mismatched grid, empty mask
    │   ├── SettingsError        a study or parameter file: unknown key, value out of range
    │   ├── CohortError          the manifest or the clinical table: columns, roles, outcome, classes
    │   ├── StatisticsError      arrays that a statistic cannot use; a ValueError, too
    │   ├── BundleError          a model cannot be put in a bundle, or a bundle cannot be used
    │   ├── ClusterError         a cluster: no scheduler, no worker, other versions or files on a worker
    │   └── MissingExtraError    an optional library is not installed
    └── StorageError (exit 2)    a result cannot be written or read: full disk, foreign run folder

Every message says what is wrong, with which value, and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GlottisError(Exception):
    """Base of every error that glottis raises on purpose; the command line prints it without a traceback."""


class InputError(GlottisError):
    """What the user gave cannot be used."""


class ImageError(InputError):
    """One image or mask cannot be used."""


class SettingsError(InputError):
    """A study or parameter file says something that cannot be done."""


class CohortError(InputError):
    """The manifest or the clinical table cannot be used."""


class StatisticsError(InputError, ValueError):
    """Arrays or options that a statistic of `glottis.evaluation` cannot use; who expects a ``ValueError`` gets one."""


class BundleError(InputError):
    """A model cannot be put in a bundle, or a bundle cannot be used."""


class ClusterError(InputError):
    """A cluster cannot be reached, or its workers cannot be used."""


class MissingExtraError(InputError):
    """An optional library is needed and not installed."""


class StorageError(GlottisError):
    """A result cannot be written or read."""


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the valid word nearest to ``word``, or all valid words when none is near.

    >>> nearest("binWith", ["binWidth", "binCount"])
    "did you mean 'binWidth'?"
    >>> nearest("x", ["binWidth", "binCount"])
    'known: binCount, binWidth'
    """
    names = sorted(known)
    by_lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean '{by_lower[close[0]]}'?" if close else f"known: {', '.join(names)}"
