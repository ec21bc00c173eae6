"""What was measured of a model, drawn: every figure is an SVG document made of ``metrics.json`` alone.

`ecg evaluate ... --json FILE` writes the same form, so that an examination of one's own is drawn alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ecg_core.evaluation.chart import BLUE, COLOURS, GREEN, GREY, ORANGE, Line, Panel, Row, draw_forest, draw_panels

_MOST_PANELS = 6
_MOST_COLUMNS = 5
_LOWEST_BENEFIT = -0.05
_AXES = {
    "all noise": "signal to noise, dB",
    "electrode motion": "signal to noise, dB",
    "muscle": "signal to noise, dB",
    "baseline wander": "signal to noise, dB",
    "amplitude": "times",
    "resampling": "Hz and back",
    "mains": "mV at 50 Hz",
    "leads lost": "of eight",
    "electrodes exchanged": "",
}
_PLAIN = {"all noise": 30.0, "amplitude": 1.0, "mains": 0.0, "leads lost": 0.0}
"""Where a curve has the recording as it was; of noise, a little milder than the mildest."""
_KINDS = ("all noise", "mains", "amplitude", "resampling", "leads lost", "electrodes exchanged")
_CHAIN = {
    "Does it fall silent?": ("statements.given", "heart_rate.given", "qrs_ms.given"),
    "Is what it still says wrong?": ("superclass.changed", "heart_rate.wrong", "qrs_ms.wrong"),
    "Quality, as it is called": ("good", "poor"),
}
_CHAIN_KINDS = ("all noise", "mains", "amplitude")
_FIGURES = ("superclass.macro_auc", "AFIB.auc", "superclass.MI.sensitivity", "age.mae")
"""Shown first, where a model has them."""
_DRAWN_TOGETHER = 3


def figures_of(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Return the figures of a model, name to SVG, from what its ``metrics.json`` holds."""
    curves = metrics.get("curves", {})
    found: dict[str, str] = {}
    makers: tuple[tuple[str, Any, Callable[[Mapping[str, Any], Any], str]], ...] = (
        ("reliability", curves.get("reliability"), _reliability),
        ("roc", curves.get("roc"), _roc),
        ("decision", curves.get("decision"), _decision),
        ("robustness", metrics.get("robustness"), _robustness),
        ("analysis", metrics.get("chain"), _chain),
        ("subgroups", metrics.get("subgroups"), _subgroups),
    )
    for name, part, make in makers:
        if part:
            found[name] = make(metrics, part)
    return found


def _labels(metrics: Mapping[str, Any], curves: Mapping[str, Any]) -> list[str]:
    """Return the labels to draw: those of which decisions are told, else the first."""
    told = [label for label in metrics["curves"].get("decision", {}) if label in curves]
    return sorted(told or curves, key=lambda label: not label.startswith("superclass"))[:_MOST_PANELS]


def _short(label: str) -> str:
    return label.rpartition(".")[2]


def _where(metrics: Mapping[str, Any]) -> str:
    return f"{metrics['model']} {metrics['version']}"


def _reliability(metrics: Mapping[str, Any], curves: Mapping[str, Any]) -> str:
    panels = []
    for label in _labels(metrics, curves):
        curve = curves[label]
        diagonal = Line((0, 1), (0, 1), GREY, dashed=True)
        bins = Line(curve["predicted"], curve["observed"], BLUE, curve["low"], curve["high"], dots=True, bars=True)
        panels.append(Panel(_short(label), (0, 1), (0, 1), (diagonal, bins), "probability said", "share that is so"))
    alt = "Share of records that have the label against the probability said, in ten bins of equal size."
    return draw_panels(f"Reliability, {_where(metrics)}", alt, panels)


def _roc(metrics: Mapping[str, Any], curves: Mapping[str, Any]) -> str:
    panels = []
    for label in _labels(metrics, curves):
        curve = curves[label]
        lines = (
            Line((0, 1), (0, 1), GREY, dashed=True),
            Line(curve["false_positive_rate"], curve["sensitivity"], BLUE),
        )
        panels.append(
            Panel(
                _short(label), (0, 1), (0, 1), lines, "1 - specificity", "sensitivity", note=_auc_words(metrics, label)
            )
        )
    alt = "Sensitivity against 1 - specificity, one panel a label, with the area under the curve and its 95 % interval."
    return draw_panels(f"ROC, {_where(metrics)}", alt, panels)


def _auc_words(metrics: Mapping[str, Any], label: str) -> str:
    names = (f"{label}.auc", f"{_short(label)}.auc", "auc")
    figure = next((metrics["metrics"][name] for name in names if name in metrics["metrics"]), None)
    if figure is None or figure["low"] is None:
        return ""
    return f"AUC {figure['value']:.3f} ({figure['low']:.3f}-{figure['high']:.3f})"


def _decision(metrics: Mapping[str, Any], curves: Mapping[str, Any]) -> str:
    panels = []
    for label in _labels(metrics, curves):
        curve = curves[label]
        x = curve["threshold"]
        top = max(*curve["model"], *curve["all"], 0.02) * 1.1
        kept = [at for at, value in enumerate(curve["all"]) if value >= _LOWEST_BENEFIT] or [0]
        lines = (
            Line([x[at] for at in kept], [curve["all"][at] for at in kept], ORANGE, dashed=True),
            Line(x, curve["model"], BLUE, curve["low"], curve["high"]),
        )
        panels.append(
            Panel(
                _short(label),
                (0, 0.9),
                (_LOWEST_BENEFIT, top),
                lines,
                "threshold probability",
                "net benefit",
                marks=(0.0,),
            )
        )
    alt = "Net benefit of acting on the model at each threshold, beside acting on everybody and on nobody."
    legend = (("the model, 95 % interval", BLUE), ("act on everybody", ORANGE), ("act on nobody", GREY))
    return draw_panels(f"Decision curves, {_where(metrics)}", alt, panels, legend=legend)


