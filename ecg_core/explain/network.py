"""Explanations of the network ``heart12``, by each method."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.explain import words
from ecg_core.explain.gradient_graph import gradient_network
from ecg_core.explain.gradients import STEPS, integrated_gradients
from ecg_core.explain.occlusion import Variant, occlude
from ecg_core.explain.question import Question, Strip, labels_of
from ecg_core.explain.segments import Segments, split_strip
from ecg_core.explain.shapley import shapley_values
from ecg_core.explain.value import WAVES, Explanation, Heat, Method, Segment
from ecg_core.predictors import Context
from ecg_core.predictors.activation import MOMENT_S, Activation
from ecg_core.predictors.heart12 import Heart12
from ecg_core.predictors.windows import FS, INPUTS

__all__ = ["explain", "labels_of"]

BUDGET = 480
"""Coalitions that a Shapley value rests on."""
_BIN = 4
"""Samples to a stretch of heat: 40 ms."""
_MOST_BINS = 750
"""Of a heat over the whole recording."""
_BATCH = 16
"""Strips that the network reads at once."""
_STAYS = 0.03
"""A probability that changes by less is said to stay."""
_CHANGES = 0.1
"""A change of the probability that is worth a second sentence."""
_LOGITS = "logits"
_BASELINE = "straight lines"
_HELD = "measured figures are held as they are"


def explain(model: Heart12, context: Context, label: str, method: Method) -> Explanation:
    """Explain one answer; see `ecg_core.explain.explain`."""
    return _METHODS[method](Question.of(model, context, label))


def _activation(question: Question) -> Explanation:
    """Explain by what each moment adds; straight lines would add as much at each, which is taken off."""
    found = question.model.estimator.activation(question.context, (question.output,))
    even = float(question.model.estimator.flat[question.column] - found.bias[0]) / found.contributions.shape[1]
    added = question.terms.slope * (found.contributions[0] - even)
    duration_s = question.context.recording.duration_s
    heat = _by_moment(found, added, duration_s, question.estimate.reading.leads)
    values = next(iter(heat.leads.values()))
    return question.explained(
        "activation",
        words.over_time(values, heat.step_s, duration_s, question.way(question.answer)),
        added=float(values.sum()),
        heat=heat,
        settings={"baseline": _BASELINE, "moment_s": MOMENT_S},
    )


def _gradients(question: Question) -> Explanation:
    """Explain by integrated gradients, cell by cell; summed up by wave where waves are marked."""
    strip = question.strip
    counts = np.zeros(len(question.model.estimator.heads.outputs), np.float32)
    counts[question.column] = question.terms.slope
    cells, _, _ = integrated_gradients(gradient_network(question.model.estimator.artefact), strip.signal, counts)
    segments = split_strip(question.context, strip.start_s, strip.signal)
    leads = question.leads
    if segments is None:
        found: list[Segment] = []
        by_lead: words.Cells = {(INPUTS[lead], None): float(cells[:, lead].sum()) for lead in leads}
        sentence = words.carried(by_lead, question.way(strip.answer))
    else:
        sums = np.einsum("lkt,tl->lk", segments.masks, cells)
        found, sentence = _told(question, strip, segments, sums)
    return question.explained(
        "gradients",
        sentence,
        strip=strip,
        added=float(cells.sum()),
        heat=_in_bins(question, strip, cells.T),
        segments=tuple(found),
        settings={"baseline": _BASELINE, "steps": STEPS},
    )


def _shap(question: Question) -> Explanation:
    """Explain by Shapley values of the waves of the leads."""
    strip, segments = question.strip, _segments(question)
    players = np.argwhere(np.abs(segments.parts).max(axis=2) > 0)

    def game(coalitions: np.ndarray) -> np.ndarray:
        present = np.zeros((len(coalitions), len(INPUTS), len(WAVES)), bool)
        present[:, players[:, 0], players[:, 1]] = coalitions
        return _answers(question, segments.strips(present))

    found = shapley_values(game, len(players), budget=BUDGET)
    values, errors = np.zeros((2, len(INPUTS), len(WAVES)))
    values[players[:, 0], players[:, 1]] = found.values
    errors[players[:, 0], players[:, 1]] = found.errors
    told, sentence = _told(question, strip, segments, values, errors)
    return question.explained(
        "shap",
        sentence,
        strip=strip,
        added=float(found.values.sum()),
        heat=_in_bins(question, strip, _spread(segments, values)),
        segments=tuple(told),
        settings={"baseline": _BASELINE, "players": len(players), "evaluations": found.evaluations, "seed": 0},
    )


def _occlusion(question: Question) -> Explanation:
    """Explain by what becomes of the answer without each wave."""
    strip, segments = question.strip, _segments(question)
    found = occlude(segments, question.leads, lambda strips: _answers(question, strips))
    lost = np.zeros((len(INPUTS), len(WAVES)))
    told = []
    for variant, answer in found.items():
        if variant.how == "usual":
            continue
        value = strip.answer - answer
        usual = found.get(replace(variant, how="usual"))
        told.append(
            Segment(
                None if variant.lead is None else INPUTS[variant.lead],
                variant.wave,
                value,
                without=question.probability(answer),
                usual=None if usual is None else question.probability(usual),
            )
        )
        if variant.lead is not None and variant.wave is not None:
            lost[variant.lead, WAVES.index(variant.wave)] = value
    return question.explained(
        "occlusion",
        _without(question, strip, segments, lost, found),
        strip=strip,
        heat=_in_bins(question, strip, _spread(segments, lost)),
        segments=tuple(sorted(told, key=lambda segment: -abs(segment.value))),
        cautions=(_HELD,),
        settings={"baseline": _BASELINE, "variants": len(found)},
    )


def _without(
    question: Question, strip: Strip, segments: Segments, lost: np.ndarray, found: Mapping[Variant, float]
) -> str:
    """Say what the answer hangs on: the group of leads that loses most of it, else the wave of all leads that does."""
    read = tuple(INPUTS[lead] for lead in question.leads)
    sign = -1 if question.way(strip.answer) in ("against", "down") else 1
    _, groups = words.find_groups(_cells(question, segments, lost), sign=sign)
    whole = [variant for variant in found if variant.lead is None and variant.how == "without"]
    chosen = [words.Group(read, variant.wave, 0.0) for variant in whole]
    after = [found[variant] for variant in whole]
    for group in groups[:1]:
        present = np.ones((1, len(INPUTS), len(WAVES)), bool)
        present[0, [INPUTS.index(lead) for lead in group.leads], WAVES.index(group.wave)] = False
        chosen.append(group)
        after.append(float(_answers(question, segments.strips(present))[0]))
    effect = [sign * (strip.answer - answer) for answer in after]
    best = int(np.argmax(effect))
    if groups and effect[-1] >= words.ENOUGH * effect[best]:
        best = len(effect) - 1
    what = words.named(chosen[best], read)
    before, after_it = question.probability(strip.answer), question.probability(after[best])
    if before is None or after_it is None:
        return words.becomes_years(what, strip.answer, after[best])
    said = words.hangs_on_nothing if abs(before - after_it) < _STAYS else words.becomes
    return said(what, before, after_it) + _as_usual(question, found, before, sign)


def _as_usual(question: Question, found: Mapping[Variant, float], before: float, sign: int) -> str:
    """Say what the answer would be with the person's usual wave, where that changes it; beats may differ."""
    usual = {variant: answer for variant, answer in found.items() if variant.lead is None and variant.how == "usual"}
    if not usual:
        return ""
    variant = min(usual, key=lambda variant: sign * usual[variant])
    after = question.probability(usual[variant])
    if after is None or variant.wave is None or abs(before - after) < _CHANGES:
        return ""
    return " " + words.with_usual(variant.wave, after)


