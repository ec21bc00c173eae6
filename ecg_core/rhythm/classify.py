"""`classify_rhythm`: from one lead and its beats to a rhythm, and over a longer recording to its episodes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ecg_core.beats import PREFERRED_LEAD, Beats, detect_beats
from ecg_core.leads import canonical_lead
from ecg_core.quality.figures import measure_leads
from ecg_core.quality.rules import LeadQuality, judge_leads
from ecg_core.recording import Recording
from ecg_core.rhythm.episodes import find_episodes, smooth
from ecg_core.rhythm.model import RhythmModel, rhythm_model
from ecg_core.rhythm.morphology import FS
from ecg_core.rhythm.strip import prepare
from ecg_core.rhythm.value import LABELS, Rhythm

_CHUNK, _CHUNK_SAMPLES = 20, 2_000_000
"""Windows, and samples of the recording, prepared at once."""
_MARGIN_S = 2.0
"""Signal to either side of them, for the filter."""


def classify_rhythm(recording: Recording, beats: Beats, lead: str | None = None, *, trusted: bool = False) -> Rhythm:
    """Tell normal rhythm, atrial fibrillation, other rhythms and noise from one lead.

    Parameters
    ----------
    recording
        5 s or longer. Up to about a minute it is one strip with one answer; a longer one is answered window by
        window, which makes its episodes.
    beats
        Of this recording. Where they come from another detector than the model was trained with, that one is asked
        for beats in the lead.
    lead
        The lead to read. Without it, II if its signal is not poor, else the first that is not.
    trusted
        The lead is known not to be poor (`assess_quality` has said so), and is not judged again.

    Raises
    ------
    InvalidValue
        The recording has no such lead.
    ModelError
        The model is damaged.
    """
    return classify_with(rhythm_model(), recording, beats, lead, trusted=trusted)


def read_rhythm(recording: Recording, lead: str | None = None) -> Rhythm:
    """Do as `classify_rhythm`, finding the beats with the detector that the model asks for."""
    model = rhythm_model()
    chosen, _ = _choose(recording, lead)
    return classify_with(model, recording, detect_beats(recording, chosen, model.beats_method), chosen)


def classify_with(
    model: RhythmModel, recording: Recording, beats: Beats, lead: str | None = None, *, trusted: bool = False
) -> Rhythm:
    """Do as `classify_rhythm` with a model at hand."""
    if lead is not None and trusted:
        chosen, quality = canonical_lead(lead) or lead, LeadQuality("good")
    else:
        chosen, quality = _choose(recording, lead)
    values, fs = recording.lead(chosen), recording.fs

    def none(reason: str) -> Rhythm:
        return Rhythm(None, None, chosen, reason, unread_s=recording.duration_s, model=model.identity)

    if fs < model.least_fs:
        return none(f"{fs:g} Hz is too slow; the model reads {model.least_fs:g} Hz or more")
    recorded_s = float((~np.isnan(values)).sum() / fs)
    if recorded_s < model.least_s:
        return none(f"{recorded_s:.1f} s were recorded; a rhythm needs {model.least_s:g} s")
    if quality.verdict == "poor":
        return none(f"the signal is poor in {chosen} ({', '.join(quality.reasons)})")
    if beats.method != model.beats_method:
        beats = detect_beats(recording, chosen, model.beats_method)
    if len(beats) < model.least_beats:
        return none(beats.reason or f"only {len(beats)} beats were found; a rhythm needs {model.least_beats}")

    edges_s = _windows(recording.duration_s, model)
    probabilities = np.concatenate(list(_answers(model, values, fs, beats.times_s, edges_s)))
    read = ~np.isnan(probabilities[:, 0])
    lengths_s = np.diff(edges_s)
    if not read.any():
        return none("no part of the recording holds enough signal and beats")
    smoothed = smooth(probabilities, model.prior, model.stay)
    labels = np.where(read, model.decide(smoothed), -1)
    episodes = find_episodes(edges_s, labels, smoothed)
    shares = np.bincount(labels[read], lengths_s[read], len(LABELS))
    mean = np.average(smoothed[read], axis=0, weights=lengths_s[read])
    rhythmic = shares[:3].sum()
    return Rhythm(
        label=LABELS[int(shares.argmax())],
        probabilities=dict(zip(LABELS, mean.tolist(), strict=True)),
        lead=chosen,
        episodes=episodes,
        af_burden=float(shares[LABELS.index("A")] / rhythmic) if rhythmic else None,
        unread_s=float(lengths_s[~read].sum()),
        beats_method=beats.method,
        model=model.identity,
    )


def _choose(recording: Recording, lead: str | None) -> tuple[str, LeadQuality]:
    """Return the canonical name of the lead to read, and its quality."""
    if lead is not None:
        recording.lead(lead)
        recording = recording.select((lead,))
    judged = judge_leads(measure_leads(recording), recording.duration_s)
    found = sorted(zip(recording.leads, judged, strict=True), key=lambda item: item[0] != PREFERRED_LEAD)
    return next((item for item in found if item[1].verdict != "poor"), found[0])


def _windows(duration_s: float, model: RhythmModel) -> np.ndarray:
    """Return the edges of the windows, seconds, shape (n_windows + 1,)."""
    count = 1 if duration_s <= model.longest_strip_s else round(duration_s / model.window_s)
    return np.linspace(0, duration_s, count + 1)


def _answers(
    model: RhythmModel, values: np.ndarray, fs: float, times_s: np.ndarray, edges_s: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield the probabilities of some windows at a time, NaN for those that cannot be read."""
    count = len(edges_s) - 1
    chunk = min(_CHUNK, max(1, int(_CHUNK_SAMPLES / (fs * edges_s[1]))))
    for first in range(0, count, chunk):
        last = min(first + chunk, count)
        edges = edges_s[first : last + 1]
        begin = max(0, round((edges[0] - _MARGIN_S) * fs))
        part = values[begin : round((edges[-1] + _MARGIN_S) * fs)]
        prepared = prepare(part, fs)
        found = np.full((last - first, len(LABELS)), np.nan)
        strips, beats, rows = [], [], []
        for row, (start, stop) in enumerate(pairwise(edges.tolist())):
            inside = times_s[slice(*np.searchsorted(times_s, (start, stop)))]
            recorded = ~np.isnan(values[round(start * fs) : round(stop * fs)])
            if len(inside) < model.least_beats or recorded.sum() < model.least_s * fs:
                continue
            at, end = (round((edge - begin / fs) * FS) for edge in (start, stop))
            strips.append(prepared[at:end])
            beats.append(inside - begin / fs - at / FS)
            rows.append(row)
        if rows:
            found[rows] = model.probabilities(strips, beats)
        yield found
