"""Tables of labels as people write them."""

from __future__ import annotations

import pytest

from ecg_core.errors import InvalidValue
from ecg_core.evaluation.labels import parse_labels


@pytest.mark.parametrize(
    "table",
    [
        "A1,N\nA2,A\n",
        "record,label\r\nA1,N\r\nA2,A\r\n",
        "\ufeffname;labels\nA1;N\nA2;A\n",
        "id\tclass\nA1\tN\n\nA2\tA",
        "record,N,A\nA1,1,0\nA2,0,1\n",
        "record,N,A\nA1,true,\nA2,false,1.0\n",
    ],
)
def test_the_usual_forms_of_a_table_say_the_same(table):
    labels = parse_labels(table.encode())
    assert {name: set(of) for name, of in labels.of.items()} == {"A1": {"N"}, "A2": {"A"}}
    assert labels.names == ("A", "N")


def test_several_labels_of_a_recording_and_none():
    labels = parse_labels(b"record,labels\n1,MI;LVH\n2,\n3,MI|STTC\n4,MI LVH\n")
    assert [sorted(labels.of[name]) for name in "1234"] == [["LVH", "MI"], [], ["MI", "STTC"], ["LVH", "MI"]]


@pytest.mark.parametrize("name", ["A1", "A1.hea", "sub/A1.mat", "a.zip/x/A1.hea"])
def test_a_recording_is_found_by_its_name_without_folder_and_ending(name):
    assert parse_labels(b"A1,N\n").find(name) == {"N"}
    assert parse_labels(b"x/A1,N\n").find("x/A1.hea") == {"N"}


def test_a_recording_that_the_table_does_not_name_has_no_labels():
    assert parse_labels(b"A1,N\n").find("A2.hea") is None
    assert parse_labels(b"A1,\n").find("A1.hea") == frozenset()


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (b"", "0 rows"),
        (b"A1\nA2\n", "the row 'A1'"),
        (b"\xff\xfe\x00A", "not a table of text"),
        (b"record,label\n", "without rows"),
        (b"record,MI\n1,yes\n", "neither 0 nor 1; found: 'yes'"),
        (b"A1,N\nA1,A\n", "two rows for one recording; found: A1"),
        (("A1," + ";".join(f"l{i}" for i in range(501))).encode(), "too many labels; found: 501"),
        (b'A1,"' + b"x" * 200_000 + b'"\n', "not a table"),
    ],
)
def test_what_is_no_table_of_labels_says_what_is_expected(table, problem):
    with pytest.raises(InvalidValue, match="labels") as caught:
        parse_labels(table)
    assert problem in str(caught.value)
