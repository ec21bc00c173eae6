"""ECG2AF as a guest: which files are known, what their outputs mean, and how their answers become figures.

Khurshid et al. 2022, "ECG-based deep learning and clinical risk factors to predict atrial fibrillation", Circulation
145:122, doi:10.1161/CIRCULATIONAHA.121.057480; weights in the model zoo of https://github.com/broadinstitute/ml4h
(GPL-3.0), which a user fetches: none are shipped here.

The network reads 10 s of twelve leads at 500 Hz, normalised by ONE mean and standard deviation over all of them. Its
survival head gives the share that stays free of AF in each of 25 intervals of 73 days, given that it was free before
(the first 25 of 50 values); the five-year risk is what is missing from their product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.errors import InvalidValue, ModelError
from ecg_core.leads import STANDARD_12

NAME = TASK = "ecg2af"
FS, SAMPLES = 500, 5000
STANDARD_ORDER = STANDARD_12
OTHER_ORDER = ("I", "II", "III", "V1", "V2", "V3", "V4", "V5", "V6", "aVF", "aVL", "aVR")
"""The order that some public code feeds; never taken unless a manifest lists its leads so."""
INTERVALS, OUTPUTS = 25, 50
AF_DAYS, DEATH_DAYS = 73.0, 146.0
"""Of one interval: 5 and 10 years in 25."""
AGE_SCALE, AGE_OFFSET = 7.554638, 63.357989
"""Years of the 2021 file's age head."""
ROLES = ("af_survival", "sex", "age", "af_in_read", "death_survival")
REQUIRED_ROLES = ROLES[:4]
AGE_UNKNOWN = "the normalisation of this file's age is not published; a manifest can state it as [age] scale and offset"


@dataclass(frozen=True)
class Known:
    """A published weights file."""

    version: str
    size: int
    age_in_years: bool


KNOWN: Mapping[str, Known] = {
    "ece878a5ed4f1523735a35648a8fa2a3086261d2bf38a5db16c8f3d0fc34c667": Known("2021", 220_080_440, True),
    "de38e009be5613ebb31ee1969bc1cab648d0f11c865e8afbd60e4bb7784f5627": Known("2024", 43_797_442, False),
}
"""sha256 to file: ecg_5000_survival_curve_af_quadruple_task_mgh_v2021_05_21.h5, ecg2af_quintuplet_v2024_01_13.keras."""

_WORDS: Mapping[str, Sequence[str]] = {
    "death_survival": ("death", "mortality"),
    "af_in_read": ("af_in_read", "af_dummy", "in_read"),
    "sex": ("sex", "male"),
    "age": ("age",),
    "af_survival": ("survival_curve_af", "afib", "survival"),
}
_OPTIONS = ("title", "version", "inputs", "outputs", "age", "licence", "citation", "page")
CITATION = "Khurshid et al. 2022, Circulation 145:122, doi:10.1161/CIRCULATIONAHA.121.057480"
PAGE = "https://github.com/broadinstitute/ml4h/tree/master/model_zoo/ECG2AF"
CARD = f"""# ECG2AF

The risk of atrial fibrillation within five years from a 12-lead ECG of 10 s, with sex, age and AF in the tracing.
Weights of other people, added by a user; Einthoven ships none and has measured none of the figures below.

## Use

Adults without atrial fibrillation or flutter, now or before, and without a pacemaker. Research use.

## Data

Trained on 45,770 patients of the Massachusetts General Hospital (MGH), age 55 (SD 17).

## Metrics

As published ({CITATION}): AUROC of the five-year risk 0.823 (0.790 to 0.856) at MGH, 0.747 (0.736 to 0.759) at Brigham
and Women's Hospital; of the two-year risk 0.705 (0.673 to 0.737) in UK Biobank. With CHARGE-AF, 0.838, 0.777 and 0.746.

## Limits

Hospital patients of one region. No interval is published for a single answer. The age of the 2024 file is not in years.
Licence of the weights' repository: GPL-3.0.
"""


