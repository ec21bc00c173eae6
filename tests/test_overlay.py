"""Beats and waves stand where they are in the tracing."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ecg_core.explain import Heat
from ecg_core.preprocess import crop, monitor_view
from ecg_core.report.drawing import Boxes, Drawing, Label, Segments
from ecg_core.report.overlay import Overlay, heat_cells
from ecg_core.report.paper import Paper, draw
from ecg_core.report.render import COLOURS, render
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


ROW = (0.0, 50.0, 20.0, 25.0)
"""Left edge, middle, height, speed."""


def cells(weights: dict[str, list[float]], lead: str = "II", window=(0.0, 10.0), start_s: float = 0.0):
    heat = Heat(start_s, 0.5, {name: np.array(values) for name, values in weights.items()})
    return heat_cells(heat, lead, window, *ROW)


def test_heat_lies_where_and_as_long_as_it_is():
    (cell,) = cells({"II": [0.0, 1.0, 1.0, 0.0]}, start_s=2.0)
    assert cell.area == pytest.approx((2.5 * 25, 40.0, 1.0 * 25, 20.0))


def test_heat_is_cut_to_the_window():
    (cell,) = cells({"II": [1.0] * 8}, window=(1.2, 2.1))
    assert cell.area[:3:2] == pytest.approx((0.0, 0.9 * 25))


def test_heat_has_one_scale_for_all_leads_and_what_is_weak_stays_clear():
    weights = {"II": [0.5, 0.0, -0.039, 0.041], "V1": [1.0, 0.0, 0.0, 0.0]}
    assert [cell.level for cell in cells(weights)] == [13, 2]
    assert [cell.level for cell in cells(weights, "V1")] == [25]


def test_a_lead_that_was_not_read_stays_clear():
    assert cells({"V1": [1.0]}) == []
    assert cells({"II": [0.0, float("nan")]}) == []


def test_the_sign_shows_without_colour_as_a_bar_above_or_below():
    up, down = cells({"II": [1.0, 0.0, -1.0]})
    assert up.bar[1] == pytest.approx(40.0, abs=0.5)
    assert down.bar[1] + down.bar[3] == pytest.approx(60.0, abs=0.5)
    weak, strong = cells({"II": [0.2, 0.0, 1.0]})
    assert weak.bar[3] < strong.bar[3]


@pytest.mark.parametrize("weights", [[0.3, 0.3, 0.6, 1.0, 0.5], [0.5, -0.5, 0.5, -1.0], [1.0, 0.9, 0.8, 0.7]])
def test_no_paper_shines_through_between_stretches(weights):
    found = sorted(cells({"II": weights}), key=lambda cell: cell.area[0])
    for one, next_ in itertools.pairwise(found):
        assert one.area[0] + one.area[2] - next_.area[0] > 0.1


def test_neighbouring_stretches_show_no_seam_in_the_picture():
    flat = make_recording(("II",), n_samples=1000, scale=0.0)
    heat = Heat(0.0, 0.0333, {"II": 0.8 + 0.2 * np.sin(np.arange(60))})
    image = render(draw(flat, overlay=Overlay(heat=heat)), "png")
    red, _, blue = np.asarray(Image.open(io.BytesIO(image)).convert("RGB")).astype(int).transpose(2, 0, 1)
    row, inside = int((8 + 12 + 10.5) * 8), slice((8 + 10 + 1) * 8, (8 + 10 + 45) * 8)
    lightest = max(int(COLOURS[ink][5:], 16) for ink in ("fine", "heavy"))
    assert (red - blue)[row, inside].min() > 0
    assert blue[row, inside].max() <= lightest, "nothing is as light as the paper"


def test_the_legend_says_what_colours_mean_and_the_drawing_has_room_for_it():
    heat = Heat(0.0, 0.5, {"II": np.array([1.0, -1.0])})
    plain, drawing = (draw(make_recording(("II",)), overlay=overlay) for overlay in (None, Overlay(heat=heat)))
    assert {"speaks for it", "speaks against it"} <= set(texts(drawing))
    assert "QRS" not in texts(drawing), "waves are not drawn"
    assert drawing.height > plain.height
    assert {shape.ink for shape in drawing.shapes if isinstance(shape, Boxes)} == {"for", "against"}


def test_colours_are_those_of_the_dashboards_paper():
    inks = (Path(__file__).parents[1] / "dashboard/components/ecg_paper/drawing.mjs").read_text(encoding="utf-8")
    light = inks[inks.index("light:") : inks.index("dark:")]
    for ink in ("for", "against"):
        assert f'{ink}: "{COLOURS[ink]}"' in light
