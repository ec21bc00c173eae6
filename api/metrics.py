"""What Prometheus can ask of this process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePath

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from ecg_core import __version__
from ecg_core.engine import observe_runs

REGISTRY = CollectorRegistry()
for collector in (ProcessCollector, PlatformCollector, GCCollector):
    collector(registry=REGISTRY)

REQUESTS = Counter("einthoven_requests", "Requests answered.", ("method", "route", "status"), registry=REGISTRY)
LATENCY = Histogram(
    "einthoven_request_seconds",
    "Seconds from a request's head to the end of its answer.",
    ("method", "route"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
WAITING = Gauge("einthoven_analyses_waiting", "Recordings whose analysis is waited for.", registry=REGISTRY)
BATCH_SIZE = Histogram(
    "einthoven_analysis_batch_size",
    "Recordings that were analysed together.",
    buckets=(1, 2, 4, 8, 16, 32),
    registry=REGISTRY,
)
ANALYSIS_SECONDS = Histogram("einthoven_analysis_seconds", "Seconds that one such batch took.", registry=REGISTRY)
MODEL_SECONDS = Histogram(
    "einthoven_model_seconds",
    "Seconds of one run of a model's network or trees, on all recordings that it was given together.",
    ("model", "version", "graph"),
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=REGISTRY,
)
JOBS = Gauge(
    "einthoven_jobs", "Jobs in the database, of all accounts, when this was asked.", ("status",), registry=REGISTRY
)
JOB_ITEMS = Counter(
    "einthoven_job_items", "Recordings of batches that this process is done with.", ("outcome",), registry=REGISTRY
)
JOB_ITEM_SECONDS = Histogram(
    "einthoven_job_item_seconds",
    "Seconds of one of them, reading, analysing and keeping it.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
    registry=REGISTRY,
)
Gauge("einthoven_build", "Always 1.", ("version",), registry=REGISTRY).labels(__version__).set(1)


@lru_cache(4096)
def _children(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status), LATENCY.labels(method, route)


def note_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request."""
    requests, latency = _children(method, route, status)
    requests.inc()
    latency.observe(seconds)


@lru_cache(1024)
def _model(origin: str) -> Histogram:
    """Return the figure of a graph, by where it came from: ``.../<model>/<version>/<file>``."""
    model, version, graph = ("", "", *PurePath(origin).parts)[-3:]
    return MODEL_SECONDS.labels(model, version, graph)


def _note_run(origin: str, seconds: float) -> None:
    _model(origin).observe(seconds)


observe_runs(_note_run)
