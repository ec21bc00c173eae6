"""What a reader is: its description, the options it obeys, the limits it keeps.

A format is one module of this package. It imports the libraries it needs inside its functions (so that looking at one
format does not pay for the others), never touches a path that came from a file, and ends with one call::

    READERS.register("edf", Reader("edf", "EDF, EDF+, BDF", (".edf", ".bdf"), sniff=sniff, read=read, write=write))

`_assemble.assemble` does for every format what is the same in all: lead names, other channels, units, rates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from ecg_core.errors import LimitExceeded
from ecg_core.recording import Recording
from ecg_core.registry import Registry

Files = Mapping[str, bytes]
"""File names (labels only, never opened) to contents."""


@dataclass(frozen=True)
class Limits:
    """How much a read may take. Every figure is a setting."""

    max_total_bytes: int = 512 * 1024**2
    """Of all files together, after unpacking."""
    max_entries: int = 20_000
    """Files in an archive, over all its levels."""
    max_depth: int = 3
    """Archives within archives."""
    max_ratio: float = 200.0
    """Unpacked size over packed size of an archive; small archives (under 1 MiB unpacked) are exempt."""
    max_values: int = 300_000_000
    """Samples x leads of one recording, after all channels are brought to one rate."""
    max_channels: int = 512


@dataclass(frozen=True)
class ReadOptions:
    """What the caller knows beyond the file."""

    fs: float | None = None
    """Samples per second, where the file does not say; contradicting the file is an error."""
    units: str | None = None
    """``mV``, ``uV``, ``V`` or ``nV``, or a number: millivolts of one stored step; where the file does not say."""
    leads: tuple[str, ...] | None = None
    """Names of the channels, in file order, replacing the file's own."""
    format: str | None = None
    """Name of the reader to use instead of recognising the content."""
    limits: Limits = Limits()


class Sniff(IntEnum):
    """How sure a reader is of a content."""

    NO = 0
    MAYBE = 1
    SURE = 2


def _alone(name: str, files: Files) -> tuple[str, ...]:  # noqa: ARG001
    return ()


@dataclass(frozen=True)
class Reader:
    """One format."""

    name: str
    title: str
    """For people: ``"WFDB (PhysioNet)"``."""
    suffixes: tuple[str, ...]
    """Lower case, with the dot; they only break ties between readers that are equally sure."""
    sniff: Callable[[bytes], Sniff]
    """Judge the content of a recording's main file; cheap, and never raises."""
    read: Callable[[str, Files, ReadOptions], Recording]
    """Read the recording whose main file is named; ``files`` holds it and its companions."""
    write: Callable[[Recording, str], dict[str, bytes]] | None = None
    """Write under a stem: ``write(recording, "a")`` gives ``{"a.hea": ..., "a.dat": ...}``, main file first."""
    companions: Callable[[str, Files], tuple[str, ...]] = _alone
    """Names, among ``files``, of the other files that belong to the recording whose main file is named."""
    wanted: Callable[[str, bytes], tuple[str, ...]] = field(default=lambda name, data: ())  # noqa: ARG005
    """Names that a file asks for beside it, to collect from its folder; a trailing ``*`` stands for any ending."""


READERS: Registry[Reader] = Registry("format")


def check_size(n_channels: int, n_samples: float, limits: Limits, file: str) -> None:
    """Refuse, before anything is allocated, what would exceed the limits."""
    if n_channels > limits.max_channels:
        raise LimitExceeded("too many channels", file=file, found=n_channels, expected=f"at most {limits.max_channels}")
    if n_channels * n_samples > limits.max_values:
        raise LimitExceeded(
            "the recording is too large",
            file=file,
            found=f"{n_channels} channels x {n_samples:.0f} samples",
            expected=f"at most {limits.max_values} values",
        )
