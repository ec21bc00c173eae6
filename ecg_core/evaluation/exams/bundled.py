"""Every model whose truth the bundled synthetic set holds, on that set: over all of it and by grade of noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ecg_core import __version__
from ecg_core.artefacts import load_model
from ecg_core.beat_classes import classify_beats
from ecg_core.beat_classes.classify import MODEL as BEAT_CLASSES
from ecg_core.beats import detect_beats
from ecg_core.datasets import Item
from ecg_core.datasets.bundled import GRADES, Bundled, BundledTruth
from ecg_core.delineation import MODEL as WAVES
from ecg_core.delineation import delineate_waves
from ecg_core.evaluation.beat_classes import NO_BEAT, score_classes, tally_classes
from ecg_core.evaluation.beats import pair_beats
from ecg_core.evaluation.bootstrap import Score
from ecg_core.evaluation.bundled import score_bundled_waves, score_by_grade, tally_bundled_waves
from ecg_core.evaluation.classification import score_cinc2017, tally_cinc2017
from ecg_core.evaluation.cpsc2019 import SCORED_S
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.evaluation.exams.beats import FAST
from ecg_core.evaluation.pacing import add_tallies, score_pacing, tally_spikes, tally_verdict
from ecg_core.evaluation.strips import POINTS, BeatsAnswer, compare_beats, edges, lost_points, score_answers
from ecg_core.pacing import find_pacing
from ecg_core.rhythm import read_rhythm
from ecg_core.rhythm.model import MODEL as RHYTHM
from ecg_core.robust import MODEL as BEATS
from ecg_core.waves import KINDS

TOLERANCE_S = 0.150
ABSTAINED = "~"
_LABELS = {"sinus": "N", "af": "A"} | dict.fromkeys(("flutter", "pac", "pvc", "bigeminy", "block_2_to_1", "paced"), "O")
"""What CinC 2017 calls a rhythm of the set; it is not told how it would label a sinus rhythm of an unusual rate."""

Graded = tuple[str, Any]
"""Grade and what the scorer needs."""


def _graded(answer: Callable[[Item[BundledTruth]], Any]) -> Callable[[Item[BundledTruth]], Graded]:
    return lambda item: (item.truth.grade, answer(item))


def _by_grade(score: Callable[[Sequence[Any]], Score]) -> Callable[[Sequence[Graded]], Score]:
    return lambda answers: score_by_grade(score, answers, list(GRADES))


def _whole(score: Callable[[Sequence[Any]], Score]) -> Callable[[Sequence[Graded]], Score]:
    return lambda answers: score([answer for _, answer in answers])


def _beats(method: str, item: Item[BundledTruth]) -> BeatsAnswer:
    recording = item.recording
    found_s = detect_beats(recording, method=method).times_s
    return compare_beats(item.truth.r_s, found_s, recording.fs, recording.duration_s)


def _lost(answer: Graded) -> Mapping[str, Any] | None:
    grade, told = answer
    lost = lost_points(told)
    return None if lost is None else {"grade": grade, **lost}


def _waves(item: Item[BundledTruth]) -> dict[str, float]:
    """Compare the waves over all leads, but for those cut by, or within half a second of, either end."""
    recording, made = item.recording, item.truth.made
    found = delineate_waves(recording, detect_beats(recording)).global_
    low, high = SCORED_S
    truth = {}
    for kind in KINDS:
        every = [made.lone[kind], getattr(made, kind)]
        rows = np.concatenate([np.column_stack([of.onset_s, of.peak_s, of.end_s]) for of in every])
        truth[kind] = rows[(rows[:, 0] >= low) & (rows[:, 2] <= high)]
    # Under ventricular pacing P waves fall where they like, into QRS and T too, where nobody can see them.
    kinds = KINDS[1:] if made.rhythm == "paced" else KINDS
    return tally_bundled_waves(truth, {kind: found.of(kind) for kind in KINDS}, kinds)


def _classes(item: Item[BundledTruth]) -> dict[str, float]:
    recording, made = item.recording, item.truth.made
    beats = detect_beats(recording)
    pairing = pair_beats(made.r_s, beats.times_s, TOLERANCE_S, left_out=edges(recording.duration_s))
    found = classify_beats(recording, beats).classes or (NO_BEAT,) * len(beats)
    return tally_classes(pairing, made.symbol, found)


def _rhythm(item: Item[BundledTruth]) -> dict[str, float]:
    label = _LABELS.get(item.truth.made.rhythm)
    return {} if label is None else tally_cinc2017(label, read_rhythm(item.recording).label or ABSTAINED)


def _score_rhythm(records: Sequence[Mapping[str, float]]) -> Score:
    every = score_cinc2017(records)
    # No record is noise by its truth, however much noise there is.
    return lambda weights: {name: values for name, values in every(weights).items() if name != "f1_noise"}


def _pacing(item: Item[BundledTruth]) -> dict[str, float]:
    spikes_s, found = item.truth.made.pacing_spikes_s, find_pacing(item.recording)
    return add_tallies(
        [tally_verdict("recordings", len(spikes_s) > 0, found.paced), tally_spikes(spikes_s, found.times_s)]
    )


def _software() -> str:
    return str(__version__)


def _of(model: str) -> Callable[[], str]:
    return lambda: str(load_model(model).version)


for _model, _method, _version in ((BEATS, "robust", _of(BEATS)), (FAST, "fast", _software)):
    _answer = _graded(partial(_beats, _method))
    _exam = Exam(
        _version,
        _answer,
        _by_grade(score_answers),
        per_record=POINTS,
        lost=_lost,
        main=("se_150ms", "ppv_150ms", "f1_150ms", "qrs_official", "hr_official"),
        brief=_whole(score_answers),
        worst_by="qrs_official",
    )
    register(_model, Bundled.name, _exam)
_OF_WAVES = ("f1_p", "f1_qrs", "f1_t", "sd_p_on", "sd_qrs_on", "sd_qrs_off", "sd_t_off")
for _model, _version, _answer, _score, _main in (
    (WAVES, _of(WAVES), _graded(_waves), score_bundled_waves, _OF_WAVES),
    (BEAT_CLASSES, _of(BEAT_CLASSES), _graded(_classes), score_classes, ("v_se", "v_ppv", "s_se", "s_ppv", "n_se")),
    (RHYTHM, _of(RHYTHM), _graded(_rhythm), _score_rhythm, ("f1_noa", "f1_n", "f1_a", "f1_o")),
    ("pacing", _software, _graded(_pacing), score_pacing, ()),
):
    _worst = next(iter(_main), None) if _model in (WAVES, BEAT_CLASSES) else None
    _exam = Exam(
        _version,
        _answer,
        _by_grade(_score),
        main=_main,
        brief=_whole(_score),
        worst_by=_worst,
    )
    register(_model, Bundled.name, _exam)
