from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from ecg_core import __version__
from ecg_core.pipeline import analyze
from ecg_core.recording import Recording, Source
from tests.helpers import SUBJECT, make_recording, with_gap


def test_analysis_says_what_is_known_of_a_recording():
    recording = make_recording()
    analysis = analyze(recording)
    assert analysis.recording is recording
    assert analysis.subject == SUBJECT
    assert analysis.beats.heart_rate.bpm == pytest.approx(75, abs=1)


def test_json_form_has_the_parts_of_the_analysis_under_their_names():
    recording = make_recording(("I", "II"))
    recording = Recording(
        recording.signal,
        recording.fs,
        recording.leads,
        SUBJECT,
        source=Source("edf", "a.edf", "0" * 64),
        warnings=("units: mV, stated by the file",),
    )
    before = datetime.now(UTC).replace(microsecond=0)
    found = analyze(recording).to_dict()
    assert list(found) == ["recording", "subject", "quality", "beats", "provenance"]
    expected = {"sha256": "0" * 64, "format": "edf", "fs": 500.0, "leads": ["I", "II"], "duration_s": 4.0}
    assert expected.items() <= found["recording"].items()
    assert found["recording"]["warnings"] == ["units: mV, stated by the file"]
    assert "subject" not in found["recording"]
    assert found["subject"] == {"id": "P-0042", "age": 63.0, "sex": "female", "facts": {}}
    assert set(found["beats"]) == {"method", "leads", "times_s", "reason", "heart_rate", "rr", "hrv"}
    assert found["provenance"]["software"] == {"name": "einthoven", "version": __version__}
    assert before <= datetime.fromisoformat(found["provenance"]["analysed_at"]) <= datetime.now(UTC)


@pytest.mark.parametrize(
    "recording",
    [
        make_recording(),
        with_gap(make_recording(), lead=1),
        make_recording(("V1",), n_samples=1),
        Recording(np.full((2, 900), np.nan), 500, ("I", "II")),
    ],
    ids=["12 leads", "gap", "one sample", "nothing recorded"],
)
def test_json_form_is_json_with_null_for_what_could_not_be_had(recording):
    found = json.loads(json.dumps(analyze(recording).to_dict(), allow_nan=False))
    rate = found["beats"]["heart_rate"]
    assert (rate["bpm"] is None) == (rate["reason"] is not None)


def test_beats_come_from_a_lead_that_can_be_trusted():
    recording = make_recording(n_samples=5000)
    signal = recording.signal.copy()
    signal[recording.leads.index("II")] = 0.0
    found = analyze(Recording(signal, 500, recording.leads))
    assert found.quality.leads["II"].verdict == "poor"
    assert found.beats.leads == ("I",)


def test_recording_that_can_not_be_trusted_gives_no_beats_but_the_reason():
    noise = np.cumsum(np.random.default_rng(0).normal(0, 3, (2, 5000)), axis=1)
    found = analyze(Recording(noise, 500, ("I", "II")))
    assert found.quality.verdict == "poor"
    assert len(found.beats) == 0
    assert found.beats.reason.startswith("the signal is poor in I")
    assert found.beats.heart_rate.bpm is None
