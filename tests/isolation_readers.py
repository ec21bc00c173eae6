"""A reader that does to its process whatever its file says; `tests.isolation_preload` registers it, in workers only."""

from __future__ import annotations

import ctypes
import os
import stat
import sys
import time
from datetime import datetime, timedelta, timezone

import numpy as np

from ecg_core.readers import Reader, Sniff
from ecg_core.recording import Annotations, Recording, Source, Step, Subject

MAGIC = b"OBEY "


def complete_recording(name: str) -> Recording:
    """Return a recording with something in every field."""
    signal = np.random.default_rng(0).normal(size=(3, 700)).astype(np.float32)
    signal[1, 10:20] = np.nan
    return Recording(
        signal=signal,
        fs=257.5,
        leads=("I", "II", "III"),
        subject=Subject("Żółć \ud800 42", 63.5, "female", {"height_cm": 171, "notes": ["a", None, {"b": 0.1}]}),
        start=datetime(2021, 3, 4, 5, 6, 7, 89, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        source=Source("obedient", name, "ab" * 32),
        history=(Step("resample", {"fs": 257.5, "leads": {"I": 100.0}}), Step("nothing")),
        warnings=("units: mV, stated by the file", "größer"),
        derived=("III",),
        annotations={
            "atr": Annotations(np.array([0.1, 0.25, 1 / 3]), ("N", "V", "+"), ("", "", "(AFIB")),
            "none": Annotations(np.array([]), ()),
        },
    )


def plain_recording(**facts: object) -> Recording:
    return Recording(np.sin(np.arange(1000))[None] / 2, 500.0, ("II",), Subject(facts=facts))


def connection() -> int:
    """Return the descriptor of the connection to the parent, as a compromised parser could find it."""
    return next(fd for fd in range(3, 100) if _is_socket(fd))


def _is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


class Unforeseen(Exception):
    """No library is known to raise this."""


def obey(name: str, files, options) -> Recording:
    order, _, rest = files[name].removeprefix(MAGIC).partition(b" ")
    match order.decode():
        case "complete":
            return complete_recording(name)
        case "abort":
            os.abort()
        case "segfault":
            ctypes.string_at(0)
        case "exit":
            os._exit(3)
        case "loop":
            while True:
                pass
        case "sleep":
            time.sleep(float(rest))
        case "allocate":
            return plain_recording(sum=float(np.ones(20 * 1024**3, np.uint8).sum()))
        case "grow":
            parts = []
            while True:
                parts.append(bytes(1 << 20))
        case "unforeseen":
            raise Unforeseen("what a\nsurprise")
        case "print":
            os.write(1, b"\0" * 5000)
            os.write(2, b"\0" * 5000)
            ctypes.CDLL(None).puts(b"from C")
            ctypes.CDLL(None).fflush(None)
            sys.stdout.write("from Python")
            sys.stdout.flush()
        case "environment":
            return plain_recording(**os.environ)
        case "pid":
            return plain_recording(pid=os.getpid(), parent=os.getppid())
        case "forge":
            os.write(connection(), rest)
            time.sleep(60)
        case "long-name":
            return Recording(np.ones((1, 10)), 500.0, ("x" * 100_000,))
        case "large":
            return Recording(np.ones((int(rest), 1000)), 500.0, tuple(f"c{i}" for i in range(int(rest))))
        case "wordy":
            return plain_recording(text="x" * (20 << 20))
    return plain_recording()


def sniff(data: bytes) -> Sniff:
    return Sniff.SURE if data.startswith(MAGIC) else Sniff.NO


OBEDIENT = Reader("obedient", "obedient", (".obey",), sniff=sniff, read=obey)
