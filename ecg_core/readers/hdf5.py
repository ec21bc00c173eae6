"""HDF5: the UK-Biobank (ml4h) layout of resting ECGs, and plain layouts.

UK-Biobank: ``/ukb_ecg_rest/strip_<lead>/instance_<n>``, one dataset a lead, 5000 values (10 s at 500 Hz) that are raw
counts of 5 uV; the same strips are found under any other group, and without the level of instances.
Plain: one 2-D dataset with ``fs``, ``leads`` and ``units`` as attributes or small datasets beside it, either way round;
or one dataset a lead. ``write`` makes the former: ``signal``, float32 millivolts of shape (n_leads, n_samples).
"""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from ecg_core.errors import UnreadableFile
from ecg_core.leads import STANDARD_12, canonical_lead
from ecg_core.readers import _hdf5
from ecg_core.readers._arrays import assemble_rows, load_vectors, per_lead, read_container
from ecg_core.readers._container import FACT_NAMES, FS_NAMES, LARGEST_FACT, Container, Path, Stored
from ecg_core.readers._facts import as_text, describe, plain
from ecg_core.readers._units import require_fs
from ecg_core.readers.base import READERS, Files, Reader, ReadOptions, Sniff
from ecg_core.recording import Recording

if TYPE_CHECKING:
    import h5py

UKB_FS = 500.0
UKB_SAMPLES = 5000
UKB_UNIT = "5 uV"
_UKB_GROUP = "ukb_ecg_rest"
_STRIP = re.compile(r"strip_(.+)", re.I)
_INSTANCE = re.compile(r"instance_(\d+)", re.I)
_MAGIC = b"\x89HDF\r\n\x1a\n"
_LONGEST_TEXT = 4000


def sniff(data: bytes) -> Sniff:
    """Judge by the signature."""
    return Sniff.SURE if data[:8] == _MAGIC else Sniff.NO


def read(name: str, files: Files, options: ReadOptions) -> Recording:
    """Read the one ECG of an HDF5 file."""
    box = Container(name)
    texts: dict[Path, str] = {}
    with _hdf5.open_hdf5(files[name], name) as root:
        for path, item in _hdf5.walk(root, box, options.limits):
            _collect(path, item, box, texts, options)
        strips = _strips(box)
        if strips is not None:
            return _read_ukb(box, strips, texts, files, options)
        return read_container(box, format_name="hdf5", files=files, options=options)


def _collect(
    path: Path, item: h5py.Group | h5py.Dataset, box: Container, texts: dict[Path, str], options: ReadOptions
) -> None:
    """Enter one object into the container: a group's attributes, a dataset that is a fact, or an array."""
    import h5py

    if isinstance(item, h5py.Group):
        if found := _hdf5.attributes(item, box):
            box.facts.setdefault(path, {}).update(found)
        return
    if why := _hdf5.refusal(item):
        box.refused[path] = why
        return
    shape, dtype = item.shape, item.dtype
    if shape is None:
        return
    load = partial(_hdf5.load, item, box, options.limits)
    if dtype.kind == "S" or (dtype.kind == "O" and h5py.check_string_dtype(dtype) is not None):
        is_report = any("ecg_rest_text" in part.lower() for part in path)
        if math.prod(shape) <= LARGEST_FACT and (is_report or plain(path[-1]) in FACT_NAMES):
            value = _hdf5.text_of(load())
            box.add_fact(path, value)
            if is_report and (text := as_text(value, _LONGEST_TEXT)):
                texts[path] = text
    elif dtype.kind in "iuf":
        box.add(Stored(path, shape, dtype.kind, load, _hdf5.attributes(item, box)))


@dataclass
class _Strips:
    """The leads of one group in the UK-Biobank layout."""

    group: Path
    by_instance: dict[str, dict[str, Stored]] = field(default_factory=dict)
    """Instance (empty where the layout has none) -> lead -> array."""

    def n_leads(self) -> int:
        return max(len(leads) for leads in self.by_instance.values())


