"""Other people's models through a manifest: what it may state, how an ONNX graph answers, and what is refused."""

from __future__ import annotations

import copy
import tomllib
from types import SimpleNamespace

import numpy as np
import pytest

from ecg_core.artefacts import LARGE, list_models, load_artefact, load_model
from ecg_core.errors import DuplicateName, InvalidValue, ModelError, UnknownName
from ecg_core.guests.adding import add_guest
from ecg_core.guests.engine import open_guest, pack_saved_model
from ecg_core.guests.inputs import prepare
from ecg_core.guests.spec import EXAMPLE, HeadSpec, parse_spec
from ecg_core.guests.store import add_model, remove_model, to_toml
from ecg_core.predictors import Curve, predictors
from ecg_core.predictors.guest_outputs import decode, select_outputs
from ecg_core.recording import Recording
from tests.helpers import make_recording, with_gap
from tests.predictors.guest_models import LEADS, ONNX_MANIFEST, WEIGHTS, onnx_toy
from tests.predictors.heart12_model import context_of

FINDINGS, AGE = ONNX_MANIFEST["heads"]


@pytest.fixture
def mine(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.setenv("EINTHOVEN_MODELS", str(tmp_path / "mine"))
    (tmp_path / "toy.onnx").write_bytes(onnx_toy())
    return tmp_path


def manifest_of(mine, **changes):
    path = mine / "toy.toml"
    path.write_text(to_toml(copy.deepcopy(ONNX_MANIFEST) | changes))
    return path


def spec_of(**changes):
    return parse_spec(copy.deepcopy(ONNX_MANIFEST) | changes, "toy.toml")


def levels(fs: float = 100.0, seconds: float = 2.0, **given: float) -> Recording:
    """Return leads that stay at a level, in millivolts."""
    n = round(fs * seconds)
    values = {"I": 0.5, "II": -0.25, "V1": 1.0} | given
    return Recording(np.array([np.full(n, level) for level in values.values()]), fs, tuple(values))


# --- an ONNX graph, from adding to answers --------------------------------------------------------------------------


def test_an_onnx_graph_is_added_tried_out_and_answers(mine):
    added = add_guest("toy", mine / "toy.onnx", manifest_of(mine))
    assert set(added.trial) == {"findings", "age"}
    assert added.recognised is None
    model = predictors()["toy"]
    one, other = levels(), levels(I=-0.5)
    first, second = model.predict([context_of(one), context_of(other)])
    logits = np.array([1.0, 0.5, -0.25]) @ WEIGHTS
    probability = 1 / (1 + np.exp(-logits))
    assert first.labels("findings")["A"].probability == pytest.approx(probability[0], abs=1e-6)
    assert first.labels("findings")["A"].positive is True
    assert first.labels("findings")["B"].positive is None
    assert "no threshold" in first.labels("findings")["B"].reason
    assert first.quantity("age").to_dict() | {"reason": None} == {
        "value": pytest.approx(65), "low": None, "high": None, "unit": "years", "coverage": None, "reason": None,
    }  # fmt: skip
    assert second.quantity("age").value == pytest.approx(55)
    assert first.leads == LEADS
    assert (first.model.name, first.model.version, first.model.sha256) == ("toy", "1", load_model("toy").sha256)


def test_one_recording_that_cannot_be_read_does_not_stop_the_others(mine):
    add_guest("toy", mine / "toy.onnx", manifest_of(mine))
    contexts = [context_of(levels().select(("I", "II"))), context_of(levels()), context_of(levels(seconds=1))]
    without_v1, good, short = predictors()["toy"].predict(contexts)
    assert without_v1.out_of_scope == ("it reads V1, I, II; missing: V1",)
    assert not good.abstains
    assert short.out_of_scope == ("it reads 2 s; 1 s were recorded",)


def test_scope_of_a_manifest_is_kept(mine):
    add_guest("toy", mine / "toy.onnx", manifest_of(mine, scope={"least_age": 40, "paced": False}))
    model = predictors()["toy"]
    young = Recording(levels().signal, 100.0, levels().leads, subject=type(levels().subject)(age=39))
    assert "40 years and over; stated: 39" in model.predict([context_of(young)])[0].out_of_scope[0]
    paced = context_of(levels(), pacing=SimpleNamespace(paced=True, reason=None))
    assert "pacemaker" in model.predict([paced])[0].out_of_scope[0]


def test_a_guest_whose_file_was_changed_says_so_instead_of_answering(mine):
    added = add_guest("toy", mine / "toy.onnx", manifest_of(mine))
    (added.folder.path / "model.onnx").write_bytes(b"other")
    load_artefact.__globals__["_load"].cache_clear()
    found = predictors()["toy"].predict([context_of(levels())])[0]
    assert "not what its manifest says" in found.out_of_scope[0]


# --- a wrong manifest fails on adding -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"inputs": {**ONNX_MANIFEST["inputs"], "leads": ["I", "II"]}}, r"cannot be run on what.*shape \[2, 200\]"),
        ({"inputs": {**ONNX_MANIFEST["inputs"], "name": "signal"}}, r"other inputs.*found: signal; options: ecg"),
        ({"heads": [{**FINDINGS, "output": "x"}]}, r"findings: has no such output; found: x; options: lo"),
        ({"heads": [{**AGE, "output": 2}]}, r"age: has no output of that number; found: 2"),
        ({"heads": [{**AGE, "output": 0}]}, r"age: gives another number.*found: 2; expected: 1"),
        ({"heads": [{**FINDINGS, "labels": list("ABC")}]}, r"findings: gives another number.*expected: 3"),
        ({"heads": [{"name": "c", "output": 1, "kind": "survival", "interval_days": 9, "intervals": 2}]}, "2 or more"),
    ],
)
def test_a_manifest_that_does_not_fit_the_model_is_refused_and_nothing_is_added(mine, changes, sentence):
    if "heads" in changes:
        changes["heads"][0].pop("thresholds", None)
    with pytest.raises(ModelError, match=sentence):
        add_guest("toy", mine / "toy.onnx", manifest_of(mine, **changes))
    assert "toy" not in {model.name for model in list_models()}
    assert not list((mine / "mine").glob("*"))


