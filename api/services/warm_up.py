"""An analysis that nobody asked for, so that the first one asked for finds every model loaded."""

from __future__ import annotations

import gc
import logging
from functools import cache
from threading import Lock

from ecg_core.pipeline import analyze
from ecg_core.synthesis import synthesize

logger = logging.getLogger(__name__)
_lock = Lock()
_NEW_OBJECTS = 20_000
"""After so many, the collector looks for cycles: an analysis as it is answered is about as many."""


def warm_up() -> None:
    """Load every installed model and run it, once a process; whoever comes meanwhile waits, and loads none twice."""
    with _lock:
        _warm_up()


def is_warm() -> bool | None:
    """Return whether the models could be loaded and run; None while nobody knows yet."""
    return _warm_up() if _warm_up.cache_info().currsize else None


@cache
def _warm_up() -> bool:
    try:
        analyze(synthesize(seed=0).recording)
    except Exception:  # The service answers all the same, and the first request will say what is wrong.
        logger.exception("the models could not be warmed up")
        return False
    # What is loaded by now stays: the collector need not walk through all of it while requests are answered.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    return True
