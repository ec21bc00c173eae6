from __future__ import annotations

import base64
import json
import math
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from api.schemas import Beats, Quality, Signal, Wave, Waves
from dashboard.components.ecg_paper import Caliper, Heat, Selection, ecg_paper, join_modules
from dashboard.components.ecg_paper.packing import (
    ShownBeats,
    Span,
    bands,
    beats_in,
    describe,
    encode_samples,
    pack_heat,
    pack_quality,
    span_of,
)
from dashboard.components.ecg_paper.selection import read_selection

HERE = Path(__file__).parent
ROOM = Path(dashboard.__file__).parent
NODE = pytest.mark.skipif(shutil.which("node") is None, reason="no node to run the component's own tests with")


def signal_of(leads: tuple[str, ...] = ("I", "II"), seconds: float = 2, start_s: float = 0) -> Signal:
    return Signal(fs=10, start_s=start_s, leads=list(leads), values=[[0.5] * int(10 * seconds)] * len(leads))


def beats_of(times_s: list[float], classes: list[str] | None = None) -> Beats:
    rate = {"bpm": None, "low": None, "high": None}
    return Beats.model_validate(
        {"method": "m", "leads": ["II"], "times_s": times_s, "classes": classes, "heart_rate": rate}
    )


def test_samples_travel_as_float32_with_nan_for_null():
    packed = base64.b64decode(encode_samples([[0.5, None], [-1.25, 0.0]]))
    values = struct.unpack("<4f", packed)
    assert values[0] == 0.5
    assert math.isnan(values[1])
    assert values[2:] == (-1.25, 0.0)


def test_the_drawing_has_words_for_those_who_cannot_see_it():
    signal = signal_of(seconds=10)
    assert describe(signal, ShownBeats([0.5] * 12, ["N"] * 12)) == ("ECG, leads I, II, 10.0 seconds, 12 beats marked")
    told = describe(signal_of(("II",), 10, 30), ShownBeats([31.0] * 4, ["N", "V", "V", "S"]))
    assert told == "ECG, lead II, 10.0 seconds from 30.0 s on, 4 beats marked, 1 of class S, 2 of class V"


def test_waves_that_reach_into_the_window_keep_their_times():
    waves = [{"p": Wave(onset_s=4.9, peak_s=5.0, end_s=5.1)}, {"t": Wave(onset_s=1, peak_s=2, end_s=3)}]
    whole = Waves.model_validate({"start_s": 0, "end_s": 20, "global": [], "leads": {"II": waves}})
    assert bands(whole, Span(5.0, 15.0)) == {"II": [("p", 4.9, 5.1)]}
    assert bands(None, Span(5.0, 15.0)) == {}


def test_beats_of_a_window_remember_their_place_in_the_recording():
    found = beats_in(beats_of([1, 2, 3, 4, 5], ["N", "V", "N", "S", "N"]), Span(2, 4))
    assert found == ShownBeats([2.0, 3.0], ["V", "N"], 1)
    assert beats_in(None, Span(0, 9)) == beats_in(beats_of([20]), Span(0, 9)) == ShownBeats()


def test_quality_and_attribution_travel_by_lead():
    leads = {"V1": {"verdict": "poor", "reasons": ["noise"]}}
    quality = Quality.model_validate({"verdict": "poor", "unacceptable_probability": None, "leads": leads})
    assert pack_quality(quality) == leads
    assert pack_quality(None) == {}
    heat = pack_heat(Heat(0.1, {"II": (1, -2)}, start_s=3, label="infarct"))
    assert heat == {"start_s": 3, "step_s": 0.1, "leads": {"II": [1.0, -2.0]}, "label": "infarct"}
    assert pack_heat(None) is None


def test_an_empty_signal_has_an_empty_span():
    assert span_of(Signal(fs=500, leads=[], values=[])) == Span(0, 0)


SENT = {
    "record": "r",
    "lead": "II",
    "beat": 3,
    "window": [1, 2.5],
    "caliper": {"lead": "V1", "from_s": 2, "to_s": 1.2, "from_mv": 0.1, "to_mv": -0.4},
}


