"""A kill at any moment loses nothing and repeats at most one recording: real processes, really killed.

``python -m tests.jobs.kill`` does the same at length.
"""

from __future__ import annotations

import os

import pytest

from tests.jobs.kill import REDIS, Outcome, kill_during_batch

ITEMS = int(os.environ.get("EINTHOVEN_KILL_ITEMS", "40"))
KILLS = int(os.environ.get("EINTHOVEN_KILLS", "2"))


def check(outcome: Outcome) -> None:
    assert outcome.kills.total() >= 1
    assert outcome.statuses == {"done": ITEMS}
    assert (outcome.twice, outcome.missing) == ([], [])
    assert (outcome.recordings, outcome.analyses, outcome.left) == (ITEMS, ITEMS, 0)
    assert outcome.repeated <= outcome.kills.total()


def test_every_recording_of_a_batch_ends_once_however_often_the_service_is_killed():
    check(kill_during_batch(ITEMS, KILLS))


@pytest.mark.skipif(REDIS is None, reason="redis-server is not installed")
def test_every_recording_of_a_batch_ends_once_however_often_api_worker_and_queue_are_killed():
    check(kill_during_batch(ITEMS, KILLS, database="postgresql", redis=True))
