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
        Path | None,
        typer.Option(
            "--json",
            metavar="FILE",
            help="Write the figures to this file too, with curves, subgroups and the most confident errors.",
        ),
    ] = None,
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness",
            help="Try the model under noise, other amplitudes and rates, mains, lost leads and exchanged electrodes"
            " too: a few dozen times as long as the sample takes once. It goes into --json and --figures.",
        ),
    ] = False,
    sample: Annotated[
        int, typer.Option("--sample", metavar="N", min=1, help="About how many records --robustness takes.")
    ] = 200,
    figures: Annotated[
        Path | None,
        typer.Option(
            "--figures",
            metavar="DIR",
            help="Draw reliability, ROC, decision curves, subgroups and robustness into this folder, as SVG.",
        ),
    ] = None,
    gallery: Annotated[
        Path | None,
        typer.Option(
            "--gallery",
            metavar="DIR",
            help="Draw the most confident errors of each label, or the records read worst, into this folder, with an"
            " index.html. These are recordings of the data set.",
        ),
    ] = None,
) -> None:
    """Measure how good a model is on a labelled data set: every metric with its 95 % bootstrap interval.

    Records that cannot be read are named and left out of the figures; the exit code is then 1.
    """
    from ecg_core.evaluation import evaluate as examine
    from ecg_core.evaluation.exams.parts import PARTS

    if json_file is not None:
        make_room(json_file)
    wanted = {
        "curves": json_file or figures,
        "subgroups": json_file or figures,
        "robustness": robustness,
        "failures": json_file or gallery,
    }
    parts = [part for part in PARTS if wanted[part]]
    with _progress(f"{model} on {data}") as progress:
        result = examine(
            model,
            data,
            root,
            split=split,
            include_trained=include_trained,
            parts=parts,
            sample=sample,
            progress=progress,
        )
    if json_file is not None:
        result.save(json_file)
    show(result)
    if figures is not None:
        draw_figures(result, figures)
    if gallery is not None:
        draw_gallery(result, root, gallery)
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
        "ecg evaluate beats --data mitdb --split ds1 --json mitdb.json   "
        "ecg evaluate tabular --data ptbxl --split 9 --robustness --figures out --gallery out/errors"
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


def draw_figures(result: Evaluation, folder: Path) -> None:
    """Write the figures of an evaluation into a folder and say which."""
    from ecg_core.evaluation.figures import figures_of

    drawn = figures_of(result.to_dict())
    for name, picture in drawn.items():
        path = folder / f"{result.model}-{name}.svg"
        make_room(path)
        path.write_text(picture, "utf-8")
    console().print(f"\n{len(drawn)} figures in {folder}: {', '.join(drawn) or 'nothing to draw'}", markup=False)


def draw_gallery(result: Evaluation, root: Path | None, folder: Path) -> None:
    """Draw the failures of an evaluation into a folder and say where the page is."""
    from ecg_core.datasets import DATASETS
    from ecg_core.evaluation.gallery import write_gallery

    failures = result.parts.get("failures")
    if failures is None:
        console().print(f"\nno gallery: nothing is told of single records of {result.model} on {result.data}")
        return
    entries = {entry.name: entry for entry in DATASETS[result.data].listing(root)}
    starts = {name: min([*lost["missed_s"], *lost["extra_s"]], default=0.0) for name, lost in result.lost.items()}
    title = f"{result.model} {result.version} on {result.data}"
    page = write_gallery(folder, title, failures, lambda name: entries[name].load(), starts)
    console().print(f"\ngallery: {page}", markup=False)


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
