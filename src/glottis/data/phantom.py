"""Synthetic cohorts with known truth: laryngeal-like MR whose tumour texture, not its size, tells the stage.

Each patient grows from its own child of the design's seed, so patient 17 is the same in a cohort of 20 and of 400, and
indices beyond the cohort are fresh patients of the same population. ``draw_truth`` takes under a millisecond and makes
no voxel; ``draw_patient`` renders the scans.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glottis._errors import SettingsError
from glottis.data.cohort import Case, MaskSource, Scan
from glottis.data.volume import Box, Mask, Triple, Volume

Array = NDArray[np.float32]

SEQUENCES = ("T1WI", "T2WI", "CE")
STAGES = ("I-II", "III-IV")
CLINICAL = ("age", "sex", "smoking", "drinking", "site", "differentiation", "cT", "cN", "cTNM")

# --- the population ------------------------------------------------------------------------------------------------
TEXTURE_LOG_ODDS = 1.9  # of stage III-IV, per standard deviation of severity
VOLUME_LOG_ODDS = 0.6  # per standard deviation of log volume; volume alone then reaches an AUC of about .60
SEQUENCE_WEIGHTS = {"T1WI": 0.6, "T2WI": 0.8, "CE": 1.0}  # of each sequence's texture in the severity
SHARED_TEXTURE = 0.5  # correlation between the texture latents of two sequences
CLINICAL_SHIFT = 1.0  # between the stages, in standard deviations of the clinician's impression
MEDIAN_VOLUME_MM3, VOLUME_LOG_SD = 3500.0, 0.55
MONTHLY_HAZARD, SEVERITY_LOG_HAZARD = 0.014, 0.55
FOLLOW_UP_MONTHS = (3.0, 71.0)


@dataclass(frozen=True, kw_only=True)
class Scanner:
    """What a centre's scanner does to the images.

    Attributes:
        centre: name of the centre.
        spacing_mm: voxel size ``(z, y, x)``.
        gain: stored value of a tissue of unit brightness.
        offset: added to every stored value.
        noise: standard deviation of the receiver noise, of unit brightness.
        bias: standard deviation of the log of the receiver field's slow variation over the image.
        blur_mm: width of the in-plane point spread (standard deviation).
    """

    centre: str
    spacing_mm: Triple
    gain: float
    offset: float
    noise: float
    bias: float
    blur_mm: float


CENTRE_1 = Scanner(centre="1", spacing_mm=(4.0, 0.94, 0.94), gain=400, offset=0, noise=0.020, bias=0.08, blur_mm=0.45)
CENTRE_2 = Scanner(centre="2", spacing_mm=(4.0, 0.9, 0.9), gain=800, offset=100, noise=0.026, bias=0.16, blur_mm=0.48)


@dataclass(frozen=True, kw_only=True)
class PhantomDesign:
    """A synthetic cohort.

    Attributes:
        n_patients: patients in the cohort; indices from there on are fresh ones.
        seed: of the population; the same seed gives the same patients whatever ``n_patients``. The default's cohorts
            of 60, 200 and 401 patients lie near the population's AUCs, which a small cohort of chance need not.
        null: nothing is related to the outcome or to survival: not texture, not volume, not the clinical stage.
        centres: the first scanner's patients and the second's; one scanner makes a cohort of one centre.
        centre_fraction: share of patients at the second centre, evenly spread over the indices.
        readers: the first so many patients also carry reader A's second masks and reader B's first.
        size: voxels along ``(z, y, x)``, from (12, 96, 96) to (24, 128, 128).
    """

    n_patients: int = 60
    seed: int = 2062
    null: bool = False
    centres: tuple[Scanner, ...] = (CENTRE_1, CENTRE_2)
    centre_fraction: float = 0.25
    readers: int = 40
    size: tuple[int, int, int] = (16, 112, 112)

    def __post_init__(self) -> None:
        if self.n_patients < 1 or self.readers < 0 or self.seed < 0:
            message = (
                f"A phantom needs at least 1 patient and no negative number, got n_patients={self.n_patients}, "
                f"readers={self.readers}, seed={self.seed}: give whole numbers from 1 (patients) or 0 up."
            )
            raise SettingsError(message)
        if not 0 <= self.centre_fraction <= 1 or len(self.centres) not in (1, 2):
            message = (
                f"A phantom has one or two centres, the second with a share from 0 to 1, got {len(self.centres)} "
                f"centres and centre_fraction={self.centre_fraction}: change one of them."
            )
            raise SettingsError(message)
        if not all(low <= n <= high for n, low, high in zip(self.size, (12, 96, 96), (24, 128, 128), strict=True)):
            message = (
                f"A phantom's size is 12-24 x 96-128 x 96-128 voxels (z, y, x), got {self.size}: stay in this range."
            )
            raise SettingsError(message)

    def scanner_of(self, index: int) -> Scanner:
        """The scanner of patient ``index``."""
        before, after = (int(np.floor((i + 0.5) * self.centre_fraction + 1e-9)) for i in (index, index + 1))
        return self.centres[-1] if after > before else self.centres[0]


@dataclass(frozen=True, kw_only=True)
class PhantomTruth:
    """What the generator knows of one patient before any voxel is drawn.

    Attributes:
        patient: id, ``P001`` for index 0.
        index: place in the population.
        scanner: of the patient's centre.
        textures: standard normal latent by sequence; higher is more heterogeneous and finer.
        severity: their weighted sum, standard normal, higher is worse.
        volume_mm3: tumour volume, independent of the textures.
        score: log-odds of stage III-IV from texture and volume: the ideal score of an image model.
        outcome: 1 for stage III-IV, 0 for I-II.
        clinical: the clinical variables by name.
        pfs_months: time to progression or to the end of follow-up.
        pfs_event: 1 for a progression, 0 where follow-up ended first.
    """

    patient: str
    index: int
    scanner: Scanner
    textures: Mapping[str, float]
    severity: float
    volume_mm3: float
    score: float
    outcome: int
    clinical: Mapping[str, str | float | None]
    pfs_months: float
    pfs_event: int


@dataclass(frozen=True, kw_only=True)
class PhantomPatient:
    """One synthetic patient: a case in memory and the truth behind it."""

    case: Case
    truth: PhantomTruth
    scans: Mapping[str, tuple[Volume, Mask]] = field(default_factory=dict)
    repeats: Mapping[str, Mapping[str, Mask]] = field(default_factory=dict)


def draw_truth(design: PhantomDesign, index: int) -> PhantomTruth:
    """Draw everything about patient ``index`` except the voxels."""
    rng = np.random.default_rng(_seeds(design, index)[0])
    shared, *own = rng.standard_normal(1 + len(SEQUENCES))
    textures = {
        name: float(np.sqrt(SHARED_TEXTURE) * shared + np.sqrt(1 - SHARED_TEXTURE) * one)
        for name, one in zip(SEQUENCES, own, strict=True)
    }
    severity = sum(SEQUENCE_WEIGHTS[name] * textures[name] for name in SEQUENCES) / _severity_sd()
    size = float(np.clip(rng.standard_normal(), -2.5, 2.5))
    score = TEXTURE_LOG_ODDS * severity + VOLUME_LOG_ODDS * size
    outcome = int(rng.random() < (0.5 if design.null else 1 / (1 + np.exp(-score))))
    clinical = _clinical(rng, 0.0 if design.null else CLINICAL_SHIFT * (outcome - 0.5))
    months, event = _survival(rng, 0.0 if design.null else severity)
    return PhantomTruth(
        patient=f"P{index + 1:03d}",
        index=index,
        scanner=design.scanner_of(index),
        textures=textures,
        severity=severity,
        volume_mm3=MEDIAN_VOLUME_MM3 * float(np.exp(VOLUME_LOG_SD * size)),
        score=score,
        outcome=outcome,
        clinical=clinical,
        pfs_months=months,
        pfs_event=event,
    )


def draw_patient(design: PhantomDesign, index: int) -> PhantomPatient:
    """Draw patient ``index`` with its scans; masks of further readers only for the first ``design.readers``."""
    truth = draw_truth(design, index)
    _, anatomy_seed, scan_seed, reader_seed = _seeds(design, index)
    anatomy = _Anatomy.draw(np.random.default_rng(anatomy_seed), truth, design.size)
    images = {
        name: anatomy.scan(name, np.random.default_rng(seed))
        for name, seed in zip(SEQUENCES, scan_seed.spawn(len(SEQUENCES)), strict=True)
    }
    drawn = {
        name: anatomy.delineations(np.random.default_rng(seed), further=index < min(design.readers, design.n_patients))
        for name, seed in zip(SEQUENCES, reader_seed.spawn(len(SEQUENCES)), strict=True)
    }
    scans = {name: (images[name], drawn[name].pop("A1")) for name in SEQUENCES}
    return PhantomPatient(case=_case(truth, scans, drawn), truth=truth, scans=scans, repeats=drawn)


def fresh_patients(design: PhantomDesign, n: int, centre: str | None = None) -> Iterator[PhantomPatient]:
    """Draw ``n`` patients of the same population who are not in the cohort.

    Args:
        design: the cohort.
        n: how many.
        centre: only patients of this centre; ``None`` takes them as they come.

    Raises:
        SettingsError: no patient of the design comes from this centre.
    """
    present = {design.scanner_of(index).centre for index in range(10_000)}
    if centre is not None and centre not in present:
        message = f"The phantom has no patients of centre '{centre}': choose one of {', '.join(sorted(present))}."
        raise SettingsError(message)
    index, drawn = design.n_patients, 0
    while drawn < n:
        if centre is None or design.scanner_of(index).centre == centre:
            yield draw_patient(design, index)
            drawn += 1
        index += 1


def cohort_truth(design: PhantomDesign) -> pd.DataFrame:
    """Truth of the cohort: ``patient``, ``centre``, ``score``, ``severity``, textures, ``volume_mm3``, ``outcome``."""
    truths = [draw_truth(design, index) for index in range(design.n_patients)]
    rows = [
        {
            "patient": truth.patient,
            "centre": truth.scanner.centre,
            "score": truth.score,
            "severity": truth.severity,
            **{f"texture_{name}": value for name, value in truth.textures.items()},
            "volume_mm3": truth.volume_mm3,
            "outcome": truth.outcome,
        }
        for truth in truths
    ]
    return pd.DataFrame(rows)


def ideal_auc(truth: pd.DataFrame, score: str = "score") -> float:
    """AUC of a column of ``cohort_truth`` (ties count half); nan where the cohort has one class only."""
    ranks = truth[score].rank().to_numpy()
    positive = truth["outcome"].to_numpy() == 1
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return float("nan")
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def _seeds(design: PhantomDesign, index: int) -> list[np.random.SeedSequence]:
    return np.random.SeedSequence(design.seed, spawn_key=(index,)).spawn(4)


def _severity_sd() -> float:
    weights = np.array([SEQUENCE_WEIGHTS[name] for name in SEQUENCES])
    return float(np.sqrt((1 - SHARED_TEXTURE) * (weights**2).sum() + SHARED_TEXTURE * weights.sum() ** 2))


def _clinical(rng: np.random.Generator, impression: float) -> dict[str, str | float | None]:
    """Clinical variables; cT and cN read the same impression with errors of their own, cTNM follows from both."""
    seen = impression + rng.standard_normal()
    tumour = int(np.digitize(0.8 * seen + 0.6 * rng.standard_normal(), (-0.75, 0.05, 0.9)))
    nodes = int(np.digitize(0.7 * seen + 0.7 * rng.standard_normal(), (0.6, 1.2)))
    grade = int(np.digitize(0.25 * seen + rng.standard_normal(), (-0.6, 0.7)))
    group = max(tumour, (0, 2, 3)[nodes])
    return {
        "age": float(np.clip(np.round(rng.normal(62, 8)), 38, 86)),
        "sex": "male" if rng.random() < 0.93 else "female",
        "smoking": "yes" if rng.random() < 0.8 else "no",
        "drinking": "yes" if rng.random() < 0.6 else "no",
        "site": str(rng.choice(["supraglottis", "glottis", "subglottis"], p=[0.35, 0.58, 0.07])),
        "differentiation": ("well", "moderate", "poor")[grade],
        "cT": f"T{tumour + 1}",
        "cN": f"N{nodes}",
        "cTNM": ("I", "II", "III", "IV")[group],
    }


def _survival(rng: np.random.Generator, severity: float) -> tuple[float, int]:
    progression = rng.exponential(1 / (MONTHLY_HAZARD * np.exp(SEVERITY_LOG_HAZARD * severity)))
    end = rng.uniform(*FOLLOW_UP_MONTHS)
    return max(0.1, round(float(min(progression, end)), 1)), int(progression <= end)


def _case(
    truth: PhantomTruth, scans: Mapping[str, tuple[Volume, Mask]], repeats: Mapping[str, Mapping[str, Mask]]
) -> Case:
    further = {
        name: tuple(MaskSource(source=mask, reader=who[0], round=int(who[1])) for who, mask in masks.items())
        for name, masks in repeats.items()
    }
    return Case(
        patient=truth.patient,
        group=truth.patient,
        centre=truth.scanner.centre,
        outcome=truth.outcome,
        time=truth.pfs_months,
        event=truth.pfs_event,
        clinical=truth.clinical,
        scans={
            name: Scan(sequence=name, image=image, mask=MaskSource(source=mask), repeats=further[name])
            for name, (image, mask) in scans.items()
        },
    )


# --- the anatomy ---------------------------------------------------------------------------------------------------
# brightness of each tissue by sequence, 1 being the brightest in that sequence
TISSUES = ("air", "skin", "fat", "muscle", "cartilage", "marrow", "mucosa", "vessel", "cord", "csf", "disc", "gland")
BRIGHTNESS = {
    "T1WI": (0.02, 0.50, 0.92, 0.42, 0.22, 0.72, 0.45, 0.10, 0.50, 0.20, 0.40, 0.46),
    "T2WI": (0.02, 0.28, 0.16, 0.24, 0.10, 0.22, 0.72, 0.08, 0.42, 1.00, 0.45, 0.50),
    "CE": (0.02, 0.34, 0.20, 0.38, 0.14, 0.30, 0.76, 0.98, 0.40, 0.16, 0.30, 0.82),
}
TUMOUR_BRIGHTNESS = {"T1WI": 0.44, "T2WI": 0.60, "CE": 0.66}
TEXTURE_AMPLITUDE = {"T1WI": 0.055, "T2WI": 0.075, "CE": 0.085}
AMPLITUDE_LOG_SD = 0.25  # of the texture's amplitude, per standard deviation of its latent
FINE_SLOPE = 1.1  # logit of the share of fine texture, per standard deviation of its latent
COARSE_MM, FINE_MM = 2.0, 0.6  # widths of the two random fields
CONTOUR_MM = {"A1": 0.15, "A2": 0.18, "B1": 0.36}  # how far each delineation strays from the lesion's border


@dataclass(frozen=True, kw_only=True)
class _Anatomy:
    """One neck on its grid: a tissue index per voxel and the tumour's depth in a box around it."""

    tissue: NDArray[np.uint8]
    grain: Array
    box: Box
    depth_mm: Array
    truth: PhantomTruth

    @classmethod
    def draw(cls, rng: np.random.Generator, truth: PhantomTruth, size: tuple[int, int, int]) -> _Anatomy:
        spacing = truth.scanner.spacing_mm
        z, y, x = _axes(size, spacing)
        y, x, build = y - rng.uniform(-2, 2), x - rng.uniform(-3, 3), rng.uniform(0.92, 1.04)
        radius = (truth.volume_mm3 * 3 / (4 * np.pi)) ** (1 / 3)
        side = 1 if rng.random() < 0.5 else -1
        level = {"supraglottis": 12.0, "glottis": 2.0, "subglottis": -9.0}[str(truth.clinical["site"])]
        centre = (level + rng.uniform(-2, 2), -14 + rng.uniform(-5, 3), side * (5 + 0.4 * radius))
        tissue = _tissues(z, y / build, x / build, shift=-side * 0.2 * radius)
        half = [int(np.ceil((1.45 * radius + 4) / step)) for step in spacing]
        middle = [int(np.argmin(np.abs(axis - c))) for axis, c in zip((z, y, x), centre, strict=True)]
        box = tuple(slice(max(m - h, 0), min(m + h + 1, n)) for m, h, n in zip(middle, half, size, strict=True))
        depth = _tumour_depth(rng, radius, tuple(axis[box] for axis in np.broadcast_arrays(z, y, x)), centre, spacing)
        grain = _smooth_field(rng, size, 1.2, spacing)
        return cls(tissue=tissue, grain=grain, box=(box[0], box[1], box[2]), depth_mm=depth, truth=truth)

    def scan(self, sequence: str, rng: np.random.Generator) -> Volume:
        """The image of one sequence, as the centre's scanner stores it."""
        from scipy.ndimage import gaussian_filter

        scanner = self.truth.scanner
        signal = np.array(BRIGHTNESS[sequence], dtype=np.float32)[self.tissue]
        signal *= 1 + 0.06 * self.grain
        blur = (0.0, *(scanner.blur_mm / step for step in scanner.spacing_mm[1:]))
        tumour = TUMOUR_BRIGHTNESS[sequence] * rng.uniform(0.92, 1.08) + self._texture(sequence, rng)
        inside = np.clip(self.depth_mm + 0.5, 0, 1)
        signal[self.box] += inside * (tumour - signal[self.box])
        signal = gaussian_filter(signal, blur)
        signal *= np.exp(scanner.bias * _receiver_field(rng, *_axes(signal.shape, scanner.spacing_mm)))
        first, second = (scanner.noise * rng.standard_normal((2, *signal.shape), dtype=np.float32))[:2]
        magnitude = np.hypot(signal + first, second)
        gain = scanner.gain * rng.lognormal(0, 0.06)
        stored = np.clip(np.rint(gain * magnitude + scanner.offset), 0, 32767).astype(np.int16)
        return Volume(voxels=stored, spacing_mm=scanner.spacing_mm, origin_mm=_origin(stored.shape, scanner.spacing_mm))

    def delineations(self, rng: np.random.Generator, *, further: bool) -> dict[str, Mask]:
        """The masks of one sequence by reader and round: ``A1``, and ``A2`` and ``B1`` where ``further``."""
        spacing, size = self.truth.scanner.spacing_mm, self.tissue.shape
        masks = {}
        for who, stray in CONTOUR_MM.items() if further else [("A1", CONTOUR_MM["A1"])]:
            contour = stray * _smooth_field(rng, self.depth_mm.shape, 3.0, spacing)
            voxels = np.zeros(size, dtype=np.bool_)
            voxels[self.box] = _largest_part(self.depth_mm + contour > 0)
            masks[who] = Mask(voxels=voxels, spacing_mm=spacing, origin_mm=_origin(size, spacing))
        return masks

    def _texture(self, sequence: str, rng: np.random.Generator) -> Array:
        """Two random fields, coarse and fine: the latent sets their shares and their common amplitude."""
        latent, spacing = self.truth.textures[sequence], self.truth.scanner.spacing_mm
        fine = 1 / (1 + np.exp(-FINE_SLOPE * latent))
        field_ = np.sqrt(1 - fine) * _smooth_field(rng, self.depth_mm.shape, COARSE_MM, spacing)
        field_ += np.sqrt(fine) * _smooth_field(rng, self.depth_mm.shape, FINE_MM, spacing)
        return np.asarray(TEXTURE_AMPLITUDE[sequence] * np.exp(AMPLITUDE_LOG_SD * latent) * field_, dtype=np.float32)


