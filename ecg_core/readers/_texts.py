"""Texts, sex and age as files spell them."""

from __future__ import annotations

import re
from typing import Any

from ecg_core.recording import Sex


def clean_text(value: Any, limit: int = 200) -> str | None:
    """Return a stripped, printable string of at most ``limit`` characters, or None where nothing is left."""
    if value is None:
        return None
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())
    return text[:limit] or None


def parse_sex(value: Any) -> Sex | None:
    """Return ``"female"`` or ``"male"`` from the spellings that files use, else None; bare numbers are not guessed."""
    text = (clean_text(value) or "").lower()
    if text in {"f", "female", "w", "woman", "weiblich", "femme", "mujer"}:
        return "female"
    return "male" if text in {"m", "male", "man", "männlich", "homme", "hombre"} else None


def parse_age(value: Any) -> float | None:
    """Return years from a number or a text such as ``"63"``, ``"063Y"``, ``"18M"``, else None. Out of 0-130 is None."""
    text = (clean_text(value) or "").upper().replace(",", ".")
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(Y|YR|YRS|YEARS?|M|MO|MONTHS?|W|WEEKS?|D|DAYS?)?", text)
    if match is None:
        return None
    per_year = {"M": 12.0, "W": 52.1775, "D": 365.25}.get((match.group(2) or "Y")[0], 1.0)
    age = float(match.group(1)) / per_year
    return age if 0 <= age <= 130 else None
