"""Files that somebody built to do harm: bombs, loops, false sizes, and names that lead out of the file.

`constructions` yields those of one format. What points outside points into a folder of the harness's own, whose content
(`CANARY_MV`, `CANARY_TEXT`) must never turn up in a recording.
"""

from __future__ import annotations

import gzip
import io
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator

from tests.fuzz import hostile_binary
from tests.fuzz.canary import Canary
from tests.fuzz.mutate import SUFFIXES, Files, tarred, zipped

Case = tuple[str, Files | Callable[[], Files]]


def constructions(name: str, bases: list[Files], canary: Canary) -> Iterator[Case]:
    """Yield (what it is, files or what makes them) for a format; one without its own list gets the general ones."""
    yield from _general(bases)
    own = OF_FORMAT.get(name)
    if own is not None:
        yield from own(bases, canary)


def _general(bases: list[Files]) -> Iterator[Case]:
    files = bases[0]
    main, data = next(iter(files.items()))
    rest = {label: content for label, content in files.items() if label != main}
    yield "nothing at all", {main: b""}
    yield "one byte", {main: data[:1]} | rest
    yield "only its first 8 bytes", {main: data[:8]} | rest
    yield "its first 64 bytes, then 8 MiB of zeros", {main: data[:64] + bytes(8 << 20)} | rest
    yield "its first 64 bytes, then 8 MiB of 0xff", {main: data[:64] + b"\xff" * (8 << 20)} | rest
    yield "its first 300 bytes, over and over", {main: data[:300] * 20_000} | rest
    yield "twice", {main: data + data} | rest
    yield "as UTF-16", {main: data.decode("latin-1").encode("utf-16")} | rest
    yield "behind a byte order mark", {main: b"\xef\xbb\xbf" + data} | rest
    yield "1 MiB of white space in front", {main: b" \n" * (1 << 19) + data} | rest
    for suffix in SUFFIXES:
        yield f"called {suffix or 'nothing'}", {f"case{suffix}": data} | rest
    yield "in three archives", {"a.zip": zipped({"b.zip": zipped({"c.tar": tarred(files, "w")})})}
    yield "gzip in gzip in gzip", {f"{main}.gz.gz.gz": gzip.compress(gzip.compress(gzip.compress(data)))}


