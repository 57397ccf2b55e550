"""How a folder of scans is laid out: found out, then written down as a manifest that people can edit."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from glottis._errors import CohortError
from glottis.io.clinical import is_missing, read_cells
from glottis.io.files import write_text_atomic
from glottis.io.images import is_image_name, stem

Kind = Literal["patient folders", "nnU-Net", "BIDS", "PyRadiomics batch table"]
LAYOUTS_IN_WORDS = (
    "PATIENT/SEQ_image.nii.gz + PATIENT/SEQ_mask.nii.gz, nnU-Net (imagesTr, labelsTr), "
    "BIDS (sub-*/anat) or a PyRadiomics batch table (columns Image, Mask)"
)
MASK_WORDS = r"(?:mask|segmentation|seg|labels?|lesion|tumou?r|roi)"
MASK_NAME = re.compile(
    rf"^(?P<sequence>.*?)[-_. ]?{MASK_WORDS}(?:[-_. ]{MASK_WORDS})*(?P<rest>(?:\d+|[-_. ].*)?)$", re.IGNORECASE
)
IMAGE_NAME = re.compile(r"^(?P<sequence>.*?)[-_. ]?(?:image|img|scan|volume)$", re.IGNORECASE)
READER = re.compile(
    r"^[-_. ]*(?:reader)?[-_. ]?(?P<reader>[A-Za-z])?[-_. ]*(?:round|redraw|r)?[-_. ]?(?P<round>\d+)?$", re.I
)
BIDS_NAME = re.compile(r"^(?P<subject>sub-[A-Za-z0-9]+)(?:_(?P<session>ses-[A-Za-z0-9]+))?(?P<entities>(?:_[^_]+)*)$")
NNUNET_CHANNEL = re.compile(r"^(?P<case>.+)_(?P<channel>\d{4})$")
BidsFile = tuple[tuple[str, str], list[str], str, Path]
"""Subject and session, entities, suffix and file."""
ONLY_SEQUENCE = "scan"
MAX_NAMED = 8


@dataclass(frozen=True, kw_only=True)
class RepeatColumn:
    """A column with further masks of the same lesion."""

    sequence: str
    column: str
    reader: str
    round: int


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What was found in a folder.

    Attributes:
        kind: which layout.
        sequences: names in order.
        rows: one row a patient: ``patient``, then ``<SEQ>_image`` and ``<SEQ>_mask`` (and further masks), paths as
            text, empty where absent.
        repeats: the columns of further masks, with reader and round as the file names say.
        notes: what a person should know: files that fit nowhere, patients without a sequence.
    """

    kind: Kind
    sequences: tuple[str, ...]
    rows: pd.DataFrame
    repeats: tuple[RepeatColumn, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JoinReport:
    """How a clinical table fits the patients of a folder.

    Attributes:
        column: the table's id column.
        matched: patients found in both.
        without_clinical: patients with images that the table lacks.
        without_images: ids of the table that have no images; their rows stay in the manifest.
    """

    column: str
    matched: tuple[str, ...]
    without_clinical: tuple[str, ...]
    without_images: tuple[str, ...]

    def sentences(self) -> tuple[str, ...]:
        """The join in words."""
        lines = [f"{len(self.matched)} patients have images and a row in the clinical table (column '{self.column}')."]
        if self.without_clinical:
            lines.append(f"{len(self.without_clinical)} have images only: {_named(self.without_clinical)}.")
        if self.without_images:
            lines.append(f"{len(self.without_images)} are in the table only: {_named(self.without_images)}.")
        return tuple(lines)


def detect(folder: Path | str) -> Layout:
    """Find out how a folder of scans is laid out.

    Args:
        folder: a folder, or a PyRadiomics batch table.

    Raises:
        CohortError: absent, or none of the known layouts.
    """
    folder = Path(folder)
    if folder.is_file():
        return _batch_table(folder)
    if not folder.is_dir():
        message = f"Folder '{folder}' does not exist: correct the path."
        raise CohortError(message)
    if (folder / "imagesTr").is_dir():
        return _nnunet(folder)
    if any(entry.is_dir() and entry.name.startswith("sub-") for entry in folder.iterdir()):
        return _bids(folder)
    found = _patient_folders(folder)
    if found is None:
        message = f"No images with masks found in '{folder}'. Known layouts: {LAYOUTS_IN_WORDS}."
        raise CohortError(message)
    return found


def join_clinical(rows: pd.DataFrame, table: pd.DataFrame) -> tuple[pd.DataFrame, JoinReport]:
    """Join a clinical table to the rows of a layout; no patient of either side is dropped.

    The id column is the one whose values match most patients (as written; failing that, without letter case,
    punctuation and leading zeros), whatever its name.

    Returns:
        The joined rows (clinical columns after ``patient``, patients of the table without images at the end), and
        the report.

    Raises:
        CohortError: no column matches any patient, or an id stands in several rows of the table.
    """
    patients = [str(patient) for patient in rows["patient"]]
    column, normalise = _id_column(patients, table)
    keys = ["" if is_missing(cell) else normalise(str(cell)) for cell in table[column]]
    wanted = {normalise(patient) for patient in patients}
    double = sorted(key for key, count in Counter(keys).items() if count > 1 and key in wanted)
    if double:
        message = (
            f"Clinical column '{column}' names {len(double)} patients twice ({_named(double)}): keep one row each."
        )
        raise CohortError(message)
    clinical = table.drop(columns=[column]).rename(columns={name: f"clinical_{name}" for name in rows.columns})
    clinical.insert(0, "_key", keys)
    left = rows.assign(_key=[normalise(patient) for patient in patients])
    joined = left.merge(clinical[clinical["_key"].isin(wanted)], on="_key", how="left")
    extra = clinical[~clinical["_key"].isin(wanted)].copy()
    extra.insert(0, "patient", table.loc[extra.index, column])
    joined = pd.concat([joined, extra[extra["patient"].notna()]], ignore_index=True).drop(columns="_key")
    order = ["patient", *clinical.columns.drop("_key"), *rows.columns.drop("patient")]
    report = JoinReport(
        column=column,
        matched=tuple(patient for patient in patients if normalise(patient) in set(keys)),
        without_clinical=tuple(patient for patient in patients if normalise(patient) not in set(keys)),
        without_images=tuple(str(cell) for cell in extra["patient"] if not is_missing(cell)),
    )
    return joined[order].astype(object).where(joined[order].notna(), None), report


def write_manifest(frame: pd.DataFrame, path: Path | str) -> None:
    """Write a manifest as CSV (UTF-8 with a mark, which Excel needs), paths relative to its folder where they can be.

    Raises:
        StorageError: the disk is full or the folder not writable.
    """
    path = Path(path)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow(["" if cell is None or cell != cell else _relative(str(cell), path.parent) for cell in row])
    write_text_atomic(path, "\ufeff" + buffer.getvalue())


def _relative(cell: str, folder: Path) -> str:
    if not Path(cell).is_absolute() or not Path(cell).exists():
        return cell
    try:
        return Path(os.path.relpath(Path(cell).resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        return cell


def _id_column(patients: list[str], table: pd.DataFrame) -> tuple[str, Callable[[str], str]]:
    for normalise in (str.strip, _loose):
        wanted = {normalise(patient) for patient in patients}
        if len(wanted) < len(set(patients)):
            continue
        hits = {
            str(name): len(wanted & {normalise(str(cell)) for cell in table[name] if not is_missing(cell)})
            for name in table.columns
        }
        best = max(hits, key=lambda name: hits[name])
        if hits[best]:
            return best, normalise
    message = (
        f"No column of the clinical table holds the patients' names ({_named(patients)}): add a column with the "
        "names of the image folders."
    )
    raise CohortError(message)


def _loose(name: str) -> str:
    """Letters and digits only, lower case, numbers without leading zeros."""
    parts = re.findall(r"[^\W\d_]+|\d+", name.lower())
    return "-".join(part.lstrip("0") or "0" if part.isdigit() else part for part in parts)


def _patient_folders(folder: Path) -> Layout | None:
    found: dict[str, dict[str, str]] = {}
    notes: list[str] = []
    repeats: dict[str, RepeatColumn] = {}
    for patient in sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")):
        images, masks, others = _sort_entries(patient)
        cells = _pair(images, masks)
        for sequence, rest, file in others:
            column = _repeat_column(sequence or ONLY_SEQUENCE, rest, repeats)
            if column:
                cells[column] = str(file)
            else:
                notes.append(f"{patient.name}: '{file.name}' fits no sequence and was left out.")
        unpaired = sorted(name for name in images if f"{name or ONLY_SEQUENCE}_mask" not in cells)
        notes += [f"{patient.name}: no mask for image '{images[name].name}'." for name in unpaired if cells]
        if cells:
            found[patient.name] = cells
        elif images or masks:
            notes.append(f"{patient.name}: no image with a mask; left out.")
    return (
        _layout("patient folders", found, notes, repeats) if any(_has_pair(cells) for cells in found.values()) else None
    )


def _has_pair(cells: dict[str, str]) -> bool:
    return any(name.endswith("_image") and f"{name[:-6]}_mask" in cells for name in cells)


def _sort_entries(patient: Path) -> tuple[dict[str, Path], dict[str, Path], list[tuple[str, str, Path]]]:
    """Images and masks of a patient folder by sequence name, and masks with something after the word mask."""
    images: dict[str, Path] = {}
    masks: dict[str, Path] = {}
    others: list[tuple[str, str, Path]] = []
    for entry in sorted(patient.iterdir()):
        if entry.name.startswith(".") or not (is_image_name(entry.name) or _is_series(entry)):
            continue
        name = stem(entry.name)
        mask = MASK_NAME.match(name)
        if mask is None:
            image = IMAGE_NAME.match(name)
            images[image["sequence"] if image else name] = entry
        elif mask["rest"]:
            others.append((mask["sequence"], mask["rest"], entry))
        else:
            masks[mask["sequence"]] = entry
    return images, masks, others


def _is_series(entry: Path) -> bool:
    return entry.is_dir() and any(
        file.is_file() and file.suffix.lower() in (".dcm", ".ima") for file in entry.iterdir()
    )


def _pair(images: dict[str, Path], masks: dict[str, Path]) -> dict[str, str]:
    """Pair by name; a single image and a single mask belong together whatever they are called."""
    if len(images) == len(masks) == 1:
        name = next(iter(images))
        pairs = {name: (images[name], next(iter(masks.values())))}
    else:
        shared = set(masks) == {""} and "" not in images
        pairs = {
            name: (image, masks["" if shared else name]) for name, image in images.items() if shared or name in masks
        }
    cells = {}
    for name, (image, mask) in pairs.items():
        cells[f"{name or ONLY_SEQUENCE}_image"] = str(image)
        cells[f"{name or ONLY_SEQUENCE}_mask"] = str(mask)
    return cells


def _repeat_column(sequence: str, rest: str, repeats: dict[str, RepeatColumn]) -> str:
    """The column of a further mask such as ``T1_mask_readerB_round2``; empty where the rest says neither."""
    parts = READER.match(rest)
    if parts is None or not (parts["reader"] or parts["round"]):
        return ""
    reader, round_ = (parts["reader"] or "A").upper(), int(parts["round"] or 1)
    column = f"{sequence}_mask_{reader}{round_}"
    repeats[column] = RepeatColumn(sequence=sequence, column=column, reader=reader, round=round_)
    return column


def _nnunet(folder: Path) -> Layout:
    channels, notes = _nnunet_dataset(folder / "dataset.json")
    found: dict[str, dict[str, str]] = {}
    for image in sorted(file for file in (folder / "imagesTr").iterdir() if is_image_name(file.name)):
        parts = NNUNET_CHANNEL.match(stem(image.name))
        if parts is None:
            notes.append(f"imagesTr/{image.name} has no channel number (_0000) and was left out.")
            continue
        label_map = _sibling_mask(folder / "labelsTr", parts["case"])
        if label_map is None:
            notes.append(f"{parts['case']}: no mask in labelsTr; left out.")
            continue
        sequence = channels.get(int(parts["channel"]), parts["channel"])
        found.setdefault(parts["case"], {}).update(
            {f"{sequence}_image": str(image), f"{sequence}_mask": str(label_map)}
        )
    if not found:
        message = f"'{folder}' looks like nnU-Net, but no case has both an image and a mask (labelsTr): complete it."
        raise CohortError(message)
    return _layout("nnU-Net", found, list(dict.fromkeys(notes)), {})


def _nnunet_dataset(file: Path) -> tuple[dict[int, str], list[str]]:
    """Channel names (``channel_names`` of version 2, ``modality`` of version 1), and a note on several labels."""
    if not file.is_file():
        return {}, []
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        names = content.get("channel_names") or content.get("modality") or {}
        labels = [str(name) for name in content.get("labels", {}) if str(name) not in ("0", "background")]
        channels = {int(number): _column_name(str(name)) for number, name in names.items()}
    except (ValueError, AttributeError) as error:
        message = f"'{file}' is not readable as nnU-Net's dataset.json ({error}): repair or remove it."
        raise CohortError(message) from error
    several = f"The label maps hold {len(labels)} labels: say which value is the lesion (label), or all count together."
    return channels, [several] if len(labels) > 1 else []


def _column_name(name: str) -> str:
    return re.sub(r"[^\w]+", "_", name).strip("_") or ONLY_SEQUENCE


def _sibling_mask(folder: Path, case: str) -> Path | None:
    if not folder.is_dir():
        return None
    return next(
        (file for file in sorted(folder.iterdir()) if is_image_name(file.name) and stem(file.name) == case), None
    )


def _bids(folder: Path) -> Layout:
    images, masks = _bids_files(folder)
    found: dict[str, dict[str, str]] = {}
    notes = []
    for key, entities, suffix, file in images:
        patient = "_".join(part for part in key if part)
        sequence = _column_name("_".join([*(part for part in entities if not part.startswith("run-")), suffix]))
        mask = _bids_mask(entities, suffix, masks.get(key, []))
        if mask is None:
            notes.append(f"{patient}: no mask for '{file.name}'; left out.")
        elif f"{sequence}_image" in found.get(patient, {}):
            notes.append(f"{patient}: '{file.name}' is a further run of {sequence}; left out.")
        else:
            found.setdefault(patient, {}).update({f"{sequence}_image": str(file), f"{sequence}_mask": str(mask)})
    if not found:
        message = (
            f"'{folder}' looks like BIDS, but no image has a mask (*_mask or *_dseg, also in derivatives): add them."
        )
        raise CohortError(message)
    if any(session for (_, session), *_ in images):
        notes.append(
            "Sessions are rows of their own (sub-XX_ses-YY): set a group column so that a patient stays on one side."
        )
    return _layout("BIDS", found, notes, {})


def _bids_files(folder: Path) -> tuple[list[BidsFile], dict[tuple[str, str], list[BidsFile]]]:
    """Images of the raw data, and masks from anywhere by subject and session."""
    images: list[BidsFile] = []
    masks: dict[tuple[str, str], list[BidsFile]] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and is_image_name(path.name)):
        parts = BIDS_NAME.match(stem(file.name))
        if parts is None:
            continue
        key = (parts["subject"], parts["session"] or "")
        *entities, suffix = parts["entities"].strip("_").split("_")
        if suffix == "dseg" or MASK_NAME.match(suffix):
            masks.setdefault(key, []).append((key, entities, suffix, file))
        elif "derivatives" not in file.relative_to(folder).parts:
            images.append((key, entities, suffix, file))
    return images, masks


def _bids_mask(entities: list[str], suffix: str, candidates: list[BidsFile]) -> Path | None:
    """The mask that names the image's suffix, else one that shares its entities, else the only one."""
    for _, mask_entities, _, file in candidates:
        if suffix in mask_entities and all(part in mask_entities for part in entities):
            return file
    rest = [(names, file) for _, names, _, file in candidates if not any("-" not in name for name in names)]
    sharing = [file for names, file in rest if entities and all(part in names for part in entities)]
    if sharing:
        return sharing[0]
    return rest[0][1] if len(rest) == 1 else None


def _batch_table(path: Path) -> Layout:
    header, cells = read_cells(path)
    if not {"Image", "Mask"} <= set(header):
        message = (
            f"'{path.name}' is no PyRadiomics batch table (columns Image, Mask). Known layouts: {LAYOUTS_IN_WORDS}."
        )
        raise CohortError(message)
    rows = pd.DataFrame(cells, columns=header, dtype=object)
    name = next(
        (column for column in header if column.lower() in ("patient", "id", "case", "patientid", "subject")), None
    )
    found: dict[str, dict[str, str]] = {}
    notes = []
    for number, row in enumerate(rows.to_dict("records"), start=1):
        patient = str(row[name]) if name else Path(row["Image"]).parent.name or f"row{number}"
        sequence = _batch_sequence(Path(row["Image"]).name, patient)
        target = found.setdefault(patient, {})
        if f"{sequence}_image" in target:
            notes.append(f"{patient}: row {number} is a second mask or image of '{sequence}' and was left out.")
            continue
        target[f"{sequence}_image"] = str(path.parent / row["Image"])
        target[f"{sequence}_mask"] = str(path.parent / row["Mask"])
    return _layout("PyRadiomics batch table", found, notes, {})


def _batch_sequence(file: str, patient: str) -> str:
    name = stem(file)
    image = IMAGE_NAME.match(name)
    sequence = (image["sequence"] if image else name).replace(patient, "").strip("-_. ")
    return _column_name(sequence) if sequence else ONLY_SEQUENCE


def _layout(kind: Kind, found: dict[str, dict[str, str]], notes: list[str], repeats: dict[str, RepeatColumn]) -> Layout:
    names = {name[:-6] for cells in found.values() for name in cells if name.endswith("_image")}
    sequences = tuple(
        sorted(names, key=lambda name: (-sum(f"{name}_image" in cells for cells in found.values()), name))
    )
    kept = tuple(repeats[column] for column in sorted(repeats) if repeats[column].sequence in names)
    columns = [f"{name}_{part}" for name in sequences for part in ("image", "mask")] + [item.column for item in kept]
    rows = [[patient, *(cells.get(column) for column in columns)] for patient, cells in sorted(found.items())]
    for name in sequences:
        absent = [patient for patient, cells in sorted(found.items()) if f"{name}_image" not in cells]
        if absent:
            notes = [*notes, f"{name}: absent for {len(absent)} of {len(found)} patients ({_named(absent)})."]
    frame = pd.DataFrame(rows, columns=["patient", *columns], dtype=object)
    return Layout(kind=kind, sequences=sequences, rows=frame, repeats=kept, notes=tuple(notes))


def _named(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:MAX_NAMED]) + (f" and {len(listed) - MAX_NAMED} more" if len(listed) > MAX_NAMED else "")
