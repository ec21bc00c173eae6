"""Figures with intervals, labels and progress, in words."""

from __future__ import annotations

from collections.abc import Mapping

from api.schemas import Job, JobDetails, ModelMetric
from dashboard import words


def interval(figure: ModelMetric, digits: int = 3) -> str:
    """Return a figure with its interval: ``0.893 (0.768 to 0.988)``; a dash where there is none."""
    if figure.value is None:
        return words.DASH
    text = f"{figure.value:.{digits}f}"
    if figure.low is None or figure.high is None:
        return text
    return f"{text} ({figure.low:.{digits}f} to {figure.high:.{digits}f})".replace("-", "\N{MINUS SIGN}")


def job_progress(job: Job) -> str:
    """Return how far a job is that goes on: ``12 of 40, 1 failed, about 20 s left``."""
    if job.status == "queued":
        return "Waiting for its turn"
    if not job.total:
        return words.sentence(job.message or "beginning")
    parts = [f"{job.done + job.failed} of {job.total}"]
    if job.failed:
        parts.append(f"{job.failed} failed")
    if isinstance(job, JobDetails) and job.seconds_left:
        parts.append(f"about {words.duration(job.seconds_left)} left")
    return ", ".join(parts)


def label(name: str, titles: Mapping[str, str]) -> str:
    """Return a label of a model as people read it; its head goes behind: ``Anterior infarct (AMI, statements)``."""
    head, _, code = name.rpartition(".")
    known = words.SUPERCLASSES if head == "superclass" else words.SUBCLASSES if head == "subclass" else {}
    title = known.get(code) or titles.get(code)
    if title is None:
        return f"{code} ({head})" if head else code
    return f"{title} ({code}, {head})" if head else f"{title} ({code})"


def job_end(job: Job) -> str:
    """Return what came of a job: ``38 analysed, 2 failed``."""
    if not job.total:
        return words.sentence(job.status)
    of = f"{job.done} of {job.total}" if job.done + job.failed < job.total else f"{job.done}"
    failed = f", {job.failed} failed" if job.failed else ""
    return f"{of} analysed{failed}" + (", cancelled" if job.status == "cancelled" else "")


def name(text: str) -> str:
    """Return an account's name for Markdown, which would make a link of an address."""
    return words.literally(text).replace("@", "\N{WORD JOINER}@")
