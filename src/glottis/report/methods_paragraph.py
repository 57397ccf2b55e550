"""A paragraph of the methods section."""

from __future__ import annotations

from dataclasses import dataclass

from glottis.report.wording import joined
from glottis.study.spec import Study


@dataclass(frozen=True)
class Paragraph:
    """A heading, its sentences, and the values that the published protocol leaves open and a default fills."""

    heading: str
    sentences: tuple[str, ...]
    open_values: tuple[str, ...] = ()

    @property
    def defaults(self) -> str:
        """The sentence about those values; empty without any."""
        if not self.open_values:
            return ""
        return f"Default of glottis; not stated in the published protocol: {joined(self.open_values)}."


def parts(study: Study) -> str:
    """What models are made of, in words."""
    return "sequences" if study.table is None else "blocks"
