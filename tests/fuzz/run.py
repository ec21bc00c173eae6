"""Read spoilt and hostile files in an isolated pool, and count what becomes of them.

::

    python -m tests.fuzz.run --format all --count 5000 --seed 0 --json counts.json
    python -m tests.fuzz.run --format csv --seed 0 --only m:123 --save /tmp/case

Every format with a writer is mutated ``count`` times, and read in all its hostile constructions; so are archives. Each
must give an `EcgError` or a valid recording that holds nothing from outside its files. Told apart, and listed with the
case that reproduces it, are a worker that crashes (in a C library, which is what workers are for) and what makes the
run fail: a read that runs out of time, an exception that no reader should raise (``escaped``), an answer that the
parent refuses (``broken``), anything but an `EcgError` in the parent (``parent``), and content of a file that nobody
handed over (``leak``).
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random

import numpy as np

from ecg_core.errors import EcgError, ReaderFailed
from ecg_core.isolation import IsolationSettings, ReadPool
from ecg_core.isolation.pool import BROKEN_ANSWER, CRASHED, TIMED_OUT, UNEXPECTED
from ecg_core.readers import READERS, ReadOptions
from ecg_core.recording import Recording
from tests.fuzz.canary import Canary
from tests.fuzz.hostile import constructions
from tests.fuzz.mutate import Files, archives, bases, mutated

ARCHIVE = "archive"
KINDS = {CRASHED: "crash", TIMED_OUT: "timeout", UNEXPECTED: "escaped", BROKEN_ANSWER: "broken"}
MOST_LISTED = 30
SLOW_S = 3.0
"""Listed, though allowed."""
VIOLATIONS = ("timeout", "escaped", "broken", "parent", "leak")

Make = Callable[[], tuple[str, Files, ReadOptions]]


@dataclass
class Finding:
    """One case that went wrong."""

    kind: str
    case: str
    what: str
    detail: str


@dataclass
class Tally:
    """What became of one format's cases."""

    name: str
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    slowest_s: float = 0.0
    slowest: str = ""
    peak_bytes: int = 0

    @property
    def n(self) -> int:
        return self.outcomes.total()

    def to_dict(self) -> dict[str, object]:
        return {
            "format": self.name,
            "n": self.n,
            "outcomes": dict(self.outcomes.most_common()),
            "slowest_s": round(self.slowest_s, 3),
            "slowest": self.slowest,
            "peak_bytes": self.peak_bytes,
            "findings": [vars(finding) for finding in self.findings],
        }


def formats() -> list[str]:
    """Return the formats that can be mutated, and archives."""
    return [*sorted(name for name, reader in READERS.items() if reader.write is not None), ARCHIVE]


class Cases:
    """The cases of one format, each of which its name makes again."""

    def __init__(self, name: str, seed: int, canary: Canary) -> None:
        self.name = name
        self.seed = seed
        self.canary = canary
        written = {other: bases(reader) for other, reader in READERS.items() if reader.write is not None}
        if name == ARCHIVE:
            self.own = archives([files for own in written.values() for files in own[3:]])
        else:
            self.own = written.pop(name)
        self.foreign = [files for own in written.values() for files in own]

    def hostile(self) -> Iterator[tuple[str, Make]]:
        """Yield every hostile construction, each read as it is and, where it is of a format, as that format."""
        for what, files in constructions(self.name, self.own, self.canary):
            yield f"h:{what}", partial(_made, what, files, ReadOptions())
            if self.name != ARCHIVE:
                forced = ReadOptions(format=self.name, fs=500.0 if self.name in ("npz", "mat", "csv") else None)
                yield f"h:{what} (forced)", partial(_made, what, files, forced)

    def mutations(self, indices: Iterable[int]) -> Iterator[tuple[str, Make]]:
        """Yield mutated files by index."""
        for index in indices:
            yield f"m:{index}", partial(self.mutation, index)

    def mutation(self, index: int) -> tuple[str, Files, ReadOptions]:
        """Return what was done, the files and the options of one mutation."""
        rng = Random(f"{self.seed}:{self.name}:{index}")  # noqa: S311 - repeatable, not secret
        what, files = mutated(rng, self.own, self.foreign)
        options = ReadOptions(
            # Without a forced format most spoilt magic numbers would never reach the reader.
            format=self.name if self.name != ARCHIVE and rng.random() < 0.3 else None,
            fs=rng.choice((500.0, 360.0)) if rng.random() < 0.1 else None,
            units=rng.choice(("mV", "uV", "0.005")) if rng.random() < 0.05 else None,
        )
        return what, files, options

    def named(self, case: str) -> Iterator[tuple[str, Make]]:
        """Yield the one case of that name."""
        if case.startswith("m:"):
            yield from self.mutations([int(case[2:])])
        else:
            yield from (found for found in self.hostile() if found[0] == case)


