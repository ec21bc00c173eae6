"""CSV and its kin: what real exports look like, and what must never be taken for a signal."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.errors import EcgError, InvalidValue, LimitExceeded, NeedsOption, UnreadableFile
from ecg_core.leads import STANDARD_12
from ecg_core.readers import csv as reader
from ecg_core.readers.base import Limits, ReadOptions, Sniff
from ecg_core.recording import Recording, Subject
from tests.helpers import make_recording

N = 300
RNG = np.random.default_rng(3)
ONE = np.round(np.sin(np.arange(N) / 7) + 0.01 * RNG.standard_normal(N), 4)
TWO = np.round(1.3 * ONE[::-1] + 0.05, 4)
SECONDS = [f"{k / 500:.3f}" for k in range(N)]


def table(*columns, sep=",", quote="", comma=False) -> str:
    def cell(value):
        return quote + (str(value).replace(".", ",") if comma else str(value)) + quote

    return "".join(sep.join(cell(value) for value in row) + "\n" for row in zip(*columns, strict=True))


def read(text: str | bytes, **options) -> Recording:
    data = text if isinstance(text, bytes) else text.encode()
    assert reader.sniff(data) == Sniff.MAYBE
    return reader.read("a.csv", {"a.csv": data}, ReadOptions(**options))


def assert_both(recording: Recording, fs: float = 500.0) -> None:
    assert recording.fs == fs
    assert recording.signal.shape == (2, N)
    assert np.allclose(recording.signal, [ONE, TWO], atol=1e-4)


def plain(sep=",", **style) -> str:
    return f"time_s{sep}I (mV){sep}II (mV)\n" + table(SECONDS, ONE, TWO, sep=sep, **style)


@pytest.mark.parametrize(
    "data",
    [
        plain(),
        plain(";"),
        plain("\t"),
        plain("|"),
        plain(";", comma=True),
        plain("\t", comma=True),
        plain(quote='"'),
        plain(quote='"', comma=True),
        plain().replace(",", ", "),
        plain().replace("\n", "\r\n"),
        "   time_s      I     II\n" + table(SECONDS, ONE, TWO, sep="   "),
        b"\xef\xbb\xbf" + plain().encode(),
        plain().encode("utf-16"),
        plain().encode("utf-16-le"),
        plain().encode("utf-16-be"),
        plain().replace("(mV)", "(µV)").replace("I (", "I\xb4 (").encode("latin-1").replace(b"\xb4", b""),
    ],
    ids="comma semicolon tab pipe semicolon-decimal-comma tab-decimal-comma quotes quotes-decimal-comma spaced crlf "
    "whitespace bom utf-16 utf-16-le utf-16-be latin-1".split(),
)
def test_same_table_in_every_dialect(data):
    recording = read(data)
    assert recording.leads == ("I", "II")
    if isinstance(data, bytes) and b"\xb5" in data and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        assert np.allclose(recording.signal, np.array([ONE, TWO]) / 1000, atol=1e-6)
    else:
        assert_both(recording)


@pytest.mark.parametrize("name", ["time", "Time", "t", "time_s", "seconds", "Elapsed time", "timestamp", "Zeit [s]"])
def test_time_column_is_never_read_as_a_signal(name):
    recording = read(f"{name},value\n" + table(SECONDS, ONE))
    assert recording.fs == 500
    assert recording.leads == ("ECG1",)
    assert np.allclose(recording.signal[0], ONE, atol=1e-4)


@pytest.mark.parametrize(
    ("header", "times"),
    [
        ("time_ms", range(0, 2 * N, 2)),
        ("Time (ms)", range(0, 2 * N, 2)),
        ("t [us]", range(0, 2000 * N, 2000)),
        ("ms", range(0, 2 * N, 2)),
        ("time", range(0, 2 * N, 2)),
        ("time", SECONDS),
        ("elapsed", [f"0:{k / 500:06.3f}" for k in range(N)]),
        ("time", [f"23:59:59.{k * 2:03d}" if k < 500 else "" for k in range(N)]),
        ("timestamp", [(datetime(2024, 1, 2) + timedelta(milliseconds=2 * k)).isoformat() for k in range(N)]),
    ],
)
def test_rate_from_the_steps_of_the_time_column(header, times):
    recording = read(f"{header},I,II\n" + table(times, ONE, TWO))
    assert_both(recording)
    assert any("500 Hz" in note for note in recording.warnings)


def test_clock_passing_midnight_goes_on():
    start = datetime(2024, 1, 1, 23, 59, 59, 900_000)
    times = [(start + timedelta(milliseconds=2 * k)).time().isoformat("milliseconds") for k in range(N)]
    assert_both(read("time,I,II\n" + table(times, ONE, TWO)))


def test_date_and_time_in_columns_of_their_own_give_the_start():
    times = [(datetime(2024, 1, 2, 3, 4, 5) + timedelta(milliseconds=2 * k)).time().isoformat("milliseconds") for k in range(N)]  # fmt: skip # noqa: E501
    recording = read("date,time,I,II\n" + table(["2024-01-02"] * N, times, ONE, TWO))
    assert_both(recording)
    assert recording.start == datetime(2024, 1, 2, 3, 4, 5)


@pytest.mark.parametrize("fs", [360, 257, 128, 512, 1000])
def test_times_rounded_to_the_millisecond_give_the_true_rate(fs):
    times = [f"{k / fs:.3f}" for k in range(3 * N)]
    recording = read("time_s,I\n" + table(times, np.tile(ONE, 3)))
    assert recording.fs == pytest.approx(fs, rel=1e-9)


def test_physionet_export_with_a_row_of_units():
    times = [f"'0:{k // 360:02d}.{round(k % 360 / 0.36):03d}'" for k in range(N)]
    recording = read("'Elapsed time','MLII','V5'\n'hh:mm:ss.mmm','mV','mV'\n" + table(times, ONE, TWO))
    assert_both(recording, 360)
    assert recording.leads == ("II", "V5")
    assert any("units: mV, stated by the file" in note for note in recording.warnings)


def test_physionet_verbose_text_in_aligned_columns():
    text = "   Elapsed time\t   MLII\t     V5\n      (seconds)\t   (mV)\t   (mV)\n"
    text += "".join(f"{k / 360:12.3f}\t{a:8.4f}\t{b:8.4f}\n" for k, (a, b) in enumerate(zip(ONE, TWO, strict=True)))
    assert_both(read(text), 360)


def test_physionet_sample_numbers_need_the_rate():
    text = "'sample #','MLII','V5'\n" + table(range(N), ONE, TWO)
    with pytest.raises(NeedsOption, match=r"sample # only counts.*MLII, V5"):
        read(text)
    assert_both(read(text, fs=360), 360)


def test_headerless_file_whose_first_column_counts_needs_the_rate():
    text = table(range(N), ONE, TWO)
    with pytest.raises(NeedsOption, match="first column only counts"):
        read(text)
    recording = read(text, fs=360)
    assert_both(recording, 360)
    assert any("rises steadily (by 1)" in note and "not as a signal" in note for note in recording.warnings)


def test_headerless_file_with_seconds_in_the_first_column():
    recording = read(table(SECONDS, ONE, TWO))
    assert_both(recording)
    assert any("only seconds give a plausible rate" in note for note in recording.warnings)


@pytest.mark.parametrize("header", [",I,II\n", "I,II\n", "Unnamed: 0,I,II\n", "index,I,II\n"])
def test_index_that_a_table_library_wrote_is_no_signal(header):
    recording = read(header + table(range(N), ONE, TWO), fs=500)
    assert_both(recording)
    assert recording.leads == ("I", "II")


def test_header_that_only_numbers_the_columns_is_no_sample():
    recording = read(",0,1\n".replace(",0,1", "0,1,2") + table(ONE, TWO, ONE), fs=500)
    assert recording.signal.shape == (3, N)


def test_unit_of_time_that_can_not_be_told_is_asked_for():
    with pytest.raises(NeedsOption, match=r"time: the unit.*steps of 1.*time_s or time_ms"):
        read("time,I\n" + table(range(N), ONE))


@pytest.mark.parametrize("header", ["I,II\n", ""])
def test_without_time_or_rate_no_rate_is_assumed(header):
    with pytest.raises(NeedsOption, match=r"does not state its sampling rate.*fs="):
        read(header + table(ONE, TWO))


@pytest.mark.parametrize(
    "lines",
    [
        "# fs=500\n",
        "# fs=500, units=mV\n",
        "% sampling_rate: 500\n",
        "Sampling Rate: 500 Hz\n\n",
        "Sample Rate,500 hertz\n",
        "Sampling frequency (Hz): 500\n",
        "Frequency = 0.5 kHz\n",
        "# sampled at 500 Hz in a clinic\n",
        "Sampling interval: 2 ms\n",
        "Title of the export\nSampling Rate: 500 Hz\n",
    ],
)
def test_rate_stated_above_the_table(lines):
    assert_both(read(lines + "I,II\n" + table(ONE, TWO)))


def test_watch_export_of_one_unnamed_column():
    text = 'Name,J\nDate of Birth,1 Jan 1980\nSoftware Version,1.70\nDevice,"Watch4,4"\nSample Rate,512.336 hertz\n\n\n'
    recording = read(text + "Lead,Lead I\nUnit,µV\n\n" + table(ONE * 1000))
    assert (recording.leads, recording.fs) == (("I",), 512.336)
    assert np.allclose(recording.signal[0], ONE, atol=1e-4)


def test_subject_and_start_above_the_table():
    text = "Patient ID: P-17\nAge: 63\nGender: F\nStart: 2024-01-02T03:04:05\nfs: 500\nI,II\n"
    recording = read(text + table(ONE, TWO))
    assert (recording.subject.id, recording.subject.age, recording.subject.sex) == ("P-17", 63, "female")
    assert recording.start == datetime(2024, 1, 2, 3, 4, 5)


def test_header_in_a_comment_line():
    assert read("# time_s I II\n" + table(SECONDS, ONE, TWO, sep=" ")).leads == ("I", "II")


@pytest.mark.parametrize("name", ["I (uV)", "I [µV]", "I_uV", "I/µV", "I uV", "Lead I {microvolts}"])
def test_unit_in_the_name_of_a_column(name):
    recording = read(f"time_s,{name},II (mV)\n" + table(SECONDS, ONE * 1000, TWO))
    assert recording.leads == ("I", "II")
    assert_both(recording)


def test_missing_cells_become_not_recorded():
    words = ["", "nan", "NaN", "NA", "-", "null", "N/A", " "]
    cells = [words[k] if k < len(words) else str(v) for k, v in enumerate(ONE)]
    recording = read("time_s,I,II\n" + table(SECONDS, cells, TWO))
    assert np.isnan(recording.signal[0]).sum() == len(words)
    assert np.isnan(recording.signal[0, : len(words)]).all()
    assert not np.isnan(recording.signal[1]).any()


def test_whole_steps_missing_from_the_time_column_become_a_gap():
    keep = [k for k in range(N) if not 50 <= k < 75]
    recording = read("time_s,I,II\n" + table(*([c[k] for k in keep] for c in (SECONDS, ONE, TWO))))
    assert recording.n_samples == N
    assert np.isnan(recording.signal[:, 50:75]).all()
    assert np.allclose(recording.signal[:, keep], np.array([ONE, TWO])[:, keep], atol=1e-4)
    assert any(note.startswith("gaps: 1") for note in recording.warnings)


def test_gap_of_a_million_years_is_refused_before_it_is_filled():
    with pytest.raises(LimitExceeded, match="too large"):
        read("time_s,I,II\n" + table([*SECONDS[:-1], "31536000000000"], ONE, TWO))


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([f"{k / 500 + (0.0005 if k % 3 else 0):.4f}" for k in range(N)], "line 3: the time steps are irregular"),
        (SECONDS[:100] + SECONDS[: N - 100], "line 102: time does not advance; found: 0 after 0.198"),
        (["0.002"] * N, "line 3: time does not advance"),
        ([*SECONDS[:9], "", *SECONDS[10:]], "line 11: a time is missing"),
    ],
)
def test_time_that_is_no_regular_grid_is_said_so(times, message):
    with pytest.raises(UnreadableFile, match=f"column time_s, {message}"):
        read("time_s,I,II\n" + table(times, ONE, TWO))


def test_text_in_a_signal_column_is_named_by_line_and_column():
    cells = [*map(str, ONE[:100]), "oops", *map(str, ONE[101:])]
    with pytest.raises(UnreadableFile, match=r"line 102, column 2 \(I\): not a number; found: 'oops'"):
        read("time_s,I,II\n" + table(SECONDS, cells, TWO))
    for strange in ("1_000", "0x10", "٣", "1,5", "--1"):
        with pytest.raises(UnreadableFile, match="line 102"):
            read("time_s;I;II\n" + table(SECONDS, [*cells[:100], strange, *cells[101:]], TWO, sep=";"))


def test_row_of_another_width_is_named_by_line():
    rows = plain().splitlines(keepends=True)
    with pytest.raises(UnreadableFile, match=r"line 42.*4 cells; expected: 3"):
        read("".join([*rows[:41], "0.1,1,2,3\n", *rows[41:]]))
    with pytest.raises(UnreadableFile, match=r"line 42.*2 cells; expected: 3"):
        read("".join([*rows[:41], "0.1,1\n", *rows[41:]]))


def test_last_line_cut_short_is_left_out_with_a_warning():
    recording = read(plain()[:-16])
    assert recording.n_samples == N - 1
    assert any("last line is cut short" in note for note in recording.warnings)


def test_column_of_labels_is_left_out_by_name():
    recording = read("time_s,I,beat\n" + table(SECONDS, ONE, ["N"] * N))
    assert recording.leads == ("I",)
    assert any("left out as text: beat" in note for note in recording.warnings)


@pytest.mark.parametrize("sep", [",", ";"])
@pytest.mark.parametrize("end", ["", "{sep}"])
def test_trailing_delimiter_is_no_lead(sep, end):
    text = f"time_s{sep}I{sep}II{end.format(sep=sep)}\n" + table(SECONDS, ONE, TWO, [""] * N, sep=sep)
    assert_both(read(text))


def test_last_lead_that_starts_late_is_a_lead():
    late = [""] * 100 + [str(v) for v in TWO[100:]]
    recording = read("time_s,I,II\n" + table(SECONDS, ONE, late))
    assert np.isnan(recording.lead("II")[:100]).all()
    assert np.allclose(recording.lead("II")[100:], TWO[100:], atol=1e-4)


@pytest.mark.parametrize("time", [True, False])
def test_one_line_a_lead(time):
    lines = [",".join(["II", *map(str, TWO)]), ",".join(["I", *map(str, ONE)])]
    text = "\n".join([",".join(["time_s", *SECONDS]), *lines] if time else lines)
    recording = read(text, **({} if time else {"fs": 500}))
    assert recording.leads == ("II", "I")
    assert np.allclose(recording.signal, [TWO, ONE], atol=1e-4)


def test_twelve_long_lines_without_names_are_twelve_leads():
    text = "\n".join(",".join(f"{v:.4f}" for v in ONE * (k + 1)) for k in range(12))
    recording = read(text, fs=500)
    assert recording.leads == STANDARD_12
    assert np.allclose(recording.lead("V6"), 12 * ONE, atol=1e-3)
    assert any(note.startswith("orientation") for note in recording.warnings)


def test_one_unnamed_column_with_a_rate():
    recording = read(table(ONE), fs=500)
    assert (recording.leads, recording.n_samples) == (("ECG1",), N)


def test_rate_that_contradicts_the_time_column_is_refused():
    with pytest.raises(InvalidValue, match=r"360 Hz.*500 Hz"):
        read(plain(), fs=360)
    with pytest.raises(UnreadableFile, match=r"time_s.*contradicts the rate above the table"):
        read("# fs=360\n" + plain())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a>1,2,3</a>",
        b'{"I": [1, 2, 3]}',
        b"[1, 2, 3]\n[4, 5, 6]\n",
        b"The rate was 72.\nThe patient, 63, felt well.\nNothing else was found in 2024.\n" * 5,
        b"100 2 360 650000\n100.dat 212 200 11 1024 995 -22131 0 MLII\n100.dat 212 200 11 1024 1011 20052 0 V5\n",
        b"A00001,N\nA00002,O\nA00003,A\n",
        b"100\n101\n102\n103\n104\n",
        b"0c1d2e  a.dat\n9f8e7d  b.dat\n",
        b"id,age,sex,comment\n1,56,M,well\n2,,F,'see, 3'\n3,71,M,ill\n",
        b"1,2,3\n\x00\x01\x02,4\n",
        bytes(range(256)) * 8,
        b"2024-01-01 10:00:00 started 5 jobs\n2024-01-01 10:00:01 ended 5 jobs\n",
    ],
    ids="empty xml json json-lists prose wfdb labels records checksums cohort controls binary log".split(),
)
def test_other_texts_are_not_claimed(data):
    assert reader.sniff(data) == Sniff.NO


def test_forced_on_prose_it_says_what_a_table_is():
    with pytest.raises(UnreadableFile, match=r"a\.csv: no table of numbers.*one column a lead"):
        reader.read("a.csv", {"a.csv": b"The patient felt well.\n"}, ReadOptions())


def test_limits_are_checked_before_parsing():
    with pytest.raises(LimitExceeded, match="too large"):
        read(plain(), limits=Limits(max_values=100))
    wide = ",".join(f"c{k}" for k in range(600)) + "\n" + (",".join("1" * 600) + "\n") * 700
    with pytest.raises(LimitExceeded, match="too many channels"):
        read(wide, fs=500)


@pytest.mark.parametrize("text", ["x" * 300_000, " " * 300_000, "_" * 300_000, "sampl" * 60_000, "(" * 300_000])
def test_absurdly_long_header_is_read_in_bounded_time(text):
    try:
        reader.read("a.csv", {"a.csv": f"# {text}\n{text},I\n{table(ONE, TWO)}".encode()}, ReadOptions(fs=500))
    except EcgError:
        return


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.floats(-(2.0**90), 2.0**90, width=32) | st.just(float("nan")), min_size=3, max_size=40).filter(
        lambda v: not all(np.isnan(v))
    ),
    fs=st.sampled_from([100.0, 360.0, 257.0, 512.336]),
)
def test_written_values_come_back_exactly(values, fs):
    signal = np.array([values, values[::-1]], np.float32)
    recording = Recording(signal, fs, ("V1", "I"), Subject('Jürgen, "J"', 63.5, "male", {"a": [1, {"b": None}]}))
    (data,) = reader.write(recording, "a").values()
    back = read(data)
    assert np.array_equal(back.signal, signal, equal_nan=True)
    assert (back.fs, back.leads, back.subject) == (fs, ("V1", "I"), recording.subject)


def test_derived_leads_stay_marked():
    recording = make_recording()
    marked = Recording(recording.signal, recording.fs, recording.leads, derived=("III", "aVF"))
    assert read(next(iter(reader.write(marked, "a").values()))).derived == ("III", "aVF")
