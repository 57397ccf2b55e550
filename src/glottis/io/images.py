"""Images and masks from files and back, through SimpleITK, with their geometry untouched."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glottis._errors import ImageError
from glottis.data.cohort import MaskSource
from glottis.data.volume import LabelMap, Mask, Triple, Volume
from glottis.io import nifti
from glottis.io.files import write_atomic
from glottis.io.segments import pick_label, pick_segment, segments_of, split_lesions
from glottis.io.voxels import read_voxels

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
WRITABLE = (".nii.gz", ".nii", ".nrrd", ".mha")
KNOWN = "NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr), MetaImage (.mha, .mhd) and DICOM series folders"
GRID_SHIFT_TOLERANCE_VOXELS = 0.01


@dataclass(frozen=True, kw_only=True)
class Header:
    """The geometry of an image file, read without its voxels.

    Attributes:
        shape: voxels along z, y, x.
        spacing_mm: z, y, x.
        origin_mm: x, y, z.
        direction: row-major 3 x 3.
        pixel_type: SimpleITK's name of the pixel type.
        components: values a voxel; more than one for RGB and for layered segmentations.
    """

    shape: tuple[int, int, int]
    spacing_mm: Triple
    origin_mm: Triple
    direction: tuple[float, ...]
    pixel_type: str
    components: int


def is_image_name(name: str) -> bool:
    """Whether a file name ends like an image that can be read."""
    return name.lower().endswith(SUFFIXES)


def stem(name: str) -> str:
    """A file name without its image suffix; ``.seg`` of ``.seg.nrrd`` goes too.

    >>> stem("T1_image.nii.gz"), stem("T1.seg.nrrd")
    ('T1_image', 'T1')
    """
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    return name[:-4] if name.lower().endswith(".seg") else name


def read_volume(path: Path | str, *, thorough: bool = False) -> Volume:
    """Read one image.

    Args:
        path: a NIfTI, NRRD or MetaImage file, a DICOM file, or the folder of one DICOM series. A two-dimensional
            file becomes a volume of one slice.
        thorough: also compare the checksum of a compressed NIfTI file and look for NaN in it, which SimpleITK reads
            as 0 (three times as slow; other formats are always looked through).

    Returns:
        The image in the pixel type of the file.

    Raises:
        ImageError: absent, unreadable, truncated, four-dimensional, colour, or with voxels that are not finite.
    """
    path = Path(path)
    plain = None if thorough else _read_plain(path)
    if plain is not None:
        if plain.voxels.dtype.kind == "f":
            nifti.require_finite(_n_not_finite(plain.voxels), path)
        return plain
    image = _read_image(path, thorough=thorough)
    if image.GetNumberOfComponentsPerPixel() > 1:
        count = image.GetNumberOfComponentsPerPixel()
        message = f"'{path}' has {count} values a voxel (colour or vectors), one is needed: export a grey-scale image."
        raise ImageError(message)
    volume = Volume.from_sitk(image)
    if volume.voxels.dtype.kind == "f":
        nifti.require_finite(_n_not_finite(volume.voxels), path)
    return volume


def _n_not_finite(voxels: np.ndarray[Any, Any]) -> int:
    return voxels.size - int(np.count_nonzero(np.isfinite(voxels)))


def _read_plain(path: Path) -> Volume | None:
    """A plainly laid out NIfTI or NRRD file, read the fast way; None where SimpleITK has to read the voxels."""
    if not path.name.lower().endswith((".nii", ".nii.gz", ".nrrd")):
        return None
    _require_exists(path)
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        with _quiet():
            reader.ReadImageInformation()
    except RuntimeError:
        return None  # the long way says what is wrong
    size = reader.GetSize()
    dtype = _numpy_type(reader.GetPixelID())
    if len(size) != 3 or dtype is None:
        return None
    with _as_image_error(path):
        voxels = read_voxels(path, (size[2], size[1], size[0]), dtype)
    if voxels is None:
        return None
    return Volume(
        voxels=voxels, spacing_mm=tuple(reader.GetSpacing()[::-1]), origin_mm=tuple(reader.GetOrigin()),
        direction=tuple(reader.GetDirection()),
    )  # fmt: skip


def _numpy_type(pixel_id: int) -> np.dtype[Any] | None:
    """The pixel type of a scalar image; None for vectors, labels and complex numbers."""
    import SimpleITK as sitk

    words = {
        sitk.sitkInt8: "i1", sitk.sitkUInt8: "u1", sitk.sitkInt16: "i2", sitk.sitkUInt16: "u2", sitk.sitkInt32: "i4",
        sitk.sitkUInt32: "u4", sitk.sitkInt64: "i8", sitk.sitkUInt64: "u8", sitk.sitkFloat32: "f4",
        sitk.sitkFloat64: "f8",
    }  # fmt: skip
    return np.dtype(words[pixel_id]) if pixel_id in words else None


def read_header(path: Path | str) -> Header:
    """Geometry and pixel type of an image without its voxels.

    Raises:
        ImageError: absent, unreadable, or not three-dimensional.
    """
    path = Path(path)
    _require_exists(path)
    if path.is_dir() or _is_dicom(path):
        volume = read_volume(path)
        return Header(
            shape=volume.shape, spacing_mm=volume.spacing_mm, origin_mm=volume.origin_mm, direction=volume.direction,
            pixel_type=str(volume.voxels.dtype), components=1,
        )  # fmt: skip
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    with _quiet(), _as_image_error(path):
        reader.ReadImageInformation()
    size, spacing, origin = reader.GetSize(), reader.GetSpacing(), reader.GetOrigin()
    if len(size) != 3:
        message = f"'{path}' has {len(size)} dimensions, three are needed: export one 3D volume."
        raise ImageError(message)
    return Header(
        shape=(size[2], size[1], size[0]), spacing_mm=(spacing[2], spacing[1], spacing[0]),
        origin_mm=(origin[0], origin[1], origin[2]), direction=tuple(reader.GetDirection()),
        pixel_type=sitk.GetPixelIDValueAsString(reader.GetPixelID()), components=reader.GetNumberOfComponents(),
    )  # fmt: skip


def read_masks(source: MaskSource, image: Volume | None = None) -> list[Mask]:
    """Read one delineation: one mask for ``union`` and ``largest``, one a lesion for ``each``.

    An empty mask is returned as it is; what it means is for the caller to say.

    Args:
        source: the file (or a mask in memory), its label or segment, and what to do with several lesions.
        image: the image it belongs to. A mask that was saved cropped on the image's own voxels (3D Slicer does
            this to ``.seg.nrrd``) is put back onto the whole image; any other difference is left as it is.

    Raises:
        ImageError: unreadable, DICOM-SEG or RTSTRUCT, or without the wanted label or segment.
    """
    mask = source.source if isinstance(source.source, Mask) else _read_mask(Path(source.source), source)
    if image is not None:
        mask = on_image_grid(mask, image)
    return [mask.with_voxels(part) for part in split_lesions(mask.voxels, source.lesions)]


def read_label_map(path: Path | str, *, channel: int = 0) -> LabelMap:
    """Read every label of a mask file, on the file's own grid.

    Args:
        path: a file or the folder of a DICOM series.
        channel: which component, from 0, where the file has several; PyRadiomics' ``label_channel``.

    Raises:
        ImageError: unreadable, not finite, or without that component.
    """
    path = Path(path)
    plain = _read_plain(path)
    if plain is None:
        return label_map_of(_read_image(path), channel=channel, name=f"'{path}'")
    return LabelMap(
        voxels=_finite(plain.voxels, f"'{path}'"), spacing_mm=plain.spacing_mm, origin_mm=plain.origin_mm,
        direction=plain.direction,
    )  # fmt: skip


def label_map_of(image: Any, *, channel: int = 0, name: str = "in memory") -> LabelMap:
    """The labels of a ``SimpleITK.Image``; a two-dimensional one becomes one slice.

    Args:
        image: the mask image.
        channel: which component, from 0, where it has several.
        name: what messages call it.

    Raises:
        ImageError: not finite, or without that component.
    """
    image = _three_dimensional(image, Path(name))
    layers = _layers(image)
    if len(layers) > 1 and not 0 <= channel < len(layers):
        message = (
            f"Mask {name} has {len(layers)} components, label_channel {channel} is none of them: "
            f"give one from 0 to {len(layers) - 1}."
        )
        raise ImageError(message)
    voxels = _finite(layers[channel] if len(layers) > 1 else layers[0], name)
    return LabelMap(
        voxels=np.ascontiguousarray(voxels), spacing_mm=tuple(image.GetSpacing()[::-1]),
        origin_mm=tuple(image.GetOrigin()), direction=tuple(image.GetDirection()),
    )  # fmt: skip


def volume_of(image: Any, *, name: str = "in memory") -> Volume:
    """The voxels of a scalar ``SimpleITK.Image``; a two-dimensional one becomes one slice.

    Raises:
        ImageError: several values a voxel, four dimensions, or voxels that are not finite.
    """
    if image.GetNumberOfComponentsPerPixel() > 1:
        count = image.GetNumberOfComponentsPerPixel()
        message = f"Image {name} has {count} values a voxel (colour or vectors): give a grey-scale image."
        raise ImageError(message)
    volume = Volume.from_sitk(_three_dimensional(image, Path(name)))
    if volume.voxels.dtype.kind == "f" and not np.isfinite(volume.voxels).all():
        message = f"Image {name} holds voxels that are not finite (NaN or infinite): replace them by the background."
        raise ImageError(message)
    return volume


def write_volume(volume: Volume, path: Path | str) -> None:
    """Write an image or mask whole or not at all; the suffix chooses the format, compressed where it can be.

    Raises:
        ImageError: a suffix that is not an image's.
        StorageError: the disk is full or the folder not writable.
    """
    import SimpleITK as sitk

    path = Path(path)
    if not path.name.lower().endswith(WRITABLE):
        message = f"Cannot write an image as '{path.name}': use one of {', '.join(WRITABLE)}."
        raise ImageError(message)
    image = volume.to_sitk()

    def write(temporary: Path) -> None:
        try:
            with _quiet(), _quiet_stderr():
                sitk.WriteImage(image, str(temporary), True)
            if _is_nifti(temporary):
                nifti.check_complete(temporary)  # on a full disk SimpleITK's NIfTI writer stops without an error
        except (RuntimeError, ImageError) as error:
            raise OSError(_errno_of_full_disk(temporary), "the image could not be written") from error

    write_atomic(path, write)


def _errno_of_full_disk(temporary: Path) -> int:
    """SimpleITK hides the system's error number; a write of one block brings it to light."""
    try:
        with temporary.open("ab") as handle:
            handle.write(b"\0" * 65536)
            handle.flush()
            os.fsync(handle.fileno())
    except OSError as error:
        return error.errno or 0
    return 0


