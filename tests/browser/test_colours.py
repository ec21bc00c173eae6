"""The colours of our own: readable on their ground, and told apart by those who see fewer of them."""

from __future__ import annotations

import re
import tomllib
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import dashboard
from dashboard.components.charts import COLOURS

ROOM = Path(dashboard.__file__).parent
LOOKS = ("light", "dark")
TEXT, MARK = 4.5, 3.0
"""Least contrast of text and of what is no text (WCAG 2.2, 1.4.3 and 1.4.11)."""
APART = 15.0
"""Least CIE76 difference of colours that mean different things; 2.3 is just noticeable side by side."""
SEES = {
    "all": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""What becomes of linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.0."""
WHITE = np.array([0.95047, 1.0, 1.08883])
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def inks(look: str) -> dict[str, str]:
    """Return the solid colours of the paper."""
    source = (ROOM / "components" / "ecg_paper" / "drawing.mjs").read_text("utf-8")
    block = re.search(rf"\n  {look}: {{(.*?)}},", source, re.DOTALL)
    assert block
    return dict(re.findall(r'(\w+): "(#[0-9a-f]{6})"', block[1]))


def theme(look: str) -> dict[str, str]:
    settings = tomllib.loads((ROOM / ".streamlit" / "config.toml").read_text("utf-8"))
    colours: dict[str, str] = settings["theme"][look]
    return colours


def linear(colour: str) -> np.ndarray:
    """Return a colour as linear RGB."""
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(colour: str, ground: str) -> float:
    """Return the contrast of two colours, as WCAG reckons it."""
    bright = sorted(float(TO_XYZ[1] @ linear(name)) for name in (colour, ground))
    return (bright[1] + 0.05) / (bright[0] + 0.05)


def over(colour: str, ground: str, part: float) -> str:
    """Return what is seen of a colour that is partly transparent."""
    mixed = (round(part * int(colour[at : at + 2], 16) + (1 - part) * int(ground[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def lab(colour: str, sees: object) -> np.ndarray:
    xyz = TO_XYZ @ np.clip(np.asarray(sees) @ linear(colour), 0, 1) / WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one: str, other: str, sees: object) -> float:
    return float(np.linalg.norm(lab(one, sees) - lab(other, sees)))


@pytest.mark.parametrize("look", LOOKS)
def test_what_is_written_and_drawn_on_the_paper_stands_out_from_it(look):
    ink = inks(look)
    written = {name: contrast(ink[name], ink["paper"]) for name in ("text", "quiet", "odd", "poor", "caliper", "trace")}
    assert {name: found for name, found in written.items() if found < TEXT} == {}
    drawn = ("p", "qrs", "t", "mark", "faint", "reference", "select", "usable", "for", "against")
    marks = {name: contrast(ink[name], ink["paper"]) for name in drawn}
    assert {name: found for name, found in marks.items() if found < MARK} == {}


@pytest.mark.parametrize("look", LOOKS)
def test_text_of_the_pages_can_be_read_also_where_it_is_quiet(look):
    colours = theme(look)
    for ground in (colours["backgroundColor"], colours["secondaryBackgroundColor"]):
        assert contrast(colours["textColor"], ground) >= 7
        assert contrast(over(colours["textColor"], ground, 0.72), ground) >= TEXT
        assert contrast(colours["primaryColor"], ground) >= TEXT


@pytest.mark.parametrize("look", LOOKS)
def test_what_is_written_on_the_primary_colour_can_be_read(look):
    found = re.search(r"light-dark\((#\w{6}), (#\w{6})\)", (ROOM / "theme.css").read_text("utf-8"))
    assert found
    assert contrast(found[1 + LOOKS.index(look)], theme(look)["primaryColor"]) >= TEXT


@pytest.mark.parametrize("look", LOOKS)
def test_pills_and_flags_can_be_read(look):
    colours = theme(look)
    css = (ROOM / "components" / "html.py").read_text("utf-8")
    tones = dict(re.findall(r"\.ecg-chip\.(\w+) { --tone: (#\w{6})", css))
    assert set(tones) == {"urgent", "abnormal", "borderline", "normal", "undetermined"}
    for tone in (*tones.values(), "#d98200"):
        ground = over(tone, colours["backgroundColor"], 0.22)
        assert contrast(colours["textColor"], ground) >= TEXT


@pytest.mark.parametrize("sees", SEES)
@pytest.mark.parametrize("look", LOOKS)
def test_whoever_sees_fewer_colours_tells_the_marks_apart(look, sees):
    ink = inks(look)
    pairs = [
        *combinations(("p", "qrs", "t"), 2),
        ("for", "against"),
        ("odd", "mark"),
        ("reference", "mark"),
        ("reference", "trace"),
    ]
    apart = {f"{one} {other}": difference(ink[one], ink[other], SEES[sees]) for one, other in pairs}
    assert {name: round(found, 1) for name, found in apart.items() if found < APART} == {}


@pytest.mark.parametrize("sees", SEES)
def test_whoever_sees_fewer_colours_tells_the_first_curves_apart(sees):
    apart = {f"{one} {other}": difference(one, other, SEES[sees]) for one, other in combinations(COLOURS[:4], 2)}
    assert {name: round(found, 1) for name, found in apart.items() if found < APART} == {}
