"""Occlusion: what becomes of an answer when a wave is made straight, or the person's usual one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ecg_core.explain.segments import REST, Segments
from ecg_core.explain.value import WAVES, SegmentWave

How = Literal["without", "usual"]


@dataclass(frozen=True)
class Variant:
    """What is replaced in a strip, and by what."""

    lead: int | None
    """Number of the lead; None: all."""
    wave: SegmentWave | None
    """None: all of the lead."""
    how: How
    """``without``: by a straight line; ``usual``: by the person's median beat."""


def variants(segments: Segments, leads: Sequence[int]) -> Iterator[Variant]:
    """Yield each wave over all leads, each lead over all waves, and each wave of each lead, that there are."""
    ways: tuple[How, ...] = ("without",) if segments.usual is None else ("without", "usual")
    for wave in segments.waves:
        k = WAVES.index(wave)
        here = [lead for lead in leads if segments.masks[lead, k].any()]
        for how in ways[:1] if k == REST else ways:
            if here:
                yield Variant(None, wave, how)
            yield from (Variant(lead, wave, how) for lead in here)
    yield from (Variant(lead, None, "without") for lead in leads)


def occluded(segments: Segments, chosen: Sequence[Variant]) -> np.ndarray:
    """Return the strip in each variant, float32, shape (n, 1000, 8)."""
    strip = segments.parts.sum(axis=1)
    found = np.repeat(strip[None], len(chosen), axis=0)
    for row, variant in zip(found, chosen, strict=True):
        leads = slice(None) if variant.lead is None else slice(variant.lead, variant.lead + 1)
        waves = slice(None) if variant.wave is None else slice(WAVES.index(variant.wave), WAVES.index(variant.wave) + 1)
        row[leads] -= segments.parts[leads, waves].sum(axis=1)
        if variant.how == "usual" and segments.usual is not None:
            row[leads] += segments.usual[leads, waves].sum(axis=1)
    return np.ascontiguousarray(found.transpose(0, 2, 1))


def occlude(
    segments: Segments, leads: Sequence[int], answers: Callable[[np.ndarray], np.ndarray]
) -> dict[Variant, float]:
    """Return the answer to each variant; ``answers`` takes strips (n, 1000, 8) to answers (n,)."""
    chosen = list(variants(segments, leads))
    return dict(zip(chosen, answers(occluded(segments, chosen)).tolist(), strict=True))
