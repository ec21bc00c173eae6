"""The sum of the findings: a line, two figures, and a few sentences for whoever reads the tracing next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ecg_core.findings.statements import VARIANTS
from ecg_core.findings.value import Finding, Level, Score, Summary, in_sentence
from ecg_core.measurements.ranges import is_adult

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis

_NOT_OF_THE_HEART = ("quality", "risk", "normal")
_OF_ANY_HEART = VARIANTS | {"rhythm_N"}
_MOST_TOLD = 6
"""Findings in the line; the others stand in the list."""
NO_EXCLUSION = "An acute infarction is not excluded."
UNCONFIRMED = "Suggested, unconfirmed: needs a physician's over-read."

_LEVELS: dict[Level, str] = {
    "urgent": "A critical finding by rule: look at the tracing now.",
    "abnormal": "Something outside the usual was found.",
    "borderline": "What was found is near to the usual, or a variant of it.",
    "normal": f"Within normal limits, which is no proof of health. {NO_EXCLUSION}",
    "undetermined": "Not enough could be read, or too little is certain, to call it normal or not.",
}


def summarise(analysis: Analysis, findings: Sequence[Finding]) -> Summary:
    """Return the summary of findings in their order."""
    heart = [item for item in findings if item.kind not in _NOT_OF_THE_HEART]
    normal = next((item for item in findings if item.kind == "normal"), None)
    level = _level(analysis, heart, normal)
    return Summary(
        _diagnosis(analysis, findings, heart, normal),
        _score(level, heart, normal),
        " ".join(_notes(analysis, findings, heart)),
    )


def _level(analysis: Analysis, heart: Sequence[Finding], normal: Finding | None) -> Level:
    if any(item.kind == "urgent" for item in heart):
        return "urgent"
    if analysis.quality.verdict == "poor":
        return "undetermined"
    if any(not item.borderline for item in heart):
        return "abnormal"
    if any(item.code not in _OF_ANY_HEART for item in heart):
        return "borderline"
    return "normal" if normal else "undetermined"


def _diagnosis(
    analysis: Analysis, findings: Sequence[Finding], heart: Sequence[Finding], normal: Finding | None
) -> str:
    """Return the line: what is critical, the rhythm with its rate, and the rest in order of theme."""
    if analysis.quality.verdict == "poor":
        return "; ".join(["Not interpreted: the signal is poor", *(in_sentence(_words(item)) for item in heart)])
    parts = [_words(item) for item in heart[:_MOST_TOLD]]
    doubts = [item.text for item in findings if item.code == "reversal"]
    if more := len(heart) - _MOST_TOLD:
        parts += [f"{more} more"] if more > 0 else []
    rate = analysis.measurements["hr_bpm"].value
    rhythm = next((at for at, item in enumerate(heart[:_MOST_TOLD]) if item.kind == "rhythm"), None)
    if rate is not None and rhythm is not None and not any("/min" in part for part in parts):
        parts[rhythm] += f", {rate:.0f}/min"
    if normal:
        parts.append(normal.text)
    if not parts:
        return "No statement: " + (analysis.beats.reason or "nothing could be read with enough certainty")
    if all(item.code in ("SR", "rhythm_N") for item in heart) and not normal and not doubts:
        parts.append("nothing abnormal was found in what could be read")
    first, *others = [*doubts, *parts]
    return "; ".join([first, *(in_sentence(text) for text in others)])


def _words(item: Finding) -> str:
    """Return a finding for the line; a network's statement that measurements contradict is told as disputed."""
    return f"{item.text} (disputed)" if item.model and item.against and item.kind != "rhythm" else item.text


def _score(level: Level, heart: Sequence[Finding], normal: Finding | None) -> Score:
    """Return the probability of the statement that the level rests on, and what it means."""
    weighty = [
        item for item in heart if (item.code not in _OF_ANY_HEART if level == "borderline" else not item.borderline)
    ]
    surest = max((item for item in weighty if item.confidence), key=lambda item: item.confidence or 0.0, default=None)
    leading = normal if level == "normal" else surest
    if level in ("urgent", "undetermined") or leading is None or leading.confidence is None:
        why = "found by rule: no probability is claimed" if level == "urgent" else "no calibrated statement leads"
        return Score(None, level, None, f"{_LEVELS[level]} Confidence: {why}.")
    means = (
        f"{_LEVELS[level]} Confidence: of 100 tracings that look like this to the model, about"
        f" {100 * leading.confidence:.0f} were labelled so by those who read them. That is not the probability of a"
        " disease."
    )
    return Score(leading.confidence, level, leading.text, means)


def _notes(analysis: Analysis, findings: Sequence[Finding], heart: Sequence[Finding]) -> Iterator[str]:
    yield _what_was_read(analysis)
    if figures := _figures(analysis):
        yield figures
    for item in heart:
        if item.kind == "urgent":
            yield f"Critical: {item.text}."
    doubtful = [item for item in heart if item.model and item.against]
    for item in doubtful[:3]:
        yield f"{item.text} is disputed: {'; '.join(item.against)}."
    if analysis.pacing.paced:
        yield "Paced: statements of infarction, hypertrophy, ST-T and QT are withheld."
    if not is_adult(analysis.subject):
        yield "Under 18 years: adult statements are withheld."
    yield from (f"{item.text}." for item in findings if item.kind == "risk")
    yield f"{NO_EXCLUSION} {UNCONFIRMED}"


def _what_was_read(analysis: Analysis) -> str:
    """Return person, recording and quality in a sentence."""
    recording, subject = analysis.recording, analysis.subject
    word = {"female": "woman", "male": "man", None: "adult"}[subject.sex]
    if subject.age is not None:
        child = {"female": "girl", "male": "boy", None: "child"}[subject.sex]
        person = f"{word if is_adult(subject) else child} of {subject.age:.0f}"
    else:
        person = f"{word} of unknown age"
    article = "an" if person.startswith("adult") else "a"
    leads = f"{recording.n_leads} leads" if recording.n_leads > 1 else f"lead {recording.leads[0]}"
    seconds = recording.duration_s
    length = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    return f"{length} in {leads} of {article} {person}; the signal is {analysis.quality.verdict}."


def _figures(analysis: Analysis) -> str:
    """Return rate and intervals in a sentence, as far as there are any."""
    words = (
        ("hr_bpm", "rate {:.0f}/min"),
        ("pr_ms", "PR {:.0f} ms"),
        ("qrs_ms", "QRS {:.0f} ms"),
        ("qtc_fridericia_ms", "QTc {:.0f} ms (Fridericia)"),
        ("qrs_axis_deg", "QRS axis {:.0f}°"),
    )
    known = [text.format(value) for name, text in words if (value := analysis.measurements[name].value) is not None]
    return f"Measured: {', '.join(known)}." if known else ""
