from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from ecg_core import __version__
from ecg_core.artefacts import load_model
from ecg_core.errors import EcgError, InvalidValue, UnknownFormat
from ecg_core.findings.decided import DecidedRhythm
from ecg_core.pipeline import Analysis, analyze, analyze_many, state_subject
from ecg_core.quality.reversals import Reversals, Suspicion
from ecg_core.recording import Recording, Source, Subject
from ecg_core.synthesis import SHAPES, Synthetic, bundled_cases, synthesize
from tests.findings.voices import HEART12, Fake, case, install, say
from tests.findings.voices import analysed as concluded
from tests.helpers import SUBJECT, make_recording, with_gap

PARTS = [
    *(
        "recording",
        "subject",
        "quality",
        "beats",
        "waves",
        "measurements",
        "rhythm",
        "pacing",
        "predictions",
        "af_risk",
    ),
    *("urgent", "findings", "summary", "provenance"),
]
CASES = bundled_cases()
ARMS = Suspicion("RA-LA", "right arm and left arm exchanged", ("I", "II", "III", "aVR", "aVL"), 0.9, (), None)


@pytest.fixture(scope="module")
def analysed():
    """Return the analysis of a demo case, made once."""
    kept: dict[str, tuple[Synthetic, Analysis]] = {}

    def of(case: str) -> tuple[Synthetic, Analysis]:
        if case not in kept:
            made = CASES[case].synthesize()
            kept[case] = made, analyze(made.recording)
        return kept[case]

    return of


def turn(first: float, second: float) -> float:
    return abs((first - second + 180) % 360 - 180)


def test_analysis_says_what_is_known_of_a_recording():
    recording = make_recording(n_samples=5000)
    analysis = analyze(recording)
    assert analysis.recording is recording
    assert analysis.subject == SUBJECT
    assert analysis.beats.method == "robust"
    assert analysis.beats.heart_rate.bpm == pytest.approx(75, abs=1)
    assert analysis.measurements["hr_bpm"].value == pytest.approx(75, abs=1)
    assert len(analysis.classes.classes) == len(analysis.beats)


def test_json_form_has_the_parts_of_the_analysis_under_their_names():
    recording = make_recording(("I", "II"))
    recording = Recording(
        recording.signal,
        recording.fs,
        recording.leads,
        SUBJECT,
        source=Source("edf", "a.edf", "0" * 64),
        warnings=("units: mV, stated by the file",),
    )
    before = datetime.now(UTC).replace(microsecond=0)
    found = analyze(recording).to_dict()
    assert list(found) == PARTS
    expected = {"sha256": "0" * 64, "format": "edf", "fs": 500.0, "leads": ["I", "II"], "duration_s": 4.0}
    assert expected.items() <= found["recording"].items()
    assert found["recording"]["warnings"] == ["units: mV, stated by the file"]
    assert "subject" not in found["recording"]
    assert found["subject"] == {"id": "P-0042", "age": 63.0, "sex": "female", "facts": {}}
    assert {"method", "leads", "times_s", "confidence", "classes", "reason", "heart_rate", "rr", "hrv"} <= set(
        found["beats"]
    )
    assert set(found["waves"]) == {"start_s", "end_s", "part", "reason", "global", "leads"}
    assert found["provenance"]["software"] == {"name": "einthoven", "version": __version__}
    assert before <= datetime.fromisoformat(found["provenance"]["analysed_at"]) <= datetime.now(UTC)


def test_every_model_that_had_a_say_is_named_with_its_checksum(analysed):
    models = analysed("normal")[1].provenance["models"]
    assert {"quality", "beats", "waves", "rhythm", "beat_classes"} <= set(models)
    for name, model in models.items():
        artefact = load_model(name)
        assert model == {"name": name, "version": artefact.version, "sha256": artefact.sha256}


