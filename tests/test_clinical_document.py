"""docs/clinical.md speaks of everything that an analysis says, and quotes figures as they were measured."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from ecg_core.beat_classes.value import CLASSES
from ecg_core.comparison import VERDICTS, shipped_noise
from ecg_core.comparison.differences import LEAD_VALUES
from ecg_core.explain import METHODS
from ecg_core.findings import KINDS, Level
from ecg_core.findings.signs import TOLERANCE
from ecg_core.hrv import measure_hrv
from ecg_core.measurements import VALUES
from ecg_core.predictors import OPERATING_POINTS
from ecg_core.predictors.value import Likely
from ecg_core.quality.rules import RULES
from ecg_core.rhythm.value import TITLES
from ecg_core.risk.af_risk import ECG2AF
from ecg_core.risk.charge_af import BASIS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "clinical.md").read_text()
NOISE = shipped_noise()
_INTERVAL = r"(\S+) \((\S+) to (\S+)\)"
FIGURE = re.compile(rf"^\| [^|]+ \| {_INTERVAL} \| `(\w+)` \| `([\w.]+): ([^`]+)` \|$", re.MULTILINE)
LEVEL = re.compile(
    rf"^\| `(\w+)` \| (\S+) \| {_INTERVAL} \| (\d+) \| (halves|minutes) \| (?:{_INTERVAL})? ?\|$", re.MULTILINE
)
_SHARE = r"(\S+) % \((\S+) to (\S+)\)"
CHECK = re.compile(rf"^\| `(\w+)` \| (\d+) \| {_SHARE} \| {_SHARE} \| {_SHARE} \|$", re.MULTILINE)


def urgent_codes() -> set[str]:
    """Return the codes of the rules, from where they are stated."""
    sources = [(ROOT / "ecg_core" / name).read_text() for name in ("urgent.py", "urgent_rhythm.py")]
    return {code for source in sources for code in re.findall(r'UrgentFinding\(\s*"(\w+)"', source)}


def hrv_figures() -> set[str]:
    times_s = np.arange(400) * 0.8 + np.random.default_rng(0).normal(0, 0.02, 400)
    return set(measure_hrv(times_s, np.zeros(400, np.int64)).figures)


SPOKEN_OF = {
    "measurement": {*VALUES, *LEAD_VALUES},
    "variability": hrv_figures(),
    "kind of finding": set(KINDS),
    "level": set(get_args(Level)),
    "urgent": urgent_codes(),
    "class of beat": set(CLASSES),
    "rhythm": set(TITLES),
    "operating point": set(OPERATING_POINTS),
    "conformal set": set(get_args(Likely)),
    "verdict": set(VERDICTS),
    "explanation": set(METHODS),
    "basis of a risk": {ECG2AF, BASIS},
}


@pytest.mark.parametrize("what", SPOKEN_OF)
def test_everything_that_is_said_is_explained(what):
    assert len(SPOKEN_OF[what]) > 1
    assert {name for name in SPOKEN_OF[what] if f"`{name}`" not in TEXT} == set()


def test_every_reason_of_a_lead_is_named():
    assert {rule.name for rule in RULES if rule.name not in TEXT} == set()


def test_slack_of_borderline_findings_is_as_in_the_code():
    ms, qt, bpm, deg = (f"{TOLERANCE[name]:g}" for name in ("ms", "qt", "bpm", "deg"))
    assert f"within {ms} ms of the limit (QT {qt} ms, rates {bpm}/min, axes {deg} degrees)" in TEXT


def test_every_quoted_figure_is_the_one_that_was_measured():
    found = FIGURE.findall(TEXT)
    assert len(found) == TEXT.split("## How good")[1].count("\n|") - 2
    for *quoted, model, file, path in found:
        (measured,) = (json.loads(folder.read_text()) for folder in ROOT.glob(f"models/{model}/*/{file}"))
        assert quoted == as_quoted(looked_up(measured, path), quoted[0]), path


def test_every_quoted_noise_is_the_one_that_ships():
    found = {row[0]: row[1:] for row in LEVEL.findall(TEXT)}
    assert tuple(found) == VALUES
    for name, (sd, *limit, n, source, a, b, c) in found.items():
        level = NOISE.measurements[name]
        ends = {"value": level.limit, "low": level.limit_low, "high": level.limit_high}
        assert [sd] == as_quoted({"value": level.sd}, sd), name
        assert limit == as_quoted(ends, limit[0]), name
        assert (int(n), source) == (level.n, level.source), name
        few = NOISE.few_leads.get(name)
        assert bool(a) == (few is not None), name
        if few is not None:
            ends = {"value": few.limit, "low": few.limit_low, "high": few.limit_high}
            assert [a, b, c] == as_quoted(ends, a), name


def test_every_quoted_check_of_the_noise_is_the_one_that_ships():
    found = {row[0]: row[1:] for row in CHECK.findall(TEXT)}
    assert found.keys() == NOISE.checks.keys()
    for data, (pairs, *shares) in found.items():
        checked = NOISE.checks[data]
        assert int(pairs) == checked["pairs"]
        for name, at in (("beyond", 0), ("any_beyond", 3), ("beyond_leads", 6)):
            percent = {end: 100 * checked[name][end] for end in ("value", "low", "high")}
            assert shares[at : at + 3] == as_quoted(percent, shares[at]), (data, name)


def looked_up(measured: Any, path: str) -> dict[str, float]:
    for part in path.split("/"):
        measured = measured[part]
    return measured


def as_quoted(figure: dict[str, float], like: str) -> list[str]:
    """Return a figure and the ends of its interval with as many digits as a quotation has."""
    digits = len(like.partition(".")[2])
    return [f"{figure[end]:.{digits}f}" for end in ("value", "low", "high") if end in figure]