def _made(what: str, files: Files | Callable[[], Files], options: ReadOptions) -> tuple[str, Files, ReadOptions]:
    return what, files() if callable(files) else files, options


def judge(pool: ReadPool, files: Files, options: ReadOptions, canary: Canary, *, many: bool) -> tuple[str, str]:
    """Return the kind of outcome, and details of what went wrong."""
    try:
        if many:
            results = list(pool.read_many(files, options))
            found = [result.recording for result in results if result.recording is not None]
            failed = [result.error for result in results if result.error is not None]
        else:
            found, failed = [pool.read(files, options)], []
    except EcgError as error:
        found, failed = [], [error]
    except Exception as error:
        # The very thing that is looked for: nothing but an EcgError may come out of a pool.
        return "parent", f"{type(error).__name__}: {error}"
    for error in failed:
        if isinstance(error, ReaderFailed):
            return KINDS.get(error.problem, "failed"), str(error)[:500]
    if any(canary.is_in(recording) for recording in found) or canary.trace.exists():
        return "leak", "holds what lies outside" if found else "ran code"
    if wrong := next((why for recording in found if (why := _wrong(recording))), None):
        return "parent", wrong
    return ("recording", "") if found else (failed[0].code if failed else "nothing", "")


def _wrong(recording: Recording) -> str | None:
    """Return what is invalid in a recording."""
    signal = recording.signal
    if signal.dtype != np.float32 or signal.ndim != 2 or not signal.size or signal.shape[0] != len(recording.leads):
        return f"signal {signal.dtype} {signal.shape}, {len(recording.leads)} leads"
    if np.isinf(signal).any() or np.isnan(signal).all() or not 0 < recording.fs < float("inf"):
        return f"values at {recording.fs} Hz"
    if not recording.source or not any(note.startswith("units:") for note in recording.warnings):
        return f"no source or unit: {recording.warnings}"
    json.dumps(recording.summary(), default=str)
    return None


def run(cases: Cases, which: Iterable[tuple[str, Make]], pool: ReadPool) -> Tally:
    """Read cases with as many threads as there are workers."""
    tally = Tally(cases.name)
    source = iter(which)
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                case, make = next(source, (None, None))
            if case is None or make is None:
                return
            what, files, options = make()
            started = time.perf_counter()
            kind, detail = judge(pool, files, options, cases.canary, many=case.endswith("7"))
            took = time.perf_counter() - started
            with lock:
                tally.outcomes[kind] += 1
                if took > tally.slowest_s:
                    tally.slowest_s, tally.slowest = took, case
                if kind in (*VIOLATIONS, "crash", "failed", "nothing"):
                    tally.findings.append(Finding(kind, case, what, detail))
                elif took > SLOW_S:
                    tally.findings.append(Finding("slow", case, what, f"{took:.1f} s, then {kind}"))

    with ThreadPoolExecutor(pool.settings.workers) as threads:
        for done in [threads.submit(work) for _ in range(pool.settings.workers)]:
            done.result()
    tally.peak_bytes = pool.peak_bytes
    return tally


