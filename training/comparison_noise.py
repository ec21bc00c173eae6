"""Measure ``ecg_core/comparison/noise.json``: how much two looks at an unchanged heart differ.

    python -m training.comparison_noise --root ~/ecg-data

Limits are taken from fold 9 of PTB-XL, which no network learned from (what ships of ``heart12`` is calibrated on it),
and, of rates and of intervals from few leads, from MIT-BIH. What they are worth is then measured on LUDB and CinC 2011.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ecg_core.comparison
from ecg_core import __version__
from ecg_core.artefacts import load_model
from ecg_core.comparison.differences import INTERVALS, LEAD_VALUES, RATES
from ecg_core.comparison.noise import FILE, shipped_noise
from ecg_core.evaluation import Evaluation, evaluate
from ecg_core.evaluation.repeatability import APART_S, HALF_S, STRIP_S
from ecg_core.leads import STANDARD_12
from ecg_core.measurements.amplitudes import HEIGHT_NAMES
from ecg_core.measurements.table import VALUES
from ecg_core.measurements.voltages import LEAST_WAVE_MV
from ecg_core.predictors.heart12 import MODEL

FOLD = "9"
DIGITS = 4
CHECKED = ("beyond", "any_beyond", "beyond_leads")
_SAME = "the electrodes, the recorder and its filters are the same; other days and electrodes placed anew are left out"
_BEATS = "noise of the signal, marks set otherwise, breathing, and beats that differ"


def noise_table(halves: Evaluation, minutes: Evaluation, checks: Iterable[Evaluation]) -> dict[str, Any]:
    """Return the content of the file from what was measured.

    Parameters
    ----------
    halves
        Of twelve leads: the halves of recordings of 10 s.
    minutes
        Of two leads: strips of 10 s that lie minutes apart.
    checks
        Of sets that no limit is taken from, by the limits without them.
    """
    leads = {f"{lead}.{name}" for lead in STANDARD_12 for name in LEAD_VALUES}
    named = (*(name for name in VALUES if name not in RATES), *sorted(leads))
    wanted = {name: level(halves, f"halves.{name}", "halves") for name in named}
    labels = [
        name.removeprefix("halves.log_odds.").removesuffix(".limit")
        for name in halves.metrics
        if name.startswith("halves.log_odds.") and name.endswith(".limit")
    ]
    model = load_model(MODEL)
    return {
        "made_by": "python -m training.comparison_noise",
        "software": __version__,
        "date": datetime.now(UTC).date().isoformat(),
        "model": {"name": model.name, "version": model.version},
        "sources": {
            "halves": _source(
                halves,
                "halves",
                "PTB-XL 1.0.3",
                f"the two halves of {HALF_S:g} s of each recording of {STRIP_S:g} s, twelve leads at 100 Hz",
                _BEATS,
                f"what changes in more than seconds; {_SAME}. Two whole recordings of {STRIP_S:g} s may differ by"
                f" less; heights of waves have a limit of {LEAST_WAVE_MV:g} mV at least, under which there is no wave",
            ),
            "minutes": _source(
                minutes,
                "minutes",
                "MIT-BIH Arrhythmia Database, the records that are here, without paced ones",
                f"strips of {STRIP_S:g} s that lie {APART_S / 60:g} minutes apart, two leads, patients up and about",
                f"{_BEATS}; what changes within minutes in somebody who moves, as the rate",
                _SAME,
            ),
        },
        "measurements": {name: level(minutes, f"minutes.{name}", "minutes") for name in RATES} | wanted,
        "few_leads": {name: level(minutes, f"minutes.{name}", "minutes") for name in INTERVALS},
        "labels": {name: level(halves, f"halves.log_odds.{name}", "halves") for name in labels},
        "age_years": level(halves, "halves.age_years", "halves"),
        "checks": {
            found.data: {
                "pairs": round(found.metrics["halves.any_beyond.n"].value or 0),
                **{name: _rounded(found.metrics[f"halves.{name}"].to_dict()) for name in CHECKED},
            }
            for found in checks
        },
    }


def level(found: Evaluation, figure: str, source: str) -> dict[str, Any]:
    """Return the level of one figure."""
    sd, limit = found.metrics[f"{figure}.sd"].value, found.metrics[f"{figure}.limit"]
    least = LEAST_WAVE_MV if figure.endswith(HEIGHT_NAMES) else 0.0
    ends = {"limit": limit.value, "limit_low": limit.low, "limit_high": limit.high}
    held = {name: None if end is None else max(end, least) for name, end in ends.items()}
    return {**_rounded({"sd": sd, **held}), "n": round(found.metrics[f"{figure}.n"].value or 0), "source": source}


def _source(found: Evaluation, kind: str, data: str, looks: str, includes: str, leaves_out: str) -> dict[str, Any]:
    split = f" --split {found.split}" if found.split else ""
    return {
        "data": data + (f", fold {found.split}" if found.split else ""),
        "looks": looks,
        "pairs": max(
            round(item.value or 0)
            for name, item in found.metrics.items()
            if name.startswith(f"{kind}.") and name.endswith(".n")
        ),
        "includes": includes,
        "leaves_out": leaves_out,
        "command": f"ecg evaluate repeatability --data {found.data}{split}",
    }


def _rounded(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, DIGITS) for name, value in figures.items()}


def main() -> None:
    """Measure, write, check, and write again."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--root", type=Path, help="folder of the data sets")
    root = parser.parse_args().root
    path = Path(ecg_core.comparison.__file__).with_name(FILE)
    limits = evaluate("repeatability", "ptbxl", root, split=FOLD), evaluate("repeatability", "mitdb", root)
    write(path, noise_table(*limits, ()))
    write(path, noise_table(*limits, [evaluate("repeatability", data, root) for data in ("ludb", "cinc2011")]))


def write(path: Path, table: Mapping[str, Any]) -> None:
    """Write the file, which holds from now on."""
    path.write_text(json.dumps(table, indent=1) + "\n", "utf-8")
    shipped_noise.cache_clear()


if __name__ == "__main__":
    main()
