"""`ecg measure`: the table of an electrocardiograph, with ranges, flags, spread and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.common import AsJson, console, fails_clearly, print_json
from cli.reading import Format, Fs, LeadNames, OneFile, Units, read_one, read_options

if TYPE_CHECKING:
    from rich.table import Table

    from ecg_core.measurements import Measurement, Measurements
    from ecg_core.pipeline import Analysis

_WORDS = {
    "hr_bpm": "heart rate",
    "rr_min_ms": "shortest RR",
    "rr_max_ms": "longest RR",
    "pr_ms": "PR",
    "p_ms": "P",
    "qrs_ms": "QRS",
    "qt_ms": "QT",
    "jt_ms": "JT",
    "qtc_bazett_ms": "QTc Bazett",
    "qtc_fridericia_ms": "QTc Fridericia",
    "qtc_framingham_ms": "QTc Framingham",
    "qtc_hodges_ms": "QTc Hodges",
    "p_axis_deg": "P axis",
    "qrs_axis_deg": "QRS axis",
    "t_axis_deg": "T axis",
    "sokolow_lyon_mv": "Sokolow-Lyon",
    "cornell_mv": "Cornell",
    "r_transition": "R outgrows S at V",
}
_UNITS = {"bpm": " /min", "ms": " ms", "deg": "°", "mv": " mV"}
_LEAD_COLUMNS = {
    "q_mv": "Q",
    "r_mv": "R",
    "s_mv": "S",
    "st_j_mv": "J",
    "st_j40_mv": "J+40",
    "st_j60_mv": "J+60",
    "st_j80_mv": "J+80",
}
_MARKS = {"low": "[bold yellow]▼ low[/]", "high": "[bold yellow]▲ high[/]", "normal": "[dim]ok[/]", None: ""}


def measure(
    file: OneFile,
    age: Annotated[float | None, typer.Option("--age", help="Years, where the file does not say.")] = None,
    sex: Annotated[Literal["female", "male"] | None, typer.Option("--sex", help="Where the file does not say.")] = None,
    as_json: AsJson = False,
    fs: Fs = None,
    units: Units = None,
    leads: LeadNames = None,
    form: Format = None,
) -> None:
    """Measure rates, intervals, axes, voltages and ST levels, beside what is usual for age and sex.

    A value that can't be had says why. Critical findings by rule come first. Research use, not a medical device:
    suggested, unconfirmed.
    """
    from ecg_core.pipeline import analyze, state_subject

    found = analyze(state_subject(read_one(file, read_options(fs, units, leads, form)), age, sex))
    if as_json:
        analysis = found.to_dict()
        parts = ("subject", "quality", "rhythm", "pacing", "measurements", "urgent", "provenance")
        print_json({"file": file.name, **{name: analysis[name] for name in parts}})
    else:
        _show(found)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(
        epilog="Examples:  ecg measure 100.hea   ecg measure ecg.xml --json   ecg measure x.csv --fs 500 --age 63"
    )(fails_clearly(measure))


def _show(found: Analysis) -> None:
    """Print the findings for people."""
    from rich.markup import escape
    from rich.table import Table

    out, recording = console(), found.recording
    name = recording.source.name if recording.source else "recording"
    out.print(f"[bold]{escape(name)}[/bold]  [dim]research use: suggested, unconfirmed[/dim]")
    for finding in found.urgent:
        out.print(f"[bold red]! {escape(finding.text)}[/] [dim]({escape(finding.source)})[/dim]")
    facts = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    for label, text in _facts(found):
        facts.add_row(label, escape(text))
    out.print(facts)
    out.print(_table(found.measurements))
    if found.measurements.leads:
        out.print(_lead_table(found.measurements))
    for word, texts in (("none", _reasons(found.measurements)), ("note", _cautions(found.measurements))):
        for text, names in texts.items():
            out.print(f"[dim]{word}[/dim]  {', '.join(names)}: {escape(text)}")
    for note in found.measurements.notes:
        out.print(f"[dim]note[/dim]  {escape(note)}")


def _facts(found: Analysis) -> list[tuple[str, str]]:
    """Return label and text of what stands before the table."""
    subject, quality, rhythm = found.subject, found.quality, found.rhythm
    person = (f"{subject.age:g} years" if subject.age is not None else "", subject.sex or "")
    rows = [
        ("person", ", ".join(part for part in person if part) or "unknown: an adult is assumed"),
        ("quality", "; ".join((quality.verdict, *quality.reasons))),
        (
            "rhythm",
            f"{rhythm.title}, probability {rhythm.probability:.2f}" if rhythm.label else f"none: {rhythm.reason}",
        ),
        ("beats", f"{len(found.beats)}" if len(found.beats) else f"none: {found.beats.reason}"),
    ]
    if found.pacing.paced:
        rows.append(("pacing", "; ".join(found.pacing.evidence)))
    rows += [("electrodes", f"suspected: {item.title}; {item.advice}") for item in found.reversals.suspected]
    if found.waves.reason:
        rows.append(("waves", f"none: {found.waves.reason}"))
    elif found.part.reason:
        rows.append(("part", f"{found.part.start_s:.0f} to {found.part.end_s:.0f} s: {found.part.reason}"))
    return rows


def _table(measurements: Measurements) -> Table:
    """Return the values that there are, beside what is usual."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for title in ("value", "usual", "spread", "beats"):
        table.add_column(title, justify="right")
    table.add_column("")
    for name, word in _WORDS.items():
        item = measurements[name]
        if item.value is not None:
            spread = "" if item.spread is None else f"± {_number(name, item.spread)}"
            row = (_number(name, item.value) + _unit(name), _usual(name, item), spread, str(item.n))
            table.add_row(word, *row, _MARKS[item.flag])
    return table


