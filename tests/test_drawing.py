"""The paper is held to its calibration: 1 mV and 1 s measured in millimetres."""

from __future__ import annotations

import io
import re

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from ecg_core.errors import InvalidValue
from ecg_core.leads import STANDARD_12, derive_leads
from ecg_core.recording import Recording
from ecg_core.report.drawing import Boxes, Drawing, stack
from ecg_core.report.paper import Label, Paper, Segments, Trace, draw, is_cut
from ecg_core.report.render import COLOURS, RENDERERS, render
from tests.helpers import make_recording, with_gap


def traces(drawing) -> list[Trace]:
    return [shape for shape in drawing.shapes if isinstance(shape, Trace)]


def labels(drawing) -> list[str]:
    return [shape.text for shape in drawing.shapes if isinstance(shape, Label)]


def two_spikes(gap_s: float, height_mv: float) -> Recording:
    signal = np.zeros((1, 5000))
    signal[0, [1000, 1000 + int(gap_s * 500)]] = height_mv
    return Recording(signal, 500, ("II",))


@pytest.mark.parametrize("speed", [12.5, 25.0, 50.0])
@pytest.mark.parametrize("gain", [5.0, 10.0, 20.0])
def test_one_millivolt_and_one_second_have_their_size(speed, gain):
    drawing = draw(two_spikes(1.0, 1.0), Paper(speed_mm_s=speed, gain_mm_mv=gain))
    pulse, trace = traces(drawing)
    assert np.ptp(pulse.points[:, 1]) == pytest.approx(gain)
    peaks = trace.points[trace.points[:, 1] == trace.points[:, 1].min()]
    assert np.diff(peaks[:, 0]) == pytest.approx([speed])
    assert np.ptp(trace.points[:, 1]) == pytest.approx(gain)


def test_grid_is_a_line_each_millimetre_and_a_heavy_one_each_five():
    drawing = draw(make_recording())
    grids = {shape.ink: shape.lines for shape in drawing.shapes if isinstance(shape, Segments) and shape.ink != "trace"}
    heavy = np.unique(grids["heavy"][:, 0])
    every = np.unique(np.concatenate([grids["fine"][:, 0], heavy]))
    assert np.allclose(np.diff(heavy[heavy > heavy[0]]), 5.0)
    assert np.allclose(np.diff(every), 1.0)


def test_pen_is_up_where_nothing_was_recorded():
    recording = with_gap(make_recording(("II",)))
    _, before, after = traces(draw(recording))
    assert after.points[0, 0] - before.points[-1, 0] == pytest.approx(0.25 * 4 * 25, abs=0.1)


@pytest.mark.parametrize(("layout", "rows"), [("3x4+1", 13), ("6x2", 12), ("12x1", 12)])
def test_layout_draws_each_of_its_cells_once(layout, rows):
    drawing = draw(make_recording(n_samples=5000), Paper(layout=layout))
    leads = [text for text in labels(drawing) if text in STANDARD_12]
    assert len(leads) == rows
    assert set(leads) == set(STANDARD_12)


def test_columns_of_3x4_show_consecutive_stretches():
    recording = make_recording(n_samples=5000)
    marked = recording.signal.copy()
    marked[recording.leads.index("V4"), 4000] = 5.0
    drawing = draw(Recording(marked, 500, recording.leads))
    highest = min(traces(drawing), key=lambda trace: trace.points[:, 1].min()).points
    x = highest[highest[:, 1].argmin(), 0]
    assert x - highest[0, 0] == pytest.approx((8.0 - 7.5) * 25)


def test_layout_without_its_leads_names_what_is_missing():
    with pytest.raises(InvalidValue, match="without III"):
        draw(make_recording(("I", "II", "V1")), Paper(layout="12x1"))


def test_derived_leads_are_marked():
    texts = labels(draw(derive_leads(make_recording(("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")))))
    assert "III*" in texts
    assert "II" in texts
    assert any("* derived" in text for text in texts)


def test_tall_waves_of_the_outer_rows_stay_on_the_paper():
    drawing = draw(make_recording(scale=3.0))
    top = min(shape.lines[:, 1].min() for shape in drawing.shapes if isinstance(shape, Segments))
    assert min(trace.points[:, 1].min() for trace in traces(drawing)) > top