def build_manifest(
    sha256: str, outputs: Mapping[str, np.ndarray], options: Mapping[str, Any], file: str
) -> dict[str, Any]:
    """Return the manifest of an ECG2AF file, in the terms of `ecg_core.guests.spec`.

    Parameters
    ----------
    sha256
        Of the weights.
    outputs
        What the model gave for one record: its outputs' names and widths.
    options
        What the user's manifest states: ``inputs.leads``, ``outputs`` (role to name or number), ``age`` (scale and
        offset), title and version; all may be left out.
    file
        Its name in errors.
    """
    if strange := [name for name in options if name not in _OPTIONS]:
        raise InvalidValue("no such field", file=file, field=strange[0], options=_OPTIONS)
    inputs = options.get("inputs", {})
    if strange := [name for name in inputs if name not in ("leads", "name")]:
        raise InvalidValue("follows from the model", file=file, field=f"inputs.{strange[0]}", options=("leads", "name"))
    leads = tuple(inputs.get("leads", STANDARD_ORDER))
    if sorted(leads) != sorted(STANDARD_12):
        raise InvalidValue(
            "not the twelve leads", file=file, field="inputs.leads", found=", ".join(map(str, leads)),
            options=(", ".join(STANDARD_ORDER), ", ".join(OTHER_ORDER)),
        )  # fmt: skip
    known = KNOWN.get(sha256)
    roles = find_roles(outputs, options.get("outputs", {}), file)
    age = dict(options.get("age", {}))
    if strange := [name for name in age if name not in ("scale", "offset")]:
        raise InvalidValue("no such field", file=file, field=f"age.{strange[0]}", options=("scale", "offset"))
    if not age and known and known.age_in_years:
        age = {"scale": AGE_SCALE, "offset": AGE_OFFSET}
    return {
        "title": options.get("title", "ECG2AF: five-year risk of atrial fibrillation, sex, age, AF"),
        "version": str(options.get("version", known.version if known else "1")),
        "citation": options.get("citation", CITATION),
        "page": options.get("page", PAGE),
        "licence": options.get("licence", "GPL-3.0"),
        "recognised": known is not None,
        "inputs": {
            "leads": list(leads), "fs": FS, "samples": SAMPLES, "layout": "samples_leads", "unit": "mV",
            "normalise": "array", "eps": 1e-7, "name": inputs.get("name"),
        },
        "heads": _heads(roles, age),
        "scope": {"least_age": 18, "paced": False},
        "cautions": [
            "no interval is published for a single person's risk",
            *(() if known else ("weights of unknown origin: their sha256 is that of no published file",)),
        ],
    }  # fmt: skip


def _heads(roles: Mapping[str, str], age: Mapping[str, float]) -> list[dict[str, Any]]:
    heads: list[dict[str, Any]] = [
        {
            "name": "af_survival", "output": roles["af_survival"], "kind": "survival", "curve": "conditional",
            "intervals": INTERVALS, "interval_days": AF_DAYS, "risk": "af_risk_5y",
        },
        {"name": "sex", "output": roles["sex"], "kind": "softmax", "labels": ["female", "male"]},
        {"name": "age", "output": roles["age"], "kind": "regression", "unit": "years", **age}
        | ({} if age else {"withheld": AGE_UNKNOWN}),
        {"name": "af_in_read", "output": roles["af_in_read"], "kind": "softmax", "labels": ["no", "yes"]},
    ]  # fmt: skip
    if "death_survival" in roles:
        heads.append(
            {
                "name": "death_survival", "output": roles["death_survival"], "kind": "survival",
                "curve": "conditional", "intervals": INTERVALS, "interval_days": DEATH_DAYS, "risk": "death_risk_10y",
            }
        )  # fmt: skip
    return heads


def find_roles(outputs: Mapping[str, np.ndarray], stated: Mapping[str, Any], file: str) -> dict[str, str]:
    """Return which output is which head: as stated, else by the words in its name, else by a width that it has alone.

    Raises
    ------
    ModelError
        That cannot be told; the error lists the outputs.
    """
    names = list(outputs)
    if strange := [role for role in stated if role not in ROLES]:
        raise InvalidValue("no such head", file=file, field=f"outputs.{strange[0]}", options=ROLES)
    roles: dict[str, str] = {}
    for role, output in stated.items():
        name = names[output] if isinstance(output, int) and 0 <= output < len(names) else output
        if name not in names:
            raise ModelError("has no such output", file=file, field=f"outputs.{role}", found=output, options=names)
        roles[role] = name
    for role, name in roles.items():
        if _width(outputs[name]) != _width_of(role):
            raise ModelError(
                "is of another width", file=file, field=f"outputs.{role}", found=_width(outputs[name]),
                expected=str(_width_of(role)),
            )  # fmt: skip

    def left(role: str) -> list[str]:
        return [name for name in names if name not in roles.values() and _width(outputs[name]) == _width_of(role)]

    for role, words in _WORDS.items():
        named = [name for name in left(role) if any(_says(name, word) for word in words)]
        if role not in roles and len(named) == 1:
            roles[role] = named[0]
    for role in REQUIRED_ROLES:
        rivals = [other for other in REQUIRED_ROLES if other not in roles and _width_of(other) == _width_of(role)]
        if rivals == [role] and len(left(role)) == 1:
            roles[role] = left(role)[0]
    if missing := [role for role in REQUIRED_ROLES if role not in roles]:
        shown = [f"{name} ({_width(values)})" for name, values in outputs.items()]
        raise ModelError(
            f"which output is {', '.join(missing)} cannot be told from names and widths",
            file=file,
            found=", ".join(shown),
            expected=f"[outputs] in a manifest: {', '.join(REQUIRED_ROLES)}, each with the name or number of an output",
        )
    return roles


def _says(name: str, word: str) -> bool:
    """Return whether a name holds a word between underscores: "age" is not in "average"."""
    return f"_{word}_" in f"_{name.lower()}_".replace("-", "_").replace("/", "_")


def _width(values: np.ndarray) -> int:
    return int(np.prod(values.shape[1:]))


def _width_of(role: str) -> int:
    return {"sex": 2, "age": 1, "af_in_read": 2}.get(role, OUTPUTS)
