from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks import analyze, beats, engines
from ecg_core.predictors import chain
from ecg_core.synthesis import synthesize

ROOT = Path(__file__).parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_unknown_benchmark_lists_those_there_are():
    result = run("writing")
    assert result.returncode == 2
    assert "no such benchmark: writing (choose from analyze, beats, engines, reading, service, waves)" in result.stderr


def test_all_of_them_are_named_in_the_help():
    result = run("--help")
    assert result.returncode == 0
    assert "analyze, beats, engines, reading, service, waves" in " ".join(result.stdout.split())


def test_beats_are_compared_on_synthetic_records_where_no_real_ones_are_here():
    records = list(islice(beats.synthetic(), 4))
    metrics = beats.examine(beats.ours("fast"), records, *beats.SYNTHETIC["synthetic"][1:], own=True)
    assert metrics["se_150ms"] > 0.95
    assert metrics["ppv_150ms"] > 0.95


def test_steps_of_an_analysis_are_timed_and_left_as_they_were():
    before = chain.detect_beats
    spent: dict[str, list[float]] = {}
    with analyze.timed_steps(spent):
        analyze.analyze(synthesize(fs=250, seed=1).recording)
    assert {"assess_quality", "detect_beats", "delineate_waves", "measure", "conclude"} <= set(spent)
    assert min(min(values) for values in spent.values()) > 0
    assert chain.detect_beats is before


def test_engines_are_compared_by_the_auc_of_every_label_with_enough_of_both_kinds():
    rng = np.random.default_rng(0)
    truth = (rng.random((200, 3)) < (0.5, 0.3, 0.01)).astype(float)
    truth[:20, 1] = np.nan
    answers = np.nan_to_num(truth) + rng.normal(size=truth.shape)
    same = engines.worst_auc(answers, answers, truth)
    assert same == {"auc_most": 0.0, "auc_mean": 0.0, "labels": 2}
    shuffled = answers.copy()
    shuffled[:, 1] = rng.permutation(answers[:, 1])
    assert engines.worst_auc(shuffled, answers, truth)["auc_most"] > 0.05
