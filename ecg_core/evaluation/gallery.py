"""Failures drawn, to be looked at: each record as an ECG on its paper, and a page that lists them.

What is drawn are recordings of the data set: the folder stays where the set may be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from ecg_core.errors import WriteError
from ecg_core.recording import Recording
from ecg_core.report.paper import Paper, draw
from ecg_core.report.render import to_svg

INDEX = "index.html"
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#222}"
    "img{width:100%;border:1px solid #ddd}figure{margin:1rem 0 2rem}figcaption{margin:.3rem 0}"
    "nav a{margin-right:1rem}small{color:#666}"
)
_WORDS = {"false_positives": "called, and people did not say so", "false_negatives": "people said so, and not called"}
_EDGE_S = 4.0
"""Of a longer recording, shown before the first beat that was lost."""


def write_gallery(
    folder: Path, title: str, failures: Mapping[str, Any], load: Callable[[str], Recording], starts: Mapping[str, float]
) -> Path:
    """Draw every record of ``failures`` into ``folder`` and return the page that lists them.

    Parameters
    ----------
    title
        Model and data.
    failures
        As `ecg_core.evaluation.exams.parts.tell_failures` returns them.
    load
        Reads a record by its name.
    starts
        Record to the second from which a longer one is shown, where that is not the first.

    Raises
    ------
    WriteError
        The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drawn: dict[str, str] = {}
        parts, anchors = [], []
        for name, heading, captions in _chapters(failures):
            anchors.append(f'<a href="#{escape(name)}">{escape(heading)}</a>')
            parts.append(f'<h2 id="{escape(name)}">{escape(heading)}</h2>')
            for record, caption in captions:
                if record not in drawn:
                    drawn[record] = f"{len(drawn) + 1:03}-{_plain(record)}.svg"
                    paper = Paper(start_s=max(0.0, starts.get(record, 0.0) - _EDGE_S))
                    (folder / drawn[record]).write_bytes(to_svg(draw(load(record), paper, title=record)))
                parts.append(
                    f'<figure><figcaption>{escape(caption)}</figcaption><a href="{drawn[record]}">'
                    f'<img loading="lazy" src="{drawn[record]}" alt="ECG of {escape(record)}"></a></figure>'
                )
            if not captions:
                parts.append("<p>None.</p>")
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
            f"<style>{_STYLE}</style><h1>{escape(title)}</h1><p>{escape(_about(failures))}</p>"
            f"<nav>{''.join(anchors)}</nav>{''.join(parts)}</html>\n"
        )
        (folder / INDEX).write_text(page, "utf-8")
    except OSError as error:
        raise WriteError("cannot be written", file=str(folder), found=error.strerror or error) from error
    return folder / INDEX


def _chapters(failures: Mapping[str, Any]) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Yield anchor, heading, and (record, caption) of each part of the page."""
    if "worst" in failures:
        captions = []
        for case in failures["worst"]:
            figures = ", ".join(f"{name} {value:.3f}" for name, value in case["figures"].items() if value is not None)
            captions.append((case["record"], f"{case['record']}: {figures}"))
        yield "worst", f"Records with the lowest {failures['metric']}", captions
        return
    for label, row in failures["labels"].items():
        for kind, words in _WORDS.items():
            cases = [(case["record"], _caption(label, case)) for case in row[kind]["worst"]]
            yield f"{label}-{kind}", f"{label}: {words} ({row[kind]['n']})", cases


def _caption(label: str, case: Mapping[str, Any]) -> str:
    person = ", ".join(
        part for part in (case["sex"], None if case["age"] is None else f"{case['age']:g} years") if part
    )
    said = " ".join(case["truth"]) or "nothing"
    return f"{case['record']}: {label} {case['probability']:.3f}; people said {said}" + (
        f"; {person}" if person else ""
    )


def _about(failures: Mapping[str, Any]) -> str:
    split = f", {failures['split']}" if failures.get("split") else ""
    return f"The most confident errors among {failures['n']} records of {failures['data']}{split}, the surest first."


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)
