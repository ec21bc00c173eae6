"""What a file of named arrays (HDF5, MAT, NumPy) holds, and which of its arrays is the ECG.

A reader lists the content in a `Container` without loading the large arrays. Facts (rate, lead names, units ...) are
looked up beside an array, then in the groups above it, then in one other place that holds no signal of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from ecg_core.errors import LimitExceeded, SeveralRecordings, UnreadableFile
from ecg_core.leads import STANDARD_12, canonical_lead
from ecg_core.readers._facts import plain
from ecg_core.readers.base import Limits

Path = tuple[str, ...]

FS_NAMES = (
    "fs", "fshz", "sfreq", "samplingrate", "samplingratehz", "samplingfrequency", "samplingfrequencyhz", "samplingfreq",
    "samplerate", "sampleratehz", "samplefrequency", "samplefreq", "freq", "frequency", "frequencyhz", "srate", "sr",
    "hz",
)  # fmt: skip
LEAD_NAMES = (
    "leads",
    "lead",
    "leadnames",
    "leadname",
    "leadorder",
    "channels",
    "channelnames",
    "chnames",
    "signame",
    "signames",
)
UNIT_NAMES = ("units", "unit")
GAIN_NAMES = ("gain", "gains", "adcgain")
SCALE_NAMES = ("scale", "scalefactor", "scaling")
STEP_NAMES = {"uvperlsb": "uV", "uvpercount": "uV", "mvperlsb": "mV", "mvpercount": "mV"}
BASELINE_NAMES = ("baseline", "adczero")
START_NAMES = ("start", "starttime", "startdate", "date", "datetime", "basedatetime", "recordedat", "recordingtime")
FACT_NAMES = frozenset(
    (*FS_NAMES, *LEAD_NAMES, *UNIT_NAMES, *GAIN_NAMES, *SCALE_NAMES, *STEP_NAMES, *BASELINE_NAMES, *START_NAMES,
     "addoffset", "derived", "subject", "id", "subjectid", "patientid", "age", "sex", "gender")
)  # fmt: skip
"""The facts that anything is made of; a container need not collect others."""
SIGNAL_KEYS = (
    "psignal", "signal", "signals", "ecg", "ecgs", "val", "data", "x", "ecgdata", "ecgsignal", "ecgsignals", "waveform",
    "waveforms", "tracing", "tracings", "raw", "value", "values",
)  # fmt: skip
"""What the array of an ECG is called, most telling first."""
_NEVER_WITHOUT = (*SIGNAL_KEYS, *LEAD_NAMES, *FS_NAMES, *UNIT_NAMES, *GAIN_NAMES, *SCALE_NAMES)
"""What cannot be passed over where it is unreadable: the recording would be read wrongly without it."""

LARGEST_FACT = 512
"""Elements of the largest array that is looked at as a fact."""
_EXEMPT = 16 * 1024**2
_SHORTEST_UNNAMED = 50
_NOT_SIGNALS = re.compile(
    r"(t|time|times|timestamps?|index|idx|samples?|labels?|y|target|annotations?|r?peaks?|beats?|mask)\d*"
)


@dataclass(frozen=True)
class Stored:
    """One numeric array of a container, not loaded yet."""

    path: Path
    shape: tuple[int, ...]
    kind: str
    """NumPy's kind of its dtype (``"i"``, ``"u"`` or ``"f"``)."""
    load: Callable[[], np.ndarray]
    """Return the array, of ``shape``."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Its own attributes, by `plain` name."""

    @property
    def name(self) -> str:
        """The path as people write it."""
        return "/".join(self.path)


