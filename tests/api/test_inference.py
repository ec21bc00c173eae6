"""Many requests at once: taken together where they wait, refused where too many do, and none harms another."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from api.errors import Refusal
from api.services import inference as module
from api.services.inference import Inference
from api.settings import Settings
from ecg_core.errors import InvalidValue
from tests.helpers import make_recording

RECORDING = make_recording(("II",))


class Held:
    """Stands for the analysis: notes what it is asked, and waits until it is let go."""

    def __init__(self) -> None:
        self.groups: list[tuple[int, tuple[str, ...] | None]] = []
        self.begun, self.let_go = Event(), Event()

    def __call__(self, group, *, models, operating_point):
        self.groups.append((len(group), models))
        self.begun.set()
        assert self.let_go.wait(10)
        return [InvalidValue("refused") if item.fs == 1 else f"{models} {operating_point}" for item in group]


@pytest.fixture
def held(monkeypatch) -> Held:
    held = Held()
    monkeypatch.setattr(module, "analyze_group", held)
    monkeypatch.setattr(module, "warm_up", lambda: None)
    return held


@pytest.fixture
def inference(held) -> Iterator[Inference]:
    with Inference(Settings(analysis_batch=3, max_analyses=4, max_analyses_per_user=2)) as inference:
        yield inference
        held.let_go.set()


def waiting(inference: Inference, n: int) -> None:
    """Wait until so many recordings are in the queue."""
    while inference._asks.qsize() < n:
        Event().wait(0.001)


def test_what_waits_is_taken_together_up_to_the_size_of_a_batch(inference, held):
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(inference.analyze, RECORDING, None, "max_f1")
        assert held.begun.wait(10)
        others = [pool.submit(inference.analyze, RECORDING, None, "max_f1") for _ in range(5)]
        waiting(inference, 5)
        held.let_go.set()
        assert [item.result(10) for item in (first, *others)] == ["None max_f1"] * 6
    assert held.groups == [(1, None), (3, None), (2, None)]


def test_only_those_that_ask_for_the_same_are_taken_together_and_each_gets_its_own(inference, held):
    asked = [("a",), ("b",), ("a",), None, ("b",), ("a",)]
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(inference.analyze, RECORDING, None, "max_f1")
        assert held.begun.wait(10)
        others = []
        for n, models in enumerate(asked, 1):
            others.append(pool.submit(inference.analyze, RECORDING, models, "se95"))
            waiting(inference, n)
        held.let_go.set()
        assert first.result(10) == "None max_f1"
        assert [item.result(10) for item in others] == [f"{models} se95" for models in asked]
    assert sorted(held.groups[1:], key=str) == [(1, None), (2, ("b",)), (3, ("a",))]


def test_an_error_reaches_the_one_that_it_is_about(inference, held):
    held.let_go.set()
    bad = make_recording(("II",), fs=1)
    with ThreadPoolExecutor(2) as pool:
        good, refused = pool.map(lambda item: outcome(inference, item), (RECORDING, bad))
    assert good == "None max_f1"
    assert isinstance(refused, InvalidValue)


def test_a_failure_of_the_whole_group_is_told_to_each_and_the_next_are_served(inference, held, monkeypatch):
    monkeypatch.setattr(module, "analyze_group", lambda *_, **__: 1 / 0)
    assert isinstance(outcome(inference, RECORDING), ZeroDivisionError)
    held.let_go.set()
    monkeypatch.setattr(module, "analyze_group", held)
    assert outcome(inference, RECORDING) == "None max_f1"


def test_one_account_cannot_take_every_place_and_all_together_not_more_than_there_are(inference):
    with inference.admitted("ada"), inference.admitted("ada"):
        with pytest.raises(Refusal) as refused, inference.admitted("ada"):
            pass
        assert (refused.value.status, refused.value.code) == (429, "too_many_requests")
        assert refused.value.headers == {"Retry-After": "2"}
        with inference.admitted("bob"), inference.admitted("bob"):
            with pytest.raises(Refusal) as refused, inference.admitted("eve"):
                pass
            assert (refused.value.status, refused.value.code) == (503, "busy")
    with inference.admitted("ada"):
        pass


def outcome(inference: Inference, recording) -> object:
    try:
        return inference.analyze(recording, None, "max_f1")
    except Exception as error:
        return error