def _overlapping(kernel: bytes, copies: int) -> bytes:
    """Return a zip whose central directory names one stretch of data many times."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(kernel) + packed.flush()
    crc = zlib.crc32(kernel)
    sizes = (crc, len(body), len(kernel))
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 0, *sizes, 1, 0) + b"a" + body
    directory = b"".join(
        struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, *sizes, len(entry), 0, 0, 0, 0, 0, 0) + entry
        for entry in (f"{index}.csv".encode() for index in range(copies))
    )
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, copies, copies, len(directory), len(local), 0)
    return local + directory + end


def _nested(depth: int, copies: int) -> bytes:
    """Return a zip of zips of ... of zeros."""
    archive = zipped({"a.csv": bytes(10 << 20)})
    for level in range(depth):
        archive = zipped({f"{level}-{copy}.zip": archive for copy in range(copies)})
    return archive


def _tar_member(name: str, **fields: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        for field, value in fields.items():
            setattr(entry, field, value)
        archive.addfile(entry)
    return buffer.getvalue()


def _archives(bases: list[Files], canary: Canary) -> Iterator[Case]:
    inner = {"a.csv": b"time,I\n0,0\n0.1,1\n" * 50}
    yield "zip bomb, 100 MiB of zeros", lambda: {"a.zip": zipped({"a.csv": bytes(100 << 20)})}
    yield "zip bomb, nested", lambda: {"a.zip": _nested(6, 8)}
    yield "zip bomb of overlapping entries", {"a.zip": _overlapping(bytes(1 << 20), 5000)}
    yield "zip of 30,000 entries", lambda: {"a.zip": zipped(dict.fromkeys(map(str, range(30_000)), b""), 0)}
    for method, word in ((zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "lzma")):
        yield f"zip bomb, {word}", lambda method=method: {"a.zip": zipped({"a.csv": bytes(64 << 20)}, method)}
    for path in (
        "../../x.csv",
        "/etc/passwd",
        "..\\..\\x.csv",
        "C:\\x.csv",
        "a/../../x.csv",
        "./",
        "a\0b.csv",
        "x" * 70_000,
        "//",
    ):
        try:
            yield f"zip with an entry called {path[:20]!r}", {"a.zip": zipped({path: inner["a.csv"]})}
        except (ValueError, struct.error):
            continue
        yield f"tar with an entry called {path[:20]!r}", {"a.tar": tarred({path: inner["a.csv"]}, "w")}
    archive = zipped(inner)
    at = archive.index(b"PK\x01\x02")
    for label, offset, size in (
        ("flags", 8, 2),
        ("method", 10, 2),
        ("packed size", 20, 4),
        ("size", 24, 4),
        ("offset", 42, 4),
    ):
        for value in (1, 2**16 - 1, 2**31, 2**32 - 1):
            number = (value % (1 << (8 * size))).to_bytes(size, "little")
            yield (
                f"zip whose {label} is {value}",
                {"a.zip": archive[: at + offset] + number + archive[at + offset + size :]},
            )
    yield (
        "zip that names a file twice",
        {"a.zip": _overlapping(b"time,I\n0,1\n1,2\n", 1)[:-22].replace(b"0.csv", b"a.csv") + archive},
    )
    yield "zip with 1 MiB in front", {"a.zip": bytes(1 << 20) + archive}
    kinds = {
        "a link": {"type": tarfile.SYMTYPE, "linkname": str(canary.folder / "secret.csv")},
        "a hard link": {"type": tarfile.LNKTYPE, "linkname": str(canary.folder / "secret.csv")},
        "a link to itself": {"type": tarfile.LNKTYPE, "linkname": "a.csv"},
        "a device": {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5},
        "a pipe": {"type": tarfile.FIFOTYPE},
        "a folder": {"type": tarfile.DIRTYPE},
    }
    for label, fields in kinds.items():
        yield f"tar of {label}", {"a.tar": _tar_member("a.csv", **fields)}
    plain = bytearray(tarred(inner, "w"))
    for label, size in (
        ("8 GiB", b"77777777777\0"),
        ("negative", b"\xff" * 12),
        ("2^88", b"\x80" + b"\xff" * 11),
        ("no number", b"xyzxyzxyzxy\0"),
    ):
        plain[124:136] = size
        checksum = sum(plain[:148]) + 8 * 32 + sum(plain[156:512])
        plain[148:156] = f"{checksum:06o}\0 ".encode()
        yield f"tar whose entry claims {label}", {"a.tar": bytes(plain)}
    pax = io.BytesIO()
    with tarfile.open(
        fileobj=pax, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x" * (4 << 20)}
    ) as tar:
        tar.addfile(tarfile.TarInfo("a.csv"))
    yield "tar with a header of 4 MiB", {"a.tar": pax.getvalue()}
    sparse = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.realsize": "99999999999",
        "GNU.sparse.name": "a.csv",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo("a.csv")
        entry.pax_headers = sparse
        entry.size = 512
        tar.addfile(entry, io.BytesIO(b"1\n99999999999\n0\n".ljust(512, b"\0")))
    yield "tar of a sparse file of 93 GiB", {"a.tar": buffer.getvalue()}
    yield "gzip bomb", lambda: {"a.csv.gz": gzip.compress(bytes(200 << 20))}
    yield "tar.gz bomb", lambda: {"a.tar.gz": tarred({"a.csv": bytes(200 << 20)}, "w:gz")}
    yield "gzip of 100,000 parts", {"a.csv.gz": gzip.compress(b"x") * 100_000}
    yield "gzip cut in its head", {"a.csv.gz": gzip.compress(b"x" * 99)[:11]}


def _xml(bases: list[Files], canary: Canary) -> Iterator[Case]:
    name, data = next(iter(bases[0].items()))
    prologue, root = re.match(rb"(\s*(?:<\?xml[^>]*\?>)?\s*)(.*)", data, re.S).groups()  # type: ignore[union-attr]
    root = re.sub(rb"^<!DOCTYPE[^>]*>\s*", b"", root)
    tag = re.match(rb"<([A-Za-z]+)", root).group(1)  # type: ignore[union-attr]
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (i, b"&l%d;" % (i - 1) * 10 if i else b"ha") for i in range(12))
    secret = (canary.folder / "secret.csv").as_uri().encode()
    doctypes = {
        "billion laughs": laughs,
        "quadratic entity": b'<!ENTITY l11 "%s">' % (b"x" * 500_000),
        "external entity": b'<!ENTITY l11 SYSTEM "%s">' % secret,
        "external entity by http": b'<!ENTITY l11 SYSTEM "http://127.0.0.1:9/x">',
        "parameter entity": b'<!ENTITY % l12 SYSTEM "' + secret + b'"> %l12; <!ENTITY l11 "x">',
        "entity that names itself": b'<!ENTITY l11 "&l10;"><!ENTITY l10 "&l11;">',
    }
    for label, entities in doctypes.items():
        doctype = b"<!DOCTYPE %s [%s]>" % (tag, entities)
        text = root.replace(b">", b">" + b"&l11;" * (200 if "quadratic" in label else 1), 3)
        yield label, {name: prologue + doctype + text}
    yield "external type", {name: prologue + b'<!DOCTYPE %s SYSTEM "%s">' % (tag, secret) + root}
    yield "unused type", {name: prologue + b"<!DOCTYPE %s>" % tag + root}
    first = root.index(b">") + 1
    for depth in (900, 100_000):
        yield f"{depth} deep", {name: prologue + root[:first] + b"<a>" * depth + b"</a>" * depth + root[first:]}
    yield "100,000 open", {name: prologue + root[:first] + b"<a>" * 100_000}
    yield "a million elements", {name: prologue + root[:first] + b"<a/>" * 1_000_000 + root[first:]}
    yield "attribute of 10 MiB", {name: prologue + root[:first] + b'<a b="%s"/>' % (b"x" * (10 << 20)) + root[first:]}
    attributes = b" ".join(b'a%d=""' % index for index in range(200_000))
    yield "200,000 attributes", {name: prologue + root[:first] + b"<a %s/>" % attributes + root[first:]}
    for encoding in ("utf-16", "utf-7", "ibm037", "no-such", "utf-32", "zlib_codec", "idna", "unicode_escape"):
        head = b'<?xml version="1.0" encoding="%s"?>' % encoding.encode()
        yield f"says it is {encoding}", {name: head + root}
    yield (
        "XInclude",
        {
            name: prologue
            + root[:first]
            + b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="%s" parse="text"/>' % secret
            + root[first:]
        },
    )
    yield (
        "numbers 1 MiB long",
        {name: re.sub(rb"(>|\")\d+(<|\")", lambda m: m[1] + b"9" * (1 << 20) + m[2], data, count=12)},
    )
    for value in (b"-1", b"0", b"1e400", b"nan", b"2147483648", b"1" + b"0" * 30, b"1e-300", b""):
        yield (
            f"every number {value.decode()[:20]!r}",
            {name: prologue + re.sub(rb'(>|")[-\d.]+(<|")', rb"\g<1>" + value + rb"\g<2>", root)},
        )
        yield f"first samples {value.decode()[:20]!r}", {name: data.replace(b" 1 ", b" " + value + b" ")}
    yield "ten thousand leads", {name: _repeat_inner(data, 10_000)}


def _repeat_inner(data: bytes, times: int) -> bytes:
    """Return an XML text with the first lead repeated, its samples cut to a few."""
    match = re.search(rb"<(LeadData|component)\b[^>]*>.*?</\1>", data, re.S)
    if match is None:
        return data
    small = re.sub(rb"[A-Za-z0-9+/= ]{200,}", b"AAAA", match.group())
    return data[: match.start()] + small * times + data[match.end() :]


def _wfdb(bases: list[Files], canary: Canary) -> Iterator[Case]:
    files = bases[0]
    stem = next(iter(files)).removesuffix(".hea")
    signal = next(label for label in files if not label.endswith(".hea"))
    secret = str(canary.folder / "secret")
    line = f"{signal} 16 200 16 0 0 0 0 I"
    headers = {
        "signal file /etc/passwd": f"{stem} 1 500 10\n/etc/passwd 16 200 16 0 0 0 0 I\n",
        "signal file outside": f"{stem} 1 500 10\n{secret}.dat 16 200 16 0 0 0 0 I\n",
        "signal file one folder up": f"{stem} 1 500 10\n../{signal} 16 200 16 0 0 0 0 I\n",
        "signal file by http": f"{stem} 1 500 10\nhttp://127.0.0.1:9/x.dat 16 200 16 0 0 0 0 I\n",
        "signal file is the header": f"{stem} 1 500 10\n{stem}.hea 16 200 16 0 0 0 0 I\n",
        "signal file /dev/zero": f"{stem} 1 500 10\n/dev/zero 16 200 16 0 0 0 0 I\n",
        "record outside": f"../../{stem} 1 500 10\n{line}\n",
        "itself as a segment": f"{stem}/2 1 500 20\n{stem} 10\n{stem} 10\n",
        "a segment outside": f"{stem}/1 1 500 10\n{secret} 10\n",
        "a segment of no length": f"{stem}/1 1 500 0\n~ 0\n",
        "a gap of 10^12": f"{stem}/2 1 500 1000000000010\n~ 1000000000000\nother 10\n",
        "10^9 segments": f"{stem}/1000000000 1 500 10\n{stem} 10\n",
        "200,000 segments": f"{stem}/200000 1 500 10\n" + "~ 1\n" * 200_000,
        "10^9 signals": f"{stem} 1000000000 500 10\n{line}\n",
        "200,000 signals": f"{stem} 200000 500 10\n" + f"{line}\n" * 200_000,
        "no signals": f"{stem} 0 500 10\n",
        "comments of 10 MiB": f"{stem} 1 500 10\n{line}\n" + "#x\n" * 3_000_000,
        "a line of 10 MiB": f"{stem} 1 500 10\n{line}{'x' * (10 << 20)}\n",
        "white space of 1 MiB": f"{stem} 1 500 10\n{line}{' ' * (1 << 20)}(\n",
    }
    for label, header in headers.items():
        yield label, files | {f"{stem}.hea": header.encode()}
    second = files | {
        f"{stem}.hea": f"{stem}/1 1 500 10\nb 10\n".encode(),
        "b.hea": f"b/1 1 500 10\n{stem} 10\n".encode(),
    }
    yield "two headers that name each other", second
    odd = ("-1", "0", "1000000000000000000", "nan", "inf", "1e308", "1e-308", "-0", "1e400", "9" * 40, "")
    for value in odd:
        for label, text in {
            "rate": f"{stem} 1 {value} 10\n{line}\n",
            "samples": f"{stem} 1 500 {value}\n{line}\n",
            "counter": f"{stem} 1 500/{value}({value}) 10\n{line}\n",
            "format": f"{stem} 1 500 10\n{signal} {value} 200 16 0 0 0 0 I\n",
            "samples a frame": f"{stem} 1 500 10\n{signal} 16x{value} 200 16 0 0 0 0 I\n",
            "skew": f"{stem} 1 500 10\n{signal} 16:{value} 200 16 0 0 0 0 I\n",
            "offset": f"{stem} 1 500 10\n{signal} 16+{value} 200 16 0 0 0 0 I\n",
            "gain": f"{stem} 1 500 10\n{signal} 16 {value}({value})/mV 16 0 0 0 0 I\n",
            "resolution": f"{stem} 1 500 10\n{signal} 16 200 {value} {value} 0 0 0 I\n",
            "block": f"{stem} 1 500 10\n{signal} 16 200 16 0 0 0 {value} I\n",
        }.items():
            yield f"{label} {value[:20]!r}", files | {f"{stem}.hea": text.encode()}
    for form in (8, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524):
        for size in (0, 1, 5, 1001):
            header = f"{stem} 3 500 400\n" + f"{signal} {form} 200 16 0 0 0 0 I\n" * 3
            yield f"format {form} of {size} bytes", files | {f"{stem}.hea": header.encode(), signal: b"\x55" * size}
    for label, data in {
        "annotation file of skips": struct.pack("<HHH", 59 << 10, 0x7FFF, 0xFFFF) * 5000,
        "annotation file of notes": struct.pack("<H", (63 << 10) | 1023) * 5000,
        "annotation file without an end": b"\x01\x04" * 500_000,
        "annotation file that goes back": struct.pack("<HHH", 59 << 10, 0x8000, 0) * 100,
    }.items():
        yield label, files | {f"{stem}.atr": data}


def _csv(bases: list[Files], canary: Canary) -> Iterator[Case]:
    name = next(iter(bases[0]))
    rows = [f"{index / 500},{index % 7 / 10}" for index in range(2000)]
    good = "time,I\n" + "\n".join(rows) + "\n"
    texts = {
        "field of 10 MiB": good.replace("0.004,", "0.004," + "9" * (10 << 20), 1),
        "quoted field of 10 MiB": good + '"' + "x,\n" * (3 << 20) + '"',
        "quote that never closes": good.replace("0.1,", '0.1,"', 1),
        "half a million columns": ",".join(["I"] * 500_000) + "\n" + ",".join(["1"] * 500_000) + "\n",
        "two million empty lines": "time,I\n" + "\n" * 2_000_000 + good,
        "five million commas": good + "," * 5_000_000,
        "ragged": good + "\n".join("1," * (index % 50) for index in range(20_000)),
        "no line ends": good.replace("\n", " "),
        "a column name of white space": "time," + " " * (1 << 20) + "(\n" + "\n".join(rows),
        "a column name of 1 MiB": "time," + "ECG " * (1 << 18) + "\n" + "\n".join(rows),
        "comments of 10 MiB": "#x\n" * 3_000_000 + good,
        "a formula": good.replace("0.1\n", "=cmd|' /C calc'!A0\n"),
        "an include": f"time,I\n@{canary.folder}/secret.csv\n",
        "times that stand still": "time,I\n" + "0,1\n" * 5000,
        "times that go back": "time,I\n" + "\n".join(reversed(rows)),
        "times a femtosecond apart": "time,I\n" + "\n".join(f"{index}e-15,1" for index in range(5000)),
        "times 10^300 s apart": "time,I\n" + "\n".join(f"{index}e300,1" for index in range(5000)),
        "times with a hole of 10^12 s": good + "1000000000000,1\n",
        "infinite times": "time,I\n" + "inf,1\n" * 500,
        "dates": "time,I\n" + "\n".join(f"99999-13-{index % 40} 25:61:61,1" for index in range(500)),
        "rate of 10^300": "# fs: 1e300\nI,II\n" + "1,2\n" * 500,
        "no rows": "time,I\n",
        "no columns": "\n\n\n",
        "hexadecimal": "time,I\n" + "0x1p-3,0x1p400\n" * 500,
        "numbers of 5000 digits": "time,I\n" + (f"{'9' * 5000},{'1' * 5000}\n") * 50,
        "parentheses": "time,I\n" + "(" * 200_000 + "\n" + good,
        "unicode digits": good.replace("1", "\u0661").replace("2", "\uff12"),
    }
    for label, text in texts.items():
        yield label, {name: text.encode("utf-8", "surrogatepass")}
    yield "zeros among the text", {name: good.replace("0.1", "0\0.1").encode()}
    yield "every byte", {name: good.encode() + bytes(range(256)) * 100}


OF_FORMAT: dict[str, Callable[[list[Files], Canary], Iterator[Case]]] = {
    "archive": _archives,
    "wfdb": _wfdb,
    "csv": _csv,
    "muse": _xml,
    "aecg": _xml,
    **hostile_binary.OF_FORMAT,
}
