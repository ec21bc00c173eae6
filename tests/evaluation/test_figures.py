"""Figures are drawn from what was measured, and those of the documentation are not stale."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from ecg_core.artefacts import shipped_models
from ecg_core.evaluation.chart import Line, Panel, Row, draw_forest, draw_panels
from ecg_core.evaluation.figures import figures_of
from training.figures import FOLDER, draw_all

SVG = "{http://www.w3.org/2000/svg}"


def figure(value: float | None) -> dict[str, float | None]:
    return {
        "value": value,
        "low": None if value is None else value - 0.1,
        "high": None if value is None else value + 0.1,
    }


METRICS = {
    "model": "made",
    "version": "1",
    "metrics": {"a.auc": figure(0.8)},
    "curves": {
        "roc": {"a": {"false_positive_rate": [0, 0.2, 1], "sensitivity": [0, 0.7, 1]}},
        "reliability": {
            "a": {"predicted": [0.1, 0.9], "observed": [0.2, 0.8], "low": [0.1, 0.7], "high": [0.3, 0.9], "n": [5, 5]}
        },
        "decision": {
            "a": {
                "threshold": [0.1, 0.5],
                "model": [0.3, 0.2],
                "low": [0.2, 0.1],
                "high": [0.4, 0.3],
                "all": [0.3, -0.9],
            }
        },
    },
    "subgroups": {
        "sex": {
            "female": {"n": 60, "metrics": {"auc": figure(0.8), "auc.difference": figure(-0.3)}},
            "male": {"n": 6, "reason": "too few"},
        }
    },
    "robustness": {
        "n": 9,
        "as recorded": {"auc": figure(0.8)},
        "conditions": [
            {"kind": kind, "level": level, "dose": dose, "metrics": {"auc": figure(value)}}
            for kind, level, dose, value in (
                ("all noise", "12 dB", 12, 0.7),
                ("all noise", "0 dB", 0, None),
                ("resampling", "125 Hz and back", 125, 0.8),
            )
        ],
    },
}


def test_every_part_has_its_figure_and_what_was_not_measured_none():
    drawn = figures_of(METRICS)
    assert list(drawn) == ["reliability", "roc", "decision", "robustness", "subgroups"]
    assert figures_of({"model": "made", "version": "1", "metrics": {}}) == {}


@pytest.mark.parametrize("name", figures_of(METRICS))
def test_figure_is_an_image_with_a_title_and_a_description(name):
    root = ElementTree.fromstring(figures_of(METRICS)[name])  # noqa: S314 - made here
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text
    assert len(root.find(f"{SVG}desc").text) > 20
    assert "nan" not in figures_of(METRICS)[name]


def test_points_stand_where_their_values_are():
    panel = Panel("p", (0, 1), (0, 1), (Line([0, 1], [0, 1], dots=True),))
    places = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', draw_panels("t", "alt", [panel], size=(100, 100)))
    assert places == [("44.0", "66.0"), ("92.0", "24.0")]


def test_difference_without_zero_in_its_interval_has_another_colour():
    clear, unclear = (-0.3, -0.4, -0.2), (0.1, -0.1, 0.3)
    drawn = draw_forest("t", "alt", ["auc"], [Row("one", [clear]), Row("other", [unclear]), Row("none", [None])])
    assert len(re.findall("<circle", drawn)) == 2
    assert len(set(re.findall(r'<circle[^>]*fill="([^"]+)"', drawn))) == 2


def test_figures_of_the_documentation_are_those_of_the_models_metrics():
    drawn = draw_all(shipped_models())
    assert {path.name for path in FOLDER.glob("*.svg")} == set(drawn), "run: python -m training.figures"
    stale = [name for name, picture in drawn.items() if (FOLDER / name).read_text("utf-8") != picture]
    assert not stale, "run: python -m training.figures"


def test_every_figure_of_the_documentation_is_shown_with_words_for_those_who_cannot_see_it():
    page = (FOLDER.parent.parent / "evaluation.md").read_text("utf-8")
    shown = dict(re.findall(r"!\[([^\]]+)\]\(images/evaluation/([^)]+)\)", page, re.DOTALL))
    assert set(shown.values()) == {path.name for path in FOLDER.glob("*.svg")}
    assert all(len(words) > 30 for words in shown)
