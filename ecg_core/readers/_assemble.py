"""From raw channels to a recording: lead names, other signals, units, one rate. The same for every format."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from ecg_core.errors import InvalidValue, UnreadableFile
from ecg_core.leads import MAX_NAME, STANDARD_12, canonical_lead, is_generic_name, is_modified_lead, numbered_ecg
from ecg_core.readers._texts import clean_text
from ecg_core.readers._units import MAX_FS, RATES, is_unitless, median_peak_to_peak, scale_by_size, unit_to_mv
from ecg_core.readers.base import Files, ReadOptions, check_size
from ecg_core.recording import Annotations, Recording, Source, Step, Subject

_OTHER_SIGNALS = re.compile(
    r"^(eeg|emg|eog|resp|nasal|flow|thor|abd|chest|spo2|sao2|pleth|ppg|bp$|abp|nibp|art|cvp|pap|temp|acc|gyr|gsr|eda|scg"
    r"|pcg|mic|snore|pos|body|light|co2|hr$|rr$|pulse|heart ?rate|counter|battery"
    r"|event|marker|trig|status|stim|annot|edf annotations|bdf annotations|label|class|target|flag|quality"
    r"|time|t$|date|sample|index|idx|unnamed|age|sex|id$|patient|record"
    r"|(fp|af|fc|ft|tp|cp|po|f|c|t|p|o|a|m|e)(z|\d{1,2})(\W|$))",
    re.I,
)
"""Beginnings of the names of signals that are no ECG; the last line is the 10-20 system of EEG electrodes."""


_EEG_OR_CHEST = re.compile(r"c[34](\W|$)", re.I)
"""Electrodes of the 10-20 system, or chest leads where C1 and C2 stand beside them."""


@dataclass
class Channel:
    """One channel as a file holds it."""

    name: str | None
    values: np.ndarray
    """Physical values in ``unit``, shape (n_samples,); NaN where nothing was recorded."""
    unit: str | None
    """As the file spells it; None where it does not say."""
    fs: float
    unit_rule: str | None = None
    """How ``unit`` was settled, in words, where the file does not state it ("mV, the default of WFDB")."""


def assemble(
    channels: Sequence[Channel],
    *,
    format_name: str,
    file: str,
    files: Files,
    options: ReadOptions,
    subject: Subject | None = None,
    start: datetime | None = None,
    annotations: Mapping[str, Annotations] | None = None,
    warnings: Sequence[str] = (),
    history: Sequence[Step] = (),
    header_text: str = "",
    derived: Sequence[str] = (),
) -> Recording:
    """Turn raw channels into a `Recording`: name leads, leave other channels out, settle units, bring all to one rate.

    ``header_text`` is free text of the file in which a unit may be named when no channel states one. Every decision
    taken here is a warning; resampling is a history entry. ``derived`` names leads that were computed from others.
    """
    notes = list(warnings)
    channels = [replace(c, name=clean_text(c.name, MAX_NAME), unit=clean_text(c.unit, MAX_NAME)) for c in channels]
    if options.leads is not None:
        if len(options.leads) != len(channels):
            raise InvalidValue(
                "one name a channel",
                file=file,
                field="leads",
                found=f"{len(options.leads)} names",
                expected=f"{len(channels)} ({', '.join(c.name or '?' for c in channels)})",
            )
        notes.append(f"leads: named by the caller: {', '.join(options.leads)}")
        channels = [replace(c, name=name) for name, c in zip(options.leads, channels, strict=True)]
    kept = _ecg_channels(channels, file, notes)
    names = _names(kept, notes)
    for channel in kept:
        if not 0 < channel.fs <= MAX_FS:
            raise UnreadableFile(
                "not a sampling rate", file=file, field=f"channel {channel.name}", found=channel.fs, expected=RATES
            )
    fs = max(channel.fs for channel in kept)
    check_size(len(kept), max(math.ceil(len(c.values) * fs / c.fs) for c in kept), options.limits, file)
    factors = _factors(kept, names, options, file, header_text, notes)
    rows = []
    slower = {}
    for name, channel, factor in zip(names, kept, factors, strict=True):
        row = channel.values.reshape(-1).astype(np.float64, copy=False)
        if factor != 1.0:
            row = row * factor
        if channel.fs != fs:
            from ecg_core.preprocess import resample_array

            slower[name] = channel.fs
            row = resample_array(row[None, :], channel.fs, fs)[0]
        rows.append(row)
    n_samples = max(len(row) for row in rows)
    if n_samples == 0:
        raise UnreadableFile("the recording holds no samples", file=file, expected="at least one sample")
    signal = np.full((len(rows), n_samples), np.nan, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for target, row in zip(signal, rows, strict=True):
            target[: len(row)] = row
    if short := [name for name, row in zip(names, rows, strict=True) if len(row) < n_samples]:
        notes.append(f"length: {', '.join(short)} shorter than the others; the rest is marked as not recorded")
    infinite = np.isinf(signal)
    if infinite.any():
        notes.append(f"values: {int(infinite.sum())} infinite values are marked as not recorded")
        signal[infinite] = np.nan
    if np.isnan(signal).all():
        raise UnreadableFile("every sample is missing", file=file, expected="at least one recorded sample")
    signal.setflags(write=False)
    steps = list(history)
    if slower:
        steps.append(Step("resample", {"fs": fs, "leads": slower, "method": "polyphase"}))
        notes.append(
            "rates: " + ", ".join(f"{name} {rate:g} Hz" for name, rate in slower.items()) + f" brought to {fs:g} Hz"
        )
    return Recording(
        signal=signal,
        fs=fs,
        leads=tuple(names),
        subject=subject or Subject(),
        start=start,
        source=source_of(format_name, file, files),
        history=tuple(steps),
        warnings=tuple(notes),
        derived=tuple(derived),
        annotations=annotations or {},
    )


def source_of(format_name: str, name: str, files: Files) -> Source:
    """Return the `Source` of a recording read from ``files``."""
    hashes = {label: hashlib.sha256(data).hexdigest() for label, data in files.items()}
    if len(hashes) == 1:
        return Source(format_name, name, next(iter(hashes.values())))
    listing = "".join(f"{hashes[label]}  {label.rsplit('/', 1)[-1]}\n" for label in sorted(hashes))
    return Source(format_name, name, hashlib.sha256(listing.encode()).hexdigest())


def _ecg_channels(channels: Sequence[Channel], file: str, notes: list[str]) -> list[Channel]:
    """Return the ECG channels, noting what is left out."""
    any_lead = any(canonical_lead(c.name) for c in channels if c.name)
    chest_as_c = {"C1", "C2"} <= {(c.name or "").upper() for c in channels}
    kept, dropped = [], []
    for channel in channels:
        name = channel.name or ""
        voltage = unit_to_mv(channel.unit) is not None
        known = canonical_lead(name) is not None or numbered_ecg(name) is not None
        if _EEG_OR_CHEST.match(name) and not chest_as_c:
            known = False
        if (channel.unit and not voltage and not is_unitless(channel.unit)) or (
            not known and _OTHER_SIGNALS.match(name)
        ):
            dropped.append(channel)
        elif known or voltage or not any_lead or (is_generic_name(name) and not any_lead):
            kept.append(channel)
        else:
            dropped.append(channel)
    if not kept:
        raise UnreadableFile(
            "no channel is an ECG",
            file=file,
            found=", ".join(f"{c.name or '(unnamed)'} [{c.unit or 'no unit'}]" for c in channels[:20]) or "no channels",
            expected="a lead name (I, II, V1, ECG ...) or a unit of voltage",
        )
    if dropped:
        notes.append(
            "channels: left out as not ECG: "
            + ", ".join(f"{c.name or '(unnamed)'} [{c.unit or 'no unit'}]" for c in dropped)
        )
    return kept


def _names(channels: Sequence[Channel], notes: list[str]) -> list[str]:
    """Name every channel: canonical, by position where there are twelve unnamed ones, else ``ECG1`` and so on."""
    raw = [c.name or "" for c in channels]
    if len(raw) == 12 and all(is_generic_name(name) for name in raw):
        notes.append("leads: twelve unnamed channels, taken as " + ", ".join(STANDARD_12))
        return list(STANDARD_12)
    names = []
    for position, name in enumerate(raw):
        lead = canonical_lead(name)
        if lead is not None:
            if is_modified_lead(name):
                notes.append(f"leads: {name} is a modified (torso) placement, read as {lead}")
            names.append(lead)
        elif is_generic_name(name):
            names.append(numbered_ecg(name) or f"ECG{position + 1}")
            if name != names[-1]:
                which = repr(name) if name else "unnamed"
                notes.append(f"leads: channel {position + 1} ({which}) is called {names[-1]}: the file names no lead")
        else:
            names.append(name)
            notes.append(f"leads: {name} is not a standard lead; kept under its own name")
    taken: set[str] = set()
    for position, name in enumerate(names):
        unique, count = name, 2
        while unique in taken:
            unique, count = f"{name}_{count}", count + 1
        if unique != name:
            notes.append(f"leads: more than one channel is {name} ({raw[position]}); this one is called {unique}")
            names[position] = unique
        taken.add(unique)
    return names


def _factors(
    channels: Sequence[Channel],
    names: Sequence[str],
    options: ReadOptions,
    file: str,
    header_text: str,
    notes: list[str],
) -> list[float]:
    """Return millivolts per stored unit of every channel: from file or caller, else header text, else by rule."""
    stated = [unit_to_mv(c.unit) if c.unit and not is_unitless(c.unit) else None for c in channels]
    if options.units is not None:
        given = unit_to_mv(options.units)
        if given is None:
            raise InvalidValue(
                "not a unit of voltage",
                field="units",
                found=options.units,
                options=("mV", "uV", "V", "nV", "<millivolts of one step>"),
            )
        contradicted = [
            n
            for n, factor in zip(names, stated, strict=True)
            if factor is not None and abs(factor - given) > 1e-6 * given
        ]
        if contradicted:
            raise InvalidValue(
                "contradicts the file",
                file=file,
                field="units",
                found=options.units,
                expected=", ".join(sorted({c.unit or "" for c in channels if c.unit}))
                + f" ({', '.join(contradicted)}), or no units at all",
            )
        notes.append(f"units: {options.units}, stated by the caller")
        return [given] * len(channels)
    if all(factor is not None for factor in stated):
        plain = ", ".join(sorted({(c.unit or "").strip() for c in channels if not c.unit_rule}))
        rules = [f"{plain}, stated by the file"] if plain else []
        for rule in dict.fromkeys(c.unit_rule for c in channels if c.unit_rule):
            which = [name for name, c in zip(names, channels, strict=True) if c.unit_rule == rule]
            rules.append(rule if len(which) == len(names) else f"{rule} (for {', '.join(which)})")
        notes.extend(f"units: {rule}" for rule in rules)
        return [factor for factor in stated if factor is not None]
    in_text = re.search(r"(?<![A-Za-z])(mV|uV|µV|μV|nV|millivolts?|microvolts?)(?![A-Za-z])", header_text)
    if in_text and (from_text := unit_to_mv(in_text.group(1))) is not None:
        rest, why = from_text, f"{in_text.group(1)}, named in the file's header text"
    else:
        rest, rule = scale_by_size(
            median_peak_to_peak([c.values for c, factor in zip(channels, stated, strict=True) if factor is None])
        )
        why = f"the file does not state them; taken as {rule}"
    unknown = [name for name, factor in zip(names, stated, strict=True) if factor is None]
    notes.append(f"units: {why}" + ("" if len(unknown) == len(names) else f" (for {', '.join(unknown)})"))
    return [rest if factor is None else factor for factor in stated]
