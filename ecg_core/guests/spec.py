"""What a guest's manifest states, checked: inputs, preprocessing, heads, scope.

`EXAMPLE` holds every field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from ecg_core.errors import InvalidValue
from ecg_core.guests.fields import Fields
from ecg_core.leads import STANDARD_12, canonical_lead
from ecg_core.recording import Step

Kind = Literal["binary", "softmax", "multi_label", "regression", "survival"]
Layout = Literal["samples_leads", "leads_samples"]
Normalise = Literal["none", "lead", "array"]
CurveOf = Literal["conditional", "hazards", "survival"]
FILTERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "bandpass": {"low_hz": None, "high_hz": None},
        "notch": {"mains_hz": None, "harmonics": False},
        "remove_baseline": {"method": "highpass"},
        "monitor_view": {},
    }
)
"""Steps of `ecg_core.preprocess` that a manifest may ask for, with their parameters unless told. Length, rate, leads
and normalisation follow from ``inputs``."""
UNITS: Mapping[str, float] = MappingProxyType({"mV": 1.0, "uV": 1000.0})
_NO_NAMES = frozenset(
    ("version", "sha256", "view", "leads", "conformal", "out_of_scope", "withheld", "cautions", "accuracy")
)
_MOST_SAMPLES, _MOST_FS = 1_000_000, 10_000

EXAMPLE = """\
title = "Left ventricular dysfunction"
version = "2"                                       # "1" unless stated
licence = "CC BY 4.0"                               # optional, as are citation and page

[inputs]
leads = ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]   # in the model's order
fs = 250                                            # samples per second
samples = 2500                                      # of each lead
layout = "samples_leads"                            # or leads_samples; of one record, without the batch
unit = "mV"                                         # or uV
normalise = "lead"                                  # none, lead (mean and SD of each) or array (of all together)
name = "ecg"                                        # of the input, where the model has several

[[preprocessing]]                                   # optional: filters, in this order, before the cut
name = "bandpass"
parameters = { low_hz = 0.5, high_hz = 40.0 }

[[heads]]
name = "findings"
output = "dense_3"                                  # a name or a number; may be left out where there is one output
kind = "multi_label"                                # binary, softmax, multi_label, regression or survival
labels = ["LVSD", "AS"]
logits = true                                       # false unless stated
thresholds = { LVSD = 0.31 }                        # labels without one are never called positive

[[heads]]
name = "age"
output = 1
kind = "regression"
unit = "years"
scale = 7.5                                         # value = scale * output + offset
offset = 63.4

[[heads]]
name = "af_survival"
output = "curve"
kind = "survival"
curve = "conditional"                               # survival of each interval; hazards, or survival itself
intervals = 25                                      # the first so many outputs
interval_days = 73
risk = "af_risk_5y"                                 # the risk at the end, as a head of its own

[scope]                                             # optional
least_age = 18
paced = false                                       # whether it may read paced rhythms; true unless stated
"""


@dataclass(frozen=True)
class HeadSpec:
    """One answer of a model, and how it is read."""

    name: str
    output: str | int | None
    """Of the model; None where it has only one."""
    kind: Kind
    labels: tuple[str, ...] = ()
    logits: bool = False
    thresholds: Mapping[str, float] = field(default_factory=dict)
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    curve: CurveOf = "conditional"
    intervals: int | None = None
    interval_days: float = 0.0
    risk: str | None = None
    withheld: str | None = None
    """Why the answer is not given although the model has it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds", MappingProxyType(dict(self.thresholds)))


@dataclass(frozen=True)
class GuestSpec:
    """What goes into a model and what comes out."""

    leads: tuple[str, ...]
    fs: float
    samples: int
    layout: Layout
    unit: str
    normalise: Normalise
    eps: float
    """Added to the standard deviation."""
    input_name: str | None
    filters: tuple[Step, ...]
    heads: tuple[HeadSpec, ...]
    least_age: float | None = None
    paced: bool = True
    accuracy: Mapping[str, Any] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "accuracy", MappingProxyType(dict(self.accuracy)))

    @property
    def shape(self) -> tuple[int, int]:
        """Of one record as the model reads it."""
        n = len(self.leads)
        return (self.samples, n) if self.layout == "samples_leads" else (n, self.samples)

    @property
    def duration_s(self) -> float:
        """Seconds that the model reads."""
        return self.samples / self.fs