def _axes(size: tuple[int, ...], spacing: Triple) -> tuple[Array, Array, Array]:
    """Millimetres from the image centre along z (up), y (to the back) and x (to the left), each on its own axis."""
    lines = [((np.arange(n) - (n - 1) / 2) * step).astype(np.float32) for n, step in zip(size, spacing, strict=True)]
    return lines[0][:, None, None], lines[1][None, :, None], lines[2][None, None, :]


def _origin(size: tuple[int, ...], spacing: Triple) -> Triple:
    z, y, x = (-(n - 1) / 2 * step for n, step in zip(size, spacing, strict=True))
    return x, y, z


def _smooth_field(rng: np.random.Generator, size: tuple[int, ...], width_mm: float, spacing: Triple) -> Array:
    """A Gaussian random field of mean 0 and variance 1, correlated over ``width_mm``."""
    from scipy.ndimage import gaussian_filter

    noise = rng.standard_normal(size, dtype=np.float32)
    smooth = gaussian_filter(noise, [width_mm / step for step in spacing], mode="wrap", truncate=3)
    return np.asarray((smooth - smooth.mean()) / smooth.std(), dtype=np.float32)


def _receiver_field(rng: np.random.Generator, z: Array, y: Array, x: Array) -> Array:
    """A slow quadratic field over the image, of variance 1."""
    u, v, w = z / 30, y / 50, x / 50
    a = rng.standard_normal(7).astype(np.float32)
    slow = a[0] * w + a[1] * v + 0.5 * a[2] * u + a[3] * w * v + a[4] * w * w + a[5] * v * v + 0.5 * a[6] * u * u
    return np.asarray((slow - slow.mean()) / slow.std(), dtype=np.float32)


