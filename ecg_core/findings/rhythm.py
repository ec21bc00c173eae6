"""Findings about the rhythm: which it is, what speaks against it, and beats that come early."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecg_core.findings.signs import SIGNS
from ecg_core.findings.stated import STATEMENT_HEAD, reading, signs_of, split, stated
from ecg_core.findings.statements import STATEMENTS, VARIANTS
from ecg_core.findings.value import Finding

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis

_SINGLE_SIGNS = {"A": ("fibrillation", "no_p_waves"), "N": ("p_waves",), "O": ("p_waves", "rr_range")}
"""What is measured beside the answer of the network that reads one lead."""
_NEITHER = "neither plain sinus rhythm nor fibrillation"
_EARLY = {
    "PVC": ("V", "Ventricular premature beats", "early_v"),
    "PAC": ("S", "Atrial premature beats", "early_s"),
}
"""Statement to the class of single beats that says the same, its title, and its sign."""


def find(analysis: Analysis) -> Iterator[Finding]:
    """Yield pacing, the rhythm, other rhythms that are called, then early beats."""
    yield from _paced(analysis)
    yield from _main(analysis)
    leave_out = {"PACE", analysis.rhythm.code, *VARIANTS} | ({"AFIB"} if analysis.rhythm.label == "A" else set())
    if not analysis.rhythm.fibrillates and analysis.rhythm.code != "SARRH":
        leave_out.discard("SARRH")
    others = list(stated(analysis, "rhythm", {code for code in leave_out if code}))
    yield from others
    yield from _early(analysis, {finding.code for finding in others})


def _paced(analysis: Analysis) -> Iterator[Finding]:
    """Yield that a pacemaker is at work, by its spikes."""
    found = analysis.pacing
    if found.paced:
        chambers = " and ".join(sorted(set(found.chambers)))
        text = f"Pacing ({chambers})" if chambers else "Pacing"
        yield Finding("paced", text, "rhythm", evidence=found.evidence, rule="spikes at the recorded rate")


def _main(analysis: Analysis) -> Iterator[Finding]:
    """Yield the rhythm that was decided, unless it is noise, or the pacemaker that was told already."""
    rhythm = analysis.rhythm
    if rhythm.label in (None, "~") or rhythm.title is None:
        return
    if analysis.pacing.paced and (rhythm.code == "PACE" or (rhythm.code is None and rhythm.label == "O")):
        return
    if rhythm.code:
        signs = signs_of(analysis, rhythm.code)
        voices = [] if rhythm.other_voice else [rhythm.single_voice]
    else:
        signs = [sign for name in _SINGLE_SIGNS[rhythm.label] if (sign := SIGNS[name](analysis)) is not None]
        voices = [f"read from lead {rhythm.single.lead} alone"]
    evidence, against, values = split(signs)
    code = rhythm.code or f"rhythm_{rhythm.label}"
    text = f"{rhythm.title} ({_NEITHER})" if code == "rhythm_O" else rhythm.title
    yield Finding(
        code,
        text[:1].upper() + text[1:],
        "rhythm",
        rhythm.probability,
        (*(voice for voice in voices if voice), *evidence),
        tuple(dict.fromkeys((*against, *analysis.objections, *_also_called(analysis)))),
        values,
        borderline=rhythm.label == "N" or code in VARIANTS,
        model=rhythm.decided_by,
    )


def _also_called(analysis: Analysis) -> Iterator[str]:
    """Yield which sinus rhythm the network calls beside fibrillation, and how the networks differ on fibrillation."""
    prediction = reading(analysis)
    if prediction is None:
        return
    for code, answer in prediction.positives(STATEMENT_HEAD).items():
        if code in VARIANTS and analysis.rhythm.fibrillates:
            yield f"{STATEMENTS[code].title.lower()} is called as well ({answer.probability:.2f})"


def _early(analysis: Analysis, told: set[str]) -> Iterator[Finding]:
    """Yield early beats that were classed as such and that the 12-lead network does not call."""
    classes = analysis.classes
    if classes.reason or analysis.pacing.paced or analysis.rhythm.fibrillates or "PRC(S)" in told:
        return
    prediction = reading(analysis)
    for code, (letter, title, sign) in _EARLY.items():
        n = sum(found == letter for found in classes.classes)
        if not n or code in told:
            continue
        measured = SIGNS[sign](analysis)
        answer = prediction.labels(STATEMENT_HEAD).get(code) if prediction else None
        against = []
        if answer is not None and answer.positive is False and answer.probability is not None:
            against.append(f"the 12-lead network does not call {title.lower()} ({answer.probability:.2f})")
        yield Finding(
            f"beats_{letter}",
            title if n > 1 else title.removesuffix("s"),
            "rhythm",
            evidence=(measured.text,) if measured else (),
            against=tuple(against),
            borderline=n == 1,
            rule="classes of single beats",
        )
