"""What the commands share: output as JSON or for people, and errors as one sentence with exit code 2."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ecg_core.recording import Recording

P = ParamSpec("P")
R = TypeVar("R")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def console(*, stderr: bool = False) -> Console:
    """Return a rich console on standard output (or standard error)."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print ``value`` as indented JSON; NaN is refused, since it is not JSON."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def complain(error: Exception) -> None:
    """Say on standard error, in one sentence, what went wrong."""
    sys.stderr.write(f"ecg: {' '.join(str(error).split())}\n")


def fails_clearly(command: Callable[P, R]) -> Callable[P, R]:
    """Turn an `EcgError` of ``command`` into one clear sentence and exit code 2."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from ecg_core.errors import EcgError

        try:
            return command(*args, **kwargs)
        except EcgError as error:
            complain(error)
            raise typer.Exit(2) from error
        except BrokenPipeError:
            # The reader of our output (head, less) has gone; there is nobody left to tell.
            sys.stdout = None
            raise typer.Exit(0) from None

    return run


def require(module: str, extra: str) -> None:
    """Raise where a command needs more than the library, and that is not installed."""
    if find_spec(module) is None:
        from ecg_core.errors import InvalidValue

        raise InvalidValue(
            f"this command needs more than the library: {module} is not installed",
            options=(f'pip install "einthoven[{extra}]"',),
        )


def write_files(files: dict[str, bytes], folder: Path, *, force: bool) -> list[Path]:
    """Write ``files`` into ``folder``; existing ones only if told to."""
    from ecg_core.errors import WriteError

    paths = [folder / name for name in files]
    for path in paths:
        if path.exists() and not force:
            raise WriteError("exists already", file=str(path), options=("--force to replace it", "-o for another name"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in zip(paths, files.values(), strict=True):
            path.write_bytes(data)
    except OSError as error:
        raise WriteError("cannot be written", file=str(folder), found=error.strerror or error) from error
    return paths


def show_rows(recording: Recording, rows: Iterable[tuple[str, str]]) -> None:
    """Print the name of a recording and, under it, labels with their values."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(label, escape(value))
    name = recording.source.name if recording.source else "recording"
    console().print(f"[bold]{escape(name)}[/bold]")
    console().print(table)
