from __future__ import annotations

import os
from pathlib import Path

import pytest

from ecg_core.datasets import DATASETS
from ecg_core.findings.signs import SIGNS
from ecg_core.findings.statements import FAMILIES, RHYTHMS, STATEMENTS, VARIANTS
from ecg_core.findings.value import KINDS


def test_there_are_71_statements_with_titles_of_their_own_and_signs_that_exist():
    assert len(STATEMENTS) == 71
    assert len({item.title for item in STATEMENTS.values()}) == 71
    for item in STATEMENTS.values():
        assert item.kind in KINDS
        assert set(item.signs) <= set(SIGNS)


def test_infarcts_are_patterns_of_undetermined_age_and_nothing_claims_an_acute_one():
    infarcts = [code for code, item in STATEMENTS.items() if item.kind == "infarct" and code != "QWAVE"]
    assert len(infarcts) == 9
    for code in infarcts:
        assert STATEMENTS[code].title.endswith("infarct pattern, age undetermined")
    assert not any("acute" in item.title.lower() for item in STATEMENTS.values())
    assert "age undetermined" in FAMILIES["MI"][0]


def test_rhythms_are_twelve_statements_of_the_rhythm():
    assert len(RHYTHMS) == 12
    assert all(STATEMENTS[code].kind == "rhythm" for code in RHYTHMS)
    assert set(RHYTHMS) > VARIANTS


@pytest.mark.skipif("EINTHOVEN_DATA_DIR" not in os.environ, reason="EINTHOVEN_DATA_DIR names no folder of data sets")
def test_statements_are_those_of_ptbxl():
    if not (Path(os.environ["EINTHOVEN_DATA_DIR"]) / "ptbxl" / "scp_statements.csv").is_file():
        pytest.skip("PTB-XL's table of statements is not there")
    known = DATASETS["ptbxl"].statements()
    assert set(known) == set(STATEMENTS)
    assert {code for code, item in known.items() if item.rhythm} == set(RHYTHMS)
