"""Pacing spikes on the MIT-BIH Arrhythmia Database and LUDB."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecg_core import __version__
from ecg_core.datasets import Item
from ecg_core.datasets.ludb import LudbTruth
from ecg_core.datasets.mitdb import PACED, MitdbTruth
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.evaluation.pacing import STRIP_S, add_tallies, score_pacing, tally_spikes, tally_verdict
from ecg_core.pacing import LEAST_SPIKES, find_pacing

_COLUMN = "Cardiac pacing"
_PACED_BEATS = ("/", "f")
"""Paced, and fusion of paced and normal."""


def _answer_mitdb(item: Item[MitdbTruth]) -> dict[str, float]:
    """Judge the recording, and each strip of it that has `LEAST_SPIKES` paced beats or more, or none."""
    recording, truth = item.recording, item.truth
    paced_s = truth.beat_sample[np.isin(truth.beat_symbol, _PACED_BEATS)] / recording.fs
    found = find_pacing(recording)
    tallies = [tally_verdict("recordings", item.name in PACED, found.paced), tally_spikes(paced_s, found.times_s)]
    length = round(STRIP_S * recording.fs)
    for first in range(0, recording.n_samples - length + 1, length):
        start_s = first / recording.fs
        n_paced = int(((paced_s >= start_s) & (paced_s < start_s + STRIP_S)).sum())
        if n_paced == 0 or n_paced >= LEAST_SPIKES:
            strip = replace(recording, signal=recording.signal[:, first : first + length], annotations={})
            tallies.append(tally_verdict("strips", n_paced > 0, find_pacing(strip).paced))
    return add_tallies(tallies)


def _answer_ludb(item: Item[LudbTruth]) -> dict[str, float]:
    return tally_verdict("recordings", bool(item.truth.facts.get(_COLUMN)), find_pacing(item.recording).paced)


register("pacing", "mitdb", Exam(lambda: __version__, _answer_mitdb, score_pacing, ("se_beats", "ppv_spikes")))
register("pacing", "ludb", Exam(lambda: __version__, _answer_ludb, score_pacing))
