import copy
import json
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from ecg_core.errors import InvalidValue
from ecg_core.recording import Annotations, Recording, Source, Step, Subject
from tests.helpers import START, make_recording


def full_recording():
    signal = make_recording(("I", "II", "III")).signal.copy()
    signal[1, 100:200] = np.nan
    return Recording(
        signal,
        500.0,
        ("I", "II", "III"),
        Subject("P-1", 63.5, "female", {"height_cm": 171, "notes": ["a"]}),
        START,
        Source("edf", "a.edf", "0" * 64),
        (Step("resample", {"fs": 500.0}),),
        ("units: mV, stated by the file",),
        ("III",),
        {"atr": Annotations(np.array([0.5, 1.5]), ("N", "V"), ("", "(B"))},
    )


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 50), np.float32),
        np.zeros((2, 50), np.float64),
        np.zeros((2, 50), np.int16),
        np.zeros((50, 2), np.float32).T,
        np.zeros((4, 50), np.float32)[::2],
    ],
    ids=["float32", "float64", "int16", "transposed", "strided"],
)
def test_writing_to_the_array_handed_over_does_not_change_the_recording(array):
    recording = Recording(array, 500, ("I", "II"))
    array[:] = 7
    assert not recording.signal.any()


def test_writing_through_the_owner_of_a_read_only_view_does_not_change_the_recording():
    owner = np.zeros((2, 50), np.float32)
    view = owner.view()
    view.setflags(write=False)
    recording = Recording(view, 500, ("I", "II"))
    owner[:] = 7
    assert not recording.signal.any()


def test_writing_to_a_buffer_below_the_array_does_not_change_the_recording():
    buffer = bytearray(400)
    for array in (
        np.frombuffer(buffer, np.float32),
        np.frombuffer(memoryview(buffer).toreadonly(), np.float32),
    ):
        recording = Recording(array.reshape(2, 50), 500, ("I", "II"))
        buffer[:] = b"\x3f" * 400
        assert not recording.signal.any()
        buffer[:] = bytes(400)


def test_samples_that_nobody_can_write_to_are_not_copied():
    signal = np.zeros((2, 50), np.float32)
    signal.setflags(write=False)
    recording = Recording(signal, 500, ("I", "II"))
    assert recording.signal is signal
    assert replace(recording, fs=250.0).signal is signal
    assert np.shares_memory(Recording(signal[:1, 10:20], 500, ("I",)).signal, signal)
    data = Recording(np.frombuffer(bytes(400), np.float32).reshape(2, 50), 500, ("I", "II"))
    assert not data.signal.flags.owndata


def test_signal_is_read_only_contiguous_single_precision():
    signal = Recording(np.ones((50, 2)).T, 500, ("I", "II")).signal
    assert signal.dtype == np.float32
    assert signal.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        signal[0, 0] = 1


def test_nothing_can_be_assigned():
    recording = full_recording()
    with pytest.raises(FrozenInstanceError):
        recording.fs = 100
    with pytest.raises(FrozenInstanceError):
        recording.subject.age = 5
    with pytest.raises(TypeError):
        recording.subject.facts["height_cm"] = 1
    with pytest.raises(TypeError):
        recording.annotations["atr"] = None
    with pytest.raises(TypeError):
        recording.history[0].parameters["fs"] = 1
    with pytest.raises(ValueError, match="read-only"):
        recording.annotations["atr"].time_s[0] = 1


def test_dictionaries_handed_over_are_copied():
    facts, parameters, annotations = {"a": 1}, {"fs": 1}, {}
    subject, step = Subject(facts=facts), Step("x", parameters)
    recording = Recording(np.zeros((1, 5)), 100, ("I",), annotations=annotations)
    facts["a"] = parameters["fs"] = annotations["atr"] = 2
    assert subject.facts == {"a": 1}
    assert step.parameters == {"fs": 1}
    assert recording.annotations == {}


@pytest.mark.parametrize("again", [lambda r: pickle.loads(pickle.dumps(r)), copy.deepcopy], ids=["pickle", "deepcopy"])  # noqa: S301
def test_recording_survives_a_process_boundary_whole_and_still_frozen(again):
    recording = full_recording()
    back = again(recording)
    assert np.array_equal(back.signal, recording.signal, equal_nan=True)
    assert back.summary() == recording.summary()
    assert back.annotations["atr"].time_s.tolist() == [0.5, 1.5]
    assert back.annotations["atr"].note == ("", "(B")
    assert not back.signal.flags.writeable
    assert not back.annotations["atr"].time_s.flags.writeable
    with pytest.raises(TypeError):
        back.subject.facts["height_cm"] = 1


