import json
import subprocess
import sys

import numpy as np
import pytest

from ecg_core.errors import InvalidValue, UnknownName
from ecg_core.leads import derive_leads
from ecg_core.preprocess import (
    bandpass,
    crop,
    fit_length,
    monitor_view,
    normalise,
    notch,
    pad,
    remove_baseline,
    replay,
    resample,
    windows,
)
from ecg_core.preprocess.replay import STEPS
from ecg_core.recording import Step
from tests.helpers import make_recording, with_gap

EVERY_STEP = {
    "bandpass": lambda r: bandpass(r, 0.1, 400.0),
    "monitor_view": monitor_view,
    "notch": lambda r: notch(r, 60, harmonics=True),
    "remove_baseline": lambda r: remove_baseline(r, "median"),
    "resample": lambda r: resample(r, 257.0),
    "crop": lambda r: crop(r, 0.5, None),
    "pad": lambda r: pad(r, 0.25, 0.5),
    "fit_length": lambda r: fit_length(r, 3.0, "both"),
    "window": lambda r: windows(r, 2.0, 0.7)[-1],
    "normalise": lambda r: normalise(r, per="array"),
    "derive_leads": derive_leads,
    "select": lambda r: r.select(("V2", "I")),
}


def same(found, expected):
    assert np.array_equal(found.signal, expected.signal, equal_nan=True)
    assert (found.fs, found.leads, found.start, found.derived) == (
        expected.fs,
        expected.leads,
        expected.start,
        expected.derived,
    )
    assert found.history == expected.history


def test_every_replayable_step_is_tried_here():
    assert set(EVERY_STEP) == set(STEPS)


@pytest.mark.parametrize("name", EVERY_STEP)
def test_step_leaves_one_json_ready_entry_that_replays_to_the_same_recording(name):
    recording = with_gap(make_recording(("I", "II", "V2")))
    done = EVERY_STEP[name](recording)
    assert [step.name for step in done.history] == [name]
    stored = json.loads(json.dumps(dict(done.history[0].parameters), allow_nan=False))
    again = replay(recording, [Step(name, stored)])
    assert json.loads(json.dumps(dict(again.history[0].parameters))) == stored
    same(replay(recording, done.history), done)


def test_chain_of_steps_replays_from_the_summary():
    recording = make_recording(("I", "II", "V1", "V2"), n_samples=5000)
    done = normalise(fit_length(resample(notch(bandpass(derive_leads(recording))), 100.0), 12.0))
    stored = json.loads(json.dumps(done.summary()["history"]))
    found = replay(recording, [Step(entry["name"], entry["parameters"]) for entry in stored])
    assert np.array_equal(found.signal, done.signal, equal_nan=True)
    assert [step.name for step in found.history] == [step.name for step in done.history]


def test_step_that_is_no_preprocessing_is_refused_with_the_choices():
    with pytest.raises(UnknownName, match=r"replayable step.*'synthesize'.*options: bandpass, crop, .*select, window"):
        replay(make_recording(), [Step("synthesize", {"seed": 1})])


def test_resampling_done_by_a_reader_is_refused_and_says_why():
    step = Step("resample", {"fs": 500.0, "leads": {"V1": 250.0}, "method": "polyphase"})
    with pytest.raises(InvalidValue, match=r"a reader did it while reading.*V1 250 Hz"):
        replay(make_recording(), [step])


def test_entry_without_its_parameters_is_refused():
    with pytest.raises(InvalidValue, match=r"lacks a parameter.*low_hz"):
        replay(make_recording(), [Step("bandpass", {"high_hz": 40.0})])


def test_importing_the_steps_does_not_import_scipy():
    code = "import sys, ecg_core.preprocess; print([m for m in sys.modules if m.startswith('scipy')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