def _tumour_depth(
    rng: np.random.Generator, radius: float, axes: tuple[Array, ...], centre: Triple, spacing: Triple
) -> Array:
    """Depth below the lesion's irregular surface in mm, negative outside."""
    stretch = np.exp(rng.normal(0, 0.1, 3))
    stretch /= np.cbrt(stretch.prod())
    ratio = sum(((axis - c) / (radius * s)) ** 2 for axis, c, s in zip(axes, centre, stretch, strict=True))
    bumps = 0.12 * radius * _smooth_field(rng, axes[0].shape, 3.5, spacing)
    return np.asarray(radius * (1 - np.sqrt(ratio)) + bumps, dtype=np.float32)


def _largest_part(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy.ndimage import label

    parts, n_parts = label(inside, structure=np.ones((3, 3, 3)))
    return inside if n_parts < 2 else parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))


def _ellipse(y: NDArray[Any], x: Array, centre: tuple[Any, Any], half: tuple[Any, Any]) -> NDArray[Any]:
    """Squared elliptic radius, 1 on the border."""
    return np.asarray(((y - centre[0]) / half[0]) ** 2 + ((x - centre[1]) / half[1]) ** 2)


def _tissues(z: Array, y: Array, x: Array, *, shift: float) -> NDArray[np.uint8]:
    """Tissue index per voxel of a neck without a tumour; ``shift`` moves the airway aside, in mm."""
    codes = {name: code for code, name in enumerate(TISSUES)}
    tissue: NDArray[np.uint8] = np.zeros(np.broadcast_shapes(z.shape, y.shape, x.shape), dtype=np.uint8)

    def paint(name: str, where: NDArray[np.bool_]) -> None:
        np.putmask(tissue, np.broadcast_to(where, tissue.shape), codes[name])

    _paint_neck(paint, z, y, x)
    _paint_larynx(paint, z, y, x, shift)
    return tissue


