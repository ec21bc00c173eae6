"""Medians, quantiles, means and deviations are NumPy's, most of them bit by bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from ecg_core.statistics import deviation, known_median, mean, median, middle_of, quantiles, share, share_of

KINDS = st.sampled_from([np.float32, np.float64])
SHAPES = stn.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=12)
LEVELS = st.floats(-1000, 1000, width=32)


@st.composite
def arrays(draw, *, gaps=False):
    values = draw(stn.arrays(draw(KINDS), draw(SHAPES), elements=LEVELS))
    if gaps:
        values[draw(stn.arrays(bool, values.shape))] = np.nan
    return values


@given(values=arrays())
def test_median_along_every_axis(values):
    for axis in range(-values.ndim, values.ndim):
        found = median(values, axis)
        np.testing.assert_array_equal(found, np.median(values, axis=axis))
        np.testing.assert_array_equal(middle_of(np.sort(values, axis=axis), axis), found)
        assert found.dtype == values.dtype


@given(values=arrays(gaps=True))
def test_median_of_what_is_known(values):
    found = known_median(values)
    known = ~np.isnan(values).all(axis=-1)
    assert np.isnan(found[~known]).all()
    if known.any():
        np.testing.assert_array_equal(found[known], np.nanmedian(values[known], axis=-1))


def test_median_of_nothing_is_not_known():
    assert np.isnan(known_median(np.empty((3, 0)))).all()


@given(values=arrays(), part=st.floats(0, 1))
def test_quantile_of_values_in_order(values, part):
    for axis in range(values.ndim):
        found = share_of(np.sort(values.astype(np.float64), axis=axis), part, axis)
        np.testing.assert_array_equal(found, np.quantile(values.astype(np.float64), part, axis=axis))


@given(values=arrays(), parts=st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_several_quantiles_along_the_first_axis(values, parts):
    expected = np.quantile(values.astype(np.float64), parts, axis=0)
    np.testing.assert_allclose(quantiles(values, tuple(parts)), expected, rtol=1e-5, atol=1e-3)


@given(values=arrays())
def test_mean_and_deviation_along_the_last_axis(values):
    np.testing.assert_array_equal(mean(values), values.mean(axis=-1))
    np.testing.assert_array_equal(deviation(values), values.std(axis=-1))


@pytest.mark.parametrize(("mask", "expected"), [([True, False, False, False], 0.25), ([False], 0.0), ([True], 1.0)])
def test_share_of_a_mask(mask, expected):
    assert share(np.array(mask)) == expected
