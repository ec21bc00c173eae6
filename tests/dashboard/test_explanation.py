"""Why the models say so, beneath the paper of a recording."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from api.schemas import ExplanationAnswer, Problem
from dashboard.client import ApiProblem, Client, Download
from dashboard.components.explanation import as_rows, signed
from ecg_core.synthesis import bundled_cases, synthesize
from tests.dashboard.pages import field, html, opened, papers, press, run, texts
from tests.service import files_of

WHY = "**Why?** Show what an answer rests on"
SEGMENTS = [
    {"lead": "II", "wave": "st", "value": 1.5, "share": 0.71, "without": 0.2, "usual": 0.9},
    {"lead": "II", "wave": "t", "value": -0.25},
    {"lead": "V2", "wave": "qrs", "value": 0.5, "share": 0.24, "without": 0.4},
]
HEAT = {"start_s": 0.0, "step_s": 2.5, "leads": {"II": [0.5, 1.0, -0.25, 0.0], "V2": [0.0, 0.5, 0.0, 0.0]}}


def answer(**changes) -> ExplanationAnswer:
    whole = {
        "model": {"name": "heart12", "version": "1.0.0", "sha256": "0" * 64},
        "label": "superclass.MI",
        "title": "Infarct pattern",
        "method": "gradients",
        "probability": 0.62,
        "answer": 0.5,
        "unit": "log odds",
        "base": -1.5,
        "trees": 0.25,
        "residual": 0.0,
        "adds_up": True,
        "start_s": 0.0,
        "end_s": 10.0,
        "leads": ["II", "V2"],
        "sentence": "The ST segment of II carries 71 % of what speaks for an infarct pattern.",
        "heat": HEAT,
        "segments": SEGMENTS,
        "cautions": ["the signal is usable, no more"],
        "analysis_id": "a",
        "recording_id": "r",
    }
    return ExplanationAnswer.model_validate({**whole, **changes})


@pytest.fixture
def asked(monkeypatch) -> list[tuple]:
    """What the API is asked to explain; it answers as `answer` does."""
    calls: list[tuple] = []

    def explain(_self, _analysis_id, label=None, method=None, *, model="heart12"):
        calls.append((model, label, method))
        if model == "tabular":
            figures = [
                {"name": "QRS duration", "value": 96.0, "added": 0.5, "unit": "ms"},
                {"name": "R height in V2", "value": None, "added": -1},
            ]
            return answer(method="shap", heat=None, segments=[], figures=figures, label=label, trees=0)
        parts = {"adds_up": False} if method == "occlusion" else {"segments": []} if method == "activation" else {}
        return answer(label=label, method=method, **parts)

    monkeypatch.setattr("dashboard.client.analyses.Analyses.explain", explain)
    return calls


def show(client: Client, monkeypatch: pytest.MonkeyPatch, recording) -> AppTest:
    kept = client.recordings.upload(files_of(recording))
    client.analyses.create(kept.id)
    return opened(client, monkeypatch, "recording", recording=kept.id)


def ask(page: AppTest) -> AppTest:
    field(page.toggle, WHY).set_value(True)
    return run(page)


def infarction():
    return bundled_cases()["inferior_infarction"].synthesize().recording


def test_nothing_is_explained_until_it_is_asked_for(client, monkeypatch, asked):
    page = show(client, monkeypatch, infarction())
    assert asked == []
    assert papers(page)[0]["heat"] is None
    ask(page)
    assert asked == [("heart12", "superclass.MI", "shap")]


def test_what_is_called_is_explained_first_in_words_on_the_paper_and_in_parts(client, monkeypatch, asked):
    page = ask(show(client, monkeypatch, infarction()))
    assert field(page.selectbox, "Answer").options[0].startswith("Infarct pattern (MI)")
    shown = html(page)
    assert "The ST segment of II carries 71 %" in shown
    assert "71\u202f% of what speaks for it" in shown
    assert "A tracing of straight lines" in shown
    assert "a probability of 0.62" in shown
    assert "The signal is usable, no more." in texts(page)
    heat = papers(page)[0]["heat"]
    assert heat == {**HEAT, "label": "Infarct pattern"}


def test_touching_the_page_again_computes_nothing_again(client, monkeypatch, asked):
    page = ask(show(client, monkeypatch, infarction()))
    run(page)
    assert len(asked) == 1
    field(page.toggle, WHY).set_value(False)
    run(page)
    assert papers(page)[0]["heat"] is None
    ask(page)
    assert len(asked) == 1


def test_another_label_and_another_method_are_other_questions(client, monkeypatch, asked):
    page = ask(show(client, monkeypatch, infarction()))
    which = field(page.selectbox, "Answer")
    which.set_value("superclass.CD")
    run(page)
    how = next(item for item in page.get("button_group") if item.label == "How")
    how.set_value("occlusion")
    run(page)
    assert asked[1:] == [("heart12", "superclass.CD", "shap"), ("heart12", "superclass.CD", "occlusion")]
    assert "as a straight line" in html(page)
    assert "A tracing of straight lines" not in html(page)


def test_a_model_of_figures_is_explained_by_its_figures(client, monkeypatch, asked):
    page = ask(show(client, monkeypatch, infarction()))
    next(item for item in page.get("button_group") if item.label == "Model").set_value("tabular")
    run(page)
    assert asked[-1] == ("tabular", "superclass.MI", "shap")
    assert "QRS duration: 96\u202fms" in html(page)
    assert "R height in V2: missing" in html(page)
    assert papers(page)[0]["heat"] is None


def test_a_method_that_tells_of_time_alone_has_its_heat_and_its_sum(client, monkeypatch, asked):
    page = ask(show(client, monkeypatch, infarction()))
    next(item for item in page.get("button_group") if item.label == "How").set_value("activation")
    run(page)
    assert papers(page)[0]["heat"]
    assert "What each wave adds" not in texts(page)
    assert "Waves of this tracing" in html(page)


def test_what_the_model_withholds_is_said_and_cannot_be_chosen(client, monkeypatch, asked):
    page = ask(show(client, monkeypatch, bundled_cases()["paced"].synthesize().recording))
    assert "it is withheld: LNGQT" in texts(page)
    options = field(page.selectbox, "Answer").options
    assert not any(option.startswith("Infarct pattern (MI)") for option in options)


def test_a_recording_of_which_no_model_speaks_has_nothing_to_explain(client, monkeypatch, asked):
    page = ask(show(client, monkeypatch, synthesize(seed=3, duration_s=1.0).recording))
    assert "There is nothing to explain" in texts(page)
    assert asked == []
    assert len(papers(page)) == 1


def test_a_service_that_is_busy_is_asked_again_when_the_reader_says_so(client, monkeypatch):
    tries = []

    def explain(_self, *_which, **_how):
        tries.append(1)
        if len(tries) == 1:
            problem = Problem(
                type="urn:x", title="Busy", status=503, code="busy", detail="8 explanations are waited for"
            )
            raise ApiProblem(problem)
        return answer()

    monkeypatch.setattr("dashboard.client.analyses.Analyses.explain", explain)
    page = ask(show(client, monkeypatch, infarction()))
    assert "8 explanations" in texts(page)
    assert len(papers(page)) == 1
    press(page, "Try again")
    assert "8 explanations" not in texts(page)
    assert papers(page)[0]["heat"]


def test_a_label_that_is_withheld_meanwhile_is_no_error(client, monkeypatch):
    def explain(_self, *_which, **_how):
        raise ApiProblem(Problem(type="urn:x", title="x", status=409, code="withheld", detail="it is held back: noise"))

    monkeypatch.setattr("dashboard.client.analyses.Analyses.explain", explain)
    page = ask(show(client, monkeypatch, infarction()))
    assert "It is held back: noise." in [item.value.replace("\\", "") for item in page.info]


def test_how_faithful_a_method_is_stands_below_where_the_model_has_it(client, monkeypatch, asked):
    figures = {
        "random.deletion": {"value": 0.6},
        "gradients.deletion": {"value": 0.4, "low": 0.3, "high": 0.5},
        "gradients.deletion.gain.random": {"value": 0.2},
    }
    measured = {
        "n": 60,
        "data": "ptbxl",
        "split": "fold 9",
        "faithfulness": {"probability": {"all": figures}},
        "shuffled_weights": {"method": "gradients", "metrics": {"spearman": {"value": 0.05}}},
    }
    monkeypatch.setattr("dashboard.client.models.Models.metrics", lambda *_: {"explanations": measured})
    page = ask(show(client, monkeypatch, infarction()))
    next(item for item in page.get("button_group") if item.label == "How").set_value("gradients")
    run(page)
    (table,) = [item.value for item in page.dataframe if "random order" in item.value]
    assert list(table.columns)[1:] == ["integrated gradients", "random order"]
    assert table.iloc[0].tolist()[1:] == ["0.400 (0.300 to 0.500)", "0.600"]
    assert table.iloc[1].tolist()[1:] == ["0.200", "\N{EN DASH}"]
    assert "60 records" in texts(page)
    assert "rank correlation 0.050" in texts(page)


def test_the_report_explains_what_the_page_explains(client, monkeypatch, asked):
    offered = {}
    monkeypatch.setattr("dashboard.views.kept._offer", lambda label, _name, _type, make: offered.update({label: make}))
    wanted = []

    def report(_self, _analysis_id, *, explain="auto", method=None):
        wanted.append((explain, method))
        return Download("ecg.pdf", "application/pdf", b"%PDF")

    monkeypatch.setattr("dashboard.client.analyses.Analyses.report_pdf", report)
    page = show(client, monkeypatch, infarction())
    assert offered["PDF"]() == b"%PDF"
    ask(page)
    field(page.selectbox, "Answer").set_value("superclass.CD")
    run(page)
    offered["PDF"]()
    field(page.toggle, "With an explanation").set_value(False)
    run(page)
    offered["PDF"]()
    assert wanted == [("auto", None), ("superclass.CD", "shap"), ("none", None)]


def test_the_parts_are_rows_of_a_table():
    first, *_ = as_rows(answer())
    assert (first["Lead"], first["Wave"], first["Adds"]) == ("II", "ST", 1.5)
    assert as_rows(answer(segments=[{"lead": None, "wave": "rest", "value": 0.1}]))[0]["Lead"] == "All leads"


@pytest.mark.parametrize(("value", "text"), [(0.844, "+0.84"), (-1.5, "\N{MINUS SIGN}1.50"), (-0.001, "0.00")])
def test_what_is_added_has_a_sign(value, text):
    assert signed(value) == text
