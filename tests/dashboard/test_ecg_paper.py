from __future__ import annotations

import base64
import math
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

import dashboard
from api.schemas import Signal, Wave, Waves
from dashboard.components.ecg_paper import bands, describe, encode_samples

HERE = Path(__file__).parent
ROOM = Path(dashboard.__file__).parent
MODULE = ROOM / "components" / "ecg_paper" / "ecg_paper.mjs"


def test_samples_travel_as_float32_with_nan_for_null():
    packed = base64.b64decode(encode_samples([[0.5, None], [-1.25, 0.0]]))
    values = struct.unpack("<4f", packed)
    assert values[0] == 0.5
    assert math.isnan(values[1])
    assert values[2:] == (-1.25, 0.0)


def test_the_drawing_has_words_for_those_who_cannot_see_it():
    signal = Signal(fs=500, leads=["I", "II"], values=[[0.0], [0.0]])
    assert describe(signal, ["N"] * 12, 10.0) == "ECG, leads I, II, 10.0 seconds, 12 beats marked"
    told = describe(signal, ["N", "V", "V", "S"], 10.0)
    assert told.endswith("4 beats marked, 1 of class S, 2 of class V")


def test_waves_that_reach_into_the_window_are_drawn_from_its_start():
    waves = [{"p": Wave(onset_s=4.9, peak_s=5.0, end_s=5.1)}, {"t": Wave(onset_s=1, peak_s=2, end_s=3)}]
    found = bands(Waves.model_validate({"start_s": 0, "end_s": 20, "global": [], "leads": {"II": waves}}), 5.0, 15.0)
    assert found["II"] == [("p", pytest.approx(-0.1), pytest.approx(0.1))]


def test_nothing_is_loaded_from_elsewhere():
    for path in [*ROOM.rglob("*.mjs"), *ROOM.rglob("*.css"), *ROOM.rglob("*.svg")]:
        assert not re.search(
            r"https?://(?!www\.w3\.org/2000/svg)|@import|\bimport\b.*\bfrom\b", path.read_text("utf-8")
        ), path


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to run the component's own tests with")
def test_the_components_own_tests_pass():
    command = ["node", "--test", str(HERE / "ecg_paper.test.mjs")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