def parse_spec(manifest: Mapping[str, Any], file: str = "manifest") -> GuestSpec:
    """Return what a manifest states of a model.

    Raises
    ------
    InvalidValue
        A field is missing, unknown or cannot be; the error names it, its value and what could be.
    """
    inputs = Fields(
        manifest.get("inputs", {}),
        file,
        "inputs",
        ("leads", "fs", "samples", "layout", "unit", "normalise", "eps", "name"),
    )
    scope = Fields(manifest.get("scope", {}), file, "scope", ("least_age", "paced"))
    leads = inputs.texts("leads")
    if strange := [name for name in leads if (canonical_lead(name) or name) not in STANDARD_12]:
        raise inputs.refuse("leads", f"no such lead: {', '.join(strange)}", options=STANDARD_12)
    heads = manifest.get("heads")
    if not isinstance(heads, list | tuple) or not heads:
        raise InvalidValue("is missing", file=file, field="heads", found=heads, expected="one [[heads]] or more")
    parsed = tuple(_head(head, file, f"heads[{at}]") for at, head in enumerate(heads))
    _check_names(parsed, file)
    least_age = scope.values.get("least_age")
    return GuestSpec(
        leads=tuple(canonical_lead(name) or name for name in leads),
        fs=inputs.number("fs", None, lambda v: 0 < v <= _MOST_FS, f"samples per second, up to {_MOST_FS}"),
        samples=int(
            inputs.number(
                "samples", None, lambda v: v.is_integer() and 0 < v <= _MOST_SAMPLES, f"1 to {_MOST_SAMPLES}, whole"
            )
        ),
        layout=inputs.choice("layout", "samples_leads", get_args(Layout)),
        unit=inputs.choice("unit", "mV", tuple(UNITS)),
        normalise=inputs.choice("normalise", "none", get_args(Normalise)),
        eps=inputs.number("eps", 1e-7, lambda v: v > 0, "above 0"),
        input_name=inputs.values.get("name") and inputs.get("name", str, None, "the name of an input"),
        filters=_filters(manifest.get("preprocessing", ()), file),
        heads=parsed,
        least_age=None if least_age is None else scope.number("least_age", None, lambda v: 0 <= v <= 130, "years"),
        paced=scope.get("paced", bool, True, "true or false"),
        accuracy=dict(
            Fields(manifest.get("accuracy", {}), file, "accuracy", tuple(manifest.get("accuracy", ()))).values
        ),
        cautions=Fields(manifest, file, "", tuple(manifest)).texts("cautions", ()),
    )


def _head(values: Any, file: str, path: str) -> HeadSpec:
    """Return one head; the fields that it may have depend on its kind."""
    kind: Kind = Fields(values, file, path, tuple(values) if isinstance(values, Mapping) else ()).choice(
        "kind", None, get_args(Kind)
    )
    common = ("name", "output", "kind", "withheld")
    of_labels = ("labels", "logits", "thresholds")
    known = {
        "regression": (*common, "unit", "scale", "offset"),
        "survival": (*common, "curve", "intervals", "interval_days", "risk"),
    }.get(kind, (*common, *of_labels))
    table = Fields(values, file, path, known)
    output = values.get("output")
    if output is not None and (isinstance(output, bool) or not isinstance(output, str | int)):
        raise table.refuse("output", "of the wrong kind", "the name of an output, or its number from 0")
    head: dict[str, Any] = {"name": table.get("name", str, None, "a text"), "output": output, "kind": kind}
    if "withheld" in values:
        head["withheld"] = table.get("withheld", str, None, "the reason why it is not given")
    if kind == "regression":
        head["unit"] = table.get("unit", str, "", "a text") or None
        head["scale"] = table.number("scale", 1.0, lambda v: v != 0, "a number, not 0")
        head["offset"] = table.number("offset", 0.0, lambda _: True, "a number")
    elif kind == "survival":
        head["curve"] = table.choice("curve", "conditional", get_args(CurveOf))
        head["interval_days"] = table.number("interval_days", None, lambda v: v > 0, "days, above 0")
        if "intervals" in values:
            head["intervals"] = int(
                table.number("intervals", None, lambda v: v.is_integer() and v > 0, "whole, above 0")
            )
        if "risk" in values:
            head["risk"] = table.get("risk", str, None, "the name of a head")
    else:
        head["labels"] = labels = table.texts("labels")
        least = 2 if kind == "softmax" else 1
        if len(labels) < least or (kind == "binary" and len(labels) != 1):
            raise table.refuse(
                "labels", "not as many as this kind has", "one" if kind == "binary" else f"{least} or more"
            )
        head["logits"] = table.get("logits", bool, False, "true or false")
        head["thresholds"] = _thresholds(values.get("thresholds", {}), labels, file, f"{path}.thresholds")
    return HeadSpec(**head)


def _thresholds(values: Any, labels: tuple[str, ...], file: str, path: str) -> dict[str, float]:
    table = Fields(values, file, path, labels)
    return {name: table.number(name, None, lambda v: 0 <= v <= 1, "a probability") for name in table.values}


def _filters(steps: Any, file: str) -> tuple[Step, ...]:
    """Return the filters, each of which has to be one that can be replayed."""
    if not isinstance(steps, list | tuple):
        raise InvalidValue("not a list", file=file, field="preprocessing", found=steps, expected="[[preprocessing]]")
    found = []
    for at, values in enumerate(steps):
        table = Fields(values, file, f"preprocessing[{at}]", ("name", "parameters"))
        name = table.choice("name", None, tuple(FILTERS))
        given = Fields(values.get("parameters", {}), file, f"preprocessing[{at}].parameters", tuple(FILTERS[name]))
        found.append(Step(name, {**FILTERS[name], **given.values}))
    return tuple(found)


def _check_names(heads: tuple[HeadSpec, ...], file: str) -> None:
    names = [name for head in heads for name in (head.name, head.risk) if name]
    for name in names:
        if name in _NO_NAMES or names.count(name) > 1:
            problem = "is taken" if name in _NO_NAMES else "is given twice"
            raise InvalidValue(f"the name of a head {problem}", file=file, field="heads", found=name)
    if len(heads) > 1 and (open_ := [head.name for head in heads if head.output is None]):
        raise InvalidValue(
            "is missing",
            file=file,
            field="output",
            found=f"head {open_[0]}",
            expected="the name or number of an output",
        )
