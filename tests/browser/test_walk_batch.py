"""A walk through Batch: many files of which some are none, how far it is, what came of it, and a file of all."""

from __future__ import annotations

import csv
import io
import re

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from tests.browser.uploads import case_files, picture, zipped


def test_of_many_files_the_readable_are_analysed_and_the_others_are_named(visitor):
    visitor.register()
    visitor.turn_to("Batch")
    more = case_files("paced", "edf") | case_files("second_degree_block", "npz") | case_files("ischaemia", "csv")
    files = {"normal.zip": zipped(case_files("normal")), **more, "scan.csv": picture()}
    visitor.drop(files)
    visitor.press("Analyse 5 files")
    visitor.see(re.compile(r"Waiting for its turn|Beginning|\d of 5"))
    visitor.see("4 of 4 recordings.")
    visitor.see("Failed: 1")
    visitor.see("no reader recognises the content")
    visitor.see("Check that it is an ECG in a format that can be read")

    rows = visitor.table()
    assert len(rows) == 4
    assert any("Pacing" in cell for row in rows for cell in row)
    visitor.type("File or diagnosis", "pacing")
    visitor.see("1 of 4 recordings.")
    name, data = visitor.download(visitor.button("CSV"))
    assert name.endswith(".csv")
    told = {row["file"]: row["diagnosis"] or row["error"] for row in csv.DictReader(io.StringIO(data.decode()))}
    assert len(told) == 5
    assert told["scan.csv"] == "unknown_format"

    visitor.pick_row()
    expect(visitor.button("Open the recording")).to_be_enabled()
    visitor.press("Open the recording")
    visitor.see_title("paced.edf")
    visitor.see("Pacing spikes (ventricular)")

    visitor.turn_to("Batch")
    visitor.press("All batches")
    visitor.see("4 analysed, 1 failed")
