"""`ecg analyze`: all that can be said about recordings, for people, as JSON, or as a file of rows."""

from __future__ import annotations

import json
import sys
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.common import AsJson, complain, fails_clearly, print_json
from cli.reading import Format, Fs, LeadNames, Units, read_options
from cli.stated import Age, Sex, with_facts

if TYPE_CHECKING:
    from cli.finding_files import Place
    from cli.result_files import Results
    from ecg_core.analysis import Analysis
    from ecg_core.errors import EcgError
    from ecg_core.predictors import Predictor
    from ecg_core.recording import Recording

    Told = Iterator[tuple[Place, Analysis | EcgError]]

Sources = Annotated[
    list[Path],
    typer.Argument(help="Recordings, folders (with the folders in them), zip / tar.gz archives.", metavar="PATH..."),
]
Out = Annotated[
    Path | None, typer.Option("-o", "--out", help="File to write, .csv or .jsonl: one row a recording, errors as rows.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue FILE of -o where an interrupted run stopped.")]
Force = Annotated[bool, typer.Option("--force", help="Replace FILE of -o if it exists.")]
Models = Annotated[
    str | None, typer.Option("--models", help="Ask these models only, separated by commas.", metavar="NAME,...")
]
Point = Annotated[
    str,
    typer.Option(
        "--operating-point",
        help="What is called: max_f1 (best balance), se95 (few missed) or sp95 (few false alarms).",
        metavar="POINT",
    ),
]


def analyze(
    paths: Sources,
    facts: Mapping[str, str],
    out: Out = None,
    resume: Resume = False,
    force: Force = False,
    as_json: AsJson = False,
    models: Models = None,
    operating_point: Point = "max_f1",
    age: Age = None,
    sex: Sex = None,
    fs: Fs = None,
    units: Units = None,
    leads: LeadNames = None,
    form: Format = None,
) -> None:
    """Say all that can be said about recordings: diagnosis, rhythm, measurements, what models say, the risk of AF.

    What is urgent stands first. With [bold]--json[/bold] one recording gives an object, several an array. With
    [bold]-o[/bold] each recording becomes a row as soon as it is analysed; what cannot be read becomes a row with its
    error, and the exit code is then 2. What is stated of the person holds for every recording. Research use, not a
    medical device: suggested, unconfirmed.
    """
    from cli.finding_files import Passed, read_places
    from ecg_core.errors import EcgError, InvalidValue, NeedsOption, UnreadableFile
    from ecg_core.isolation import IsolationSettings, ReadPool
    from ecg_core.pipeline import analyze_many, choose_predictors, state_subject
    from ecg_core.predictors import OPERATING_POINTS
    from ecg_core.recording import Subject
    from ecg_core.risk import parse_facts

    if operating_point not in OPERATING_POINTS:
        raise InvalidValue("unknown", field="--operating-point", found=operating_point, options=OPERATING_POINTS)
    if resume and out is None:
        raise NeedsOption("there is nothing to continue", field="--resume", options=("-o FILE",))
    names = [name.strip() for name in models.split(",") if name.strip()] if models else None
    chosen = choose_predictors(names)
    stated = parse_facts(facts)
    settings = _settings(chosen, operating_point, {"age": age, "sex": sex, **stated})
    Subject(age=age, sex=sex)
    passed, places = Passed(), deque["Place"]()

    with _results(out, settings, resume=resume, force=force) as results, ReadPool(IsolationSettings(workers=1)) as pool:
        before = results.before if results else None
        found = read_places(
            paths,
            read_options(fs, units, leads, form),
            pool,
            leave_out=out,
            done=before.files if before else (),
            done_within=before.within if before else None,
            passed=passed,
        )
        count = before.rows if before else 0

        def recordings() -> Iterator[Recording | EcgError]:
            nonlocal count
            for place, item in found:
                count += 1
                places.append(place)
                yield item if isinstance(item, EcgError) else state_subject(item, age, sex, stated)

        analyses = analyze_many(recordings(), models=names, operating_point=operating_point)
        told = ((places.popleft(), analysis) for analysis in analyses)
        failed = _write(results, told) if results else _print_json(told) if as_json else _print(told)
    if passed.files:
        what = "1 file that is no recording" if passed.files == 1 else f"{passed.files} files that are no recordings"
        sys.stderr.write(f"ecg: passed over {what}\n")
    if not count:
        raise UnreadableFile("no recording was found", file=", ".join(str(path) for path in paths))
    if failed:
        raise typer.Exit(2)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(
        epilog="Examples:  ecg analyze 100.hea   ecg analyze study/ -o results.csv   "
        "ecg analyze 100.hea --age 63 --height 171 --weight 80 --systolic 140 --diastolic 85"
    )(with_facts(fails_clearly(analyze)))


