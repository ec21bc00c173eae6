"""HDF5: the UK-Biobank layout by its rules, plain layouts either way round, and files that point elsewhere."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import h5py
import numpy as np
import pytest

from ecg_core.errors import EcgError, InvalidValue, LimitExceeded, NeedsOption, SeveralRecordings, UnreadableFile
from ecg_core.leads import STANDARD_12
from ecg_core.readers import hdf5 as reader
from ecg_core.readers.base import Limits, ReadOptions, Sniff
from ecg_core.recording import Recording
from tests.helpers import assert_same_signal, make_recording, with_gap

TEN_SECONDS = make_recording(n_samples=5000)
COUNTS = np.round(TEN_SECONDS.signal / 0.005)
GRID = make_recording(n_samples=600)


def build(fill) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file)
    return buffer.getvalue()


def read(data: bytes, **options) -> Recording:
    assert reader.sniff(data) == Sniff.SURE
    return reader.read("a.h5", {"a.h5": data}, ReadOptions(**options))


def strips(root="ukb_ecg_rest/", values=COUNTS, instance="/instance_0", names=STANDARD_12, **attributes):
    def fill(file):
        # The order in the file is by name, which is not the order of the leads.
        for name, row in zip(names, values, strict=True):
            item = file.create_dataset(f"{root}strip_{name}{instance}", data=row, compression="gzip")
            item.attrs.update(attributes)

    return fill


def together(*fills):
    return build(lambda file: [fill(file) for fill in fills])


def grid(values, path="ecg", *, at="dataset", **attributes):
    def fill(file):
        item = file.create_dataset(path, data=values)
        holder = {"dataset": item, "group": item.parent, "file": file}[at]
        holder.attrs.update(attributes)

    return fill


@pytest.mark.parametrize("root", ["ukb_ecg_rest/", "", "some/where/else/", "UKB_ECG_REST/"])
@pytest.mark.parametrize("instance", ["/instance_0", ""])
def test_uk_biobank_strips_are_counts_of_5_microvolts_at_500_hz(root, instance):
    recording = read(build(strips(root, instance=instance, date=1_500_000_000.0)))
    assert recording.leads == STANDARD_12
    assert recording.fs == 500
    assert np.allclose(recording.signal, COUNTS * 0.005, atol=1e-6)
    assert recording.start == datetime.fromtimestamp(1_500_000_000, UTC)
    text = "\n".join(recording.warnings)
    assert "units: counts of 5 uV, by the layout; the file states no unit" in text
    assert "rate: 500 Hz by the layout (5000 samples in 10 s)" in text
    assert "stated by the file" not in text


def test_uk_biobank_leads_in_any_case_and_order():
    names = [name.lower() for name in STANDARD_12[::-1]]
    recording = read(build(strips(values=COUNTS[::-1], names=names)))
    assert recording.leads == STANDARD_12
    assert np.allclose(recording.signal, COUNTS * 0.005, atol=1e-6)


def test_uk_biobank_small_values_are_millivolts_already():
    recording = read(build(strips(values=TEN_SECONDS.signal)))
    assert np.array_equal(recording.signal, TEN_SECONDS.signal)
    assert any("units: mV by size (median peak-to-peak under 20)" in note for note in recording.warnings)


@pytest.mark.parametrize(
    ("attributes", "factor"),
    [
        ({"units": "mV"}, 1.0),
        ({"unit": "uV"}, 0.001),
        ({"units": "2.5 uV"}, 0.0025),
        ({"gain": 0.0048}, 0.0048),
        ({"gain": 200.0}, 0.005),
        ({"scale_factor": 4.88, "units": "uV"}, 0.00488),
        ({"uVperLsb": 4.88}, 0.00488),
    ],
)
def test_uk_biobank_unit_or_gain_stated_by_the_file_wins(attributes, factor):
    recording = read(build(strips(**attributes)))
    assert np.allclose(recording.signal, COUNTS * factor, rtol=1e-6)


def test_uk_biobank_rate_stated_by_the_file_or_the_caller_wins():
    assert read(build(strips(sampling_rate=250))).fs == 250
    assert read(build(strips()), fs=250).fs == 250
    with pytest.raises(InvalidValue, match="contradicts the file"):
        read(build(strips(fs=250)), fs=500)


def test_uk_biobank_strip_of_another_length_needs_a_rate():
    with pytest.raises(NeedsOption, match=r"5000 samples a strip .* found 2500"):
        read(build(strips(values=COUNTS[:, :2500])))


def test_uk_biobank_units_by_the_caller():
    recording = read(build(strips()), units="0.0048")
    assert np.allclose(recording.signal, COUNTS * 0.0048, rtol=1e-6)
    assert any("stated by the caller" in note for note in recording.warnings)


def test_second_instance_is_another_recording_and_named():
    def siblings(file):
        for name in STANDARD_12:
            file[f"ukb_ecg_rest/median_{name}/instance_0"] = np.arange(600.0)
        file["ukb_ecg_rest/ecg_rest_text/instance_0"] = "Sinus rhythm, normal ECG"
        file["ukb_ecg_rest/ventricularrate/instance_0"] = 61.0

    data = together(strips(), strips(values=COUNTS * 2, instance="/instance_1"), siblings)
    recording = read(data)
    assert recording.leads == STANDARD_12
    assert np.allclose(recording.signal, COUNTS * 0.005, atol=1e-6)
    assert any("instance_0 was read; also in the file: instance_1" in note for note in recording.warnings)
    assert recording.subject.facts == {"ecg_rest_text": "Sinus rhythm, normal ECG"}


def test_missing_strip_is_named():
    recording = read(build(strips(values=COUNTS[:11], names=STANDARD_12[:11])))
    assert recording.leads == STANDARD_12[:11]
    assert any("no strip_V6 in instance_0" in note for note in recording.warnings)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("at", ["dataset", "group", "file"])
@pytest.mark.parametrize(
    ("fs", "leads"), [("fs", "leads"), ("sampling_frequency", "sig_name"), ("SampleRate", "channels")]
)
def test_plain_array_with_facts_around_it(transposed, at, fs, leads):
    order = tuple(map(str, np.random.default_rng(5).permutation(STANDARD_12)))
    expected = GRID.select(order)
    values = expected.signal.T if transposed else expected.signal
    facts = {fs: 500, leads: list(order), "units": "mV"}
    recording = read(build(grid(values, "study/ecg", at=at, **facts)))
    assert_same_signal(recording, expected, tolerance_mv=0)
    assert recording.leads == order


def test_facts_in_small_datasets_beside_the_array():
    def fill(file):
        file["meta/fs"] = 500
        file["meta/leads"] = list(STANDARD_12)
        file["meta/units"] = "uV"
        file["waves/signal"] = GRID.signal * 1000

    recording = read(build(fill))
    assert np.allclose(recording.signal, GRID.signal, atol=1e-5)
    assert recording.leads == STANDARD_12


def test_rate_of_another_signal_is_not_borrowed():
    def fill(file):
        file["ecg/signal"] = GRID.signal
        file["ppg/values"] = np.arange(1000.0)
        file["ppg/fs"] = 64

    with pytest.raises(NeedsOption, match="sampling rate"):
        read(build(fill))


def test_without_lead_names_the_shorter_axis_is_the_leads():
    recording = read(build(grid(GRID.signal.T, fs=500, units="mV")))
    assert np.array_equal(recording.signal, GRID.signal)
    assert recording.leads == STANDARD_12
    assert any("orientation: ecg is 600 x 12" in note and "(12)" in note for note in recording.warnings)


def test_lead_names_settle_a_short_recording():
    values = np.arange(24.0).reshape(12, 2)
    recording = read(build(grid(values, fs=500, leads=["I", "II"], units="mV")))
    assert recording.signal.shape == (2, 12)
    assert recording.signal[1, 0] == 1


def test_lead_names_that_fit_neither_axis_are_refused():
    with pytest.raises(UnreadableFile, match=r"11 names, shape 12 x 600"):
        read(build(grid(GRID.signal, fs=500, leads=list(STANDARD_12[:11]))))


@pytest.mark.parametrize("group", ["", "ecg/"])
def test_one_dataset_a_lead(group):
    def fill(file):
        for name, row in zip(STANDARD_12, GRID.signal, strict=True):
            file[f"{group}Lead {name}"] = row[:, None]
        (file[group] if group else file).attrs.update(fs=500, units="mV")
        file[f"{group}time"] = np.arange(600) / 500

    recording = read(build(fill))
    assert_same_signal(recording, GRID, tolerance_mv=0)


def test_each_lead_with_its_own_gain_unit_and_rate():
    def fill(file):
        for name, gain, unit, rate in (("I", 200, "mV", 500), ("II", 0.5, "uV", 250)):
            item = file.create_dataset(name, data=np.round(300 * np.sin(np.arange(rate) / 9)).astype("i2"))
            item.attrs.update(gain=gain, units=unit, fs=rate)

    recording = read(build(fill))
    assert recording.fs == 500
    assert np.ptp(recording.lead("I")) == pytest.approx(3.0, rel=0.01)
    assert np.ptp(recording.lead("II")) == pytest.approx(1.2, rel=0.1)


@pytest.mark.parametrize(
    ("attributes", "factor"),
    [
        ({"gain": 200}, 1 / 200),
        ({"gain": 1000, "units": "mV"}, 1e-3),
        ({"gain": 0.0025}, 0.0025),
        ({"gain": 4.88, "units": "uV"}, 0.00488),
        ({"scale": 0.005, "units": "mV"}, 0.005),
        ({"gain": np.full(12, 400.0), "baseline": np.full(12, 0)}, 1 / 400),
    ],
)
def test_integers_with_a_gain(attributes, factor):
    counts = np.round(GRID.signal / factor).astype(np.int16)
    recording = read(build(grid(counts, fs=500, **attributes)))
    assert np.allclose(recording.signal, counts * factor, rtol=1e-5)


def test_gain_of_values_that_are_physical_already_is_not_applied():
    recording = read(build(grid(GRID.signal, fs=500, units="mV", gain=200)))
    assert np.array_equal(recording.signal, GRID.signal)
    assert any("gain: not applied" in note for note in recording.warnings)


@pytest.mark.parametrize("gain", [0, -200, np.nan, [200, 200], "much"])
def test_impossible_gain_is_refused(gain):
    with pytest.raises(UnreadableFile, match="gain"):
        read(build(grid(np.ones((12, 600), np.int16), fs=500, gain=gain)))


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "gzip", "shuffle": True},
        {"compression": "gzip", "fletcher32": True},
        {"compression": "lzf"},
        {"chunks": (3, 7)},
        {"scaleoffset": 4},
    ],
)
def test_compressed_and_chunked_datasets(options):
    def fill(file):
        file.create_dataset("ecg", data=GRID.signal, **options).attrs.update(fs=500, units="mV")

    assert np.allclose(read(build(fill)).signal, GRID.signal, atol=1e-3)


def test_batch_of_recordings_is_not_one_recording():
    with pytest.raises(SeveralRecordings, match="3 x 12 x 600"):
        read(build(grid(np.zeros((3, 12, 600)), "data", fs=500)))
    assert read(build(grid(GRID.signal[None], "data", fs=500))).n_leads == 12


def test_two_groups_of_leads_are_not_one_recording():
    def fill(file):
        for group in ("rest", "stress"):
            file[f"{group}/I"] = GRID.signal[0]
            file[f"{group}/II"] = GRID.signal[1]

    with pytest.raises(SeveralRecordings, match="rest, stress"):
        read(build(fill), fs=500)


def test_file_without_an_ecg_lists_what_it_holds():
    def fill(file):
        file["weights/dense"] = np.zeros((10, 20))
        file["weights/other"] = np.zeros((20, 5))

    with pytest.raises(UnreadableFile, match=r"weights/dense \(10 x 20\), weights/other \(20 x 5\)"):
        read(build(fill))


def test_links_are_never_followed(tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["ecg"] = GRID.signal
        file["ecg"].attrs["fs"] = 500

    def external(file):
        file["ecg"] = h5py.ExternalLink(str(secret), "/ecg")

    def soft(file):
        file["there"] = h5py.ExternalLink(str(secret), "/")
        file["ecg"] = h5py.SoftLink("/there/ecg")

    for fill in (external, soft):
        with pytest.raises(UnreadableFile, match=r"ecg \(a link, not followed\)"):
            read(build(fill), fs=500)
    beside = read(together(strips(), external))
    assert any("links: not followed: ecg" in note for note in beside.warnings)


def test_values_in_other_files_are_never_read(tmp_path):
    raw = tmp_path / "secret.raw"
    raw.write_bytes(np.zeros(5000, "f4").tobytes())
    with h5py.File(tmp_path / "source.h5", "w") as file:
        file["ecg"] = GRID.signal

    def external(file):
        file.create_dataset("ecg", (1000,), "f4", external=[(str(raw), 0, 4000)])

    def virtual(file):
        layout = h5py.VirtualLayout(shape=GRID.signal.shape, dtype="f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "source.h5"), "ecg", shape=GRID.signal.shape)
        file.create_virtual_dataset("ecg", layout)

    def strip(file):
        file.create_dataset("ukb_ecg_rest/strip_I/instance_0", (1000,), "f4", external=[(str(raw), 0, 4000)])

    for fill in (external, virtual, lambda file: (strips(values=COUNTS[1:], names=STANDARD_12[1:])(file), strip(file))):
        with pytest.raises(UnreadableFile, match="its values lie in other files"):
            read(build(fill), fs=500)


def test_references_and_complex_numbers_are_refused():
    def references(file):
        file["x/y"] = GRID.signal
        file.create_dataset("ecg", data=[file["x/y"].ref], dtype=h5py.ref_dtype)

    with pytest.raises(UnreadableFile, match="ecg: references to other objects"):
        read(build(references))
    with pytest.raises(UnreadableFile, match="ecg: complex numbers"):
        read(build(grid(GRID.signal.astype(complex))))


def test_group_that_holds_itself_is_walked_once():
    def loop(file):
        file.create_group("a/b")
        file["a/b/up"] = file["a"]
        file["a/b/root"] = file["/"]

    recording = read(together(loop, strips()))
    assert recording.leads == STANDARD_12


def test_claimed_sizes_are_checked_before_allocation():
    def empty(shape, chunks=True):
        def fill(file):
            file.create_dataset("ecg", shape, "f4", chunks=chunks, maxshape=(None,) * len(shape)).attrs["fs"] = 500

        return build(fill)

    for data in (empty((12, 2**55)), empty((2**57, 8)), empty((12, 10_000_000)), empty((12, 2_000_000), (1, 1))):
        with pytest.raises(LimitExceeded):
            read(data)
    with pytest.raises(LimitExceeded, match="too many channels"):
        read(empty((600, 2000)))
    with pytest.raises(LimitExceeded, match="objects"):
        read(build(strips()), limits=Limits(max_entries=10))


def test_chunk_that_inflates_beyond_itself_is_refused():
    import zlib

    def fill(file):
        item = file.create_dataset("ecg", (12, 1000), "f4", chunks=(12, 1000), compression="gzip")
        item.id.write_direct_chunk((0, 0), zlib.compress(bytes(1 << 28), 9))
        item.attrs["fs"] = 500

    with pytest.raises(LimitExceeded, match="a chunk unpacks to more than it holds"):
        read(build(fill))


def test_unknown_filter_is_named():
    data = build(lambda file: file.create_dataset("ecg", data=GRID.signal, compression="lzf"))
    foreign = data.replace((32000).to_bytes(2, "little"), (32013).to_bytes(2, "little"))
    with pytest.raises(EcgError, match="filter 32013"):
        read(foreign, fs=500)


def test_file_cut_short_says_so():
    data = build(strips())
    with pytest.raises(UnreadableFile, match=r"a\.h5: the HDF5 file is damaged or cut short"):
        read(data[: len(data) // 2])


def test_heap_on_which_hdf5_would_hang_is_refused():
    data = build(grid(GRID.signal, fs=500, leads=list(STANDARD_12)))
    heap = data.index(b"GCOL")
    free = data.index(b"\0" * 8 + (4096 - 16 - 12 * 24).to_bytes(8, "little"), heap)
    with pytest.raises(UnreadableFile, match="a heap of the HDF5 file is damaged"):
        read(data[: free + 8] + bytes(8) + data[free + 16 :])


def test_written_file_comes_back_exactly():
    recording = with_gap(make_recording(fs=257.0))
    marked = Recording(recording.signal, 257.0, recording.leads, recording.subject, recording.start, derived=("III",))
    files = reader.write(marked, "a")
    back = read(files["a.h5"])
    assert np.array_equal(back.signal, marked.signal, equal_nan=True)
    assert (back.fs, back.leads, back.subject, back.start) == (257, marked.leads, marked.subject, marked.start)
    assert back.derived == ("III",)
    with h5py.File(io.BytesIO(files["a.h5"])) as file:
        assert file["signal"].dtype == np.float32
        assert dict(file["signal"].attrs)["units"] == "mV"
