"""A comparison in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ecg_core.comparison.value import Change, Fate, Side, StatementChange
from ecg_core.findings.value import in_sentence

TITLES = {
    "hr_bpm": "heart rate",
    "rr_min_ms": "shortest RR",
    "rr_max_ms": "longest RR",
    "pr_ms": "PR",
    "p_ms": "P duration",
    "qrs_ms": "QRS",
    "qt_ms": "QT",
    "jt_ms": "JT",
    "qtc_bazett_ms": "QTc (Bazett)",
    "qtc_fridericia_ms": "QTc (Fridericia)",
    "qtc_framingham_ms": "QTc (Framingham)",
    "qtc_hodges_ms": "QTc (Hodges)",
    "p_axis_deg": "P axis",
    "qrs_axis_deg": "QRS axis",
    "t_axis_deg": "T axis",
    "sokolow_lyon_mv": "Sokolow-Lyon voltage",
    "cornell_mv": "Cornell voltage",
    "r_transition": "R transition",
}
_UNITS = {"bpm": ("/min", 0), "ms": (" ms", 0), "deg": ("°", 0), "mv": (" mV", 2), "transition": ("", 1)}
_BY_CHANCE = 0.05
"""Share of figures beyond their limit where nothing changed; that is what the limit is."""
_LEADING = "qtc_fridericia_ms"
_SAME = ("jt_ms", "qtc_bazett_ms", "qtc_framingham_ms", "qtc_hodges_ms")
"""What is not told again in the sentence where it changed with the leading one."""
MEANING = "Beyond the noise means that the tracing changed, and neither why nor whether it matters. Unconfirmed."


def summarise(measured: Mapping[str, Change], statements: Sequence[StatementChange], before: Side, after: Side) -> str:
    """Return which measurements and statements changed, and what could not be told."""
    parts = (*_measurements(measured), *_statements(statements), *_quality(before, after), MEANING)
    return " ".join(parts)


def in_words(name: str, number: float, *, signed: bool = False) -> str:
    """Return a figure with its unit: ``62 ms``, signed ``+62 ms``."""
    unit, digits = _UNITS[name.rpartition("_")[2]]
    rounded = round(number, digits) + 0.0
    return f"{rounded:{'+' if signed and rounded else ''}.{digits}f}{unit}"


def _measurements(measured: Mapping[str, Change]) -> Iterator[str]:
    judged = {name: item for name, item in measured.items() if item.verdict != "cannot be told"}
    if not judged:
        yield "No measurement can be compared."
        return
    changed = {name: item for name, item in judged.items() if item.verdict == "changed"}
    if not changed:
        yield f"None of the {len(judged)} measurements that can be compared changed beyond its noise."
        return
    told = ", ".join(
        f"{TITLES[name]} {in_words(name, item.difference, signed=True)} (noise {in_words(name, item.noise.limit)})"
        for name, item in changed.items()
        if item.difference is not None and item.noise is not None and not (name in _SAME and _LEADING in changed)
    )
    yield (
        f"{len(changed)} of the {len(judged)} measurements that can be compared changed beyond their noise, where about"
        f" {_BY_CHANCE * len(judged):.1f} would by chance: {told}."
    )


def _statements(statements: Sequence[StatementChange]) -> Iterator[str]:
    fates: tuple[Fate, ...] = ("appeared", "disappeared")
    for fate in fates:
        found = [item for item in statements if item.fate == fate]
        if found:
            yield f"{fate.capitalize()}: {'; '.join(_told(item) for item in found)}."
    if not any(item.fate in fates for item in statements):
        yield "No statement appeared or disappeared."
    if open_ := [item for item in statements if item.fate == "cannot be told"]:
        yield f"Cannot be told: {'; '.join(in_sentence(item.text) for item in open_)}."


def _told(item: StatementChange) -> str:
    critical = "critical: " if item.kind == "urgent" else ""
    return f"{critical}{in_sentence(item.text)}" + (" (within noise)" if item.beyond_noise is False else "")


def _quality(before: Side, after: Side) -> Iterator[str]:
    poor = [name for name, side in (("first", before), ("second", after)) if side.quality == "poor"]
    if poor:
        yield f"The signal of the {' and the '.join(poor)} is poor."