def table(tallies: list[Tally]) -> str:
    """Return the counts as a table."""
    known = {"recording", "crash", *VIOLATIONS}
    kinds = ["recording", *sorted({kind for tally in tallies for kind in tally.outcomes} - known), "crash", *VIOLATIONS]
    head = ["format", "n", *kinds, "slowest s", "peak MiB"]
    rows = [
        [
            tally.name, str(tally.n), *(str(tally.outcomes[kind]) for kind in kinds),
            f"{tally.slowest_s:.2f}", f"{tally.peak_bytes / 2**20:.0f}",
        ]
        for tally in tallies
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *rows]
    )


def save(cases: Cases, case: str, folder: Path) -> None:
    """Write the files of one case under safe names."""
    folder.mkdir(parents=True, exist_ok=True)
    for _, make in cases.named(case):
        what, files, options = make()
        sys.stdout.write(f"{what}\noptions: {options}\n")
        for index, (name, data) in enumerate(files.items()):
            label = "".join(ch if ch.isalnum() or ch in "._-" else "_" for ch in name)[-60:]
            (folder / f"{index}-{label}").write_bytes(data)
            sys.stdout.write(f"{name[:80]!r}: {len(data)} bytes in {folder / f'{index}-{label}'}\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the harness and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", default="all", help=f"all, or some of {','.join(formats())}, with commas")
    parser.add_argument("--count", type=int, default=5000, help="mutated files a format")
    parser.add_argument("--first", type=int, default=0, help="index of the first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-hostile", action="store_true", help="leave out the hostile constructions")
    parser.add_argument("--only", help="one case, as a run has listed it")
    parser.add_argument("--save", type=Path, help="with --only: write its files into this folder")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--time-limit", type=float, default=20.0, help="seconds a file")
    parser.add_argument("--memory-limit", type=float, default=4.0, help="GiB of address space a worker")
    parser.add_argument("--json", type=Path, help="write the counts and findings into this file")
    chosen = parser.parse_args(arguments)
    settings = IsolationSettings(
        workers=chosen.workers, time_limit_s=chosen.time_limit, memory_limit_bytes=int(chosen.memory_limit * 2**30)
    )
    tallies = []
    with tempfile.TemporaryDirectory() as folder:
        canary = Canary(Path(folder))
        for name in formats() if chosen.format == "all" else chosen.format.split(","):
            cases = Cases(name, chosen.seed, canary)
            if chosen.only and chosen.save:
                save(cases, chosen.only, chosen.save)
            which: list[Iterable[tuple[str, Make]]] = [cases.named(chosen.only)] if chosen.only else []
            if not chosen.only:
                which = [() if chosen.no_hostile else cases.hostile()]
                which.append(cases.mutations(range(chosen.first, chosen.first + chosen.count)))
            started = time.perf_counter()
            with ReadPool(settings) as pool:
                tally = run(cases, chain.from_iterable(which), pool)
            tallies.append(tally)
            sys.stderr.write(f"{name}: {tally.n} files in {time.perf_counter() - started:.0f} s\n")
    sys.stdout.write(table(tallies) + "\n")
    for tally in tallies:
        for finding in tally.findings[:MOST_LISTED]:
            where = f"--format {tally.name} --seed {chosen.seed} --only {finding.case!r}"
            sys.stdout.write(f"\n{finding.kind}: {where}\n  {finding.what}\n  {finding.detail}\n")
        if (more := len(tally.findings) - MOST_LISTED) > 0:
            sys.stdout.write(f"\n{tally.name}: {more} more (--json has them all)\n")
    parent = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    sys.stdout.write(f"\npeak of the parent: {parent:.0f} MiB (which makes the files, too)\n")
    if chosen.json:
        report = {
            "seed": chosen.seed,
            "parent_peak_mib": round(parent),
            "formats": [tally.to_dict() for tally in tallies],
        }
        chosen.json.write_text(json.dumps(report, indent=1))
    return int(any(finding.kind in VIOLATIONS for tally in tallies for finding in tally.findings))


if __name__ == "__main__":
    sys.exit(main())
