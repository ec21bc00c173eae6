"""``heart12`` at work, with a tiny network of the same form."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ecg_core.artefacts import RUNNERS, load_artefact
from ecg_core.errors import InvalidValue, ModelError
from ecg_core.pacing import Pacing
from ecg_core.predictors import Context, predictors
from ecg_core.predictors.heart12 import Heart12
from ecg_core.predictors.heart12_estimates import Estimate
from ecg_core.predictors.windows import INPUTS, strips
from ecg_core.quality.reversals import Reversals, Suspicion
from ecg_core.recording import Recording, Subject
from tests.predictors.heart12_model import (
    COVERAGE,
    HEADS,
    LABELS,
    OUTPUTS,
    RARE,
    VIEWS,
    a_recording,
    context_of,
    heads_file,
    make_model,
    weights,
)

FIGURES = {"rr_cv": 0.2, "II.r_mv": 1.5, "I.r_mv": 0.7}


def sigmoid(logit: float) -> float:
    return 1 / (1 + np.exp(-logit))


def by_hand(recording: Recording, leads: tuple[str, ...] = INPUTS) -> np.ndarray:
    """Return the network's answers by plain arithmetic on its weights, averaged over the strips."""
    made = weights()
    found = []
    for _, strip in strips(recording, leads, recording.leads, 2.5):
        padded = np.pad(strip, ((0, 24), (0, 0))).astype(np.float64)
        maps = np.maximum(np.einsum("tks,csk->tc", padded.reshape(32, 32, 8), made["conv"]), 0)
        drive = maps @ made["attention_kernel"] + made["attention_bias"]
        attention = np.exp(drive) / np.exp(drive).sum(axis=0)
        pooled = np.concatenate([maps.mean(axis=0), (attention.T @ maps).ravel()])
        found.append(pooled @ made["kernel"] + made["bias"])
    return np.mean(found, axis=0)


def estimate(tiny: Heart12, context: Context) -> Estimate:
    (found,) = tiny.estimator.estimate([context])
    return found


@pytest.fixture
def steered(tmp_path):
    """Make a model whose answers are moved by offsets."""

    def make(**offsets: float) -> Heart12:
        named = {name.replace("__", "."): value for name, value in offsets.items()}
        return Heart12(load_artefact(make_model(tmp_path, heads_file(named))))

    return make


# --- network, trees, calibration ------------------------------------------------------------------------------------


def test_probability_is_network_and_trees_stacked_and_calibrated(tiny):
    recording = a_recording()
    net = by_hand(recording)
    found = estimate(tiny, context_of(recording, figures=FIGURES))
    np.testing.assert_allclose(found.logits, net, atol=1e-4)
    trees = {"statements.AFIB": 10 * 0.2, "superclass.NORM": 0.2 + 1.5}
    heads = heads_file()["views"]["full"]["labels"]
    for at, name in enumerate(LABELS):
        fit = heads[name]
        expected = fit["net"] * net[at] + fit["trees"] * trees.get(name, 0) + fit["offset"]
        assert found.probability[at] == pytest.approx(sigmoid(expected), abs=1e-4), name


def test_without_a_single_figure_the_network_speaks_alone(tiny):
    recording = a_recording()
    net = by_hand(recording)
    found = estimate(tiny, context_of(recording))
    at = LABELS.index("statements.AFIB")
    assert found.from_trees is None
    assert found.probability[at] == pytest.approx(sigmoid(0.9 * net[at] - 0.2), abs=1e-4)


def test_trees_for_one_lead_read_the_figures_of_that_lead(tiny):
    recording = a_recording(("I",))
    net = by_hand(recording, ("I",))
    found = estimate(tiny, context_of(recording, figures=FIGURES))
    assert found.reading.view == "I"
    at = LABELS.index("superclass.NORM")
    fit = heads_file()["views"]["I"]["labels"]["superclass.NORM"]
    expected = fit["net"] * net[at] + fit["trees"] * (0.2 + 0.7) + fit["offset"]
    assert found.probability[at] == pytest.approx(sigmoid(expected), abs=1e-4)


