"""What stands beside a signal in files without a schema: rate, names, start, subject, as text or as small arrays."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ecg_core.readers._texts import clean_text, parse_age, parse_sex
from ecg_core.recording import Recording, Subject

_UNIX_TIMES = (1e8, 4.2e9)
"""1973 to 2103: a bare number outside is not taken as a date."""
_LONGEST_TEXT = 65_536


def plain(name: str) -> str:
    """Return a name without case and punctuation: ``"Sampling_Rate"`` and ``"samplingRate"`` are the same."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def as_number(value: Any) -> float | None:
    """Return the one number of a scalar, an array of equal values or a text such as ``"500 Hz"``, else None."""
    numbers = as_numbers(value)
    if numbers is None or not numbers.size or (numbers != numbers[0]).any():
        return None
    return float(numbers[0])


def as_numbers(value: Any) -> np.ndarray | None:
    """Return the numbers (float64, shape (n,)) of a scalar, an array or a text, else None."""
    if value is None:
        return None
    texts = as_texts(value)
    if texts is not None:
        found = [re.fullmatch(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(?:hz|sps)?", text, re.I) for text in texts]
        return np.array([float(m.group(1)) for m in found if m]) if found and all(found) else None
    array = np.asarray(value)
    return array.astype(np.float64).reshape(-1) if array.dtype.kind in "iuf" else None


def as_texts(value: Any) -> list[str] | None:
    """Return the names in a text (separated by commas, or else spaces) or an array of texts; None of anything else."""
    if isinstance(value, bytes | str):
        text = clean_text(value, _LONGEST_TEXT) or ""
        separator = next((mark for mark in ",;|" if mark in text), None)
        parts = [part.strip(" '\"[](){}") for part in (text.split(separator) if separator else _words(text))]
        return [part for part in parts if part] or None
    array = np.asarray(value)
    if array.dtype.kind not in "USO" or not array.size:
        return None
    if array.size == 1:
        return as_texts(array.reshape(-1)[0]) if array.reshape(-1)[0] is not value else None
    names = []
    for item in array.reshape(-1):
        inner = item if isinstance(item, bytes | str) else np.asarray(item)
        if isinstance(inner, np.ndarray):
            if inner.dtype.kind not in "US" or inner.size > 1:
                return None
            inner = str(inner.reshape(-1)[0]) if inner.size else ""
        names.append(clean_text(inner) or "")
    return names


def _words(text: str) -> list[str]:
    """Split at spaces where that gives several lead names, not "Lead II" in two."""
    words = text.split()
    return words if len(words) > 2 or not re.match(r"(lead|ch|channel|ecg|\d)", text, re.I) else [text]


def as_text(value: Any, limit: int = 200) -> str | None:
    """Return a single text, whole, of a scalar or an array of one; None of anything else."""
    if isinstance(value, bytes | str):
        return clean_text(value, limit)
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "USO":
        return None
    item = array.reshape(-1)[0]
    return as_text(item, limit) if item is not value else None


def parse_start(value: Any) -> tuple[datetime | None, str | None]:
    """Return the time in an ISO 8601 text or a unix time (seconds), and the assumption made, if any."""
    text = as_text(value)
    if text is not None:
        try:
            return datetime.fromisoformat(text), None
        except ValueError:
            pass
    seconds = as_number(value)
    if seconds is not None and _UNIX_TIMES[0] <= seconds <= _UNIX_TIMES[1]:
        return datetime.fromtimestamp(seconds, UTC), f"start: {seconds:.0f} taken as unix time (UTC)"
    return None, None


def subject_of(find: Callable[..., Any]) -> Subject:
    """Return the subject from our own JSON text, or from separate facts; ``find(*names)`` returns one fact or None."""
    text = as_text(find("subject"), _LONGEST_TEXT)
    if text is not None and text.startswith("{"):
        return subject_from_json(text)
    number = as_number(find("age"))
    identity = find("id", "subjectid", "patientid", "subject")
    identity_number = as_number(identity)
    return Subject(
        id=as_text(identity) or (None if identity_number is None else f"{identity_number:.15g}"),
        age=parse_age(as_text(find("age"))) if number is None else _age(number),
        sex=parse_sex(as_text(find("sex", "gender"))),
    )


def subject_from_json(text: str) -> Subject:
    """Return the subject that `describe` wrote; what does not fit is left out."""
    try:
        values = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return Subject()
    if not isinstance(values, dict):
        return Subject()
    age, facts = values.get("age"), values.get("facts")
    return Subject(
        id=clean_text(values.get("id")),
        age=_age(age) if isinstance(age, int | float) else parse_age(age),
        sex=parse_sex(values.get("sex")),
        facts=facts if isinstance(facts, dict) else {},
    )


def _age(years: float) -> float | None:
    return float(years) if math.isfinite(years) and 0 <= years <= 130 else None


def describe(recording: Recording) -> dict[str, str]:
    """Return start, subject and derived leads as texts that `parse_start`, `subject_of` and `as_texts` understand."""
    texts = {}
    if recording.start is not None:
        texts["start"] = recording.start.isoformat()
    if recording.subject != Subject():
        texts["subject"] = json.dumps(recording.subject.to_dict(), ensure_ascii=False)
    if recording.derived:
        texts["derived"] = ",".join(recording.derived)
    return texts
