from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path

from benchmarks import beats

ROOT = Path(__file__).parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_unknown_benchmark_lists_those_there_are():
    result = run("writing")
    assert result.returncode == 2
    assert "no such benchmark: writing (choose from beats, engines, reading, waves)" in result.stderr


def test_all_of_them_are_named_in_the_help():
    result = run("--help")
    assert result.returncode == 0
    assert "beats, engines, reading, waves" in " ".join(result.stdout.split())


def test_beats_are_compared_on_synthetic_records_where_no_real_ones_are_here():
    records = list(islice(beats.synthetic(), 4))
    metrics = beats.examine(beats.ours("fast"), records, *beats.SYNTHETIC["synthetic"][1:], own=True)
    assert metrics["se_150ms"] > 0.95
    assert metrics["ppv_150ms"] > 0.95