@pytest.mark.parametrize(
    "recording",
    [
        make_recording(),
        with_gap(make_recording(), lead=1),
        make_recording(("V1",), n_samples=1),
        make_recording(("V1",), fs=30.0, n_samples=300),
        Recording(np.full((2, 900), np.nan), 500, ("I", "II")),
        Recording(np.zeros((12, 5000)), 500, make_recording().leads),
    ],
    ids=["12 leads", "gap", "one sample", "30 Hz", "nothing recorded", "all flat"],
)
def test_json_form_is_json_and_whatever_is_null_says_why(recording):
    found = json.loads(json.dumps(analyze(recording).to_dict(), allow_nan=False))
    rate = found["beats"]["heart_rate"]
    assert (rate["bpm"] is None) == (rate["reason"] is not None)
    table = found["measurements"]
    items = [item for name, item in table.items() if name not in ("leads", "notes")]
    for item in [*items, *(item for row in table["leads"].values() for item in row.values())]:
        assert (item["value"] is None) == bool(item["reason"])
    assert (found["rhythm"]["label"] is None) == bool(found["rhythm"]["reason"])
    assert bool(found["waves"]["global"]) != bool(found["waves"]["reason"])
    assert (found["pacing"]["paced"] is None) == bool(found["pacing"]["reason"])


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        *((shape, {}) for shape in sorted(SHAPES)),
        ("normal", {"qrs_axis_deg": -60}),
        ("normal", {"qrs_axis_deg": 120}),
        ("normal", {"qrs_axis_deg": -150}),
        ("lbbb", {"qrs_axis_deg": -45}),
        ("normal", {"rate_bpm": 48, "qt_ms": 520}),
        ("normal", {"rate_bpm": 105}),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(f"{k}={v}" for k, v in value.items()),
)
def test_intervals_and_axis_are_those_of_the_heart_whatever_its_shape(shape, options):
    made = synthesize(shape=shape, noise=("muscle", "baseline"), snr_db=26, seed=5, **options)
    table, truth = analyze(made.recording).measurements, made.truth
    for name, limit in (("pr", 8), ("qrs", 8), ("qt", 15)):
        assert table[f"{name}_ms"].value == pytest.approx(truth.interval_ms(name), abs=limit), name
    assert turn(table["qrs_axis_deg"].value, truth.axis_deg("qrs")) < 2
    assert table["hr_bpm"].value == pytest.approx(truth.heart_rate_bpm, rel=0.02)


def test_a_lead_that_can_not_be_trusted_is_left_out_with_the_reason():
    made = synthesize(seed=1)
    signal = made.recording.signal.copy()
    signal[made.recording.leads.index("V1")] = 0.0
    found = analyze(Recording(signal, 500, made.recording.leads))
    assert found.quality.leads["V1"].verdict == "poor"
    assert "V1" not in found.waves.per_lead
    row = found.measurements.leads["V1"]
    assert {item.value for item in row.values()} == {None}
    assert {item.reason for item in row.values()} == {found.quality.refusal(("V1",))}
    assert "V1" in found.measurements["sokolow_lyon_mv"].reason
    assert found.measurements["qrs_axis_deg"].value == pytest.approx(made.truth.axis_deg("qrs"), abs=2)
    assert list(found.measurements.leads) == list(made.recording.leads)


def test_a_recording_that_is_poor_as_a_whole_gives_no_intervals_and_nothing_urgent_but_the_reason(analysed):
    found = analysed("poor_quality")[1]
    assert found.quality.verdict == "poor"
    assert found.waves.reason == found.quality.refusal()
    assert found.measurements["qrs_ms"].reason == found.quality.refusal()
    assert {item.code for item in found.urgent} <= {"slow_rate", "fast_rate"}


def test_recording_that_can_not_be_trusted_gives_no_beats_but_the_reason():
    noise = np.cumsum(np.random.default_rng(0).normal(0, 3, (2, 5000)), axis=1)
    found = analyze(Recording(noise, 500, ("I", "II")))
    assert found.quality.verdict == "poor"
    assert len(found.beats) == 0
    assert found.beats.reason.startswith("the signal is poor in I")
    assert found.beats.heart_rate.bpm is None
    assert found.rhythm.label is None


def test_fibrillation_withholds_what_a_p_wave_would_say(analysed):
    found = analysed("atrial_fibrillation")[1]
    assert found.rhythm.label == "A"
    for name in ("pr_ms", "p_ms", "p_axis_deg"):
        assert "fibrillation" in found.measurements[name].reason


def test_what_speaks_against_the_rhythm_is_shown_and_changes_nothing(analysed):
    found = analysed("normal")[1]
    assert found.disagreement is None
    told = replace(found, rhythm=DecidedRhythm(replace(found.rhythm.single, label="A")))
    assert told.disagreement.startswith("P waves are marked before")
    assert told.to_dict()["rhythm"]["disagreement"] == told.disagreement
    assert told.to_dict()["rhythm"]["label"] == "A"
    paced = analysed("paced")[1]
    assert "pacemaker" in replace(paced, rhythm=found.rhythm).disagreement


