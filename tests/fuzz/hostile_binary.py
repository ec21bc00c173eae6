"""Hostile constructions of the binary formats; see `tests.fuzz.hostile`."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np
import pydicom
import scipy.io

from tests.fuzz.canary import Canary
from tests.fuzz.mutate import Files, zipped

Make = Callable[[], Files]
Case = tuple[str, Files | Make]


class _Trap:
    """Unpickled, it makes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def npy(header: str, body: bytes = b"", version: tuple[int, int] = (1, 0), length: int | None = None) -> bytes:
    """Return an ``.npy`` file with any header."""
    text = header.encode("latin-1") + b"\n"
    size = len(text) if length is None else length
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version == (1, 0) else "<I", size) + text + body


def _npz(bases: list[Files], canary: Canary) -> Iterator[Case]:
    trap = np.array([_Trap(str(canary.trace))], dtype=object)
    buffer = io.BytesIO()
    np.save(buffer, trap, allow_pickle=True)
    objects = buffer.getvalue()
    good = io.BytesIO()
    np.save(good, np.sin(np.arange(2000.0))[None, :])
    fs = io.BytesIO()
    np.save(fs, np.float64(500))
    yield "objects (.npy)", {"a.npy": objects}
    yield "objects (.npz)", {"a.npz": zipped({"signal.npy": objects, "fs.npy": fs.getvalue()})}
    yield (
        "object facts",
        {"a.npz": zipped({"signal.npy": good.getvalue(), "fs.npy": fs.getvalue(), "leads.npy": objects})},
    )
    yield "a bare pickle", {"a.npy": pickle.dumps(trap)}
    yield "a pickle as an entry", {"a.npz": zipped({"signal.npy": pickle.dumps(trap)})}
    plain = "{'descr': '%s', 'fortran_order': False, 'shape': %s}"
    headers = {
        "shape of 10^18": plain % ("<f8", "(1000000000, 1000000000)"),
        "shape of 10^11": plain % ("<f4", "(12, 10000000000)"),
        "shape that overflows": plain % ("<f8", "(4294967296, 4294967296, 4294967296)"),
        "negative shape": plain % ("<f8", "(-1, 12)"),
        "shape of words": plain % ("<f8", "('a', None)"),
        "shape of 100 dimensions": plain % ("<f8", "(" + "1, " * 100 + ")"),
        "no shape": plain % ("<f8", "()"),
        "zero shape": plain % ("<f8", "(0, 9223372036854775807)"),
        "items of 2 GiB": plain % ("|V2147483647", "(1,)"),
        "letters of 4 GiB": plain % ("<U1073741823", "(1,)"),
        "items of nothing": plain % ("|V0", "(1000000000000,)"),
        "objects without a pickle": plain % ("|O", "(3,)"),
        "unknown type": plain % ("<z9", "(3,)"),
        "dates": plain % ("<M8[ns]", "(2000,)"),
        "complex": plain % ("<c16", "(1000,)"),
        "a type of types": "{'descr': "
        + "[('a', " * 40
        + "'<f8'"
        + ")]" * 40
        + ", 'fortran_order': False, 'shape': (1,)}",
        "parentheses": "(" * 9000,
        "minus signs": "-" * 9000 + "1",
        "code": f"__import__('os').mkdir({str(canary.trace)!r})",
        "keys too many": "{" + ", ".join(f"'{i}': {i}" for i in range(900)) + "}",
    }
    for label, header in headers.items():
        data = npy(header, good.getvalue()[128:])
        yield f"{label} (.npy)", {"a.npy": data}
        yield f"{label} (.npz)", {"a.npz": zipped({"signal.npy": data, "fs.npy": fs.getvalue()})}
    yield "header of 4 GiB", {"a.npy": npy("{}", version=(2, 0), length=2**32 - 1)}
    yield "header of 10 MiB", {"a.npy": npy("{" + " " * (10 << 20), version=(2, 0))}
    yield "version 255", {"a.npy": npy(plain % ("<f8", "(3,)"), version=(255, 255))}
    shape = plain % ("<f4", "(12, 10000000)")
    bomb = {"fs.npy": fs.getvalue()}
    yield "bomb of 480 MB", lambda: {"a.npz": zipped({"signal.npy": npy(shape, bytes(480_000_000))} | bomb)}
    yield (
        "20,000 entries",
        lambda: {"a.npz": zipped({f"{index}.npy": b"" for index in range(20_000)}, zipfile.ZIP_STORED)},
    )
    zero = good.getvalue()
    yield "1000 signals", lambda: {"a.npz": zipped({f"lead{index}.npy": zero for index in range(1000)})}
    yield "rate that is none", {"a.npz": zipped({"signal.npy": zero, "fs.npy": zero})}
    yield "names of white space", {"a.npz": zipped({" " * 60_000 + "(.npy": zero, "fs.npy": fs.getvalue()})}