def _paint_neck(paint: Any, z: Array, y: Array, x: Array) -> None:
    wide = np.abs(x)
    neck = _ellipse(y, x, (0, 0), (46 + 0.06 * z, 47 - 0.08 * z))
    paint("skin", neck < 1)
    paint("fat", neck < 0.93)
    deep = neck < 0.74
    paint("muscle", deep & ((_ellipse(y, wide, (26, 19), (15, 15)) < 1) | (_ellipse(y, wide, (3, 9), (4, 9)) < 1)))
    paint("fat", deep & (np.abs(_ellipse(y, wide, (26, 19), (9, 9)) - 1) < 0.10))
    paint("muscle", (neck < 0.88) & (_ellipse(y + 0.5 * wide, wide, (12 - 0.3 * z, 33), (13, 6)) < 1))
    paint("marrow", _ellipse(y, x, (14, 0), (9, 13)) < 1)
    paint("cartilage", np.abs(_ellipse(y, x, (14, 0), (9, 13)) - 0.93) < 0.08)
    paint("disc", (_ellipse(y, x, (14, 0), (9, 13)) < 0.95) & (np.abs(np.mod(z + 9, 18) - 9) < 2.1))
    paint("cartilage", np.abs(_ellipse(y, x, (30, 0), (9, 11)) - 1) < 0.22)
    paint("csf", _ellipse(y, x, (29, 0), (7, 9)) < 1)
    paint("cord", _ellipse(y, x, (29, 0), (4, 6)) < 1)
    paint("cartilage", (wide < 2) & (y > 37) & (y < 42))
    paint("vessel", _ellipse(y, wide, (1, 24), (3.3, 3.3)) < 1)
    paint("vessel", _ellipse(y, x, (3, 31), (4.2, 5.2)) < 1)
    paint("vessel", _ellipse(y, x, (3, -31), (3.4, 4.2)) < 1)