def test_pacing_withholds_qt_and_signs_of_hypertrophy(analysed):
    made, found = analysed("paced")
    assert found.pacing.paced
    assert len(found.pacing) >= len(made.truth.pacing_spikes_s) - 1
    for name in ("qt_ms", "qtc_fridericia_ms", "sokolow_lyon_mv"):
        assert "paced" in found.measurements[name].reason


@pytest.mark.parametrize(
    ("case", "codes"),
    [
        ("inferior_infarction", {"st_elevation"}),
        ("anterior_infarction", {"st_elevation"}),
        ("long_qt", {"long_qtc"}),
        ("normal", set()),
        ("left_bundle_branch_block", set()),
        ("left_ventricular_hypertrophy", set()),
    ],
)
def test_demo_cases_are_urgent_or_not(analysed, case, codes):
    assert {finding.code for finding in analysed(case)[1].urgent} == codes


def test_a_suspected_exchange_of_electrodes_qualifies_what_rests_on_their_leads(monkeypatch):
    monkeypatch.setattr("ecg_core.predictors.chain.suspect_reversals", lambda *_: Reversals((ARMS,)))
    found = analyze(synthesize(seed=1).recording)
    assert found.to_dict()["quality"]["suspected"][0]["kind"] == "RA-LA"
    assert found.measurements["qrs_axis_deg"].caution == "suspected: right arm and left arm exchanged"
    assert found.measurements["qrs_axis_deg"].flag is None
    assert found.measurements["sokolow_lyon_mv"].caution is None


def test_a_long_recording_is_marked_and_measured_on_a_minute_and_its_rates_are_of_the_whole():
    made = synthesize(duration_s=150.0, fs=250.0, leads=("II",), rate_bpm=70, seed=1)
    found = analyze(made.recording)
    assert found.part.end_s - found.part.start_s == 60
    marks = found.waves.global_.marks
    assert found.part.start_s <= np.nanmin(marks)
    assert np.nanmax(marks) <= found.part.end_s
    assert found.measurements["hr_bpm"].n == len(made.truth.rr_s)
    assert 60 <= found.measurements["qrs_ms"].n <= 75
    assert found.measurements["qt_ms"].value == pytest.approx(made.truth.interval_ms("qt"), abs=15)
    onsets = made.truth.qrs.onset_s
    nearest = np.abs(marks[:, 1, 0][~np.isnan(marks[:, 1, 0])][:, None] - onsets).min(axis=1)
    assert np.median(nearest) < 0.02


def test_what_the_sender_says_goes_before_the_file_with_a_warning():
    recording = make_recording(("II",))
    found = state_subject(recording, 71, "female")
    assert found.subject == Subject("P-0042", 71, "female")
    assert found.warnings == ("subject: age 71 as stated by the sender; the file says 63.0",)
    assert state_subject(recording, None, None) is recording


def test_swapped_arms_are_suspected(analysed):
    found = analysed("swapped_arms")[1]
    assert found.reversals.suspected[0].kind == "RA-LA"
    assert found.measurements["cornell_mv"].caution.startswith("suspected: ")


def test_the_twelve_lead_network_decides_the_rhythm_where_it_read_eight_leads():
    found = concluded(case("normal"), say({"SBRAD": 0.9, "SR": 0.6})).rhythm
    assert (found.code, found.title, found.probability) == ("SBRAD", "sinus bradycardia", 0.9)
    assert found.decided_by == HEART12
    assert found.to_dict()["single_lead"]["label"] == "N"
    for other in (say({"AFIB": 0.9}, view="limb"), say({}), replace(say({}), heads={}, out_of_scope=("no",)), None):
        found = concluded(case("normal"), other).rhythm
        assert (found.label, found.decided_by.name) == ("N", "rhythm")


def test_networks_that_differ_on_fibrillation_are_both_shown_and_the_table_follows_who_decides():
    found = concluded(case("normal"), say({"AFIB": 0.9}))
    assert found.rhythm.label == "A"
    assert "lead II alone is read as normal rhythm" in found.disagreement
    assert "fibrillation" in found.measurements["pr_ms"].reason
    other = concluded(case("atrial_fibrillation"), say({"SR": 0.9}))
    assert other.rhythm.label == "N"
    assert "lead II alone is read as atrial fibrillation" in other.disagreement
    assert "fibrillation" not in (other.measurements["pr_ms"].reason or "")


