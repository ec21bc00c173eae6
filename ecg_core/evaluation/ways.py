"""How each model is examined on one labelled recording: which truth it needs, and how it is compared.

Marks of beats and waves are in WFDB's symbols, of any annotator; ``atr`` goes before others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from ecg_core import __version__
from ecg_core.artefacts import load_model
from ecg_core.beat_classes import classify_beats
from ecg_core.beat_classes.classify import MODEL as BEAT_CLASSES
from ecg_core.beats import detect_beats
from ecg_core.datasets.marks import BEAT_SYMBOLS, waves_from_marks
from ecg_core.delineation import MODEL as WAVES
from ecg_core.delineation import delineate_waves
from ecg_core.errors import InvalidValue
from ecg_core.evaluation.beat_classes import NO_BEAT, aami_class, score_classes, tally_classes
from ecg_core.evaluation.beats import Span, flutter_spans, pair_beats
from ecg_core.evaluation.bootstrap import Score
from ecg_core.evaluation.called import Called, score_called
from ecg_core.evaluation.classification import CINC2017_LABELS, score_cinc2017, tally_cinc2017
from ecg_core.evaluation.exams.beats import FAST
from ecg_core.evaluation.labels import FIELD
from ecg_core.evaluation.strips import POINTS, TOLERANCE_S, BeatsAnswer, compare_beats, lost_points, score_answers
from ecg_core.evaluation.waves import score_qtdb, tally_qtdb, to_seconds
from ecg_core.leads import canonical_lead
from ecg_core.predictors import predictors
from ecg_core.predictors.chain import examine
from ecg_core.recording import Annotations, Recording
from ecg_core.rhythm import read_rhythm
from ecg_core.rhythm.model import MODEL as RHYTHM
from ecg_core.robust import MODEL as BEATS
from ecg_core.waves import KINDS

Needs = Literal["beats", "waves", "labels"]
Answer = Callable[[Recording, frozenset[str]], Any]

ABSTAINED = "~"
_USUAL = "atr"


@dataclass(frozen=True)
class Way:
    """How a model is examined on labelled recordings."""

    needs: Needs
    """What the truth is: marks of beats, marks of waves, or a table."""
    version: Callable[[], str]
    answer: Answer
    """Let the model read a recording and compare; the labels are empty where it needs marks.

    An `EcgError` says why the recording cannot be scored.
    """
    score: Callable[[Sequence[Any]], Score]
    per_record: tuple[str, ...] = ()
    lost: Callable[[Any], Mapping[str, Any] | None] | None = None
    artefact: str | None = None
    """The model's name, where it has learned from recordings."""


def ways() -> dict[str, Way]:
    """Return how each installed model that can be examined on labelled recordings is."""
    found = {
        BEATS: _way(BEATS, "beats", partial(_beats, "robust"), score_answers, POINTS, lost_points),
        FAST: Way("beats", lambda: __version__, partial(_beats, "fast"), score_answers, POINTS, lost_points),
        BEAT_CLASSES: _way(BEAT_CLASSES, "beats", _classes, score_classes),
        WAVES: _way(WAVES, "waves", _waves, score_qtdb),
        RHYTHM: _way(RHYTHM, "labels", _rhythm, score_cinc2017),
    }
    return found | {name: _way(name, "labels", partial(_called, name), score_called) for name in predictors()}


def find_way(model: str) -> Way:
    """Return how a model is examined on labelled recordings.

    Raises
    ------
    InvalidValue
        It is not, or does not exist.
    """
    found = ways()
    if model not in found:
        raise InvalidValue(
            "not examined on labelled recordings", field="model", found=repr(model), options=sorted(found)
        )
    return found[model]


def _way(
    model: str,
    needs: Needs,
    answer: Answer,
    score: Callable[[Sequence[Any]], Score],
    per_record: tuple[str, ...] = (),
    lost: Callable[[Any], Mapping[str, Any] | None] | None = None,
) -> Way:
    return Way(needs, lambda: load_model(model).version, answer, score, per_record, lost, model)


# --- by marks -------------------------------------------------------------------------------------------------------


