"""Many recordings, a group at a time: in order, in constant memory, over all cores, and none stops another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TypeVar

from ecg_core.errors import EcgError
from ecg_core.processes import in_processes
from ecg_core.recording import Recording

T = TypeVar("T")
R = TypeVar("R")


def in_groups(
    work: Callable[[list[T]], list[R]], items: Iterable[T], size: int, workers: int | None = None
) -> Iterator[R]:
    """Yield what ``work`` makes of each item, in order, taking them in groups.

    The first group is worked on in this process, so that a few items start no other.

    Parameters
    ----------
    work
        A list to a list as long; importable, as `ecg_core.processes.in_processes` asks.
    items
        Taken no further ahead than the processes need.
    size
        Of a group.
    workers
        Processes; as many as there are cores where None. With 1 all is done in this process.
    """
    groups = _groups(iter(items), size)
    return chain.from_iterable(_spread(work, groups, workers or _cores()))


def guarded(recording: Recording, step: Callable[[], T]) -> T | EcgError:
    """Return what a step gives, or the error that a recording meets in it: it must stop no other."""
    try:
        return step()
    except EcgError as error:
        return error
    except Exception as error:  # What nobody foresaw is told as such, with the recording's name.
        file = recording.source.name if recording.source else None
        found = f"{type(error).__name__}: {error}"
        return EcgError("the analysis failed in a way it should not", file=file, found=found)


def _groups(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while group := list(islice(items, size)):
        yield group


def _spread(work: Callable[[list[T]], list[R]], groups: Iterator[list[T]], workers: int) -> Iterator[list[R]]:
    yield from map(work, islice(groups, 1 if workers > 1 else None))
    if (second := next(groups, None)) is not None:
        yield from in_processes(work, chain([second], groups), workers)


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
