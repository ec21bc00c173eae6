"""The queue that tells workers of jobs, in this process or in Redis. It may lose messages: the rows are the truth."""

from __future__ import annotations

import logging

import redis
from dramatiq import Broker, Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from redis.backoff import NoBackoff
from redis.retry import Retry

from api.settings import Settings

logger = logging.getLogger(__name__)

QUEUE = "jobs"
ACTOR = "work"
_NAMESPACE = "einthoven"
_ANSWER_S = 3.0
"""Seconds that Redis may take: whoever sends a batch waits no longer for a queue that is not there."""


class JobQueue:
    """Carries the ids of jobs that wait.

    Parameters
    ----------
    settings
        With the address of Redis, unless the jobs are worked in this process.
    """

    def __init__(self, settings: Settings) -> None:
        self.is_embedded = settings.redis_url is None
        self.broker: Broker
        self._redis: redis.Redis | None = None
        # No middleware: nothing is retried, timed out or aged by the queue, all of which the rows decide.
        if settings.redis_url is None:
            self.broker = StubBroker(middleware=[])
        else:
            self._redis = redis.Redis.from_url(
                settings.redis_url.get_secret_value(),
                socket_connect_timeout=_ANSWER_S,
                socket_timeout=_ANSWER_S,
                retry=Retry(NoBackoff(), 1),
            )
            self.broker = RedisBroker(  # type: ignore[no-untyped-call]
                client=self._redis, namespace=_NAMESPACE, middleware=[]
            )
        self.broker.declare_queue(QUEUE)

    def put(self, job_id: str) -> None:
        """Tell a worker that there is a job. Where the queue does not answer, the workers' next look finds it."""
        try:
            self.broker.enqueue(Message(queue_name=QUEUE, actor_name=ACTOR, args=(job_id,), kwargs={}, options={}))
        except redis.RedisError as error:
            logger.warning("the queue of jobs does not answer; job %s waits until it is found: %s", job_id, error)

    def length(self) -> int:
        """Return how many messages nobody has taken yet.

        Raises
        ------
        redis.RedisError
            It does not answer.
        """
        if self._redis is None:
            waiting: int = self.broker.queues[QUEUE].qsize()
            return waiting
        return int(self._redis.llen(f"{_NAMESPACE}:{QUEUE}"))

    def close(self) -> None:
        """Let go of the connections."""
        self.broker.close()
        if self._redis is not None:
            self._redis.close()