def _annotated_beats(recording: Recording) -> tuple[Annotations, Annotations]:
    """Return the annotated beats and all other marks of the annotator who marked them."""

    def beats_of(marks: Annotations) -> np.ndarray:
        return np.array([symbol in BEAT_SYMBOLS for symbol in marks.symbol], bool)

    counts = {name: int(beats_of(marks).sum()) for name, marks in recording.annotations.items()}
    best = max(counts, key=lambda name: (name == _USUAL and counts[name] > 0, counts[name]), default=None)
    if best is None or not counts[best]:
        raise InvalidValue(
            "no annotated beats came with it",
            file=recording.source.name if recording.source else None,
            field="annotations",
            found=", ".join(recording.annotations) or "none",
            expected="marks of beats (N, V, A, ...)",
        )
    marks = recording.annotations[best]
    inside = marks.time_s < recording.duration_s
    is_beat = beats_of(marks)
    return _picked(marks, is_beat & inside), _picked(marks, ~is_beat)


def _picked(marks: Annotations, rows: np.ndarray) -> Annotations:
    return Annotations(marks.time_s[rows], tuple(marks.symbol[at] for at in np.flatnonzero(rows)))


def _truth_of_beats(recording: Recording) -> tuple[Annotations, list[Span]]:
    beats, others = _annotated_beats(recording)
    return beats, flutter_spans(others.time_s, others.symbol, recording.duration_s)


def _beats(method: str, recording: Recording, _labels: frozenset[str]) -> BeatsAnswer:
    truth, flutter = _truth_of_beats(recording)
    found_s = detect_beats(recording, method=method).times_s
    return compare_beats(truth.time_s, found_s, recording.fs, recording.duration_s, flutter)


def _classes(recording: Recording, _labels: frozenset[str]) -> dict[str, float]:
    truth, flutter = _truth_of_beats(recording)
    beats = detect_beats(recording)
    pairing = pair_beats(truth.time_s, beats.times_s, TOLERANCE_S, left_out=flutter)
    found = classify_beats(recording, beats).classes or (NO_BEAT,) * len(beats)
    return tally_classes(pairing, [aami_class(symbol) for symbol in truth.symbol], found)


def _waves(recording: Recording, _labels: frozenset[str]) -> dict[str, float]:
    """Compare as on QTDB: marks are a selection, and for each the lead with the smaller error counts.

    Where annotators are named as the leads, each lead is compared with its own marks.
    """
    marked = {name: _marked_waves(marks, recording.fs) for name, marks in recording.annotations.items()}
    marked = {name: waves for name, waves in marked.items() if any(len(waves[kind]) for kind in ("p", "t"))}
    if not marked:
        raise InvalidValue(
            "no annotated waves came with it",
            file=recording.source.name if recording.source else None,
            field="annotations",
            found=", ".join(recording.annotations) or "none",
            expected="marks such as ( p ) ( N ) t )",
        )
    waves = delineate_waves(recording, detect_beats(recording))
    found = {lead: {kind: table.of(kind) for kind in KINDS} for lead, table in waves.per_lead.items()}
    own = {lead: name for name in marked if (lead := canonical_lead(name) or name) in recording.leads}
    if not own:
        best = max(marked, key=lambda name: (name == _USUAL, sum(map(len, marked[name].values()))))
        return tally_qtdb(marked[best], list(found.values()))
    total: dict[str, float] = {}
    for lead, name in own.items():
        for figure, value in tally_qtdb(marked[name], [found.get(lead, {})]).items():
            total[figure] = total.get(figure, 0.0) + value
    return total


def _marked_waves(marks: Annotations, fs: float) -> dict[str, np.ndarray]:
    return to_seconds(waves_from_marks(np.rint(marks.time_s * fs).astype(np.int64), marks.symbol), fs)


# --- by a table -----------------------------------------------------------------------------------------------------


def _rhythm(recording: Recording, labels: frozenset[str]) -> dict[str, float]:
    if len(labels) != 1 or not labels <= set(CINC2017_LABELS):
        raise InvalidValue(
            "not one rhythm",
            field=FIELD,
            found=", ".join(sorted(labels)) or "nothing",
            expected="one of N (normal), A (atrial fibrillation), O (other), ~ (too noisy)",
        )
    (label,) = labels
    return tally_cinc2017(label, read_rhythm(recording).label or ABSTAINED)


def _called(model: str, recording: Recording, labels: frozenset[str]) -> Called:
    said = predictors()[model].predict([examine(recording)])[0]
    if said.abstains:
        raise InvalidValue("the model says nothing of it", field="model", found="; ".join(said.out_of_scope))
    # A label of two heads counts as the first has it.
    answers = {label: answer for head in reversed(list(said.heads)) for label, answer in said.labels(head).items()}
    return Called(
        labels,
        {label: answer.probability for label, answer in answers.items() if answer.probability is not None},
        frozenset(label for label, answer in answers.items() if answer.positive),
    )
