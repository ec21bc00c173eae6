"""`ecg info`, `ecg convert`, `ecg plot`: what a file holds, in another format, on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.common import AsJson, complain, console, fails_clearly, print_json, write_files
from cli.reading import Format, Fs, LeadNames, OneFile, Paths, Units, read_all, read_one, read_options

if TYPE_CHECKING:
    from ecg_core.reading import ReadResult
    from ecg_core.recording import Recording


def _formats(incomplete: str) -> list[str]:
    from ecg_core.readers import READERS

    return [name for name, reader in READERS.items() if reader.write and name.startswith(incomplete)]


def _layouts(incomplete: str) -> list[str]:
    from ecg_core.report.paper import LAYOUTS

    return [name for name in (*LAYOUTS, "strip") if name.startswith(incomplete)]


def info(
    files: Paths,
    as_json: AsJson = False,
    fs: Fs = None,
    units: Units = None,
    leads: LeadNames = None,
    form: Format = None,
) -> None:
    """Say what recordings hold: format, leads, rate, length, subject, and every assumption made on reading.

    With [bold]--json[/bold] one file with one recording gives an object, anything else an array; what could not be
    read stands in the array with its error, and the exit code is then 2.
    """
    options = read_options(fs, units, leads, form)
    results = list(read_all(files, options))
    failed = [result for result in results if result.error is not None]
    if as_json:
        rows = [_row(result) for result in results]
        if len(files) > 1 or len(rows) > 1:
            print_json(rows)
        elif not failed:
            print_json(rows[0])
    else:
        for result in results:
            if result.recording is not None:
                _show(result.recording)
    for result in failed:
        complain(result.error or ValueError(result.name))
    if failed:
        raise typer.Exit(2)


def convert(
    file: OneFile,
    to: Annotated[
        str,
        typer.Option("--to", help="wfdb, edf, csv, hdf5, npz, dicom, ...", autocompletion=_formats, metavar="FORMAT"),
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="File or folder to write; else beside you, named after FILE.")
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Resample to this many samples per second.")] = None,
    derive: Annotated[bool, typer.Option("--derive", help="Add the limb leads that follow from two others.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    as_json: AsJson = False,
    fs: Fs = None,
    units: Units = None,
    leads: LeadNames = None,
    form: Format = None,
) -> None:
    """Write a recording in another format. An archive of many gives one output each, in a folder."""
    from ecg_core.errors import WriteError
    from ecg_core.leads import derive_leads
    from ecg_core.readers import READERS

    writer = READERS[to]
    if writer.write is None:
        raise WriteError("cannot be written", field="--to", found=to, options=_formats(""))
    results = list(read_all([file], read_options(fs, units, leads, form)))
    for failed in (result for result in results if result.error is not None):
        if len(results) == 1:
            raise failed.error  # type: ignore[misc]
        complain(failed.error or ValueError(failed.name))
    recordings = [result.recording for result in results if result.recording is not None]
    folder, stem = _target(file, out, writer.suffixes, many=len(recordings) > 1)
    rows = []
    for recording in recordings:
        changed = derive_leads(recording) if derive else recording
        if rate is not None:
            from ecg_core.preprocess import resample

            changed = resample(changed, rate)
        own_stem = stem or Path(recording.source.name if recording.source else file.name).stem
        written = write_files(writer.write(changed, own_stem), folder, force=force)
        rows.append({"files": [str(path) for path in written], "recording": changed.summary()})
    if as_json:
        print_json(rows[0] if len(results) == 1 else rows)
    else:
        for row in rows:
            console().print("wrote " + ", ".join(row["files"]))
    if len(recordings) < len(results):
        raise typer.Exit(2)


def plot(
    file: OneFile,
    out: Annotated[Path, typer.Option("-o", "--out", help="Picture to write: .svg, .png or .pdf.")],
    layout: Annotated[
        str | None, typer.Option(help="3x4+1, 6x2, 12x1 or strip.", autocompletion=_layouts, metavar="LAYOUT")
    ] = None,
    speed: Annotated[float, typer.Option(help="Paper speed in mm/s: 12.5, 25 or 50.")] = 25.0,
    gain: Annotated[float, typer.Option(help="Gain in mm/mV: 5, 10 or 20.")] = 10.0,
    start: Annotated[float, typer.Option(help="First second drawn.")] = 0.0,
    length: Annotated[float, typer.Option(help="Seconds drawn.")] = 10.0,
    rhythm_lead: Annotated[str, typer.Option(help="Lead of the rhythm strip.")] = "II",
    view: Annotated[
        str, typer.Option("--filter", help="none, diagnostic (0.05-150 Hz) or monitor (0.5-40 Hz).")
    ] = "none",
    title: Annotated[str | None, typer.Option(help="Headline; else the file's name.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    as_json: AsJson = False,
    fs: Fs = None,
    units: Units = None,
    leads: LeadNames = None,
    form: Format = None,
) -> None:
    """Draw a recording on true-scale ECG paper.

    Twelve leads are drawn 3x4 with a rhythm strip, other lead sets as strips. The footer names speed, gain and filter.
    """
    from ecg_core.errors import InvalidValue
    from ecg_core.leads import INDEPENDENT_8, derive_leads
    from ecg_core.report.paper import Paper, draw
    from ecg_core.report.render import render

    paper = Paper(layout, speed, gain, rhythm_lead, start, length)
    kind = out.suffix.lower().lstrip(".")
    recording = read_one(file, read_options(fs, units, leads, form))
    if layout != "strip" and set(INDEPENDENT_8) <= set(recording.leads):
        recording = derive_leads(recording)
    if view != "none":
        from ecg_core.preprocess import bandpass, monitor_view

        views = {"diagnostic": bandpass, "monitor": monitor_view}
        if view not in views:
            raise InvalidValue("no such view", field="--filter", found=view, options=("none", *views))
        recording = views[view](recording)
    picture = render(draw(recording, paper, title=title), kind)
    write_files({out.name: picture}, out.parent, force=force)
    if as_json:
        print_json({"file": str(out), "recording": recording.summary()})
    else:
        console().print(f"wrote {out}")


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(
        epilog="Examples:  ecg info 100.hea   ecg info --json *.dcm   ecg info study.zip   ecg info x.csv --fs 500"
    )(fails_clearly(info))
    app.command(epilog="Examples:  ecg convert 100.hea --to edf   ecg convert x.csv --fs 250 --to wfdb -o out/")(
        fails_clearly(convert)
    )
    app.command(epilog="Examples:  ecg plot 100.hea -o 100.svg   ecg plot x.dcm -o x.pdf --layout 12x1 --gain 20")(
        fails_clearly(plot)
    )


def _row(result: ReadResult) -> dict[str, Any]:
    if result.recording is not None:
        return {"file": result.name, **result.recording.summary()}
    return {"file": result.name, "error": result.error.to_dict() if result.error else None}


def _show(recording: Recording) -> None:
    """Print one recording for people."""
    from rich.markup import escape
    from rich.table import Table

    facts = recording.summary()
    subject = recording.subject
    person = [subject.id, f"{subject.age:.0f} years" if subject.age is not None else None, subject.sex]
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in (
        ("format", facts["format"]),
        ("leads", f"{recording.n_leads}: {', '.join(recording.leads)}"),
        ("derived", ", ".join(recording.derived)),
        ("rate", f"{recording.fs:g} Hz"),
        ("length", f"{recording.duration_s:g} s, {recording.n_samples} samples"),
        ("start", facts["start"]),
        ("subject", ", ".join(part for part in person if part)),
        *((f"  {name}", str(value)) for name, value in subject.facts.items()),
        ("marks", ", ".join(f"{name} {count}" for name, count in facts["annotations"].items())),
        ("sha256", facts["sha256"]),
    ):
        if value:
            table.add_row(name, escape(str(value)))
    for note in recording.warnings:
        table.add_row("[yellow]note[/yellow]", escape(note))
    console().print(f"[bold]{escape(facts['name'] or '')}[/bold]")
    console().print(table)


def _target(file: Path, out: Path | None, suffixes: tuple[str, ...], *, many: bool) -> tuple[Path, str | None]:
    """Return the folder to write into and the stem, None where each recording keeps its own."""
    if out is None:
        return Path(), None if many else file.name.split(".")[0]
    if many or out.is_dir() or not out.suffix:
        return out, None if many else file.name.split(".")[0]
    if out.suffix.lower() not in suffixes:
        from ecg_core.errors import WriteError

        raise WriteError("the ending does not fit the format", field="--out", found=out.name, options=suffixes)
    return out.parent, out.stem
