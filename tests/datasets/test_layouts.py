"""Every set, on tiny copies of the layouts it is found in."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ecg_core.datasets import DATASETS
from ecg_core.datasets.cpsc2019 import Cpsc2019Truth
from ecg_core.datasets.marks import waves_from_marks
from ecg_core.errors import DataSetError, EcgError, InvalidValue
from ecg_core.leads import STANDARD_12

LEADS = tuple(name.upper() for name in STANDARD_12)


def write_record(
    stem: Path, leads: tuple[str, ...], fs: float, *, n_samples: int = 200, gain: float = 1000, first: int = 0
) -> np.ndarray:
    """Write a WFDB record of format 16 and return its values in mV, shape (n_leads, n_samples)."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    n = np.arange(n_samples)
    steps = np.stack([(100 * np.sin(n / (7 + row)) + first + row).round() for row in range(len(leads))]).astype("<i2")
    stem.with_name(stem.name + ".dat").write_bytes(np.ascontiguousarray(steps.T).tobytes())
    lines = [f"{stem.name} {len(leads)} {fs:g} {n_samples}"]
    for row, lead in enumerate(leads):
        check = (int(steps[row].sum()) + 32768) % 65536 - 32768
        lines.append(f"{stem.name}.dat 16 {gain:g}(0)/mV 16 0 {steps[row, 0]} {check} 0 {lead}")
    stem.with_name(stem.name + ".hea").write_text("\n".join(lines) + "\n")
    return steps / gain


def write_marks(
    stem: Path, annotator: str, sample: list[int], symbol: list[str], notes: list[str] | None = None
) -> None:
    with warnings.catch_warnings():
        # wfdb itself uses what pandas is about to drop.
        warnings.simplefilter("ignore")
        import wfdb

        wfdb.wrann(stem.name, "tmp", np.array(sample), symbol=symbol, aux_note=notes, write_dir=str(stem.parent))
    # wfdb writes only annotators named in letters, which q1c and v1 are not.
    stem.with_name(f"{stem.name}.tmp").rename(stem.with_name(f"{stem.name}.{annotator}"))


# --- PTB-XL ---------------------------------------------------------------------------------------------------------

STATEMENTS = """,description,diagnostic,form,rhythm,diagnostic_class,diagnostic_subclass
NORM,normal ECG,1.0,,,NORM,NORM
IMI,inferior myocardial infarction,1.0,,,MI,IMI
SR,sinus rhythm,,,1.0,,
"""
FULL_TABLE = """ecg_id,patient_id,age,sex,height,weight,recording_date,scp_codes,strat_fold,filename_lr,filename_hr
1,15709.0,56.0,1,,63.0,1984-11-09,"{'NORM': 100.0, 'SR': 0.0}",3,records100/00000/00001_lr,records500/00000/00001_hr
2,15709.0,300.0,0,170.0,,1984-11-14,"{'IMI': 50.0, 'SR': 0.0}",3,records100/00000/00002_lr,records500/00000/00002_hr
3,13243.0,,0,,,1984-11-15,"{'SR': 0.0}",8,records100/00000/00003_lr,records500/00000/00003_hr
4,20372.0,24.0,1,,,1984-11-15,"{'NORM': 80.0}",10,records100/00000/00004_lr,records500/00000/00004_hr
"""
SHORT_TABLE = """ecg_id,age,sex,scp_codes,strat_fold,filename_lr,filename_hr
1,56.0,1,"{'NORM': 100.0}",3,records100/00000/00001_lr,records500/00000/00001_hr
2,19.0,0,"{'IMI': 100.0}",9,records100/00000/00002_lr,records500/00000/00002_hr
"""


