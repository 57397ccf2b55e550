"""Every feature: its name, class, IBSI code and what it measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from glottis._errors import SettingsError, nearest

CLASSES = ("shape", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")
"""Feature classes that are given when none is asked for, in PyRadiomics' order; ``shape2D`` is given on request."""


@dataclass(frozen=True)
class Feature:
    """One feature of the catalogue.

    Attributes:
        name: as PyRadiomics writes it.
        feature_class: one of ``CLASSES``, or ``shape2D``.
        ibsi: code in the IBSI reference manual; empty where it has none or defines the measure differently.
        definition: what it measures, in one line.
        deprecated: given only when asked for by name.
    """

    name: str
    feature_class: str
    ibsi: str
    definition: str
    deprecated: bool


_TABLE = {
    "shape": """
Compactness1* | SKGS | Volume over the square root of pi times the cubed root of area: largest for a ball
Compactness2* | BQWJ | Cube of the sphericity: 1 for a ball
Elongation | Q3CK | Minor over major axis length: 1 is round, 0 a line
Flatness | N17B | Least over major axis length: 0 is flat
LeastAxisLength | 7J51 | Four times the smallest standard deviation of the voxel positions (mm)
MajorAxisLength | TDIC | Four times the largest standard deviation of the voxel positions (mm)
Maximum2DDiameterColumn | | Largest distance between mesh vertices with the same y (mm)
Maximum2DDiameterRow | | Largest distance between mesh vertices with the same x (mm)
Maximum2DDiameterSlice | | Largest distance between mesh vertices with the same z (mm)
Maximum3DDiameter | L0JK | Largest distance between mesh vertices (mm)
MeshVolume | RNU0 | Volume inside the surface mesh (mm^3)
MinorAxisLength | P9VJ | Four times the middle standard deviation of the voxel positions (mm)
SphericalDisproportion* | KRCK | Area over the area of a ball of the same volume: 1 for a ball
Sphericity | QCFX | Area of a ball of the same volume over the area: 1 for a ball
SurfaceArea | C0JK | Area of the surface mesh (mm^2)
SurfaceVolumeRatio | 2PR5 | Area over volume of the mesh (1/mm)
VoxelVolume | YEKZ | Number of voxels times the volume of one (mm^3)
""",
    "shape2D": """
Elongation | | Minor over major axis length: 1 is round, 0 a line
MajorAxisLength | | Four times the largest standard deviation of the pixel positions (mm)
MaximumDiameter | | Largest distance between corners of the contour (mm)
MeshSurface | | Area inside the contour (mm^2)
MinorAxisLength | | Four times the smallest standard deviation of the pixel positions (mm)
Perimeter | | Length of the contour (mm)
PerimeterSurfaceRatio | | Perimeter over area (1/mm)
PixelSurface | | Number of pixels times the area of one (mm^2)
SphericalDisproportion* | | Perimeter over that of a circle of the same area: 1 for a circle
Sphericity | | Perimeter of a circle of the same area over the perimeter: 1 for a circle
""",
    "firstorder": """
10Percentile | QG58 | Intensity below which a tenth of the voxels lie
90Percentile | 8DWT | Intensity below which nine tenths of the voxels lie
Energy | N8CA | Sum of squared intensities
Entropy | TLU2 | Entropy of the grey level histogram (bits)
InterquartileRange | SALO | 75th minus 25th percentile
Kurtosis | | Fourth standardised moment: 3 for a normal distribution (IBSI IPH6 subtracts 3)
Maximum | 84IY | Largest intensity
MeanAbsoluteDeviation | 4FUA | Mean distance from the mean
Mean | Q4LE | Mean intensity
Median | Y12H | Median intensity
Minimum | 1GSF | Smallest intensity
Range | 2OJQ | Largest minus smallest intensity
RobustMeanAbsoluteDeviation | 1128 | Mean distance from the mean of the intensities between 10th and 90th percentile
RootMeanSquared | 5ZWQ | Square root of the mean squared intensity
Skewness | KE2A | Third standardised moment: positive with a tail to high intensities
StandardDeviation* | | Square root of the variance
TotalEnergy | | Energy times the volume of one voxel
Uniformity | BJ5W | Sum of squared grey level probabilities: 1 for one level
Variance | ECT3 | Mean squared distance from the mean
""",
    "glcm": """
Autocorrelation | QWB0 | Mean product of the two grey levels
ClusterProminence | AE86 | Fourth moment of the sum of levels about its mean
ClusterShade | 7NFM | Third moment of the sum of levels about its mean
ClusterTendency | DG8W | Variance of the sum of levels
Contrast | ACUI | Mean squared difference of levels
Correlation | NI2N | Linear correlation of the two levels
DifferenceAverage | TF7R | Mean absolute difference of levels
DifferenceEntropy | NTRS | Entropy of the absolute difference (bits)
DifferenceVariance | D3YU | Variance of the absolute difference
Id | IB1Z | Mean of 1 / (1 + difference)
Idm | WF0Z | Mean of 1 / (1 + squared difference)
Idmn | 1QCO | Idm with the difference divided by the number of levels
Idn | NDRX | Id with the difference divided by the number of levels
Imc1 | R8DG | Mutual information over the entropy of a level, negative: 0 for independent levels
Imc2 | JN9H | Mutual information scaled to 0 (independent) to 1
InverseVariance | E8JP | Mean inverse squared difference, equal levels left out
JointAverage | 60VM | Mean level of the pairs
JointEnergy | 8ZQL | Sum of squared pair probabilities
JointEntropy | TU9B | Entropy of the pairs (bits)
MCC | | Maximal correlation coefficient: second largest singular value of the normalised matrix
MaximumProbability | GYBY | Probability of the most frequent pair
SumAverage | ZGXS | Mean sum of levels
SumEntropy | P6QZ | Entropy of the sum of levels (bits)
SumSquares | UR99 | Variance of the level of the pairs
""",
    "gldm": """
DependenceEntropy | FCBV | Entropy over level and dependence (bits)
DependenceNonUniformity | Z87G | Sum of squared counts by dependence over the number of voxels
DependenceNonUniformityNormalized | OKJI | The same over the squared number of voxels
DependenceVariance | DNX2 | Variance of the dependence
GrayLevelNonUniformity | FP8K | Sum of squared counts by level over the number of voxels
GrayLevelVariance | 1PR1 | Variance of the level
HighGrayLevelEmphasis | OAE7 | Mean squared level
LargeDependenceEmphasis | IMOQ | Mean squared dependence
LargeDependenceHighGrayLevelEmphasis | 9QMG | Mean squared product of dependence and level
LargeDependenceLowGrayLevelEmphasis | NBZI | Mean squared ratio of dependence to level
LowGrayLevelEmphasis | TL9H | Mean inverse squared level
SmallDependenceEmphasis | SODN | Mean inverse squared dependence
SmallDependenceHighGrayLevelEmphasis | JA6D | Mean squared ratio of level to dependence
SmallDependenceLowGrayLevelEmphasis | EQ3F | Mean inverse squared product of dependence and level
""",
    "glrlm": """
GrayLevelNonUniformity | R5YN | Sum of squared counts by level over the number of runs
GrayLevelNonUniformityNormalized | OVBL | The same over the squared number of runs
GrayLevelVariance | 8CE5 | Variance of the level of the runs
HighGrayLevelRunEmphasis | G3QZ | Mean squared level of the runs
LongRunEmphasis | W4KF | Mean squared run length
LongRunHighGrayLevelEmphasis | 3KUM | Mean squared product of run length and level
LongRunLowGrayLevelEmphasis | IVPO | Mean squared ratio of run length to level
LowGrayLevelRunEmphasis | V3SW | Mean inverse squared level of the runs
RunEntropy | HJ9O | Entropy over level and run length (bits)
RunLengthNonUniformity | W92Y | Sum of squared counts by run length over the number of runs
RunLengthNonUniformityNormalized | IC23 | The same over the squared number of runs
RunPercentage | 9ZK5 | Number of runs over number of voxels: small in coarse textures
RunVariance | SXLW | Variance of the run length
ShortRunEmphasis | 22OV | Mean inverse squared run length
ShortRunHighGrayLevelEmphasis | GD3A | Mean squared ratio of level to run length
ShortRunLowGrayLevelEmphasis | HTZT | Mean inverse squared product of run length and level
""",
    "glszm": """
GrayLevelNonUniformity | JNSA | Sum of squared counts by level over the number of zones
GrayLevelNonUniformityNormalized | Y1RO | The same over the squared number of zones
GrayLevelVariance | BYLV | Variance of the level of the zones
HighGrayLevelZoneEmphasis | 5GN9 | Mean squared level of the zones
LargeAreaEmphasis | 48P8 | Mean squared zone size
LargeAreaHighGrayLevelEmphasis | J17V | Mean squared product of zone size and level
LargeAreaLowGrayLevelEmphasis | YH51 | Mean squared ratio of zone size to level
LowGrayLevelZoneEmphasis | XMSY | Mean inverse squared level of the zones
SizeZoneNonUniformity | 4JP3 | Sum of squared counts by zone size over the number of zones
SizeZoneNonUniformityNormalized | VB3A | The same over the squared number of zones
SmallAreaEmphasis | 5QRC | Mean inverse squared zone size
SmallAreaHighGrayLevelEmphasis | HW1V | Mean squared ratio of level to zone size
SmallAreaLowGrayLevelEmphasis | 5RAI | Mean inverse squared product of zone size and level
ZoneEntropy | GU8N | Entropy over level and zone size (bits)
ZonePercentage | P30P | Number of zones over number of voxels: small in coarse textures
ZoneVariance | 3NSA | Variance of the zone size
""",
    "ngtdm": """
Busyness | NQ30 | Change from a voxel to its neighbours, relative to the spread of levels
Coarseness | QCDE | Inverse of the mean difference between a voxel and its neighbours: large in coarse textures
Complexity | HDEZ | Many and rapid changes of level
Contrast | 65HE | Range of levels times the local difference
Strength | 1X9X | Distinct, slowly changing levels
""",
}