def _lead_table(measurements: Measurements) -> Table:
    """Return wave heights and ST levels, a lead a row; what is out of its range in bold."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("mV")
    for title in _LEAD_COLUMNS.values():
        table.add_column(title, justify="right")
    for lead, row in measurements.leads.items():
        cells = [_number("mv", row[name].value) for name in _LEAD_COLUMNS]
        odd = [row[name].flag in ("low", "high") for name in _LEAD_COLUMNS]
        table.add_row(lead, *(f"[bold yellow]{c}[/]" if o else c for c, o in zip(cells, odd, strict=True)))
    return table


def _reasons(measurements: Measurements) -> dict[str, list[str]]:
    """Return why values are missing, with the names of those that are."""
    return _by_text({name: measurements[name].reason for name in _WORDS})


def _cautions(measurements: Measurements) -> dict[str, list[str]]:
    return _by_text({name: measurements[name].caution for name in _WORDS})


def _by_text(texts: dict[str, str | None]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, text in texts.items():
        if text:
            found.setdefault(text, []).append(_WORDS[name])
    return found


def _number(name: str, value: float | None) -> str:
    """Return a number with the digits that mean something; a dash for none."""
    if value is None:
        return "\N{EN DASH}"
    digits = {"mv": 2, "transition": 1}.get(name.rpartition("_")[2], 0)
    return f"{round(value, digits) + 0.0:.{digits}f}"


def _unit(name: str) -> str:
    return _UNITS.get(name.rpartition("_")[2], "")


def _usual(name: str, item: Measurement) -> str:
    """Return a range as people write it: ``120-200``, ``< 450``."""
    usual = item.range
    if usual is None:
        return ""
    if usual.low is not None and usual.high is not None:
        return f"{_number(name, usual.low)} to {_number(name, usual.high)}"
    if usual.high is not None:
        return f"{'≤' if usual.high_included else '<'} {_number(name, usual.high)}"
    return "" if usual.low is None else f"≥ {_number(name, usual.low)}"
