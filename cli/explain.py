"""`ecg explain`: why a model answers as it does, in words, as a picture of the tracing, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.common import AsJson, console, fails_clearly, print_json, write_files
from cli.reading import Format, Fs, LeadNames, OneFile, Units, read_one, read_options
from cli.stated import Age, Sex, with_facts

if TYPE_CHECKING:
    from rich.table import Table

    from ecg_core.explain import Method
    from ecg_core.recording import Recording

PICTURES = (".svg", ".png", ".pdf")
READER = "heart12"
_BAR = 14
"""Characters of the longest bar."""


def explain(
    file: OneFile,
    facts: Mapping[str, str],
    label: Annotated[
        str | None,
        typer.Option(
            "--label", help="What to explain: MI, superclass.MI; without it, what is most notable.", metavar="LABEL"
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            help="shap, occlusion, gradients or activation; without it, the model's first.",
            metavar="METHOD",
        ),
    ] = None,
    model: Annotated[str, typer.Option("--model", help="heart12 or tabular.", metavar="NAME")] = READER,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="File to write: .svg, .png, .pdf or .json.", metavar="FILE")
    ] = None,
    show_labels: Annotated[
        bool, typer.Option("--list", help="List what can be explained, with what the model says of it here.")
    ] = False,
    as_json: AsJson = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE of -o if it exists.")] = False,
    age: Age = None,
    sex: Sex = None,
    fs: Fs = None,
    units: Units = None,
    leads: LeadNames = None,
    form: Format = None,
) -> None:
    """Say why a model answers as it does: which stretches of which leads, or which figures, speak for it and against.

    It tells what the model went by, which need not be the cause. Research use, not a medical device: suggested,
    unconfirmed.
    """
    from ecg_core.errors import InvalidValue
    from ecg_core.explain import explain_recording
    from ecg_core.pipeline import state_subject

    if out is not None and out.suffix.lower() not in (*PICTURES, ".json"):
        raise InvalidValue("no such kind of explanation", field="--out", found=out.name, options=(*PICTURES, ".json"))
    asked = method_of(model, method)
    recording = state_subject(read_one(file, read_options(fs, units, leads, form)), age, sex, facts)
    if show_labels:
        _show_labels(recording, model, as_json=as_json)
        return
    if label is None:
        label = _notable(recording, model)
        console(stderr=True).print(f"[dim]{label} is explained: the most notable answer; --list shows others[/dim]")
    found = explain_recording(recording, label, asked, model).to_dict()
    if out is not None:
        write_files({out.name: _content(out.suffix.lower(), recording, found)}, out.parent, force=force)
        console().print(f"wrote {out}")
    elif as_json:
        print_json({"file": file.name, **found})
    else:
        _show(found)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(
        epilog="Examples:  ecg explain 100.hea   ecg explain 100.hea --label MI -o why.svg   ecg explain 100.hea --list"
        "   ecg explain 100.hea --label CD --model tabular"
    )(with_facts(fails_clearly(explain)))


def method_of(model: str, method: str | None) -> Method:
    """Return the method to explain a model by: the one that was named, else its first."""
    from ecg_core.errors import InvalidValue
    from ecg_core.explain import explainable

    methods = next(iter(explainable(model).values()))
    if method is None:
        return methods[0]
    for known in methods:
        if known == method:
            return known
    raise InvalidValue("no such way to explain this model", field="--method", found=method, options=methods)


def _notable(recording: Recording, model: str) -> str:
    from ecg_core.errors import InvalidValue
    from ecg_core.explain import most_notable
    from ecg_core.pipeline import analyze

    analysis = analyze(recording).to_dict()
    if (label := most_notable(analysis)) is not None:
        return label
    reasons = analysis["predictions"].get(READER, {}).get("out_of_scope") or ["no answer is called"]
    raise InvalidValue(
        "there is nothing notable to explain",
        field="--label",
        found="; ".join(reasons),
        options=("--label NAME", f"--list, which shows the names that {model} knows"),
    )


def _content(kind: str, recording: Recording, found: Mapping[str, Any]) -> bytes:
    if kind == ".json":
        return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False).encode()
    from ecg_core.report.explanation import draw_explanation
    from ecg_core.report.render import render

    return render(draw_explanation(recording, found), kind[1:])


def _show(found: Mapping[str, Any]) -> None:
    """Print an explanation for people."""
    from rich.markup import escape

    from ecg_core.report import words

    out = console()
    out.print(f"[bold]{escape(words.why(found))}[/bold]  [dim]{escape(words.identity(found['model']))}[/dim]")
    if found["sentence"]:
        out.print(escape(found["sentence"]))
    out.print(_table(found))
    out.print(f"[dim]{escape(words.METHODS[found['method']])}[/dim]")
    for caution in found["cautions"]:
        out.print(f"[dim]note[/dim]  {escape(caution)}")
    out.print("[dim]Research use, not a medical device: what the model went by, unconfirmed.[/dim]")


def _table(found: Mapping[str, Any]) -> Table:
    """Return what adds most, with bars, and all else, so that it sums up."""
    from rich.table import Table
    from rich.text import Text

    from ecg_core.report.explanation import rows_of

    head, *rows = rows_of(found)
    longest = max([abs(row.value or 0.0) for row in rows if row.part], default=0.0)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for text, justify in (("", "left"), (head.name, "right"), ("", "left"), *((text, "right") for text in head.tail)):
        table.add_column(text, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for row in rows:
        value = row.value or 0.0
        bar = "█" * max(1, round(_BAR * abs(value) / longest)) if row.part and longest else ""
        number = f"{value:.2f}" if row.total else f"{value:+.2f}"
        style, colour = "bold" if row.total else "", "dark_orange3" if value > 0 else "blue"
        table.add_row(Text(row.name, style), Text(number, style), Text(bar, colour), *row.tail)
    return table


def _show_labels(recording: Recording, model: str, *, as_json: bool) -> None:
    """Print every label that can be explained, with what the model says of it."""
    from rich.markup import escape
    from rich.table import Table

    from ecg_core.explain import explainable
    from ecg_core.explain.titles import title_of
    from ecg_core.pipeline import analyze
    from ecg_core.report.words import percent

    said = analyze(recording, models=[model]).to_dict()["predictions"][model]
    rows: list[dict[str, Any]] = []
    for label, methods in explainable(model).items():
        head, name = label.split(".", 1)
        answer = (said.get(head) or {}).get(name)
        answer = answer if isinstance(answer, dict) else {}
        rows.append({
            "label": label, "title": title_of(label), "probability": answer.get("probability"),
            "positive": answer.get("positive"), "methods": list(methods),
        })  # fmt: skip
    if as_json:
        print_json(rows)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("label", "probability", "called", "what"):
        table.add_column(column, justify="right" if column == "probability" else "left")
    for row in sorted(rows, key=lambda row: (not row["positive"], -(row["probability"] or 0.0))):
        chance = "" if row["probability"] is None else percent(row["probability"])
        table.add_row(row["label"], chance, "yes" if row["positive"] else "", row["title"])
    console().print(table)
    console().print(f"[dim]methods[/dim]  {', '.join(rows[0]['methods'])}")
    for reason in said["out_of_scope"]:
        console().print(f"[dim]none[/dim]  {escape(reason)}")
