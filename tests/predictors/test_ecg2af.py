"""ECG2AF as a guest: its files, its two lead orders, and its answers in physical units."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest

from ecg_core.artefacts import load_model, sha256_of
from ecg_core.errors import DuplicateName, InvalidValue, ModelError
from ecg_core.guests import ecg2af
from ecg_core.guests import keras_process as processes
from ecg_core.guests.adding import add_guest
from ecg_core.guests.ecg2af import OTHER_ORDER, ROLES, STANDARD_ORDER, Known, build_manifest, find_roles
from ecg_core.guests.store import to_toml
from ecg_core.predictors import Curve, predictors
from tests.predictors.guest_models import NAMES, WIDTH, keras_ecg2af, planted, recording_at_levels, saved_model
from tests.predictors.heart12_model import context_of

FOUR = ROLES[:4]
OUTPUTS = {NAMES[role]: np.zeros((1, WIDTH[role])) for role in ROLES}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    pytest.importorskip("keras")
    folder = tmp_path_factory.mktemp("weights")
    return SimpleNamespace(
        h5=keras_ecg2af(folder / "quadruple.h5", FOUR), keras=keras_ecg2af(folder / "quintuplet.keras", ROLES)
    )


@pytest.fixture(scope="module", autouse=True)
def _no_process_stays():
    yield
    processes.keras_process().close()


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.setenv("EINTHOVEN_MODELS", str(tmp_path / "mine"))
    return tmp_path


def answer(recording=None, **changes):
    return predictors()["ecg2af"].predict([context_of(recording or recording_at_levels(), **changes)])[0]


def expected(order):
    survival = np.cumprod(planted(order, "af_survival")[:25])
    return survival, planted(order, "sex"), planted(order, "af_in_read")[1]


# --- the 2021 file: four heads --------------------------------------------------------------------------------------


def test_four_heads_of_the_known_file_come_out_in_physical_units(files, mine, monkeypatch):
    monkeypatch.setitem(ecg2af.KNOWN, sha256_of(files.h5), Known("2021", files.h5.stat().st_size, True))
    added = add_guest("ecg2af", files.h5)
    assert (added.recognised, added.folder.version) == (True, "2021")
    survival, sex, present = expected(STANDARD_ORDER)
    found = answer()
    assert found.out_of_scope == ()
    assert found.quantity("af_risk_5y").value == pytest.approx(1 - survival[24], abs=1e-5)
    curve = found.heads["af_survival"]
    assert isinstance(curve, Curve)
    assert (len(curve.at), curve.at[0], curve.at[-1], curve.at_unit) == (25, 73, 1825, "days")
    assert curve.values == pytest.approx(survival.tolist(), abs=1e-5)
    assert found.labels("sex")["female"].probability == pytest.approx(sex[0], abs=1e-5)
    assert found.labels("sex")["male"].probability == pytest.approx(sex[1], abs=1e-5)
    assert found.labels("sex")["male"].positive == (sex[1] > sex[0])
    assert found.labels("af_in_read")["yes"].probability == pytest.approx(present, abs=1e-5)
    years = found.quantity("age")
    assert years.value == pytest.approx(7.554638 * planted(STANDARD_ORDER, "age")[0] + 63.357989, abs=1e-3)
    assert years.unit == "years"
    assert not any("unknown origin" in caution for caution in found.cautions)
    with pytest.raises(DuplicateName, match="there is such a model already; found: ecg2af/2021"):
        add_guest("ecg2af", files.h5)


def test_the_other_public_order_is_taken_only_where_a_manifest_lists_it(files, mine):
    manifest = mine / "order.toml"
    manifest.write_text(f"inputs = {{ leads = {list(OTHER_ORDER)} }}\n".replace("'", '"'))
    add_guest("ecg2af", files.h5, manifest)
    survival, sex, _ = expected(OTHER_ORDER)
    found = answer()
    assert found.leads == OTHER_ORDER
    assert found.quantity("af_risk_5y").value == pytest.approx(1 - survival[24], abs=1e-5)
    assert found.labels("sex")["male"].probability == pytest.approx(sex[1], abs=1e-5)
    assert abs(expected(STANDARD_ORDER)[0][24] - survival[24]) > 0.1


# --- the 2024 file: five heads --------------------------------------------------------------------------------------


def test_five_heads_of_an_unknown_file_come_out_with_its_origin_and_without_an_age(files, mine):
    added = add_guest("ecg2af", files.keras)
    assert added.recognised is False
    model = load_model("ecg2af")
    assert (model.manifest["recognised"], model.manifest["files"]["model.keras"]) == (False, sha256_of(files.keras))
    found = answer()
    assert found.quantity("af_risk_5y").value == pytest.approx(1 - expected(STANDARD_ORDER)[0][24], abs=1e-5)
    assert "age" not in found.heads
    assert "not published" in found.withheld["age"]
    assert any("unknown origin" in caution for caution in found.cautions)
    death = np.cumprod(planted(STANDARD_ORDER, "death_survival")[:25])
    assert found.quantity("death_risk_10y").value == pytest.approx(1 - death[24], abs=1e-5)
    assert found.heads["death_survival"].at[-1] == 3650


def test_a_manifest_can_state_how_the_age_becomes_years(files, mine):
    manifest = mine / "age.toml"
    manifest.write_text("version = '2'\nage = { scale = 10, offset = 50 }\n")
    add_guest("ecg2af", files.keras, manifest)
    assert answer().quantity("age").value == pytest.approx(10 * planted(STANDARD_ORDER, "age")[0] + 50, abs=1e-3)


# --- a SavedModel, in the same process --------------------------------------------------------------------------------


def test_a_saved_model_is_kept_as_one_file_and_answers(files, mine):
    manifest = mine / "saved.toml"
    sex = {"name": "sex", "output": "sex", "kind": "softmax", "labels": ["female", "male"]}
    inputs = {"leads": list(STANDARD_ORDER), "fs": 500, "samples": 5000, "normalise": "array"}
    manifest.write_text(to_toml({"inputs": inputs, "heads": [sex]}))
    added = add_guest("saved", saved_model(mine / "saved"), manifest)
    assert sorted(path.name for path in added.folder.path.iterdir()) == ["manifest.toml", "model.zip"]
    found = predictors()["saved"].predict([context_of(recording_at_levels())])[0]
    expected_male = planted(STANDARD_ORDER, "sex")[1]
    assert found.labels("sex")["male"].probability == pytest.approx(expected_male, abs=1e-5)


# --- what it declines -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: r.select(r.leads[6:]), r"it reads I, II, III, .*; missing: V1, V2, V3, V4, V5, V6"),
        (lambda r: type(r)(r.signal[:, :4000], r.fs, r.leads), r"it reads 10 s; 8 s were recorded"),
        (lambda _: recording_at_levels(age=17), r"people of 18 years and over; stated: 17"),
    ],
)
def test_what_it_cannot_read_it_declines_without_asking_it(files, mine, monkeypatch, change, reason):
    add_guest("ecg2af", files.keras)
    monkeypatch.setattr(processes.KerasProcess, "run", lambda *_: pytest.fail("asked"))
    found = answer(change(recording_at_levels()))
    assert found.abstains
    assert re.search(reason, found.out_of_scope[0]), found.out_of_scope


def test_leads_without_a_signal_and_paced_rhythms_are_declined(files, mine):
    add_guest("ecg2af", files.keras)
    assert "poor in V3" in answer(poor=("V3",)).out_of_scope[0]
    paced = SimpleNamespace(paced=True, reason=None)
    assert "pacemaker" in answer(pacing=paced).out_of_scope[0]


def test_limb_leads_follow_from_two_of_them_and_longer_recordings_are_cut(files, mine):
    add_guest("ecg2af", files.keras)
    whole = recording_at_levels()
    kept = tuple(lead for lead in whole.leads if lead not in ("III", "aVR", "aVL", "aVF"))
    longer = np.concatenate([whole.select(kept).signal, whole.select(kept).signal[:, :1000]], axis=1).copy()
    longer[0, :100] = np.nan
    found = answer(type(whole)(longer, whole.fs, kept))
    assert not found.abstains
    assert "derived: III, aVR, aVL, aVF" in found.cautions
    assert "read: 0.2 to 10.2 s" in found.cautions


def test_where_it_sees_af_it_states_no_risk(files, mine, monkeypatch):
    add_guest("ecg2af", files.keras)
    shown = recording_at_levels()
    turned = type(shown)(-shown.signal, shown.fs, shown.leads)
    found = answer(turned)
    assert found.labels("af_in_read")["yes"].positive
    assert found.quantity("af_risk_5y") is None
    assert "AF in this very tracing" in found.withheld["af_risk_5y"]


# --- manifests and roles --------------------------------------------------------------------------------------------


def test_outputs_that_cannot_be_told_apart_are_asked_for():
    nameless = {f"dense_{at}": np.zeros((1, WIDTH[role])) for at, role in enumerate(FOUR)}
    with pytest.raises(
        ModelError, match=r"which output is sex, af_in_read cannot be told.*dense_0 \(50\), dense_1 \(2\)"
    ) as raised:
        find_roles(nameless, {}, "m.toml")
    assert "[outputs] in a manifest" in str(raised.value)
    stated = {role: f"dense_{at}" for at, role in enumerate(FOUR)}
    assert find_roles(nameless, stated, "m.toml") == stated
    assert find_roles(nameless, {role: at for at, role in enumerate(FOUR)}, "m.toml") == stated
    assert find_roles(nameless, {"sex": "dense_1"}, "m.toml") == stated


def test_roles_are_told_by_words_whatever_the_order():
    for names in (list(OUTPUTS), list(reversed(OUTPUTS))):
        assert find_roles({name: OUTPUTS[name] for name in names}, {}, "m") == NAMES


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"input": {}}, r"m\.toml: input: no such field; options: title, version, inputs"),
        ({"inputs": {"fs": 250}}, r"inputs\.fs: follows from the model"),
        (
            {"inputs": {"leads": ["I", "II"]}},
            r"inputs\.leads: not the twelve leads; found: I, II; options: I, II, III, aVR",
        ),
        ({"age": {"mean": 1}}, r"age\.mean: no such field; options: scale, offset"),
        ({"outputs": {"gender": 1}}, r"outputs\.gender: no such head; options: af_survival, sex"),
    ],
)
def test_a_manifest_that_is_not_right_is_refused(options, sentence):
    with pytest.raises(InvalidValue, match=sentence):
        build_manifest("0" * 64, OUTPUTS, options, "m.toml")


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ({"sex": NAMES["age"]}, "of another width; found: 1; expected: 2"),
        ({"sex": "x"}, "has no such output; found: x"),
    ],
)
def test_outputs_that_cannot_be_that_head_are_refused(stated, sentence):
    with pytest.raises(ModelError, match=sentence):
        build_manifest("0" * 64, OUTPUTS, {"outputs": stated}, "m.toml")


def test_the_published_files_are_known():
    assert {known.version: known.size for known in ecg2af.KNOWN.values()} == {"2021": 220_080_440, "2024": 43_797_442}
    assert all(len(name) == 64 for name in ecg2af.KNOWN)
