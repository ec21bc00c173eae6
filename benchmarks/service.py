"""The service under load: its start, its memory, many clients at once, and what its answers cost beside the library.

`ecg serve` is started as a user starts it, on a database of its own. 32 clients then post 12-lead
recordings of 10 s to `/predict` for two minutes, each of them new to the service, so that every one is
read, analysed and kept. The processor time of the service's processes is compared with that of `analyze_many` on the
same recordings, in processes of its own right afterwards.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import httpx
import numpy as np

from ecg_core.readers import READERS
from ecg_core.synthesis import synthesize

PORT = 8765
URL = f"http://127.0.0.1:{PORT}"
START_LIMIT_S = 60.0
CLIENTS = 32
SECONDS = 120.0
MADE = 64
"""Recordings that the posted ones are made of, by a change of one sample's last bit."""
BARE = """
import os, sys
from benchmarks.service import processor_s
from ecg_core.pipeline import analyze_many
from ecg_core.synthesis import synthesize
made = [synthesize(fs=500, seed=seed).recording for seed in range(64)] * 6
for number, _ in enumerate(analyze_many(made)):
    if number == 127:
        began = processor_s(os.getpid())
print((processor_s(os.getpid()) - began) / (len(made) - 128))
"""
"""The library alone, on all cores as the service is, once its processes are at work."""


@contextmanager
def running_service(**settings: str) -> Iterator[tuple[httpx.Client, int, float]]:
    """Start `ecg serve`; give a client that is signed in, the process's id, and the seconds until it was ready."""
    with TemporaryDirectory() as folder:
        env = os.environ | {"EINTHOVEN_STATE_DIR": folder} | settings
        command = [sys.executable, "-c", "from cli.main import main; main()", "serve", "--port", str(PORT)]
        start = time.perf_counter()
        service = subprocess.Popen([*command, "--log-level", "error"], env=env)
        try:
            with httpx.Client(base_url=URL, timeout=120, limits=httpx.Limits(max_connections=None)) as client:
                _await_ready(client, service, start + START_LIMIT_S)
                ready_s = time.perf_counter() - start
                account = {"name": "benchmark", "password": "a long enough password"}
                client.post("/register", json=account).raise_for_status()
                token = client.post("/login", json=account).raise_for_status().json()["access_token"]
                client.headers["Authorization"] = f"Bearer {token}"
                yield client, service.pid, ready_s
        finally:
            service.terminate()
            service.wait(30)


def _await_ready(client: httpx.Client, service: subprocess.Popen[bytes], until: float) -> None:
    while time.perf_counter() < until:
        if service.poll() is not None:
            raise RuntimeError(f"the service ended with exit status {service.returncode}")
        try:
            if client.get("/health/live").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise RuntimeError(f"the service is not ready after {START_LIMIT_S:g} s")


class Uploads:
    """WFDB uploads, each a little different from all before, made without work while the clock runs."""

    def __init__(self) -> None:
        write = READERS["wfdb"].write
        assert write is not None
        self._made = [write(synthesize(fs=500, seed=seed).recording, "case") for seed in range(MADE)]
        self._next = count()
        self._lock = Lock()

    def take(self) -> list[tuple[str, tuple[str, bytes]]]:
        """Return the next."""
        with self._lock:
            number = next(self._next)
        files = self._made[number % MADE]
        changed = {}
        for name, content in files.items():
            if name.endswith(".dat"):
                samples = np.frombuffer(content, "<i2").copy()
                samples[-1 - number // MADE] ^= 1
                content = samples.tobytes()
            elif name.endswith(".hea"):
                # Its checksums would tell of the changed bit.
                content = _without_checksums(content)
            changed[name] = content
        return [("files", item) for item in changed.items()]


def _without_checksums(header: bytes) -> bytes:
    lines = header.decode().splitlines()
    return "\n".join(" ".join([*line.split()[:5]]) if ".dat" in line else line for line in lines).encode() + b"\n"


def load(client: httpx.Client, uploads: Uploads, clients: int, seconds: float, pid: int) -> dict[str, Any]:
    """Post from so many clients for so long; return how it went."""
    for _ in range(8):
        client.post("/predict", files=uploads.take()).raise_for_status()
    until = time.perf_counter() + seconds
    before, began = processor_s(pid), time.perf_counter()

    def post() -> list[tuple[int, float]]:
        answers = []
        with httpx.Client(base_url=URL, timeout=120, headers=client.headers) as own:
            while (start := time.perf_counter()) < until:
                answer = own.post("/predict", files=uploads.take())
                answers.append((answer.status_code, time.perf_counter() - start))
        return answers

    with ThreadPoolExecutor(clients) as pool:
        answers = [row for rows in pool.map(lambda _: post(), range(clients)) for row in rows]
    took, used = time.perf_counter() - began, processor_s(pid) - before
    times = [spent for status, spent in answers if status == 200]
    return {
        "seconds": took,
        "answers": len(times),
        "errors": len(answers) - len(times),
        "per_second": len(times) / took,
        "median_s": statistics.median(times),
        "p95_s": float(np.quantile(times, 0.95)),
        "processor_ms": 1e3 * used / max(1, len(times)),
    }


def processor_s(pid: int) -> float:
    """Return the processor time of a process and those that it started, ended ones included."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid:
            total += sum(int(value) for value in fields[11:15]) / ticks
        elif int(fields[1]) == pid:
            total += sum(int(value) for value in fields[11:13]) / ticks
    return total


def _memory_mb(pid: int) -> dict[str, float]:
    """Return what a process holds (VmRSS) and has held at most (VmHWM), in MB."""
    rows = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {row[0].rstrip(":"): int(row[1]) * 1024 / 1e6 for row in rows if row[0] in ("VmRSS:", "VmHWM:")}


def main(seconds: float = SECONDS) -> dict[str, Any]:
    """Print the figures, and return them."""
    with running_service() as (client, pid, ready_s):
        idle = _memory_mb(pid)["VmRSS"]
        print(f"ready after {ready_s:.2f} s, {idle:.0f} MB")
        uploads = Uploads()
        alone = []
        for _ in range(20):
            start = time.perf_counter()
            client.post("/predict", files=uploads.take()).raise_for_status()
            alone.append(1e3 * (time.perf_counter() - start))
        after_ten = _memory_mb(pid)["VmRSS"]
        print(
            f"one client: {statistics.median(alone[5:]):.0f} ms an answer, the first {alone[0]:.0f}; {after_ten:.0f} MB"
        )
        loaded = load(client, uploads, CLIENTS, seconds, pid)
        most = _memory_mb(pid)["VmHWM"]
    bare = subprocess.run([sys.executable, "-c", BARE], capture_output=True, check=True, text=True)
    bare_ms = 1e3 * float(bare.stdout)
    print(
        f"{CLIENTS} clients, {loaded['seconds']:.0f} s: {loaded['answers']} answers, {loaded['errors']} errors, "
        f"{loaded['per_second']:.1f}/s, median {loaded['median_s']:.2f} s, p95 {loaded['p95_s']:.2f} s; "
        f"at most {most:.0f} MB"
    )
    print(
        f"processor time a recording: {loaded['processor_ms']:.0f} ms, bare analyze_many {bare_ms:.0f} ms: "
        f"{loaded['processor_ms'] / bare_ms:.2f} times"
    )
    return {
        "ready_s": ready_s,
        "idle_mb": idle,
        "alone_ms": statistics.median(alone[5:]),
        "most_mb": most,
        "load": loaded,
        "bare_ms": bare_ms,
        "ratio": loaded["processor_ms"] / bare_ms,
    }