def _saved_mat(**variables: Any) -> bytes:
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, variables)
    return buffer.getvalue()


def _element(kind: int, body: bytes, size: int | None = None) -> bytes:
    return struct.pack("<II", kind, len(body) if size is None else size) + body + bytes(-len(body) % 8)


def _matrix(shape: tuple[int, ...], body: bytes, kind: int = 6, flags: int = 0, name: bytes = b"val") -> bytes:
    dimensions = struct.pack(f"<{len(shape)}i", *shape)
    inner = _element(6, struct.pack("<II", kind | flags << 8, 0)) + _element(5, dimensions) + _element(1, name) + body
    return _element(14, inner)


def _mat(bases: list[Files], canary: Canary) -> Iterator[Case]:
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<HH", 0x0100, 0x4D49)
    samples = _element(9, np.sin(np.arange(2000.0)).tobytes())
    cases = {
        "shape of 10^18": _matrix((2**30, 2**30), samples),
        "shape that does not fit": _matrix((3, 7), samples),
        "negative shape": _matrix((-1, 2000), samples),
        "shape of nothing": _matrix((0, 2**31 - 1), samples),
        "shape of 200 dimensions": _matrix((1,) * 200, samples),
        "samples of 4 GiB": _matrix((2, 1000), _element(9, b"", 2**32 - 1)),
        "element of 4 GiB": struct.pack("<II", 14, 2**32 - 1) + samples,
        "element of nothing": struct.pack("<II", 14, 0) * 5000,
        "unknown element": _element(99, samples),
        "function": _matrix((1, 1), samples, kind=16),
        "opaque object": _matrix((1, 1), samples, kind=17),
        "sparse": _matrix((2000, 2**31 - 1), _element(5, bytes(8)) + _element(5, bytes(8)) + samples, kind=5),
        "cells without an end": _matrix((2**30, 1), b"", kind=1),
        "cells of nothing": _matrix((50_000, 1), _element(14, b"") * 50_000, kind=1),
        "struct of no fields": _matrix((2**30, 1), _element(5, struct.pack("<i", 32)) + _element(1, b""), kind=2),
        "field names of no length": _matrix((1, 1), _element(5, struct.pack("<i", 0)) + _element(1, b"a" * 64), kind=2),
        "text": _matrix((1, 2000), samples, kind=4),
    }
    for number in (*range(22), 255, 65535, 2**31):
        odd = _element(number, np.sin(np.arange(2000.0)).tobytes())
        cases[f"samples of type {number}"] = _matrix((2, 1000), odd)
        cases[f"letters of type {number}"] = _matrix((1, 2000), odd, kind=4)
        cases[f"shape of type {number}"] = _matrix((2, 1000), samples).replace(
            struct.pack("<II", 5, 8), odd[:4] + odd[:4], 1
        )
    deep = samples
    for _ in range(5000):
        deep = _matrix((1, 1), deep if deep is not samples else _matrix((2, 1000), samples), kind=1)
        if len(deep) > 400_000:
            break
    cases["cells in cells"] = deep
    for label, body in cases.items():
        yield label, {"a.mat": head + body}
        yield f"{label}, compressed", {"a.mat": head + _element(15, zlib.compress(body))}
    yield (
        "bomb of 200 MiB",
        lambda: {"a.mat": head + _element(15, zlib.compress(_matrix((1, 25 << 20), _element(9, bytes(200 << 20)))))},
    )
    yield (
        "bomb in a bomb",
        lambda: {"a.mat": head + _element(15, zlib.compress(_element(15, zlib.compress(bytes(100 << 20)))))},
    )
    yield (
        "10,000 variables",
        {"a.mat": head + b"".join(_matrix((1, 1), _element(9, bytes(8)), name=b"v%d" % i) for i in range(10_000))},
    )
    yield "objects", {"a.mat": _saved_mat(val={"a": {"b": np.array([{"c": 1}, "x"], dtype=object)}})}
    for rows, columns in ((2**31 - 1, 2**31 - 1), (-1, 5), (0, 0), (12, 2**28)):
        for kind in (0, 10, 20, 30, 50, 51, 52, 1000, 4000, 9999):
            four = struct.pack("<5i", kind, rows, columns, 0, 4) + b"val\0" + bytes(4000)
            yield f"version 4, type {kind}, {rows} x {columns}", {"a.mat": four}
    yield "version 4, name of 2 GiB", {"a.mat": struct.pack("<5i", 0, 2, 100, 0, 2**31 - 1) + bytes(4000)}
    matlab = b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<HH", 0x0200, 0x4D49)
    for label, make in _hdf5([], canary):
        yield f"version 7.3: {label}", lambda make=make: {"a.mat": matlab.ljust(512, b"\0") + make()["a.h5"]}


