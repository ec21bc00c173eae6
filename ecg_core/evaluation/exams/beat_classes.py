"""The beat classes on the MIT-BIH Arrhythmia Database, at the beats that the default detector finds."""

from __future__ import annotations

from ecg_core.artefacts import load_model
from ecg_core.beat_classes import classify_beats
from ecg_core.beat_classes.classify import MODEL
from ecg_core.beats import detect_beats
from ecg_core.datasets import Item
from ecg_core.datasets.mitdb import MitdbTruth
from ecg_core.evaluation.beat_classes import CLASSES, NO_BEAT, aami_class, score_classes, tally_classes
from ecg_core.evaluation.beats import flutter_spans, pair_beats
from ecg_core.evaluation.exams.base import Exam, register

TOLERANCE_S = 0.150
MAIN = ("v_se", "v_ppv", "s_se", "s_ppv", "n_se")


def _answer(item: Item[MitdbTruth]) -> dict[str, float]:
    recording, truth = item.recording, item.truth
    flutter = flutter_spans(truth.other_sample / recording.fs, truth.other_symbol, recording.duration_s)
    beats = detect_beats(recording)
    pairing = pair_beats(truth.beat_sample / recording.fs, beats.times_s, TOLERANCE_S, left_out=flutter)
    found = classify_beats(recording, beats).classes or (NO_BEAT,) * len(beats)
    return tally_classes(pairing, [aami_class(symbol) for symbol in truth.beat_symbol], found)


register(
    MODEL,
    "mitdb",
    Exam(
        lambda: load_model(MODEL).version,
        _answer,
        score_classes,
        tuple(f"{name.lower()}_{part}" for name in CLASSES for part in ("se", "ppv")),
        main=MAIN,
        worst_by="v_se",
        trained_on=lambda: load_model(MODEL).trained_on("mitdb"),
    ),
)
