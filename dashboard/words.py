"""Figures and problems in words that a reader needs no manual for."""

from __future__ import annotations

import math

from api.schemas import Analysis, BeatClass, Beats, Pacing, Problem, Quality, Range, Recording, Rhythm, Signal, Subject

_WHAT_TO_DO = {
    "unknown_format": "Check that the file is an ECG in one of the formats listed below, and that it is whole.",
    "unreadable_file": "Export the recording again, or try another format. The details say what was found where.",
    "needs_option": "Say below what the file leaves out, and analyse it again.",
    "several_recordings": "Choose the files of one recording.",
    "limit_exceeded": "Send a smaller recording, or a part of it.",
    "body_too_large": "Send a smaller recording, or a part of it.",
    "reader_failed": "The file is probably damaged. Export the recording again.",
    "reader_unavailable": "The service is busy reading other recordings. Try again in a few seconds.",
    "invalid_value": "Correct what you stated below, or leave it empty.",
    "changed_meanwhile": "Somebody changed it after you opened it. What you typed is still there; it was not saved.",
    "not_found": "It was deleted, or it belongs to another account. Your own recordings are listed under History.",
    "internal_error": "The fault is on the service's side; its log says more.",
}


MEASURED = {
    "hr_bpm": "Heart rate",
    "rr_min_ms": "Shortest RR",
    "rr_max_ms": "Longest RR",
    "pr_ms": "PR",
    "p_ms": "P",
    "qrs_ms": "QRS",
    "qt_ms": "QT",
    "jt_ms": "JT",
    "qtc_fridericia_ms": "Fridericia",
    "qtc_bazett_ms": "Bazett",
    "qtc_framingham_ms": "Framingham",
    "qtc_hodges_ms": "Hodges",
    "p_axis_deg": "P",
    "qrs_axis_deg": "QRS",
    "t_axis_deg": "T",
    "sokolow_lyon_mv": "Sokolow-Lyon",
    "cornell_mv": "Cornell",
    "r_transition": "R outgrows S",
}
"""Measurements by name, as they are called beneath the title of their group."""
RHYTHMS = {"N": "Normal", "A": "AF", "O": "Other", "~": "Too noisy"}
SUPERCLASSES = {
    "NORM": "Normal",
    "MI": "Infarct pattern",
    "STTC": "ST and T changes",
    "CD": "Conduction disturbance",
    "HYP": "Hypertrophy",
}
"""The five families of statements."""
SUBCLASSES = {
    "AMI": "Anterior infarct or injury pattern",
    "IMI": "Inferior infarct or injury pattern",
    "STTC": "Non-diagnostic and other ST-T changes",
    "ISCA": "ST-T changes compatible with ischaemia, anterior or lateral leads",
    "ISCI": "ST-T changes compatible with ischaemia, inferior leads",
    "_AVB": "AV block",
    "LAFB/LPFB": "Left anterior or posterior fascicular block",
}
"""The groups within the families, where they are more than the one statement of that name."""
HEADS = {"statements": "Single statements", "subclass": "Groups of statements", "rhythm": "Rhythm"}
"""What a model answers, part by part."""
EQUATIONS = {"charge_af": "CHARGE-AF", "ecg2af": "ECG2AF"}
"""What gives the risk of fibrillation, by the name that the API calls it."""
BASES = {"charge_af": "CHARGE-AF, on stated facts", "ecg2af": "ECG2AF, from this tracing"}
POINTS = {"max_f1": "Best balance", "se95": "Few missed", "sp95": "Few false alarms"}
"""What thresholds are chosen for."""
_SHORT = {
    "SR": "Sinus",
    "AFIB": "AF",
    "AFLT": "Flutter",
    "STACH": "Sinus tachy",
    "SBRAD": "Sinus brady",
    "SARRH": "Sinus arrh.",
    "PACE": "Paced",
    "SVTAC": "SVT",
    "PSVT": "PSVT",
    "SVARR": "SV arrh.",
    "BIGU": "Bigeminy",
    "TRIGU": "Trigeminy",
}
CLASSES: dict[BeatClass, str] = {
    "V": "ventricular",
    "S": "supraventricular",
    "F": "fusion",
    "Q": "paced or unclassified",
}
_UNITS = {"bpm": "\u202f/min", "ms": "\u202fms", "deg": "°", "mv": "\u202fmV"}
DASH = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_AT_MOST, _AT_LEAST = "\N{LESS-THAN OR EQUAL TO}", "\N{GREATER-THAN OR EQUAL TO}"