def _robustness(metrics: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    names = _alike(found["as recorded"])
    panels = [_condition(kind, found, names) for kind in _KINDS if any(r["kind"] == kind for r in found["conditions"])]
    alt = "Main figures against the dose of each kind of trouble, with 95 % intervals; dashed: as recorded."
    legend = [(name, colour) for name, colour in zip(names, COLOURS, strict=False)]
    return draw_panels(f"Robustness, {_where(metrics)}, {found['n']} records", alt, panels, legend=legend)


def _alike(plain: Mapping[str, Any]) -> list[str]:
    """Return the names of the first shares among the figures, those of `_FIGURES` before others."""
    shares = [name for name, figure in plain.items() if figure["value"] is not None and 0 <= figure["value"] <= 1]
    shares = [name for name in shares if not name.endswith(("ece", "abstains"))]
    return sorted(shares, key=_rank)[:_DRAWN_TOGETHER]


def _rank(name: str) -> int:
    return _FIGURES.index(name) if name in _FIGURES else len(_FIGURES)


def _condition(kind: str, found: Mapping[str, Any], names: Sequence[str], title: str = "") -> Panel:
    rows = [row for row in found["conditions"] if row["kind"] == kind]
    named = kind == "electrodes exchanged"
    # Rates are far apart and electrodes have no order: places instead of doses.
    spread = named or kind == "resampling"
    x = [float(at) for at in range(len(rows))] if spread else [float(row["dose"]) for row in rows]
    # A condition tried with some records alone has other figures as recorded.
    whole = not any("n" in row for row in rows)
    lines, values = [], []
    for name, colour in zip(names, COLOURS, strict=False):
        told = [(at, row["metrics"][name]) for at, row in zip(x, rows, strict=True) if name in row["metrics"]]
        told = [(at, figure) for at, figure in told if figure["value"] is not None]
        if kind in _PLAIN and whole:
            told.append((_PLAIN[kind], found["as recorded"][name]))
        told.sort(key=lambda item: item[0])
        figures = [figure for _, figure in told]
        low = [figure["value"] if figure["low"] is None else figure["low"] for figure in figures]
        high = [figure["value"] if figure["high"] is None else figure["high"] for figure in figures]
        values += [*low, *high, *([found["as recorded"][name]["value"]] if whole else ())]
        y = [figure["value"] for figure in figures]
        lines.append(Line([at for at, _ in told], y, colour, low, high, dots=True, bars=spread, dashed=named))
    floor, top = min(values), max(values)
    pad = 0.06 * max(top - floor, 0.05)
    ticks = [(at, row["level"].split(" ")[0]) for at, row in zip(x, rows, strict=True)] if spread else []
    if kind == "all noise":
        ticks = [(at, f"{at:g}") for at in x] + [(_PLAIN[kind], "none")]
    places = [at for line in lines for at in line.x] or [0.0]
    edge = 0.3 if spread else 0.02 * (max(places) - min(places))
    return Panel(
        title or kind,
        (min(places) - edge, max(places) + edge),
        (floor - pad, min(top + pad, 1.02) if top <= 1 else top + pad),
        lines,
        _AXES.get(kind, ""),
        ticks=ticks,
        marks=[found["as recorded"][name]["value"] for name in names] if whole else (),
        note="" if whole else f"{rows[0]['n']} records",
    )


def _chain(_metrics: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    panels = [
        _condition(kind, found, names, f"{title} ({kind})") for kind in _CHAIN_KINDS for title, names in _CHAIN.items()
    ]
    panels = [replace(panel, y=(-0.02, 1.02)) for panel in panels if panel.lines]
    alt = "Share of recordings of which something is said, and of what is said that is wrong, by dose of trouble."
    legend = (
        ("statements / superclasses changed / good", BLUE),
        ("heart rate / wrong rate / poor", ORANGE),
        ("QRS duration / wrong one", GREEN),
    )
    return draw_panels(f"The whole analysis, {found['n']} records", alt, panels, legend=legend, size=(300.0, 196.0))


def _subgroups(metrics: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    measured = [row["metrics"] for levels in found.values() for row in levels.values() if "metrics" in row]
    names = [name for name in (measured[0] if measured else ()) if not name.endswith(".difference")]
    names = sorted(names, key=_rank)[:_MOST_COLUMNS]
    rows = []
    for kind, levels in found.items():
        if not any("metrics" in row for row in levels.values()):
            continue
        rows.append(Row(kind, (), heading=True))
        for level, row in levels.items():
            inside = row.get("metrics", {})
            rows.append(Row(f"{level} ({row['n']})", [_difference(inside, name) for name in names]))
    alt = "Difference of each group from all others in each figure, with its 95 % interval; orange: without 0."
    return draw_forest(f"Subgroups against all others, {_where(metrics)}", alt, names, rows)


def _difference(inside: Mapping[str, Any], name: str) -> tuple[float, float, float] | None:
    figure = inside.get(f"{name}.difference")
    if figure is None or figure["value"] is None or figure["low"] is None:
        return None
    return figure["value"], figure["low"], figure["high"]
