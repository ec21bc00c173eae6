"""Writing HL7 aECG.

The format has no mark for a missing sample, so a gap is written as the standard allows: the recorded stretches stand in
sequence sets of their own, each with its first sample's time.
"""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from ecg_core.errors import WriteError
from ecg_core.readers._interchange import format_timestamp, to_steps
from ecg_core.readers._texts import clean_text
from ecg_core.recording import Recording

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

REPORTED_AGE = "21612-7"
"""LOINC code."""
_MAX_SEGMENTS = 10_000
"""Sequence sets that a recording with gaps may become."""


def write(recording: Recording, stem: str) -> dict[str, bytes]:
    """Write one rhythm series, each lead in the finest steps that hold it in 16 bits; gaps are left out."""
    from xml.etree.ElementTree import Element, SubElement, tostring

    def add(parent: Element, path: str, **attributes: str | None) -> Element:
        for tag in path.split("/"):
            parent = SubElement(parent, tag)
        parent.attrib.update(
            {key.replace("xsi_", "xsi:"): text for key, text in attributes.items() if text is not None}
        )
        return parent

    recorded = ~np.isnan(recording.signal)
    _check_writable(recording, recorded)
    subject, start = recording.subject, recording.start
    root = Element(
        "AnnotatedECG", {"xmlns": "urn:hl7-org:v3", "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance"}
    )
    digest = hashlib.sha256(recording.signal.tobytes()).hexdigest()
    add(root, "id", root=str(uuid.uuid5(uuid.NAMESPACE_OID, digest)))
    add(root, "code", code="93000", codeSystem="2.16.840.1.113883.6.12", codeSystemName="CPT-4")
    end = start and start + timedelta(seconds=recording.duration_s)

    def add_interval(parent: Element) -> None:
        if start is not None and end is not None:
            interval = add(parent, "effectiveTime")
            add(interval, "low", value=format_timestamp(start))
            add(interval, "high", value=format_timestamp(end))

    add_interval(root)
    trial = add(root, "componentOf/timepointEvent/componentOf/subjectAssignment/subject/trialSubject")
    if subject.id is not None:
        add(trial, "id", extension=clean_text(subject.id))
    person = add(trial, "subjectDemographicPerson")
    if subject.sex is not None:
        code = subject.sex[0].upper()
        add(person, "administrativeGenderCode", code=code, codeSystem="2.16.840.1.113883.5.1")
    if subject.age is not None:
        observation = add(root, "controlVariable/relatedObservation")
        add(observation, "code", code=REPORTED_AGE, codeSystem="2.16.840.1.113883.6.1", displayName="reported age")
        years = f"{Decimal(repr(subject.age)).normalize():f}"
        add(observation, "value", xsi_type="PQ", value=years, unit="a")
    series = add(root, "component/series")
    add(series, "code", code="RHYTHM", codeSystem="2.16.840.1.113883.5.4")
    add_interval(series)
    scaled = [to_steps(row) for row in recording.signal]
    for rows, begin, stop in _segments(recorded):
        sequences = add(series, "component/sequenceSet")
        time = add(sequences, "component/sequence")
        kind = "TIME_RELATIVE" if start is None else "TIME_ABSOLUTE"
        add(time, "code", code=kind, codeSystem="2.16.840.1.113883.5.4")
        value = add(time, "value", xsi_type="GLIST_PQ" if start is None else "GLIST_TS")
        if start is None:
            add(value, "head", value=repr(begin / recording.fs), unit="s")
        else:
            add(value, "head", value=format_timestamp(start + timedelta(seconds=begin / recording.fs)))
        add(value, "increment", value=repr(1 / recording.fs), unit="s")
        for row in rows:
            step, steps = scaled[row]
            lead = add(sequences, "component/sequence")
            code = f"MDC_ECG_LEAD_{_mdc_name(recording.leads[row])}"
            add(lead, "code", code=code, codeSystem="2.16.840.1.113883.6.24")
            value = add(lead, "value", xsi_type="SLIST_PQ")
            add(value, "origin", value="0", unit="uV")
            add(value, "scale", value=step, unit="uV")
            add(value, "digits").text = " ".join(map(str, steps[begin:stop].tolist()))
    return {f"{stem}.xml": tostring(root, encoding="UTF-8", xml_declaration=True)}


def _mdc_name(lead: str) -> str:
    return lead.upper() if lead.startswith("aV") else lead


def _check_writable(recording: Recording, recorded: np.ndarray) -> None:
    empty = [recording.leads[row] for row in np.flatnonzero(~recorded.any(axis=1))]
    if empty:
        raise WriteError(
            "aECG cannot hold a lead without samples",
            field="leads",
            found=", ".join(empty),
            options=("leave it out with select", "another format"),
        )
    if not (recorded[:, 0].any() and recorded[:, -1].any()):
        raise WriteError(
            "aECG cannot hold a recording that starts or ends with nothing recorded in any lead",
            field="signal",
            expected="a recorded first and last sample in at least one lead",
            options=("crop it first", "another format"),
        )
    changes = int((recorded[:, 1:] != recorded[:, :-1]).sum())
    if changes > _MAX_SEGMENTS:
        raise WriteError(
            "too many gaps for aECG, which holds each recorded stretch on its own",
            field="signal",
            found=f"{changes} edges of gaps",
            expected=f"at most {_MAX_SEGMENTS}",
            options=("another format",),
        )
    if any(lead != clean_text(lead) for lead in recording.leads):
        raise WriteError("a lead's name does not fit into XML", field="leads", found=", ".join(recording.leads))


def _segments(recorded: np.ndarray) -> Iterator[tuple[list[int], int, int]]:
    """Yield (rows, first sample, stop) of each stretch that neighbouring leads recorded together."""
    for _, group in itertools.groupby(range(len(recorded)), key=lambda row: recorded[row].tobytes()):
        rows = list(group)
        edges = np.flatnonzero(np.diff(recorded[rows[0]].astype(np.int8), prepend=0, append=0))
        for begin, stop in edges.reshape(-1, 2).tolist():
            yield rows, begin, stop
