"""Reading in processes of their own: a crash, an endless loop or a memory bomb in a parser costs one request.

`read_isolated` and `read_many_isolated` do what `ecg_core.read` and `ecg_core.read_many` do, in a pool of recycled
worker processes with limits on time and memory. A service holds a `ReadPool` of its own and starts it beforehand::

    with ReadPool(IsolationSettings(workers=4, time_limit_s=20)) as pool:
        recording = pool.read({"a.hea": header, "a.dat": samples})

A worker is a fresh interpreter (never a fork of a threaded parent) that inherits one end of a socket, the parent's
import path and none of its environment beyond the locale. It answers in JSON and raw numbers, which are checked like
any other input (`ecg_core.isolation.wire`). The parent keeps the time over both sending and receiving, and kills.
A file that takes over a worker without crashing it could still falsify what that worker reads until it is replaced:
``recycle_after=1`` gives every request a process of its own, at the cost of its start.

This needs a POSIX system. On Windows files are read in the calling process, without these limits.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from ecg_core.isolation.pool import ReadPool
from ecg_core.isolation.process import IsolationSettings
from ecg_core.readers import Files, ReadOptions
from ecg_core.reading import ReadResult
from ecg_core.recording import Recording

__all__ = ["IsolationSettings", "ReadPool", "read_isolated", "read_many_isolated", "shared_pool"]

_pools: dict[tuple[int, IsolationSettings], ReadPool] = {}
_pools_lock = threading.Lock()


def shared_pool(settings: IsolationSettings | None = None) -> ReadPool:
    """Return this process's pool with ``settings``, made when first asked for and closed at exit."""
    key = os.getpid(), settings or IsolationSettings()
    with _pools_lock:
        if key not in _pools:
            _pools[key] = ReadPool(key[1])
            atexit.register(_pools[key].close)
        return _pools[key]


def read_isolated(
    source: Files | str | Path, options: ReadOptions | None = None, settings: IsolationSettings | None = None
) -> Recording:
    """Do what `ecg_core.read` does, in a worker process of the shared pool."""
    return shared_pool(settings).read(source, options)


def read_many_isolated(
    source: Files | str | Path, options: ReadOptions | None = None, settings: IsolationSettings | None = None
) -> Iterator[ReadResult]:
    """Do what `ecg_core.read_many` does, in a worker process of the shared pool."""
    return shared_pool(settings).read_many(source, options)