def _paint_larynx(paint: Any, z: Array, y: Array, x: Array, shift: float) -> None:
    wide = np.abs(x)
    slope = y + 33 - 1.15 * wide  # distance behind the plates of the thyroid cartilage
    thyroid = (z > -9) & (wide < 19 + 0.1 * z)
    paint("muscle", (slope > -9) & (slope < -3.5) & (wide < 20) & (y < -2) & (_ellipse(y, x, (0, 0), (43, 44)) < 0.9))
    inner = (slope > 0) & (_ellipse(y, x, (-14, 0), (18, 17)) < 1)
    paint("fat", thyroid & inner)
    paint("muscle", inner & (_ellipse(y, x, (-13, 0), (15, 12.5)) < 1))
    paint("gland", (z < -6) & (_ellipse(y, wide, (-8, 18), (10, 5.5)) < 1))
    paint("cartilage", thyroid & (np.abs(slope) < 2.6) & (y < -5))
    paint("marrow", thyroid & (np.abs(slope) < 1.0) & (y < -7))
    ring = _ellipse(y, x, (-13, 0), (13, 11.5))
    paint("cartilage", (z < -5) & (ring < 1.15) & (ring > 0.72))
    paint("marrow", (z < -5) & (np.abs(ring - 0.93) < 0.09) & (y > -14))
    paint("cartilage", (np.abs(z - 2) < 6) & (_ellipse(y, wide, (-4.5, 6.5), (3.2, 2.8)) < 1))
    paint("mucosa", (z > -10) & (_ellipse(y, x, (2.0, 0), (2.2, 13)) < 1))
    narrow = np.exp(-(((z - 2) / 5) ** 2))
    width = (8.0 - 4.6 * narrow) * np.clip(1 + narrow * (y + 10) / 14, 0.25, 1.4)
    height = 9.0 + 1.5 * narrow
    paint("mucosa", _ellipse(y, x, (-14, shift), (height + 1.2, width + 1.6)) < 1)
    paint("air", _ellipse(y, x, (-14, shift), (height, width)) < 1)