def test_aliases_are_stored_under_their_canonical_name_and_found_by_any():
    recording = Recording(np.arange(6).reshape(3, 2), 100, ("MLII", "AVR", "thorax"))
    assert recording.leads == ("II", "aVR", "thorax")
    assert recording.lead("Lead II").tolist() == [0, 1]
    assert recording.lead("thorax").tolist() == [4, 5]


@pytest.mark.parametrize(
    ("signal", "fs", "leads", "field"),
    [
        (np.zeros(5), 100, ("I",), "signal"),
        (np.zeros((0, 5)), 100, (), "signal"),
        (np.zeros((1, 0)), 100, ("I",), "signal"),
        (np.zeros((1, 2, 3)), 100, ("I",), "signal"),
        (np.array([[0, np.inf]]), 100, ("I",), "signal"),
        (np.array([[0, 1e300]]), 100, ("I",), "signal"),
        (np.zeros((1, 5)), 100, ("I", "II"), "leads"),
        (np.zeros((2, 5)), 100, ("II", "MLII"), "leads"),
        (np.zeros((1, 5)), 0, ("I",), "fs"),
        (np.zeros((1, 5)), -1, ("I",), "fs"),
        (np.zeros((1, 5)), np.nan, ("I",), "fs"),
        (np.zeros((1, 5)), np.inf, ("I",), "fs"),
    ],
)
def test_what_is_no_recording_is_refused_by_field(signal, fs, leads, field):
    with pytest.raises(InvalidValue) as caught:
        Recording(signal, fs, leads)
    assert caught.value.field == field


def test_derived_leads_must_be_leads():
    with pytest.raises(InvalidValue, match="derived leads must be leads of the recording; found: III"):
        Recording(np.zeros((1, 5)), 100, ("I",), derived=("III",))


@pytest.mark.parametrize("age", [-1, 131, np.nan, np.inf])
def test_impossible_age_is_refused(age):
    with pytest.raises(InvalidValue, match=r"subject\.age"):
        Subject(age=age)


def test_unknown_sex_is_refused_and_the_choices_listed():
    with pytest.raises(InvalidValue, match="options: female, male"):
        Subject(sex="F")


def test_select_reorders_and_records():
    recording = full_recording()
    found = recording.select(("III", "Lead I"))
    assert found.leads == ("III", "I")
    assert np.array_equal(found.signal, recording.signal[[2, 0]])
    assert found.derived == ("III",)
    assert found.select(("I",)).derived == ()
    assert found.history[-1] == Step("select", {"leads": ["III", "I"]})


@pytest.mark.parametrize("leads", [("V1",), ("I", "I"), ()])
def test_selecting_what_is_not_there_twice_or_nothing_is_refused(leads):
    with pytest.raises(InvalidValue):
        full_recording().select(leads)


def test_missing_lead_lists_those_there_are():
    with pytest.raises(InvalidValue, match="found: V1; options: I, II, III"):
        full_recording().lead("V1")


def test_warnings_are_added_once_each():
    recording = full_recording().with_warnings("a", "b").with_warnings("a")
    assert recording.warnings == ("units: mV, stated by the file", "a", "b")
    assert recording.with_warnings() is recording


def test_summary_is_json_ready_and_tells_the_size():
    found = json.loads(json.dumps(full_recording().summary()))
    assert (found["n_samples"], found["duration_s"], found["start"]) == (2000, 4.0, "2021-03-04T05:06:07")
    assert found["subject"]["facts"] == {"height_cm": 171, "notes": ["a"]}
    assert found["annotations"] == {"atr": 2}
    assert found["history"] == [{"name": "resample", "parameters": {"fs": 500.0}}]


def test_marks_between_two_times_are_timed_from_the_first():
    marks = Annotations(np.array([0.0, 1.0, 2.0, 3.0]), tuple("abcd"), ("", "x", "", ""))
    found = marks.between(1, 3)
    assert found.time_s.tolist() == [0, 1]
    assert found.symbol == ("b", "c")
    assert found.note == ("x", "")
    assert len(marks.between(5, 9)) == 0


def test_marks_must_be_complete():
    with pytest.raises(InvalidValue, match="2 times, 1 symbols"):
        Annotations(np.array([0.0, 1.0]), ("N",))
