"""Explanations in words: the few waves and neighbouring leads that carry most of an answer.

The rules are fixed. A clause names one wave of one group of neighbouring leads: a lead is worth naming where it adds
`_WORTH` of what speaks for the answer. One clause is enough where it carries half; else a second is looked for beside
it; and where both carry less than `_MOST` it is said that the answer is spread. Leads that follow from others are never
named: the model reads I and II of the limb leads. Nothing is said of causes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ecg_core.explain.value import WAVES, SegmentWave
from ecg_core.leads import CHEST

WAVE_WORDS: Mapping[SegmentWave, str] = {
    "p": "P wave",
    "pr": "PR segment",
    "qrs": "QRS complex",
    "st": "ST segment",
    "t": "T wave",
    "rest": "signal between the beats",
}
Cell = tuple[str, SegmentWave | None]
"""A wave (None: all) of a lead."""
Cells = Mapping[Cell, float]
"""What each adds."""
Way = Literal["for", "against", "up", "down"]
_WAYS: Mapping[Way, str] = {
    "for": "speaks for this answer",
    "against": "speaks against this answer",
    "up": "makes the answer higher",
    "down": "makes the answer lower",
}
_OTHER: Mapping[Way, Way] = {"for": "against", "against": "for", "up": "down", "down": "up"}
_WORTH = 0.05
_HALF, _MOST, _LEAST = 0.5, 0.4, 0.15
_LATERAL = (("I", "V5", "V6"), ("I", "V4", "V5", "V6"))
LITTLE = 0.25
"""Log odds, or years, that are hardly anything."""
_NARROW = 0.35
"""Part of the time that is short enough to be named."""
_SURE = 0.995
ENOUGH = 0.6
"""Part of the greatest effect from which on fewer leads are named for it."""


@dataclass(frozen=True)
class Group:
    """One wave of neighbouring leads."""

    leads: tuple[str, ...]
    wave: SegmentWave | None
    share: float
    """Of all that speaks the same way, 0 to 1."""


def find_groups(cells: Cells, *, sign: int = 1) -> tuple[float, list[Group]]:
    """Return how much speaks for an answer (``sign`` 1) or against it (-1), and the one or two groups that carry most.

    The larger first; they overlap in no cell.
    """
    total = sum(max(sign * value, 0.0) for value in cells.values())
    if total <= 0:
        return 0.0, []
    read = tuple(dict.fromkeys(lead for lead, _ in cells))
    waves = sorted({wave for _, wave in cells}, key=lambda wave: -1 if wave is None else WAVES.index(wave))
    every = [
        Group(leads, wave, sum(sign * cells.get((lead, wave), 0.0) for lead in leads) / total)
        for wave in waves
        for leads in neighbours(read)
    ]
    worth = [group for group in every if group.share >= _LEAST]
    best = max(worth or every, key=_score)
    if best.share >= _HALF:
        return total, [best]
    others = [group for group in worth if not (group.wave == best.wave and set(group.leads) & set(best.leads))]
    found = [best, max(others, key=_score)] if others else [best]
    return total, sorted(found, key=lambda group: -round(group.share, 9))


def neighbours(read: Sequence[str]) -> list[tuple[str, ...]]:
    """Return groups of the leads that were read which lie side by side: few leads first."""
    chest = [lead for lead in CHEST if lead in read]
    groups: list[tuple[str, ...]] = [(lead,) for lead in read]
    groups += [
        tuple(chest[begin:end])
        for begin in range(len(chest))
        for end in range(begin + 2, len(chest) + 1)
        if CHEST.index(chest[end - 1]) - CHEST.index(chest[begin]) == end - 1 - begin
    ]
    groups += [group for group in (("I", "II"), *_LATERAL) if set(group) <= set(read)]
    groups += [tuple(read)] if tuple(read) not in groups else []
    return sorted(groups, key=len)


def carried(cells: Cells, way: Way) -> str:
    """Say what carries most of an answer, and where all of the tracing speaks the other way, that it does."""
    sign = -1 if way in ("against", "down") else 1
    total, groups = find_groups(cells, sign=sign)
    does = _WAYS[way]
    if total < LITTLE or not groups:
        return f"Hardly anything in the tracing {does}."
    said = _groups_say(groups, tuple(dict.fromkeys(lead for lead, _ in cells)), does)
    on_balance = sign * sum(cells.values()) < -LITTLE
    return f"{said} On balance, though, the tracing {_WAYS[_OTHER[way]]}." if on_balance else said


def _groups_say(groups: Sequence[Group], read: Sequence[str], does: str) -> str:
    best, together = groups[0], sum(group.share for group in groups)
    if together < _MOST:
        return (
            f"What {does} is spread over the tracing: {named(best, read)} {_verb(best)} the largest part, "
            f"{_percent(best.share)}."
        )
    if len(groups) == 1:  # It carries half, or nothing beside it is worth naming.
        return f"{_capital(named(best, read))} {_verb(best)} {_percent(best.share)} of what {does}."
    second = groups[1]
    same = best.wave is not None and best.wave == second.wave
    also = f"of {lead_words(second.leads)}" if same else named(second, read)
    verb = "carries" if same else "carry"
    return (
        f"{_capital(named(best, read))} ({_percent(best.share)}) and {also} ({_percent(second.share)}) {verb} "
        f"{_percent(together)} of what {does}."
    )


def named(group: Group, read: Sequence[str]) -> str:
    """Return a group in words, ``"the ST segment of V2-V4"``."""
    leads = "all leads" if len(read) > 1 and set(group.leads) == set(read) else lead_words(group.leads)
    if group.wave is None:
        return leads if leads == "all leads" else f"lead{'s' * (len(group.leads) > 1)} {leads}"
    return f"the {WAVE_WORDS[group.wave]} of {leads}"


def lead_words(leads: Sequence[str]) -> str:
    """Return neighbouring leads in words: ``"V2-V4"``, ``"I and II"``, ``"I and V5-V6"``."""
    chest = [lead for lead in leads if lead in CHEST]
    run = [f"{chest[0]}-{chest[-1]}"] if len(chest) > 1 else chest
    return " and ".join([*(lead for lead in leads if lead not in CHEST), *run])


def over_time(values: np.ndarray, step_s: float, end_s: float, way: Way) -> str:
    """Say when what speaks for an answer lies, given what each stretch of time adds."""
    found = np.maximum(values if way in ("for", "up") else -values, 0.0)
    total, does = float(found.sum()), _WAYS[way]
    if total < LITTLE:
        return f"Hardly anything in the tracing {does}."
    sums = np.concatenate([[0.0], np.cumsum(found)])
    for width in range(1, int(_NARROW * end_s / step_s) + 1):
        within = sums[width:] - sums[:-width]
        at = int(within.argmax())
        if within[at] >= _HALF * total:
            span = f"{at * step_s:.1f} to {min((at + width) * step_s, end_s):.1f} s"
            return f"The time from {span} carries {_percent(within[at] / total)} of what {does}."
    return f"What {does} is spread over the whole time; no short part of it carries half."


def becomes(what: str, before: float, after: float) -> str:
    """Say what becomes of a probability without something."""
    return f"Without {what} the probability {_moves(before, after)} from {_odds(before)} to {_odds(after)}."


def becomes_years(what: str, before: float, after: float) -> str:
    """Say what becomes of an age without something."""
    return f"Without {what} the age {_moves(before, after)} from {before:.0f} to {after:.0f} years."


def with_usual(wave: SegmentWave, after: float) -> str:
    """Say what the probability would be with the wave of each beat as in the person's usual one."""
    return f"With the {WAVE_WORDS[wave]} of every beat as in the usual beat it is {_odds(after)}."


def hangs_on_nothing(what: str, before: float, after: float) -> str:
    """Say that no wave decides, though one counts most."""
    now, then = _odds(before), _odds(after)
    if now == then:
        return f"No one wave decides: without any of them the probability stays {now}."
    return f"No one wave decides: even without {what}, which counts most, the probability is {then} in place of {now}."


def _score(group: Group) -> tuple[float, int]:
    return round(group.share - _WORTH * len(group.leads), 9), -len(group.leads)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _odds(value: float) -> str:
    return "over 0.99" if value > _SURE else "under 0.01" if value < 1 - _SURE else f"{value:.2f}"


def _moves(before: float, after: float) -> str:
    return "rises" if after > before else "falls"


def _verb(group: Group) -> str:
    return "carry" if group.wave is None and len(group.leads) > 1 else "carries"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
