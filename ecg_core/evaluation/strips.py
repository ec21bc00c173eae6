"""Beats found in a recording against those that are there: figures to be summed, and what exactly was lost.

A strip of 10 s has the points of CPSC 2019 besides (`ecg_core.evaluation.cpsc2019`). Its beats are those that an
analysis shows: no mode of a scorer. ``hr_strict`` is that score's heart rate without its rounding: the exact rate of
the reference against the exact rate of the beats found, on the same steps of 2, 5, 10 and 20 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.evaluation import cpsc2019
from ecg_core.evaluation.beats import Span, pair_beats, score_beats, tally_beats
from ecg_core.evaluation.bootstrap import Score, Tally, ratio

POINTS = ("qrs_official", "qrs_strict", "hr_official", "hr_strict")
"""What a strip can lose, 1 each at most."""
GROSS = ("se_150ms", "ppv_150ms", "f1_150ms")
STRIP_S = (9.5, 10.5)
"""Lengths that count as a strip of 10 s."""
TOLERANCE_S = 0.150
"""By which beats are told found or lost in a longer recording."""
MOST_TOLD = 1000
"""Beats of each kind that are listed of one recording at most."""


@dataclass(frozen=True, eq=False)
class BeatsAnswer:
    """What a detector made of one recording."""

    reference_s: np.ndarray
    """Shape (n_reference,)."""
    found_s: np.ndarray
    """Shape (n_found,)."""
    left_out: Sequence[Span]
    """Spans in which no beat counts."""
    reference_bpm: float | None
    found_bpm: float | None
    """The exact rates by the rule of CPSC 2019; None where they are not defined."""
    figures: Mapping[str, float]
    """Additive, for `score_answers`."""


def exact_rate(times_s: np.ndarray) -> float | None:
    """Return beats a minute over the mean interval of the beats within 5.5-9.5 s, None where they define none."""
    low, high = cpsc2019.RATE_S
    counted = times_s[(times_s > low) & (times_s < high)]
    return 60 / float(np.diff(counted).mean()) if len(counted) > 1 else None


def edges(duration_s: float) -> list[Span]:
    """Return the spans at either end of a strip that CPSC 2019 does not score; seconds."""
    low, high = cpsc2019.SCORED_S
    return [(0.0, float(np.nextafter(low, 0))), (float(np.nextafter(high, duration_s)), duration_s)]


def compare_beats(
    reference_s: np.ndarray, found_s: np.ndarray, fs: float, duration_s: float, left_out: Sequence[Span] = ()
) -> BeatsAnswer:
    """Compare the beats found with those that are there, seconds, increasing, shapes (n_found,), (n_reference,).

    Parameters
    ----------
    fs, duration_s
        Of the recording; the points are in samples, as their script has them.
    left_out
        Spans in which no beat counts, for the figures of single beats; the edges of a strip are among them anyway.
    """
    strip = STRIP_S[0] <= duration_s <= STRIP_S[1]
    left_out = [*left_out, *(edges(duration_s) if strip else ())]
    figures = tally_beats(reference_s, found_s, left_out=left_out)
    if not strip:
        return BeatsAnswer(reference_s, found_s, left_out, None, None, figures)
    reference, found = np.rint(reference_s * fs), np.rint(found_s * fs)
    figures |= cpsc2019.score_record(reference, found, cpsc2019.heart_rate(found, fs=fs), fs=fs)
    reference_bpm, found_bpm = exact_rate(reference / fs), exact_rate(found / fs)
    figures["hr_strict"] = cpsc2019.step_score(reference_bpm, found_bpm or 0.0) if reference_bpm else 0.0
    return BeatsAnswer(reference_s, found_s, left_out, reference_bpm, found_bpm, figures)


def score_answers(answers: Sequence[BeatsAnswer]) -> Score:
    """Return gross figures of beats at 150 ms, and before them the means of the points over strips, if there are."""
    records = [answer.figures for answer in answers]
    tally, gross = Tally(records), score_beats(records)
    strips = any("records" in figures for figures in records)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums, of_beats = tally(weights), gross(weights)
        whole = {name: sums["records" if name.startswith("qrs") else "rates"] for name in POINTS}
        means = {name: ratio(sums[name], whole[name]) for name in POINTS} if strips else {}
        return means | {name: of_beats[name] for name in GROSS}

    return score


def lost_points(answer: BeatsAnswer) -> dict[str, Any] | None:
    """Return what a recording cost, JSON-ready: points, the beats missed and invented, the rates; None for nothing.

    A strip loses points; a longer recording, beats.
    """
    figures = answer.figures
    strip = "records" in figures
    cost: dict[str, float] = {}
    if strip:
        told = [name for name in POINTS if name.startswith("qrs") or figures["rates"]]
        cost = {name: round(1 - figures[name], 4) for name in told}
    missed, extra = tell_apart(answer)
    if not (any(cost.values()) if strip else len(missed) + len(extra)):
        return None
    return {
        "cost": cost,
        "missed": len(missed),
        "extra": len(extra),
        "missed_s": _told(missed),
        "extra_s": _told(extra),
        "reference_s": _told(answer.reference_s),
        "found_s": _told(answer.found_s),
        "reference_bpm": _rounded(answer.reference_bpm),
        "found_bpm": _rounded(answer.found_bpm),
    }


def tell_apart(answer: BeatsAnswer) -> tuple[np.ndarray, np.ndarray]:
    """Return the beats missed and those invented, seconds: by the tolerance and within the span of what counts."""
    pairs = pair_beats(
        answer.reference_s,
        answer.found_s,
        cpsc2019.TOLERANCE_S if "records" in answer.figures else TOLERANCE_S,
        left_out=answer.left_out,
    )
    return answer.reference_s[pairs.missed], answer.found_s[pairs.extra]


def _told(times_s: np.ndarray) -> list[float]:
    found: list[float] = np.round(times_s[:MOST_TOLD], 4).tolist()
    return found


def _rounded(bpm: float | None) -> float | None:
    return None if bpm is None else round(bpm, 2)
