"""Beat classes of ANSI/AAMI EC57: N, S, V, F, Q, and how well they are told apart.

Sensitivity and positive predictivity are EC57's, as WFDB's ``bxb`` computes them: a missed beat (``O``) is a false
negative of its class and an invented one a false positive of the class it was given; but a fusion or unclassifiable
beat called V, and an unclassifiable beat called S, is no error of V or S.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.evaluation.beats import Pairing
from ecg_core.evaluation.bootstrap import Score, Tally, ratio

CLASSES = ("N", "S", "V", "F", "Q")
NO_BEAT = "O"
"""Stands in for the reference of an invented beat and for the answer to a missed one."""

_SYMBOLS = {"N": "NLRBejn", "S": "AaJS", "V": "VrE", "F": "F", "Q": "/fQ?"}
AAMI: Mapping[str, str] = {symbol: name for name, symbols in _SYMBOLS.items() for symbol in symbols}
"""PhysioNet's beat symbol -> class, as de Chazal 2004 groups them. Escape beats (``e j n``) are N there; bxb has them
in S."""

_FORGIVEN = {"V": ("F", "Q"), "S": ("Q",)}
"""Answer -> reference classes that are not counted against it."""


def aami_class(symbol: str) -> str:
    """Return the class of a beat symbol."""
    if symbol not in AAMI:
        raise InvalidValue("not a beat annotation", field="symbol", found=repr(symbol), options=AAMI)
    return AAMI[symbol]


def tally_classes(pairing: Pairing, reference: Sequence[str], found: Sequence[str]) -> dict[str, float]:
    """Return the additive figures of a record, for `score_classes`: one a pair of reference and found class.

    Parameters
    ----------
    pairing
        From `pair_beats`; classifying at reference beats pairs each with itself.
    reference, found
        Class of every reference beat and of every found one.
    """
    pairs = [(reference[i], found[j]) for i, j in zip(pairing.reference, pairing.found, strict=True)]
    pairs += [(reference[i], NO_BEAT) for i in pairing.missed] + [(NO_BEAT, found[j]) for j in pairing.extra]
    figures: dict[str, float] = {}
    for truth, answer in pairs:
        if truth not in (*CLASSES, NO_BEAT) or answer not in (*CLASSES, NO_BEAT):
            raise InvalidValue("not a class", field="beat class", found=f"{truth} as {answer}", options=CLASSES)
        figures[truth + answer] = figures.get(truth + answer, 0.0) + 1.0
    return figures


def score_classes(records: Sequence[Mapping[str, float]]) -> Score:
    """Return ``v_se v_ppv s_se s_ppv n_se n_ppv f_se f_ppv q_se q_ppv``, gross."""
    tally = Tally(records)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = tally(weights)
        metrics = {}
        for name in ("V", "S", "N", "F", "Q"):
            right = sums[name + name]
            of_class = sum((sums[name + answer] for answer in (*CLASSES, NO_BEAT)), np.zeros(len(weights)))
            counted = [truth for truth in (*CLASSES, NO_BEAT) if truth not in _FORGIVEN.get(name, ())]
            called = sum((sums[truth + name] for truth in counted), np.zeros(len(weights)))
            metrics[f"{name.lower()}_se"] = ratio(right, of_class)
            metrics[f"{name.lower()}_ppv"] = ratio(right, called)
        return metrics

    return score
