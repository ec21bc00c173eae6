"""Beats found against beats annotated: sensitivity, positive predictivity, F1.

Two ways of counting, gross (over all beats) and averaged over records:

- all beats, from the first to the last;
- EC57 (ANSI/AAMI EC57, as WFDB's ``bxb`` does it): without the first five minutes of a record, and without paced
  records.

In both, ventricular flutter and fibrillation (MIT-BIH 207) is left out: no beats are annotated in it, so detections
there are neither right nor wrong. Pairs are made over the whole record before anything is left out, so a beat at an
edge keeps its partner on the other side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecg_core.evaluation.bootstrap import Score, Tally, ratio
from ecg_core.evaluation.matching import match_times

TOLERANCES_MS = (150, 75)
LEARNING_S = 300.0
"""What EC57 leaves out at the start of a record."""

Span = tuple[float, float]
"""Start and end in seconds."""


@dataclass(frozen=True, eq=False)
class Pairing:
    """Which beats were found, missed and invented, among those that count; indices, increasing."""

    reference: np.ndarray
    """Reference beats that were found, shape (n_pairs,)."""
    found: np.ndarray
    """Their partners, shape (n_pairs,)."""
    missed: np.ndarray
    """Reference beats without a partner, shape (n_missed,)."""
    extra: np.ndarray
    """Found beats without a partner, shape (n_extra,)."""


def pair_beats(
    reference_s: np.ndarray,
    found_s: np.ndarray,
    tolerance_s: float,
    *,
    start_s: float = 0.0,
    left_out: Iterable[Span] = (),
) -> Pairing:
    """Pair beats one to one (see `match_times`).

    Parameters
    ----------
    reference_s, found_s
        Seconds, increasing, shapes (n_reference,) and (n_found,).
    tolerance_s
        Seconds, inclusive.
    start_s
        Beats before do not count.
    left_out
        Beats within these spans, ends included, do not count.
    """
    reference_s, found_s = np.asarray(reference_s, np.float64), np.asarray(found_s, np.float64)
    in_reference, in_found = match_times(reference_s, found_s, tolerance_s)
    spans = list(left_out)
    counted = _counted(reference_s, start_s, spans)
    missed = counted.copy()
    missed[in_reference] = False
    extra = _counted(found_s, start_s, spans)
    extra[in_found] = False
    kept = counted[in_reference]
    return Pairing(in_reference[kept], in_found[kept], np.flatnonzero(missed), np.flatnonzero(extra))


def _counted(times_s: np.ndarray, start_s: float, left_out: Iterable[Span]) -> np.ndarray:
    counted = times_s >= start_s
    for start, stop in left_out:
        counted &= (times_s < start) | (times_s > stop)
    return counted


def flutter_spans(time_s: np.ndarray, symbol: Sequence[str], end_s: float) -> list[Span]:
    """Return the episodes of ventricular flutter or fibrillation that annotations mark with ``[`` and ``]``.

    Parameters
    ----------
    time_s
        Seconds of the annotations, shape (n,).
    symbol
        One code an annotation.
    end_s
        Where an episode without an end stops, seconds.
    """
    spans = []
    start: float | None = None
    for at, mark in zip(np.asarray(time_s).tolist(), symbol, strict=True):
        if mark == "[" and start is None:
            start = at
        elif mark == "]":
            spans.append((start if start is not None else 0.0, at))
            start = None
    if start is not None:
        spans.append((start, end_s))
    return spans


def tally_beats(
    reference_s: np.ndarray,
    found_s: np.ndarray,
    *,
    left_out: Sequence[Span] = (),
    ec57: bool = False,
    paced: bool = False,
) -> dict[str, float]:
    """Return the additive figures of a record, for `score_beats`.

    Parameters
    ----------
    reference_s, found_s
        Seconds, increasing, shapes (n_reference,) and (n_found,).
    left_out
        Flutter, see `flutter_spans`.
    ec57
        Count by EC57's rules too.
    paced
        The record is a pacemaker's.
    """
    figures: dict[str, float] = {}
    for tolerance in TOLERANCES_MS:
        figures |= _count(f"{tolerance}", pair_beats(reference_s, found_s, tolerance / 1000, left_out=left_out))
        if ec57 and not paced:
            later = pair_beats(reference_s, found_s, tolerance / 1000, start_s=LEARNING_S, left_out=left_out)
            figures |= _count(f"ec57.{tolerance}", later)
    return figures


def _count(way: str, pairing: Pairing) -> dict[str, float]:
    tp, fn, fp = len(pairing.reference), len(pairing.missed), len(pairing.extra)
    figures = {f"{way}.tp": float(tp), f"{way}.fn": float(fn), f"{way}.fp": float(fp)}
    for name, part, whole in (("se", tp, tp + fn), ("ppv", tp, tp + fp), ("f1", 2 * tp, 2 * tp + fn + fp)):
        if whole:
            figures |= {f"{way}.{name}": part / whole, f"{way}.{name}.records": 1.0}
    return figures


def score_beats(records: Sequence[Mapping[str, float]], *, ec57: bool = False) -> Score:
    """Return ``se``, ``ppv`` and ``f1`` at each tolerance, with the averages over records.

    Names: ``se_150ms`` (gross), ``average.se_150ms`` (mean over the records that define it), and with ``ec57``
    ``ec57.se_150ms`` and ``ec57.average.se_150ms``.
    """
    tally = Tally(records)
    ways = ("", "ec57.") if ec57 else ("",)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = tally(weights)
        metrics = {}
        for way in ways:
            for tolerance in TOLERANCES_MS:
                key = f"{way}{tolerance}"
                tp, fn, fp = (sums[f"{key}.{part}"] for part in ("tp", "fn", "fp"))
                gross = {"se": (tp, tp + fn), "ppv": (tp, tp + fp), "f1": (2 * tp, 2 * tp + fn + fp)}
                for name, (part, whole) in gross.items():
                    metrics[f"{way}{name}_{tolerance}ms"] = ratio(part, whole)
                for name in gross:
                    mean = ratio(sums[f"{key}.{name}"], sums[f"{key}.{name}.records"])
                    metrics[f"{way}average.{name}_{tolerance}ms"] = mean
        return metrics

    return score
