"""What the commands that read recordings share: their arguments, and reading in a process apart."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import console

if TYPE_CHECKING:
    from ecg_core.readers import ReadOptions
    from ecg_core.reading import ReadResult
    from ecg_core.recording import Recording

Paths = Annotated[list[Path], typer.Argument(help="Recordings, or zip / tar.gz archives of them.", metavar="FILE...")]
OneFile = Annotated[Path, typer.Argument(help="A recording, or an archive of recordings.", metavar="FILE")]
Fs = Annotated[float | None, typer.Option("--fs", metavar="HZ", help="Samples per second, if the file does not say.")]
Units = Annotated[
    str | None,
    typer.Option("--units", help="mV, uV, V, nV or the millivolts of one step, where the file does not say."),
]
LeadNames = Annotated[
    str | None,
    typer.Option("--leads", help="Names of the channels in file order, separated by commas.", metavar="I,II,..."),
]
Format = Annotated[str | None, typer.Option("--format", help="Read as this format instead of recognising the content.")]
_MANY = 20


def read_options(fs: float | None, units: str | None, leads: str | None, form: str | None) -> ReadOptions:
    """Return what the shared options say."""
    from ecg_core.readers import ReadOptions

    names = tuple(name.strip() for name in leads.split(",")) if leads else None
    return ReadOptions(fs=fs, units=units, leads=names, format=form)


def read_all(paths: list[Path], options: ReadOptions) -> Iterator[ReadResult]:
    """Read every recording in ``paths``; a file that came along with an earlier one is not read again."""
    from ecg_core.errors import EcgError
    from ecg_core.isolation import IsolationSettings, ReadPool
    from ecg_core.reading import Folder, ReadResult, load

    seen: set[Path] = set()
    folders: dict[Path, Folder] = {}
    with ReadPool(IsolationSettings(workers=1)) as pool, _progress(paths) as advance:
        for path in paths:
            if path.resolve() not in seen:
                try:
                    folder = folders.setdefault(path.parent, Folder(path.parent))
                    files = load(path, options, folder=folder)
                    seen.update((path.parent / name).resolve() for name in files)
                    yield from pool.read_many(files, options)
                except EcgError as error:
                    yield ReadResult(str(path), None, error)
            advance()


def read_one(path: Path, options: ReadOptions) -> Recording:
    """Read the one recording at ``path``."""
    from ecg_core.isolation import IsolationSettings, ReadPool
    from ecg_core.reading import load

    with ReadPool(IsolationSettings(workers=1)) as pool:
        return pool.read(load(path, options), options)


@contextmanager
def _progress(paths: list[Path]) -> Iterator[Callable[[], None]]:
    """Yield what advances a progress bar on standard error, for long lists and where somebody can see it."""
    if len(paths) < _MANY or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.progress import Progress

    with Progress(console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=len(paths))
        yield lambda: bar.advance(task)