def figure(name: str, number: float) -> str:
    """Return a measurement's number without its unit, with the digits that mean something."""
    digits = {"mv": 2, "transition": 1}.get(name.rpartition("_")[2], 0)
    return f"{round(number, digits) + 0.0:.{digits}f}".replace("-", _MINUS)


def value(name: str, number: float) -> str:
    """Return a measurement with its unit; the place of a transition as the leads that it lies between."""
    if name == "r_transition":
        return f"V{math.floor(number)}{DASH}V{math.ceil(number)}" if number % 1 else f"V{number:.0f}"
    return figure(name, number) + _UNITS[name.rpartition("_")[2]]


def size_of(name: str, number: float) -> str:
    """Return the size of a difference with its unit; of a place, in leads."""
    return figure(name, number) + _UNITS.get(name.rpartition("_")[2], "")


def difference(name: str, by: float) -> str:
    """Return by how much a measurement changed, with its sign: ``+12 ms``."""
    shown = size_of(name, by)
    return f"+{shown}" if by > 0 and figure(name, by) != figure(name, 0.0) else shown


def usual(name: str, limits: Range | None) -> str:
    """Return a range as people write it: ``120-200``, ``< 450``."""
    if limits is None:
        return ""
    low, high = (None if limit is None else figure(name, limit) for limit in (limits.low, limits.high))
    if low is not None and high is not None:
        return f"{low} to {high}" if _MINUS in low else f"{low}{DASH}{high}"
    if high is not None:
        return f"{_AT_MOST if limits.high_included else '<'}\u202f{high}"
    return "" if low is None else f"{_AT_LEAST}\u202f{low}"


def what_happened(problem: Problem) -> str:
    """Return a problem in a few sentences."""
    facts = (("Found", problem.found), ("Expected", problem.expected))
    return ". ".join([problem.detail, *(f"{name}: {fact}" for name, fact in facts if fact)]) + "."


def what_to_do(problem: Problem) -> str | None:
    """Return the way out of a problem: the usual one of its kind, else what the API offers."""
    return _WHAT_TO_DO.get(problem.code) or "; ".join(problem.options) or None


def duration(seconds: float) -> str:
    """Return a length of time as people say it: ``9.8 s``, ``30 min 6 s``, ``23 h 59 min``."""
    if round(seconds, 1) < 100:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def window(signal: Signal, recording: Recording) -> str:
    """Return which part of a recording is shown, where it is not the whole."""
    seconds = len(signal.values[0]) / signal.fs
    if seconds >= recording.duration_s:
        return ""
    start = f", from {duration(signal.start_s)} on" if signal.start_s else ""
    return f"{'' if start else 'first '}{duration(seconds)} of {duration(recording.duration_s)}{start}"


def key_figures(analysis: Analysis) -> dict[str, str]:
    """Return what a reader looks for first, by its name; a dash where there is no figure."""
    measured = analysis.measurements

    def of(name: str) -> str:
        number = getattr(measured, name).value
        return DASH if number is None else value(name, number)

    return {
        "Rhythm": "Paced" if analysis.pacing.paced else rhythm(analysis.rhythm),
        "Heart rate": of("hr_bpm"),
        "PR": of("pr_ms"),
        "QRS": of("qrs_ms"),
        "QT": of("qt_ms"),
        "QTc Fridericia": of("qtc_fridericia_ms"),
        "QRS axis": of("qrs_axis_deg"),
    }


def chance(probability: float) -> str:
    """Return a probability; none is so near to 0 or 1 that it is certain."""
    if probability > 0.99:
        return "over 0.99"
    return "under 0.01" if probability < 0.01 else f"{probability:.2f}"


def sentence(text: str) -> str:
    """Return a text with the capital that begins a sentence."""
    return text[:1].upper() + text[1:]


def equations(text: str) -> str:
    """Return a text with what gives a risk called by its proper name."""
    for name, title in EQUATIONS.items():
        text = text.replace(name, title)
    return text


def percent(part: float) -> str:
    """Return a share as people write it, with a digit behind the point where it is small."""
    return f"{100 * part:.1f}\u202f%" if part < 0.1 else f"{100 * part:.0f}\u202f%"


