"""The commented ``study.yaml`` that ``glottis init`` and ``glottis demo`` write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from glottis.study.quoting import quoted
from glottis.study.spec import Split
from glottis.study.spec_images import DEFAULT_PREPROCESSING, BiasField, Modality, Wavelet
from glottis.study.template_models import model_lines
from glottis.study.template_table import TemplateTable, table_lines


@dataclass(frozen=True, kw_only=True)
class TemplateSequence:
    """One sequence as the template shows it: its columns, and further masks as (column, reader, round)."""

    image: str
    mask: str
    modality: Modality
    repeats: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class StudyTemplate:
    """What is known of a cohort when its first ``study.yaml`` is written.

    Attributes:
        title: first line of the report.
        manifest: file name of the manifest, beside the study file; empty for a table that is its own.
        id: id column; empty for rows that are numbered.
        outcome: outcome column.
        positive: its value that is the event; empty for a column of 0 and 1.
        positive_note: why this value.
        sequences: by name; none where the study starts from a table.
        table: the table of features that the study starts from.
        group: column of rows that stay together, or empty.
        centre: centre column, or empty.
        survival: columns of time and event, or empty.
        clinical: clinical columns.
        left_out: columns that were left out of ``clinical``, each with its reason.
        split: the proposed split.
        split_note: why this one.
        n4: settings of the bias-field correction of MR.
        inner_folds: folds of the tuning inside the training patients.
        log_sigma_mm: widths of the LoG filter, or empty.
    """

    title: str
    manifest: str
    id: str
    outcome: str
    positive: str = ""
    positive_note: str = ""
    sequences: Mapping[str, TemplateSequence] = field(default_factory=dict)
    table: TemplateTable | None = None
    group: str = ""
    centre: str = ""
    survival: tuple[str, str] | None = None
    clinical: Sequence[str] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    split: Split = field(default_factory=Split)
    split_note: str = ""
    n4: BiasField = field(default_factory=BiasField)
    inner_folds: int = 5
    log_sigma_mm: tuple[float, ...] = ()


def study_yaml(template: StudyTemplate) -> str:
    """The text of the study file; every line that a user may want to change says what it does."""
    lines = [
        "# A radiomics study. Lines can be left out: the value shown is then the default.",
        "# Look at the cohort with  glottis check study.yaml,  then  glottis run study.yaml --out run",
        f"title: {quoted(template.title)}",
        *_rows(template),
        *_outcome(template),
        *_columns(template),
        "",
        *_start(template),
        "",
        *_split(template),
        "",
        *model_lines(
            from_table=template.table is not None,
            centre=bool(template.centre),
            inner_folds=template.inner_folds,
        ),
    ]
    return "\n".join(lines) + "\n"


def _rows(template: StudyTemplate) -> list[str]:
    """The manifest and its ids."""
    paths = "" if template.table else "; paths are relative to it"
    manifest = [f"manifest: {quoted(template.manifest)}   # one row a patient{paths}"] if template.manifest else []
    return [*manifest, f"id: {quoted(template.id)}" if template.id else "id: null                 # rows are numbered"]


def _start(template: StudyTemplate) -> list[str]:
    """What the study starts from: sequences and their preprocessing, or a table."""
    if template.table is not None:
        return table_lines(template.table)
    return [*_sequences(template.sequences), "", *_preprocessing(template), "", *_features(template)]


def _outcome(template: StudyTemplate) -> list[str]:
    positive = f", positive: {quoted(template.positive)}" if template.positive else ""
    note = f"   # {template.positive_note}" if template.positive_note else "   # 1 is the event"
    return [f"outcome: {{column: {quoted(template.outcome)}{positive}}}{note}"]


def _columns(template: StudyTemplate) -> list[str]:
    lines = []
    if template.centre:
        lines.append(f"centre: {quoted(template.centre)}")
    else:
        lines.append("# centre: COLUMN        # hospital or scanner site, for an external test")
    note = "# rows of one group never stand on both sides of a split"
    lines.append(f"group: {quoted(template.group)}   {note}" if template.group else f"# group: COLUMN         {note}")
    if template.survival:
        time, event = template.survival
        lines.append(f"survival: {{time: {quoted(time)}, event: {quoted(event)}}}")
    lines.append(f"clinical: [{', '.join(quoted(name) for name in template.clinical)}]")
    lines += [f"#   left out: {quoted(name)} ({reason})" for name, reason in template.left_out.items()]
    return lines


def _sequences(sequences: Mapping[str, TemplateSequence]) -> list[str]:
    lines = ["sequences:"]
    for name, sequence in sequences.items():
        lines += [
            f"  {quoted(name)}:",
            f"    modality: {sequence.modality}         # MR, CT or PET: decides the preprocessing below",
            f"    image: {quoted(sequence.image)}",
            f"    mask: {quoted(sequence.mask)}",
            "    # label: 1           # voxel value of the lesion; left out: every value above 0",
            "    lesions: union       # several lesions in a mask: union or largest",
        ]
        if sequence.repeats:
            lines.append("    repeats:             # further masks of the same lesion, for the ICC")
            lines += [
                f"      - {{mask: {quoted(column)}, reader: {reader}, round: {number}}}"
                for column, reader, number in sequence.repeats
            ]
    return lines


def _preprocessing(template: StudyTemplate) -> list[str]:
    lines = ["preprocessing:           # in this order: n4, window, normalise, resample, resegment"]
    for modality in dict.fromkeys(sequence.modality for sequence in template.sequences.values()):
        block = DEFAULT_PREPROCESSING[modality]
        lines.append(f"  {modality}:")
        if block.n4 is not None:
            iterations = ", ".join(str(n) for n in template.n4.iterations)
            n4 = f"{{shrink_factor: {template.n4.shrink_factor}, iterations: [{iterations}]}}"
            lines.append(f"    n4: {n4}   # bias field; null switches it off")
        lines.append("    window: null         # {lower: -125, upper: 225} clips intensities")
        normalise = block.normalise
        lines.append(
            f"    normalise: {{method: {normalise.method}, scale: {normalise.scale:g}, shift: {normalise.shift:g}}}"
            "   # zscore, within_mask, reference_region, nyul or none"
        )
        if block.resample is not None:
            spacing = ", ".join(f"{size:g}" for size in block.resample.spacing_mm)
            lines.append(
                f"    resample: {{spacing_mm: [{spacing}], interpolator: {block.resample.interpolator}, "
                f"mask_interpolator: {block.resample.mask_interpolator}}}"
            )
        lines.append("    resegment: null      # {range: [-3, 3], mode: sigma} leaves outliers out")
        lines.append(
            f"    bins: {{width: {block.bins.width:g}}}       # or {{count: 32}}; aim at 16 to 128 grey levels"
        )
    return lines


def _features(template: StudyTemplate) -> list[str]:
    log = f"{{sigma_mm: [{', '.join(f'{s:g}' for s in template.log_sigma_mm)}]}}" if template.log_sigma_mm else "null"
    return [
        "features:",
        "  classes: [shape, firstorder, glcm, glrlm, glszm, gldm, ngtdm]",
        f"  wavelet: {{wavelet: {Wavelet().wavelet}}}   # null switches it off",
        f"  log: {log}              # {{sigma_mm: [1, 2, 3]}} adds the Laplacian of Gaussian",
    ]


def _split(template: StudyTemplate) -> list[str]:
    split = template.split
    lines = [f"split:                   # {template.split_note}" if template.split_note else "split:"]
    lines.append(f"  method: {split.method}         # random, centre, given, kfold or repeated")
    if split.method == "kfold":
        lines += [f"  folds: {split.folds}", f"  repeats: {split.repeats}"]
    if split.method == "random":
        lines += [f"  test_fraction: {split.test_fraction:g}", "  stratify: true"]
    if split.external:
        lines.append(f"  external: [{', '.join(quoted(name) for name in split.external)}]   # centres kept for testing")
    return lines
