"""Walks through the page of a recording: the paper, what is said, notes, files to take away, the end of it."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pypdfium2
import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Locator, expect

from ecg_core.reading import read
from tests.browser.uploads import case_files, demo
from tests.helpers import assert_same_signal


def ink(canvas: Locator) -> int:
    """Return how many pixels of a canvas have the colour of the trace."""
    count: int = canvas.evaluate(
        """canvas => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let n = 0;
          for (let i = 0; i < data.length; i += 4) if (data[i] < 90 && data[i + 1] < 90 && data[i + 2] < 90) n += 1;
          return n;
        }"""
    )
    return count


def picture(canvas: Locator) -> str:
    data: str = canvas.evaluate("canvas => canvas.toDataURL()")
    return data


def test_a_recording_is_read_on_paper_and_in_figures_with_the_mouse_and_with_keys(visitor):
    visitor.register()
    visitor.analyse(case_files("left_bundle_branch_block"))
    page = visitor.page
    visitor.see("Complete left bundle branch block")
    qrs = page.get_by_role("table", name="Intervals").get_by_role("row", name=re.compile("^QRS"))
    expect(qrs).to_contain_text("151")
    expect(qrs).to_contain_text("high")
    expect(page.get_by_role("heading", name="Risk of atrial fibrillation")).to_be_visible()

    paper = page.get_by_role("application", name=re.compile("beats marked"))
    expect(paper).to_be_visible()
    drawing = paper.get_by_role("img")
    assert ink(drawing) > 2_000
    with_marks = picture(drawing)
    page.get_by_text("Marks", exact=True).click()
    page.get_by_role("checkbox", name="P, QRS and T").uncheck()
    assert picture(drawing) != with_marks
    paper.focus()
    page.keyboard.press("w")
    assert picture(drawing) == with_marks
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("status").filter(has_text="mV")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("group", name="Keys")).to_be_visible()

    page.get_by_text("Few missed").click()
    expect(page.get_by_role("combobox", name="Analysis")).to_be_visible()
    visitor.see("Measurements")


def test_notes_are_kept_and_deleting_is_for_good(visitor):
    visitor.register()
    visitor.analyse(case_files("normal", "npz"))
    page = visitor.page
    visitor.press("Name and notes")
    visitor.type("Name", "Before ablation")
    visitor.type("Notes", "Seen by nobody yet.")
    visitor.press("Save")
    visitor.see_title("Before ablation")
    visitor.see("Seen by nobody yet.")

    page.reload()
    visitor.see_title("Before ablation")
    visitor.see("Seen by nobody yet.")

    address = page.url
    visitor.press("Delete")
    visitor.see("This is for good.")
    visitor.press("Delete for good")
    visitor.see_title("History")
    visitor.see("No recordings yet.")
    page.goto(address)
    visitor.see("It was deleted, or it belongs to another account.")


def test_every_file_that_can_be_taken_away_opens(visitor):
    visitor.register()
    visitor.analyse(case_files("left_bundle_branch_block"))
    visitor.press("Download")
    panel = visitor.page.get_by_role("dialog", name="Download")
    files = {
        name: visitor.download(panel.get_by_role("button", name=name, exact=True))
        for name in ("PDF", "Text", "FHIR", "JSON", "CSV row", "WFDB", "EDF", "As it was sent")
    }
    contents = {name: data for name, (_, data) in files.items()}
    assert [name for name, _ in files.values()][:5] == [
        f"left_bundle_branch_block.{end}" for end in ("pdf", "txt", "fhir.json", "json", "csv")
    ]
    with pypdfium2.PdfDocument(contents["PDF"]) as pdf:
        assert "left bundle branch block" in pdf[0].get_textpage().get_text_range()
    assert "left bundle branch block" in contents["Text"].decode()
    assert json.loads(contents["FHIR"])["resourceType"] == "Bundle"
    assert json.loads(contents["JSON"])["rhythm"]["code"] == "SR"
    assert contents["CSV row"].decode().splitlines()[1].count("left bundle branch block") == 1
    sent = demo("left_bundle_branch_block")
    assert_same_signal(read({"out.zip": contents["WFDB"]}), sent)
    assert_same_signal(read({"out.edf": contents["EDF"]}), sent)
    with zipfile.ZipFile(io.BytesIO(contents["As it was sent"])) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == case_files("left_bundle_branch_block")
