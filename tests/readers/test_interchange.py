from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecg_core.errors import LimitExceeded
from ecg_core.readers._interchange import (
    Piece,
    age_at,
    format_timestamp,
    join_pieces,
    parse_timestamp,
    root_name,
    seconds_between,
    to_steps,
)
from ecg_core.readers.base import Limits


@pytest.mark.parametrize(
    "document",
    [
        "<Root/>",
        "<Root>",
        "<Root a='1'>",
        "<?xml version='1.0'?>\n<Root>",
        "<?xml version='1.0'?><!-- <Wrong> --><?pi <Wrong>?><Root>",
        "<!DOCTYPE Root SYSTEM 'Root.DTD'><Root>",
        "<!DOCTYPE Root [ <!ELEMENT Wrong (#PCDATA)> ]><Root>",
        "<ns:Root xmlns:ns='urn:x'>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_root_name_is_found_behind_prologue_and_in_every_encoding(document, encoding):
    assert root_name(document.encode(encoding)) == "Root"


def test_root_name_is_found_behind_blank_lines():
    assert root_name(b"\xef\xbb\xbf\r\n  <Root>") == "Root"


@pytest.mark.parametrize(
    "data", [b"", b"<", b"<?xml", b"<!-- never closed", b"<!DOCTYPE a [", b"plain", b"\0\0\0\0", b"<Root", b"\xff\xfe"]
)
def test_root_name_is_none_where_there_is_no_root_element(data):
    assert root_name(data) is None


@given(st.binary(max_size=200))
def test_root_name_never_raises(data):
    root_name(data)
    root_name(b"<" + data)


@given(
    st.datetimes(),
    st.none() | st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_timestamps_survive_writing_and_reading(when, zone):
    when = when.replace(tzinfo=zone)
    assert parse_timestamp(format_timestamp(when)) == when


@pytest.mark.parametrize(
    "text", [None, "", "2013", "20130125", "2013012510", "20131325105919", "2013-01-25T10:59", "x"]
)
def test_a_timestamp_without_a_time_of_day_or_out_of_range_is_none(text):
    assert parse_timestamp(text) is None


def test_a_timestamp_may_stop_at_minutes_and_carry_a_zone():
    assert parse_timestamp("201301251059") == datetime(2013, 1, 25, 10, 59)
    assert parse_timestamp("20130125105919.5+0000") == datetime(2013, 1, 25, 10, 59, 19, 500_000, UTC)


def test_times_with_and_without_zone_are_compared_by_wall_clock():
    assert seconds_between(datetime(2020, 1, 1, 12), datetime(2020, 1, 1, 12, 0, 1, tzinfo=UTC)) == 1.0


@pytest.mark.parametrize(
    ("birth", "age"),
    [
        (date(1960, 3, 2), 60.0),
        (date(1960, 3, 3), 59.0),
        (date(2020, 1, 2), pytest.approx(60 / 365.25)),
        (date(2021, 1, 1), None),
        (date(1800, 1, 1), None),
        (None, None),
    ],
)
def test_age_is_completed_years_on_the_day_of_recording(birth, age):
    assert age_at(birth, datetime(2020, 3, 2, 8, 0)) == age


def _piece(name, offset_s, values, fs=10.0):
    return Piece(name, "mV", fs, offset_s, np.array(values, float))


def test_pieces_recorded_in_turn_stand_at_their_times_with_nan_between():
    channels = join_pieces([_piece("I", 5.0, [1, 2]), _piece("V1", 5.2, [3]), _piece("I", 5.4, [4])], Limits(), "f")
    assert [channel.name for channel in channels] == ["I", "V1"]
    np.testing.assert_array_equal(channels[0].values, [1, 2, np.nan, np.nan, 4])
    np.testing.assert_array_equal(channels[1].values, [np.nan, np.nan, 3])


def test_overlapping_pieces_of_one_lead_stay_apart_and_in_file_order():
    channels = join_pieces([_piece("I", 0, [1, 2]), _piece("II", 0, [5, 6]), _piece("I", 0, [3, 4])], Limits(), "f")
    assert [(channel.name, list(channel.values)) for channel in channels] == [
        ("I", [1, 2]),
        ("II", [5, 6]),
        ("I", [3, 4]),
    ]


def test_a_gap_of_centuries_is_refused_before_it_is_allocated():
    with pytest.raises(LimitExceeded, match="too large"):
        join_pieces([_piece("I", 0, [1]), _piece("II", 3e9, [1])], Limits(), "f")


@given(
    arrays(
        np.float32,
        st.integers(1, 50),
        elements=st.floats(-(2.0**30), 2.0**30, width=32, allow_subnormal=False) | st.just(np.float32("nan")),
    )
)
def test_steps_hold_every_value_within_half_a_step_and_fit_a_decimal_string(values):
    text, steps = to_steps(values)
    assert len(text) <= 16
    missing = np.isnan(values)
    np.testing.assert_array_equal(steps == -32768, missing)
    error_uv = np.abs(steps.astype(float) * float(text) - values.astype(float) * 1e3)[~missing]
    assert (error_uv <= 0.5000001 * float(text)).all()


def test_steps_are_the_finest_that_sixteen_bits_allow():
    _, steps = to_steps(np.array([0.0, -1.234567, 0.5], np.float32))
    assert steps.min() == -32767