def test_age_has_its_interval_in_years(tiny):
    recording = a_recording()
    median, log_spread = by_hand(recording)[-2:]
    years, low, high = estimate(tiny, context_of(recording)).years
    assert years == pytest.approx(max(1.1 * (60 + 17 * median) + 0.5, 0), abs=1e-2)
    reach = 2 * 17 * 1.1 * np.exp(log_spread)
    assert high == pytest.approx(1.1 * (60 + 17 * median) + 0.5 + reach, abs=1e-2)
    assert 0 <= low <= years <= high


@pytest.mark.parametrize("fs", [60.0, 250.0, 1000.0])
def test_any_rate_is_read(tiny, fs):
    found = estimate(tiny, context_of(a_recording(fs=fs)))
    assert np.isfinite(found.probability).all()


def test_answers_to_a_long_recording_are_averaged_over_its_strips(tiny):
    recording = a_recording(duration_s=47)
    found = estimate(tiny, context_of(recording))
    assert found.n_strips == 9
    np.testing.assert_allclose(found.logits, by_hand(recording), atol=1e-4)


def test_recordings_read_together_answer_as_each_alone(tiny):
    made = [
        context_of(a_recording(duration_s=10, seed=1), figures=FIGURES),
        context_of(a_recording(("V1",))),
        context_of(a_recording(duration_s=200, seed=2)),
        context_of(a_recording(("II", "I"), seed=3, duration_s=4), figures=FIGURES),
    ]
    together = tiny.predict(made)
    for context, found in zip(made, together, strict=True):
        (alone,) = tiny.predict([context])
        assert (found.view, found.withheld, found.cautions) == (alone.view, alone.withheld, alone.cautions)
        for head in ("statements", "superclass"):
            for label, answer in found.labels(head).items():
                assert answer.probability == pytest.approx(alone.labels(head)[label].probability, abs=1e-5), label
    assert [found.view for found in together] == ["full", None, "full", "limb"]
    assert tiny.predict([]) == []


def test_a_network_that_began_early_gives_the_same_answer(tiny):
    context = context_of(a_recording(), figures=FIGURES)
    begun = tiny.begin(context.recording, context.quality)
    assert begun is not None
    early = context_of(context.recording, figures=FIGURES, begun={tiny.identity.name: begun})
    assert tiny.predict([early])[0].to_dict() == tiny.predict([context])[0].to_dict()
    (beside, _) = tiny.predict([early, context_of(a_recording(seed=4))])
    assert beside.to_dict() == tiny.predict([context])[0].to_dict()


@pytest.mark.parametrize(
    "recording",
    [
        a_recording(subject=Subject(age=12)),
        a_recording(duration_s=20),
        a_recording(duration_s=2),
        a_recording(("V5",)),
        Recording(np.full((12, 1000), np.nan), 100.0, a_recording().leads),
    ],
    ids=["a child", "several strips", "short", "no view", "empty"],
)
def test_where_nothing_or_more_is_to_be_read_no_network_begins_early(tiny, recording):
    assert tiny.begin(recording, context_of(recording).quality) is None


# --- what is said ---------------------------------------------------------------------------------------------------


def test_answer_has_every_head_of_the_model_with_thresholds(tiny):
    (found,) = tiny.predict([context_of(a_recording(), figures=FIGURES)])
    assert {*HEADS, "age"} == set(found.heads)
    assert found.out_of_scope == ()
    assert found.view == "full"
    assert found.leads == INPUTS
    assert found.cautions == ()
    for head in ("statements", "subclass", "superclass", "rhythm", "af", "normal"):
        assert set(found.labels(head)) == set(HEADS[head])
        for label, answer in found.labels(head).items():
            if f"statements.{label}" != RARE:
                assert answer.positive == (answer.probability >= answer.threshold == 0.5)
                assert answer.operating_point == "max_f1"
    assert found.labels("af")["AFIB"] == found.labels("statements")["AFIB"] == found.labels("rhythm")["AFIB"]
    assert found.labels("normal")["NORM"] == found.labels("superclass")["NORM"]
    assert found.quantity("age").unit == "years"
    json.dumps(found.to_dict(), allow_nan=False)


