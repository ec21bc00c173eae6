"""What may be said about a person beside age and sex: one vocabulary for files, the command line and the API.

A fact is unknown unless it is stated; none has a default.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from ecg_core.errors import InvalidValue

_NUMBER = re.compile(r"\s*([-+]?(?:\d+(?:\.\d*)?|\.\d+))\s*([a-z]*)\s*", re.I)
_YES, _NO = ("yes", "true", "y", "1"), ("no", "false", "n", "0")
_UNKNOWN = ("", "unknown", "none", "null")


@dataclass(frozen=True)
class Fact:
    """A thing that may be known about a person."""

    name: str
    title: str
    """In words, to ask for it."""
    kind: Literal["number", "yes_no", "choice"]
    unit: str | None = None
    least: float = -math.inf
    most: float = math.inf
    """Limits beyond which a number is a slip, not a person."""
    units: Mapping[str, float] = field(default_factory=dict)
    """Units that a number may be followed by, and how much of `unit` one of each is."""
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", MappingProxyType(dict(self.units)))

    def parse(self, value: Any) -> float | bool | str | None:
        """Return a stated value in the fact's unit and type, None where it says that it is unknown.

        Raises
        ------
        InvalidValue
            It is of another kind, outside the plausible limits, or no option.
        """
        if value is None or (isinstance(value, str) and value.strip().lower() in _UNKNOWN):
            return None
        if self.kind == "number":
            return self._number(value)
        text = str(value).strip().lower()
        if self.kind == "choice":
            if text not in self.options:
                raise InvalidValue("no such value", field=self.name, found=value, options=self.options)
            return text
        if text not in (*_YES, *_NO):
            raise InvalidValue("neither yes nor no", field=self.name, found=value, options=("yes", "no"))
        return text in _YES

    def _number(self, value: Any) -> float:
        match = None if isinstance(value, bool) else _NUMBER.fullmatch(str(value))
        unit = match.group(2) if match else ""
        factor = next((f for name, f in self.units.items() if name.lower() == unit.lower()), None) if unit else 1.0
        expected = f"{self.least:g} to {self.most:g} {self.unit}"
        if match is None or factor is None:
            raise InvalidValue(
                "not a number in a known unit", field=self.name, found=value, expected=expected, options=self.units
            )
        number = float(match.group(1)) * factor
        if not self.least <= number <= self.most:
            raise InvalidValue("not a plausible value", field=self.name, found=value, expected=expected)
        return number

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        limits = {"least": self.least, "most": self.most} if self.kind == "number" else {"least": None, "most": None}
        return {
            "name": self.name,
            "title": self.title,
            "kind": self.kind,
            "unit": self.unit,
            **limits,
            "options": list(self.options),
        }


_PRESSURE = {"mmHg": 1.0, "kPa": 7.50062}
FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        fact.name: fact
        for fact in (
            Fact("height_cm", "height", "number", "cm", 100, 250, {"cm": 1, "m": 100, "in": 2.54}),
            Fact("weight_kg", "weight", "number", "kg", 25, 350, {"kg": 1, "lb": 0.45359237}),
            Fact("systolic_mmhg", "systolic blood pressure", "number", "mmHg", 60, 280, _PRESSURE),
            Fact("diastolic_mmhg", "diastolic blood pressure", "number", "mmHg", 25, 180, _PRESSURE),
            Fact("smoker", "smokes now", "yes_no"),
            Fact("antihypertensives", "takes drugs against high blood pressure", "yes_no"),
            Fact("diabetes", "diabetes", "yes_no"),
            Fact("heart_failure", "heart failure, now or before", "yes_no"),
            Fact("myocardial_infarction", "myocardial infarction, now or before", "yes_no"),
            Fact(
                "race", "race, as the cohorts recorded it", "choice", None,
                options=("white", "other"),
            ),
            Fact("atrial_fibrillation", "atrial fibrillation or flutter, ever", "yes_no"),
        )
    }
)  # fmt: skip
"""Name to fact, in the order in which to ask for them."""


def parse_facts(stated: Mapping[str, Any]) -> dict[str, float | bool | str]:
    """Return what was stated, in the units of `FACTS`; what was said to be unknown is left out.

    Raises
    ------
    InvalidValue
        There is no such fact, or its value cannot be.
    """
    found: dict[str, float | bool | str] = {}
    for name, value in stated.items():
        if name not in FACTS:
            raise InvalidValue("no such fact", field="facts", found=name, options=FACTS)
        if (parsed := FACTS[name].parse(value)) is not None:
            found[name] = parsed
    _check_pressures(found)
    return found


def known_facts(facts: Mapping[str, Any]) -> tuple[dict[str, float | bool | str], tuple[str, ...]]:
    """Return the facts of this vocabulary among all that a file says, and a note on each that cannot be.

    Where somebody states facts, use `parse_facts`, which refuses what cannot be.
    """
    found: dict[str, float | bool | str] = {}
    notes = []
    for name in FACTS:
        try:
            value = FACTS[name].parse(facts.get(name))
        except InvalidValue as error:
            notes.append(f"left out: {error}")
            continue
        if value is not None:
            found[name] = value
    try:
        _check_pressures(found)
    except InvalidValue as error:
        notes.append(f"left out: {error}")
        del found["systolic_mmhg"], found["diastolic_mmhg"]
    return found, tuple(notes)


def _check_pressures(facts: Mapping[str, Any]) -> None:
    systolic, diastolic = facts.get("systolic_mmhg"), facts.get("diastolic_mmhg")
    if systolic is not None and diastolic is not None and diastolic >= systolic:
        raise InvalidValue(
            "the diastolic pressure is not below the systolic",
            field="diastolic_mmhg",
            found=f"{systolic:g}/{diastolic:g} mmHg",
        )
