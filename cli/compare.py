"""`ecg compare`: two recordings of one person beside one another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import AsJson, console, fails_clearly, print_json
from cli.reading import Format, Fs, LeadNames, Units, read_one, read_options

if TYPE_CHECKING:
    from rich.table import Table

    from ecg_core.comparison import Change, Comparison

Before = Annotated[Path, typer.Argument(help="The earlier recording.", metavar="BEFORE")]
After = Annotated[Path, typer.Argument(help="The later one.", metavar="AFTER")]
_ORDER = ("changed", "within noise", "cannot be told")
_STYLES = {"changed": "bold", "within noise": "", "cannot be told": "dim"}


def compare(
    before: Before,
    after: After,
    as_json: AsJson = False,
    fs: Fs = None,
    units: Units = None,
    leads: LeadNames = None,
    form: Format = None,
) -> None:
    """Compare two recordings of one person: each difference beside what it differs by where nothing changed.

    What changed beyond its noise stands first. That says neither why nor whether it matters: electrodes that were
    placed anew change a tracing, too. Research use, not a medical device.
    """
    from ecg_core.comparison import compare_analyses
    from ecg_core.pipeline import analyze

    options = read_options(fs, units, leads, form)
    first, second = (read_one(path, options) for path in (before, after))
    found = compare_analyses(analyze(first), analyze(second))
    if as_json:
        print_json(found.to_dict())
    else:
        _show(found)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(epilog="Examples:  ecg compare may.hea june.hea   ecg compare a.dcm b.dcm --json | jq .changed")(
        fails_clearly(compare)
    )


def _show(found: Comparison) -> None:
    """Print a comparison for people."""
    from rich.markup import escape

    out = console()
    for warning in found.warnings:
        out.print(f"[yellow]! {escape(warning)}[/yellow]")
    out.print(f"[bold]{escape(found.summary)}[/bold]\n")
    out.print(_measurements(found.measurements))
    for reason, names in _untold(found.measurements).items():
        out.print(f"[dim]cannot be told: {', '.join(names)}: {escape(reason)}[/dim]")
    changed = {
        f"{lead} {name}": item
        for lead, row in found.leads.items()
        for name, item in row.items()
        if item.verdict == "changed"
    }
    if changed:
        out.print("\nChanged in single leads")
        out.print(_measurements(changed))
    if found.statements:
        out.print("\nStatements")
        out.print(_statements(found))
    for source in {item.noise.source for item in found.measurements.values() if item.noise and item.difference}:
        told = found.noise["sources"][source]
        out.print(f"\n[dim]noise ({source}): {escape(told['data'])}; {escape(told['looks'])}.[/dim]")
        out.print(f"[dim]left out: {escape(told['leaves_out'])}.[/dim]")


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(columns[0], box=None, pad_edge=False)
    for title in columns[1:-1]:
        table.add_column(title, justify="right")
    table.add_column(columns[-1], overflow="fold")
    return table


def _measurements(measured: Mapping[str, Change]) -> Table:
    from ecg_core.comparison.summary import TITLES, in_words

    table = _table("", "before", "after", "difference", "noise", "")
    for verdict in _ORDER:
        for name, item in measured.items():
            if item.verdict != verdict or item.before is None or item.after is None or item.difference is None:
                continue
            own = name.rpartition(" ")[2]
            by = in_words(own, item.difference, signed=True)
            noise = f"up to {in_words(own, item.noise.limit)}" if item.noise and item.reason is None else ""
            values = (in_words(own, item.before), in_words(own, item.after))
            table.add_row(TITLES.get(name, name), *values, by, noise, verdict, style=_STYLES[verdict])
    return table


def _untold(measured: Mapping[str, Change]) -> dict[str, list[str]]:
    """Return the measurements that cannot be compared, by the reason."""
    from ecg_core.comparison.summary import TITLES

    found: dict[str, list[str]] = {}
    for name, item in measured.items():
        if item.reason is not None:
            found.setdefault(item.reason, []).append(TITLES[name])
    return found


def _statements(found: Comparison) -> Table:
    table = _table("", "before", "after", "")
    for item in found.statements:
        values = ["" if value is None else f"{value:.2f}" for value in (item.before, item.after)]
        aside = item.reason or {False: "within noise", True: "beyond noise", None: ""}[item.beyond_noise]
        table.add_row(item.text, *values, f"{item.fate}{f' ({aside})' if aside else ''}")
    return table
