"""`explain`: every method with a tiny network, what is refused, and which label is worth explaining."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ecg_core.artefacts import load_artefact
from ecg_core.errors import InvalidValue
from ecg_core.explain import METHODS, explain, explain_recording, explainable, most_notable, network
from ecg_core.explain.figure_words import figure_words, unit_of
from ecg_core.leads import INDEPENDENT_8
from ecg_core.pacing import Pacing
from ecg_core.predictors.chain import examine
from ecg_core.predictors.figures import FULL
from ecg_core.predictors.heart12 import Heart12
from ecg_core.predictors.tabular import AGE, SEX
from ecg_core.predictors.value import Identity, LabelAnswer, Prediction
from ecg_core.recording import Subject
from ecg_core.synthesis import bundled_cases
from ecg_core.waves import Waves
from tests.predictors.heart12_model import HEADS, LABELS, RARE, a_recording, context_of, heads_file, make_model

ADDING = ("gradients", "activation", "shap")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return a folder of models that holds the tiny one."""
    root = tmp_path_factory.mktemp("models")
    make_model(root)
    return root


@pytest.fixture(scope="module")
def tiny(models):
    return Heart12(load_artefact(models / "heart12/9.0.0"))


@pytest.fixture(scope="module")
def normal():
    """Return a normal ECG of 10 s, examined."""
    return case("normal")


@pytest.fixture
def installed(models, monkeypatch):
    monkeypatch.setenv("EINTHOVEN_MODELS", str(models))


def parts_of(found):
    """Return what the parts of an explanation add up to."""
    if found.method == "shap":
        return sum(segment.value for segment in found.segments)
    leads = found.heat.leads.values()
    return float(next(iter(leads)).sum()) if found.method == "activation" else sum(float(v.sum()) for v in leads)


def stated(context, **subject):
    return replace(context, recording=replace(context.recording, subject=Subject(**subject)))


def case(name, **changes):
    return examine(bundled_cases()[name].synthesize(fs=250.0, **changes).recording)


