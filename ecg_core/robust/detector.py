"""The learned beat detector, from leads of any rate and length to R peaks.

Each lead is brought to the network's rate and cut into strips that overlap; the network says for every 16 ms how likely
a beat is there; the answers of simultaneous leads are made one; the decoder picks the beats; their peaks are looked up
in the original signal. A recording is worked through in chunks, so that memory does not grow with its length but for
one float a beat.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ecg_core.artefacts import RUNNERS, Artefact, load_model
from ecg_core.errors import InvalidValue, ModelError
from ecg_core.recording import Recording
from ecg_core.robust.candidates import TARGET_MASS, Candidates, find_candidates
from ecg_core.robust.decoder import USUAL_RULES, Rules, best_score_cpsc2019, decode
from ecg_core.robust.inputs import FS, LENGTH, MARGIN, STEP, network_input
from ecg_core.robust.refine import refine
from ecg_core.statistics import share_of

if TYPE_CHECKING:
    from ecg_core.engine import Network

MODEL = "beats"

LogOdds = Callable[[np.ndarray], np.ndarray]
"""The network: inputs of shape (n_strips, `LENGTH`, 2) -> log odds of shape (n_strips, `LENGTH` // `STEP`)."""

_HOP = LENGTH - 2 * MARGIN
_CHUNK = 32
"""Strips of each lead in a chunk: 4 minutes."""
_BATCH = 16
"""Strips that the network reads at once."""
_FEW_LEADS = 2
_MANY_LEADS, _EVERY = 7, 3
"""Of so many leads every third is read first: of the usual eight that is II, V2 and V5."""
_UNDECIDED = (0.02, 0.99)
"""A candidate of a probability between these has the other leads read too, ..."""
_DIFFER = 2.0
"""... and so has a beat about whose place the leads differ by more than this many answers. So it was in 122 of 742
recordings of PTB-XL, LUDB and CinC 2011; in the others all leads together call as many beats, none 30 ms away."""
_REACH = 6
"""Answers, 96 ms, to either side of a beat by which a lead shows its place."""
_DOUBT = (0.1, 0.9)
"""A strip with a candidate of a probability between these is looked at again."""
_ENDS_S = 0.5
"""Beats cut by the end of a strip, or of a recording of 10 s, are always doubtful."""
_SPIKE_FS = 250.0
"""Samples per second from which no wave of the heart is a single sample."""
_SPIKE = 3.0
"""A spike stands out by this many times the range of nine tenths of the samples."""
_SPARSE = 5
_SHIFT = 20
"""Samples by which it is then shifted."""


@dataclass(frozen=True)
class RobustDetector:
    """A network with the rules by which its answers become beats."""

    log_odds: LogOdds
    rules: Rules = USUAL_RULES

    def find(self, signal: np.ndarray, fs: float, *, scorer: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Find the R peaks of simultaneous leads.

        Parameters
        ----------
        signal
            In any unit, shape (n_leads, n_samples), NaN where nothing was recorded. Peaks are looked up in the first
            lead; where that was not recorded, in the first that was.
        fs
            Samples per second.
        scorer
            ``"cpsc2019"`` calls the beats that promise the best score of that challenge instead of the most probable,
            at the network's own times: the challenge marks simultaneous leads alike, not each at its peak.

        Returns
        -------
        Sample numbers, int64, increasing, and the probability that each is a beat, both of shape (n_beats,).
        """
        candidates = self.candidates(signal, fs)
        called = decode(candidates, self.rules)
        if scorer == "cpsc2019":
            called = best_score_cpsc2019(candidates, called)
        elif scorer is not None:
            raise InvalidValue("no such mode", field="scorer", found=scorer, options=("cpsc2019",))
        time_s, confidence = candidates.time_s[called], candidates.probability[called]
        sample = _peaks(signal, fs, time_s) if scorer is None else _nearest(time_s, signal, fs)
        sample, first = np.unique(sample, return_index=True)
        return sample, confidence[first]

    def candidates(self, signal: np.ndarray, fs: float) -> Candidates:
        """Return every place where there may be a beat, in order of time."""
        found = [self._chunk(*chunk) for chunk in _chunks(signal, fs)]
        return Candidates(
            np.concatenate([part.time_s for part in found]), np.concatenate([part.probability for part in found])
        )

    def _chunk(self, leads: np.ndarray, start_s: float, from_s: float, to_s: float) -> Candidates:
        """Return the candidates within [from_s, to_s) of leads at `FS` that begin at ``start_s``."""
        recorded = ~np.isnan(leads)
        even = -leads.shape[1] % STEP
        live = np.flatnonzero(np.fmax.reduce(leads, axis=1) > np.fmin.reduce(leads, axis=1))
        if not len(live):
            return Candidates(np.empty(0), np.empty(0))
        if recorded.all():
            bridged, covered = leads[live], np.ones((len(leads), (leads.shape[1] + even) // STEP), bool)
        else:
            bridged = np.stack([_bridged(leads[row], recorded[row]) for row in live])
            covered = np.asarray(np.pad(recorded, ((0, 0), (0, even))).reshape(len(leads), -1, STEP).any(axis=2))
        if even:
            bridged = np.concatenate([bridged, np.repeat(bridged[:, -1:], even, axis=1)], axis=1)
        found = self._found(bridged, start_s, covered[live])
        inside = (found.time_s >= from_s) & (found.time_s < to_s)
        return Candidates(found.time_s[inside], found.probability[inside])

    def _found(self, leads: np.ndarray, start_s: float, covered: np.ndarray) -> Candidates:
        """Return the candidates in leads at `FS` without NaN, which were recorded where ``covered`` says so.

        Of many leads a few are read first; where they leave no doubt, the others are not asked.
        """
        if len(leads) < _MANY_LEADS or not covered.all():
            return find_candidates(self._answers(leads), start_s, covered)
        answers = np.empty((len(leads), leads.shape[1] // STEP))
        answers[::_EVERY] = self._answers(leads[::_EVERY])
        found = find_candidates(answers[::_EVERY], start_s)
        if not _leave_doubt(answers[::_EVERY], found, start_s):
            return found
        others = np.arange(len(leads)) % _EVERY > 0
        answers[others] = self._answers(leads[others])
        return find_candidates(answers, start_s)

    def _answers(self, leads: np.ndarray) -> np.ndarray:
        """Return the log odds of leads at `FS` without NaN, shape (n_leads, n_samples // `STEP`)."""
        n = leads.shape[1]
        starts = [0] if n <= LENGTH else [*range(0, n - LENGTH, _HOP), n - LENGTH]
        if n < LENGTH:
            leads = np.concatenate([leads, np.repeat(leads[:, -1:], LENGTH - n, axis=1)], axis=1)
        strips = np.stack([leads[:, start : start + LENGTH] for start in starts], axis=1).reshape(-1, LENGTH)
        # Many leads help one another; one or two are asked again where they leave doubt.
        ask = self._ask_again if len(leads) <= _FEW_LEADS else self.log_odds
        answered = np.concatenate(
            [ask(network_input(strips[first : first + _BATCH])) for first in range(0, len(strips), _BATCH)]
        ).reshape(len(leads), len(starts), LENGTH // STEP)
        result = np.empty((len(leads), max(n, LENGTH) // STEP))
        for number, start in enumerate(starts):
            skip = 0 if number == 0 else MARGIN // STEP
            result[:, start // STEP + skip : (start + LENGTH) // STEP] = answered[:, number, skip:]
        return result[:, : n // STEP]

    def _ask_again(self, inputs: np.ndarray) -> np.ndarray:
        """Return the log odds of strips, shape (n_strips, `LENGTH` // `STEP`); doubtful ones are looked at again.

        Upside down, and somewhat earlier and later: the mean of four answers is surer than one.
        """
        first = self.log_odds(inputs)
        doubtful = np.flatnonzero([_is_doubtful(row) for row in first])
        if not len(doubtful):
            return first
        again = inputs[doubtful]
        looks = [first[doubtful], self.log_odds(-again)]
        for shift in (-_SHIFT, _SHIFT):
            moved = np.clip(np.arange(LENGTH) - shift, 0, LENGTH - 1)
            back = np.clip(np.arange(LENGTH // STEP) + shift // STEP, 0, LENGTH // STEP - 1)
            looks.append(self.log_odds(again[:, moved])[:, back])
        answer = first.copy()
        answer[doubtful] = np.mean(looks, axis=0)
        return answer


def _leave_doubt(log_odds: np.ndarray, found: Candidates, start_s: float) -> bool:
    """Return whether leads (n_leads, n) leave open what they show, or where."""
    if ((found.probability > _UNDECIDED[0]) & (found.probability < _UNDECIDED[1])).any():
        return True
    beat = found.time_s[found.probability >= _UNDECIDED[1]]
    at = np.rint(((beat - start_s) * FS - (STEP - 1) / 2) / STEP).astype(np.int64)
    reach = np.arange(-_REACH, _REACH + 1)
    near = 1 / (1 + np.exp(-log_odds[:, np.clip(at[:, None] + reach, 0, log_odds.shape[1] - 1)]))
    mass = near.sum(axis=2)
    centre = (near @ reach) / np.maximum(mass, 1e-6)
    seen = mass >= TARGET_MASS / 2
    apart = np.where(seen, centre, -np.inf).max(axis=0) - np.where(seen, centre, np.inf).min(axis=0)
    return bool((apart > _DIFFER).any())


def _is_doubtful(log_odds: np.ndarray) -> bool:
    """Return whether a strip holds a place that may or may not be a beat, other than at its ends."""
    found = find_candidates(log_odds[None], 0.0)
    inside = (found.time_s > _ENDS_S) & (found.time_s < 10 - _ENDS_S)
    return bool((inside & (found.probability > _DOUBT[0]) & (found.probability < _DOUBT[1])).any())


@lru_cache(4)
def robust_detector(version: str | None = None) -> RobustDetector:
    """Return the detector that ships, in its highest version unless one is named."""
    return detector_of(load_model(MODEL, version))


def detector_of(artefact: Artefact) -> RobustDetector:
    """Return the detector of an artefact."""
    from ecg_core.engine import network_of

    try:
        rules = Rules(**artefact.manifest["decoder"])
    except (KeyError, TypeError) as error:
        raise ModelError(
            "lacks what this model needs, or has it in another form", file=str(artefact.path), found=repr(error)
        ) from error
    return RobustDetector(as_log_odds(network_of(artefact)), rules)


def as_log_odds(network: Network) -> LogOdds:
    """Return a graph in the form that the detector calls."""

    def log_odds(inputs: np.ndarray) -> np.ndarray:
        (answer,) = network(inputs).values()
        return np.asarray(answer[..., 0])

    return log_odds


def _chunks(signal: np.ndarray, fs: float) -> Iterator[tuple[np.ndarray, float, float, float]]:
    """Yield leads at `FS`, the time of their first sample, and the times that their answer is for, all in seconds."""
    from ecg_core.preprocess.resampling import resample_array

    n = signal.shape[1]
    length_s = (_HOP * (_CHUNK - 1) + LENGTH - 2 * MARGIN) / FS
    margin_s = (MARGIN + 16) / FS
    count = max(1, math.ceil((n / fs - 2 * margin_s) / length_s))
    for number in range(count):
        from_s, to_s = number * length_s, (number + 1) * length_s if number < count - 1 else np.inf
        first = max(0, int((from_s - margin_s) * fs))
        last = n if number == count - 1 else min(n, int((to_s + margin_s) * fs))
        yield (
            resample_array(_without_spikes(signal[:, first:last], fs), fs, FS),
            first / fs,
            from_s if number else -np.inf,
            to_s,
        )


def _without_spikes(signal: np.ndarray, fs: float) -> np.ndarray:
    """Return leads without single samples that stand far out: pacing spikes and faults, which would ring."""
    if fs < _SPIKE_FS or signal.shape[1] < 3:
        return signal
    step = np.diff(signal, axis=1)
    ordered = np.sort(np.nan_to_num(signal[:, ::_SPARSE]), axis=1)
    low, high = share_of(ordered, 0.05, 1), share_of(ordered, 0.95, 1)
    out = np.minimum(np.abs(step[:, :-1]), np.abs(step[:, 1:])) > _SPIKE * (high - low)[:, None]
    out &= np.signbit(step[:, :-1]) != np.signbit(step[:, 1:])
    if not out.any():
        return signal
    row, at = np.nonzero(out)
    result = signal.copy()
    result[row, at + 1] = (signal[row, at] + signal[row, at + 2]) / 2
    return result


def _bridged(values: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """Return a lead with straight lines where nothing was recorded."""
    if recorded.all():
        return values
    at = np.flatnonzero(recorded)
    return np.asarray(np.interp(np.arange(len(values)), at, values[at]), np.float32)


def _nearest(time_s: np.ndarray, signal: np.ndarray, fs: float) -> np.ndarray:
    return np.clip(np.rint(time_s * fs).astype(np.int64), 0, signal.shape[1] - 1)


def _peaks(signal: np.ndarray, fs: float, time_s: np.ndarray) -> np.ndarray:
    """Return the sample of each beat's peak in the first lead that was recorded there."""
    coarse = _nearest(time_s, signal, fs)
    peaks = coarse.copy()
    open_ = np.ones(len(coarse), bool)
    for values in signal:
        here = np.flatnonzero(open_ & ~np.isnan(values[coarse]))
        if len(here):
            peaks[here] = refine(values, fs, time_s[here])
            open_[here] = False
        if not open_.any():
            break
    return peaks


def _run(artefact: Artefact, recording: Recording) -> dict[str, np.ndarray]:
    sample, confidence = detector_of(artefact).find(recording.signal, recording.fs)
    return {"times_s": sample / recording.fs, "confidence": confidence}


RUNNERS.register(MODEL, _run)
