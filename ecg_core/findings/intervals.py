"""Findings from the table of measurements: what lies outside its usual range, and whether the network agrees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ecg_core.findings.signs import TOLERANCE
from ecg_core.findings.stated import STATEMENT_HEAD, reading, stated
from ecg_core.findings.statements import STATEMENTS
from ecg_core.findings.value import Finding, Kind, in_sentence
from ecg_core.measurements.values import Measurement

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis

_Rule = tuple[str, Kind, tuple[str, ...]]
_RULES: dict[tuple[str, str], _Rule] = {
    ("hr_bpm", "high"): ("Fast heart rate: {}", "rhythm", ()),
    ("hr_bpm", "low"): ("Slow heart rate: {}", "rhythm", ()),
    ("pr_ms", "high"): ("PR interval prolonged: {}", "measurement", ("1AVB",)),
    ("pr_ms", "low"): ("PR interval short: {}", "measurement", ("WPW",)),
    ("p_ms", "high"): ("P wave prolonged: {}", "measurement", ("LAO/LAE",)),
    ("qrs_ms", "high"): ("QRS complex wide: {}", "measurement", ("CLBBB", "CRBBB", "IVCD")),
    ("qtc_fridericia_ms", "high"): ("QTc long: {} (Fridericia)", "measurement", ("LNGQT",)),
    ("qtc_fridericia_ms", "low"): ("QTc short: {} (Fridericia)", "measurement", ()),
    ("qrs_axis_deg", "high"): ("Right axis deviation: {}", "measurement", ("LPFB",)),
    ("qrs_axis_deg", "low"): ("Left axis deviation: {}", "measurement", ("LAFB",)),
    ("sokolow_lyon_mv", "high"): ("Voltage criterion for left ventricular hypertrophy: Sokolow-Lyon {}", "hypertrophy",
                                  ("LVH",)),
    ("cornell_mv", "high"): ("Voltage criterion for left ventricular hypertrophy: Cornell {}", "hypertrophy",
                             ("LVH",)),
}  # fmt: skip
"""By measurement and flag: text, kind, and the statements that say the same."""
_MEASURED = ("hr_bpm", "pr_ms", "p_ms", "qrs_ms", "qtc_fridericia_ms", "qrs_axis_deg")
_QT = ("LNGQT",)
_UNDER_PACING = ("hr_bpm",)
"""Width, axis and PR of paced beats are the pacemaker's."""


def find(analysis: Analysis, told: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what the network calls about intervals and voltages, then what was measured and is ``told`` nowhere."""
    found = list(stated(analysis, "measurement", _QT if analysis.pacing.paced else ()))
    yield from found
    yield from exceeded(analysis, _UNDER_PACING if analysis.pacing.paced else _MEASURED, [*told, *found])


def exceeded(analysis: Analysis, names: Iterable[str], told: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the measurements ``names`` that lie outside their ranges and bear out no finding that was ``told``."""
    borne_out = {name for finding in told for name in finding.values}
    critical = {name for finding in analysis.urgent for name in finding.values}
    for name in names:
        item = analysis.measurements[name]
        rule = _RULES.get((name, item.flag or ""))
        if rule is None or item.value is None or item.range is None or name in borne_out | critical:
            continue
        text, kind, codes = rule
        near = _is_near(name, item)
        text = text.format(_with_unit(name, item.value))
        yield Finding(
            f"{name}_{item.flag}",
            f"{text}, borderline" if near else text,
            kind,
            evidence=(f"usual: {_usual(name, item)}",),
            against=tuple(_doubts(analysis, codes)),
            values={name: item.value},
            borderline=near,
            rule=item.range.source,
        )


def _doubts(analysis: Analysis, codes: tuple[str, ...]) -> Iterator[str]:
    """Yield what the network gives the most probable of the statements that say the same, if it calls none of them."""
    prediction = reading(analysis)
    answers = {code: prediction.labels(STATEMENT_HEAD).get(code) for code in codes} if prediction else {}
    known = {code: found for code, found in answers.items() if found is not None and found.positive is False}
    if len(known) < len(codes) or not known:
        return
    code = max(known, key=lambda code: known[code].probability or 0.0)
    title = in_sentence(STATEMENTS[code].title)
    yield f"the 12-lead network does not call {title} ({known[code].probability or 0.0:.2f})"


def _is_near(name: str, item: Measurement) -> bool:
    """Return whether a value misses its range by no more than two measurements of one ECG differ."""
    slack = TOLERANCE.get("qt" if name.startswith("qt") else name.rpartition("_")[2])
    if slack is None or item.range is None or item.value is None:
        return False
    limit = item.range.high if item.flag == "high" else item.range.low
    return limit is not None and abs(item.value - limit) <= slack


def _with_unit(name: str, value: float) -> str:
    unit = name.rpartition("_")[2]
    if unit == "mv":
        return f"{value:.1f} mV"
    return f"{value:.0f}" + {"bpm": "/min", "ms": " ms", "deg": "°"}[unit]


def _usual(name: str, item: Measurement) -> str:
    low, high = (
        (None if end is None else _with_unit(name, end) for end in (item.range.low, item.range.high))
        if item.range
        else (None, None)
    )
    if low and high:
        return f"{low} to {high}"
    included = item.range is not None and item.range.high_included
    return f"{'up to' if included else 'under'} {high}" if high else f"from {low}"
