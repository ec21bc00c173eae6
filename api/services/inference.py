"""Analyses for many requests at once: off the event loop, in batches, and no more than can be done in time."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from types import TracebackType
from typing import Self

from api import metrics
from api.services.places import Places
from api.services.warm_up import warm_up
from api.settings import Settings
from ecg_core.errors import EcgError
from ecg_core.pipeline import Analysis, analyze_group
from ecg_core.predictors import OperatingPoint
from ecg_core.recording import Recording


@dataclass(frozen=True)
class _Ask:
    """One recording that somebody waits for."""

    recording: Recording
    models: tuple[str, ...] | None
    point: OperatingPoint
    answer: Future[Analysis] = field(default_factory=Future)

    @property
    def kind(self) -> tuple[tuple[str, ...] | None, OperatingPoint]:
        """What it must share with others to be taken together with them."""
        return self.models, self.point


class Inference:
    """Analyses recordings on a thread of its own; those that wait when it is free are taken together.

    No request waits for others to come: under light load each is taken alone and at once, under heavy load the
    networks run on many at a time.
    """

    def __init__(self, settings: Settings) -> None:
        self._batch = settings.analysis_batch
        self._places = Places("analyses", settings.max_analyses, settings.max_analyses_per_user)
        self._asks: queue.SimpleQueue[_Ask | None] = queue.SimpleQueue()
        self._put_back: list[_Ask] = []
        self._thread = Thread(target=self._work, name="inference", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asks.put(None)
        self._thread.join()

    @contextmanager
    def admitted(self, user_id: str) -> Iterator[None]:
        """Take a place for one analysis, before anything is read for it.

        Raises
        ------
        Refusal
            503 `busy`: all places are taken; 429 `too_many_requests`: this account has taken its share.
        """
        with self._places.take(user_id):
            yield

    def analyze(self, recording: Recording, models: Sequence[str] | None, point: OperatingPoint) -> Analysis:
        """Do as `ecg_core.analyze`. Blocks: call it off the event loop."""
        ask = _Ask(recording, None if models is None else tuple(models), point)
        self._asks.put(ask)
        metrics.WAITING.inc()
        try:
            return ask.answer.result()
        finally:
            metrics.WAITING.dec()

    def _work(self) -> None:
        while (group := self._next_group()) is not None:
            warm_up()
            began = time.perf_counter()
            try:
                answers = analyze_group(
                    [ask.recording for ask in group], models=group[0].models, operating_point=group[0].point
                )
            except Exception as error:  # Whoever waits is told, and the next are served.
                answers = [error] * len(group)  # type: ignore[list-item]
            metrics.BATCH_SIZE.observe(len(group))
            metrics.ANALYSIS_SECONDS.observe(time.perf_counter() - began)
            for ask, answer in zip(group, answers, strict=True):
                if isinstance(answer, EcgError | Exception):
                    ask.answer.set_exception(answer)
                else:
                    ask.answer.set_result(answer)

    def _next_group(self) -> list[_Ask] | None:
        """Return what waits and can be taken together; None at the end."""
        first = self._put_back.pop(0) if self._put_back else self._asks.get()
        if first is None:
            return None
        group = [first]
        kept: list[_Ask] = []
        waiting, self._put_back = self._put_back, []
        for ask in waiting:
            (group if ask.kind == first.kind and len(group) < self._batch else kept).append(ask)
        while len(group) < self._batch:
            try:
                ask_or_end = self._asks.get_nowait()
            except queue.Empty:
                break
            if ask_or_end is None:
                self._asks.put(None)
                break
            (group if ask_or_end.kind == first.kind else kept).append(ask_or_end)
        self._put_back = kept
        return group
