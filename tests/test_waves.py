from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from ecg_core.errors import InvalidValue
from ecg_core.waves import BeatWaves, Wave, Waves, WaveTable

QRS = Wave(1.0, 1.04, 1.09)


def test_absent_waves_are_absent_in_json():
    waves = Waves((BeatWaves(qrs=QRS), BeatWaves(p=Wave(1.5, 1.55, 1.6))), {"II": (BeatWaves(qrs=QRS),)})
    one = {"qrs": {"onset_s": 1.0, "peak_s": 1.04, "end_s": 1.09}}
    assert json.loads(json.dumps(waves.to_dict())) == {
        "global": [one, {"p": {"onset_s": 1.5, "peak_s": 1.55, "end_s": 1.6}}],
        "leads": {"II": [one]},
    }


@pytest.mark.parametrize(
    "marks", [(1.0, 0.9, 1.1), (1.0, 1.1, 1.05), (float("nan"), 1.0, 1.1), (0.0, 1.0, float("inf"))]
)
def test_marks_out_of_order_or_unknown_are_no_wave(marks):
    with pytest.raises(InvalidValue, match="onset <= peak <= end"):
        Wave(*marks)


def test_waves_cross_process_boundaries():
    waves = Waves((BeatWaves(qrs=QRS),), {"II": (BeatWaves(qrs=QRS),)})
    assert pickle.loads(pickle.dumps(waves)) == waves  # noqa: S301


# --- marks as an array ----------------------------------------------------------------------------------------------


def test_a_table_reads_as_beats_and_as_an_array():
    table = WaveTable([BeatWaves(qrs=QRS), BeatWaves(p=Wave(1.5, 1.55, 1.6))])
    assert table.marks.shape == (2, 3, 3)
    assert tuple(table) == (BeatWaves(qrs=QRS), BeatWaves(p=Wave(1.5, 1.55, 1.6)))
    assert table[1].p.peak_s == 1.55
    assert table[-1:] == (BeatWaves(p=Wave(1.5, 1.55, 1.6)),)
    assert table == WaveTable(table.marks)
    np.testing.assert_array_equal(table.of("qrs"), [[1.0, 1.04, 1.09]])
    assert table.of("t").shape == (0, 3)
    assert not table.marks.flags.writeable


@pytest.mark.parametrize("row", [(1.0, 0.9, 1.1), (1.0, np.nan, 1.1), (0.0, 1.0, np.inf)])
def test_a_table_holds_whole_waves_in_order_alone(row):
    marks = np.full((1, 3, 3), np.nan)
    marks[0, 1] = row
    with pytest.raises(InvalidValue, match="onset <= peak <= end"):
        WaveTable(marks)


def test_masks_are_true_from_onset_to_end_and_qt_from_qrs_onset_to_t_end():
    beats = (
        BeatWaves(Wave(0.8, 0.85, 0.9), QRS, Wave(1.2, 1.3, 1.4)),
        BeatWaves(p=Wave(9.95, 9.97, 10.5)),
        BeatWaves(qrs=Wave(3.0, 3.04, 3.1)),
    )
    waves = Waves(beats[:1], {"II": beats})
    mask = waves.masks("II", 500.0, 5000)
    assert mask.shape == (5000, 3)
    assert mask.dtype == bool
    inside = [np.flatnonzero(column) for column in mask.T]
    np.testing.assert_array_equal(inside[0], [*range(400, 451), *range(4975, 5000)])
    np.testing.assert_array_equal(inside[1], [*range(500, 546), *range(1500, 1551)])
    np.testing.assert_array_equal(inside[2], range(500, 701))
    np.testing.assert_array_equal(waves.masks(None, 500.0, 5000)[:, 2], mask[:, 2])
    with pytest.raises(InvalidValue, match="no waves of such a lead; found: V9; options: II"):
        waves.masks("V9", 500.0, 5000)
