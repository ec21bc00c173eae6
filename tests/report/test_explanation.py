"""An explanation on paper: its parts sum to the answer, and its heat lies where it speaks."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ecg_core.explain import Heat, Segment
from ecg_core.report.drawing import Boxes, Drawing, Label
from ecg_core.report.explanation import draw_explanation, draw_parts, overlay_of, rows_of, shown_from
from ecg_core.report.render import RENDERERS, render
from tests.helpers import make_recording
from tests.report.conftest import explain_by_hand, figures_by_hand


def texts(drawing: Drawing) -> list[str]:
    return [shape.text for shape in drawing.shapes if isinstance(shape, Label)]


@pytest.mark.parametrize("said", [explain_by_hand(), figures_by_hand(), explain_by_hand(segments=())])
@pytest.mark.parametrize("most", [1, 14])
def test_what_is_listed_sums_to_the_answer(said, most):
    _, *rows, total = rows_of(said, most)
    assert total.total
    assert total.value == said["answer"]
    assert sum(row.value for row in rows) == pytest.approx(said["answer"])


def test_the_parts_that_are_not_listed_are_counted_and_summed():
    (others,) = (row for row in rows_of(explain_by_hand(), most=1) if row.name.endswith("others"))
    assert others.name == "3 others"
    assert others.value == pytest.approx(-0.4 + 0.3 + 0.001)


def test_a_part_that_rounds_to_nothing_is_among_the_others():
    names = [row.name for row in rows_of(explain_by_hand())]
    assert "V1, P wave" not in names
    assert "1 other" in names


def test_an_occlusion_is_no_sum_and_tells_what_becomes_of_the_probability():
    parts = (Segment(None, "qrs", 1.2, without=0.181, usual=0.48), Segment("V6", None, -0.3, without=0.54))
    heading, whole, lead = rows_of(explain_by_hand(method="occlusion", adds_up=False, segments=parts))
    assert heading.tail == ("straight", "usual")
    assert (whole.name, whole.tail) == ("all leads, QRS", ("18 %", "48 %"))
    assert (lead.name, lead.tail) == ("V6, all waves", ("54 %", "-"))


def test_figures_stand_with_their_values_and_what_is_missing_says_so():
    names = [row.name for row in rows_of(figures_by_hand())]
    assert "QRS duration: 142 ms" in names
    assert "PR: missing" in names


def test_bars_go_right_for_the_answer_and_left_against_it():
    drawing = draw_parts(explain_by_hand())
    bars = {shape.ink: shape.boxes[0] for shape in drawing.shapes if isinstance(shape, Boxes)}
    widths = [shape.boxes[0, 2] for shape in drawing.shapes if isinstance(shape, Boxes)]
    assert widths[0] / widths[1] == pytest.approx(2.0 / 0.4)
    zero = bars["against"][0] + bars["against"][2]
    assert bars["for"][0] == pytest.approx(zero)
    assert "+2.00" in texts(drawing)
    assert "-0.40" in texts(drawing)


def test_the_legend_of_an_age_speaks_of_years():
    said = explain_by_hand(label="age.years", title="Age", unit="years", probability=None, answer=62.4)
    assert "years" in overlay_of(said).heat_says[0]
    assert "Why: Age (62.4 years)" in texts(draw_explanation(make_recording(), said))


def test_of_a_long_explanation_the_ten_seconds_that_speak_most_for_it_are_drawn():
    values = np.zeros(600)
    values[400:440] = 1.0
    values[100:300] = -3.0
    said = explain_by_hand(start_s=0.0, end_s=60.0, heat=Heat(0.0, 0.1, {"I": values}))
    assert 34.0 <= shown_from(said) <= 40.0
    assert shown_from(explain_by_hand(start_s=20.0, end_s=30.0)) == 20.0


@pytest.mark.parametrize("kind", RENDERERS)
@pytest.mark.parametrize("said", [explain_by_hand(), figures_by_hand()], ids=["heat", "figures"])
def test_it_is_drawn_whole_in_every_format(said, kind):
    drawing = draw_explanation(make_recording(n_samples=5000), said)
    shown = " ".join(texts(drawing))
    for text in ("Why: Infarct pattern (probability", said["sentence"], "heart12 1.0.0", "not a medical device"):
        assert text in shown
    assert "The age is not stated: an adult is assumed." in shown
    right = max(shape.boxes[:, [0, 2]].sum(axis=1).max() for shape in drawing.shapes if isinstance(shape, Boxes))
    lowest = max(shape.y for shape in drawing.shapes if isinstance(shape, Label))
    assert right < drawing.width
    assert lowest < drawing.height
    assert render(drawing, kind) == render(drawing, kind)


def test_hostile_words_do_not_leave_their_place_in_the_picture():
    said = explain_by_hand(title="<script>alert(1)</script>", sentence="<b>" + "word " * 200)
    svg = render(draw_explanation(make_recording(), said), "svg").decode()
    assert "<script>" not in svg
    assert "<b>" not in svg
    assert max(len(text) for text in re.findall(r">([^<]*)</text>", svg)) < 200
