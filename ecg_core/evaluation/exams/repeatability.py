"""Repeatability: how much measurements and statements differ between two looks at one heart that did not change.

``ptbxl``, ``ludb`` and ``cinc2011`` (of the last the acceptable recordings): halves of 12-lead recordings. ``mitdb``:
halves, neighbouring strips and strips minutes apart of two leads, without the paced records. See
`ecg_core.evaluation.repeatability`. A pair of which a comparison would say nothing, since one look is poor or the
rhythm forbids it, does not count.

``<kind>.beyond`` is the share of the whole recording's measurements beyond the limits that ship, ``any_beyond`` that of
pairs with one or more, ``beyond_leads`` the share of those of single leads: on other sets than the limits were taken
from, a check of them. ``<kind>.flips.<label>`` is the share of pairs in which a label is called in one look alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from ecg_core import __version__
from ecg_core.artefacts import Artefact, load_model
from ecg_core.comparison.differences import Told, log_odds, measured_differences
from ecg_core.comparison.noise import shipped_noise
from ecg_core.datasets import Item
from ecg_core.datasets.mitdb import PACED
from ecg_core.evaluation.bootstrap import Score
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.evaluation.repeatability import Differences, Pair, halves, looks, score_differences
from ecg_core.pipeline import conclude
from ecg_core.predictors import DEFAULT_POINT
from ecg_core.predictors.chain import examine
from ecg_core.predictors.heart12 import MODEL, Heart12
from ecg_core.predictors.heart12_estimates import Estimate
from ecg_core.predictors.views import FULL
from ecg_core.recording import Recording

_HEADS = ("superclass", "subclass", "statements", "rhythm", "af")
_SHARES = ("beyond", "any_beyond", "beyond_leads", "flips.")


class _Look(NamedTuple):
    """What is said of one look."""

    told: Told
    labels: Estimate | None
    """What the model of twelve leads makes of it, also of what it would not say of a short recording."""


def _answer(cut: Callable[[Item[Any]], Iterable[Pair]], item: Item[Any]) -> Differences:
    pairs = list(cut(item))
    distinct = {id(look): look for _, *both in pairs for look in both}
    said = dict(zip(distinct, _say(list(distinct.values())), strict=True))
    found: dict[str, list[float]] = {}
    for kind, first, second in pairs:
        before, after = said[id(first)], said[id(second)]
        for name, value in (*_measured(before.told, after.told), *_labelled(before.labels, after.labels)):
            found.setdefault(f"{kind}.{name}", []).append(value)
    return found


def _say(recordings: Sequence[Recording]) -> list[_Look]:
    model = _model(load_model(MODEL))
    contexts = [examine(recording) for recording in recordings]
    predictions, estimates = model.predict(contexts), model.estimator.estimate(contexts)
    return [
        _Look(
            conclude(context, {MODEL: prediction}, DEFAULT_POINT).to_dict(),
            estimate if isinstance(estimate, Estimate) and not prediction.abstains else None,
        )
        for context, prediction, estimate in zip(contexts, predictions, estimates, strict=True)
    ]


def _measured(before: Told, after: Told) -> Iterator[tuple[str, float]]:
    """Yield the differences of measurements, and which part of them is beyond the limits that ship."""
    noise = shipped_noise()
    beyond: dict[bool, list[bool]] = {False: [], True: []}
    for name, difference in measured_differences(before, after).items():
        if difference.by is not None and difference.reason is None:
            yield name, difference.by
            if (known := noise.of(name, len(before["recording"]["leads"]))) is not None:
                beyond["." in name].append(abs(difference.by) > known.limit)
    whole, leads = beyond[False], beyond[True]
    if whole:
        yield "beyond", float(np.mean(whole))
        yield "any_beyond", float(any(whole))
    if leads:
        yield "beyond_leads", float(np.mean(leads))


def _labelled(before: Estimate | None, after: Estimate | None) -> Iterator[tuple[str, float]]:
    """Yield the differences of log odds and of years, and which labels are called in one look alone."""
    if before is None or after is None:
        return
    if any(found.reading.view != FULL or found.reading.lost for found in (before, after)):
        return
    model = _model(load_model(MODEL)).estimator
    view = model.views[FULL]
    by = log_odds(after.probability) - log_odds(before.probability)
    threshold = view.thresholds[DEFAULT_POINT]
    flips = (before.probability >= threshold) != (after.probability >= threshold)
    promised = np.isfinite(threshold) & ~view.experimental
    for head in _HEADS:
        for label, at in model.heads.heads[head].items():
            yield f"log_odds.{head}.{label}", float(by[at])
            if promised[at]:
                yield f"flips.{head}.{label}", float(flips[at])
    yield "age_years", after.years[0] - before.years[0]


def _score(answers: Sequence[Differences]) -> Score:
    names = dict.fromkeys(name for answer in answers for name in answer)
    shares = [name for name in names if name.partition(".")[2].startswith(_SHARES)]
    return score_differences(answers, shares)


def _halves(item: Item[Any]) -> Iterator[Pair]:
    return halves(item.recording)


def _acceptable_halves(item: Item[Any]) -> Iterator[Pair]:
    return halves(item.recording) if item.truth.acceptable else iter(())


def _unpaced_looks(item: Item[Any]) -> Iterator[Pair]:
    return iter(()) if item.name in PACED else looks(item.recording)


@lru_cache(2)
def _model(artefact: Artefact) -> Heart12:
    return Heart12(artefact)


for _data, _cut in {
    "ptbxl": _halves,
    "ludb": _halves,
    "cinc2011": _acceptable_halves,
    "mitdb": _unpaced_looks,
}.items():
    register("repeatability", _data, Exam(lambda: __version__, partial(_answer, _cut), _score))
