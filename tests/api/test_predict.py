from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from api.schemas import NOTICE, Prediction
from api.services.uploads import label_of
from ecg_core.leads import STANDARD_12
from ecg_core.readers import READERS
from ecg_core.recording import Recording
from ecg_core.synthesis import bundled_cases, synthesize
from tests.findings.voices import Fake, case, say
from tests.helpers import make_recording, with_gap
from tests.service import as_upload, as_user, files_of, running_app


@pytest.fixture
def network(monkeypatch) -> Fake:
    """Have a stand-in for the 12-lead network installed."""
    fake = Fake(say({"SR": 0.97, "NORM": 0.93}))
    for place in ("ecg_core.pipeline", "api.routes.choices", "api.routes.health"):
        monkeypatch.setattr(f"{place}.predictors", lambda: {"heart12": fake})
    return fake


def zipped(files: dict[str, bytes]) -> dict[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"study/{name}", content)
    return {"study.zip": packed.getvalue()}


@pytest.mark.parametrize("form", sorted(name for name, reader in READERS.items() if reader.write))
def test_a_recording_in_any_format_is_analysed(predict, form):
    answer = predict(files_of(make_recording(), form))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["recording"]["format"] == form
    assert set(found["recording"]["leads"]) == set(STANDARD_12)
    assert found["recording"]["fs"] == 500
    assert found["recording"]["duration_s"] == pytest.approx(4, abs=0.02)
    assert found["beats"]["heart_rate"]["bpm"] == pytest.approx(75, abs=1.5)
    assert "II" in found["beats"]["leads"]
    assert found["signal"] is None
    assert found["notice"] == NOTICE


def test_an_archive_of_one_recording_is_analysed(predict):
    answer = predict(zipped(files_of(make_recording(), "wfdb")))
    assert answer.json()["recording"]["format"] == "wfdb"


def test_file_names_are_labels_without_their_folders(predict):
    (content,) = files_of(make_recording(("II",))).values()
    answer = predict({"..\\..\\etc/passwd.npz": content})
    assert answer.json()["recording"]["name"] == "passwd.npz"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("a\0b\n.edf", "ab.edf"),
        (None, "upload"),
        ("x/", "x"),
        ("../", "upload"),
        ("é" * 300 + ".edf", "é" * 196 + ".edf"),
    ],
)
def test_a_name_that_is_no_name_becomes_one(name, label):
    assert label_of(name) == label


def test_samples_come_on_request_in_millivolts_with_null_for_what_was_not_recorded(predict):
    recording = with_gap(make_recording(("I", "II")), lead=1)
    signal = predict(files_of(recording), signal="true").json()["signal"]
    assert (signal["fs"], signal["unit"], signal["start_s"], signal["leads"]) == (500, "mV", 0, ["I", "II"])
    found = np.array(signal["values"], np.float64)
    assert np.array_equal(np.isnan(found), np.isnan(recording.signal))
    assert np.nanmax(np.abs(found - recording.signal)) <= 0.5e-4 + 1e-6


@pytest.mark.parametrize(
    ("limits", "shape"), [({"signal_window_s": 2.0}, (2, 1000)), ({"signal_max_values": 100}, (2, 50))]
)
def test_samples_are_those_of_the_first_seconds_within_the_limits(limits, shape):
    recording = make_recording(("I", "II"), n_samples=3000)
    with running_app(**limits) as anonymous:
        files = as_upload(files_of(recording))
        signal = as_user(anonymous).post("/predict", files=files, data={"signal": "1"}).json()["signal"]
    assert np.shape(signal["values"]) == shape


def test_the_sender_can_say_what_the_file_does_not(predict):
    rows = "\n".join(f"{value:.4f}" for value in make_recording(("II",)).signal[0])
    files = {"ecg.csv": f"II\n{rows}\n".encode()}
    problem = predict(files).json()
    assert (problem["status"], problem["code"], problem["file"]) == (422, "needs_option", "ecg.csv")
    found = predict(files, fs="500", units="mV").json()
    assert found["recording"]["fs"] == 500
    assert found["beats"]["heart_rate"]["bpm"] == pytest.approx(75, abs=1.5)


def test_what_the_sender_says_of_the_person_goes_before_the_file_with_a_warning(predict):
    recording = make_recording(("II",))
    found = predict(files_of(recording, "wfdb"), age="71", sex="female").json()
    assert (found["subject"]["age"], found["subject"]["sex"]) == (71, "female")
    assert "subject: age 71.0 as stated by the sender; the file says 63.0" in found["recording"]["warnings"]
    assert not any("sex" in warning for warning in found["recording"]["warnings"])


def test_fields_left_empty_in_a_form_are_as_good_as_absent(predict):
    found = predict(files_of(make_recording(("II",))), fs="", units="", age="", sex="")
    assert found.status_code == 200, found.text


def test_one_beat_gives_null_and_a_reason(predict):
    found = predict(files_of(make_recording(n_samples=300))).json()
    assert len(found["beats"]["times_s"]) == 1
    assert found["beats"]["heart_rate"]["bpm"] is None
    assert "only one beat" in found["beats"]["heart_rate"]["reason"]


def test_a_recording_with_leads_that_were_not_recorded_is_analysed(predict):
    recording = make_recording()
    signal = recording.signal.copy()
    signal[1:6] = np.nan
    found = predict(files_of(Recording(signal, recording.fs, recording.leads)), signal="true").json()
    assert found["beats"]["leads"] == ["I", "V1", "V2", "V3", "V4", "V5", "V6"]
    assert found["signal"]["values"][1][:3] == [None, None, None]
    assert any("nothing was recorded" in warning for warning in found["recording"]["warnings"])


