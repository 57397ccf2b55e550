import numpy as np
import pytest
from scipy import stats

from glottis.features import firstorder


def found(values, counts=(1,), **options):
    return firstorder.features(np.asarray(values), np.asarray(counts), voxel_volume_mm3=2.0, **options)


def test_moments_and_percentiles_agree_with_scipy_and_numpy():
    values = np.random.default_rng(0).gamma(2, 30, 501)
    features = found(values)
    assert features["Skewness"] == pytest.approx(stats.skew(values))
    assert features["Kurtosis"] == pytest.approx(stats.kurtosis(values, fisher=False))
    for name, q in (("10Percentile", 10), ("90Percentile", 90), ("Median", 50)):
        assert features[name] == np.percentile(values, q)
    assert features["InterquartileRange"] == pytest.approx(stats.iqr(values))
    kept = values[(values >= features["10Percentile"]) & (values <= features["90Percentile"])]
    assert features["RobustMeanAbsoluteDeviation"] == pytest.approx(np.abs(kept - kept.mean()).mean())


def test_entropy_and_uniformity_come_from_the_grey_levels():
    features = found([1, 2, 3, 4], counts=[2, 2])
    assert features["Entropy"] == pytest.approx(1)
    assert features["Uniformity"] == 0.5


def test_total_energy_is_energy_times_voxel_volume():
    features = found([1.0, 2.0], shift=1)
    assert features["Energy"] == 13
    assert features["TotalEnergy"] == 26


def test_a_flat_mask_has_no_skewness_and_no_kurtosis():
    features = found([7.0] * 5)
    assert features["Skewness"] == features["Kurtosis"] == features["Variance"] == 0


def test_two_voxels_have_none_between_the_percentiles():
    assert np.isnan(found([10.0, 60.0])["RobustMeanAbsoluteDeviation"])
