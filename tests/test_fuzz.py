"""A fast part of what `python -m tests.fuzz.run` does at length, and the proof that the harness would notice."""

from __future__ import annotations

import json
import re
import sys
from itertools import chain

import pytest

from ecg_core.isolation import IsolationSettings, ReadPool
from ecg_core.readers import ReadOptions
from tests.fuzz.canary import Canary
from tests.fuzz.run import ARCHIVE, VIOLATIONS, Cases, formats, judge, main, run
from tests.isolation_readers import MAGIC

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="reading processes need a POSIX system")

COUNT = 60
LEADS_OUT = re.compile(
    r"outside|external|passwd|itself|themselves|object|pickle|link|entry called|entity|code|laughs|virtual|http|inclu",
    re.I,
)


@pytest.fixture(scope="module")
def canary(tmp_path_factory):
    return Canary(tmp_path_factory.mktemp("canary"))


@pytest.fixture(scope="module")
def pool():
    settings = IsolationSettings(workers=2, time_limit_s=30, preload=("tests.isolation_preload",))
    with ReadPool(settings) as shared:
        yield shared


@pytest.mark.parametrize("name", formats())
def test_spoilt_and_hostile_files_give_an_error_or_a_valid_recording(pool, canary, name):
    cases = Cases(name, seed=1, canary=canary)
    hostile = [case for case in cases.hostile() if LEADS_OUT.search(case[0]) and "bomb" not in case[0]]
    tally = run(cases, chain(hostile, cases.mutations(range(COUNT))), pool)
    assert [finding for finding in tally.findings if finding.kind in VIOLATIONS] == []
    assert tally.n == len(hostile) + COUNT
    assert tally.outcomes["recording"] > 0, "some mutations are harmless; none read means that nothing was tested"
    assert tally.outcomes["unreadable_file"] > 0


def test_mutations_follow_from_the_seed(canary):
    first, again, other = (Cases("csv", seed, canary) for seed in (3, 3, 4))
    assert [first.mutation(index) for index in range(20)] == [again.mutation(index) for index in range(20)]
    assert [first.mutation(index) for index in range(20)] != [other.mutation(index) for index in range(20)]


def test_every_format_with_a_writer_is_mutated_and_so_are_archives():
    assert {"wfdb", "csv", ARCHIVE} < set(formats())


@pytest.mark.parametrize("suffix", [("csv",), ("hea", "dat"), ("h5",)])
def test_content_from_outside_would_be_noticed(pool, canary, suffix):
    files = {f"secret.{end}": (canary.folder / f"secret.{end}").read_bytes() for end in suffix}
    options = ReadOptions(fs=500.0, units="mV") if suffix == ("csv",) else ReadOptions()
    assert judge(pool, files, options, canary, many=False)[0] == "leak"


def test_code_that_ran_would_be_noticed(pool, tmp_path):
    canary = Canary(tmp_path)
    canary.trace.mkdir()
    assert judge(pool, {"a.bin": b"\x01"}, ReadOptions(), canary, many=False)[0] == "leak"


@pytest.mark.parametrize(
    ("order", "kind"),
    [(b"abort", "crash"), (b"unforeseen", "escaped"), (b"forge x" + bytes(99), "broken"), (b"grow", "limit_exceeded")],
)
def test_what_a_reader_may_not_do_is_told_apart(pool, canary, order, kind):
    for many in (False, True):
        assert judge(pool, {"a.obey": MAGIC + order}, ReadOptions(), canary, many=many)[0] == kind


def test_read_without_an_end_is_told_apart(canary):
    settings = IsolationSettings(workers=1, time_limit_s=0.3, preload=("tests.isolation_preload",))
    with ReadPool(settings) as impatient:
        assert judge(impatient, {"a.obey": MAGIC + b"loop"}, ReadOptions(), canary, many=False)[0] == "timeout"


def test_case_can_be_run_again_alone_and_its_files_kept(tmp_path, capsys):
    arguments = ["--format", "csv", "--seed", "5", "--only", "m:3", "--save", str(tmp_path / "case"), "--workers", "1"]
    assert main([*arguments, "--json", str(tmp_path / "counts.json")]) == 0
    (tally,) = json.loads((tmp_path / "counts.json").read_text())["formats"]
    assert (tally["format"], tally["n"], tally["findings"]) == ("csv", 1, [])
    assert [path for path in (tmp_path / "case").iterdir() if path.is_file()]
    assert "csv" in capsys.readouterr().out