REMOVED: Mapping[tuple[str, str], str] = {
    ("glcm", "Dissimilarity"): "equals glcm DifferenceAverage",
    ("glcm", "Homogeneity1"): "equals glcm Id",
    ("glcm", "Homogeneity2"): "equals glcm Idm",
    ("glcm", "SumVariance"): "equals glcm ClusterTendency",
    ("gldm", "GrayLevelNonUniformityNormalized"): "equals firstorder Uniformity",
    ("gldm", "DependencePercentage"): "is always 1",
}
"""Names that PyRadiomics still knows but gives no value for, and why."""


def _read(feature_class: str) -> list[Feature]:
    rows = [[cell.strip() for cell in row.split("|")] for row in _TABLE[feature_class].strip().splitlines()]
    return [Feature(name.rstrip("*"), feature_class, ibsi, text, name.endswith("*")) for name, ibsi, text in rows]


CATALOGUE: Mapping[str, tuple[Feature, ...]] = {name: tuple(_read(name)) for name in _TABLE}
"""Features by class, in PyRadiomics' order."""


def every_name(feature_class: str) -> tuple[str, ...]:
    """All names of a class that have a value, deprecated ones among them."""
    return tuple(feature.name for feature in CATALOGUE[feature_class])


def default_names(feature_class: str) -> tuple[str, ...]:
    """Names of a class that are given when none is asked for."""
    return tuple(feature.name for feature in CATALOGUE[feature_class] if not feature.deprecated)


