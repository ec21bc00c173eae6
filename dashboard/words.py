"""Figures and problems in words that a reader needs no manual for."""

from __future__ import annotations

from api.schemas import Analysis, Problem, Quality

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
    "internal_error": "The fault is on the service's side; its log says more.",
}


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


def rate(analysis: Analysis) -> str:
    """Return the heart rate, or a dash where there is none."""
    bpm = analysis.beats.heart_rate.bpm
    return "\N{EN DASH}" if bpm is None else f"{bpm:.0f} bpm"


def rate_range(analysis: Analysis) -> str:
    """Return what lies behind the heart rate, or why there is none."""
    heart_rate, beats = analysis.beats.heart_rate, analysis.beats
    if heart_rate.low is None or heart_rate.high is None:
        return heart_rate.reason or ""
    return f"{heart_rate.low:.0f} to {heart_rate.high:.0f} over {len(beats.times_s)} beats in {', '.join(beats.leads)}"


def quality(found: Quality) -> str:
    """Return the verdict on the signal, and why."""
    return f"Signal quality: {found.verdict}" + (f" ({'; '.join(found.reasons)})." if found.reasons else ".")


def lead_faults(found: Quality) -> dict[str, str]:
    """Return what is wrong in each lead that is not good."""
    return {name: ", ".join(lead.reasons) for name, lead in found.leads.items() if lead.verdict != "good"}


def size(n_bytes: int) -> str:
    """Return a number of bytes as people say it."""
    return f"{n_bytes / 1024**2:.0f} MB" if n_bytes >= 1024**2 else f"{n_bytes / 1024:.0f} kB"