def _told(
    question: Question, strip: Strip, segments: Segments, values: np.ndarray, errors: np.ndarray | None = None
) -> tuple[list[Segment], str]:
    """Return the waves of the leads with what they add, values (8, 6), the largest first; and that in words."""
    cells = _cells(question, segments, values)
    favourable = sum(max(value, 0.0) for value in cells.values())
    found = [
        Segment(
            lead,
            wave,
            value,
            share=value / favourable if value > 0 else None,
            error=None if errors is None else float(errors[INPUTS.index(lead), WAVES.index(wave)]),
        )
        for (lead, wave), value in cells.items()
    ]
    return sorted(found, key=lambda item: -abs(item.value)), words.carried(cells, question.way(strip.answer))


def _cells(question: Question, segments: Segments, values: np.ndarray) -> dict[words.Cell, float]:
    return {
        (INPUTS[lead], wave): float(values[lead, k])
        for lead in question.leads
        for k, wave in enumerate(WAVES)
        if segments.masks[lead, k].any()
    }


def _segments(question: Question) -> Segments:
    found = split_strip(question.context, question.strip.start_s, question.strip.signal)
    if found is None:
        reason = question.context.waves.reason or "no waves could be marked in it"
        raise InvalidValue(
            "this method replaces waves", field="recording", found=reason, options=("gradients", "activation")
        )
    return found


def _answers(question: Question, strips: np.ndarray) -> np.ndarray:
    """Return the answers to strips, on all cores."""
    network, lanes = question.model.estimator.network, os.cpu_count() or 1
    batches = [strips[at : at + _BATCH] for at in range(0, len(strips), _BATCH)]
    begun = {at: network.start(batch) for at, batch in enumerate(batches) if at % lanes}
    said = [
        (begun[at].result() if at in begun else network(batch, [_LOGITS]))[_LOGITS] for at, batch in enumerate(batches)
    ]
    return question.answers(np.concatenate(said))


def _by_moment(found: Activation, added: np.ndarray, duration_s: float, leads: tuple[str, ...]) -> Heat:
    """Return the moments of strips, which may overlap, by time; those after the end of the recording are left out."""
    step_s = MOMENT_S * max(1, math.ceil(duration_s / MOMENT_S / _MOST_BINS))
    n = math.ceil(duration_s / step_s)
    at = ((found.start_s + MOMENT_S / 2) // step_s).astype(np.int64)
    values = np.bincount(at[at < n], added[at < n], n)
    return Heat(0.0, step_s, dict.fromkeys(leads, values))


def _in_bins(question: Question, strip: Strip, cells: np.ndarray) -> Heat:
    """Return cells (8 leads, 1000 samples) as heat of the leads that were read, as far as was recorded."""
    start_s, end_s = question.span_s(strip)
    n = math.ceil(round((end_s - start_s) * FS) / _BIN)
    sums = cells[:, : n * _BIN].reshape(len(cells), n, _BIN).sum(axis=2)
    return Heat(start_s, _BIN / FS, {INPUTS[lead]: sums[lead] for lead in question.leads})


def _spread(segments: Segments, values: np.ndarray) -> np.ndarray:
    """Return values of waves, shape (8, 6), spread evenly over their samples, shape (8, 1000)."""
    samples = np.maximum(segments.masks.sum(axis=2), 1.0)
    return np.asarray(np.einsum("lkt,lk->lt", segments.masks, values / samples))


_METHODS: Mapping[Method, Callable[[Question], Explanation]] = {
    "gradients": _gradients,
    "activation": _activation,
    "occlusion": _occlusion,
    "shap": _shap,
}
