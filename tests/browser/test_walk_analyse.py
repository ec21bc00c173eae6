"""Walks through Analyse: real files of real formats, files that are none, and a demo case."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import expect

from tests.browser.uploads import case_files, picture, table_without_rate, zipped


def test_what_is_no_ecg_is_refused_in_words_with_what_to_do(visitor):
    visitor.register()
    visitor.drop({"tracing.csv": picture()})
    visitor.press("Analyse")
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_contain_text("tracing.csv")
    expect(alert).to_contain_text("no reader recognises the content")
    visitor.see("Check that the file is an ECG in one of the formats listed below")
    visitor.see("WFDB (PhysioNet)")

    visitor.press("Remove tracing.csv")
    expect(alert).to_have_count(0)
    visitor.analyse(case_files("left_bundle_branch_block", "csv"))
    visitor.see_title("left_bundle_branch_block.csv")
    visitor.see("Sinus rhythm, 72/min; complete left bundle branch block")


def test_a_letter_that_was_renamed_is_refused_by_its_content(visitor):
    visitor.register()
    visitor.drop({"letter.edf": b"Dear colleague, please find enclosed the tracing of our patient.\n"})
    visitor.press("Analyse")
    expect(visitor.page.get_by_role("alert")).to_contain_text("letter.edf")
    visitor.see("Check that the file is an ECG")


def test_a_table_that_does_not_say_its_rate_is_asked_for_it(visitor):
    visitor.register()
    visitor.drop({"strip.csv": table_without_rate("normal")})
    visitor.press("Analyse")
    visitor.see("the file does not state its sampling rate")
    visitor.see("Say below what the file leaves out")
    rate = visitor.page.get_by_role("spinbutton", name="Sampling rate (Hz)")
    rate.fill("500")
    rate.blur()
    visitor.rest()
    visitor.press("Analyse")
    expect(visitor.page).to_have_url(re.compile("/recording"))
    visitor.see_title("strip.csv")
    visitor.see("lead II")
    visitor.see(re.compile("sampling rate: 500 Hz, stated|500 Hz"))


def test_the_files_of_two_recordings_lead_to_the_batch_and_a_zip_of_one_is_read(visitor):
    visitor.register()
    visitor.drop(case_files("normal") | case_files("paced"))
    visitor.press("Analyse")
    visitor.see("holds more than one recording")
    expect(visitor.page.get_by_role("link", name="Analyse them as a batch")).to_be_visible()
    for name in ("normal.hea", "normal.dat", "paced.hea", "paced.dat"):
        visitor.press(f"Remove {name}")
    visitor.analyse({"from-the-ward.zip": zipped(case_files("normal"))})
    visitor.see("Sinus rhythm, 68/min")


def test_who_it_is_can_be_said_and_counts(visitor):
    visitor.register()
    visitor.drop(case_files("atrial_fibrillation", "edf"))
    visitor.page.get_by_text("About the person").click()
    visitor.type("Patient", "P-0042")
    age = visitor.page.get_by_role("spinbutton", name="Age (years)")
    age.fill("81")
    age.blur()
    visitor.page.get_by_role("radiogroup", name="Sex").get_by_text("Female").click()
    visitor.rest()
    visitor.press("Analyse")
    visitor.see("P-0042, 81 years, female")
    visitor.see("of a woman of 81")
    visitor.see(re.compile("^Atrial fibrillation, "))


def test_a_demo_case_is_shown_on_paper_and_is_not_kept(visitor):
    visitor.register()
    visitor.page.get_by_role("link", name="Acute inferior infarction").click()
    visitor.see_title("Acute inferior infarction")
    visitor.see("Critical by rule, unconfirmed. Look at the tracing now.")
    expect(visitor.page.get_by_role("application", name=re.compile("beats marked"))).to_be_visible()
    visitor.page.get_by_role("link", name="All demo cases").click()
    visitor.see_title("Analyse an ECG")
    visitor.turn_to("History")
    visitor.see("No recordings yet.")
