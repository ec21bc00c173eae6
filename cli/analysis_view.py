"""An analysis for people: what is urgent, the diagnosis, the findings, figures, risk, and what to keep in mind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis
    from ecg_core.findings import Finding
    from ecg_core.measurements import Measurement

WIDTH = 100
_LEVELS = {
    "urgent": "bold white on red",
    "abnormal": "bold yellow",
    "borderline": "yellow",
    "normal": "green",
    "undetermined": "dim",
}
_FIGURES = {
    "hr_bpm": ("rate", "/min"),
    "pr_ms": ("PR", " ms"),
    "qrs_ms": ("QRS", " ms"),
    "qt_ms": ("QT", " ms"),
    "qtc_fridericia_ms": ("QTc", " ms"),
    "qrs_axis_deg": ("axis", "°"),
}
_KINDS = {"measurement": "measured", "ischaemia": "ST-T"}
_ABOVE_OR_BELOW = ("urgent", "normal", "risk")
"""Kinds of findings that stand elsewhere: in the frame, in the diagnosis with its probability, and as figures."""
_MOST_SIGNS = 3


def console() -> Console:
    """Return a console no wider than `WIDTH`."""
    found = Console(highlight=False)
    found.width = min(found.width, WIDTH)
    return found


def show(out: Console, name: str, found: Analysis) -> None:
    """Print an analysis."""
    out.print(Text.assemble((name, "bold"), "  ", (_about(found), "dim")), overflow="fold")
    if found.urgent:
        lines = [Text.assemble(("! ", "bold red"), (item.text, "bold"), (f"  {item.source}", "dim"))
                 for item in found.urgent]  # fmt: skip
        out.print(Panel(Group(*lines), title="urgent: look at the tracing now", border_style="red", title_align="left"))
    out.print(Text(found.summary.diagnosis, "bold"))
    out.print(_score(found))
    if rows := [item for item in found.findings if item.kind not in _ABOVE_OR_BELOW]:
        out.print(_findings(rows))
    facts = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for label, text in _facts(found):
        facts.add_row(label, text)
    out.print(facts)
    out.print("[dim]Research use, not a medical device: suggested, unconfirmed.[/dim]")
    out.print()


def _about(found: Analysis) -> str:
    recording, subject = found.recording, found.subject
    leads = f"{recording.n_leads} leads" if recording.n_leads > 1 else f"lead {recording.leads[0]}"
    person = ", ".join(
        part for part in (f"{subject.age:g} years" if subject.age is not None else "", subject.sex) if part
    )
    return f"{leads}, {recording.duration_s:.4g} s, {recording.fs:g} Hz; {person or 'an adult is assumed'}"


def _score(found: Analysis) -> Text:
    score = found.summary.score
    text = Text.assemble((f" {score.level} ", _LEVELS[score.level]))
    if score.confidence is not None:
        # Of what is normal, the line above said it.
        of = f": {score.of}" if score.of and score.level != "normal" else ""
        text.append(f"  confidence {_chance(score.confidence)}{of}", "dim")
    return text


def _findings(rows: list[Finding]) -> RenderableType:
    """Return the findings, each with its probability and what speaks for and against it."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(max_width=44, overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for item in rows:
        signs = [f"[yellow]✗ {escape(text)}[/]" for text in item.against]
        signs += [f"[dim]{escape(text)}[/]" for text in item.evidence]
        more = len(signs) - _MOST_SIGNS
        shown = "\n".join([*signs[:_MOST_SIGNS], *([f"[dim]{more} more with --json[/]"] if more > 0 else [])])
        sure = "" if item.confidence is None else _chance(item.confidence)
        text = escape(item.text)
        table.add_row(_KINDS.get(item.kind, item.kind), text if item.borderline else f"[bold]{text}[/]", sure, shown)
    return table


def _chance(probability: float) -> str:
    """Return a probability; none is so near to 0 or 1 that it is certain."""
    if probability < 0.01:
        return "under 0.01"
    return "over 0.99" if probability > 0.99 else f"{probability:.2f}"


def _facts(found: Analysis) -> Iterator[tuple[str, str]]:
    """Yield label and text, as rich markup, of what stands beneath the findings."""
    figures = [_figure(name, found.measurements[name]) for name in _FIGURES]
    if any(figures):
        yield "measured", "   ".join(figure for figure in figures if figure)
    if found.quality.verdict == "usable":
        yield "signal", escape("; ".join((found.quality.verdict, *found.quality.reasons)))
    yield "AF risk", escape("\n".join(_risk(found)))
    for name, prediction in found.predictions.items():
        if (age := prediction.quantity("age")) is not None and age.value is not None:
            covered = f", {age.coverage:.0%} interval" if age.coverage else ""
            span = (
                f" ({age.low:.0f} to {age.high:.0f}{covered})" if age.low is not None and age.high is not None else ""
            )
            sexes = ", ".join(
                f"{sex} {_chance(answer.probability)}"
                for sex, answer in prediction.labels("sex").items()
                if answer.probability is not None and answer.probability >= 0.5
            )
            yield "ECG age", escape(f"{age.value:.0f} years{span}" + (f"; sex: {sexes}" if sexes else "") + f"; {name}")
    used = [f"{found.model.name} {found.model.version}" for found in found.predictions.values() if not found.abstains]
    yield "models", escape(", ".join(used) or "; ".join(found.provenance["notes"]) or "none answered")
    cautioned: dict[str, list[str]] = {}
    for prediction in found.predictions.values():
        for caution in prediction.cautions:
            cautioned.setdefault(caution, []).append(prediction.model.name)
    for caution, names in cautioned.items():
        yield "note", escape(f"{', '.join(names)}: {caution}")
    for note in found.recording.warnings:
        yield "note", escape(note)


def _figure(name: str, item: Measurement) -> str:
    if item.value is None:
        return ""
    label, unit = _FIGURES[name]
    mark = {"high": " [bold yellow]▲[/]", "low": " [bold yellow]▼[/]"}.get(item.flag or "", "")
    return f"[dim]{label}[/] {item.value:.0f}{unit}{mark}"


def _risk(found: Analysis) -> Iterator[str]:
    """Yield what is said of the risk of fibrillation, the most certain first."""
    risk = found.af_risk
    if risk.value_5y is not None and risk.estimate is not None:
        estimate = risk.estimate
        span = ""
        if estimate.likely_low is not None and estimate.likely_high is not None:
            span = f" ({100 * estimate.likely_low:.1f} to {100 * estimate.likely_high:.1f} %)"
        yield f"{100 * risk.value_5y:.1f} % in 5 years{span}, by {estimate.basis}"
        if estimate.would_narrow:
            yield f"narrowed most by: {estimate.would_narrow.title}"
    elif risk.needs:
        from ecg_core.risk import FACTS

        yield "no figure without: " + ", ".join(FACTS[name].title if name in FACTS else name for name in risk.needs)
    else:
        yield f"no figure: {risk.reason}"
    if risk.reference.value is not None:
        yield f"reference {100 * risk.reference.value:.1f} %, {risk.reference.says}"
    if risk.signature.percentile is not None:
        yield f"AF-like traits: percentile {risk.signature.percentile:.0f} of tracings without AF (a rank, not a risk)"
