"""Which beats are of the dominant shape, and how they lie over each other."""

import numpy as np
from numpy.testing import assert_array_equal

from ecg_core.measurements import align_dominant, global_marks
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize
from tests.measurements.marks import waves_of


def test_shapes_that_are_remembered_are_those_of_the_beats_asked_for():
    made = synthesize("bigeminy", fs=500, seed=3)
    marks = global_marks(waves_of(made.truth))
    wider = marks.copy()
    wider[:, 1, 2] += 0.01
    for some in (marks, wider, marks[1:], marks[::2], marks):
        anew = align_dominant(Recording(np.array(made.recording.signal), 500.0, made.recording.leads), some)
        found = align_dominant(made.recording, some)
        assert_array_equal(found.rows, anew.rows)
        assert_array_equal(found.anchor_s, anew.anchor_s)
        assert_array_equal(found.values, anew.values)
        assert_array_equal(found.marks_s, anew.marks_s)