def ordinal(number: float) -> str:
    """Return a rank: ``72nd``."""
    whole = round(number)
    ending = {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th") if whole % 100 not in (11, 12, 13) else "th"
    return f"{whole}{ending}"


def rhythm(found: Rhythm) -> str:
    """Return the name of a rhythm, short enough for a card."""
    if found.code:
        return _SHORT.get(found.code, found.title or found.code)
    return RHYTHMS.get(found.label, found.label) if found.label else DASH


def rhythm_aside(found: Rhythm) -> str:
    """Return how sure the rhythm is, and what disagrees; or why there is none."""
    if not found.label:
        return f"no rhythm: {found.reason}" if found.reason else ""
    sure = f"{found.title} with probability {chance(found.probability)}" if found.probability is not None else ""
    if sure and found.decided_by:
        sure += f" by {found.decided_by.name}"
    return "; ".join(text for text in (sure, found.disagreement) if text)


def summary(analysis: Analysis) -> str:
    """Return in one line what stands behind the figures: rhythm, beats, recording."""
    recording, beats, rate = analysis.recording, analysis.beats, analysis.beats.heart_rate
    span = rate.reason
    if rate.low is not None and rate.high is not None:
        span = f"{len(beats.times_s)} beats, {rate.low:.0f} to {rate.high:.0f}\u202f/min"
        span += f" ({others})" if (others := classes(beats)) else ""
    leads = f"{len(recording.leads)} leads" if len(recording.leads) > 1 else f"lead {recording.leads[0]}"
    parts = (
        "Suggested, unconfirmed",
        rhythm_aside(analysis.rhythm),
        span,
        leads,
        duration(recording.duration_s),
        f"{recording.fs:g} Hz",
        recording.start.replace("T", " ") if recording.start else None,
    )
    return "  ·  ".join(part for part in parts if part)


def classes(found: Beats) -> str:
    """Return how many beats are not normal, by class: ``2 ventricular, 1 supraventricular``."""
    counts = {letter: found.classes.count(letter) for letter in CLASSES} if found.classes else {}
    return ", ".join(f"{counts[letter]} {CLASSES[letter]}" for letter in CLASSES if counts.get(letter))


def pacing(found: Pacing) -> str | None:
    """Return that a pacemaker is at work, and what follows for the figures."""
    if not found.paced:
        return None
    chambers = " and ".join(sorted(set(found.chambers)))
    withheld = " QT, ST judgements and signs of hypertrophy are withheld." if "ventricular" in found.chambers else ""
    return f"Pacing spikes ({chambers}): {len(found.times_s)} found.{withheld}"


def suspicions(found: Quality) -> str | None:
    """Return that electrodes may be exchanged, and what to do."""
    if not found.suspected:
        return None
    first, *others = found.suspected
    also = f" (or {'; '.join(item.title for item in others)})" if others else ""
    advice = sentence(first.advice)
    return f"Electrodes may be exchanged: {first.title}{also}, probability {chance(first.confidence)}. {advice}."


def about_measurements(analysis: Analysis) -> str:
    """Return what the table speaks of."""
    waves, whole = analysis.waves, analysis.recording.duration_s
    if waves.reason:
        return sentence(waves.reason) + "."
    text = "Beats of the dominant shape, from global marks. ± is their spread; hover a name for how it was measured."
    if waves.end_s - waves.start_s < whole:
        text += f" Measured from {waves.start_s:.0f} to {waves.end_s:.0f} s: {waves.part}."
    return text


def quality(found: Quality) -> str:
    """Return the verdict on the signal, and why."""
    return f"Signal quality: {found.verdict}" + (f" ({'; '.join(found.reasons)})." if found.reasons else ".")


def lead_faults(found: Quality) -> dict[str, str]:
    """Return what is wrong in each lead that is not good."""
    return {name: ", ".join(lead.reasons) for name, lead in found.leads.items() if lead.verdict != "good"}


def person(subject: Subject) -> str:
    """Return who it is, as far as that is known: ``P-0042, 63 years, female``."""
    age = None if subject.age is None else f"{subject.age:g} years"
    return ", ".join(part for part in (subject.id, age, subject.sex) if part)


def size(n_bytes: int) -> str:
    """Return a number of bytes as people say it."""
    return f"{n_bytes / 1024**2:.0f} MB" if n_bytes >= 1024**2 else f"{n_bytes / 1024:.0f} kB"


def literally(text: str) -> str:
    """Return text from a file for Markdown, with nothing in it taken for markup."""
    return "".join(f"\\{ch}" if ch in "\\`*_{}[]()<>#+-.!|~$:" else ch for ch in text)
