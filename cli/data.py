"""``ecg data``: the public data sets - what there is, fetch, check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.common import AsJson, console, fails_clearly, print_json

if TYPE_CHECKING:
    from ecg_core.datasets import DataSet, Progress, Report

app = typer.Typer(
    name="data",
    help="Public ECG data sets: list, download, verify.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog="Examples:  ecg data list   ecg data get ludb   ecg data verify ludb --root data",
)


def _names(incomplete: str) -> list[str]:
    from ecg_core.datasets import DATASETS

    return [name for name in DATASETS if name.startswith(incomplete)]


Root = Annotated[
    Path | None,
    typer.Option(
        "--root",
        metavar="FOLDER",
        help="Folder of the data sets. Without it EINTHOVEN_DATA_DIR, else the user's data folder.",
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=_names, help="Name of a set, see `ecg data list`.")]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", autocompletion=_names, help="Names of sets; every set that is here without."),
]


@app.command("list")
@fails_clearly
def list_(root: Root = None, as_json: AsJson = False) -> None:
    """Show every known data set, its licence, where it is published, and whether it is here.

    [bold]Examples[/bold]

        ecg data list

        ecg data list --root ~/ecg --json
    """
    from ecg_core.datasets import DATASETS, data_dir

    rows = [_describe(dataset, root) for dataset in DATASETS.values()]
    if as_json:
        print_json({"root": str(root or data_dir()), "datasets": rows})
        return
    from rich.table import Table

    table = Table("name", "what it is", "licence", "here", "size", box=None, pad_edge=False)
    for row in rows:
        here = "[green]yes[/green]" if row["installed"] else "no"
        size = f"{row['files']} files, {_megabytes(row['bytes'])}" if row["installed"] else ""
        table.add_row(
            f"[bold]{row['name']}[/bold]", f"{row['title']}\n{row['about']}\n{row['page']}", row["licence"], here, size
        )
    out = console()
    out.print(table, soft_wrap=False)
    out.print(f"\nLooked in {root or data_dir()}. Fetch one with: ecg data get NAME")


@app.command()
@fails_clearly
def get(
    name: Name,
    root: Root = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="PATTERN", help="Fetch only files that match; the set's tables come anyway."),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option("--base-url", metavar="URL", help="Fetch from this copy instead of the publisher.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Download a data set, or go on with it, and check every file against the publisher's checksums.

    What has arrived is kept: run it again after an interruption. Read the licence before you use a set.

    [bold]Examples[/bold]

        ecg data get mitdb

        ecg data get ptbxl --only 'records100/*' --root ~/ecg
    """
    from ecg_core.datasets import DATASETS

    dataset = DATASETS[name]
    if not as_json:
        console(stderr=True).print(f"{dataset.title}: {dataset.licence}; please cite {dataset.citation}", markup=False)
    with _progress_bar(f"get {name}", quiet=as_json) as progress:
        report = dataset.download(root, progress=progress, only=only or (), base_url=base_url)
    if as_json:
        print_json(_report(report))
        return
    note = f" ({report.note})" if report.note else ""
    console().print(f"{name}: {report.ok} files in {report.folder}, {report.fetched} of them new{note}", markup=False)


@app.command()
@fails_clearly
def verify(names: Names = None, root: Root = None, as_json: AsJson = False) -> None:
    """Read every file of a data set again and compare it with the publisher's checksums.

    Exit code 1 where a file is missing or damaged.

    [bold]Examples[/bold]

        ecg data verify

        ecg data verify ptbxl mitdb --root ~/ecg
    """
    from ecg_core.datasets import DATASETS

    wanted = names or [
        name for name, dataset in DATASETS.items() if not dataset.in_memory and dataset.find(root) is not None
    ]
    reports = []
    for name in wanted:
        with _progress_bar(f"verify {name}", quiet=as_json) as progress:
            reports.append(DATASETS[name].verify(root, progress=progress))
    if as_json:
        print_json([_report(report) for report in reports])
    else:
        out = console()
        for report in reports:
            _print_report(report, lambda text: out.print(text, markup=False))
        if not reports:
            out.print("No data set is here. Fetch one with: ecg data get NAME")
    if not all(report.whole for report in reports):
        raise typer.Exit(1)


def _describe(dataset: DataSet[Any], root: Path | None) -> dict[str, Any]:
    folder = dataset.find(root)
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()] if folder else []
    return {
        "name": dataset.name,
        "title": dataset.title,
        "about": dataset.about,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "page": dataset.page,
        "splits": {name: split.about for name, split in dataset.splits.items()},
        "installed": folder is not None,
        "folder": str(folder) if folder else None,
        "files": len(sizes) if folder else None,
        "bytes": sum(sizes) if folder else None,
    }


def _report(report: Report) -> dict[str, Any]:
    return {
        "name": report.name,
        "folder": str(report.folder),
        "ok": report.ok,
        "fetched": report.fetched,
        "missing": list(report.missing),
        "damaged": dict(report.damaged),
        "note": report.note,
    }


def _print_report(report: Report, say: Callable[[str], None]) -> None:
    if report.note and not report.ok and report.whole:
        say(f"{report.name}: {report.note}")
        return
    how = "they arrived" if report.note else "published"
    counts = f"{report.ok} files as {how}, {len(report.missing)} missing, {len(report.damaged)} damaged"
    say(f"{report.name}: {counts}" + (f" ({report.note})" if report.note else ""))
    for file in report.missing[:20]:
        say(f"  missing  {file}")
    for file in list(report.damaged)[:20]:
        say(f"  damaged  {file}: {report.damaged[file]}")
    if len(report.missing) > 20 or len(report.damaged) > 20:
        say("  ... (--json lists all)")


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB"


@contextmanager
def _progress_bar(label: str, *, quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """Yield what draws progress on standard error, or None where nobody should see it."""
    if quiet:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files  {task.fields[size]}  {task.fields[file]}"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=None, size="", file="")

        def draw(progress: Progress) -> None:
            bars.update(
                task,
                completed=progress.files_done,
                total=progress.files,
                size=_megabytes(progress.bytes),
                file=progress.file,
            )

        yield draw