@pytest.mark.parametrize(
    ("option", "value", "choices"),
    [
        ("speed_mm_s", 30, "12.5, 25, 50"),
        ("gain_mm_mv", 7, "5, 10, 20"),
        ("layout", "4x3", r"3x4\+1"),
        ("length_s", 0, "0 to 120 s"),
    ],
)
def test_unusual_paper_is_refused_with_the_choices(option, value, choices):
    with pytest.raises(InvalidValue, match=choices):
        Paper(**{option: value})


def test_footer_names_speed_gain_and_filter():
    recording = make_recording().with_step("bandpass", {"low_hz": 0.5, "high_hz": 40.0})
    footer = next(text for text in labels(draw(recording)) if "mm/s" in text)
    assert footer.startswith("25 mm/s   10 mm/mV   0.5-40 Hz")
    assert any("not a medical device" in text for text in labels(draw(recording)))


def test_pdf_has_the_true_size_and_its_text_extracts():
    drawing = draw(make_recording(n_samples=5000), title="A <title> & more")
    page = pypdfium2.PdfDocument(render(drawing, "pdf"))[0]
    assert page.get_width() / 72 * 25.4 == pytest.approx(drawing.width, abs=0.01)
    text = page.get_textpage().get_text_bounded()
    assert "A <title> & more" in text
    assert "25 mm/s" in text


def test_pulse_measures_ten_millimetres_in_the_png():
    drawing = draw(two_spikes(1.0, 0.0))
    image = np.asarray(Image.open(io.BytesIO(render(drawing, "png"))).convert("L"))
    scale = image.shape[1] / drawing.width
    pulse = traces(drawing)[0].points
    left, right = (pulse[[0, 3], 0] * scale).astype(int)
    above, below = ((pulse[:, 1].min() - 2) * scale, (pulse[:, 1].max() + 2) * scale)
    rows = np.flatnonzero((image[int(above) : int(below), left:right] < 60).any(axis=1))
    line = 0.25
    assert np.ptp(rows) / scale == pytest.approx(10.0 + line, abs=1.5 / scale)


def test_svg_is_small_millimetres_and_safe_with_hostile_names():
    svg = render(draw(make_recording(n_samples=5000), title="<script>alert(1)</script>"), "svg").decode()
    assert "<script>" not in svg
    width = float(re.search(r'width="([\d.]+)mm"', svg)[1])
    assert f'viewBox="0 0 {width:g} ' in svg
    assert len(svg) < 250_000


def test_same_drawing_gives_the_same_bytes():
    for kind in RENDERERS:
        assert render(draw(make_recording()), kind) == render(draw(make_recording()), kind)


def test_unknown_kind_lists_the_choices():
    with pytest.raises(InvalidValue, match="svg, png, pdf"):
        render(draw(make_recording()), "gif")


def test_every_ink_has_a_colour():
    assert {shape.ink for shape in draw(make_recording()).shapes} <= set(COLOURS)


def test_drawings_stand_beneath_each_other_on_one_sheet():
    one = draw(make_recording(("II",)))
    both = stack([one, one])
    assert (both.width, both.height) == (one.width, 2 * one.height)
    first, second = traces(both)[1], traces(both)[-1]
    assert second.points - first.points == pytest.approx(np.broadcast_to([0.0, one.height], first.points.shape))


def test_a_box_is_filled_with_its_ink_mixed_with_the_paper():
    box = Drawing(20, 10, (Boxes(np.array([[5.0, 2.0, 10.0, 6.0], [8.0, 2.0, 10.0, 6.0]]), "against", 0.5),))
    image = np.asarray(Image.open(io.BytesIO(render(box, "png"))).convert("RGB")).astype(int)
    mixed = [
        (int(COLOURS["against"][at : at + 2], 16) + int(COLOURS["paper"][at : at + 2], 16)) / 2 for at in (1, 3, 5)
    ]
    assert np.abs(image[40, 50:140] - mixed).max() <= 2, "also where boxes overlap"
    assert 'd="M500 200h1000v600h-1000z' in render(box, "svg").decode()


@pytest.mark.parametrize(("scale", "cut"), [(1.0, False), (1.8, False), (6.0, True)])
def test_on_a_full_page_rows_move_together_before_a_wave_is_cut(scale, cut):
    drawing = draw(make_recording(n_samples=5000, scale=scale), height_mm=118.0)
    assert drawing.height <= 118.0
    assert is_cut(drawing) is cut
