"""The multiplex groups of a DICOM waveform: their leads, their samples, and which of them are the rhythm.

Leads are coded as in PS3.16 CID 3001: MDC ``2:n`` (ISO/IEEE 11073-10101), formerly SCPECG ``5.6.3-9-n`` with the
same n.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.errors import UnreadableFile
from ecg_core.leads import canonical_lead
from ecg_core.readers._interchange import Piece
from ecg_core.readers._texts import clean_text
from ecg_core.readers._units import require_fs
from ecg_core.readers.base import ReadOptions, check_size

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

LEAD_NUMBERS = (
    {"I": 1, "II": 2, "III": 61, "aVR": 62, "aVL": 63, "aVF": 64, "V8": 66, "V9": 67, "X": 16, "Y": 17, "Z": 18}
    | {f"V{n}": n + 2 for n in range(1, 8)}
    | {f"V{n}R": n + 8 for n in range(2, 8)}
    | {"ES": 131, "AS": 132, "AI": 133}
)
_LEADS = {number: lead for lead, number in LEAD_NUMBERS.items()} | {65: "aVR inverted"}
_DERIVED_LEADS = {31: "I", 32: "II", 111: "III", 112: "aVR", 113: "aVL", 114: "aVF"} | {
    32 + n: f"V{n}" for n in range(1, 7)
}
_SAMPLES = {
    ("SB", 8): "i1", ("UB", 8): "u1", ("SS", 16): "i2", ("US", 16): "u2",
    ("SL", 32): "i4", ("UL", 32): "u4", ("SV", 64): "i8", ("UV", 64): "u8",
}  # fmt: skip
_COMPANDED = {"MB": "mu-law", "AB": "A-law"}
_REPRESENTATIVE = re.compile("MEDIAN|AVERAGE|TEMPLATE|REPRESENTATIVE")
_SKEWS = ("ChannelTimeSkew", "ChannelSampleSkew", "ChannelOffset")


def conversion_errors() -> tuple[type[Exception], ...]:
    """Return what pydicom raises on converting a damaged value."""
    from pydicom.errors import BytesLengthException

    return (
        BytesLengthException, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, NotImplementedError,
    )  # fmt: skip


def optional(dataset: Dataset, keyword: str) -> Any:
    """Return an element's value, or None where it is absent, empty or cannot be understood."""
    try:
        value = dataset.get(keyword)
    except conversion_errors():
        return None
    return None if value == "" else value


def number_of(dataset: Dataset, keyword: str, file: str, where: str, default: float | None = None) -> float:
    """Return a finite number; an absent one is ``default``, a damaged one or one without a default an error."""
    try:
        value = dataset.get(keyword)
        number = default if value is None or value == "" else float(value)
    except conversion_errors():
        number = math.nan
    if number is None or not math.isfinite(number):
        found = "nothing" if number is None else "no number"
        raise UnreadableFile(f"{keyword} is needed", file=file, field=where, found=found, expected="a number")
    return number


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    return list(optional(dataset, keyword) or [])


def code_of(item: Dataset, keyword: str) -> tuple[str, str, str]:
    """Return (value, scheme, meaning) of the first item of a code sequence."""
    for code in items(item, keyword)[:1]:
        value, scheme, meaning = (
            clean_text(optional(code, k)) or "" for k in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
        )
        return value, scheme, meaning
    return "", "", ""


def channel_lead(channel: Dataset) -> tuple[str | None, bool, str | None]:
    """Return (lead by code, whether derived, lead by its text) of a channel."""
    value, scheme, meaning = code_of(channel, "ChannelSourceSequence")
    number = None
    if not scheme.startswith("99"):
        if match := re.fullmatch(r"(?:2:|5\.6\.3-9-)(\d{1,6})", value):
            number = int(match.group(1))
        elif value.isdigit() and int(value) >> 16 == 2:
            number = int(value) & 0xFFFF
    coded = (
        _LEADS.get(number or 0)
        or _DERIVED_LEADS.get(number or 0)
        or (canonical_lead(value) if value.startswith("MDC_ECG") else None)
    )
    words = (
        re.sub(r"^derived\s+", "", meaning, flags=re.I).split(",")[0],
        clean_text(optional(channel, "ChannelLabel")),
    )
    said = next((lead for word in words if word and (lead := canonical_lead(word))), None)
    return coded, number in _DERIVED_LEADS or meaning.lower().startswith("derived"), said


