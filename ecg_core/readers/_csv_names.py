"""What the words above a table of numbers mean: names of leads and of time, units, and facts stated in text."""

from __future__ import annotations

import re

from ecg_core.leads import canonical_lead, is_generic_name
from ecg_core.readers._container import FACT_NAMES, FS_NAMES
from ecg_core.readers._facts import plain
from ecg_core.readers._units import unit_to_mv

SECONDS = {
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "sekunden": 1.0,
    "ms": 1e-3, "msec": 1e-3, "msecs": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3, "millis": 1e-3,
    "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "usec": 1e-6, "microsecond": 1e-6, "microseconds": 1e-6,
    "ns": 1e-9, "nanosecond": 1e-9, "nanoseconds": 1e-9, "min": 60.0, "minute": 60.0, "minutes": 60.0,
}  # fmt: skip
"""Seconds of one unit of time."""
_TIMES = {
    "time", "times", "t", "timestamp", "timestamps", "elapsed", "elapsedtime", "datetime", "clock", "timeofday",
    "relativetime", "absolutetime", "zeit", "zeitstempel", "temps", "tiempo", "tempo", "tijd",
}  # fmt: skip
_INDICES = {
    "sample", "samples", "samplenumber", "sampleno", "sampleindex", "sampleidx", "sampleid", "index", "idx", "frame",
    "frames", "row", "rownumber", "unnamed0", "nr", "no", "number", "n",
}  # fmt: skip
_BRACKETS = re.compile(r"^(?P<name>.*?)\s*[(\[{](?P<unit>[^()\[\]{}]+)[)\]}]\s*$")
_SUFFIX = re.compile(r"^(?P<name>.*?)[\s_\-./]+(?P<unit>[a-zµμ]+)$", re.I)
_PAIR = re.compile(r"^\s*(?P<key>[A-Za-z][\w \-#().\[\]]{0,80}?)\s*[:=,;\t]\s*(?P<value>.+)")
_RATE_IN_PROSE = re.compile(r"sampl[^\d\n]{0,40}?(\d+(?:\.\d+)?)\s*(k?)hz\b", re.I)
_INTERVAL = re.compile(r"sampl\w{0,20}[\s_-]{0,3}(?:interval|period)\W{0,4}(\d+(?:\.\d+)?)\s*(s|ms|us|µs|μs)\b", re.I)


def time_unit(name: str) -> tuple[str, float | None] | None:
    """Return ("time" or "index", seconds of its unit if stated) for a time or index column's header, else None."""
    if canonical_lead(name) is not None:
        return None
    core, unit = _name_and_unit(name, SECONDS)
    if unit is not None and (plain(core) in _TIMES or not core):
        return "time", SECONDS[unit.lower()]
    key = plain(name)
    if key in SECONDS and key != "min":
        return "time", SECONDS[key]
    if key in _TIMES or plain(core) in _TIMES:
        return "time", None
    return ("index", None) if key in _INDICES or name.strip().lower() == "sample #" else None


def lead_and_unit(name: str) -> tuple[str, str | None]:
    """Return the lead's name and the unit in a header such as ``I (mV)``, ``II [uV]``, ``ECG_mV`` or ``V1/µV``."""
    name = name.strip()
    match = _BRACKETS.match(name)
    if match and (unit_to_mv(match["unit"]) is not None or not is_generic_name(match["name"])):
        return (match["name"], match["unit"]) if unit_to_mv(match["unit"]) is not None else (name, None)
    match = _SUFFIX.match(name)
    if match and match["unit"].lower() not in ("v", "volt") and unit_to_mv(match["unit"]) is not None:
        return match["name"], match["unit"]
    if name.lower() in ("mv", "uv", "µv", "μv"):
        return "", name
    return (name[:-2], "V") if name.lower().endswith("/v") else (name, None)


def _name_and_unit(name: str, units: dict[str, float]) -> tuple[str, str | None]:
    match = _BRACKETS.match(name) or _SUFFIX.match(name.strip())
    if match and match["unit"].strip().lower() in units:
        return match["name"], match["unit"].strip()
    return (match["name"], None) if match and _BRACKETS.match(name) else (name, None)


def metadata(head: list[str]) -> dict[str, str]:
    """Return what the lines above the table state, by `plain` name."""
    facts: dict[str, str] = {}
    for line in head:
        pairs = [_PAIR.match(line)]
        if line.count("=") > 1 and "{" not in line:
            pairs = [_PAIR.match(part) for part in re.split(r"[,;]\s*", line)]
        for match in pairs:
            if match is not None:
                key = plain(re.sub(r"\(.*\)|\[.*\]", "", match["key"]))
                facts.setdefault(key, match["value"].strip(" \"'"))
    return facts


def is_metadata(line: str) -> bool:
    """Return whether a line states a fact by name, such as ``Sample Rate,500 Hz``."""
    match = _PAIR.match(line)
    return match is not None and (plain(match["key"]) in FACT_NAMES or ":" in line or "=" in line)


def stated_rate(head: list[str], facts: dict[str, str]) -> float | None:
    """Return the rate that the lines above the table state."""
    for key in FS_NAMES:
        if key in facts:
            match = re.match(r"\s*(\d+(?:\.\d+)?(?:e\d+)?)\s*(k?)(?:hz|hertz|sps|samples\b.*)?\W*$", facts[key], re.I)
            if match:
                return float(match[1]) * (1000 if match[2] else 1)
    text = "\n".join(head)
    if match := _RATE_IN_PROSE.search(text):
        return float(match[1]) * (1000 if match[2] else 1)
    if (match := _INTERVAL.search(text)) and float(match[1]) > 0:
        return 1 / (float(match[1]) * SECONDS[match[2].lower()])
    return None