def test_the_answer_holds_all_that_its_schema_names(predict):
    found = predict(files_of(make_recording()), signal="true").json()
    assert Prediction.model_validate(found).model_dump(mode="json", by_alias=True) == found


def test_waves_that_are_absent_are_left_out_and_measurements_have_ranges_by_age_and_sex(predict):
    made = synthesize("af", seed=2)
    found = predict(files_of(made.recording), age="30", sex="male").json()
    assert found["waves"]["leads"].keys() == set(STANDARD_12)
    assert all(set(beat) <= {"p", "qrs", "t"} for beat in found["waves"]["global"])
    assert any("p" not in beat for beat in found["waves"]["global"])
    table = found["measurements"]
    assert table["qtc_fridericia_ms"]["range"]["high"] == 450
    assert table["leads"]["V2"]["st_j_mv"]["range"]["high"] == 0.25
    assert table["pr_ms"]["value"] is None
    assert table["pr_ms"]["reason"]
    child = predict(files_of(made.recording), age="12").json()["measurements"]
    assert child["hr_bpm"]["range"] is None
    assert any("under 18" in note for note in child["notes"])


def test_what_is_urgent_stands_in_the_answer_with_its_rule(predict):
    made = bundled_cases()["anterior_infarction"].synthesize()
    (finding,) = predict(files_of(made.recording)).json()["urgent"]
    assert finding["code"] == "st_elevation"
    assert "Fourth Universal Definition" in finding["source"]
    assert finding["values"]["V2.st_j_mv"] > 0.2


def test_samples_of_a_long_recording_are_those_of_the_part_that_was_measured(predict):
    made = synthesize(duration_s=140.0, fs=100.0, leads=("II",), seed=3)
    found = predict(files_of(made.recording), signal="true").json()
    assert found["signal"]["start_s"] == found["waves"]["start_s"]
    first = round(100 * found["signal"]["start_s"])
    assert found["signal"]["values"][0][0] == pytest.approx(made.recording.signal[0, first], abs=1e-4)
    assert len(found["signal"]["values"][0]) == 1000


def test_what_the_models_say_is_typed_and_whole(predict, network):
    found = predict(files_of(case("normal"))).json()
    answer = found["predictions"]["heart12"]
    assert answer["superclass"]["MI"]["probability"] == 0.01
    assert answer["age"] == {"value": 61, "low": 48, "high": 74, "unit": "years", "coverage": 0.9, "reason": None}
    typed = Prediction.model_validate(found)
    assert typed.predictions["heart12"].labels("statements")["NORM"].positive
    assert typed.predictions["heart12"].quantity("age").high == 74
    assert typed.predictions["heart12"].labels("age") == {}
    dumped = typed.model_dump(mode="json", by_alias=True)
    for part in ("predictions", "af_risk", "findings", "summary", "rhythm"):
        assert dumped[part] == found[part], part


def test_findings_come_with_probability_evidence_and_model_and_their_sum(predict, network):
    found = predict(files_of(case("normal"))).json()
    assert found["summary"]["diagnosis"].startswith("Sinus rhythm, 68/min; within normal limits")
    assert found["summary"]["score"]["level"] == "normal"
    normal = next(item for item in found["findings"] if item["code"] == "NORM")
    assert (normal["confidence"], normal["model"]["name"]) == (0.93, "heart12")
    assert found["rhythm"]["decided_by"]["name"] == "heart12"
    assert found["rhythm"]["single_lead"]["label"] == "N"


def test_without_an_installed_network_the_answer_is_whole_and_says_so(predict, monkeypatch):
    for place in ("ecg_core.pipeline", "api.routes.choices"):
        monkeypatch.setattr(f"{place}.predictors", dict)
    found = predict(files_of(make_recording(("II",)))).json()
    assert found["predictions"] == {}
    assert any("heart12" in note for note in found["provenance"]["notes"])
    assert found["summary"]["diagnosis"]


def test_stated_facts_give_the_risk_its_basis_and_what_would_narrow_it(predict):
    files = files_of(make_recording(("II",)))
    lacking = predict(files).json()["af_risk"]
    assert lacking["value_5y"] is None
    assert {"height_cm", "weight_kg"} <= set(lacking["needs"])
    stated = {"height_cm": "1.71 m", "weight_kg": "80", "systolic_mmhg": "140", "diastolic_mmhg": "85", "smoker": "no"}
    found = predict(files, age="63", **stated).json()
    assert found["subject"]["facts"] == {
        "height_cm": 171,
        "weight_kg": 80,
        "systolic_mmhg": 140,
        "diastolic_mmhg": 85,
        "smoker": False,
    }
    risk = found["af_risk"]
    assert risk["basis"] == "charge_af"
    assert 0 < risk["low"] <= risk["value_5y"] <= risk["high"] < 1
    assert risk["would_narrow"]["fact"] in risk["averaged_over"]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("height_cm", "17", {"expected": "100 to 250 cm"}),
        ("smoker", "maybe", {"options": ["yes", "no"]}),
        ("race", "green", {"options": ["white", "other"]}),
        ("models", "heart13", {"options": ["heart12"]}),
        ("operating_point", "best", {"options": ["max_f1", "se95", "sp95"]}),
    ],
)
def test_a_field_that_can_not_be_is_named_with_its_value_and_what_is_possible(predict, network, field, value, says):
    answer = predict(files_of(make_recording(("II",))), **{field: value})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_value")
    assert (problem["field"], problem["found"]) == (field, value)
    assert says.items() <= problem.items()


def test_models_and_operating_point_can_be_chosen(predict, network):
    found = predict(files_of(make_recording(("II",))), models="heart12", operating_point="se95").json()
    assert list(found["predictions"]) == ["heart12"]
    assert network.points == ["se95"]
    assert found["provenance"]["settings"]["operating_point"] == "se95"
