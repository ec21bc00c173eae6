"""Exchanged electrodes on PTB-XL and CinC 2011: each recording as it is, and with every exchange."""

from __future__ import annotations

from typing import Any

from ecg_core.artefacts import load_model
from ecg_core.datasets import Item
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.evaluation.reversals import KINDS, exchange, score_reversals, tally_answer
from ecg_core.quality.reversals import IN_ORDER, MODEL, suspect_reversals


def _answer(item: Item[Any]) -> dict[str, float]:
    as_recorded = suspect_reversals(item.recording)
    figures = tally_answer(IN_ORDER, as_recorded)
    if as_recorded.reason is None:
        for kind in KINDS:
            figures |= tally_answer(kind, suspect_reversals(exchange(item.recording, kind)))
    return figures


for _data in ("ptbxl", "cinc2011"):
    register(
        MODEL,
        _data,
        Exam(
            lambda: load_model(MODEL).version,
            _answer,
            score_reversals,
            main=("specificity", "answered", "se_limb", "se_chest_adjacent", "se_chest_apart"),
            spared=("electrodes exchanged",),
            trained_on=lambda data=_data: load_model(MODEL).trained_on(data),  # type: ignore[misc]
        ),
    )
