"""How many analyses have looked at a test set: every further look makes its result a little less independent."""

from __future__ import annotations

import json
from pathlib import Path

from filelock import FileLock

from glottis._errors import StorageError
from glottis.study.store import write_json

COUNTER_FILE = Path(".glottis") / "test_sets.json"


def count_analysis(folder: Path, *, test_set: str, study: str) -> int:
    """Note that ``study`` looks at ``test_set`` and say how many different studies have done so.

    Args:
        folder: the manifest's folder, where the counter lives.
        test_set: digest of the held-out patients and their outcomes.
        study: digest of the study's settings; the same study counts once, however often it runs.

    Returns:
        The number of different studies, this one included; 0 where the folder cannot be written, so that nothing is
        known.
    """
    path = folder / COUNTER_FILE
    try:
        path.parent.mkdir(exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            known = _read(path)
            seen = known.setdefault(test_set, [])
            if study not in seen:
                seen.append(study)
                write_json(path, known)
            return len(seen)
    except OSError:
        return 0


def _read(path: Path) -> dict[str, list[str]]:
    try:
        content: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        message = f"'{path}' is damaged: it counts the analyses of each test set; restore it or delete it."
        raise StorageError(message) from error
    return content
