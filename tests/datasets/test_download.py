"""Downloads against a local server that resumes, breaks off, lies, and changes its mind."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ecg_core.datasets import fetch as fetching
from ecg_core.datasets.checksums import CHECKSUMS, parse_checksums, safe_path
from ecg_core.datasets.fetch import NOT_VERIFIED, Origin, Progress, fetch, verify
from ecg_core.datasets.transfer import Transfer
from ecg_core.errors import DataSetError, InvalidValue

ORIGIN = Origin("https://example.org/files/tiny/1.0.0/", slug="tiny", wanted=("*.dat", "*.csv"), tables=("*.csv",))
UNCHECKED = Origin("https://example.org/files/tiny/", files=("a.dat", "sub/b.dat"))


class Publisher:
    """What the server does: its files, and how it misbehaves."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut_at: dict[str, list[int]] = {}
        """Bytes after which each of the next answers for a file breaks off."""
        self.busy: dict[str, int] = {}
        """How many times a file is answered with 503."""
        self.ranges = True
        self.etag = '"one"'
        self.requests: list[tuple[str, str | None]] = []
        self.url = ""

    def publish(self, files: dict[str, bytes]) -> None:
        self.files = dict(files)
        sums = "".join(f"{hashlib.sha256(data).hexdigest()} {name}\n" for name, data in files.items())
        self.files[CHECKSUMS] = sums.encode()

    def asked(self, name: str) -> list[str | None]:
        """Return the Range header of every request for a file."""
        return [header for path, header in self.requests if path == name]


class Handler(BaseHTTPRequestHandler):
    publisher: Publisher

    def do_GET(self) -> None:
        here, name = self.publisher, self.path.lstrip("/")
        wanted = self.headers.get("Range")
        here.requests.append((name, wanted))
        if here.busy.get(name, 0) > 0:
            here.busy[name] -= 1
            return self.send_error(503)
        if name not in here.files:
            return self.send_error(404)
        data, start = here.files[name], 0
        match = re.fullmatch(r"bytes=(\d+)-", wanted or "")
        partial_answer = bool(match) and here.ranges and self.headers.get("If-Range") == here.etag
        if match and partial_answer:
            start = int(match[1])
            if start >= len(data):
                return self.send_error(416)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("ETag", here.etag)
        self.end_headers()
        cuts = here.cut_at.get(name, [])
        stop = cuts.pop(0) if cuts else None
        self.wfile.write(data[start:][:stop])
        self.close_connection = True
        return None

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    here = Publisher()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"publisher": here}))
    here.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "Transfer", partial(Transfer, attempts=3, pause_s=0.0, timeout_s=10.0))


def get(publisher: Publisher, folder: Path, **options: object) -> fetching.Report:
    return fetch("tiny", ORIGIN, folder, base_url=publisher.url, **options)  # type: ignore[arg-type]


FILES = {
    "table.csv": b"id,fold\n1,1\n",
    "sub/a.dat": bytes(range(256)) * 2000,
    "b.dat": b"",
    "README.md": b"not wanted",
}