@dataclass
class Container:
    """What a file of named arrays holds."""

    file: str
    arrays: list[Stored] = field(default_factory=list)
    facts: dict[Path, dict[str, Any]] = field(default_factory=dict)
    """Facts by group (``()`` is the file itself), each by `plain` name."""
    refused: dict[Path, str] = field(default_factory=dict)
    """What is never read (pickled objects, sparse matrices ...), and why."""
    links: list[str] = field(default_factory=list)
    """Names that stand for something elsewhere, never followed."""
    notes: list[str] = field(default_factory=list)

    def add(self, stored: Stored) -> None:
        """Enter a numeric array: as a fact where its name and size say so, else as what may be the signal."""
        if plain(stored.path[-1]) in FACT_NAMES and math.prod(stored.shape) <= LARGEST_FACT:
            self.add_fact(stored.path, stored.load())
        elif math.prod(stored.shape) > 0:
            self.arrays.append(stored)

    def add_fact(self, path: Path, value: Any) -> None:
        """Keep ``value`` under its name where it is one that something is made of; the first of a name stays."""
        if (name := plain(path[-1])) in FACT_NAMES:
            self.facts.setdefault(path[:-1], {}).setdefault(name, value)

    def find(self, stored: Stored, names: Sequence[str]) -> Any:
        """Return the first of ``names`` stated on the array, above it, or else in one other place without a signal."""
        scopes = [stored.facts, *(self.facts.get(stored.path[:n], {}) for n in range(len(stored.path), -1, -1))]
        for scope in scopes:
            for name in names:
                if name in scope:
                    return scope[name]
        elsewhere = [
            (path, facts[name])
            for path, facts in self.facts.items()
            for name in names
            if name in facts
            and not any(s.path[: len(path)] == path and math.prod(s.shape) >= _SHORTEST_UNNAMED for s in self.arrays)
        ]
        if len(elsewhere) != 1:
            return None
        path, value = elsewhere[0]
        self.notes.append(f"{names[0]}: taken from {'/'.join(path)}, which stands beside the signal")
        return value

    def listing(self) -> str:
        """Return what the file holds, for an error message."""
        held = [f"{s.name} ({' x '.join(map(str, s.shape)) or 'scalar'})" for s in self.arrays]
        held += [f"{'/'.join(path)} ({why})" for path, why in self.refused.items()]
        held += [f"{link} (a link, not followed)" for link in self.links]
        return ", ".join(held[:20]) + (", ..." if len(held) > 20 else "") or "no numeric array"


def allowance(packed: int, limits: Limits) -> int:
    """Return how many bytes ``packed`` bytes may unpack to: beyond 16 MiB, only so many times their own number."""
    return min(limits.max_total_bytes, int(max(_EXEMPT, limits.max_ratio * packed)))


def check_ratio(unpacked: int, packed: int, limits: Limits, file: str, what: str) -> None:
    """Refuse what unpacks to so much (bytes) that it can only be a bomb."""
    if unpacked > allowance(packed, limits):
        raise LimitExceeded(
            "unpacks to far more than its size",
            file=file,
            field=what,
            found=f"{unpacked} bytes from {packed}",
            expected=f"at most {allowance(packed, limits)}",
        )


def orient(shape: tuple[int, ...], n_names: int | None, *, file: str, name: str, notes: list[str]) -> int | None:
    """Return the axis of the leads (None for an array of one dimension), settled by the number of their names."""
    if len(shape) == 1:
        if n_names not in (None, 1):
            raise _mismatch(shape, n_names, file, name)
        return None
    if n_names is None:
        axis = 0 if shape[0] <= shape[1] else 1
        if 1 not in shape:
            notes.append(
                f"orientation: {name} is {shape[0]} x {shape[1]} without lead names; "
                + ("its rows" if shape[0] == shape[1] else f"the shorter axis ({shape[axis]})")
                + " taken as the leads"
            )
        return axis
    matching = [axis for axis, n in enumerate(shape) if n == n_names]
    if not matching:
        raise _mismatch(shape, n_names, file, name)
    if len(matching) == 2 and n_names > 1:
        notes.append(f"orientation: {name} is {shape[0]} x {shape[1]}; its rows taken as the leads")
    return matching[0]


