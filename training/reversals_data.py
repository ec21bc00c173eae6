"""Typical beats of PTB-XL, and batches of them with electrodes exchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecg_core import qrs
from ecg_core.artefacts import record_hash
from ecg_core.beats import detect_beats
from ecg_core.datasets.ptbxl import PtbXl, Stack
from ecg_core.leads import STANDARD_12
from ecg_core.quality import arrangements
from ecg_core.quality import typical_beat as typical_beat_module
from ecg_core.quality.arrangements import ARRANGEMENTS, AS_RECORDED
from ecg_core.quality.reversals import flat_lead
from ecg_core.quality.typical_beat import N_TIMES, typical_beat
from ecg_core.recording import Recording
from training.network import checkpoints

PLACED = np.stack([AS_RECORDED.placed, *(arrangement.placed for arrangement in ARRANGEMENTS)])
"""Rows of potentials that are recorded, in order and with each exchange; shape (1 + n_arrangements, 9)."""
HARD = ("LA-LL", "V1-V2", "V2-V3", "V3-V4", "V4-V5", "V5-V6")
"""What is hardest to tell from a recording in order."""


@dataclass(frozen=True, eq=False)
class Beats:
    """The recordings of some splits."""

    beats: np.ndarray
    """Typical beats (mV) of those that have one, float32, shape (n, 9, n_times)."""
    groups: Sequence[str]
    """Patient of each."""
    hashes: Sequence[str]
    """Of each."""
    unjudged: int
    """Recordings without a typical beat, or with a limb lead that is all but flat."""


def read_beats(data: PtbXl, root: Path | None, splits: Sequence[str], fs: float) -> Beats:
    """Read the typical beats of some splits; those of a split are kept as long as nothing that makes them changes."""
    found = join_beats([_of_split(data, root, split, fs) for split in splits])
    judged = [at for at, beat in enumerate(found.beats) if flat_lead(beat) is None]
    return Beats(
        found.beats[judged],
        [found.groups[at] for at in judged],
        [found.hashes[at] for at in judged],
        found.unjudged + len(found.beats) - len(judged),
    )


def join_beats(parts: Sequence[Beats]) -> Beats:
    """Return several as one."""
    return Beats(
        np.concatenate([part.beats for part in parts]),
        [group for part in parts for group in part.groups],
        [name for part in parts for name in part.hashes],
        sum(part.unjudged for part in parts),
    )


def _of_split(data: PtbXl, root: Path | None, split: str, fs: float) -> Beats:
    listing = data.listing(root, fs=fs)
    names = [entry.name for entry in data.choose(listing.entries, split)]
    made_by = [Path(module.__file__ or "").read_bytes() for module in (typical_beat_module, qrs, arrangements)]
    key = hashlib.sha256(b"\0".join([*made_by, f"{listing.folder.resolve()} {fs} {names}".encode()])).hexdigest()
    kept = checkpoints("reversals") / f"beats-{key[:16]}.npz"
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as found:
            return Beats(found["beats"], found["groups"].tolist(), found["hashes"].tolist(), int(found["unjudged"]))
    made = _make(data.stack(root, split, fs=fs))
    np.savez(kept, beats=made.beats, groups=made.groups, hashes=made.hashes, unjudged=made.unjudged)
    return made


def _make(stack: Stack) -> Beats:
    beats, groups, hashes, unjudged = [], [], [], 0
    for signal, truth in zip(stack.signal, stack.truths, strict=True):
        recording = Recording(signal, stack.fs, STANDARD_12)
        beat = typical_beat(recording, detect_beats(recording, method="fast"))
        if isinstance(beat, str):
            unjudged += 1
            continue
        beats.append(beat.astype(np.float32))
        groups.append(truth.patient_id or f"record {truth.ecg_id}")
        hashes.append(record_hash(recording))
    shape = (len(beats), len(PLACED[0]), N_TIMES)
    return Beats(np.array(beats, np.float32).reshape(shape), groups, hashes, unjudged)


def batches(
    beats: np.ndarray, size: int, ways: int, hard: float, twice: float, gain: float, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, without end, beats in order, each followed by some ways in which it could have been recorded otherwise.

    What is drawn is drawn as often as its inverse, so that the network learns a likelihood and not which way round it
    is asked.

    Parameters
    ----------
    beats
        As the network reads them, float32, shape (n, 9, n_times).
    size
        Beats in a batch.
    ways
        Ways in which each is shown, the first in order.
    hard
        Weight of the exchanges that alter least (`HARD`), where the others have 1.
    twice
        Part of the ways that are two exchanges, one after the other: so an exchange looks with another one undone.
    gain
        Standard deviation of the logarithm of the size of each potential.
    seed
        Of the order of beats and of all that is drawn.

    Yields
    ------
    Float32 (size, ways, 9 * n_times), and the number of the way that is in order, int32 zeros (size,).
    """
    rng = np.random.default_rng(seed)
    weight = np.array([hard if arrangement.kind in HARD else 1.0 for arrangement in ARRANGEMENTS])
    first = np.zeros(size, np.int32)
    while True:
        order = rng.permutation(len(beats))
        for start in range(0, len(order) - size + 1, size):
            some = beats[order[start : start + size]]
            some = some * np.exp(gain * rng.standard_normal((*some.shape[:2], 1))).astype(np.float32)
            drawn = 1 + rng.choice(len(weight), (2, size, ways - 1), p=weight / weight.sum())
            drawn[1, rng.random((size, ways - 1)) >= twice] = 0
            other = PLACED[drawn[0][..., None], PLACED[drawn[1]]]
            rows = np.concatenate((np.broadcast_to(PLACED[0], (size, 1, PLACED.shape[1])), other), axis=1)
            yield some[np.arange(size)[:, None, None], rows].reshape(size, ways, -1), first
