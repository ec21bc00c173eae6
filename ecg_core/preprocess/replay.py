"""Doing again what a history says was done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ecg_core.errors import InvalidValue
from ecg_core.leads import derive_leads
from ecg_core.preprocess.bands import bandpass, monitor_view
from ecg_core.preprocess.baseline import remove_baseline
from ecg_core.preprocess.mains import notch
from ecg_core.preprocess.resampling import resample
from ecg_core.preprocess.shaping import crop, fit_length, normalise, pad, window
from ecg_core.recording import Recording, Step
from ecg_core.registry import Registry

Replayable = Callable[[Recording, Mapping[str, Any]], Recording]

STEPS: Registry[Replayable] = Registry("replayable step")
"""From the name of a history entry to the function that applies its parameters again."""


def replay(recording: Recording, steps: Iterable[Step]) -> Recording:
    """Apply history entries to ``recording``, in order, from their names and parameters alone.

    On the recording that the entries came from, this gives the same samples and the same history again. Choices that a
    step makes by looking at the signal (which mains, which mean) are made anew on another recording.

    Raises
    ------
    UnknownName
        A step that is no preprocessing, such as ``"synthesize"``; the message lists those that are.
    InvalidValue
        A ``"resample"`` that a reader did while reading, on single channels of the file.
    """
    for step in steps:
        apply = STEPS[step.name]
        try:
            recording = apply(recording, step.parameters)
        except KeyError as error:
            raise InvalidValue(
                "the history entry lacks a parameter",
                field=step.name,
                found=", ".join(step.parameters) or "none",
                expected=str(error.args[0]),
            ) from None
    return recording


def _resample(recording: Recording, parameters: Mapping[str, Any]) -> Recording:
    if "leads" in parameters:
        raise InvalidValue(
            "cannot be replayed: a reader did it while reading, on the single channels of a file with several rates",
            field="resample",
            found=", ".join(f"{name} {fs:g} Hz" for name, fs in parameters["leads"].items()),
            expected="a resampling of the whole recording; read the file again instead",
        )
    return resample(recording, parameters["fs"])


STEPS.register("bandpass", lambda recording, p: bandpass(recording, p["low_hz"], p["high_hz"]))
STEPS.register("monitor_view", lambda recording, p: monitor_view(recording))  # noqa: ARG005
STEPS.register("notch", lambda recording, p: notch(recording, p["mains_hz"], harmonics=p["harmonics"]))
STEPS.register("remove_baseline", lambda recording, p: remove_baseline(recording, p["method"]))
STEPS.register("resample", _resample)
STEPS.register("crop", lambda recording, p: crop(recording, p["start_s"], p["stop_s"]))
STEPS.register("pad", lambda recording, p: pad(recording, p["before_s"], p["after_s"]))
STEPS.register("fit_length", lambda recording, p: fit_length(recording, p["duration_s"], p["where"]))
STEPS.register(
    "window", lambda recording, p: window(recording, p["first_sample"], p["n_samples"], pad_end=p["pad_end"])
)
STEPS.register("normalise", lambda recording, p: normalise(recording, p["per"], p["eps"]))
STEPS.register("derive_leads", lambda recording, p: derive_leads(recording, tuple(p["leads"])))
STEPS.register("select", lambda recording, p: recording.select(tuple(p["leads"])))