def test_what_was_chosen_is_typed_and_measured():
    chosen = read_selection(SENT, "r", 10)
    assert chosen == Selection("II", 3, (1.0, 2.5), Caliper("V1", 2.0, 1.2, 0.1, -0.4))
    assert chosen.caliper
    assert chosen.caliper.ms == pytest.approx(800)
    assert chosen.caliper.bpm == pytest.approx(75)
    assert chosen.caliper.mv == pytest.approx(-0.5)
    assert Caliper("I", 1, 1, 0, 0).bpm is None


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "II",
        SENT | {"record": "another"},
        {"record": "r", "lead": 5, "beat": 10, "window": [1], "caliper": {"lead": "II"}},
        {"record": "r", "lead": None, "beat": -1, "window": ["a", "b"], "caliper": "x"},
    ],
)
def test_what_is_of_another_record_or_makes_no_sense_is_not_chosen(sent):
    assert read_selection(sent, "r", 10) == Selection()


def papers(page: AppTest) -> list[dict]:
    assert not page.exception
    return [json.loads(item.proto.json) for item in page.get("bidi_component")]


def script() -> None:
    import streamlit as st

    from api.schemas import Signal
    from dashboard.components.ecg_paper import ecg_paper

    def fetch(start_s: float, length_s: float) -> Signal:
        st.session_state["asked"] = [*st.session_state.get("asked", []), (start_s, length_s)]
        return Signal(fs=10, start_s=start_s, leads=["II"], values=[[start_s] * int(10 * length_s)])

    first = Signal(fs=10, leads=["II"], values=[[st.session_state.get("level", 0.0)] * 100])
    ecg_paper(first, fetch=fetch, duration_s=60, reference=[1, 25, 59], key="paper")


def test_a_page_that_was_turned_to_is_fetched_once_and_shown_with_its_own_times():
    page = AppTest.from_function(script, default_timeout=60).run()
    (before,) = papers(page)
    assert (before["start_s"], before["duration_s"], before["reference"]) == (0, 60, [1])
    page.session_state["paper"] = {"window": {"record": before["record"], "start_s": 20.0, "length_s": 10.0}}
    for _ in range(2):
        page.run()
        (turned,) = papers(page)
        assert turned["start_s"] == 20
        assert turned["samples"] == encode_samples([[20.0] * 100])
        assert turned["record"] == before["record"]
        assert turned["reference"] == [25]
    assert page.session_state["asked"] == [(20, 10)]


def test_another_record_begins_at_its_own_start():
    page = AppTest.from_function(script, default_timeout=60).run()
    (before,) = papers(page)
    page.session_state["paper"] = {"window": {"record": before["record"], "start_s": 20.0, "length_s": 10.0}}
    page.session_state["level"] = 1.0
    page.run()
    (shown,) = papers(page)
    assert shown["record"] != before["record"]
    assert shown["start_s"] == 0
    assert "asked" not in page.session_state


def test_nothing_is_loaded_from_elsewhere():
    for path in [*ROOM.rglob("*.mjs"), *ROOM.rglob("*.css"), *ROOM.rglob("*.svg"), *ROOM.rglob("*.html")]:
        text = path.read_text("utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import", text), path
        assert all(source.startswith("./") for source in re.findall(r'^import .* from "(.*)"', text, re.M)), path


def test_the_modules_are_joined_to_one_that_imports_nothing():
    joined = join_modules()
    assert not re.search(r"^import ", joined, re.M)
    assert re.findall(r"^export .*?(?= ecgPaper)", joined, re.M) == ["export default function"]
    for path in (ROOM / "components" / "ecg_paper").glob("*.mjs"):
        assert path.read_text("utf-8").splitlines()[0] in joined, path.name


@NODE
def test_the_joined_module_has_no_name_twice(tmp_path):
    path = tmp_path / "joined.mjs"
    path.write_text(join_modules(), "utf-8")
    code = f"const m = await import({json.dumps(path.as_uri())}); if (Object.keys(m) != 'default') process.exit(1)"
    done = subprocess.run(["node", "--input-type=module", "-e", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@NODE
def test_the_components_own_tests_pass():
    command = ["node", "--test", *map(str, sorted(HERE.glob("ecg_paper*.test.mjs")))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_speed_that_the_paper_does_not_have_is_refused():
    with pytest.raises(ValueError, match=r"30 mm/s.*12\.5, 25, 50"):
        ecg_paper(signal_of(), speed=30)