def require_feature(feature_class: str, name: str = "") -> None:
    """Check a class and, where given, a feature of it.

    Raises:
        SettingsError: the class or the feature is unknown, or the feature no longer has a value.
    """
    if feature_class not in CATALOGUE:
        message = f"Feature class '{feature_class}' is unknown: {nearest(feature_class, CATALOGUE)}"
        raise SettingsError(message)
    if (feature_class, name) in REMOVED:
        message = f"Feature {feature_class} {name} {REMOVED[feature_class, name]}: ask for that or leave it out."
        raise SettingsError(message)
    if name and name not in every_name(feature_class):
        hint = nearest(name, every_name(feature_class))
        message = f"Feature '{name}' of class {feature_class} is unknown: {hint}"
        raise SettingsError(message)


def count_by_class(names: Iterable[str]) -> dict[tuple[str, str], int]:
    """How many features of each class and image: ``{("glcm", "wavelet-LLH"): 24, ...}``, in order of appearance.

    Args:
        names: full names such as ``wavelet-LLH_glcm_Contrast``.
    """
    counts: dict[tuple[str, str], int] = {}
    for full_name in names:
        image_name, feature_class, _ = full_name.split("_", 2)
        counts[feature_class, image_name] = counts.get((feature_class, image_name), 0) + 1
    return counts
