"""`delineate_waves`: a recording and its beats in, P, QRS and T of each beat out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ecg_core.artefacts import RUNNERS, Artefact, load_model
from ecg_core.beats import Beats
from ecg_core.delineation.assembly import assemble
from ecg_core.delineation.candidates import Candidates, find_candidates
from ecg_core.delineation.global_marks import settle
from ecg_core.delineation.inputs import FLAT_MV
from ecg_core.delineation.scores import Block, read_scores, start_scores
from ecg_core.engine import Network, network_of
from ecg_core.recording import Recording
from ecg_core.waves import Waves, WaveTable

MODEL = "waves"
MIN_FS = 80.0
"""Samples per second under which waves are not marked: their edges are lost."""


def start_waves(recording: Recording) -> Iterator[Block] | None:
    """Begin what `delineate_waves` does without beats, in the background, and return what to give it as ``started``."""
    if recording.fs < MIN_FS or not _moves(recording.signal):
        return None
    return start_scores(network_of(load_model(MODEL)), recording)


def delineate_waves(
    recording: Recording,
    beats: Beats,
    leads: Sequence[str] | None = None,
    *,
    started: Iterator[Block] | None = None,
) -> Waves:
    """Mark onset, peak and end of P, QRS and T, in every lead and over all leads together.

    Parameters
    ----------
    recording
        Of any length, at any rate from `MIN_FS`, with any leads.
    beats
        Its beats: each gets at most one P, QRS and T.
    leads
        The leads to look at, all of the recording unless given; the global waves are those of these leads.
    started
        From `start_waves` of this recording, with all its leads; good for one call.

    Returns
    -------
    The waves; absent waves are absent. None, and the reason, where there is nothing to mark.

    Raises
    ------
    InvalidValue
        The recording has no such lead.
    """
    if leads is not None:
        recording = recording.select(tuple(leads))
    if reason := _declines(recording, beats):
        return Waves((), dict.fromkeys(recording.leads, ()), reason)
    if started is None or leads is not None:
        return delineate_with(network_of(load_model(MODEL)), recording, beats.times_s)
    return _of_beats(_in_blocks(started), recording, beats.times_s)


def delineate_with(network: Network, recording: Recording, beats_s: np.ndarray) -> Waves:
    """Do as `delineate_waves` with a network at hand, given beats in s, shape (n_beats,)."""
    return _of_beats(find_waves(network, recording), recording, beats_s)


def _of_beats(candidates: Candidates, recording: Recording, beats_s: np.ndarray) -> Waves:
    marks = assemble(candidates, beats_s, recording.n_leads)
    return Waves(
        WaveTable(settle(recording, marks[-1])),
        {lead: WaveTable(rows) for lead, rows in zip(recording.leads, marks, strict=False)},
    )


def find_waves(network: Network, recording: Recording) -> Candidates:
    """Return all waves that may be, of whatever beats."""
    return _in_blocks(read_scores(network, recording))


def _in_blocks(blocks: Iterator[Block]) -> Candidates:
    parts = [find_candidates(block) for block in blocks]
    return Candidates(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "kind", "marks", "score"))
    )


def _declines(recording: Recording, beats: Beats) -> str | None:
    """Return why no waves are looked for, if so."""
    if recording.fs < MIN_FS:
        return f"{recording.fs:g} Hz is too slow to see where waves begin and end; {MIN_FS:g} Hz are needed"
    if not len(beats):
        return f"no beats: {beats.reason}" if beats.reason else "no beats"
    if not _moves(recording.signal):
        return "no lead holds a signal"
    return None


def _moves(signal: np.ndarray) -> bool:
    """Return whether any lead (mV, shape (n_leads, n_samples)) holds a signal."""
    span = np.fmax.reduce(signal, axis=1) - np.fmin.reduce(signal, axis=1)
    return bool((span > FLAT_MV).any())


def _run(artefact: Artefact, recording: Recording) -> Mapping[str, np.ndarray]:
    return dict(vars(find_waves(network_of(artefact), recording)))


RUNNERS.register(MODEL, _run)
