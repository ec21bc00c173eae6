"""`ecg report`: the analysis of one recording on a page, in a note, or in FHIR."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.common import console, fails_clearly, write_files
from cli.explain import READER, method_of
from cli.reading import Format, Fs, LeadNames, OneFile, Units, read_one, read_options
from cli.stated import Age, Sex, with_facts

if TYPE_CHECKING:
    from ecg_core.recording import Recording

    _Write = Callable[[Mapping[str, Any], Recording, str, str, Mapping[str, Any] | None], bytes]


def report(
    file: OneFile,
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write: .pdf, .txt or .json (FHIR R4).")],
    page: Annotated[str, typer.Option(help="a4 or letter.")] = "a4",
    notes: Annotated[str, typer.Option(help="Your own words, printed with it.")] = "",
    explain: Annotated[
        str,
        typer.Option(
            help="What the second page explains: a label (MI), auto (what is most notable, if anything is) or none.",
            metavar="LABEL|auto|none",
        ),
    ] = "auto",
    method: Annotated[
        str | None, typer.Option("--method", help="shap, occlusion, gradients or activation.", metavar="METHOD")
    ] = None,
    age: Age = None,
    sex: Sex = None,
    facts: Mapping[str, str] | None = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    fs: Fs = None,
    units: Units = None,
    leads: LeadNames = None,
    form: Format = None,
) -> None:
    """Write the report of a recording: tracing at true scale, measurements, findings, risk, doubts, a place to sign.

    A second page tells why: what in the tracing speaks for the most notable answer, and against it.
    """
    from ecg_core.errors import InvalidValue
    from ecg_core.pipeline import analyze, state_subject

    kinds: dict[str, _Write] = {".pdf": _pdf, ".txt": _text, ".json": _fhir}
    kind = out.suffix.lower()
    if kind not in kinds:
        raise InvalidValue("no such kind of report", field="--out", found=out.name, options=tuple(kinds))
    recording = state_subject(read_one(file, read_options(fs, units, leads, form)), age, sex, facts)
    analysis = analyze(recording).to_dict()
    content = kinds[kind](analysis, recording, page, notes, _explanation(analysis, recording, explain, method))
    write_files({out.name: content}, out.parent, force=force)
    console().print(f"wrote {out}")


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(epilog="Examples:  ecg report 100.hea -o 100.pdf   ecg report x.csv --fs 500 --age 63 -o x.txt")(
        with_facts(fails_clearly(report))
    )


def _explanation(
    analysis: Mapping[str, Any], recording: Recording, label: str, method: str | None
) -> Mapping[str, Any] | None:
    """Return why the most notable answer, or the one that was named, is given; None where there is none."""
    if label == "none":
        return None
    from ecg_core.explain import explain_recording, most_notable

    if (wanted := most_notable(analysis) if label == "auto" else label) is None:
        return None
    return explain_recording(recording, wanted, method_of(READER, method)).to_dict()


def _pdf(
    analysis: Mapping[str, Any], recording: Recording, page: str, notes: str, explanation: Mapping[str, Any] | None
) -> bytes:
    from ecg_core.report.document import to_report

    return to_report(analysis, recording, page=page, notes=notes, explanation=explanation)


def _text(
    analysis: Mapping[str, Any], _recording: Recording, _page: str, notes: str, explanation: Mapping[str, Any] | None
) -> bytes:
    from ecg_core.report.note import to_note

    return to_note(analysis, notes=notes, explanation=explanation).encode()


def _fhir(
    analysis: Mapping[str, Any], recording: Recording, page: str, notes: str, explanation: Mapping[str, Any] | None
) -> bytes:
    import json

    from ecg_core.report.fhir import to_fhir

    pdf = _pdf(analysis, recording, page, notes, explanation)
    return json.dumps(to_fhir(analysis, pdf=pdf, notes=notes), indent=2).encode()