def test_only_ecg2af_goes_without_a_manifest(mine):
    with pytest.raises(InvalidValue, match="only ecg2af is known without one; found: toy"):
        add_guest("toy", mine / "toy.onnx")


@pytest.mark.parametrize(("name", "sentence"), [("x.onnx", "no such file"), ("toy.toml", "options: .onnx, .keras")])
def test_a_file_that_is_no_model_is_refused(mine, name, sentence):
    manifest_of(mine)
    with pytest.raises(ModelError, match=sentence):
        open_guest(mine / name)
    (mine / "bad.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match="is not a graph that can be run"):
        add_guest("toy", mine / "bad.onnx", manifest_of(mine))


def test_a_manifest_that_is_no_toml_or_has_strange_fields_is_refused(mine):
    (mine / "bad.toml").write_text("title = ")
    with pytest.raises(InvalidValue, match=r"bad\.toml: is not TOML"):
        add_guest("toy", mine / "toy.onnx", mine / "bad.toml")
    with pytest.raises(InvalidValue, match=r"toy\.toml: titel: no such field; options: name, title"):
        add_guest("toy", mine / "toy.onnx", manifest_of(mine, titel="x"))


# --- the manifest ---------------------------------------------------------------------------------------------------


def test_the_example_is_a_manifest():
    spec = parse_spec(tomllib.loads(EXAMPLE), "example")
    assert [head.name for head in spec.heads] == ["findings", "age", "af_survival"]
    assert (spec.shape, spec.duration_s, spec.least_age, spec.paced) == ((2500, 8), 10.0, 18, False)
    assert spec.filters[0].parameters == {"low_hz": 0.5, "high_hz": 40.0}
    assert spec.heads[2].risk == "af_risk_5y"


def inputs(**changes):
    return {"inputs": {**ONNX_MANIFEST["inputs"], **changes}}


def head(**changes):
    return {"heads": [{key: v for key, v in {**FINDINGS, **changes}.items() if v is not None}]}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"inputs": {}}, r"toy\.toml: inputs\.leads: is missing; expected: a list of texts"),
        (inputs(leads=["I", "X"]), r"inputs\.leads: no such lead: X; .*options: I, II, III"),
        (inputs(leads=["I", "I"]), r"inputs\.leads: names one twice"),
        (inputs(fs="500"), r"inputs\.fs: of the wrong kind; found: 500; expected: samples per second"),
        (inputs(fs=0), r"inputs\.fs: not such a number; found: 0"),
        (inputs(samples=10.5), r"inputs\.samples: not such a number; found: 10\.5; expected: 1 to"),
        (inputs(layout="nchw"), r"inputs\.layout: no such choice; found: nchw; options: samples_leads, leads_samples"),
        (inputs(normalise="zscore"), r"inputs\.normalise: no such choice; found: zscore; options: none, lead, array"),
        (inputs(unit="V"), r"inputs\.unit: no such choice; found: V; options: mV, uV"),
        (inputs(lead=["I"]), r"inputs\.lead: no such field; options: leads, fs"),
        ({"heads": []}, r"heads: is missing; .*expected: one \[\[heads\]\] or more"),
        (head(kind="sigmoid"), r"heads\[0\]\.kind: no such choice; found: sigmoid; options: binary, softmax"),
        (head(name=None), r"heads\[0\]\.name: is missing"),
        (head(name="leads"), r"the name of a head is taken; found: leads"),
        (head(scale=2.0), r"heads\[0\]\.scale: no such field; options: name, output"),
        (head(labels=None), r"heads\[0\]\.labels: is missing"),
        (head(kind="softmax", labels=["A"]), r"heads\[0\]\.labels: not as many as this kind has.*expected: 2 or more"),
        (head(thresholds={"C": 0.5}), r"heads\[0\]\.thresholds\.C: no such field; options: A, B"),
        (head(thresholds={"A": 5}), r"heads\[0\]\.thresholds\.A: not such a number; found: 5; expected: a probability"),
        (head(output=True), r"heads\[0\]\.output: of the wrong kind; found: True"),
        ({"preprocessing": [{"name": "fft"}]}, r"preprocessing\[0\]\.name: no such choice; found: fft; options: bandp"),
        ({"preprocessing": [{"name": "notch", "parameters": {"hz": 50}}]}, r"parameters\.hz: no such field; option"),
        ({"scope": {"paced": "no"}}, r"scope\.paced: of the wrong kind; found: no; expected: true or false"),
        ({"heads": [FINDINGS, {**AGE, "name": "findings"}]}, "is given twice"),
        ({"heads": [{**AGE, "output": None} for _ in "ab"]}, "twice|is missing"),
        (head(kind="survival"), r"heads\[0\]\.labels: no such field"),
    ],
)
def test_errors_of_a_manifest_name_the_field_its_value_and_the_options(changes, sentence):
    with pytest.raises(InvalidValue, match=sentence):
        spec_of(**changes)


