"""Who is in the study: patients, their scans and masks, and what the columns of a manifest mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from glottis.data.volume import Mask, Volume

Lesions = Literal["union", "largest", "each"]


@dataclass(frozen=True, kw_only=True)
class MaskSource:
    """Where one delineation of a lesion comes from.

    Attributes:
        source: a file, a DICOM folder, or a mask in memory.
        label: the voxel value of the lesion; ``None`` takes every value above zero.
        segment: name or number of the segment in a ``.seg.nrrd`` with several.
        lesions: several lesions in the mask count as one (``union``), only the largest counts, or ``each`` is a row.
        reader: who drew it.
        round: the reader's first, second ... delineation.
    """

    source: Path | Mask
    label: int | None = None
    segment: str | None = None
    lesions: Lesions = "union"
    reader: str = "A"
    round: int = 1


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One sequence of one patient: the image, its mask, and further masks of the same lesion."""

    sequence: str
    image: Path | Volume
    mask: MaskSource
    repeats: tuple[MaskSource, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One patient.

    Attributes:
        patient: the manifest's id, the only name of a patient that glottis ever writes.
        group: rows of one group stay on one side of every split; the patient's id unless a column says otherwise.
        centre: where the patient was scanned.
        outcome: 1 for the positive class, 0 for the other, ``None`` where it is missing.
        time: follow-up time, in the unit of the table.
        event: 1 where the event happened, 0 where the patient was censored.
        clinical: the clinical variables by name.
        scans: by sequence; a sequence that the patient lacks is absent.
        given_set: the set that a ``given`` split assigns, empty otherwise.
    """

    patient: str
    group: str
    centre: str = ""
    outcome: int | None = None
    time: float | None = None
    event: int | None = None
    clinical: Mapping[str, str | float | None] = field(default_factory=dict)
    scans: Mapping[str, Scan] = field(default_factory=dict)
    given_set: str = ""


@dataclass(frozen=True)
class Cohort:
    """Cases in the order of their ids, whatever the order in the manifest."""

    cases: tuple[Case, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "cases", tuple(sorted(self.cases, key=lambda case: case.patient)))

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)


@dataclass(frozen=True, kw_only=True)
class MaskColumn:
    """A manifest column that holds a mask, and who drew it."""

    column: str
    reader: str = "A"
    round: int = 1
    label: int | None = None
    segment: str | None = None


@dataclass(frozen=True, kw_only=True)
class SequenceColumns:
    """The manifest columns of one sequence."""

    image: str
    mask: MaskColumn
    repeats: tuple[MaskColumn, ...] = ()
    lesions: Lesions = "union"


@dataclass(frozen=True, kw_only=True)
class Roles:
    """What each column of a manifest means; ``None`` where the cohort has no such column.

    Attributes:
        id: patient id.
        sequences: image and mask columns by sequence name.
        group: rows that must stay together.
        centre: hospital or scanner site.
        outcome: the column to predict.
        positive: the value of ``outcome`` that is the event; every other single value is the negative class.
        time: follow-up time.
        event: 1 or 0.
        given_set: training, internal or external, for a split that was made elsewhere.
        clinical: clinical variables.
    """

    id: str
    sequences: Mapping[str, SequenceColumns] = field(default_factory=dict)
    group: str | None = None
    centre: str | None = None
    outcome: str | None = None
    positive: str | int | float | None = None
    time: str | None = None
    event: str | None = None
    given_set: str | None = None
    clinical: tuple[str, ...] = ()
