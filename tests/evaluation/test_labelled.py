"""Models on recordings that came with their truth."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.errors import InvalidValue
from ecg_core.evaluation import Evaluation
from ecg_core.evaluation.called import Called, score_called
from ecg_core.evaluation.labelled import examine_labelled
from ecg_core.evaluation.labels import parse_labels
from ecg_core.evaluation.ways import find_way, ways
from ecg_core.predictors import predictors
from ecg_core.readers import ReadOptions
from ecg_core.reading import read_many
from ecg_core.recording import Annotations
from ecg_core.synthesis import synthesize
from tests.evaluation.labelled_files import annotated, beat_marks, cpsc2019, one_lead, wave_marks, wfdb

CPSC = ReadOptions(fs=500.0, units="mV")


def examine(model: str, files: dict[str, bytes], table: bytes | None = None, options=None, **more) -> Evaluation:
    labels = None if table is None else parse_labels(table)
    return examine_labelled(model, read_many(files, options), labels, resamples=20, **more)


def records(n: int = 3, **settings) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for seed in range(n):
        made = one_lead(seed, **settings)
        files |= wfdb(f"r{seed}", annotated(made, atr=beat_marks(made)))
    return files


# --- by marks -------------------------------------------------------------------------------------------------------


def test_annotated_beats_are_found_and_scored_as_strips():
    found = examine("beats", records())
    assert (found.model, found.data, found.n, found.unreadable) == ("beats", "upload", 3, {})
    assert {metric.value for metric in found.metrics.values()} == {1.0}
    assert {"qrs_official", "qrs_strict", "hr_official", "hr_strict", "f1_150ms"} <= set(found.metrics)
    assert set(found.records) == {"r0.hea", "r1.hea", "r2.hea"}
    assert found.lost == {}


def test_beats_that_are_annotated_elsewhere_are_lost_with_their_times():
    made = one_lead(1)
    found = examine("beats_fast", wfdb("off", annotated(made, atr=beat_marks(made, 0.2))))
    assert found.metrics["qrs_official"].value == 0.0
    assert found.lost["off.hea"]["missed"] > 5


def test_pairs_of_recordings_and_reference_peaks_in_mat_files_are_annotated_too():
    files = cpsc2019(1, one_lead(1)) | cpsc2019(2, one_lead(2)) | cpsc2019(3, one_lead(3), reference=False)
    found = examine("beats", files, options=CPSC)
    assert (found.n, found.metrics["qrs_official"].value) == (2, 1.0)
    assert list(found.unreadable) == ["data/data_00003.mat"]
    assert "no annotated beats came with it" in found.unreadable["data/data_00003.mat"]


def test_what_cannot_be_read_is_named_and_the_others_are_scored():
    files = records(2) | {"broken.hea": b"broken 1 500 10\nbroken.dat 16 200 16 0 0 0 0 I\n"}
    found = examine("beats", files)
    assert found.n == 2
    assert list(found.unreadable) == ["broken.hea"]


def test_the_usual_annotator_goes_before_others():
    made = one_lead(1)
    files = wfdb("two", annotated(made, qrs=beat_marks(made, 0.2), atr=beat_marks(made)))
    assert examine("beats", files).metrics["f1_150ms"].value == 1.0


def test_flutter_that_is_annotated_is_left_out():
    made = one_lead(1, duration_s=60.0)
    beats = beat_marks(made)
    kept = [at for at, time in enumerate(beats.time_s) if not 20 < time < 40]
    times = [*beats.time_s[kept], 20.0, 40.0]
    symbols = [*(beats.symbol[at] for at in kept), "[", "]"]
    order = np.argsort(times)
    marks = Annotations(np.array(times)[order], tuple(symbols[at] for at in order))
    found = examine("beats", wfdb("vf", annotated(made, atr=marks)))
    assert found.metrics["ppv_150ms"].value == 1.0
    assert set(found.metrics) == {"se_150ms", "ppv_150ms", "f1_150ms"}


def test_beat_classes_are_compared_with_the_symbols():
    made = synthesize("pvc", duration_s=30.0, seed=3)
    found = examine("beat_classes", wfdb("pvc", annotated(made, atr=beat_marks(made))))
    assert found.metrics["v_se"].value == 1.0
    assert found.metrics["n_ppv"].value == 1.0


@pytest.mark.parametrize("annotator", ["atr", "ii"])
def test_waves_are_compared_with_marks_of_the_record_or_of_a_lead(annotator):
    made = one_lead(4)
    found = examine("waves", wfdb("w", annotated(made, **{annotator: wave_marks(made)})))
    assert found.metrics["se_qrs"].value == 1.0
    assert found.metrics["se_t"].value >= 0.9
    assert abs(found.metrics["mean_qrs_on"].value) < 20


def test_marks_of_beats_alone_are_no_waves():
    with pytest.raises(InvalidValue, match="no annotated waves came with it"):
        examine("waves", records(1))


def test_nothing_annotated_says_what_was_expected():
    made = one_lead(1)
    with pytest.raises(InvalidValue, match="no recording could be scored") as caught:
        examine("beats", wfdb("bare", made.recording) | wfdb("bare2", made.recording))
    text = str(caught.value)
    assert "2 recordings; the first was left out because: bare.hea: annotations: no annotated beats" in text
    assert "WFDB `.atr`" in text


def test_recordings_that_the_model_was_trained_on_are_left_out(monkeypatch):
    monkeypatch.setattr("ecg_core.evaluation.labelled._seen", lambda _: frozenset({"seen"}))
    monkeypatch.setattr(
        "ecg_core.evaluation.labelled.record_hash",
        lambda recording: "seen" if recording.source.name == "r1.hea" else "new",
    )
    found = examine("beats", records())
    assert (found.n, found.trained_on) == (2, ("r1.hea",))
    assert examine("beats", records(), include_trained=True).n == 3
    monkeypatch.setattr("ecg_core.evaluation.labelled.record_hash", lambda _: "seen")
    with pytest.raises(InvalidValue, match=r"3 of which the model was trained on.*include_trained"):
        examine("beats", records())


# --- by a table -----------------------------------------------------------------------------------------------------


def test_rhythm_is_compared_with_the_table():
    files: dict[str, bytes] = {}
    for name, rhythm in (("n", "sinus"), ("a", "af"), ("b", "af"), ("odd", "sinus"), ("stray", "sinus")):
        files |= wfdb(name, one_lead(5, rhythm, duration_s=20.0).recording)
    found = examine("rhythm", files, b"record,label\nn,N\na,A\nb,A\nodd,SVT\n")
    assert found.n == 3
    assert found.metrics["f1_a"].value == 1.0
    assert "expected: one of N (normal)" in found.unreadable["odd.hea"]
    assert "the table has no row for it" in found.unreadable["stray.hea"]


def test_a_network_is_compared_with_the_labels_that_it_knows():
    files: dict[str, bytes] = {}
    for name, rhythm in (("n1", "sinus"), ("n2", "sinus"), ("a1", "af"), ("a2", "af")):
        made = synthesize(rhythm, noise="muscle", snr_db=24, seed=len(files))
        files |= wfdb(name, made.recording)
    found = examine("heart12", files, b"record,AFIB,OTHER\nn1,0,1\nn2,0,0\na1,1,0\na2,1,0\n")
    assert found.n == 4
    assert found.metrics["AFIB.auc"].value == 1.0
    assert found.metrics["AFIB.se"].value == 1.0
    assert not any(name.startswith("OTHER") for name in found.metrics)


def test_no_label_that_the_model_knows_lists_those_that_it_does():
    answers = [Called(frozenset({"flu"}), {"AFIB": 0.2, "NORM": 0.5}, frozenset())]
    with pytest.raises(InvalidValue, match="no label of the table; found: flu; options: AFIB, NORM"):
        score_called(answers)


def test_labels_are_counted_where_they_are_spoken_of():
    answers = [
        Called(frozenset({"A"}), {"A": 0.9, "B": 0.1}, frozenset({"A"})),
        Called(frozenset(), {"A": 0.4, "B": 0.2}, frozenset()),
        Called(frozenset({"A", "B"}), {"A": 0.3}, frozenset()),
        Called(frozenset({"B"}), {"A": 0.1, "B": 0.8}, frozenset({"A", "B"})),
    ]
    weights = np.array([[1.0, 1, 1, 1], [1, 1, 0, 0]])
    found = {name: values.tolist() for name, values in score_called(answers)(weights).items()}
    assert found["A.auc"] == [0.75, 1.0]
    assert found["A.se"] == [0.5, 1.0]
    assert found["A.sp"] == [0.5, 1.0]
    assert found["B.auc"][0] == 1.0
    assert np.isnan(found["B.auc"][1])
    assert found["macro_auc"] == [0.875, 1.0]


# --- which models ---------------------------------------------------------------------------------------------------


def test_every_predictor_takes_a_table_and_other_models_their_marks():
    found = ways()
    assert {name: found[name].needs for name in ("beats", "beats_fast", "beat_classes", "waves", "rhythm")} == {
        "beats": "beats",
        "beats_fast": "beats",
        "beat_classes": "beats",
        "waves": "waves",
        "rhythm": "labels",
    }
    assert all(found[name].needs == "labels" for name in predictors())


def test_a_model_that_is_not_examined_so_lists_those_that_are():
    with pytest.raises(InvalidValue, match="options: beat_classes, beats, beats_fast"):
        find_way("quality")


def test_cancelling_passes_through_and_progress_names_each_recording():
    class Cancelled(Exception):
        pass

    seen = []

    def progress(done: int, total: int, name: str) -> None:
        seen.append((done, total, name))
        if len(seen) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        examine("beats", records(), progress=progress)
    assert seen == [(0, 0, "r0.hea"), (1, 0, "r1.hea")]
    seen.clear()
    seen.append((9, 9, ""))
    seen.append((9, 9, ""))
    examine("beats", records(1), progress=progress)
    assert seen[2:] == [(0, 0, "r0.hea"), (1, 1, "")]
