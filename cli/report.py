"""`ecg report`: the analysis of one recording on a page, in a note, or in FHIR."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.common import console, fails_clearly, write_files
from cli.reading import Format, Fs, LeadNames, OneFile, Units, read_one, read_options
from cli.stated import Age, Sex, with_facts

if TYPE_CHECKING:
    from ecg_core.recording import Recording


def report(
    file: OneFile,
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write: .pdf, .txt or .json (FHIR R4).")],
    page: Annotated[str, typer.Option(help="a4 or letter.")] = "a4",
    notes: Annotated[str, typer.Option(help="Your own words, printed with it.")] = "",
    age: Age = None,
    sex: Sex = None,
    facts: Mapping[str, str] | None = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    fs: Fs = None,
    units: Units = None,
    leads: LeadNames = None,
    form: Format = None,
) -> None:
    """Write the report of a recording: tracing at true scale, measurements, findings, risk, doubts, a place to sign."""
    from ecg_core.errors import InvalidValue
    from ecg_core.pipeline import analyze, state_subject

    kinds: dict[str, Callable[[Mapping[str, Any], Recording, str, str], bytes]] = {
        ".pdf": _pdf,
        ".txt": _text,
        ".json": _fhir,
    }
    kind = out.suffix.lower()
    if kind not in kinds:
        raise InvalidValue("no such kind of report", field="--out", found=out.name, options=tuple(kinds))
    recording = state_subject(read_one(file, read_options(fs, units, leads, form)), age, sex, facts)
    content = kinds[kind](analyze(recording).to_dict(), recording, page, notes)
    write_files({out.name: content}, out.parent, force=force)
    console().print(f"wrote {out}")


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(epilog="Examples:  ecg report 100.hea -o 100.pdf   ecg report x.csv --fs 500 --age 63 -o x.txt")(
        with_facts(fails_clearly(report))
    )


def _pdf(analysis: Mapping[str, Any], recording: Recording, page: str, notes: str) -> bytes:
    from ecg_core.report.document import to_report

    return to_report(analysis, recording, page=page, notes=notes)


def _text(analysis: Mapping[str, Any], _recording: Recording, _page: str, notes: str) -> bytes:
    from ecg_core.report.note import to_note

    return to_note(analysis, notes=notes).encode()


def _fhir(analysis: Mapping[str, Any], recording: Recording, page: str, notes: str) -> bytes:
    import json

    from ecg_core.report.fhir import to_fhir

    pdf = _pdf(analysis, recording, page, notes)
    return json.dumps(to_fhir(analysis, pdf=pdf, notes=notes), indent=2).encode()
