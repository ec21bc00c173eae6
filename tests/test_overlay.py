"""Beats and waves stand where they are in the tracing."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.preprocess import crop, monitor_view
from ecg_core.report.drawing import Drawing, Label, Segments
from ecg_core.report.overlay import Overlay
from ecg_core.report.paper import Paper, draw
from tests.helpers import make_recording

SHOWN = Overlay(
    beats=[(1.0, "N"), (3.0, "V"), (9.0, "N")],
    waves=[("qrs", 0.95, 1.05), ("t", 1.2, 1.4)],
    per_lead={"V1": [("qrs", 0.9, 1.1)]},
)


def drawn(ink: str, drawing: Drawing) -> np.ndarray:
    return np.concatenate([shape.lines for shape in drawing.shapes if isinstance(shape, Segments) and shape.ink == ink])


def texts(drawing: Drawing) -> list[str]:
    return [shape.text for shape in drawing.shapes if isinstance(shape, Label)]


def test_a_tick_stands_at_each_beat_that_is_shown_and_names_what_is_not_normal():
    drawing = draw(make_recording(("II",)), overlay=SHOWN)
    upright = [line for line in drawn("qrs", drawing) if line[0] == line[2]]
    left = 8 + 10
    assert [line[0] - left for line in upright] == pytest.approx([25, 75])
    assert "V" in texts(drawing)


def test_a_bar_is_as_long_as_its_wave_and_a_lead_has_its_own():
    drawing = draw(make_recording(("II", "V1")), Paper(speed_mm_s=50), overlay=SHOWN)
    bars = [line for line in drawn("qrs", drawing) if line[0] != line[2]]
    assert [line[2] - line[0] for line in bars] == pytest.approx([0.1 * 50, 0.2 * 50])
    assert len(drawn("t", drawing)) == 1


def test_a_part_of_a_longer_recording_is_marked_and_named_by_the_time_of_the_whole():
    whole = make_recording(("II",))
    drawing = draw(crop(whole, 0.5, 2.5), overlay=SHOWN, offset_s=0.5, whole_s=4.0)
    upright = [line for line in drawn("qrs", drawing) if line[0] == line[2]]
    assert [line[0] - 18 for line in upright] == pytest.approx([0.5 * 25])
    assert "0.5 to 2.5 s of 4.0 s" in texts(drawing)


def test_the_footer_names_the_monitor_view():
    assert any("0.5-40 Hz" in text for text in texts(draw(monitor_view(make_recording(("II",))))))