def test_sex_is_the_likelier_one(tiny):
    (found,) = tiny.predict([context_of(a_recording())])
    sex = found.labels("sex")
    assert sex["female"].probability + sex["male"].probability == pytest.approx(1)
    assert sex["female"].positive != sex["male"].positive


@pytest.mark.parametrize(("point", "threshold"), [("max_f1", 0.5), ("se95", 0.1), ("sp95", 0.9)])
def test_operating_point_is_chosen_by_the_caller(tiny, point, threshold):
    (found,) = tiny.predict([context_of(a_recording())], point)
    answer = found.labels("statements")["CLBBB"]
    assert (answer.threshold, answer.operating_point) == (threshold, point)
    assert answer.positive == (answer.probability >= threshold)


def test_unknown_operating_point_is_refused(tiny):
    with pytest.raises(InvalidValue, match="options: max_f1, se95, sp95"):
        tiny.predict([], "best")


def test_experimental_labels_are_never_called_and_promise_nothing(steered):
    model = steered(statements__TRIGU=30.0)
    (found,) = model.predict([context_of(a_recording())])
    for head in ("statements", "rhythm"):
        answer = found.labels(head)["TRIGU"]
        assert answer.experimental
        assert answer.probability > 0.99
        assert answer.positive is None
        assert answer.threshold is None
        assert answer.reason.startswith("experimental")
        assert "TRIGU" not in found.positives(head)
        assert "TRIGU" not in found.conformal[head].labels


@pytest.mark.parametrize(("offset", "expected"), [(30.0, "present"), (-30.0, "absent")], ids=["likely", "unlikely"])
def test_conformal_sets_state_their_coverage(steered, offset, expected):
    (found,) = steered(superclass__STTC=offset).predict([context_of(a_recording())])
    sets = found.conformal["superclass"]
    assert sets.coverage == COVERAGE
    assert sets.labels["STTC"] == expected
    assert found.quantity("age").coverage == COVERAGE


@pytest.mark.parametrize(
    "recording",
    [a_recording(duration_s=30), a_recording(duration_s=5), a_recording(INPUTS[:-1])],
    ids=["long", "short", "one lead lost"],
)
def test_coverage_is_not_promised_of_recordings_unlike_those_it_was_measured_on(tiny, recording):
    (found,) = tiny.predict([context_of(recording)])
    assert found.conformal == {}
    assert found.quantity("age").coverage is None
    assert found.quantity("age").low is not None


def test_fewer_leads_answer_with_their_own_accuracy_and_never_with_normal(tiny):
    (found,) = tiny.predict([context_of(a_recording(("I",)))])
    assert (found.view, found.leads) == ("I", ("I",))
    assert found.accuracy == heads_file()["views"]["I"]["accuracy"]
    assert found.labels("statements")["AFIB"].probability is not None
    for head in ("statements", "subclass", "superclass", "normal"):
        answer = found.labels(head)["NORM"]
        assert (answer.probability, answer.positive) == (None, None)
        assert found.withheld[f"{head}.NORM"] == answer.reason
        assert "only I can be read" in answer.reason
    assert any(caution.startswith("read from I alone") for caution in found.cautions)
    assert "NORM" not in found.conformal["superclass"].labels


def test_a_lost_lead_is_said_with_the_accuracy_of_that_loss(tiny):
    (found,) = tiny.predict([context_of(a_recording(), poor=("V3",))])
    assert found.accuracy == {"metrics": "of seven"}
    assert "read without V3, with the accuracy that was measured for that loss" in found.cautions
    assert "poor leads are left out: V3" in found.cautions
    assert found.labels("normal")["NORM"].reason.endswith("V3 cannot be read")
    (found,) = tiny.predict([context_of(a_recording(), poor=("V3", "V1"))])
    assert found.accuracy == {"metrics": "of six"}


def test_poor_leads_do_not_reach_the_network(tiny):
    noisy = a_recording()
    signal = noisy.signal.copy()
    signal[noisy.leads.index("V3")] += np.random.default_rng(0).normal(0, 5, noisy.n_samples)
    spoiled = Recording(signal, noisy.fs, noisy.leads, noisy.subject)
    read, clean = (estimate(tiny, context_of(item, poor=("V3",))) for item in (spoiled, noisy))
    np.testing.assert_array_equal(read.logits, clean.logits)
    assert not np.allclose(estimate(tiny, context_of(spoiled)).logits, clean.logits)


