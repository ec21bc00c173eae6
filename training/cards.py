"""Cards written anew, with what was measured of a model after it was made."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from training import heart12_card

Figure = Mapping[str, float | None]

_MOST_LABELS, _MOST_CASES = 12, 3
_MOST_FIGURES = 5
_DECISIONS = (0.05, 0.1, 0.2, 0.5)
_OWN = {"heart12": ("Robustness", "Subgroups")}
"""Sections that the card of a model writes itself."""
_BEFORE = "## Limits"


def renewed(manifest: Mapping[str, Any], files: Mapping[str, bytes], metrics: Mapping[str, Any]) -> str:
    """Return the card of a model after its metrics have changed.

    Parameters
    ----------
    manifest
        Of the model, without its files.
    files
        Of the model, the card as it was among them.
    metrics
        As they are now.
    """
    text = files["card.md"].decode()
    if manifest["name"] == "heart12":
        signature = json.loads(files["signature.json"]) if "signature.json" in files else None
        text = heart12_card.card(manifest, metrics, json.loads(files["heads.json"]), signature)
    own = _OWN.get(manifest["name"], ())
    return with_sections(text, {title: part for title, part in sections(metrics).items() if title not in own})


def with_sections(card: str, parts: Mapping[str, str]) -> str:
    """Return a card with these sections (title to text) before its limits, instead of those of the same titles."""
    for title in parts:
        card = re.sub(rf"^## {re.escape(title)}\n.*?(?=^## )", "", card, flags=re.MULTILINE | re.DOTALL)
    before, limits, after = card.partition(f"{_BEFORE}\n")
    return before + "".join(f"## {title}\n\n{part}\n\n" for title, part in parts.items()) + limits + after


def sections(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Return what a card says of curves, robustness, subgroups, failures and the whole analysis, where measured."""
    writers = {
        "Decision curves": (metrics.get("curves", {}).get("decision"), lambda found: _decisions(found, metrics)),
        "Robustness": (metrics.get("robustness"), _conditions),
        "The whole analysis": (metrics.get("chain"), _conditions),
        "Subgroups": (metrics.get("subgroups"), lambda found: _subgroups(found, metrics)),
        "Failures": (metrics.get("failures"), _failures),
    }
    return {title: write(found) for title, (found, write) in writers.items() if found}


def _decisions(curves: Mapping[str, Mapping[str, Sequence[float]]], metrics: Mapping[str, Any]) -> str:
    rows = []
    for label, curve in list(curves.items())[:_MOST_LABELS]:
        cells = []
        for limit in _DECISIONS:
            at = curve["threshold"].index(limit)
            interval = f" ({curve['low'][at]:.3f} to {curve['high'][at]:.3f})" if "low" in curve else ""
            cells.append(f"{curve['model'][at]:.3f}{interval}; all {curve['all'][at]:.3f}")
        rows.append((label, *cells))
    return (
        "Net benefit a record of acting where the probability reaches a threshold, with its 95 % interval, beside\n"
        "that of acting on everybody; acting on nobody has 0. A model is worth having where it is above both.\n"
        "Every curve is drawn in `docs/evaluation.md`."
        + (f" On {on}." if (on := metrics.get("curves_of")) else "")
        + "\n\n"
        + _table(("", *(f"at {limit:g}" for limit in _DECISIONS)), rows)
    )


def _conditions(found: Mapping[str, Any]) -> str:
    plain = found["as recorded"]
    names = [name for name, figure in plain.items() if figure["value"] is not None][:_MOST_FIGURES]
    rows: list[Sequence[str]] = [("as recorded", *(_figure(plain[name]) for name in names))]
    for row in found["conditions"]:
        cells = (f"{_value(row['metrics'].get(n))} ({_change(row['metrics'].get(f'{n}.difference'))})" for n in names)
        rows.append((f"{row['kind']}, {row['level']}", *cells))
    where = f" of {found['data']}" if "data" in found else ""
    about = "".join(f"\n- `{name}`: {found['about'][name]}" for name in names if name in found.get("about", {}))
    return (
        f"{found['n']} records{where} ({found['records']}), answered {found['answers']}; in brackets the change, with\n"
        f"its 95 % interval. Noise: {found['noise']}.\n{about}\n\n"
    ) + _table(("", *names), rows)


def _subgroups(found: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    measured = [row["metrics"] for levels in found.values() for row in levels.values() if "metrics" in row]
    names = [name for name in (measured[0] if measured else ()) if not name.endswith(".difference")][:_MOST_FIGURES]
    rows = []
    for kind, levels in found.items():
        for level, row in levels.items():
            inside = row.get("metrics", {})
            cells = (
                f"{_value(inside.get(name))} ({_change(inside.get(f'{name}.difference'))})" if name in inside else "-"
                for name in names
            )
            rows.append((f"{kind}: {level}", str(row["n"]), *cells))
    on = metrics.get("subgroups_of")
    unknown = "".join(f"\n- by {kind}: {why}" for kind, why in metrics.get("subgroups_unknown", {}).items())
    return (
        (f"On {on}. " if on else "")
        + "Figures within each group, and in brackets what they differ by from all other records with its 95 %\n"
        "interval. Many were looked at, so that one interval in twenty excludes 0 by chance."
        + (f" Not looked at:\n{unknown}" if unknown else "")
        + "\n\n"
        + _table(("", "records", *names), rows)
    )


def _failures(found: Mapping[str, Any]) -> str:
    where = f"{found['n']} records of {found['data']}" + (f", {found['split']}" if found.get("split") else "")
    text = f"The most confident errors on {where}. `ecg evaluate` draws them with `--gallery DIR`.\n\n"
    if "worst" in found:
        rows = [
            (case["record"], *(_plain(value) for value in case["figures"].values()))
            for case in found["worst"][: 2 * _MOST_CASES]
        ]
        return text + (_table(("record", *found["worst"][0]["figures"]), rows) if rows else "No record lost anything.")
    rows = []
    for label, row in list(found["labels"].items())[:_MOST_LABELS]:
        cells = []
        for kind in ("false_positives", "false_negatives"):
            cases = ", ".join(
                f"{case['record']} ({case['probability']:.2f}; {' '.join(case['truth']) or 'nothing'})"
                for case in row[kind]["worst"][:_MOST_CASES]
            )
            cells.append(f"{row[kind]['n']}: {cases}" if cases else "0")
        rows.append((label, *cells))
    return text + _table(
        ("", "called and not so (probability; what people said)", "so and not called (probability; what they said)"),
        rows,
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _figure(metric: Figure) -> str:
    if metric["low"] is None or metric["high"] is None:
        return _value(metric)
    return f"{_value(metric)} ({metric['low']:.3f} to {metric['high']:.3f})"


def _value(metric: Figure | None) -> str:
    return "not defined" if metric is None or metric["value"] is None else f"{metric['value']:.3f}"


def _change(metric: Figure | None) -> str:
    if metric is None or metric["value"] is None or metric["low"] is None or metric["high"] is None:
        return "-"
    return f"{metric['value']:+.3f}, {metric['low']:+.3f} to {metric['high']:+.3f}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
