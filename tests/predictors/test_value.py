"""What a prediction is, in Python and in JSON."""

from __future__ import annotations

import json
import pickle

import pytest

from ecg_core.errors import InvalidValue
from ecg_core.predictors import ConformalSet, Curve, Identity, LabelAnswer, Prediction, Quantity

MODEL = Identity("some", "1.0.0", "ab" * 32)


def a_prediction() -> Prediction:
    return Prediction(
        MODEL,
        {
            "superclass": {
                "CD": LabelAnswer(0.6, 0.5, True, "max_f1"),
                "MI": LabelAnswer(0.9, 0.3, True, "max_f1"),
                "HYP": LabelAnswer(0.1, 0.3, False, "max_f1"),
                "NORM": LabelAnswer(None, reason="only I can be read"),
            },
            "age": Quantity(61.0, 50.0, 72.0, "years", 0.9),
            "survival": Curve((0.0, 1.0), (1.0, 0.98), "years"),
        },
        view="full",
        leads=("I", "II"),
        conformal={"superclass": ConformalSet(0.9, {"MI": "present", "CD": "uncertain"})},
        withheld={"superclass.NORM": "only I can be read"},
        cautions=("the age is not stated: an adult is assumed",),
        accuracy={"AFIB.auc": {"value": 0.99, "low": 0.98, "high": 1.0}},
    )


def test_json_has_the_heads_beside_what_holds_for_all_of_them():
    found = json.loads(json.dumps(a_prediction().to_dict(), allow_nan=False))
    assert found["version"] == "1.0.0"
    assert found["sha256"] == "ab" * 32
    assert found["superclass"]["MI"] == {
        "probability": 0.9,
        "threshold": 0.3,
        "positive": True,
        "operating_point": "max_f1",
        "experimental": False,
        "reason": None,
    }
    assert found["superclass"]["NORM"]["probability"] is None
    assert found["superclass"]["NORM"]["reason"] == "only I can be read"
    assert (found["age"]["low"], found["age"]["value"], found["age"]["high"]) == (50.0, 61.0, 72.0)
    assert found["survival"] == {"at": [0.0, 1.0], "values": [1.0, 0.98], "at_unit": "years", "unit": None}
    assert found["conformal"] == {"superclass": {"coverage": 0.9, "labels": {"MI": "present", "CD": "uncertain"}}}
    assert found["out_of_scope"] == []
    assert found["withheld"] == {"superclass.NORM": "only I can be read"}


def test_positives_come_the_most_probable_first_and_never_what_is_withheld():
    assert list(a_prediction().positives("superclass")) == ["MI", "CD"]


def test_a_head_is_found_as_what_it_is():
    prediction = a_prediction()
    assert prediction.quantity("age").value == 61.0
    assert prediction.quantity("superclass") is None
    assert prediction.labels("age") == {} == prediction.labels("survival") == prediction.labels("none")
    assert not prediction.abstains


def test_nothing_in_a_prediction_can_be_changed():
    prediction = a_prediction()
    with pytest.raises(TypeError):
        prediction.heads["age"] = None
    with pytest.raises(TypeError):
        prediction.labels("superclass")["MI"] = None


def test_a_head_cannot_take_the_place_of_what_holds_for_all():
    with pytest.raises(InvalidValue, match="no name for a head; found: view"):
        Prediction(MODEL, {"view": Quantity(1.0)})


def test_a_curve_has_one_value_a_place():
    with pytest.raises(InvalidValue, match="one value a place"):
        Curve((0.0, 1.0), (1.0,), "years")


def test_a_prediction_crosses_a_process_boundary():
    assert pickle.loads(pickle.dumps(a_prediction())).to_dict() == a_prediction().to_dict()  # noqa: S301