# --- every method ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["superclass.MI", "af.AFIB", "sex.male", "age.years"])
@pytest.mark.parametrize("method", ADDING)
def test_the_parts_add_up_to_the_answer(tiny, normal, method, label):
    found = network.explain(tiny, normal, label, method)
    assert found.adds_up
    total = found.base + parts_of(found) + found.trees + found.residual
    assert total == pytest.approx(found.answer, abs=1e-3)
    assert abs(found.residual) < (0.05 * max(1.0, abs(parts_of(found))) if method == "gradients" else 1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_the_answer_is_the_calibrated_one(tiny, normal, method):
    (said,) = tiny.predict([normal])
    found = network.explain(tiny, normal, "superclass.MI", method)
    assert found.probability == pytest.approx(said.labels("superclass")["MI"].probability)
    assert found.answer == pytest.approx(np.log(found.probability / (1 - found.probability)))
    years = network.explain(tiny, normal, "age.years", method)
    assert (years.unit, years.probability) == ("years", None)
    assert years.answer == pytest.approx(said.quantity("age").value)
    assert (found.title, years.title) == ("Infarct pattern", "Age")


def test_all_methods_begin_at_the_answer_to_straight_lines(tiny, normal):
    bases = [network.explain(tiny, normal, "superclass.CD", method).base for method in METHODS]
    assert bases == [bases[0]] * len(METHODS)
    flat = replace(normal, recording=replace(normal.recording, signal=np.zeros_like(normal.recording.signal)))
    (estimate,) = tiny.estimator.estimate([flat])
    terms = tiny.estimator.views["full"].terms(LABELS.index("superclass.CD"), None)
    assert bases[0] == pytest.approx(terms.slope * estimate.logits[LABELS.index("superclass.CD")] + terms.offset)


def test_one_sex_is_the_other_turned_round(tiny, normal):
    female, male = (network.explain(tiny, normal, f"sex.{sex}", "shap") for sex in ("female", "male"))
    assert male.answer == pytest.approx(-female.answer)
    assert male.probability == pytest.approx(1 - female.probability)
    of_female = {(s.lead, s.wave): s.value for s in female.segments}
    assert {(s.lead, s.wave): -s.value for s in male.segments} == pytest.approx(of_female)


def test_what_trees_add_is_told_apart(tiny, normal):
    context = replace(normal)
    vars(context)["figures"] = {"rr_cv": 0.2, "II.r_mv": 1.5}
    found = network.explain(tiny, context, "af.AFIB", "activation")
    assert found.trees == pytest.approx(0.5 * 10 * 0.2)
    assert any("boosted trees on measured figures add +1.0 log odds" in caution for caution in found.cautions)
    assert network.explain(tiny, context, "superclass.MI", "activation").trees == 0


@pytest.mark.parametrize("slope", [-0.7, 0.0])
def test_a_slope_below_or_at_zero_turns_or_silences_the_network(tmp_path, normal, slope):
    heads = heads_file()
    for view in heads["views"].values():
        view["labels"]["superclass.MI"]["net"] = slope
    turned = Heart12(load_artefact(make_model(tmp_path, heads)))
    for method in ADDING:
        found = network.explain(turned, normal, "superclass.MI", method)
        assert found.base + parts_of(found) + found.trees + found.residual == pytest.approx(found.answer, abs=1e-3)
        assert (parts_of(found) == 0) == (slope == 0)


def test_segments_are_the_waves_of_the_leads_that_were_read_the_largest_first(tiny, normal):
    found = network.explain(tiny, normal, "superclass.MI", "shap")
    assert {segment.lead for segment in found.segments} == set(INDEPENDENT_8)
    sizes = [abs(segment.value) for segment in found.segments]
    assert sizes == sorted(sizes, reverse=True)
    shares = [segment.share for segment in found.segments if segment.value > 0]
    assert sum(shares) == pytest.approx(1)
    assert all(segment.share is None for segment in found.segments if segment.value <= 0)
    assert all(segment.error >= 0 for segment in found.segments)


def test_gradients_of_a_wave_are_the_sum_of_its_cells(tiny, normal):
    found = network.explain(tiny, normal, "superclass.MI", "gradients")
    for lead, heat in found.heat.leads.items():
        assert sum(s.value for s in found.segments if s.lead == lead) == pytest.approx(float(heat.sum()), abs=1e-6)
    assert (len(found.heat.leads["I"]), found.heat.step_s) == (250, 0.04)


def test_occlusion_tells_the_probability_without_and_with_the_usual_wave(tiny, normal):
    found = network.explain(tiny, normal, "superclass.MI", "occlusion")
    kinds = {(segment.lead is None, segment.wave is None) for segment in found.segments}
    assert kinds == {(True, False), (False, True), (False, False)}
    for segment in found.segments:
        lost = found.answer - np.log(segment.without / (1 - segment.without))
        assert segment.value == pytest.approx(lost, abs=1e-6)
        assert (segment.usual is None) == (segment.wave in (None, "rest"))
        assert segment.share is None
    assert not found.adds_up


def test_leads_that_were_not_read_have_no_heat(tiny):
    context = examine(bundled_cases()["normal"].synthesize(fs=250.0).recording.select(("I", "II")))
    for method in METHODS:
        found = network.explain(tiny, context, "superclass.MI", method)
        assert found.leads == ("I", "II")
        assert set(found.heat.leads) == {"I", "II"}
        assert {segment.lead for segment in found.segments} <= {None, "I", "II"}


def test_explanations_are_json_and_the_same_each_time(tiny, normal):
    for method in METHODS:
        found = network.explain(tiny, normal, "superclass.MI", method).to_dict()
        assert json.loads(json.dumps(found, allow_nan=False)) == found
        assert network.explain(tiny, normal, "superclass.MI", method).to_dict() == found


def test_an_early_beat_is_told_by_what_the_usual_wave_would_do(monkeypatch, tiny, normal):
    monkeypatch.setattr(network, "_CHANGES", 0.0)
    found = network.explain(tiny, normal, "superclass.MI", "occlusion")
    assert "of every beat as in the usual beat it is" in found.sentence


@pytest.mark.parametrize(
    ("name", "label", "place"),
    [
        ("left_bundle_branch_block", "CLBBB", "QRS complex"),
        ("left_ventricular_hypertrophy", "HYP", "QRS complex"),
        ("normal", "NORM", "T wave"),
    ],
)
def test_the_shipped_model_names_the_wave_that_the_demo_case_is_about(name, label, place):
    context = case(name)
    for method in ("gradients", "occlusion"):
        found = explain(context, label, method)
        assert found.probability > 0.9
        assert place in found.sentence


# --- which part of the recording ------------------------------------------------------------------------------------


def test_of_a_long_recording_the_strip_that_speaks_most_is_explained(tiny):
    context = case("normal", duration_s=31.0)
    found = network.explain(tiny, context, "superclass.MI", "gradients")
    assert found.end_s - found.start_s == pytest.approx(10)
    assert found.heat.start_s == found.start_s
    assert any("of 6 strips the one that speaks most for it" in caution for caution in found.cautions)
    assert found.answer > network.explain(tiny, context, "superclass.MI", "activation").answer
    assert found.base + parts_of(found) + found.trees + found.residual == pytest.approx(found.answer, abs=1e-3)


def test_activation_covers_all_of_a_long_recording(tiny):
    found = network.explain(tiny, case("normal", duration_s=31.0), "superclass.MI", "activation")
    assert (found.start_s, found.end_s, found.heat.start_s) == (0.0, 31.0, 0.0)
    assert len(found.heat.leads["I"]) == int(np.ceil(31 / 0.32))
    assert found.base + parts_of(found) + found.trees + found.residual == pytest.approx(found.answer, abs=1e-3)


def test_heat_ends_with_a_short_recording(tiny):
    context = case("normal", duration_s=6.0)
    for method in METHODS:
        found = network.explain(tiny, context, "superclass.MI", method)
        ends_s = found.heat.step_s * len(found.heat.leads["I"])
        assert 6.0 <= ends_s < 6.0 + found.heat.step_s
        assert found.end_s == 6.0


# --- what is refused ------------------------------------------------------------------------------------------------


def refusal(model, context, label="superclass.MI", method="activation"):
    with pytest.raises(InvalidValue) as caught:
        network.explain(model, context, label, method)
    assert caught.value.field == "recording"
    return caught.value.found


def test_what_the_model_does_not_say_is_not_explained(tiny, normal):
    assert "9 years old" in refusal(tiny, stated(normal, age=9))
    spikes = np.ones(1)
    paced = replace(normal, pacing=Pacing(True, spikes, (), (), ("ventricular",)))
    assert "paced" in refusal(tiny, paced)
    assert "can be read" in refusal(tiny, context_of(a_recording(("I",), fs=100.0)), "superclass.NORM")
    assert "one of these sets of leads" in refusal(tiny, context_of(a_recording(("V5",))))


def test_a_rare_label_is_explained_with_the_caution_that_it_is(tiny, normal):
    found = network.explain(tiny, normal, RARE, "activation")
    assert any(caution.startswith("experimental") for caution in found.cautions)


def test_without_marked_waves_time_and_leads_are_told_and_waves_are_not(tiny, normal):
    bare = replace(normal, waves=Waves((), reason="too noisy for it"))
    found = network.explain(tiny, bare, "superclass.MI", "gradients")
    assert found.segments == ()
    assert parts_of(found) + found.residual == pytest.approx(found.answer - found.base - found.trees)
    assert "wave of" not in found.sentence
    assert network.explain(tiny, bare, "superclass.MI", "activation").heat is not None
    for method in ("occlusion", "shap"):
        assert refusal(tiny, bare, method=method) == "too noisy for it"


def test_of_a_rhythm_it_is_said_that_waves_alone_do_not_show_it(tiny, normal):
    found = network.explain(tiny, normal, "rhythm.AFIB", "occlusion")
    assert any("a rhythm lies in when the waves come" in caution for caution in found.cautions)


# --- asking ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("installed")
def test_a_label_alone_is_that_of_the_first_head_superclasses_first(normal):
    for asked, meant in (("MI", "superclass.MI"), ("NORM", "superclass.NORM"), ("AFIB", "statements.AFIB")):
        assert explain(normal, asked, "activation").label == meant
    assert explain(normal, "age", "activation").label == "age.years"
    assert explain(normal, "rhythm.AFIB", "activation").label == "rhythm.AFIB"


@pytest.mark.usefixtures("installed")
def test_every_label_of_every_head_can_be_explained(normal):
    found = explainable()
    assert set(found) == {f"{head}.{label}" for head, labels in HEADS.items() for label in labels} | {
        "sex.male",
        "age.years",
    }
    assert next(iter(found)).startswith("superclass.")
    for label, methods in found.items():
        assert methods == METHODS
        assert explain(normal, label, "activation").label == label


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"label": "XX"}, "label"),
        ({"label": "superclass"}, "label"),
        ({"method": "guess"}, "method"),
        ({"model": "nobody"}, "model"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_options(normal, asked, field):
    for ask in (lambda **how: explain(normal, **how), lambda **how: explain_recording(normal.recording, **how)):
        with pytest.raises(InvalidValue) as caught:
            ask(**{"label": "MI", **asked})
        assert caught.value.field == field
        assert caught.value.options


@pytest.mark.usefixtures("installed")
def test_a_recording_is_examined_first(normal):
    found = explain_recording(normal.recording, "MI", "gradients")
    assert found.to_dict() == explain(normal, "MI", "gradients").to_dict()


def test_a_model_that_cannot_be_used_says_why(tmp_path, normal, monkeypatch):
    monkeypatch.setenv("EINTHOVEN_MODELS", str(tmp_path))
    (make_model(tmp_path) / "heads.json").write_text("{}")
    with pytest.raises(InvalidValue, match="heart12: the model cannot be used") as caught:
        explain(normal, "MI", "activation")
    assert caught.value.field == "model"


# --- trees on figures -----------------------------------------------------------------------------------------------


def test_figures_of_trees_add_up_and_are_told_in_words(normal):
    assert explainable("tabular")["superclass.MI"] == ("shap",)
    found = explain(normal, "MI", "shap", "tabular")
    assert found.base + sum(figure.added for figure in found.figures) == pytest.approx(found.answer)
    assert found.probability == pytest.approx(1 / (1 + np.exp(-found.answer)))
    assert (found.heat, found.segments, found.trees) == (None, (), 0.0)
    assert found.sentence.startswith("What speaks most ")
    assert found.sentence.count("(") >= 1
    with pytest.raises(InvalidValue) as caught:
        explain(normal, "MI", "gradients", "tabular")
    assert (caught.value.field, caught.value.options) == ("method", ("shap",))


def test_trees_too_say_nothing_of_children(normal):
    with pytest.raises(InvalidValue, match="9 years old") as caught:
        explain(stated(normal, age=9), "MI", "shap", "tabular")
    assert caught.value.field == "recording"


def test_every_figure_has_words():
    for name in (*FULL, AGE, SEX):
        assert figure_words(name) != name
    assert len({figure_words(name) for name in (*FULL, AGE, SEX)}) == len(FULL) + 2
    assert (figure_words("V2.st_j_mv"), unit_of("V2.st_j_mv")) == ("ST level at J in V2", "mV")
    assert (unit_of("qrs_ms"), unit_of("cornell_product_mvms"), unit_of("rr_cv")) == ("ms", "mV ms", None)


# --- what is worth explaining ---------------------------------------------------------------------------------------


def analysis(superclass, rhythm=None):
    """Return an analysis of which only the answers of the network are known: probability, called."""
    heads = {
        head: {label: LabelAnswer(p, 0.5, positive) for label, (p, positive) in answers.items()}
        for head, answers in {"superclass": superclass, "rhythm": rhythm or {}}.items()
    }
    return {"predictions": {"heart12": Prediction(Identity("heart12", "1", ""), heads).to_dict()}}


@pytest.mark.parametrize(
    ("superclass", "rhythm", "label"),
    [
        ({"NORM": (0.6, True), "MI": (0.5, True), "CD": (0.7, True)}, {"AFIB": (0.9, True)}, "superclass.CD"),
        ({"NORM": (0.9, True), "MI": (0.4, False)}, {"AFIB": (0.9, True), "SR": (0.1, False)}, "rhythm.AFIB"),
        ({"NORM": (0.9, True), "MI": (0.4, False)}, {"SBRAD": (0.9, True)}, "superclass.NORM"),
        ({"NORM": (0.2, False), "MI": (None, None)}, {"SR": (0.9, True)}, None),
    ],
)
def test_the_most_notable_label(superclass, rhythm, label):
    assert most_notable(analysis(superclass, rhythm)) == label


def test_where_the_network_said_nothing_nothing_is_notable():
    assert most_notable({"predictions": {}}) is None
    nothing = Prediction(Identity("heart12", "1", ""), out_of_scope=("a child",)).to_dict()
    assert most_notable({"predictions": {"heart12": nothing}}) is None


def test_of_a_poor_signal_nothing_is_most_notable():
    called = analysis({"MI": (0.9, True)}, {})
    assert most_notable(called) is not None
    assert most_notable({**called, "quality": {"verdict": "poor"}}) is None
