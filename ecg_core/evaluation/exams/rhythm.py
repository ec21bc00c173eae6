"""The rhythm of one lead on CinC 2017."""

from __future__ import annotations

from ecg_core.artefacts import load_model
from ecg_core.beats import detect_beats
from ecg_core.datasets import Item
from ecg_core.datasets.cinc2017 import Cinc2017Truth
from ecg_core.evaluation.classification import score_cinc2017, tally_cinc2017
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.rhythm import classify_rhythm
from ecg_core.rhythm.model import MODEL, rhythm_model

ABSTAINED = "~"
"""What counts as the answer where there is none: that the strip cannot be told."""


def _answer(item: Item[Cinc2017Truth]) -> dict[str, float]:
    lead = item.recording.leads[0]
    found = classify_rhythm(item.recording, detect_beats(item.recording, lead, rhythm_model().beats_method), lead)
    return tally_cinc2017(item.truth.label, found.label or ABSTAINED)


register(
    MODEL,
    "cinc2017",
    Exam(
        lambda: load_model(MODEL).version,
        _answer,
        score_cinc2017,
        trained_on=lambda: load_model(MODEL).trained_on("cinc2017"),
    ),
)