# --- out of scope ---------------------------------------------------------------------------------------------------


def test_nothing_is_said_of_a_child(tiny):
    (found,) = tiny.predict([context_of(a_recording(subject=Subject(age=12)))])
    assert found.heads == {}
    assert found.abstains
    assert "12 years" in found.out_of_scope[0]


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (context_of(a_recording(), verdict="poor"), "the signal is poor: too noisy"),
        (context_of(a_recording(("V5",))), "the model reads one of these sets of leads"),
        (context_of(a_recording(duration_s=2)), "2.0 s are too short; the model reads 2.5 s or more"),
        (context_of(a_recording(fs=40.0)), "40 Hz is too slow; the model reads 50 Hz or more"),
        (
            context_of(Recording(np.full((12, 1000), np.nan), 100.0, a_recording().leads)),
            "no 10 s of the recording hold 2.5 s of signal",
        ),
    ],
    ids=["poor", "no view", "short", "slow", "empty"],
)
def test_what_cannot_be_read_is_said_with_the_reason(tiny, context, reason):
    (found,) = tiny.predict([context])
    assert found.heads == {}
    assert found.out_of_scope[0].startswith(reason)


def test_paced_recordings_get_no_infarct_hypertrophy_qt_or_normal(tiny):
    pacing = Pacing(True, np.arange(1.0, 4.0), ("ventricular",) * 3, ("II",), ("spikes",))
    (found,) = tiny.predict([context_of(a_recording(), pacing=pacing)])
    withheld = {"statements.NORM", "statements.IMI", "statements.LVH", "statements.LNGQT", "subclass.NORM"}
    withheld |= {"subclass.IMI", "subclass.LVH", "superclass.NORM", "superclass.MI", "superclass.HYP", "normal.NORM"}
    assert set(found.withheld) == withheld
    assert all(found.labels(name.split(".")[0])[name.split(".")[1]].probability is None for name in withheld)
    assert found.labels("af")["AFIB"].probability is not None
    assert set(found.conformal["superclass"].labels) == {"STTC", "CD"}


def test_a_rhythm_that_the_network_takes_for_paced_counts_as_paced(steered):
    (found,) = steered(statements__PACE=30.0).predict([context_of(a_recording())])
    assert "superclass.MI" in found.withheld
    assert found.labels("rhythm")["PACE"].positive


def test_what_is_withheld_under_pacing_does_not_hang_on_the_operating_point(steered):
    recording = a_recording()
    at = LABELS.index("statements.PACE")
    doubtful = np.log(0.3 / 0.7) - by_hand(recording)[at] - 0.01 * at
    model = steered(statements__PACE=doubtful)
    for point, called in (("max_f1", False), ("se95", True)):
        (found,) = model.predict([context_of(recording)], point)
        assert found.labels("rhythm")["PACE"].positive is called
        assert found.withheld == {}


def test_reversed_electrodes_are_a_caution_and_no_normal(steered):
    reversed_ = Reversals((Suspicion("RA-LA", "arms exchanged", ("I",), 0.9, (), None),))
    model = steered(superclass__NORM=30.0)
    (found,) = model.predict([context_of(a_recording(), reversals=reversed_)])
    assert found.cautions[0].startswith("electrodes may be exchanged (arms exchanged)")
    assert set(found.withheld) == {"statements.NORM", "subclass.NORM", "superclass.NORM", "normal.NORM"}
    (sound,) = model.predict([context_of(a_recording())])
    assert sound.labels("normal")["NORM"].positive


def test_cautions_name_what_is_unlike_the_training_data(tiny):
    (slow,) = tiny.predict([context_of(a_recording(fs=60.0))])
    assert slow.cautions == ("60 Hz is slower than what the model learned from (100 Hz)",)
    (short,) = tiny.predict([context_of(a_recording(duration_s=8))])
    assert short.cautions == ("8.0 s were recorded, of the 10 s that the model reads",)
    (long,) = tiny.predict([context_of(a_recording(duration_s=60))])
    assert long.cautions == ("averaged over 11 strips of 10 s out of 60 s: a passing rhythm may be missed",)
    (derived,) = tiny.predict([context_of(a_recording(("III", "aVF")))])
    assert derived.cautions[-1] == "I, II computed from other limb leads"