def test_fibrillation_in_the_tracing_leaves_no_question_of_its_risk():
    for said in (say({"AFIB": 0.9}), None):
        risk = concluded(case("atrial_fibrillation"), said).af_risk
        assert "atrial fibrillation in this tracing" in risk.present
        assert risk.value_5y is None


def test_without_a_network_everything_else_is_there_and_provenance_says_so(analysed, monkeypatch):
    install(monkeypatch)
    found = analyze(make_recording(("II",), n_samples=5000))
    assert dict(found.predictions) == {}
    assert "heart12" in found.provenance["notes"][0]
    assert found.provenance["settings"]["predictors"] == []
    assert found.summary.diagnosis


def test_models_are_asked_by_name_at_the_operating_point(monkeypatch):
    first, second = Fake(say({"SR": 0.9})), Fake(say({}))
    install(monkeypatch, heart12=first, other=second)
    found = analyze(make_recording(("II",)), models=["heart12"], operating_point="se95")
    assert list(found.predictions) == ["heart12"]
    assert (first.points, second.points) == (["se95"], [])
    assert found.provenance["settings"]["operating_point"] == "se95"
    assert found.provenance["models"]["heart12"] == HEART12.to_dict()
    with pytest.raises(InvalidValue, match="heart12, other"):
        analyze(make_recording(("II",)), models=["heart13"])
    with pytest.raises(InvalidValue, match="heart12, other"):
        analyze_many([], models=["heart13"])


def test_many_are_analysed_in_order_with_the_networks_run_on_a_batch_at_once(monkeypatch):
    fake = Fake(say({"SR": 0.9}))
    install(monkeypatch, heart12=fake)
    recordings = [make_recording(("II",), n_samples=1500 + 100 * at) for at in range(5)]
    found = list(analyze_many(recordings, batch=2, workers=1))
    assert [item.recording for item in found] == recordings
    assert fake.batches == [2, 2, 1]
    alone = analyze(recordings[3]).to_dict()
    ours = found[3].to_dict()
    for part in set(alone) - {"provenance"}:
        assert ours[part] == alone[part], part


def test_many_are_taken_no_further_ahead_than_a_batch(monkeypatch):
    install(monkeypatch)
    taken = []

    def recordings():
        for at in range(6):
            taken.append(at)
            yield make_recording(("II",), n_samples=1500)

    next(analyze_many(recordings(), batch=2, workers=1))
    assert taken == [0, 1]


def test_a_bad_recording_stops_no_other_and_an_error_of_reading_comes_out_in_its_place(monkeypatch):
    fake = Fake(say({"SR": 0.9}))
    install(monkeypatch, heart12=fake)
    bad, good = make_recording(("I",), n_samples=1600), make_recording(("II",), n_samples=1500)

    def fails(contexts, point):
        if any(context.recording is bad for context in contexts):
            raise ZeroDivisionError("nobody foresaw this")
        return Fake.predict(fake, contexts, point)

    monkeypatch.setattr(fake, "predict", fails)
    unread = UnknownFormat("no reader recognises the content", file="x.bin")
    found = list(analyze_many([good, unread, bad, good], workers=1))
    assert [type(item) for item in found] == [Analysis, UnknownFormat, EcgError, Analysis]
    assert found[1] is unread
    assert "nobody foresaw this" in str(found[2])


def test_many_are_spread_over_processes_and_come_back_whole(monkeypatch):
    install(monkeypatch)
    recordings = [make_recording(("II",), n_samples=1500 + 50 * at) for at in range(3)]
    found = list(analyze_many(recordings, batch=1, workers=2, models=[]))
    assert [item.recording.n_samples for item in found] == [1500, 1550, 1600]
    assert found[2].summary.diagnosis
    assert found[2].to_dict()["rhythm"] == analyze(recordings[2], models=[]).to_dict()["rhythm"]


def test_what_is_stated_of_the_person_reaches_the_risk_and_is_checked():
    recording = make_recording(("II",))
    stated = state_subject(recording, None, None, {"height_cm": "1.8 m", "smoker": "yes"})
    assert stated.subject.facts == {"height_cm": 180.0, "smoker": True}
    assert state_subject(stated, None, None, {"smoker": "no"}).warnings[-1].startswith("subject: smokes now False")
    with pytest.raises(InvalidValue, match="100 to 250 cm"):
        state_subject(recording, None, None, {"height_cm": 18})
    with pytest.raises(InvalidValue, match="height_cm"):
        state_subject(recording, None, None, {"size": 18})
