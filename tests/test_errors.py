import copy
import json
import pickle

import pytest

from ecg_core import errors
from ecg_core.errors import EcgError, InvalidValue, UnknownName, all_errors

OURS = [kind for kind in all_errors() if kind.__module__ == "ecg_core.errors"]
every_error = pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
FULL = {
    "file": "a.edf",
    "field": "fs",
    "found": 7,
    "expected": "a rate above 50",
    "options": ("say fs", "send another file"),
}


@every_error
@pytest.mark.parametrize("fields", [FULL, {}], ids=["full", "bare"])
def test_error_crosses_a_process_boundary_as_it_was(kind, fields):
    error = kind("not a rate", **fields)
    stored = json.loads(json.dumps(error.to_dict()))
    for back in (EcgError.from_dict(stored), pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301
        assert type(back) is kind
        assert str(back) == str(error)
        assert back.to_dict() == error.to_dict() == stored
        assert back.options == error.options


@every_error
def test_message_names_file_field_problem_found_expected_and_options(kind):
    expected = "a.edf: fs: not a rate; found: 7; expected: a rate above 50; options: say fs, send another file"
    assert str(kind("not a rate", **FULL)) == expected


@every_error
def test_error_is_drawn_in_the_module_and_described(kind):
    assert kind.__name__ in errors.__doc__
    assert kind.__doc__


def test_drawing_shows_the_tree_as_it_is():
    """Each line of the drawing is indented under its parent."""
    parents = []
    drawn = {}
    for line in errors.__doc__.splitlines():
        stem, _, rest = line.partition("── ")
        name = (rest or line).split()[0] if (rest or line).strip() else ""
        if hasattr(errors, name):
            depth = 0 if not rest else (len(stem) - 5) // 4 + 1
            parents = [*parents[:depth], name]
            drawn[name] = parents[-2] if depth else None
    assert drawn == {kind.__name__: (None if kind is EcgError else kind.__mro__[1].__name__) for kind in OURS}


def test_codes_are_distinct():
    codes = [kind.code for kind in OURS]
    assert len(set(codes)) == len(codes)


def test_bare_problem_is_the_whole_message():
    assert str(EcgError("nothing works")) == "nothing works"


@pytest.mark.parametrize("found", [0, 0.0, False, ""])
def test_found_value_that_counts_as_false_is_kept(found):
    error = InvalidValue("not above 0", found=found)
    assert error.found == str(found)
    assert (f"found: {found}" in str(error)) == (found != "")


def test_usual_python_errors_catch_their_counterparts():
    assert issubclass(InvalidValue, ValueError)
    assert issubclass(UnknownName, LookupError)
