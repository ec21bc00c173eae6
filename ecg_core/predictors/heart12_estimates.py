"""From recordings to the calibrated answers of ``heart12``: network, trees and what makes them probabilities.

What may be said of them is decided elsewhere (`ecg_core.predictors.heart12`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecg_core.artefacts import Artefact
from ecg_core.engine import NETWORK, Network, network_of
from ecg_core.errors import InvalidValue, ModelError
from ecg_core.predictors.activation import MOMENT_S, Activation, LinearHead
from ecg_core.predictors.base import Context
from ecg_core.predictors.figures import row_of
from ecg_core.predictors.heads import Heads, View
from ecg_core.predictors.views import Reading, choose_reading
from ecg_core.predictors.windows import INPUTS, N_SAMPLES, STRIP_S, starts_s, strips
from ecg_core.quality import Quality
from ecg_core.recording import Recording

_BATCH = 32
_MOST_UNDER_WAY = 3
"""Batches that the network may be behind with, so that they take little memory."""
_SIGNAL, _LOGITS, _MAPS = "signal", "logits", "maps"


@dataclass(frozen=True, eq=False)
class Estimate:
    """What the model makes of one recording, whatever may be said of it."""

    reading: Reading
    n_strips: int
    logits: np.ndarray
    """The network's answers, averaged over the strips, shape (n_outputs,)."""
    from_trees: np.ndarray | None
    """The trees' answers; None where they had nothing to read."""
    probability: np.ndarray
    """Calibrated, shape (n_labels,)."""
    years: tuple[float, float, float]
    """Age, and its interval."""