def test_poor_leads_are_read_only_to_measure_the_model(tiny):
    poor = context_of(a_recording(("I",)), poor=("I",), verdict="poor")
    assert tiny.predict([poor])[0].abstains
    (found,) = tiny.estimator.estimate([poor], spare_nothing=True)
    assert found.reading.view == "I"


# --- activation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("duration_s", [4, 10, 33])
def test_contributions_of_the_moments_add_up_to_the_answer(tiny, duration_s):
    context = context_of(a_recording(duration_s=duration_s))
    outputs = ("superclass.MI", "statements.AFIB", "age.median")
    found = tiny.estimator.activation(context, outputs)
    columns = [OUTPUTS.index(name) for name in outputs]
    np.testing.assert_allclose(found.logits, estimate(tiny, context).logits[columns], atol=1e-4)
    assert found.contributions.shape == (3, len(found.start_s))
    assert found.start_s[0] == 0
    assert found.start_s[31] == pytest.approx(31 * 0.32)


def test_contributions_are_where_the_signal_is(tiny):
    quiet = a_recording()
    signal = np.zeros_like(quiet.signal)
    signal[:, 1000:1200] = quiet.signal[:, 1000:1200]
    found = tiny.estimator.activation(context_of(Recording(signal, quiet.fs, quiet.leads)), ("superclass.CD",))
    moved = np.abs(found.contributions[0]) > 1e-6
    assert moved.any()
    assert set(found.start_s[moved].tolist()) <= set(
        found.start_s[(found.start_s > 4.5) & (found.start_s < 6.2)].tolist()
    )


def test_activation_of_no_output_or_of_nothing_is_refused(tiny):
    with pytest.raises(InvalidValue, match=r"no such output; found: superclass\.XX"):
        tiny.estimator.activation(context_of(a_recording()), ("superclass.XX",))
    with pytest.raises(InvalidValue, match="cannot be read"):
        tiny.estimator.activation(context_of(a_recording(("V5",))), ("superclass.MI",))


# --- the artefact ---------------------------------------------------------------------------------------------------


def test_a_model_in_the_users_folder_is_found_and_golden_vectors_can_be_made(tmp_path, monkeypatch):
    monkeypatch.setenv("EINTHOVEN_MODELS", str(tmp_path))
    folder = make_model(tmp_path)
    found = predictors()["heart12"]
    assert found.identity.version == "9.0.0"
    artefact = load_artefact(folder)
    said = RUNNERS["heart12"](artefact, a_recording())
    assert {name: len(values) for name, values in said.items()} == {
        "logits": len(OUTPUTS),
        "probabilities": len(LABELS),
        "years": 3,
    }
    assert np.isnan(RUNNERS["heart12"](artefact, a_recording(("V5",)))["logits"]).all()


def test_a_damaged_model_answers_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("EINTHOVEN_MODELS", str(tmp_path))
    (make_model(tmp_path) / "heads.json").write_text("{}")
    (found,) = predictors()["heart12"].predict([context_of(a_recording())])
    assert "the model cannot be used" in found.out_of_scope[0]
    assert "not what its manifest says" in found.out_of_scope[0]


@pytest.mark.parametrize(
    "heads",
    [
        heads_file() | {"outputs": OUTPUTS[::-1]},
        {key: value for key, value in heads_file().items() if key != "coverage"},
        heads_file() | {"views": {"full": {"leads": VIEWS["full"]}}},
        heads_file() | {"heads": {"statements": HEADS["statements"]}},
    ],
    ids=["order", "coverage", "labels", "heads"],
)
def test_a_model_without_what_is_needed_is_refused(tmp_path, heads):
    with pytest.raises(ModelError, match=r"heads\.json: lacks what this model needs"):
        Heart12(load_artefact(make_model(tmp_path, heads)))