def make_ptbxl(folder: Path, table: str = FULL_TABLE, lr: int = 3, hr: int = 1) -> dict[str, np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ptbxl_database.csv").write_text(table)
    (folder / "scp_statements.csv").write_text(STATEMENTS)
    written = {}
    for fs, suffix, count in ((100, "lr", lr), (500, "hr", hr)):
        for number in range(1, count + 1):
            stem = folder / f"records{fs}/00000/0000{number}_{suffix}"
            written[stem.name] = write_record(stem, LEADS, fs, n_samples=10 * fs, first=number)
    return written


def test_ptbxl_reads_records_with_their_truth(tmp_path: Path) -> None:
    written = make_ptbxl(tmp_path / "ptbxl")
    items = list(DATASETS["ptbxl"].iterate(tmp_path))
    assert [item.name for item in items] == ["00001_lr", "00002_lr", "00003_lr"]
    name, recording, truth = items[0]
    np.testing.assert_allclose(recording.signal, written[name], atol=1e-6)
    assert (recording.fs, recording.leads) == (100, STANDARD_12)
    assert (recording.subject.id, recording.subject.age, recording.subject.sex) == ("15709", 56.0, "female")
    assert recording.subject.facts == {"weight": 63.0}
    assert truth.statements == {"NORM": 100.0, "SR": 0.0}
    assert (truth.superclasses, truth.subclasses, truth.fold) == ({"NORM"}, {"NORM"}, 3)


def test_ptbxl_age_300_is_over_89_and_an_empty_one_unknown(tmp_path: Path) -> None:
    make_ptbxl(tmp_path)
    truths = [entry.truth() for entry in DATASETS["ptbxl"].listing(tmp_path)]
    assert [(truth.age, truth.over_89) for truth in truths] == [(56.0, False), (None, True), (None, False)]
    second = list(DATASETS["ptbxl"].iterate(tmp_path, limit=2))[1].recording
    assert (second.subject.age, second.subject.facts["age"]) == (None, "over 89")


def test_ptbxl_works_at_either_rate_and_takes_the_fuller_one_unasked(tmp_path: Path) -> None:
    ptbxl = DATASETS["ptbxl"]
    make_ptbxl(tmp_path / "a", lr=3, hr=1)
    make_ptbxl(tmp_path / "b", lr=1, hr=2)
    assert [item.recording.fs for item in ptbxl.iterate(tmp_path / "a", fs=500)] == [500]
    assert [item.recording.fs for item in ptbxl.iterate(tmp_path / "b")] == [500, 500]
    assert [item.recording.fs for item in ptbxl.iterate(tmp_path / "b", fs=100)] == [100]
    with pytest.raises(InvalidValue, match="options: 100, 500"):
        ptbxl.listing(tmp_path / "a", fs=250)


def test_ptbxl_lists_records_that_are_not_there_as_missing(tmp_path: Path) -> None:
    make_ptbxl(tmp_path, lr=3)
    (tmp_path / "records100/00000/00002_lr.dat").unlink()
    listing = DATASETS["ptbxl"].listing(tmp_path)
    assert [entry.name for entry in listing] == ["00001_lr", "00003_lr"]
    assert listing.missing == ("records100/00000/00002_lr", "records100/00000/00004_lr")


def test_ptbxl_does_without_patient_ids_heights_and_dates(tmp_path: Path) -> None:
    make_ptbxl(tmp_path, SHORT_TABLE)
    (tmp_path / "scp_statements.csv").unlink()
    entries = DATASETS["ptbxl"].listing(tmp_path).entries
    assert [entry.group for entry in entries] == ["ptbxl:record 1", "ptbxl:record 2"]
    assert entries[0].truth().patient_id is None
    assert entries[0].truth().superclasses == frozenset()
    assert entries[0].load().subject.id is None


def test_ptbxl_records_of_one_patient_are_one_group(tmp_path: Path) -> None:
    make_ptbxl(tmp_path)
    assert [entry.group for entry in DATASETS["ptbxl"].listing(tmp_path)] == [
        "ptbxl:15709",
        "ptbxl:15709",
        "ptbxl:13243",
    ]


def test_ptbxl_split_and_limit(tmp_path: Path) -> None:
    make_ptbxl(tmp_path)
    ptbxl = DATASETS["ptbxl"]
    assert [item.name for item in ptbxl.iterate(tmp_path, "validation")] == ["00003_lr"]
    assert [item.name for item in ptbxl.iterate(tmp_path, "train", 1)] == ["00001_lr"]
    assert list(ptbxl.iterate(tmp_path, "published-test")) == []
    with pytest.raises(InvalidValue, match="limit"):
        ptbxl.iterate(tmp_path, limit=-1)


def test_ptbxl_table_that_makes_no_sense_names_the_row(tmp_path: Path) -> None:
    make_ptbxl(tmp_path, SHORT_TABLE.replace("{'IMI': 100.0}", "{'IMI': __import__('os')}"))
    with pytest.raises(DataSetError, match=r"ptbxl_database\.csv: ecg_id 2: a row cannot be understood"):
        DATASETS["ptbxl"].listing(tmp_path)


def test_ptbxl_af_elsewhere_is_known_only_where_the_table_says(tmp_path: Path) -> None:
    make_ptbxl(tmp_path)
    (tmp_path / "af_elsewhere.csv").write_text("ecg_id,af_elsewhere\n1,0\n3,1\n")
    assert [entry.truth().af_elsewhere for entry in DATASETS["ptbxl"].listing(tmp_path)] == [False, None, True]


def test_ptbxl_stack_is_exactly_what_the_reader_gives(tmp_path: Path) -> None:
    ptbxl = DATASETS["ptbxl"]
    make_ptbxl(tmp_path)
    records = tmp_path / "records100/00000"
    with_gap = np.fromfile(records / "00001_lr.dat", "<i2")
    with_gap[12 * 100 : 12 * 110 : 12] = -32768
    with_gap.tofile(records / "00001_lr.dat")
    other_gain = (records / "00002_lr.hea").read_text().replace("1000(0)/mV", "200(-7)/mV")
    (records / "00002_lr.hea").write_text(other_gain)
    other_form = (records / "00003_lr.hea").read_text().replace("/mV", "/uV")
    (records / "00003_lr.hea").write_text(other_form)
    stack = ptbxl.stack(tmp_path)
    items = list(ptbxl.iterate(tmp_path))
    np.testing.assert_array_equal(stack.signal, np.stack([item.recording.signal for item in items]))
    assert np.isnan(stack.signal[0, 0, 100:110]).all()
    assert stack.names == tuple(item.name for item in items)
    assert stack.truths == tuple(item.truth for item in items)
    assert (stack.fs, stack.signal.dtype, stack.signal.shape) == (100, np.float32, (3, 12, 1000))
    assert ptbxl.stack(tmp_path, "validation", fs=100).names == ("00003_lr",)
    assert ptbxl.stack(tmp_path, "published-test").signal.shape == (0, 12, 1000)


def test_ptbxl_stack_refuses_a_record_cut_short(tmp_path: Path) -> None:
    make_ptbxl(tmp_path)
    path = tmp_path / "records100/00000/00002_lr.dat"
    path.write_bytes(path.read_bytes()[:-24])
    with pytest.raises(EcgError, match="00002_lr"):
        DATASETS["ptbxl"].stack(tmp_path)


# --- the others -----------------------------------------------------------------------------------------------------


def make_mitdb(folder: Path) -> dict[str, np.ndarray]:
    written = {}
    for record in ("101", "102", "201", "202"):
        written[record] = write_record(folder / record, ("MLII", "V1"), 360, gain=200)
        symbols, notes = ["+", "N", "V", "~", "+", "N"], ["(N", "", "", "", "(AFIB", ""]
        write_marks(folder / record, "atr", [5, 10, 60, 70, 90, 150], symbols, notes)
    return written


def test_mitdb_tells_beats_rhythms_and_the_rest_apart(tmp_path: Path) -> None:
    written = make_mitdb(tmp_path / "mitdb")
    mitdb = DATASETS["mitdb"]
    (item,) = mitdb.iterate(tmp_path, "ds1", limit=1)
    assert item.name == "101"
    assert item.recording.leads == ("II", "V1")
    np.testing.assert_allclose(item.recording.signal, written["101"], atol=1e-6)
    truth = item.truth
    assert truth.beat_sample.dtype == np.int64
    assert (truth.beat_sample.tolist(), truth.beat_symbol) == ([10, 60, 150], ("N", "V", "N"))
    assert (truth.rhythm_sample.tolist(), truth.rhythm) == ([5, 90], ("N", "AFIB"))
    assert (truth.other_sample.tolist(), truth.other_symbol) == ([70], ("~",))


def test_mitdb_knows_its_halves_and_the_shared_tape(tmp_path: Path) -> None:
    make_mitdb(tmp_path)
    listing = DATASETS["mitdb"].listing(tmp_path)
    groups = {entry.name: entry.group for entry in listing}
    assert groups["201"] == groups["202"] != groups["101"]
    chosen = {
        split: [entry.name for entry in DATASETS["mitdb"].choose(listing.entries, split)]
        for split in ("ds1", "ds2", "paced")
    }
    assert chosen == {"ds1": ["101", "201"], "ds2": ["202"], "paced": ["102"]}
    assert len(listing.missing) == 44


def test_damaged_annotation_file_is_named(tmp_path: Path) -> None:
    make_mitdb(tmp_path)
    (tmp_path / "101.atr").write_bytes(b"")
    entry = DATASETS["mitdb"].listing(tmp_path).entries[0]
    with pytest.raises(DataSetError, match=r"101\.atr"):
        entry.truth()


def write_mat4(stem: Path, steps: np.ndarray) -> None:
    """Write a record as CinC 2017 does: a MATLAB 4 file of which the header skips 24 bytes."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    head = np.array([30, 1, len(steps), 0, 4], "<i4").tobytes() + b"val\0"
    stem.with_name(stem.name + ".mat").write_bytes(head + steps.astype("<i2").tobytes())
    stem.with_name(stem.name + ".hea").write_text(
        f"{stem.name} 1 300 {len(steps)}\n{stem.name}.mat 16+24 1000/mV 16 0 {steps[0]} 0 0 ECG\n"
    )


@pytest.mark.parametrize(
    ("place", "reference"),
    [
        ("", "REFERENCE.csv"),
        ("training/A00", "REFERENCE-v3.csv"),
        ("training2017", "training2017/REFERENCE.csv"),
    ],
    ids=["flat", "published", "archive"],
)
def test_cinc2017_reads_every_layout(tmp_path: Path, place: str, reference: str) -> None:
    steps = np.arange(-300, 300)
    for name in ("A00001", "A00002"):
        write_mat4(tmp_path / "cinc2017" / place / name, steps)
    (tmp_path / "cinc2017" / reference).write_text("A00001,A\nA00002,~\nA00003,N\n")
    listing = DATASETS["cinc2017"].listing(tmp_path)
    assert [(entry.name, entry.truth().label) for entry in listing] == [("A00001", "A"), ("A00002", "~")]
    assert listing.missing == ("A00003",)
    recording = listing.entries[0].load()
    assert (recording.fs, recording.n_leads) == (300, 1)
    np.testing.assert_allclose(recording.signal[0], steps / 1000, atol=1e-6)


def test_cinc2017_takes_the_newest_reference(tmp_path: Path) -> None:
    write_mat4(tmp_path / "training/A00/A00001", np.arange(600))
    (tmp_path / "training/REFERENCE.csv").write_text("A00001,N\n")
    (tmp_path / "REFERENCE-v3.csv").write_text("A00001,O\n")
    assert DATASETS["cinc2017"].listing(tmp_path).entries[0].truth().label == "O"


def test_cinc2017_refuses_a_label_that_is_none(tmp_path: Path) -> None:
    write_mat4(tmp_path / "A00001", np.arange(600))
    (tmp_path / "REFERENCE.csv").write_text("A00001,X\n")
    with pytest.raises(DataSetError, match="found: A00001,X"):
        DATASETS["cinc2017"].listing(tmp_path)


@pytest.mark.parametrize("place", ["", "train"])
def test_cpsc2019_peaks_do_not_wrap_and_spikes_stay_millivolts(tmp_path: Path, place: str) -> None:
    from scipy.io import savemat

    folder = tmp_path / "cpsc2019" / place
    (folder / "data").mkdir(parents=True)
    (folder / "ref").mkdir()
    ecg = np.sin(np.arange(5000) / 40)
    ecg[100] = 32.0
    savemat(folder / "data/data_00001.mat", {"ecg": ecg[:, None]})
    savemat(folder / "data/data_00002.mat", {"ecg": ecg[:, None]})
    savemat(folder / "ref/R_00001.mat", {"R_peak": np.array([[300], [700]], np.uint16)})
    listing = DATASETS["cpsc2019"].listing(tmp_path)
    assert listing.missing == ("data_00002",)
    (item,) = DATASETS["cpsc2019"].iterate(tmp_path)
    assert isinstance(item.truth, Cpsc2019Truth)
    assert (item.truth.r_peaks[0] - item.truth.r_peaks[1]) == -400
    assert (item.recording.fs, item.recording.n_leads) == (500, 1)
    np.testing.assert_allclose(item.recording.signal[0], ecg, atol=1e-5)


LUDB_TABLE = (
    'ID,Sex,Age,Rhythms,Ischemia\n1,"F\n","51\n",Sinus bradycardia,\n2,"M\n","\\>89\n",Sinus rhythm,"a\nb"\n3,M,20,x,\n'
)


def make_ludb(folder: Path) -> None:
    for record in ("1", "2"):
        write_record(folder / "data" / record, tuple(lead.lower() for lead in STANDARD_12), 500)
        for row, lead in enumerate(STANDARD_12):
            samples = [at + row for at in (10, 15, 20, 30, 35, 40, 60, 70, 80)]
            write_marks(folder / "data" / record, lead.lower(), samples, list("(p)(N)(t)"))
    (folder / "ludb.csv").write_text(LUDB_TABLE.replace("\\", ""))


def test_ludb_reads_waves_of_every_lead_and_the_table(tmp_path: Path) -> None:
    make_ludb(tmp_path / "ludb")
    listing = DATASETS["ludb"].listing(tmp_path)
    assert listing.missing == ("3",)
    first, second = (entry.truth() for entry in listing)
    assert first.waves["aVR"]["p"].tolist() == [[13, 18, 23]]
    assert first.waves["V6"]["qrs"].tolist() == [[41, 46, 51]]
    assert first.waves["I"]["t"].tolist() == [[60, 70, 80]]
    assert (first.age, first.sex, first.rhythm) == (51.0, "female", "Sinus bradycardia")
    assert (second.age, second.over_89, second.facts["Ischemia"]) == (None, True, ("a", "b"))
    recording = listing.entries[1].load()
    assert recording.leads == STANDARD_12
    assert (recording.subject.sex, recording.subject.age, recording.subject.facts["age"]) == ("male", None, "over 89")


QT_MARKS = ([100, 110, 120, 130, 140, 150, 165, 180], list("(p)(N)t)"))
QT_WAVES = {"p": [[100, 110, 120]], "qrs": [[130, 140, 150]], "t": [[-1, 165, 180]], "u": []}


@pytest.mark.parametrize("published", [True, False], ids=["q1c", "json"])
def test_qtdb_reads_the_cardiologists_marks_in_both_forms(tmp_path: Path, published: bool) -> None:
    for name in ("sel102", "sel30", "sele0104"):
        write_record(tmp_path / name, ("V5", "V2"), 250, gain=200)
        if published:
            write_marks(tmp_path / name, "q1c", *QT_MARKS)
        else:
            sample, symbol = QT_MARKS
            (tmp_path / f"{name}.q1c.json").write_text(json.dumps({"sample": sample, "symbol": symbol, "num": [0] * 8}))
    write_record(tmp_path / "sel31", ("V5", "V2"), 250)
    listing = DATASETS["qtdb"].listing(tmp_path)
    assert [entry.name for entry in listing] == ["sel102", "sel30", "sele0104"]
    assert listing.missing == ("sel31",)
    for entry in listing:
        truth = entry.truth()
        assert {kind: rows.tolist() for kind, rows in truth.waves.items()} == QT_WAVES
        assert truth.beat_symbol == ("N",)
    assert listing.entries[0].load().leads == ("V5", "V2")


def test_qtdb_excerpts_of_mitdb_share_its_groups(tmp_path: Path) -> None:
    make_mitdb(tmp_path / "mitdb")
    for name in ("sel102", "sel306"):
        write_record(tmp_path / "qtdb" / name, ("V5", "V2"), 250)
        (tmp_path / "qtdb" / f"{name}.q1c.json").write_text('{"sample": [], "symbol": [], "num": []}')
    excerpts = [entry.group for entry in DATASETS["qtdb"].listing(tmp_path)]
    assert excerpts[0] in {entry.group for entry in DATASETS["mitdb"].listing(tmp_path)}
    assert excerpts[1] == "qtdb:sel306"


@pytest.mark.parametrize("text", ["[]", "{", '{"sample": [1], "symbol": []}', '{"sample": "x", "symbol": []}'])
def test_qtdb_marks_that_make_no_sense_are_named(tmp_path: Path, text: str) -> None:
    write_record(tmp_path / "sel30", ("V5", "V2"), 250)
    (tmp_path / "sel30.q1c.json").write_text(text)
    with pytest.raises(DataSetError, match=r"sel30\.q1c\.json"):
        DATASETS["qtdb"].listing(tmp_path).entries[0].truth()


def write_cinc2011_text(path: Path) -> np.ndarray:
    steps = np.stack([np.arange(5000) % (50 + row) for row in range(12)])
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = (",".join(map(str, (at, *column))) for at, column in enumerate(steps.T))
    path.write_text("\n".join(rows) + "\n")
    return steps * 0.005


def test_cinc2011_reads_the_published_lists_and_text(tmp_path: Path) -> None:
    records = tmp_path / "cinc2011" / "set-a"
    write_record(records / "1002603", LEADS, 500, gain=200)
    millivolts = write_cinc2011_text(records / "1002867.txt")
    (records / "RECORDS-acceptable").write_text("1002867\n1009999\n")
    (records / "RECORDS-unacceptable").write_text("1002603\n")
    listing = DATASETS["cinc2011"].listing(tmp_path)
    assert [(entry.name, entry.truth().acceptable) for entry in listing] == [("1002603", False), ("1002867", True)]
    assert listing.missing == ("1009999",)
    from_wfdb, from_text = (entry.load() for entry in listing)
    assert from_wfdb.leads == from_text.leads == STANDARD_12
    assert from_wfdb.fs == from_text.fs == 500
    np.testing.assert_allclose(from_text.signal, millivolts, atol=1e-6)


def test_cinc2011_reads_a_reference_table(tmp_path: Path) -> None:
    write_record(tmp_path / "set-a/1002603", LEADS, 500, gain=200)
    (tmp_path / "REFERENCE.csv").write_text("1002603,unacceptable\n")
    (entry,) = DATASETS["cinc2011"].listing(tmp_path)
    assert entry.truth().acceptable is False


@pytest.mark.parametrize("table", ["1,good\n", "1,acceptable\n1,unacceptable\n", "1\n"])
def test_cinc2011_refuses_labels_that_are_none_or_contradict(tmp_path: Path, table: str) -> None:
    (tmp_path / "set-a").mkdir()
    (tmp_path / "REFERENCE.csv").write_text(table)
    with pytest.raises(DataSetError, match=r"REFERENCE\.csv"):
        DATASETS["cinc2011"].listing(tmp_path)


def make_leadi_published(folder: Path) -> np.ndarray:
    (folder / "data_ECG").mkdir(parents=True)
    (folder / "data_Rpeaks").mkdir()
    steps = (512 + 300 * np.sin(np.arange(2 * 1250) / 30)).round().reshape(2, 1250)
    peaks = np.zeros((2, 1250), int)
    peaks[:, [47, 235]] = 1
    for person in (2, 10):
        np.savetxt(folder / f"data_ECG/subject_{person}.csv", steps / 310, delimiter=",", fmt="%.14f")
        np.savetxt(folder / f"data_Rpeaks/Rpeaks_subject_{person}.csv", peaks, delimiter=",", fmt="%d")
    return steps


def make_leadi_packed(folder: Path, steps: np.ndarray) -> None:
    folder.mkdir(parents=True)
    records = {}
    for person in ("002", "010"):
        for row, values in enumerate(steps.astype("<i2"), 1):
            name = f"{person}_{row:02d}"
            (folder / f"{name}.dat").write_bytes(values.tobytes())
            check = (int(values.astype(int).sum()) + 32768) % 65536 - 32768
            (folder / f"{name}.hea").write_text(
                f"{name} 1 125 1250\n{name}.dat 16 100(512)/mV 16 0 {values[0]} {check} 0 I\n"
            )
            records[name] = {"sex": "F", "age": "46", "r_peaks": [47, 235]}
    (folder / "records.json").write_text(json.dumps(records))


def test_leadi_is_the_same_in_both_layouts(tmp_path: Path) -> None:
    steps = make_leadi_published(tmp_path / "published")
    make_leadi_packed(tmp_path / "packed", steps)
    leadi = DATASETS["leadi"]
    published, packed = list(leadi.iterate(tmp_path / "published")), list(leadi.iterate(tmp_path / "packed"))
    assert (
        [item.name for item in published] == [item.name for item in packed] == ["002_01", "002_02", "010_01", "010_02"]
    )
    for one, other in zip(published, packed, strict=True):
        np.testing.assert_allclose(one.recording.signal, other.recording.signal, atol=1e-6)
        assert one.recording.fs == other.recording.fs == 125
        assert one.recording.leads == other.recording.leads == ("I",)
        assert one.truth.r_peaks.tolist() == other.truth.r_peaks.tolist() == [47, 235]
        assert one.recording.subject.id == other.recording.subject.id
        assert any("amplitudes are arbitrary" in warning for warning in one.recording.warnings)
        assert any("amplitudes are arbitrary" in warning for warning in other.recording.warnings)
    assert (packed[0].truth.sex, packed[0].truth.age) == ("female", 46.0)
    assert (published[0].truth.sex, published[0].truth.age) == (None, None)


def test_leadi_groups_by_person(tmp_path: Path) -> None:
    make_leadi_published(tmp_path)
    groups = [entry.group for entry in DATASETS["leadi"].listing(tmp_path)]
    assert groups == ["leadi:002", "leadi:002", "leadi:010", "leadi:010"]


def test_nstdb_keeps_noise_channels(tmp_path: Path) -> None:
    written = write_record(tmp_path / "bw", ("noise1", "noise2"), 360, gain=200)
    write_record(tmp_path / "118e06", ("MLII", "V1"), 360)
    ((name, recording, truth),) = DATASETS["nstdb"].iterate(tmp_path)
    assert (name, truth.kind) == ("bw", "baseline wander")
    np.testing.assert_allclose(recording.signal, written, atol=1e-6)
    assert DATASETS["nstdb"].listing(tmp_path).missing == ("em", "ma")


# --- what all share -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        ".",
        "mitdb",
        "mitdb/1.0.0",
        "files/mitdb/1.0.0",
        "physionet.org/files/mitdb/1.0.0",
        "mit-bih-arrhythmia-database-1.0.0",
    ],
)
def test_set_is_found_wherever_people_put_it(tmp_path: Path, place: str) -> None:
    make_mitdb(tmp_path / place)
    assert DATASETS["mitdb"].locate(tmp_path) == tmp_path / place


def test_folder_is_taken_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_mitdb(tmp_path / "mitdb")
    monkeypatch.setenv("EINTHOVEN_DATA_DIR", str(tmp_path))
    assert DATASETS["mitdb"].locate() == tmp_path / "mitdb"
    monkeypatch.delenv("EINTHOVEN_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "empty"))
    assert DATASETS["mitdb"].find() is None


@pytest.mark.parametrize("name", sorted(name for name, data in DATASETS.items() if not data.in_memory))
def test_set_that_is_not_there_says_where_it_was_sought_and_how_to_get_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataSetError, match=f"ecg data get {name}") as caught:
        DATASETS[name].iterate(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_damaged_record_names_its_file(tmp_path: Path) -> None:
    make_mitdb(tmp_path)
    (tmp_path / "101.hea").write_text("101 two 360\n")
    with pytest.raises(EcgError, match="101"):
        list(DATASETS["mitdb"].iterate(tmp_path, limit=1))


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ("(p)(N)t)", {"p": [[0, 1, 2]], "qrs": [[3, 4, 5]], "t": [[-1, 6, 7]], "u": []}),
        ("N)t(N)", {"p": [], "qrs": [[-1, 0, 1], [3, 4, 5]], "t": [[-1, 2, -1]], "u": []}),
        ("(t", {"p": [], "qrs": [], "t": [[0, 1, -1]], "u": []}),
        ("(N()V)~u)", {"p": [], "qrs": [[0, 1, -1], [-1, 4, 5]], "t": [], "u": [[-1, 7, 8]]}),
        ("", {"p": [], "qrs": [], "t": [], "u": []}),
    ],
)
def test_waves_from_marks_leave_open_what_was_not_marked(marks: str, expected: dict[str, list[list[int]]]) -> None:
    found = waves_from_marks(range(len(marks)), marks)  # type: ignore[arg-type]
    assert {kind: rows.tolist() for kind, rows in found.items()} == expected
    assert all(rows.dtype == np.int64 and rows.shape[1] == 3 for rows in found.values())


def test_groups_name_their_set(tmp_path: Path) -> None:
    makers: dict[str, Callable[[Path], object]] = {"mitdb": make_mitdb, "ludb": make_ludb, "ptbxl": make_ptbxl}
    for name, make in makers.items():
        make(tmp_path / name)
        assert all(entry.group.startswith(f"{name}:") for entry in DATASETS[name].listing(tmp_path))
