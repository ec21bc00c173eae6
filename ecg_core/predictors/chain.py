"""`examine`: the steps before the predictors, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ecg_core.beat_classes import classify_beats
from ecg_core.beats import PREFERRED_LEAD, Beats, detect_beats, no_beats
from ecg_core.delineation import delineate_waves, start_waves
from ecg_core.measurements import Measurements, Part, choose_part, measure
from ecg_core.measurements.part import PART_S
from ecg_core.pacing import Pacing, find_pacing
from ecg_core.predictors.base import Beginner, Context, Predictor
from ecg_core.preprocess import crop
from ecg_core.quality import Quality, assess_quality
from ecg_core.quality.assess import MOST_POOR
from ecg_core.quality.reversals import Reversals, suspect_reversals
from ecg_core.recording import Recording
from ecg_core.rhythm import Rhythm, classify_rhythm
from ecg_core.waves import Waves, WaveTable

METHOD = "robust"
"""The beat detector."""


def examine(recording: Recording, predictors: Mapping[str, Predictor] | None = None) -> Context:
    """Do all that comes before the predictors; what its quality forbids is left out, with the reason.

    Those of ``predictors`` (those that will be asked, by name) that need nothing but the quality begin meanwhile.
    """
    quality = assess_quality(recording)
    usable, refusal = _usable(recording, quality), _refusal(quality)
    # The network that marks waves needs nothing of the steps between, and works beside them.
    started = start_waves(usable) if refusal is None and recording.duration_s <= PART_S else None
    begun = {
        name: predictor.begin(recording, quality)
        for name, predictor in (predictors or {}).items()
        if isinstance(predictor, Beginner)
    }
    beats = _find_beats(usable, quality)
    pacing = find_pacing(recording, beats)
    classes = classify_beats(usable, beats, pacing)
    rhythm = _tell_rhythm(usable, quality, beats)
    reversals = suspect_reversals(usable, beats)
    part = choose_part(recording, beats)
    if refusal:
        waves = Waves((), reason=refusal)
    elif part.reason is None:
        waves = delineate_waves(usable, beats, started=started)
    else:
        waves = mark_part(usable, beats, part)
    measurements = measure_recording(
        recording, quality, reversals, beats, waves, pacing, fibrillation=rhythm.label == "A"
    )
    return Context(recording, quality, reversals, pacing, beats, classes, waves, part, measurements, rhythm, begun)


def _usable(recording: Recording, quality: Quality) -> Recording:
    """Return the leads that can be trusted; all, where none can, so that each step says so itself."""
    trusted = quality.trusted_leads
    return recording if len(trusted) in (0, recording.n_leads) else recording.select(trusted)


def _find_beats(usable: Recording, quality: Quality) -> Beats:
    if quality.trusted_leads:
        return detect_beats(usable, method=METHOD)
    return no_beats(METHOD, quality.refusal(usable.leads) or "no lead can be trusted")


def _tell_rhythm(usable: Recording, quality: Quality, beats: Beats) -> Rhythm:
    """Tell the rhythm from II, or the first lead that can be trusted."""
    lead = PREFERRED_LEAD if PREFERRED_LEAD in usable.leads else usable.leads[0]
    return classify_rhythm(usable, beats, lead, trusted=lead in quality.trusted_leads)


def _refusal(quality: Quality) -> str | None:
    """Return why nothing is measured, if so: the recording is poor, and not just in a few leads that are left out."""
    left_out = len(quality.leads) - len(quality.trusted_leads)
    return None if quality.rest_is_good and left_out < MOST_POOR * len(quality.leads) else quality.refusal()


def mark_part(usable: Recording, beats: Beats, part: Part) -> Waves:
    """Mark the waves of the part, timed from the first sample of the recording."""
    cut = crop(usable, part.start_s, part.end_s)
    inside = (beats.times_s >= part.start_s) & (beats.times_s < part.end_s)
    own = replace(beats, times_s=beats.times_s[inside] - part.start_s, stretch=beats.stretch[inside], confidence=None)
    found = delineate_waves(cut, own)
    moved = {lead: WaveTable(table.marks + part.start_s) for lead, table in found.per_lead.items()}
    return Waves(WaveTable(found.global_.marks + part.start_s), moved, found.reason)


def measure_recording(
    recording: Recording,
    quality: Quality,
    reversals: Reversals,
    beats: Beats,
    waves: Waves,
    pacing: Pacing,
    *,
    fibrillation: bool,
) -> Measurements:
    """Measure a recording: poor leads are withheld, those of suspected exchanges doubted."""
    poor = {lead: quality.refusal((lead,)) or "" for lead in recording.leads if lead not in quality.trusted_leads}
    doubtful = {lead: f"suspected: {item.title}" for item in reversed(reversals.suspected) for lead in item.leads}
    return measure(
        recording,
        waves,
        beats=beats,
        withheld=poor,
        doubtful=doubtful,
        fibrillation=fibrillation,
        paced="ventricular" in pacing.chambers,
    )
