"""What Prometheus can ask of this process."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

REQUESTS = Counter("einthoven_requests", "Requests answered.", ("method", "route", "status"), registry=REGISTRY)
LATENCY = Histogram(
    "einthoven_request_seconds",
    "Seconds from a request's head to the end of its answer.",
    ("method", "route"),
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