def _strips(box: Container) -> _Strips | None:
    """Return the strips of the resting ECG, or None where the file is not laid out so."""
    groups: dict[Path, _Strips] = {}
    for stored in box.arrays:
        instance = _INSTANCE.fullmatch(stored.path[-1])
        path = stored.path[:-1] if instance else stored.path
        if not path:
            continue
        strip = _STRIP.fullmatch(path[-1])
        lead = canonical_lead(strip.group(1) if strip else path[-1])
        if lead not in STANDARD_12 or not (strip or instance):
            continue
        strips = groups.setdefault(path[:-1], _Strips(path[:-1]))
        strips.by_instance.setdefault(stored.path[-1] if instance else "", {})[lead] = stored
    if not groups:
        return None
    for path, why in box.refused.items():
        if any(_STRIP.fullmatch(part) for part in path):
            raise UnreadableFile(why, file=box.file, field="/".join(path), expected="an array of plain numbers")
    chosen = max(groups.values(), key=lambda s: (_UKB_GROUP in s.group, s.n_leads()))
    others = ["/".join(group) or "(top)" for group in groups if group != chosen.group]
    if others:
        box.notes.append(f"recordings: read from {'/'.join(chosen.group) or '(top)'}; not read: {', '.join(others)}")
    return chosen


def _read_ukb(box: Container, strips: _Strips, texts: dict[Path, str], files: Files, options: ReadOptions) -> Recording:
    """Read the first instance of the strips, by the layout's rules where the file says nothing else."""
    instances = sorted(strips.by_instance, key=lambda name: (len(name), name))
    instance = instances[0]
    if len(instances) > 1:
        box.notes.append(f"recordings: {instance} was read; also in the file: {', '.join(instances[1:])}")
    by_lead = strips.by_instance[instance]
    leads = [lead for lead in STANDARD_12 if lead in by_lead]
    chosen = [by_lead[lead] for lead in leads]
    rows = load_vectors(box, chosen, options)
    stated = per_lead(box, chosen, FS_NAMES, len(rows))
    if stated is not None:
        fs = [require_fs(rate, options, box.file, where="the attribute beside the strip") for rate in stated]
    elif options.fs is None and all(len(row) == UKB_SAMPLES for row in rows):
        fs = [UKB_FS] * len(rows)
        box.notes.append(f"rate: {UKB_FS:g} Hz by the layout ({UKB_SAMPLES} samples in 10 s); the file states none")
    else:
        where = f"{UKB_SAMPLES} samples a strip (10 s at {UKB_FS:g} Hz; found {len(rows[0])}), or an attribute fs"
        fs = [require_fs(None, options, box.file, where=where)] * len(rows)
    if missing := [lead for lead in STANDARD_12 if lead not in by_lead]:
        box.notes.append(f"leads: no strip_{', strip_'.join(missing)} in {instance or 'the file'}")
    recording = assemble_rows(
        box, chosen, leads, rows, fs, format_name="hdf5", files=files, options=options, counts=UKB_UNIT
    )
    for path, text in texts.items():
        if path[: len(strips.group)] == strips.group and path[-1] in (instance, "ecg_rest_text"):
            subject = replace(recording.subject, facts={**recording.subject.facts, "ecg_rest_text": text})
            return replace(recording, subject=subject)
    return recording


def write(recording: Recording, stem: str) -> dict[str, bytes]:
    """Write the plain layout, compressed; float32 millivolts, so nothing is rounded."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        dataset = file.create_dataset("signal", data=recording.signal, compression="gzip", shuffle=True)
        dataset.attrs["fs"] = recording.fs
        dataset.attrs["leads"] = [str(name) for name in recording.leads]
        dataset.attrs["units"] = "mV"
        for key, text in describe(recording).items():
            dataset.attrs[key] = text
    return {f"{stem}.h5": buffer.getvalue()}


READERS.register(
    "hdf5", Reader("hdf5", "HDF5 (UK Biobank or plain)", (".h5", ".hd5", ".hdf5"), sniff=sniff, read=read, write=write)
)
