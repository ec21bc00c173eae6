"""Exchanged electrodes: recordings in order, as they are and as they would have been recorded with an exchange.

Exchanges among RA, LA and LL and among V1 to V6 permute potentials, so that what would have been recorded follows
exactly. The potential of the right leg is not in any lead: it is taken as `RIGHT_LEG` of that of the left one, against
Wilson's terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from ecg_core.evaluation.bootstrap import Score, Tally, ratio
from ecg_core.leads import CHEST, INDEPENDENT_8
from ecg_core.quality.arrangements import ARRANGEMENTS, ELECTRODES
from ecg_core.quality.reversals import IN_ORDER, ON_RIGHT_LEG, Reversals
from ecg_core.quality.typical_beat import potentials_of
from ecg_core.recording import Recording

RIGHT_LEG = 0.9
RIGHT_LEG_KINDS = tuple(kind for kind, _ in ON_RIGHT_LEG.values())
KINDS = (*(arrangement.kind for arrangement in ARRANGEMENTS), *RIGHT_LEG_KINDS)

_ADJACENT = tuple(f"{a}-{b}" for a, b in pairwise(CHEST))
GROUPS: Mapping[str, tuple[str, ...]] = {
    "limb": tuple(arrangement.kind for arrangement in ARRANGEMENTS if arrangement.limb),
    "right_leg": RIGHT_LEG_KINDS,
    "chest_adjacent": _ADJACENT,
    "chest_apart": tuple(a.kind for a in ARRANGEMENTS if not a.limb and a.kind not in _ADJACENT),
}
"""Kinds that are also taken together, each as often as the others."""


def exchange(recording: Recording, kind: str) -> Recording:
    """Return what would have been recorded, as I, II and V1 to V6, with electrodes exchanged."""
    potentials = potentials_of(recording)
    placed = {arrangement.kind: arrangement.placed for arrangement in ARRANGEMENTS}
    if kind in placed:
        moved = potentials[placed[kind]]
    else:
        at = {name: potentials[row] for row, name in enumerate(ELECTRODES)}
        at["RL"] = RIGHT_LEG * at["LL"]
        for pair in kind.split():
            first, second = pair.split("-")
            at[first], at[second] = at[second], at[first]
        moved = np.stack([at[name] for name in ELECTRODES])
    limb, chest = moved[:3], moved[3:]
    leads = np.concatenate(((limb[1] - limb[0])[None], (limb[2] - limb[0])[None], chest - limb.mean(axis=0)))
    return Recording(leads, recording.fs, INDEPENDENT_8)


def tally_answer(kind: str, answer: Reversals) -> dict[str, float]:
    """Return the additive figures of one answer to a recording with the exchange ``kind``, or none (`IN_ORDER`)."""
    judged = answer.reason is None
    named = bool(answer.suspected) and answer.suspected[0].kind == kind
    return {
        f"{kind}.n": 1.0,
        f"{kind}.judged": float(judged),
        f"{kind}.alarm": float(bool(answer.suspected)),
        f"{kind}.named": float(named),
    }


def score_reversals(records: Sequence[Mapping[str, float]]) -> Score:
    """Return how often exchanges are seen and how often recordings in order raise no alarm.

    ``specificity`` is the share of the recordings in order without an alarm; ``answered`` that of those that could be
    judged, the others raise none. ``se_KIND`` is the share of the recordings with an exchange that raise an alarm,
    ``named_KIND`` of those where the first suspicion is the right one; ``se_limb``, ``se_right_leg``,
    ``se_chest_adjacent`` and ``se_chest_apart`` are means over kinds.
    """
    tally = Tally(records)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = tally(weights)
        n = sums[f"{IN_ORDER}.n"]
        found = {
            "specificity": 1 - ratio(sums[f"{IN_ORDER}.alarm"], n),
            "answered": ratio(sums[f"{IN_ORDER}.judged"], n),
        }
        rates = {
            (what, kind): ratio(sums[f"{kind}.{key}"], sums[f"{kind}.n"])
            for what, key in (("se", "alarm"), ("named", "named"))
            for kind in KINDS
        }
        for group, kinds in GROUPS.items():
            for what in ("se", "named"):
                found[f"{what}_{group}"] = np.mean([rates[what, kind] for kind in kinds], axis=0)
        return found | {f"{what}_{metric_name(kind)}": rate for (what, kind), rate in rates.items()}

    return score


def metric_name(kind: str) -> str:
    """Return the name of a kind within that of a metric: ``"RA>LA>LL"`` is ``"ra_to_la_to_ll"``."""
    return kind.lower().replace(">", "_to_").replace("-", "_").replace(" ", "_and_")