def _settings(chosen: Mapping[str, Predictor], point: str, stated: Mapping[str, Any]) -> str:
    """Return in words what decides the results beside the recordings: runs that differ in it are not to be mixed."""
    from ecg_core import __version__
    from ecg_core.report.rows import describe_settings

    return describe_settings(__version__, point, (item.identity for item in chosen.values()), stated)


def _results(
    out: Path | None, settings: str, *, resume: bool, force: bool
) -> AbstractContextManager[Results] | AbstractContextManager[None]:
    if out is None:
        return nullcontext()
    from cli.result_files import Results

    return Results(out, settings, resume=resume, force=force)


def _write(results: Results, told: Told) -> int:
    """Write a row each, tell how many of which level there were, and return how many failed."""
    from ecg_core.errors import EcgError

    counts: Counter[str] = Counter()
    with _progress(results.before.rows) as advance:
        try:
            for place, found in told:
                results.add(place, found)
                counts["failed" if isinstance(found, EcgError) else found.summary.score.level] += 1
                advance()
        except KeyboardInterrupt:
            sys.stderr.write(f"ecg: stopped; --resume continues {results.path}\n")
            raise
    order = ("urgent", "abnormal", "borderline", "normal", "undetermined", "failed")
    text = ", ".join(f"{counts[name]} {name}" for name in order if counts[name])
    earlier = results.before.rows
    went_on = f", after {earlier} of an earlier run" if earlier else ""
    sys.stdout.write(
        f"{results.path}: {_recordings(counts.total(), 'more ' if earlier else '')}{went_on}"
        + (f": {text}\n" if text else "\n")
    )
    return counts["failed"]


def _recordings(count: int, more: str) -> str:
    return f"{count} {more}recording{'' if count == 1 else 's'}"


def _progress(done: int) -> AbstractContextManager[Any]:
    """Return what counts on standard error, where somebody can see it."""
    from contextlib import contextmanager

    @contextmanager
    def counting() -> Iterator[Any]:
        if not sys.stderr.isatty():
            yield lambda: None
            return
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.completed} recordings"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None, completed=done)
            yield lambda: bar.advance(task)

    return counting()


def _print_json(told: Told) -> int:
    """Print one object, or an array that grows as the recordings are analysed; return how many failed."""
    from ecg_core.errors import EcgError

    failed, count, first = 0, 0, None
    for place, found in told:
        row = {"file": place.name} | ({"error": found.to_dict()} if isinstance(found, EcgError) else found.to_dict())
        if isinstance(found, EcgError):
            failed += 1
            complain(found)
        count += 1
        if count == 1:
            first = row
            continue
        for item in (first, row) if count == 2 else (row,):
            sys.stdout.write(
                ("[\n" if item is first else ",\n") + json.dumps(item, ensure_ascii=False, allow_nan=False)
            )
    if count > 1:
        sys.stdout.write("\n]\n")
    elif first is not None and not failed:
        print_json(first)
    return failed


def _print(told: Told) -> int:
    """Print each analysis for people; return how many failed."""
    from cli.analysis_view import console, show
    from ecg_core.errors import EcgError

    failed, out = 0, console()
    for place, found in told:
        if isinstance(found, EcgError):
            failed += 1
            complain(found)
        else:
            show(out, place.name, found)
    return failed
