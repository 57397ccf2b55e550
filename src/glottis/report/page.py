"""How pages are made from templates: one environment for all of them."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from glottis.report import wording
from glottis.report.groups import classifier_name


def page_environment() -> Environment:
    """Templates with the words that format stored numbers."""
    environment = Environment(
        loader=PackageLoader("glottis.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        number=wording.number,
        percent=wording.percent,
        limits=wording.limits,
        plain=wording.plain,
        set_name=wording.set_name,
        step_name=wording.step_name,
        capitalised=wording.capitalised,
        classifier_name=classifier_name,
        joined=wording.joined,
        counted=wording.counted,
    )
    return environment