def _hdf5(bases: list[Files], canary: Canary) -> Iterator[Case]:
    def built(build: Callable[[h5py.File], object], **options: Any) -> Callable[[], Files]:
        def make() -> Files:
            buffer = io.BytesIO()
            with h5py.File(buffer, "w", **options) as file:
                build(file)
            return {"a.h5": buffer.getvalue()}

        return make

    outside = str(canary.folder / "secret.h5")
    raw = str(canary.folder / "secret.raw")

    def dataset(file: h5py.File, name: str = "ecg", **options: Any) -> h5py.Dataset:
        made = file.create_dataset(name, **options)
        made.attrs["fs"] = 500.0
        return made

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((1, 2000), "f8")
        layout[:] = h5py.VirtualSource(outside, "ecg", (1, 2000))
        file.create_virtual_dataset("ecg", layout).attrs["fs"] = 500.0

    def virtual_self(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((1, 2000), "f8")
        layout[:] = h5py.VirtualSource(".", "ecg", (1, 2000))
        file.create_virtual_dataset("ecg", layout).attrs["fs"] = 500.0

    def external_link(file: h5py.File) -> None:
        file.attrs["fs"] = 500.0
        file["ecg"] = h5py.ExternalLink(outside, "/ecg")

    def strips(file: h5py.File) -> None:
        for lead in ("I", "II", "III"):
            file[f"ukb_ecg_rest/strip_{lead}/instance_0"] = h5py.ExternalLink(outside, "/ecg")

    def loop(file: h5py.File) -> None:
        group = file.create_group("a")
        group["a"] = file["/"]
        group["b"] = h5py.SoftLink("/a/b")
        dataset(file, data=np.sin(np.arange(2000.0))[None])

    def deep(file: h5py.File) -> None:
        group = file
        for _ in range(3000):
            group = group.create_group("g")
        dataset(group, data=np.sin(np.arange(2000.0))[None])

    def wide(file: h5py.File) -> None:
        for index in range(5000):
            file[f"lead{index}"] = np.zeros(2)

    def braid(file: h5py.File) -> None:
        below = file.create_group("end")
        dataset(below, data=np.sin(np.arange(2000.0))[None])
        for _ in range(40):
            above = file.create_group(None)
            above["l"] = below
            above["r"] = below
            below = above
        file["top"] = below

    def references(file: h5py.File) -> None:
        made = dataset(file, shape=(2000,), dtype=h5py.ref_dtype)
        made[:] = file.ref

    def attributes(file: h5py.File) -> None:
        made = dataset(file, data=np.sin(np.arange(2000.0))[None])
        for index in range(300):
            made.attrs[f"a{index}"] = "x" * 100
        made.attrs["fs"] = h5py.Empty("f8")

    external = [(raw, 0, 8000)]
    yield "external link", built(external_link)
    yield "external links as strips", built(strips)
    yield "external storage", built(lambda f: dataset(f, shape=(1, 2000), dtype="f4", external=external))
    passwd = [("/etc/passwd", 0, 2000)]
    yield "external storage /etc/passwd", built(lambda f: dataset(f, shape=(1, 2000), dtype="u1", external=passwd))
    yield "virtual data set", built(virtual)
    yield "virtual data set of itself", built(virtual_self)
    yield "groups that hold themselves", built(loop)
    yield "3000 deep", built(deep)
    yield "5000 data sets", built(wide)
    yield "2^40 paths", built(braid)
    yield "references", built(references)
    yield "300 attributes", built(attributes)
    for label, shape in {
        "10^12": (12, 10**11),
        "10^18": (10**6, 10**12),
        "10^9": (2, 5 * 10**8),
        "a square": (30_000, 30_000),
    }.items():
        yield (
            f"{label} samples that are not there",
            built(lambda f, shape=shape: dataset(f, shape=shape, dtype="f4", chunks=True)),
        )
        yield f"{label} samples, late", built(lambda f, shape=shape: dataset(f, shape=shape, dtype="f4"))
    yield (
        "bomb of 600 MB",
        built(lambda f: dataset(f, data=np.zeros((12, 12_500_000), np.float32), compression="gzip")),
    )
    yield (
        "one chunk of 3 GB",
        built(lambda f: dataset(f, shape=(12, 6 * 10**7), dtype="f4", chunks=(12, 6 * 10**7), compression="gzip")),
    )
    types: dict[str, Any] = {
        "compound": np.zeros(2000, [("a", "f8"), ("b", "i4", (3,))]),
        "text": np.array(["1.5"] * 2000, dtype="S8"),
        "opaque": np.zeros(2000, "V16"),
        "complex": np.zeros((2, 2000), "c16"),
        "boolean": np.zeros((2, 2000), bool),
        "huge items": np.zeros(3, "V1000000"),
        "five dimensions": np.zeros((2, 1, 1, 1, 2000)),
        "no dimension": np.float64(1.0),
        "half": np.full((2, 2000), np.inf, "f2"),
        "long double": np.full((2, 2000), 1e4000, "longdouble") if np.finfo("longdouble").max > 1e308 else np.zeros(2),
    }
    for label, values in types.items():
        yield f"type {label}", built(lambda f, values=values: dataset(f, data=values))
    yield "empty data set", built(lambda f: dataset(f, data=h5py.Empty("f8")))
    for value in (float("nan"), -1.0, 0.0, 1e308, 1e-308, "500", b"\xff", [500.0, 250.0], np.zeros((3, 3)), 2**63 - 1):

        def odd(file: h5py.File, value: object = value) -> None:
            dataset(file, data=np.sin(np.arange(2000.0))[None]).attrs["fs"] = value

        yield f"rate {str(value)[:20]!r}", built(odd)
    yield "user block", built(lambda f: dataset(f, data=np.sin(np.arange(2000.0))[None]), userblock_size=1024)


def _deflated(size: int) -> bytes:
    """Return a DICOM element of zeros, deflated."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    element = struct.pack("<HH2sHI", 0x54, 0x1010, b"OW", 0, size) + bytes(size)
    return packed.compress(element) + packed.flush()


def _dicom(bases: list[Files], canary: Canary) -> Iterator[Case]:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    name, data = next(iter(bases[0].items()))

    def changed(change: Callable[[Dataset], object]) -> Callable[[], Files]:
        def make() -> Files:
            buffer = io.BytesIO()
            with pydicom.config.disable_value_validation():
                dataset = pydicom.dcmread(io.BytesIO(data))
                change(dataset)
                dataset.save_as(buffer, enforce_file_format=False)
            return {name: buffer.getvalue()}

        return make

    at = data.find(b"1.2.840.10008.1.2.1\0")
    meta = data[:132]
    for label, uid in (
        ("deflated", b"1.2.840.10008.1.2.1.99"),
        ("big endian", b"1.2.840.10008.1.2.2\0"),
        ("JPEG", b"1.2.840.10008.1.2.4.50"),
    ):
        syntax = struct.pack("<HH2sH", 2, 0x10, b"UI", len(uid)) + uid
        group = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(syntax)) + syntax
        yield f"says it is {label}", {name: meta + group + data[at + 20 :]}
        if label == "deflated":
            yield "deflate bomb", lambda head=meta + group: {name: head + _deflated(300 << 20)}
    waveform = "WaveformSequence"
    odd_sizes: dict[str, tuple[str, object]] = {
        "65535 channels": ("NumberOfWaveformChannels", 65535),
        "no channels": ("NumberOfWaveformChannels", 0),
        "2^32 samples": ("NumberOfWaveformSamples", 2**32 - 1),
        "no samples": ("NumberOfWaveformSamples", 0),
        "rate nan": ("SamplingFrequency", "nan"),
        "rate 0": ("SamplingFrequency", "0"),
        "rate 1e300": ("SamplingFrequency", "1e300"),
        "0 bits": ("WaveformBitsAllocated", 0),
        "7 bits": ("WaveformBitsAllocated", 7),
        "64 bits": ("WaveformBitsAllocated", 64),
        "u-law": ("WaveformSampleInterpretation", "MB"),
        "nonsense": ("WaveformSampleInterpretation", "ZZ"),
        "no definitions": ("ChannelDefinitionSequence", Sequence()),
        "no data": ("WaveformData", b""),
    }
    for label, (field, value) in odd_sizes.items():
        yield label, changed(lambda d, field=field, value=value: setattr(d[waveform].value[0], field, value))
    for field in ("ChannelSensitivity", "ChannelBaseline", "ChannelSensitivityCorrectionFactor", "ChannelTimeSkew"):
        for value in ("nan", "0", "1e300", "-1"):

            def spoil(dataset: Dataset, field: str = field, value: str = value) -> None:
                for channel in dataset[waveform].value[0].ChannelDefinitionSequence:
                    setattr(channel, field, value)

            yield f"{field} {value}", changed(spoil)
    yield "no waveforms", changed(lambda d: setattr(d, waveform, Sequence()))
    yield "500 groups", changed(lambda d: setattr(d, waveform, Sequence([d[waveform].value[0]] * 500)))
    yield (
        "10,000 channels",
        changed(
            lambda d: setattr(
                d[waveform].value[0],
                "ChannelDefinitionSequence",
                Sequence(list(d[waveform].value[0].ChannelDefinitionSequence) * 834),
            )
        ),
    )
    for depth in (200, 20_000):
        item = struct.pack("<HH2sHI", 0x40, 0xA730, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
            "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
        )
        yield f"sequences {depth} deep", {name: data + item * depth}
    for tag, word in (((0x7FE0, 0x10), "pixels"), ((0x5400, 0x1010), "waveform"), ((0x9, 0x1001), "private")):
        for size in (0xFFFFFFFF, 0xFFFFFFFE, 0x7FFFFFFF):
            yield f"{word} of {size:#x} bytes", {name: data + struct.pack("<HH2sHI", *tag, b"OB", 0, size) + bytes(100)}
    text = struct.pack("<HH2sHI", 0x40, 0xA160, b"UT", 0, 20 << 20) + b"\\" * (20 << 20)
    yield "text of 20 MiB of separators", {name: data + text}
    yield (
        "200,000 elements",
        {name: data + b"".join(struct.pack("<HH2sH", 0x7001, i % 65536, b"LO", 0) for i in range(200_000))},
    )
    yield "character set nonsense", changed(lambda d: setattr(d, "SpecificCharacterSet", ["ISO 2022 IR 87"] * 50))


def _edf(bases: list[Files], canary: Canary) -> Iterator[Case]:
    for base in bases[:3]:
        name, data = next(iter(base.items()))
        n_signals = int(data[252:256])
        fields = {
            "header bytes": (184, 8),
            "records": (236, 8),
            "duration": (244, 8),
            "signals": (252, 4),
            "date": (168, 8),
            "reserved": (192, 5),
        }
        offset = 256
        for label, width in (
            ("label", 16),
            ("transducer", 80),
            ("unit", 8),
            ("physical minimum", 8),
            ("physical maximum", 8),
            ("digital minimum", 8),
            ("digital maximum", 8),
            ("filter", 80),
            ("samples a record", 8),
        ):
            fields[label] = (offset, width)
            offset += width * n_signals
        values = (
            "-1",
            "0",
            "1",
            "99999999",
            "1e308",
            "1E-9",
            "nan",
            "inf",
            "",
            "-9999999",
            "2147483647",
            "99.99.99",
            "EDF+D",
            "\xff\xff",
            "8388608",
        )
        for label, (start, width) in fields.items():
            for value in values:
                text = value.encode("latin-1")[:width].ljust(width)
                yield f"{label} {value!r} in {name}", {name: data[:start] + text + data[start + width :]}
        yield f"EDF+D in {name}", {name: data[:192] + b"EDF+D" + data[197:]}
        yield f"BDF in {name}", {name: b"\xffBIOSEMI" + data[8:]}
        same = data[: fields["digital minimum"][0]] + b"100     " * (2 * n_signals) + data[fields["filter"][0] :]
        yield f"no digital range in {name}", {name: same}
        yield (
            f"annotations everywhere in {name}",
            {name: data[:256] + b"EDF Annotations ".ljust(16) * n_signals + data[256 + 16 * n_signals :]},
        )
        long = data + b"+0\x14\x14\0+1\x15" + b"9" * 100_000 + b"\x14x\x14\0"
        yield f"more than it says in {name}", {name: long}


OF_FORMAT: dict[str, Callable[[list[Files], Canary], Iterator[Case]]] = {
    "npz": _npz,
    "mat": _mat,
    "hdf5": _hdf5,
    "dicom": _dicom,
    "edf": _edf,
}
