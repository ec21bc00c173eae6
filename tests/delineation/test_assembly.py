"""Which wave belongs to which beat."""

from __future__ import annotations

import numpy as np

from ecg_core.delineation.assembly import assemble
from ecg_core.delineation.candidates import Candidates

BEATS = np.array([1.0, 2.0, 3.0])
P, QRS, T = range(3)


def candidates(*rows: tuple[int, int, float, float] | tuple[int, int, float]) -> Candidates:
    """Return waves of (row, kind, peak, score), each 80 ms long."""
    table = [(*row, 0.9) if len(row) == 3 else row for row in rows]
    row, kind, peak, score = (np.array(column) for column in zip(*sorted(table), strict=True))
    marks = peak[:, None] + np.array([-0.04, 0.0, 0.04])
    return Candidates(row.astype(int), kind.astype(int), marks, score)


def peaks(marks: np.ndarray) -> list[list[float | None]]:
    """Return the peaks of one row, beat by beat."""
    return [[None if np.isnan(peak) else round(float(peak), 3) for peak in beat] for beat in marks[:, :, 1]]


def both(*waves: tuple[int, float]) -> list[tuple[int, int, float]]:
    """Return waves of (kind, peak) in one lead and in all together."""
    return [(row, *wave) for row in (0, 1) for wave in waves]


def test_waves_go_to_the_beats_that_they_surround():
    found = assemble(candidates(*both((P, 0.85), (QRS, 1.01), (T, 1.3), (QRS, 2.0), (T, 2.3), (P, 2.84))), BEATS, 1)
    assert peaks(found[0]) == [[0.85, 1.01, 1.3], [None, 2.0, 2.3], [2.84, None, None]]
    np.testing.assert_array_equal(found[0], found[1])


def test_a_beat_has_one_qrs_and_one_t_the_likelier():
    waves = candidates((0, QRS, 0.95, 0.6), (0, QRS, 1.05, 0.9), (0, T, 1.3, 0.9), (0, T, 1.5, 0.6), (1, QRS, 1.0))
    assert peaks(assemble(waves, BEATS, 1)[0])[0] == [None, 1.05, 1.3]


def test_a_qrs_without_beat_is_none():
    assert np.isnan(assemble(candidates(*both((QRS, 1.5))), BEATS, 1)).all()


def test_a_t_wave_without_beat_before_it_is_none():
    assert np.isnan(assemble(candidates(*both((T, 0.6))), BEATS, 1)).all()


def test_blocked_p_waves_have_rows_of_their_own_in_order_of_time():
    found = assemble(candidates(*both((P, 0.85), (QRS, 1.0), (P, 1.42), (P, 1.85), (QRS, 2.0))), BEATS, 1)
    assert peaks(found[0]) == [[0.85, 1.0, None], [1.42, None, None], [1.85, 2.0, None], [None, None, None]]


def test_a_lone_p_wave_of_a_single_lead_is_none():
    found = assemble(candidates((0, P, 1.42), (2, QRS, 1.0)), BEATS, 2)
    assert found.shape == (3, 3, 3, 3)
    assert np.isnan(found[:, :, P]).all()


def test_a_late_p_wave_leads_to_the_beat_however_the_lead_lacks_its_qrs():
    found = assemble(candidates((0, P, 1.9), (1, QRS, 2.0)), BEATS, 1)
    assert peaks(found[0])[1] == [1.9, None, None]


def test_no_wave_begins_before_the_one_before_it_has_ended():
    found = assemble(candidates(*both((P, 0.94), (QRS, 1.0), (T, 1.06))), BEATS, 1)
    p, qrs, t = found[0, 0]
    assert p[2] == qrs[0]
    assert t[0] == qrs[2]
    assert (np.diff(found[0, 0], axis=1) >= 0).all()


def test_where_nothing_was_found_every_beat_has_an_empty_row():
    none = Candidates(np.empty(0, int), np.empty(0, int), np.empty((0, 3)), np.empty(0))
    assert assemble(none, BEATS, 2).shape == (3, 3, 3, 3)