def _read_mask(path: Path, source: MaskSource) -> Mask:
    plain = _read_plain(path) if source.segment is None else None
    if plain is not None:
        return _as_mask(pick_label(_finite(plain.voxels[np.newaxis], f"'{path}'"), source.label, file=path.name), plain)
    image = _read_image(path)
    layers = _finite(_layers(image), f"'{path}'")
    if source.segment is not None:
        header = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
        inside = pick_segment(layers, segments_of(header), source.segment, file=path.name)
    else:
        inside = pick_label(layers, source.label, file=path.name)
    spacing, origin, direction = image.GetSpacing()[::-1], image.GetOrigin(), image.GetDirection()
    return Mask(voxels=inside, spacing_mm=tuple(spacing), origin_mm=tuple(origin), direction=tuple(direction))


def _as_mask(inside: np.ndarray[Any, Any], place: Volume) -> Mask:
    return Mask(voxels=inside, spacing_mm=place.spacing_mm, origin_mm=place.origin_mm, direction=place.direction)


def _finite(layers: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    if layers.dtype.kind == "f" and not np.isfinite(layers).all():
        message = f"Mask {name} holds voxels that are not finite: export it as whole numbers, 0 outside the lesion."
        raise ImageError(message)
    return layers


def _layers(image: Any) -> np.ndarray[Any, Any]:
    """Voxels as ``(layer, z, y, x)``."""
    import SimpleITK as sitk

    array: np.ndarray[Any, Any] = sitk.GetArrayFromImage(image)
    return array[np.newaxis] if array.ndim == 3 else np.moveaxis(array, -1, 0)


def on_image_grid(mask: Mask, image: Volume) -> Mask:
    """A mask that was saved cropped on the image's own voxels, put back onto the whole image; any other as it is."""
    if mask.shape == image.shape:
        return mask
    same_axes = np.allclose(mask.spacing_mm, image.spacing_mm, atol=1e-4) and np.allclose(
        mask.direction, image.direction, atol=1e-4
    )
    if not same_axes:
        return mask
    offset_mm = np.linalg.inv(np.reshape(image.direction, (3, 3))) @ np.subtract(mask.origin_mm, image.origin_mm)
    shift = offset_mm[::-1] / image.spacing_mm
    start = np.rint(shift).astype(int)
    stop = start + mask.shape
    on_grid = np.abs(shift - start).max() < GRID_SHIFT_TOLERANCE_VOXELS
    if not on_grid or start.min() < 0 or (stop > image.shape).any():
        return mask
    voxels = np.zeros(image.shape, dtype=bool)
    voxels[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = mask.voxels
    return _as_mask(voxels, image)


def _read_image(path: Path, *, thorough: bool = False) -> Any:
    """Read a file or series folder as a three-dimensional ``SimpleITK.Image``, possibly with several components."""
    _require_exists(path)
    with _as_image_error(path):
        if path.is_dir() or _is_dicom(path):
            from glottis.io import dicom

            return _three_dimensional(_load_series(dicom.series_files(path)), path)
        import SimpleITK as sitk

        if _is_nifti(path):
            (nifti.check_every_voxel if thorough else nifti.check_complete)(path)
        native = _quiet_stderr() if path.name.lower().endswith((".mha", ".mhd")) else nullcontext()
        with _quiet(), native:
            image = sitk.ReadImage(str(path))
    return _three_dimensional(image, path)


def _load_series(files: list[Path]) -> Any:
    import SimpleITK as sitk

    names = [str(file) for file in files]
    with _quiet():
        return sitk.ReadImage(names[0]) if len(names) == 1 else sitk.ReadImage(names)


def _three_dimensional(image: Any, path: Path) -> Any:
    """Refuse several time points; a single one loses its fourth dimension and a slice gains its third."""
    import SimpleITK as sitk

    if image.GetDimension() == 2:
        return sitk.JoinSeries(image)
    if image.GetDimension() == 4 and image.GetSize()[3] == 1:
        return image[:, :, :, 0]
    if image.GetDimension() != 3:
        size = " x ".join(str(n) for n in image.GetSize())
        message = f"'{path}' has {image.GetDimension()} dimensions ({size}), three are needed: export one 3D volume."
        raise ImageError(message)
    return image


def _require_exists(path: Path) -> None:
    if not path.exists():
        message = f"File '{path}' does not exist: correct the path, relative ones start at the table's folder."
        raise ImageError(message)


def _is_nifti(path: Path) -> bool:
    return path.name.lower().endswith((".nii", ".nii.gz"))


def _is_dicom(path: Path) -> bool:
    if is_image_name(path.name):
        return False
    with path.open("rb") as handle:
        return handle.read(132)[128:] == b"DICM"


@contextmanager
def _as_image_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"'{path}' cannot be opened ({error.strerror or error}): check the disk and its permissions."
        raise ImageError(message) from error
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].removeprefix("sitk::ERROR: ")
        if "Unable to determine ImageIO reader" in reason:
            message = f"'{path}' is not an image that can be read ({KNOWN}): convert or export it again."
        else:
            message = f"'{path}' cannot be read ({reason[:160]}): copy or export it again."
        raise ImageError(message) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep ITK's warnings off the terminal."""
    import SimpleITK as sitk

    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep what libraries below ITK (MetaIO, niftilib) write straight to the error stream off the terminal."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
