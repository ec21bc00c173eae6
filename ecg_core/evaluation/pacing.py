"""Pacing found against pacing annotated: by recording, by strips of ten seconds, by beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ecg_core.evaluation.bootstrap import Score, Tally, ratio
from ecg_core.evaluation.matching import match_times

STRIP_S = 10.0
NEAR_S = 0.15
"""A spike belongs to an annotated paced beat that is no further away."""


def tally_verdict(way: str, truth: bool, found: bool | None) -> dict[str, float]:
    """Return the additive figures of one verdict: ``way`` is ``recordings`` or ``strips``; None was not judged."""
    return {
        f"{way}.n": 1.0,
        f"{way}.judged": float(found is not None),
        f"{way}.{'paced' if truth else 'others'}": 1.0,
        f"{way}.{'right' if truth else 'wrong'}": float(found is True),
    }


def tally_spikes(paced_s: np.ndarray, spikes_s: np.ndarray) -> dict[str, float]:
    """Return the additive figures of the spikes (s) found in a recording with paced beats annotated at ``paced_s``."""
    hits, _ = match_times(paced_s, spikes_s, NEAR_S)
    following = np.searchsorted(paced_s, spikes_s)
    apart = np.full(len(spikes_s), np.inf)
    if len(paced_s):
        after, before = np.minimum(following, len(paced_s) - 1), np.maximum(following - 1, 0)
        apart = np.minimum(np.abs(paced_s[after] - spikes_s), np.abs(paced_s[before] - spikes_s))
    return {
        "beats.paced": float(len(paced_s)),
        "beats.found": float(len(hits)),
        "spikes.n": float(len(spikes_s)),
        "spikes.right": float((apart <= NEAR_S).sum()),
    }


def add_tallies(tallies: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the sum of additive figures."""
    total: dict[str, float] = {}
    for tally in tallies:
        for name, value in tally.items():
            total[name] = total.get(name, 0.0) + value
    return total


def score_pacing(records: Sequence[Mapping[str, float]]) -> Score:
    """Return sensitivity and specificity by recording and by strip, and how well paced beats are found.

    ``se_recordings``, ``sp_recordings``, ``se_strips``, ``sp_strips``: what was not judged is called not paced, and
    counts in ``judged_recordings`` and ``judged_strips`` alone. ``se_beats`` is the share of the annotated paced beats
    with a spike, ``ppv_spikes`` that of the spikes beside an annotated paced beat. What the data do not tell is left
    out.
    """
    tally = Tally(records)
    annotated = {name.split(".")[0] for record in records for name in record}

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = tally(weights)
        found = {}
        for way in ("recordings", "strips"):
            if way in annotated:
                found[f"se_{way}"] = ratio(sums[f"{way}.right"], sums[f"{way}.paced"])
                found[f"sp_{way}"] = 1 - ratio(sums[f"{way}.wrong"], sums[f"{way}.others"])
                found[f"judged_{way}"] = ratio(sums[f"{way}.judged"], sums[f"{way}.n"])
        if "beats" in annotated:
            found["se_beats"] = ratio(sums["beats.found"], sums["beats.paced"])
            found["ppv_spikes"] = ratio(sums["spikes.right"], sums["spikes.n"])
        return found

    return score
