from __future__ import annotations

import numpy as np
import pytest

from glottis._errors import ImageError
from glottis.data.volume import Mask, Volume
from glottis.preprocessing.mask import check_inside, check_mask, correct_mask


def _mask(*box, shape=(6, 8, 10)):
    voxels = np.zeros(shape, dtype=bool)
    voxels[box] = True
    return Mask(voxels=voxels, spacing_mm=(2.0, 1.0, 1.0))


def _image(shape=(6, 8, 10), origin_mm=(0.0, 0.0, 0.0)):
    return Volume(voxels=np.zeros(shape), spacing_mm=(2.0, 1.0, 1.0), origin_mm=origin_mm)


def test_a_mask_of_one_voxel_is_refused():
    with pytest.raises(ImageError, match="single voxel"):
        check_mask(_mask(3, 3, 3), minimum_dimensions=1)


def test_a_line_is_refused_where_two_dimensions_are_asked_for():
    line = _mask(3, 3, slice(2, 6))
    check_mask(line, minimum_dimensions=1)
    with pytest.raises(ImageError, match=r"4 x 1 x 1 voxels .* 1 dimensions where 2"):
        check_mask(line)


def test_a_mask_below_the_minimum_size_is_refused():
    plate = _mask(3, slice(2, 4), slice(2, 4))
    check_mask(plate, minimum_voxels=4)
    with pytest.raises(ImageError, match="4 voxels, fewer than the minimum of 5"):
        check_mask(plate, minimum_voxels=5)


def test_an_empty_mask_is_refused():
    with pytest.raises(ImageError, match="mask is empty"):
        check_mask(_mask(slice(0, 0)))


def test_a_mask_on_a_cropped_grid_comes_back_to_its_place():
    mask = _mask(slice(2, 4), slice(3, 6), slice(4, 9))
    corrected = correct_mask(mask.crop((slice(1, 6), slice(2, 8), slice(1, 10))), _image())
    np.testing.assert_array_equal(corrected.voxels, mask.voxels)
    assert corrected.grid_difference(_image()) == ""


def test_a_mask_on_the_same_grid_is_handed_back():
    mask = _mask(slice(2, 4), slice(3, 6), slice(4, 9))
    assert correct_mask(mask, _image()) is mask


def test_a_mask_that_sticks_out_is_refused_by_how_much():
    with pytest.raises(ImageError, match="reaches 2 voxels outside"):
        check_inside(_mask(slice(2, 4), slice(3, 6), slice(0, 9)), _image(origin_mm=(2.0, 0.0, 0.0)))