@dataclass(eq=False)
class Group:
    """One multiplex group."""

    index: int
    """Its place in the file, from 1, as annotations count."""
    label: str
    original: bool
    fs: float
    offset_s: float | None
    channels: list[Dataset]
    names: list[str | None]
    raw: np.ndarray
    """Stored values, shape (n_samples, n_channels)."""
    padding: int | None
    derived: list[str]
    notes: list[str]

    @property
    def title(self) -> str:
        """For people."""
        return f"group {self.index} ({self.label or 'no label'}, {', '.join(name or '?' for name in self.names)})"

    @property
    def known(self) -> set[str]:
        """Its standard leads."""
        return {name for name in self.names if name and canonical_lead(name) is not None}

    @property
    def is_rhythm(self) -> bool:
        """Whether it holds the signal as it was recorded."""
        return self.original and not _REPRESENTATIVE.search(self.label)


def read_groups(dataset: Dataset, order: str, file: str, options: ReadOptions) -> list[Group]:
    return [
        _group(item, index, order, file, options)
        for index, item in enumerate(items(dataset, "WaveformSequence"), start=1)
    ]


def _group(item: Dataset, index: int, order: str, file: str, options: ReadOptions) -> Group:
    """Read one group's header, and its samples as they are stored."""
    where = f"multiplex group {index}"
    n_channels = int(number_of(item, "NumberOfWaveformChannels", file, where))
    n_samples = int(number_of(item, "NumberOfWaveformSamples", file, where))
    check_size(n_channels, n_samples, options.limits, file)
    bits = int(number_of(item, "WaveformBitsAllocated", file, where))
    kind = clean_text(optional(item, "WaveformSampleInterpretation")) or "unstated"
    if (kind, bits) not in _SAMPLES or n_channels < 1 or n_samples < 1:
        companded = f" ({_COMPANDED[kind]} companded audio)" if kind in _COMPANDED else ""
        raise UnreadableFile(
            "its samples cannot be read",
            file=file,
            field=where,
            found=f"{n_channels} channels x {n_samples} samples of {bits} bits, interpretation {kind}{companded}",
            expected="at least one sample of " + ", ".join(f"{k} {b}" for k, b in _SAMPLES),
        )
    dtype = np.dtype(order + _SAMPLES[kind, bits])
    data = optional(item, "WaveformData")
    needed = n_channels * n_samples * dtype.itemsize
    held = len(data) if isinstance(data, bytes) else 0
    if not isinstance(data, bytes) or held < needed:
        raise UnreadableFile(
            "WaveformData is cut short", file=file, field=where, found=f"{held} bytes", expected=f"{needed} bytes"
        )
    channels = items(item, "ChannelDefinitionSequence")
    if len(channels) != n_channels:
        raise UnreadableFile(
            "ChannelDefinitionSequence",
            file=file,
            field=where,
            found=f"{len(channels)} items",
            expected=str(n_channels),
        )
    notes: list[str] = []
    names, derived = _name_channels(channels, where, notes)
    stated = optional(item, "SamplingFrequency")
    offset = optional(item, "MultiplexGroupTimeOffset")
    return Group(
        index=index,
        label=(clean_text(optional(item, "MultiplexGroupLabel")) or "").upper(),
        original=optional(item, "WaveformOriginality") != "DERIVED",
        fs=require_fs(None if stated is None else float(stated), options, file, where=f"{where}: SamplingFrequency"),
        offset_s=None if offset is None else number_of(item, "MultiplexGroupTimeOffset", file, where) / 1e3,
        channels=channels,
        names=names,
        raw=np.frombuffer(data, dtype, n_channels * n_samples).reshape(n_samples, n_channels),
        padding=_padding(item, dtype),
        derived=derived,
        notes=notes,
    )


def _padding(item: Dataset, dtype: np.dtype[Any]) -> int | None:
    """Return the stored value that stands for a missing sample, where the group states one."""
    stated = optional(item, "WaveformPaddingValue")
    if isinstance(stated, bytes) and len(stated) >= dtype.itemsize:
        return int(np.frombuffer(stated, dtype, 1)[0])
    return stated if isinstance(stated, int) else None


