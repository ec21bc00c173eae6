"""From an upload to its answer: read it in a process of its own, analyse it, say what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

import numpy as np

from api.schemas import Prediction, Signal
from api.services.warm_up import warm_up
from api.settings import Settings
from ecg_core.errors import InvalidValue, LimitExceeded
from ecg_core.isolation import ReadPool
from ecg_core.pipeline import analyze, state_subject
from ecg_core.predictors import DEFAULT_POINT, OperatingPoint
from ecg_core.readers import ReadOptions
from ecg_core.recording import Recording

_MAX_LABEL = 200


@dataclass(frozen=True)
class Upload:
    """One file as it came in."""

    name: str | None
    content: BinaryIO


def predict_upload(
    uploads: Sequence[Upload],
    pool: ReadPool,
    settings: Settings,
    *,
    fs: float | None = None,
    units: str | None = None,
    age: float | None = None,
    sex: Literal["female", "male"] | None = None,
    facts: Mapping[str, Any] | None = None,
    models: Sequence[str] | None = None,
    operating_point: OperatingPoint = DEFAULT_POINT,
    with_signal: bool = False,
) -> Prediction:
    """Answer an upload. Blocks while it is read: call it off the event loop."""
    files = collect_files(uploads, settings.max_files)
    recording = pool.read(files, ReadOptions(fs=fs, units=units, limits=settings.limits()))
    recording = state_subject(recording, age, sex, facts)
    warm_up()
    analysis = analyze(recording, models=models, operating_point=operating_point)
    signal = None
    if with_signal:
        signal = cut_signal(recording, analysis.part.start_s, settings.signal_window_s, settings.signal_max_values)
    return Prediction.model_validate(analysis.to_dict() | {"signal": signal})


def collect_files(uploads: Sequence[Upload], max_files: int) -> dict[str, bytes]:
    """Return ``{label: content}``.

    Raises
    ------
    LimitExceeded
        There are more than ``max_files``.
    InvalidValue
        Two of them have the same name.
    """
    if len(uploads) > max_files:
        raise LimitExceeded("too many files", field="files", found=len(uploads), expected=f"at most {max_files}")
    files: dict[str, bytes] = {}
    for upload in uploads:
        label = label_of(upload.name)
        if label in files:
            raise InvalidValue("two files have the same name", field="files", found=label, expected="each name once")
        files[label] = upload.content.read()
    return files


def label_of(name: str | None) -> str:
    """Return a file's name as a label: without folders and unprintable characters, and of bounded length."""
    base = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(ch for ch in base if ch.isprintable())[-_MAX_LABEL:] or "upload"


def cut_signal(recording: Recording, start_s: float, window_s: float, max_values: int) -> Signal:
    """Return ``window_s`` seconds of every lead, or less where that is more than ``max_values`` samples."""
    n_samples = max(1, min(round(window_s * recording.fs), max_values // recording.n_leads))
    first = min(round(start_s * recording.fs), recording.n_samples - 1)
    window = np.round(recording.signal[:, first : first + n_samples].astype(np.float64), 4)
    values = window.astype(object)
    values[np.isnan(window)] = None
    return Signal(fs=recording.fs, start_s=first / recording.fs, leads=list(recording.leads), values=values.tolist())
