"""Why the models say what a kept analysis says, over HTTP."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from math import fsum
from threading import Barrier, Thread

import pytest

from api import tables
from api.errors import Refusal
from api.schemas import Explainable, ExplanationAnswer
from api.services import explaining
from api.services.explaining import MOST, MOST_OF_ONE, Explaining
from ecg_core.recording import Subject
from ecg_core.synthesis import bundled_cases, synthesize
from tests.api.test_errors import problem_of
from tests.service import as_upload, as_user, files_of, running_app, runtime_of


@pytest.fixture(scope="module")
def ada(anonymous):
    return as_user(anonymous, "ada who explains")


def kept(client, recording, **fields: object) -> str:
    """Keep and analyse a recording; return the id of its analysis."""
    answer = client.post("/predict", files=as_upload(files_of(recording)), data={"parts": "summary", **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()["stored"]["analysis_id"]


@pytest.fixture(scope="module")
def infarction(ada) -> str:
    return kept(ada, bundled_cases()["inferior_infarction"].synthesize().recording)


def explain(client, analysis_id: str, **query: str):
    return client.get(f"/analyses/{analysis_id}/explanations", params=query)


def explained(client, analysis_id: str, **query: str) -> ExplanationAnswer:
    answer = explain(client, analysis_id, **query)
    assert answer.status_code == 200, answer.text
    return ExplanationAnswer.model_validate(answer.json())


def adds_up(found: ExplanationAnswer) -> bool:
    parts = [item.value for item in found.segments] + [item.added for item in found.figures]
    if not parts:
        parts = [fsum(next(iter(found.heat.leads.values())))]
    total = fsum([found.base, found.trees, found.residual, *parts])
    return total == pytest.approx(found.answer, abs=0.02)


@pytest.mark.parametrize("method", ["gradients", "activation", "occlusion", "shap"])
def test_a_statement_is_explained_by_each_method(ada, infarction, method):
    found = explained(ada, infarction, label="MI", method=method)
    assert (found.label, found.method, found.analysis_id) == ("superclass.MI", method, infarction)
    assert found.sentence
    assert set(found.leads) == {"I", "II", "V1", "V2", "V3", "V4", "V5", "V6"}
    assert found.heat is None or set(found.heat.leads) <= set(found.leads)
    assert found.heat or found.segments
    assert found.adds_up == (method != "occlusion")
    assert not found.adds_up or adds_up(found)
    said = ada.get(f"/analyses/{infarction}").json()["predictions"]["heart12"]["superclass"]["MI"]
    assert found.probability == pytest.approx(said["probability"], abs=1e-3)


def test_without_a_label_it_is_what_is_called_and_most_worth_explaining(ada, infarction):
    assert explained(ada, infarction, method="activation").label == "superclass.MI"


def test_the_model_of_figures_names_them(ada, infarction):
    found = explained(ada, infarction, label="MI", model="tabular")
    assert (found.method, found.heat, found.segments) == ("shap", None, [])
    assert {"stated age": "years"}.items() <= {item.name: item.unit for item in found.figures}.items()
    assert adds_up(found)


def test_the_same_again_is_given_from_what_is_at_hand(ada, infarction, monkeypatch):
    first = explain(ada, infarction, label="superclass.CD", method="activation")
    monkeypatch.setattr("api.services.explanations.explain_recording", None)
    assert explain(ada, infarction, label="superclass.CD", method="activation").content == first.content


def test_what_can_be_explained_is_listed_with_what_is_called_first(ada, infarction):
    answer = ada.get(f"/analyses/{infarction}/explainable")
    assert answer.status_code == 200, answer.text
    found = Explainable.model_validate(answer.json())
    assert found.label == "superclass.MI"
    assert list(found.methods) == ["shap", "occlusion", "gradients", "activation"]
    models = {model.name: model for model in found.models}
    assert set(models) == {"heart12", "tabular"}
    calls = [item.positive for item in models["heart12"].labels]
    assert calls[0]
    assert calls == sorted(calls, key=lambda call: not call)
    assert {item.label: item.title for item in models["heart12"].labels}["age.years"] == "Age"
    assert all(item.methods == ["shap"] for item in models["tabular"].labels)


@pytest.mark.parametrize(
    ("query", "field", "option"),
    [
        ({"label": "XYZ"}, "label", "superclass.MI"),
        ({"label": "MI", "method": "crystal ball"}, "method", "occlusion"),
        ({"label": "MI", "model": "waves"}, "model", "tabular"),
        ({"label": "MI", "model": "tabular", "method": "gradients"}, "method", "shap"),
        ({"label": "LOWT", "model": "tabular"}, "label", "superclass.MI"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(ada, infarction, query, field, option):
    problem = problem_of(explain(ada, infarction, **query))
    assert (problem.status, problem.code, problem.field) == (422, "invalid_value", field)
    assert option in problem.options


def test_what_the_model_withholds_cannot_be_explained(ada):
    paced = kept(ada, bundled_cases()["paced"].synthesize().recording)
    problem = problem_of(explain(ada, paced, label="MI"))
    assert (problem.status, problem.code, problem.field) == (409, "withheld", "label")
    assert "paced" in problem.detail
    listed = Explainable.model_validate(ada.get(f"/analyses/{paced}/explainable").json())
    network = next(model for model in listed.models if model.name == "heart12")
    assert "paced" in network.withheld["superclass.MI"]
    assert "superclass.MI" not in {item.label for item in network.labels}


def test_a_child_is_not_explained_where_the_model_says_nothing_of_children(ada):
    child = kept(ada, replace(synthesize(seed=4).recording, subject=Subject(age=9)))
    for query in ({}, {"label": "MI"}):
        problem = problem_of(explain(ada, child, **query))
        assert (problem.status, problem.code) == (409, "withheld")
        assert "18" in problem.detail
    listed = Explainable.model_validate(ada.get(f"/analyses/{child}/explainable").json())
    assert all(model.reason and not model.labels for model in listed.models)


def test_one_lead_is_explained_on_that_lead_once_a_label_is_named(ada):
    lone = kept(ada, synthesize(seed=6).recording.select(("I",)))
    problem = problem_of(explain(ada, lone))
    assert (problem.status, problem.code, problem.field) == (422, "invalid_value", "label")
    assert "statements.AFIB" in problem.options
    found = explained(ada, lone, label="AFIB", method="activation")
    assert found.leads == ["I"]
    assert list(found.heat.leads) == ["I"]
    assert problem_of(explain(ada, lone, label="MI", model="tabular")).code == "withheld"


def test_the_person_is_as_the_analysis_knew_them(ada):
    recording = replace(synthesize(seed=8).recording, subject=Subject(age=50))
    analysis = kept(ada, recording)
    recording_id = ada.get(f"/analyses/{analysis}").json()["recording_id"]
    assert ada.patch(f"/recordings/{recording_id}", json={"subject": {"age": 9}}).status_code == 200
    assert explained(ada, analysis, method="activation").label == "superclass.NORM"


def test_another_model_than_that_of_the_analysis_is_said_to_be_another(ada):
    analysis = kept(ada, synthesize(seed=9).recording)
    with runtime_of(ada).database.write() as session:
        row = session.get(tables.Analysis, analysis)
        said = {**row.result["predictions"]["heart12"], "sha256": "0" * 64, "version": "0.9.0"}
        row.result = {**row.result, "predictions": {"heart12": said}}
    cautions = explained(ada, analysis, method="activation").cautions
    assert any("made with heart12 0.9.0" in text for text in cautions)
    cautions = explained(ada, analysis, label="NORM", model="tabular").cautions
    assert "the analysis did not ask tabular: this is what it would say" in cautions


def test_others_are_told_that_there_is_no_such_analysis(anonymous, infarction):
    eve = as_user(anonymous, "eve who would like to know")
    for path in ("explanations?label=MI", "explainable"):
        problem = problem_of(eve.get(f"/analyses/{infarction}/{path}"))
        assert (problem.status, problem.code) == (404, "not_found")


def test_what_is_at_hand_of_a_deleted_recording_is_forgotten(ada):
    analysis = kept(ada, synthesize(seed=11).recording)
    explained(ada, analysis, label="NORM", method="activation")
    runtime = runtime_of(ada)
    before = len(runtime.explaining.at_hand())
    recording_id = ada.get(f"/analyses/{analysis}").json()["recording_id"]
    assert ada.delete(f"/recordings/{recording_id}").status_code == 204
    assert len(runtime.explaining.at_hand()) == before - 1
    assert explain(ada, analysis, label="NORM", method="activation").status_code == 404


def test_what_was_forgotten_while_it_was_made_is_not_kept():
    place = Explaining()

    def make(_: None) -> bytes:
        place.forget("print")
        return b"made"

    assert place.answer("key", "print", "ada", lambda: None, make) == b"made"
    assert place.at_hand() == []


def test_the_longest_unused_go_first(monkeypatch):
    monkeypatch.setattr(explaining, "_AT_HAND", 2)
    place = Explaining()
    for key in ("a", "b", "a", "c"):
        place.answer(key, key, "ada", lambda: None, lambda _: b"made")
    assert sorted(place.at_hand()) == ["a", "c"]


@pytest.mark.parametrize(("accounts", "status", "code"), [(1, 429, "too_many_requests"), (MOST, 503, "busy")])
def test_no_more_wait_than_there_are_places_for(accounts, status, code):
    place = Explaining()
    waiting = MOST_OF_ONE if accounts == 1 else MOST
    inside, done = Barrier(waiting + 1), Barrier(waiting + 1)

    def load() -> None:
        inside.wait()
        done.wait()

    threads = [
        Thread(target=place.answer, args=(at, "print", f"user {at % accounts}", load, lambda _: b"made"))
        for at in range(waiting)
    ]
    for thread in threads:
        thread.start()
    inside.wait()
    with pytest.raises(Refusal) as refused:
        place.answer("another", "print", "user 0", lambda: None, lambda _: b"made")
    assert (refused.value.status, refused.value.code) == (status, code)
    done.wait()
    for thread in threads:
        thread.join()
    assert place.answer("another", "print", "user 0", lambda: None, lambda _: b"made") == b"made"


def pages(content: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", content))


def report(client, analysis_id: str, name: str = "report.pdf", **query: str):
    return client.get(f"/analyses/{analysis_id}/{name}", params=query)


def test_a_report_explains_what_is_called_on_a_second_page(ada, infarction):
    whole = report(ada, infarction, method="activation")
    assert whole.status_code == 200, whole.text
    assert pages(whole.content) == 2
    assert pages(report(ada, infarction, explain="none").content) == 1
    other = report(ada, infarction, explain="CD", method="activation")
    assert pages(other.content) == 2
    assert other.content != whole.content


def test_a_note_has_the_sentence(ada, infarction):
    sentence = explained(ada, infarction, method="activation").sentence
    told = " ".join(report(ada, infarction, "report.txt", method="activation").text.split())
    assert sentence in told
    assert sentence not in " ".join(report(ada, infarction, "report.txt", explain="none").text.split())


def test_what_is_attached_in_fhir_is_the_report_with_its_explanation(ada, infarction):
    bundle = report(ada, infarction, "fhir", method="activation").json()
    attached = base64.b64decode(bundle["entry"][0]["resource"]["presentedForm"][0]["data"])
    assert pages(attached) == 2


def test_a_report_of_which_nothing_is_called_has_one_page(ada):
    quiet = kept(ada, bundled_cases()["anterior_infarction"].synthesize().recording)
    assert pages(report(ada, quiet).content) == 1
    assert pages(report(ada, quiet, explain="MI", method="activation").content) == 2


def test_a_report_of_which_the_models_say_nothing_has_one_page_unless_a_label_is_asked_for(ada):
    child = kept(ada, replace(synthesize(seed=4).recording, subject=Subject(age=9)))
    assert pages(report(ada, child).content) == 1
    assert problem_of(report(ada, child, explain="MI")).code == "withheld"


def test_a_report_without_the_model_that_explains_has_one_page(ada, infarction, monkeypatch):
    monkeypatch.setattr("ecg_core.explain.asking.predictors", dict)
    assert pages(report(ada, infarction).content) == 1
    assert problem_of(report(ada, infarction, explain="MI")).field == "model"


def test_a_report_cannot_explain_what_there_is_not(ada, infarction):
    problem = problem_of(report(ada, infarction, explain="XYZ"))
    assert (problem.status, problem.field) == (422, "label")
    problem = problem_of(report(ada, infarction, method="crystal ball"))
    assert (problem.status, problem.field) == (422, "method")


def test_a_recording_too_long_to_be_waited_for_is_not_explained():
    with running_app() as anonymous:
        ada = as_user(anonymous)
        analysis = kept(ada, synthesize(seed=2).recording)
        runtime = runtime_of(anonymous)
        limited = replace(runtime, settings=runtime.settings.model_copy(update={"max_duration_s": 5.0}))
        anonymous.app.state.runtime = limited
        problem = problem_of(explain(ada, analysis, label="NORM"))
        assert (problem.status, problem.code) == (413, "recording_too_long")
        assert pages(report(ada, analysis).content) == 1