def _name_channels(channels: list[Dataset], where: str, notes: list[str]) -> tuple[list[str | None], list[str]]:
    """Return each channel's lead by its code, else its text, else its bare label; and the leads coded as derived.

    Where codes repeat a lead but the texts name each channel differently, the texts are taken.
    """
    found = [channel_lead(channel) for channel in channels]
    codes = [coded for coded, _, _ in found if coded]
    texts = [said for _, _, said in found if said]
    by_text = len(set(codes)) < len(codes) and len(set(texts)) == len(channels)
    if by_text:
        notes.append(f"leads: the codes of {where} repeat a lead; its channels are named by their text")
    names: list[str | None] = []
    for position, (channel, (coded, _, said)) in enumerate(zip(channels, found, strict=True), start=1):
        if coded and said and coded != said and not by_text:
            notes.append(
                f"leads: channel {position} of {where} is coded {coded} but labelled {said}; the code is taken"
            )
        meaning = code_of(channel, "ChannelSourceSequence")[2]
        label = clean_text(optional(channel, "ChannelLabel")) or meaning
        if meaning.startswith(label):  # a label holds sixteen characters, a meaning more
            label = meaning
        names.append((said if by_text else coded or said) or label or None)
    return names, [name for name, (_, derived, _) in zip(names, found, strict=True) if name and derived]


def choose_groups(groups: list[Group], file: str, notes: list[str]) -> list[Group]:
    """Return the rhythm group, with the groups recorded in turn with it; what is left out is noted.

    ECG leads come before none, original before derived, the label RHYTHM before others, then the longest.
    """
    if not groups:
        raise UnreadableFile("its WaveformSequence is empty", file=file, expected="at least one multiplex group")

    def rank(group: Group) -> tuple[bool, bool, bool, float, int]:
        duration = len(group.raw) / group.fs
        return bool(group.known), group.is_rhythm, "RHYTHM" in group.label, duration, len(group.channels)

    best = max(groups, key=rank)
    if _REPRESENTATIVE.search(best.label):
        raise UnreadableFile(
            "holds representative beats only", file=file, found=best.title, expected="a rhythm multiplex group"
        )
    if not best.original:
        notes.append(f"groups: {best.title} is read although it is marked as derived: there is no original one")
    chosen, taken = [best], set(best.known)
    for group in groups:
        in_turn = None not in (group.offset_s, best.offset_s) and group.fs == best.fs and group.is_rhythm
        if group is not best and in_turn and len(group.known) == len(group.channels) and not taken & group.known:
            chosen.append(group)
            taken |= group.known
    if len(chosen) > 1:
        notes.append(f"groups: {', '.join(group.title for group in chosen)} are read together, each at its time")
    if left := [group.title for group in groups if group not in chosen]:
        notes.append(f"groups: {best.title} is read, not {', '.join(left)}")
    return sorted(chosen, key=lambda group: group.index)


def pieces_of(group: Group, file: str, notes: list[str]) -> list[Piece]:
    """Return the channels of a group in the units of their sensitivity, NaN for padding."""
    notes.extend(group.notes)
    pieces = []
    padded = 0
    for position, (channel, name) in enumerate(zip(group.channels, group.names, strict=True)):
        where = f"channel {name or position + 1}"
        stored = group.raw[:, position]
        values = stored.astype(np.float64)
        if group.padding is not None:
            missing = stored == group.padding
            values[missing] = np.nan
            padded += int(missing.sum())
        unit = None
        if optional(channel, "ChannelSensitivity") is not None:
            gain = number_of(channel, "ChannelSensitivity", file, where)
            gain *= number_of(channel, "ChannelSensitivityCorrectionFactor", file, where, 1.0)
            if gain == 0:
                raise UnreadableFile("ChannelSensitivity is zero", file=file, field=where, expected="another number")
            values = values * gain + number_of(channel, "ChannelBaseline", file, where, 0.0)
            code, _, meaning = code_of(channel, "ChannelSensitivityUnitsSequence")
            unit = code or meaning or None
        else:
            notes.append(f"units: {where} states no ChannelSensitivity")
        if skewed := [f"{key} {skew:g}" for key in _SKEWS if (skew := number_of(channel, key, file, where, 0.0))]:
            notes.append(f"time: {where} is not simultaneous with the others ({', '.join(skewed)}); left as it is")
        status = clean_text(optional(channel, "ChannelStatus"))
        if status not in (None, "OK"):
            notes.append(f"status: {where} is marked {status}")
        pieces.append(Piece(name, unit, group.fs, group.offset_s or 0.0, values))
    if padded:
        notes.append(f"padding: {padded} values equal to the padding value are marked as not recorded")
    return pieces