def test_wanted_files_arrive_whole_and_others_are_not_asked_for(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    seen: list[Progress] = []
    report = get(publisher, tmp_path / "tiny", progress=seen.append)
    assert (report.ok, report.fetched, report.whole, report.note) == (3, 3, True, "")
    for name in ("table.csv", "sub/a.dat", "b.dat"):
        assert (tmp_path / "tiny" / name).read_bytes() == FILES[name]
    assert publisher.asked("README.md") == []
    assert not list(tmp_path.rglob("*.part"))
    assert (seen[-1].files_done, seen[-1].files, seen[-1].bytes) == (3, 3, sum(map(len, FILES.values())) - 10)


def test_second_call_asks_for_nothing(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    get(publisher, tmp_path)
    publisher.requests.clear()
    report = get(publisher, tmp_path)
    assert (report.ok, report.fetched) == (3, 0)
    assert publisher.requests == []


def test_broken_connection_goes_on_where_it_stopped(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    publisher.cut_at["sub/a.dat"] = [100_000, 200_000]
    get(publisher, tmp_path)
    assert (tmp_path / "sub/a.dat").read_bytes() == FILES["sub/a.dat"]
    assert publisher.asked("sub/a.dat") == [None, "bytes=100000-", "bytes=300000-"]


def test_next_call_goes_on_where_the_last_one_gave_up(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    publisher.cut_at["sub/a.dat"] = [70_000, 0, 0, 0]
    with pytest.raises(DataSetError, match=r"sub/a\.dat: cannot be fetched"):
        get(publisher, tmp_path)
    assert not (tmp_path / "sub/a.dat").exists()
    publisher.cut_at.clear()
    publisher.requests.clear()
    get(publisher, tmp_path)
    assert publisher.asked("sub/a.dat") == ["bytes=70000-"]
    assert (tmp_path / "sub/a.dat").read_bytes() == FILES["sub/a.dat"]


def test_server_without_ranges_is_started_over(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    publisher.ranges = False
    publisher.cut_at["sub/a.dat"] = [100_000]
    get(publisher, tmp_path)
    assert (tmp_path / "sub/a.dat").read_bytes() == FILES["sub/a.dat"]


def test_file_that_changed_in_between_is_started_over(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    publisher.cut_at["sub/a.dat"] = [70_000, 0, 0, 0]
    with pytest.raises(DataSetError):
        get(publisher, tmp_path)
    changed = FILES | {"sub/a.dat": FILES["sub/a.dat"][::-1]}
    publisher.publish(changed)
    publisher.etag = '"two"'
    (tmp_path / CHECKSUMS).unlink()
    get(publisher, tmp_path)
    assert (tmp_path / "sub/a.dat").read_bytes() == changed["sub/a.dat"]


def test_stale_first_piece_under_an_unchanged_etag_is_found_by_the_checksum(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.publish(FILES)
    publisher.cut_at["sub/a.dat"] = [70_000, 0, 0, 0]
    with pytest.raises(DataSetError):
        get(publisher, tmp_path)
    part = tmp_path / "sub/a.dat.part"
    part.write_bytes(b"x" * 70_000)
    get(publisher, tmp_path)
    assert (tmp_path / "sub/a.dat").read_bytes() == FILES["sub/a.dat"]


def test_corrupted_file_is_named_and_not_kept_while_the_others_are(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    publisher.files["sub/a.dat"] = b"?" + FILES["sub/a.dat"][1:]
    with pytest.raises(DataSetError, match=r"1 files are not as published.*sub/a\.dat: sha256 is"):
        get(publisher, tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        ".verified",
        CHECKSUMS,
        "b.dat",
        "table.csv",
    ]
    publisher.publish(FILES)
    assert get(publisher, tmp_path).fetched == 1


def test_missing_file_is_named_with_the_servers_answer(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    del publisher.files["b.dat"]
    with pytest.raises(DataSetError, match=r"b\.dat: the server answers 404"):
        get(publisher, tmp_path)
    assert publisher.asked("b.dat") == [None]


def test_busy_server_is_asked_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    publisher.busy["b.dat"] = 2
    assert get(publisher, tmp_path).whole
    assert len(publisher.asked("b.dat")) == 3


def test_server_that_stays_busy_is_given_up(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    publisher.busy["b.dat"] = 99
    with pytest.raises(DataSetError, match="503"):
        get(publisher, tmp_path)


def test_unreachable_publisher_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"127\.0\.0\.1:9/SHA256SUMS\.txt: cannot be fetched"):
        fetch("tiny", ORIGIN, tmp_path, base_url="http://127.0.0.1:9/")


@pytest.mark.parametrize("name", ["../evil.dat", "/etc/evil.dat", "sub/../../evil.dat", "..\\evil.dat", ".ssh/a.dat"])
def test_name_that_leaves_the_folder_stops_everything(publisher: Publisher, tmp_path: Path, name: str) -> None:
    publisher.publish(FILES | {name: b"evil"})
    with pytest.raises(DataSetError, match="outside the data set's folder"):
        get(publisher, tmp_path / "tiny")
    assert {path for path, _ in publisher.requests} == {CHECKSUMS}


def test_link_inside_the_folder_does_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "sub").symlink_to(tmp_path)
    with pytest.raises(DataSetError, match="outside"):
        safe_path(tmp_path / "set", "sub/a.dat")


def test_page_in_place_of_the_checksums_is_refused_and_not_kept(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files[CHECKSUMS] = b"<html>please log in</html>"
    with pytest.raises(DataSetError, match="line 1 is not a checksum"):
        get(publisher, tmp_path)
    publisher.publish(FILES)
    assert get(publisher, tmp_path).whole


def test_checksum_lines_may_be_binary_style_and_must_not_contradict() -> None:
    one, other = "a" * 64, "b" * 64
    assert parse_checksums(f"{one} *a.dat\n\n{one.upper()}  ./b c.dat\n", "S") == {"a.dat": one, "b c.dat": one}
    with pytest.raises(DataSetError, match="two checksums"):
        parse_checksums(f"{one}  a\n{other}  a\n", "S")


def test_selection_brings_tables_too_and_verify_asks_for_no_more(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    assert get(publisher, tmp_path, only=["sub/*"]).ok == 2
    assert not (tmp_path / "b.dat").exists()
    report = verify("tiny", ORIGIN, tmp_path)
    assert (report.ok, report.whole) == (2, True)
    get(publisher, tmp_path)
    assert verify("tiny", ORIGIN, tmp_path).ok == 3


def test_selection_that_matches_nothing_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    with pytest.raises(InvalidValue, match="no file of the set matches"):
        get(publisher, tmp_path, only=["records999/*"])


def test_file_changed_on_disk_is_found_by_verify_and_fetched_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    get(publisher, tmp_path)
    (tmp_path / "sub/a.dat").write_bytes(b"!" + FILES["sub/a.dat"][1:])
    (tmp_path / "b.dat").unlink()
    report = verify("tiny", ORIGIN, tmp_path)
    assert report.missing == ("b.dat",)
    assert list(report.damaged) == ["sub/a.dat"]
    (tmp_path / "table.csv").write_bytes(b"shorter")
    assert get(publisher, tmp_path).fetched == 2, (
        "what has another size than recorded is fetched again without a rehash"
    )


def test_files_put_there_by_hand_are_checked_and_kept(publisher: Publisher, tmp_path: Path) -> None:
    publisher.publish(FILES)
    (tmp_path / "b.dat").write_bytes(FILES["b.dat"])
    (tmp_path / "table.csv").write_bytes(b"something else")
    assert get(publisher, tmp_path).fetched == 2
    assert (tmp_path / "table.csv").read_bytes() == FILES["table.csv"]


def test_set_without_checksums_says_so_everywhere(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files = {"a.dat": b"one", "sub/b.dat": b"two"}
    report = fetch("tiny", UNCHECKED, tmp_path, base_url=publisher.url)
    assert (report.ok, report.note) == (2, NOT_VERIFIED)
    assert publisher.asked(CHECKSUMS) == []
    (tmp_path / "a.dat").write_bytes(b"0ne")
    later = verify("tiny", UNCHECKED, tmp_path)
    assert list(later.damaged) == ["a.dat"]
    assert later.note.startswith(NOT_VERIFIED)


def test_verify_without_anything_to_compare_with_claims_nothing(tmp_path: Path) -> None:
    report = verify("tiny", ORIGIN, tmp_path)
    assert (report.ok, report.note) == (0, "not verified: no SHA256SUMS.txt in the folder")
    assert verify("tiny", UNCHECKED, tmp_path).note == NOT_VERIFIED


def test_publisher_must_be_reached_over_https(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="https"):
        fetch("tiny", Origin("http://example.org/"), tmp_path)
    with pytest.raises(InvalidValue, match="https"):
        fetch("tiny", ORIGIN, tmp_path, base_url="file:///etc/")


def test_set_given_out_by_hand_says_what_to_do(tmp_path: Path) -> None:
    by_hand = Origin(None, files=("a.dat",), by_hand="ask the publisher")
    with pytest.raises(DataSetError, match="cannot be downloaded by a program; expected: ask the publisher"):
        fetch("tiny", by_hand, tmp_path)