def _mismatch(shape: tuple[int, ...], n_names: int | None, file: str, name: str) -> UnreadableFile:
    return UnreadableFile(
        "the lead names do not fit the array",
        file=file,
        field=name,
        found=f"{n_names} names, shape {' x '.join(map(str, shape))}",
        expected="an axis with one entry a name",
    )


def choose(box: Container) -> list[Stored]:
    """Return the array that is the ECG, or its leads where each has an array of its own."""
    for path, why in box.refused.items():
        if plain(path[-1]) in _NEVER_WITHOUT or canonical_lead(path[-1]) in STANDARD_12:
            raise UnreadableFile(why, file=box.file, field="/".join(path), expected="an array of plain numbers")
    numeric = [s for s in box.arrays if s.kind in "iuf" and math.prod(s.shape) >= 1]
    flat = [s for s in numeric if _extent(s) < 3]
    grids = [s for s in flat if _extent(s) == 2]
    if known := _best_key(box, grids):
        return [known]
    if named := _named_leads(box, flat):
        return named
    if known := _best_key(box, flat):
        return [known]
    if batch := _best_key(box, numeric):
        raise SeveralRecordings(
            "an array of three or more dimensions",
            file=box.file,
            field=batch.name,
            found=" x ".join(map(str, batch.shape)),
            expected="one recording: leads x samples",
        )
    if len(grids) == 1:
        return grids
    vectors = [
        s for s in flat if math.prod(s.shape) >= _SHORTEST_UNNAMED and not _NOT_SIGNALS.fullmatch(plain(s.path[-1]))
    ]
    if len(vectors) == 1:
        return vectors
    raise UnreadableFile(
        "several arrays could be the ECG" if len(vectors) > 1 else "no array looks like an ECG",
        file=box.file,
        found=box.listing(),
        expected="one called ecg, signal, val or data; or one a lead, called I, II, ... V6",
    )


def _extent(stored: Stored) -> int:
    return sum(n > 1 for n in stored.shape)


def is_named_lead(stored: Stored) -> bool:
    """Return whether an array is one lead, called by its name."""
    return canonical_lead(stored.path[-1]) in STANDARD_12 and _extent(stored) < 2


def _best_key(box: Container, arrays: Sequence[Stored]) -> Stored | None:
    """Return the array with the most telling name, the least deep of several; two alike are an error."""
    keyed = [s for s in arrays if plain(s.path[-1]) in SIGNAL_KEYS]
    ranked = sorted(keyed, key=lambda s: (SIGNAL_KEYS.index(plain(s.path[-1])), len(s.path)))
    for one, other in list(pairwise(ranked))[:1]:
        if plain(one.path[-1]) == plain(other.path[-1]) and len(one.path) == len(other.path):
            raise SeveralRecordings(
                "several arrays of the same name could be the ECG",
                file=box.file,
                found=box.listing(),
                expected="one",
            )
    return ranked[0] if ranked else None


def _named_leads(box: Container, arrays: Sequence[Stored]) -> list[Stored]:
    """Return the vectors that are called as leads are, of the one group that has them."""
    groups: dict[Path, list[Stored]] = {}
    for stored in arrays:
        if _extent(stored) < 2 and math.prod(stored.shape) > 1 and canonical_lead(stored.path[-1]) is not None:
            groups.setdefault(stored.path[:-1], []).append(stored)
    found = []
    for members in groups.values():
        names = {canonical_lead(s.path[-1]) for s in members}
        if names & set(STANDARD_12) or names >= {"X", "Y", "Z"}:
            found.append(members)
    if len(found) > 1:
        raise SeveralRecordings(
            "several groups hold leads",
            file=box.file,
            found=", ".join("/".join(members[0].path[:-1]) or "(top)" for members in found[:10]),
            expected="one",
        )
    return found[0] if found else []