# --- what goes in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["samples_leads", "leads_samples"])
def test_leads_stand_in_the_order_of_the_manifest_in_its_layout(layout):
    spec = spec_of(**inputs(layout=layout))
    values, notes = prepare(levels(), spec)
    assert values.shape == spec.shape
    means = values.mean(axis=0 if layout == "samples_leads" else 1)
    np.testing.assert_allclose(means, [1.0, 0.5, -0.25], atol=1e-6)
    assert (values.dtype, notes) == (np.float32, ())


def test_rate_unit_filters_and_normalisation_are_those_of_the_manifest():
    recording = make_recording(fs=500.0, n_samples=1500)
    raw, _ = prepare(recording, spec_of(**inputs(fs=250, samples=500)))
    micro, _ = prepare(recording, spec_of(**inputs(fs=250, samples=500, unit="uV")))
    np.testing.assert_allclose(micro, 1000 * raw, rtol=1e-5)
    by_lead, _ = prepare(recording, spec_of(**inputs(fs=250, samples=500, normalise="lead")))
    np.testing.assert_allclose(by_lead.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(by_lead.std(axis=1), 1, atol=1e-5)
    whole, _ = prepare(recording, spec_of(**inputs(fs=250, samples=500, normalise="array")))
    assert whole.mean() == pytest.approx(0, abs=1e-5)
    assert whole.std() == pytest.approx(1, abs=1e-5)
    assert whole.std(axis=1).std() > 0.01
    steps = [{"name": "bandpass", "parameters": {"low_hz": 0.5, "high_hz": 40.0}}]
    filtered, _ = prepare(recording, spec_of(**inputs(fs=250, samples=500), preprocessing=steps))
    assert np.abs(filtered.mean(axis=1)).max() < np.abs(raw.mean(axis=1)).max()


def test_the_first_part_without_a_gap_is_read():
    recording = with_gap(make_recording(("V1", "I", "II"), fs=100.0, n_samples=1000), lead=1, start=0.1, stop=0.3)
    values, notes = prepare(recording, spec_of())
    np.testing.assert_allclose(values, recording.signal[:, 300:500], atol=1e-6)
    assert notes == ("read: 3 to 5 s",)
    gappy = with_gap(make_recording(("V1", "I", "II"), fs=100.0, n_samples=300), lead=1, start=0.4, stop=0.6)
    assert prepare(gappy, spec_of()) == "no 2 s were recorded in all of V1, I, II"


def test_limb_leads_are_derived_and_chest_leads_are_not_invented():
    recording = make_recording(fs=100.0, n_samples=300)
    spec = spec_of(**inputs(leads=["aVF", "III", "V1"]))
    full, _ = prepare(recording, spec)
    derived, notes = prepare(recording.select(("V1", "II", "I")), spec)
    np.testing.assert_allclose(derived, full, atol=1e-5)
    assert notes[0] == "derived: aVF, III"
    assert prepare(recording.select(("V1", "II")), spec) == "it reads aVF, III, V1; missing: aVF, III"


# --- what comes out -------------------------------------------------------------------------------------------------


def answers(head: HeadSpec, values) -> dict:
    spec = SimpleNamespace(heads=(head,))
    outputs = {"out": np.array([values], np.float32)}
    return decode(spec, select_outputs(spec, outputs, "toy"), 0, "toy")


def test_softmax_names_the_most_probable_label_and_logits_become_probabilities():
    softmax = HeadSpec("sex", None, "softmax", ("female", "male"))
    plain = answers(softmax, [0.3, 0.7])["sex"]
    assert {label: found.positive for label, found in plain.items()} == {"female": False, "male": True}
    assert plain["male"].operating_point == "most probable"
    logits = answers(HeadSpec("sex", None, "softmax", ("female", "male"), logits=True), [1.0, 3.0])["sex"]
    assert logits["male"].probability == pytest.approx(1 / (1 + np.exp(-2)))
    binary = answers(HeadSpec("lvsd", None, "binary", ("LVSD",), thresholds={"LVSD": 0.2}), [0.2])["lvsd"]["LVSD"]
    assert (binary.positive, binary.threshold) == (True, pytest.approx(0.2)) or binary.probability < 0.2


@pytest.mark.parametrize(
    ("curve", "values", "expected"),
    [
        ("conditional", [0.9, 0.8, 0.5], [0.9, 0.72]),
        ("hazards", [0.1, 0.2, 0.5], [0.9, 0.72]),
        ("survival", [0.9, 0.72, 0.5], [0.9, 0.72]),
    ],
)
def test_survival_is_a_curve_and_a_risk_at_its_end(curve, values, expected):
    head = HeadSpec("free", None, "survival", curve=curve, intervals=2, interval_days=30, risk="risk")
    found = answers(head, values)
    assert isinstance(found["free"], Curve)
    assert found["free"].at == (30, 60)
    assert found["free"].values == pytest.approx(expected)
    assert found["risk"].value == pytest.approx(1 - expected[-1])


@pytest.mark.parametrize(
    ("head", "values", "sentence"),
    [
        (HeadSpec("f", None, "binary", ("A",)), [3.0], r"f: gives what is no probability; found: 3; .*logits = true"),
        (HeadSpec("f", None, "softmax", ("A", "B")), [0.3, 0.3], r"f: its probabilities do not add up to 1; found: 0"),
        (HeadSpec("f", None, "regression"), [np.nan], "f: gives no number; found: nan"),
        (HeadSpec("f", None, "survival", interval_days=1), [0.5, -1.0], "f: gives what is no probability; found: -1"),
    ],
)
def test_numbers_that_cannot_be_what_the_head_states_are_errors(head, values, sentence):
    with pytest.raises(ModelError, match=sentence):
        answers(head, values)


# --- the user's folder ----------------------------------------------------------------------------------------------


def test_a_model_is_added_in_versions_replaced_and_removed(mine):
    for version in ("9", "10"):
        add_guest("toy", mine / "toy.onnx", manifest_of(mine, version=version))
    assert load_model("toy").version == "10"
    with pytest.raises(DuplicateName, match="found: toy/10"):
        add_guest("toy", mine / "toy.onnx", manifest_of(mine, version="10"))
    add_guest("toy", mine / "toy.onnx", manifest_of(mine, version="10", title="B"), replace=True)
    assert load_model("toy").manifest["title"] == "B"
    assert [model.version for model in remove_model("toy", "10")] == ["10"]
    assert load_model("toy").version == "9"
    remove_model("toy")
    assert not list((mine / "mine").iterdir())
    with pytest.raises(UnknownName, match="you have added no such model; found: toy"):
        remove_model("toy")


@pytest.mark.parametrize("name", ["Toy", "../x", "", "a/b", "-x"])
def test_a_name_that_is_no_folder_is_refused(mine, name):
    with pytest.raises(InvalidValue, match="name: cannot be a model's"):
        add_guest(name, mine / "toy.onnx", manifest_of(mine))


def test_shipped_models_are_neither_replaced_nor_removed(mine):
    with pytest.raises(DuplicateName, match="came with Einthoven; found: rhythm"):
        add_guest("rhythm", mine / "toy.onnx", manifest_of(mine, version="99"))
    with pytest.raises(UnknownName, match="you have added no such model; found: rhythm"):
        remove_model("rhythm")


def test_a_large_file_is_compared_but_not_kept_in_memory(mine, monkeypatch):
    monkeypatch.setattr("ecg_core.artefacts.LARGE", 100)
    manifest = {"name": "big", "version": "1", "title": "t", "task": "t", "inputs": {}, "preprocessing": []}
    folder = add_model(manifest | {"labels": [], "training_data": []}, {"a.bin": b"x" * 200, "b.bin": b"y"}).path
    model = load_artefact(folder)
    assert set(model.files._small) == {"b.bin"}
    assert model.files["a.bin"] == b"x" * 200
    (folder / "a.bin").write_bytes(b"z" * 200)
    with pytest.raises(ModelError, match="not what its manifest says"):
        model.files["a.bin"]
    assert LARGE >= 1 << 20


def test_toml_holds_what_it_was_given():
    value = {
        "a": 1,
        "b": [1.5, "ä\n"],
        "none": None,
        "t": {"x.y": True, "deep": {"k": "v"}},
        "rows": [{"r": 1}, {"r": 2}],
    }
    assert tomllib.loads(to_toml(value)) == {key: item for key, item in value.items() if item is not None}


def test_a_saved_model_is_packed_the_same_each_time(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "variables").mkdir(parents=True)
        for file in ("saved_model.pb", "variables/x.index"):
            (tmp_path / name / file).write_bytes(file.encode())
    assert pack_saved_model(tmp_path / "one") == pack_saved_model(tmp_path / "two")
