"""`ecg evaluate`: how good a model is on a labelled data set."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import complain, console, fails_clearly

if TYPE_CHECKING:
    from ecg_core.evaluation import Evaluation

_SHOWN = 20


def _models(incomplete: str) -> list[str]:
    from ecg_core.evaluation import EXAMS

    return [name for name in EXAMS if name.startswith(incomplete)]


def _sets(incomplete: str) -> list[str]:
    from ecg_core.evaluation import EXAMS

    names = dict.fromkeys(data for exams in EXAMS.values() for data in exams)
    return [name for name in names if name.startswith(incomplete)]


def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", autocompletion=_models, help="Name of a model, as `beats`; a wrong one lists them all."
        ),
    ],
    data: Annotated[
        str,
        typer.Option("--data", metavar="SET", autocompletion=_sets, help="A labelled data set, see `ecg data list`."),
    ],
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            metavar="DIR",
            help="Folder of the set, or one that holds it; any copy, whole or part. Without it EINTHOVEN_DATA_DIR,"
            " else the user's data folder.",
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", metavar="S", help="Only this split of the set, as `ds1` of mitdb.")
    ] = None,
    include_trained: Annotated[
        bool,
        typer.Option(
            "--include-trained",
            help="Score the records too that the model was trained on; without it they are left out.",
        ),
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures to this file too.")
    ] = None,
) -> None:
    """Measure how good a model is on a labelled data set: every metric with its 95 % bootstrap interval.

    Records that cannot be read are named and left out of the figures; the exit code is then 1.
    """
    from ecg_core.evaluation import evaluate as examine

    if json_file is not None:
        make_room(json_file)
    with _progress(f"{model} on {data}") as progress:
        result = examine(model, data, root, split=split, include_trained=include_trained, progress=progress)
    if json_file is not None:
        result.save(json_file)
    show(result)
    for name in list(result.unreadable)[:_SHOWN]:
        complain(ValueError(f"not scored: {name}: {result.unreadable[name]}"))
    if len(result.unreadable) > _SHOWN:
        complain(ValueError(f"and {len(result.unreadable) - _SHOWN} more were not scored; --json FILE names them all"))
    if result.unreadable:
        raise typer.Exit(1)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(
        epilog="Examples:  ecg evaluate beats --data bundled   ecg evaluate beats --data cpsc2019 --root ~/ecg   "
        "ecg evaluate beats --data mitdb --split ds1 --json mitdb.json"
    )(fails_clearly(evaluate))


def make_room(path: Path) -> None:
    """Make the folder of the file before the work, so that its result is not lost after it."""
    from ecg_core.errors import WriteError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError("cannot be written", file=str(path), found=error.strerror or error) from error
    if path.is_dir():
        raise WriteError("is a folder", file=str(path), expected="a file")


def show(result: Evaluation) -> None:
    """Print the figures for people."""
    from rich.markup import escape
    from rich.table import Table

    out = console()
    part = f", split {result.split}" if result.split else ""
    out.print(f"[bold]{escape(result.model)}[/bold] {escape(result.version)} on {escape(result.data + part)}")
    counts = [f"{result.n} records scored"]
    if result.unreadable:
        counts.append(f"{len(result.unreadable)} not readable")
    if result.missing:
        counts.append(f"{result.missing} of the set are not here")
    if result.trained_on:
        what = "and scored all the same" if result.trained_on_included else "and left out"
        counts.append(f"{len(result.trained_on)} trained on {what}")
    out.print(", ".join(counts))
    table = Table("metric", box=None, pad_edge=False)
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    for name, metric in result.metrics.items():
        interval = "" if metric.low is None or metric.high is None else f"{metric.low:.4f} - {metric.high:.4f}"
        table.add_row(name, "undefined" if metric.value is None else f"{metric.value:.4f}", interval)
    out.print(table)
    if result.lost:
        _show_lost(result)


def _show_lost(result: Evaluation) -> None:
    """Print what went wrong in single records."""
    from rich.table import Table

    out = console()
    out.print(f"\n{len(result.lost)} of {result.n} records lost something")
    table = Table("record", "cost", box=None, pad_edge=False)
    for column in ("missed", "extra"):
        table.add_column(column, justify="right")
    for name, lost in list(result.lost.items())[:_SHOWN]:
        cost = ", ".join(f"{part} -{points:g}" for part, points in lost["cost"].items() if points)
        table.add_row(name, cost, str(lost["missed"]), str(lost["extra"]))
    out.print(table)
    if len(result.lost) > _SHOWN:
        out.print(f"and {len(result.lost) - _SHOWN} more; --json FILE names them all")


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int, str], None] | None]:
    """Yield what draws progress on standard error, or None where nobody would see it."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[record]}", markup=False),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=None, record="")

        def draw(done: int, total: int, record: str) -> None:
            bars.update(task, completed=done, total=total, record=record or "intervals ...")

        yield draw
