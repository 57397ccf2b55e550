"""Bundles of small models, and ways to forge one whose checksums are right."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from deployed_models import fused, scorer
from glottis.serve import write_bundle
from glottis.serve.archive import packed, sealed, unpacked
from glottis.serve.bundle import MANIFEST

SCORER = "scorers/final.json"


@cache
def written(name: str = "logistic_regression") -> bytes:
    """The bytes of a bundle with one scorer and one document."""
    made = fused("random_forest") if name == "late" else scorer(name, "combat")
    return packed_as(made)


def packed_as(made: Any) -> bytes:
    """The bytes of a bundle with this scorer and a document."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.glottis"
        write_bundle(path, documents={"card": {"title": "Staging", "cuts": [0.1, 0.25]}}, scorers={"final": made})
        return path.read_bytes()


def members_of(content: bytes) -> dict[str, bytes]:
    return unpacked(content)


def listed(texts: Mapping[str, bytes], **change: Any) -> dict[str, bytes]:
    """The members with a manifest that suits them, save for what is changed in it."""
    own = {name: text for name, text in texts.items() if name != MANIFEST}
    sums = {name: {"sha256": hashlib.sha256(text).hexdigest(), "bytes": len(text)} for name, text in own.items()}
    manifest = {"format": "glottis bundle", "format_version": 1, "glottis_version": "0.1.0", "members": sums} | change
    return {**own, MANIFEST: json.dumps(manifest).encode()}


def forged(change: Callable[[dict[str, bytes]], Any], **manifest: Any) -> bytes:
    """A bundle whose members were changed and whose checksums are right again."""
    members = members_of(written())
    change(members)
    return packed(listed(members, **manifest))


def with_scorer(name: str, change: Callable[[dict[str, Any]], Any]) -> bytes:
    """A bundle of this model whose scorer was changed, with right checksums."""
    members = members_of(written(name))
    content = json.loads(members[SCORER])
    change(content)
    return packed(listed({**members, SCORER: json.dumps(content).encode()}))


def zipped(entries: list[tuple[zipfile.ZipInfo | str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Any zip at all, closed with a right checksum."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for info, text in entries:
            archive.writestr(info, text)
        archive.comment = b"glottis sha256 " + b"0" * 64
    return sealed(buffer.getvalue())
