"""The `ecg` command: one file a group, and nothing imported that the command at hand does not use."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli import (
    admin,
    analyze,
    beats,
    compare,
    data,
    db,
    evaluate,
    explain,
    measure,
    models,
    recordings,
    report,
    rhythm,
    serve,
    synth,
    train,
    worker,
)

app = typer.Typer(
    name="ecg",
    help="Read, check, convert, draw and synthesise electrocardiograms. Research use, not a medical device.",
    epilog="Examples:  [bold]ecg info 100.hea[/bold]   [bold]ecg convert scan.dcm --to wfdb[/bold]   "
    "[bold]ecg plot 100.hea -o 100.pdf[/bold]   [bold]ecg synth --rhythm af -o af.csv[/bold]",
    rich_markup_mode="rich",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
analyze.add_to(app)
recordings.add_to(app)
synth.add_to(app)
beats.add_to(app)
rhythm.add_to(app)
measure.add_to(app)
compare.add_to(app)
report.add_to(app)
explain.add_to(app)
evaluate.add_to(app)
train.add_to(app)
serve.add_to(app)
worker.add_to(app)
app.add_typer(data.app, name="data")
app.add_typer(admin.app, name="admin")
app.add_typer(db.app, name="db")
app.add_typer(models.app, name="models")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"einthoven {version('einthoven')}\n")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Hold the options that stand before a command."""


def main() -> None:
    """Run the command line."""
    app()