class Estimator:
    """Network, trees and calibration of one model, ready to run."""

    def __init__(self, artefact: Artefact) -> None:
        """Take them, and the limits of what is read, out of the artefact."""
        self.artefact = artefact
        self.heads = Heads(artefact)
        self.views: Mapping[str, View] = self.heads.views
        self.network = network_of(artefact)
        self._trees = {graph: network_of(artefact, graph) for graph in self.heads.features}
        try:
            inputs = artefact.manifest["inputs"]
            self.least_fs = float(inputs["least_fs"])
            self.least_s = float(inputs["least_duration_s"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                "lacks what this model needs, or has it in another form", file=str(artefact.path), found=repr(error)
            ) from error
        if self.network.inputs != (_SIGNAL,) or not {_LOGITS, _MAPS} <= set(self.network.outputs):
            raise ModelError(
                "not a graph of this model",
                file=str(artefact.path / NETWORK),
                found=f"{', '.join(self.network.inputs)} -> {', '.join(self.network.outputs)}",
                expected=f"{_SIGNAL} -> {_LOGITS}, {_MAPS}",
            )

    def estimate(self, contexts: Sequence[Context], *, spare_nothing: bool = False) -> list[Estimate | str]:
        """Return what the model makes of each recording, or the reason why it can make nothing of it.

        Parameters
        ----------
        contexts
            The recordings.
        spare_nothing
            Read poor leads too where a recording cannot be read without them: for measuring how good the model is on
            all records of a set, not for speaking.
        """
        readings = [self._reading(context.recording, context.quality, spare_nothing) for context in contexts]
        known = [at for at, reading in enumerate(readings) if isinstance(reading, Reading)]
        pairs = [(contexts[at], reading) for at, reading in enumerate(readings) if isinstance(reading, Reading)]
        pool = self._start(pairs)
        said = self._ask_trees(pairs)
        logits, counts = pool.means()
        found: list[Estimate | str] = [reading if isinstance(reading, str) else "" for reading in readings]
        for row, (at, (_, reading)) in enumerate(zip(known, pairs, strict=True)):
            if not counts[row]:
                found[at] = f"no {STRIP_S:g} s of the recording hold {self.least_s:g} s of signal"
                continue
            view = self.views[reading.view]
            found[at] = Estimate(
                reading,
                int(counts[row]),
                logits[row],
                said[row],
                view.probabilities(logits[row], said[row]),
                view.age.years(float(logits[row, -2]), float(logits[row, -1]), said[row]),
            )
        return found

    def activation(self, context: Context, outputs: Sequence[str]) -> Activation:
        """Return what each moment of a recording adds to answers of the network.

        Parameters
        ----------
        context
            The recording.
        outputs
            Names of answers, ``"superclass.MI"``, ``"statements.AFIB"``, ``"age.median"``.

        Raises
        ------
        InvalidValue
            There is no such answer, or the recording cannot be read.
        """
        if strange := [name for name in outputs if name not in self.heads.outputs]:
            raise InvalidValue("no such output", field="outputs", found=", ".join(strange), options=self.heads.outputs)
        reading = self._reading(context.recording, context.quality)
        if isinstance(reading, str):
            raise InvalidValue("the recording cannot be read", field="recording", found=reading)
        columns = np.array([self.heads.outputs.index(name) for name in outputs], np.int64)
        begins, added = [], []
        for starts, batch in _batches((0, *strip) for strip in self.strips(context.recording, reading)):
            each = self._linear.contributions(self.network(batch)[_MAPS], columns)
            begins.append(starts[:, 1:] + MOMENT_S * np.arange(each.shape[1]))
            added.append(each)
        if not added:
            raise InvalidValue("the recording cannot be read", field="recording", found="too little signal")
        parts = np.concatenate(added)
        return Activation(
            tuple(outputs),
            np.concatenate(begins).reshape(-1),
            parts.reshape(-1, len(columns)).T / len(parts),
            self._linear.bias[columns],
        )

    @cached_property
    def flat(self) -> np.ndarray:
        """What the network says of straight lines, shape (n_outputs,)."""
        return np.asarray(self.network(np.zeros((1, N_SAMPLES, len(INPUTS)), np.float32), [_LOGITS])[_LOGITS][0])

    @cached_property
    def _linear(self) -> LinearHead:
        return LinearHead.of(self.artefact)

    def begin(self, recording: Recording, quality: Quality) -> Future[dict[str, np.ndarray]] | None:
        """Let the network read a recording of one strip, in the background; None of any other."""
        reading = self._reading(recording, quality)
        if isinstance(reading, str) or len(starts_s(recording.duration_s)) > 1:
            return None
        strip = next(self.strips(recording, reading), None)
        return None if strip is None else self.network.start(strip[1][None])

    def _reading(self, recording: Recording, quality: Quality, spare_nothing: bool = False) -> Reading | str:
        if recording.fs < self.least_fs:
            return f"{recording.fs:g} Hz is too slow; the model reads {self.least_fs:g} Hz or more"
        if recording.duration_s < self.least_s:
            return f"{recording.duration_s:.1f} s are too short; the model reads {self.least_s:g} s or more"
        leads = {name: view.leads for name, view in self.views.items()}
        found = choose_reading(recording, quality.trusted_leads, leads)
        return choose_reading(recording, recording.leads, leads) if isinstance(found, str) and spare_nothing else found

    def strips(self, recording: Recording, reading: Reading) -> Iterator[tuple[float, np.ndarray]]:
        """Yield each strip that is read of a recording: where it begins in seconds, and the strip (1000, 8) in mV."""
        return strips(recording, reading.leads, reading.sources, self.least_s)

    def _start(self, pairs: Sequence[tuple[Context, Reading]]) -> _Pool:
        """Let the network read the strips of the recordings; it works on while Python does something else."""
        pool = _Pool(self.network, len(pairs), len(self.heads.outputs))
        left = []
        for row, (context, reading) in enumerate(pairs):
            if (begun := context.begun.get(self.artefact.name)) is not None:
                pool.take(np.array([row]), begun)
            else:
                left.append((row, context.recording, reading))
        every = ((row, *strip) for row, recording, reading in left for strip in self.strips(recording, reading))
        for owners, batch in _batches(every):
            pool.add(owners[:, 0].astype(np.int64), batch)
        return pool

    def _ask_trees(self, pairs: Sequence[tuple[Context, Reading]]) -> list[np.ndarray | None]:
        """Return what the trees say of each recording; None where its view has none, or no figure could be had."""
        found: list[np.ndarray | None] = [None] * len(pairs)
        for graph, features in self.heads.features.items():
            rows, figures = [], []
            for at, (context, reading) in enumerate(pairs):
                view = self.views[reading.view]
                if view.trees == graph:
                    one = view.leads[0] if len(view.leads) == 1 else None
                    row = row_of(context.figures, features, one)
                    if np.isfinite(row).any():
                        rows.append(at)
                        figures.append(row)
            if rows:
                (said,) = self._trees[graph](np.stack(figures)).values()
                for at, answers in zip(rows, said, strict=True):
                    found[at] = answers
        return found


class _Pool:
    """Answers of the network to strips, summed by recording while they come."""

    def __init__(self, network: Network, n_recordings: int, n_outputs: int) -> None:
        self._network = network
        self._sums = np.zeros((n_recordings, n_outputs))
        self._counts = np.zeros(n_recordings, np.int64)
        self._under_way: deque[tuple[np.ndarray, Future[dict[str, np.ndarray]]]] = deque()

    def add(self, rows: np.ndarray, batch: np.ndarray) -> None:
        """Start on strips of the recordings numbered ``rows``."""
        self._under_way.append((rows, self._network.start(batch)))
        if len(self._under_way) > _MOST_UNDER_WAY:
            self._settle()

    def take(self, rows: np.ndarray, answers: Future[dict[str, np.ndarray]]) -> None:
        """Count in what the network was started on elsewhere, for the recordings numbered ``rows``."""
        self._under_way.append((rows, answers))

    def means(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean answers of each recording, shape (n_recordings, n_outputs), and how many strips it had."""
        while self._under_way:
            self._settle()
        return self._sums / np.maximum(self._counts, 1)[:, None], self._counts

    def _settle(self) -> None:
        rows, answers = self._under_way.popleft()
        np.add.at(self._sums, rows, answers.result()[_LOGITS])
        np.add.at(self._counts, rows, 1)


def _batches(items: Iterator[tuple[int, float, np.ndarray]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield up to `_BATCH` strips at a time: (number of the recording, start in s), and the strips."""
    owners: list[tuple[int, float]] = []
    held: list[np.ndarray] = []
    for row, start, strip in items:
        owners.append((row, start))
        held.append(strip)
        if len(held) == _BATCH:
            yield np.array(owners), np.stack(held)
            owners, held = [], []
    if held:
        yield np.array(owners), np.stack(held)
